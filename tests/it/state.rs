//! The state's contract: what was saved is read, nothing is overwritten, nothing secret is kept, and a run that dies
//! between two writes leaves the state whole.

#![allow(clippy::unwrap_used)] // contracts are tests

use crate::on_every_backend;
use crate::support::backend::Backend;
use crate::support::wire::Fault;
use infra::aws::Precondition;
use infra::error::Kind;
use infra::model::{Fingerprint, Parameter, RenderedStack, StackRecord, StackStatus, Target, Written, digest};
use infra::state::{LockedState, Update};
use std::collections::BTreeMap;

on_every_backend!(
    what_was_saved_is_read,
    history_keeps_what_a_rollback_needs,
    the_history_of_a_deleted_state_is_kept,
    after_the_last_serial_comes_none,
    templates_are_kept_once,
    a_stale_writer_overwrites_nothing,
    a_lost_answer_is_no_failure,
    a_save_without_answer_is_settled_by_the_next,
    a_run_that_dies_between_the_writes_leaves_the_old_state,
    no_secret_is_kept,
    what_cannot_be_read_is_explained,
);

pub fn written(operation: &str) -> Written {
    Written {
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        by: "arn:aws:iam::111122223333:user/alice".to_owned(),
        host: "laptop".to_owned(),
        version: "0.1.0".to_owned(),
        operation: operation.to_owned(),
        git_commit: Some("0123abc".to_owned()),
        pipeline_url: None,
    }
}

fn rendered(name: &str, template: &str) -> RenderedStack {
    RenderedStack {
        name: name.to_owned(),
        stack_name: format!("shop-dev-{name}"),
        target: Target { account: "111122223333".to_owned(), region: "us-east-1".to_owned(), role: None },
        template_name: "queue".to_owned(),
        template: template.to_owned(),
        template_digest: digest(template),
        parameters: BTreeMap::from([
            ("Size".to_owned(), Parameter::Value("3".to_owned())),
            ("VpcId".to_owned(), Parameter::Output { stack: "network".to_owned(), key: "VpcId".to_owned() }),
        ]),
        tags: BTreeMap::from([("ManagedBy".to_owned(), "infra".to_owned())]),
        capabilities: vec!["CAPABILITY_IAM".to_owned()],
        protect: true,
        stack_policy: Some("{}".to_owned()),
        after: vec!["network".to_owned()],
        places: BTreeMap::from([("Queue".to_owned(), "templates/queue.yaml:9".to_owned())]),
    }
}

fn record(rendered: &RenderedStack) -> StackRecord {
    let fingerprint = Fingerprint {
        stack_id: format!("arn:aws:cloudformation:us-east-1:111122223333:stack/{}/1", rendered.stack_name),
        changed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        status: StackStatus::CreateComplete,
    };
    record_of(rendered, fingerprint)
}

pub fn record_of(rendered: &RenderedStack, fingerprint: Fingerprint) -> StackRecord {
    StackRecord {
        stack_name: rendered.stack_name.clone(),
        target: rendered.target.clone(),
        fingerprint,
        template_name: rendered.template_name.clone(),
        template_digest: rendered.template_digest.clone(),
        parameters: BTreeMap::from([("Size".to_owned(), "3".to_owned()), ("VpcId".to_owned(), "vpc-1".to_owned())]),
        resolved: BTreeMap::new(),
        equivalent: None,
        outputs: BTreeMap::from([("Url".to_owned(), "https://queue".to_owned())]),
        tags: rendered.tags.clone(),
        images: BTreeMap::new(),
        made_from: BTreeMap::new(),
        packages: BTreeMap::new(),
        waits_on: vec!["network".to_owned()],
        site: None,
        stack_policy_digest: None,
        durations: Default::default(),
        applied: written("apply"),
    }
}

fn applied(rendered: &RenderedStack) -> Update {
    Update::Applied {
        stack: rendered.name.clone(),
        record: Box::new(record(rendered)),
        rendered: Some(Box::new(rendered.clone())),
    }
}

const TEMPLATE: &str = r#"{"Resources":{"Queue":{"Type":"AWS::SQS::Queue"}}}"#;

async fn locked(backend: &Backend) -> LockedState {
    backend.somebody().await.0.lock(backend.request("alice"), |_| {}).await.unwrap()
}

async fn what_was_saved_is_read(backend: Backend) {
    let (store, _) = backend.somebody().await;
    assert_eq!(store.read().await.unwrap(), None);
    let first = locked(&backend).await;
    let lineage = first.state().lineage.clone();
    assert_eq!((first.state().serial, lineage.len()), (0, 36));
    let queue = rendered("queue", TEMPLATE);
    assert_eq!(first.save(written("apply"), vec![applied(&queue)]).await.unwrap(), 1);
    let topic = rendered("topic", TEMPLATE);
    assert_eq!(first.save(written("apply"), vec![applied(&topic)]).await.unwrap(), 2);
    first.release().await.unwrap();

    let second = locked(&backend).await;
    assert_eq!((second.state().serial, second.state().lineage.as_str()), (2, lineage.as_str()));
    assert_eq!(second.state().stacks["queue"], record(&queue));
    let forget = Update::Forgotten { stack: "queue".to_owned() };
    assert_eq!(second.save(written("destroy"), vec![forget]).await.unwrap(), 3);
    let now = store.read().await.unwrap().unwrap();
    assert_eq!(now.state, *second.state());
    assert_eq!(now.state.stacks.keys().collect::<Vec<_>>(), ["topic"]);
    assert_eq!(now.state.written.operation, "destroy");
}

async fn history_keeps_what_a_rollback_needs(backend: Backend) {
    let queue = rendered("queue", TEMPLATE);
    let newer =
        rendered("queue", r#"{"Resources":{"Queue":{"Type":"AWS::SQS::Queue","Properties":{"DelaySeconds":5}}}}"#);
    let topic = rendered("topic", TEMPLATE);
    let first = locked(&backend).await;
    first.save(written("apply"), vec![applied(&queue), applied(&topic)]).await.unwrap();
    first.release().await.unwrap();
    let second = locked(&backend).await;
    second.save(written("apply"), vec![applied(&newer)]).await.unwrap();
    for _ in 0..9 {
        second.save(written("apply"), Vec::new()).await.unwrap();
    }

    let (store, _) = backend.somebody().await;
    let serials: Vec<_> = store.history().await.unwrap().iter().map(|item| item.serial).collect();
    assert_eq!(serials, (1..=11).rev().collect::<Vec<_>>());
    let entries = store.last_entries(3).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.state.serial).collect::<Vec<_>>(), [11, 10, 9]);
    let back = store.entry(1).await.unwrap();
    assert_eq!(back.state.stacks["queue"], record(&queue));
    assert_eq!(store.recorded_stacks(back).await.unwrap(), [queue, topic.clone()]);
    let now = store.entry(11).await.unwrap();
    assert_eq!(store.recorded_stacks(now).await.unwrap(), [newer, topic]);
    assert_eq!(store.entry(12).await.unwrap_err().kind, Kind::State);
}

async fn templates_are_kept_once(backend: Backend) {
    let (store, wire) = backend.somebody().await;
    let locked = store.lock(backend.request("alice"), |_| {}).await.unwrap();
    for name in ["a", "b", "a"] {
        locked.save(written("apply"), vec![applied(&rendered(name, TEMPLATE))]).await.unwrap();
    }
    let keys = store.objects().list("shop/dev/templates/").await.unwrap();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(
        wire.calls()
            .iter()
            .filter(|call| call.operation.contains("PUT") && call.operation.contains("templates"))
            .count(),
        1
    );
    let entry = store.objects().get("shop/dev/history/3.json").await.unwrap().unwrap();
    assert!(!String::from_utf8(entry.body).unwrap().contains("AWS::SQS::Queue"));
}

async fn the_history_of_a_deleted_state_is_kept(backend: Backend) {
    let (store, _) = backend.somebody().await;
    for operation in ["old", "older"] {
        let locked = locked(&backend).await;
        locked.save(written(operation), vec![applied(&rendered("queue", TEMPLATE))]).await.unwrap();
        locked.release().await.unwrap();
    }
    let body = store.objects().get("shop/dev/state.json").await.unwrap().unwrap().body;
    let old: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let (aws, _) = backend.connect().await;
    let target = Target { account: "111122223333".to_owned(), region: "us-east-1".to_owned(), role: None };
    aws.site_bucket(&target, store.objects().bucket()).remove(&["shop/dev/state.json".to_owned()]).await.unwrap();
    assert!(store.read().await.unwrap().is_none());
    let locked = locked(&backend).await;
    assert_eq!(locked.save(written("new"), Vec::new()).await.unwrap(), 3);
    assert_ne!(locked.state().lineage, old["lineage"].as_str().unwrap());
    assert_eq!(locked.save(written("newer"), Vec::new()).await.unwrap(), 4);
    let operations: Vec<String> =
        store.last_entries(9).await.unwrap().into_iter().map(|entry| entry.state.written.operation).collect();
    assert_eq!(operations, ["newer", "new", "older", "old"]);
}

async fn after_the_last_serial_comes_none(backend: Backend) {
    let (store, _) = backend.somebody().await;
    let first = locked(&backend).await;
    first.save(written("apply"), Vec::new()).await.unwrap();
    first.release().await.unwrap();
    let object = store.objects().get("shop/dev/state.json").await.unwrap().unwrap();
    let mut state: serde_json::Value = serde_json::from_slice(&object.body).unwrap();
    state["serial"] = serde_json::json!(u64::MAX);
    let body = serde_json::to_vec(&state).unwrap();
    store.objects().put("shop/dev/state.json", body, "application/json", Precondition::None).await.unwrap();
    let refused = locked(&backend).await.save(written("apply"), Vec::new()).await.unwrap_err();
    assert_eq!(refused.kind, Kind::State, "{refused:?}");
    assert!(refused.message.contains("no number comes after it"), "{refused}");
}

async fn a_stale_writer_overwrites_nothing(backend: Backend) {
    let alice = locked(&backend).await;
    alice.save(written("alice"), Vec::new()).await.unwrap();
    let (store, _) = backend.somebody().await;
    store.break_lock(alice.lock_id()).await.unwrap();
    let bob = locked(&backend).await;
    bob.save(written("bob"), vec![applied(&rendered("queue", TEMPLATE))]).await.unwrap();
    // At this moment alice's run has not yet learned that its lock is gone.
    let refused = alice.save(written("alice"), Vec::new()).await.unwrap_err();
    assert_eq!(refused.kind, Kind::LockLost, "{refused:?}");
    assert_eq!(store.read().await.unwrap().unwrap().state, *bob.state());
    assert_eq!(store.entry(2).await.unwrap().state, *bob.state());
    bob.save(written("bob"), Vec::new()).await.unwrap();
}

async fn a_lost_answer_is_no_failure(backend: Backend) {
    let (store, wire) = backend.somebody().await;
    let locked = store.lock(backend.request("alice"), |_| {}).await.unwrap();
    wire.on(
        |sent, nth| if sent.operation.starts_with("PUT") && nth == 1 { Fault::CutAfterEffect } else { Fault::None },
    );
    assert_eq!(locked.save(written("apply"), vec![applied(&rendered("queue", TEMPLATE))]).await.unwrap(), 1);
    // Every answer to every write of the next serial is lost.
    wire.on(|sent, _| if sent.operation.starts_with("PUT") { Fault::CutAfterEffect } else { Fault::None });
    let result = locked.save(written("apply"), Vec::new()).await;
    wire.on(|_, _| Fault::None);
    match result {
        Ok(serial) => assert_eq!(serial, 2),
        Err(error) => assert_eq!(error.kind, Kind::Unreachable, "{error:?}"), // the history entry's answer
    }
    assert_eq!(locked.save(written("apply"), Vec::new()).await.unwrap(), locked.state().serial);
    assert_eq!(store.read().await.unwrap().unwrap().state, *locked.state());
}

async fn a_save_without_answer_is_settled_by_the_next(backend: Backend) {
    let (store, wire) = backend.somebody().await;
    let locked = store.lock(backend.request("alice"), |_| {}).await.unwrap();
    locked.save(written("apply"), Vec::new()).await.unwrap();
    let about_state = |operation: &str| operation.ends_with("shop/dev/state.json");
    wire.on(move |sent, _| match sent.operation.as_str() {
        put if about_state(put) && put.starts_with("PUT") => Fault::CutAfterEffect,
        get if about_state(get) => Fault::Lost,
        _ => Fault::None,
    });
    let queue = rendered("queue", TEMPLATE);
    assert_eq!(locked.save(written("apply"), vec![applied(&queue)]).await.unwrap_err().kind, Kind::Unreachable);
    wire.on(|_, _| Fault::None);
    // It had been written after all: serial 2 is taken, with its stack.
    assert_eq!(locked.save(written("apply"), Vec::new()).await.unwrap(), 3);
    let now = store.read().await.unwrap().unwrap().state;
    assert!(now.stacks.contains_key("queue"));
    assert_eq!(store.recorded_stacks(store.entry(3).await.unwrap()).await.unwrap(), [queue]);
    // And where it had not been written, the next one takes its serial.
    wire.on(move |sent, _| if about_state(&sent.operation) { Fault::Lost } else { Fault::None });
    locked.save(written("lost"), Vec::new()).await.unwrap_err();
    wire.on(|_, _| Fault::None);
    assert_eq!(locked.save(written("kept"), Vec::new()).await.unwrap(), 4);
    assert_eq!(store.entry(4).await.unwrap().state.written.operation, "kept");
}

async fn a_run_that_dies_between_the_writes_leaves_the_old_state(backend: Backend) {
    let (store, wire) = backend.somebody().await;
    let doomed = store.lock(backend.request("alice"), |_| {}).await.unwrap();
    doomed.save(written("apply"), Vec::new()).await.unwrap();
    wire.on(|sent, _| if sent.operation.ends_with("state.json") { Fault::Lost } else { Fault::None });
    doomed.save(written("doomed"), vec![applied(&rendered("queue", TEMPLATE))]).await.unwrap_err();
    let id = doomed.lock_id().to_owned();
    drop(doomed);
    wire.on(|_, _| Fault::None);
    assert_eq!(store.read().await.unwrap().unwrap().state.serial, 1);
    assert_eq!(store.history().await.unwrap()[0].serial, 2); // the orphan
    store.break_lock(&id).await.unwrap();
    let next = locked(&backend).await;
    assert_eq!(next.save(written("next"), Vec::new()).await.unwrap(), 2);
    let entry = store.entry(2).await.unwrap();
    assert_eq!((entry.state.written.operation.as_str(), entry.stacks.len()), ("next", 0));
}

async fn no_secret_is_kept(backend: Backend) {
    const SECRET: &str = "correct-horse-battery-staple";
    let template =
        r#"{"Parameters":{"Password":{"Type":"String","NoEcho":true},"Size":{"Type":"Number"}},"Resources":{}}"#;
    let mut stack = rendered("database", template);
    stack.parameters.insert("Password".to_owned(), Parameter::Value(SECRET.to_owned()));
    let mut careless = record(&stack);
    careless.parameters.insert("Password".to_owned(), SECRET.to_owned());
    let (store, _) = backend.somebody().await;
    let locked = store.lock(backend.request("alice"), |_| {}).await.unwrap();
    let update =
        Update::Applied { stack: "database".to_owned(), record: Box::new(careless), rendered: Some(Box::new(stack)) };
    locked.save(written("apply"), vec![update]).await.unwrap();
    let keys = store.objects().list("shop/").await.unwrap();
    assert_eq!(keys.len(), 3, "{keys:?}");
    for key in keys {
        let body = String::from_utf8(store.objects().get(&key.key).await.unwrap().unwrap().body).unwrap();
        assert!(!body.contains(SECRET), "{}", key.key);
    }
    assert_eq!(locked.state().stacks["database"].parameters["Size"], "3");
}

async fn what_cannot_be_read_is_explained(backend: Backend) {
    let (store, _) = backend.somebody().await;
    let first = locked(&backend).await;
    first.save(written("apply"), vec![applied(&rendered("queue", TEMPLATE))]).await.unwrap();
    first.release().await.unwrap();
    let good = store.objects().get("shop/dev/state.json").await.unwrap().unwrap();
    let overwrite = async |text: String| {
        let body = text.into_bytes();
        store.objects().put("shop/dev/state.json", body, "application/json", Precondition::None).await.unwrap();
        store.read().await.unwrap_err()
    };
    let text = String::from_utf8(good.body).unwrap();

    let newer = overwrite(text.replace("\"format_version\": 1", "\"format_version\": 7")).await;
    assert_eq!(newer.kind, Kind::State);
    assert!(newer.message.contains("newer infra (format 7; this one reads 1)"), "{newer:?}");
    let other = overwrite(text.replace("\"environment\": \"dev\"", "\"environment\": \"prod\"")).await;
    assert!(other.message.ends_with("is the state of shop/prod"), "{other:?}");
    let corrupt = overwrite(text[..text.len() / 2].to_owned()).await;
    assert_eq!(corrupt.kind, Kind::State);
    assert!(corrupt.message.ends_with("/shop/dev/state.json cannot be read as a state"), "{corrupt:?}");
    if backend.has_versions {
        // Not the versions in between, which nobody here can read.
        let version = good.version.as_deref().unwrap();
        assert!(corrupt.details[1].starts_with(&format!("version {version} ")), "{corrupt:?}");
        assert!(corrupt.details[1].ends_with("can be read: serial 1, 1 stacks"), "{corrupt:?}");
        assert!(corrupt.hints[1].ends_with(&format!("versionId={version}'`")), "{corrupt:?}");
    } else {
        assert!(corrupt.details[1].contains("no earlier version"), "{corrupt:?}");
    }
    // And nobody who cannot read it keeps the lock.
    assert!(store.lock(backend.request("alice"), |_| {}).await.is_err());
    assert_eq!(store.holder().await.unwrap(), None);
}
