//! What is there, and how many calls it takes to know.

use crate::on_every_backend;
use crate::support::backend::Backend;
use infra::aws::Aws;
use infra::aws::cloudformation::{ChangeSetKind, ChangeSetRequest, ChangeSetState, TemplateSource};
use infra::error::Kind;
use infra::model::{Deployed, RenderedStack, StackStatus, Target, digest};
use infra::observe;
use infra::state::{StateStore, Update};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

on_every_backend!(
    knowing_that_nothing_changed_takes_few_calls,
    stacks_that_only_the_state_knows_are_found_and_templates_fetched_on_demand,
    somebody_elses_stack_is_refused_and_a_moved_one_too,
);

const TEMPLATE: &str = r#"{"Resources":{"Handle":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}"#;

fn rendered(backend: &Backend, name: &str) -> RenderedStack {
    let environment = backend.environment();
    RenderedStack {
        name: name.to_owned(),
        stack_name: format!("shop-dev-{name}"),
        target: Target { account: environment.account, region: environment.region, role: None },
        template_name: "handle".to_owned(),
        template: TEMPLATE.to_owned(),
        template_digest: digest(TEMPLATE),
        parameters: BTreeMap::new(),
        tags: [("ManagedBy", "infra"), ("Project", "shop"), ("Environment", "dev")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        capabilities: Vec::new(),
        protect: false,
        stack_policy: None,
        after: Vec::new(),
        places: BTreeMap::new(),
    }
}

async fn create(aws: &Aws, stack: &RenderedStack) -> Deployed {
    let cloudformation = aws.cloudformation(&stack.target);
    let request = ChangeSetRequest {
        stack_name: stack.stack_name.clone(),
        name: "infra-1".to_owned(),
        kind: ChangeSetKind::Create,
        template: TemplateSource::Body(stack.template.clone()),
        parameters: BTreeMap::new(),
        tags: stack.tags.clone(),
        capabilities: Vec::new(),
        description: "by hand".to_owned(),
        reverts_drift: false,
        includes_nested: false,
        imports_existing: false,
        imports: Vec::new(),
    };
    let id = cloudformation.create_change_set(&request).await.expect("a change set");
    let ready = async || {
        let described = cloudformation.describe_change_set(&stack.stack_name, &id).await.expect("an answer");
        described.expect("the change set").state != ChangeSetState::Pending
    };
    let mut pause = Duration::from_millis(20);
    while !ready().await {
        wait(&mut pause).await;
    }
    cloudformation.execute_change_set(&stack.stack_name, &id, "token").await.expect("an execution");
    loop {
        let found = cloudformation.describe_stack(&stack.stack_name).await.expect("an answer").expect("a stack");
        if found.status == StackStatus::CreateComplete {
            return found;
        }
        wait(&mut pause).await;
    }
}

/// Longer from time to time: where time is virtual and AWS takes its time, short pauses are thousands of questions.
async fn wait(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(Duration::from_secs(2));
}

/// As an apply would leave it.
async fn remember(store: &StateStore, backend: &Backend, stacks: &[(RenderedStack, Deployed)]) {
    let locked = store.lock(backend.request("alice"), |_| {}).await.expect("the lock");
    let updates = stacks.iter().map(|(rendered, deployed)| Update::Applied {
        stack: rendered.name.clone(),
        record: Box::new(crate::state::record_of(rendered, deployed.fingerprint())),
        rendered: Some(Box::new(rendered.clone())),
    });
    locked.save(crate::state::written("apply"), updates.collect()).await.expect("a save");
    locked.release().await.expect("a release");
}

async fn knowing_that_nothing_changed_takes_few_calls(backend: Backend) {
    const STACKS: usize = 120;
    let (aws, _) = backend.connect().await;
    let (store, _) = backend.somebody().await;
    let mut stacks = Vec::new();
    for n in 0..STACKS {
        let stack = rendered(&backend, &format!("s{n}"));
        let deployed = create(&aws, &stack).await;
        stacks.push((stack, deployed));
    }
    remember(&store, &backend, &stacks).await;
    let wanted: Vec<_> = stacks.iter().map(|(rendered, _)| rendered.clone()).collect();

    let (aws, wire) = backend.connect().await;
    let environment = backend.environment();
    let store = StateStore::new(&aws, &environment);
    aws.check_identity(&environment).await.unwrap();
    let facts = observe::look(&aws, &store, &environment, &wanted).await.unwrap();
    let operations: Vec<_> = wire.calls().into_iter().map(|call| call.operation).collect();
    assert!(operations.len() <= STACKS.div_ceil(100) + 5, "{operations:?}");
    assert_eq!(wire.count("GetTemplate"), 0);
    assert!(wire.longest_sequence() <= 4, "{operations:?}");
    assert_eq!(facts.deployed.len(), STACKS);
    assert_eq!(facts.deployed["s7"], stacks[7].1);
    for (name, record) in &facts.state.unwrap().state.stacks {
        assert_eq!(record.fingerprint, facts.deployed[name].fingerprint());
    }
}

async fn stacks_that_only_the_state_knows_are_found_and_templates_fetched_on_demand(backend: Backend) {
    let (aws, wire) = backend.connect().await;
    let (store, _) = backend.somebody().await;
    let (kept, dropped, gone) = (rendered(&backend, "kept"), rendered(&backend, "dropped"), rendered(&backend, "gone"));
    let mut stacks = Vec::new();
    for stack in [&kept, &dropped, &gone] {
        stacks.push((stack.clone(), create(&aws, stack).await));
    }
    remember(&store, &backend, &stacks).await;
    aws.cloudformation(&gone.target).delete_stack(&gone.stack_name, "deletion", &[]).await.unwrap();
    while aws.cloudformation(&gone.target).describe_stack(&gone.stack_name).await.unwrap().is_some_and(|stack| {
        assert_ne!(stack.status, StackStatus::DeleteFailed);
        stack.status != StackStatus::DeleteComplete
    }) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let environment = backend.environment();
    let mut facts = observe::look(&aws, &store, &environment, std::slice::from_ref(&kept)).await.unwrap();
    assert_eq!(facts.deployed.keys().collect::<Vec<_>>(), ["dropped", "kept"]);
    let state = facts.state.unwrap().state;
    let again = observe::deployed(&aws, &environment, std::slice::from_ref(&kept), Some(&state)).await.unwrap();
    assert_eq!(again, facts.deployed);

    wire.forget();
    let names = BTreeSet::from(["dropped".to_owned(), "unheard-of".to_owned()]);
    observe::fetch_templates(&aws, &mut facts.deployed, &names).await.unwrap();
    observe::fetch_templates(&aws, &mut facts.deployed, &names).await.unwrap();
    assert_eq!(wire.count("GetTemplate"), 1);
    assert_eq!(facts.deployed["dropped"].template.as_deref(), Some(TEMPLATE));
    assert_eq!(facts.deployed["kept"].template, None);
}

async fn somebody_elses_stack_is_refused_and_a_moved_one_too(backend: Backend) {
    let (aws, _) = backend.connect().await;
    let (store, _) = backend.somebody().await;
    let environment = backend.environment();
    let wanted = rendered(&backend, "queue");
    let mut foreign = wanted.clone();
    foreign.tags = BTreeMap::from([("ManagedBy".to_owned(), "terraform".to_owned())]);
    let made = create(&aws, &foreign).await;
    let look = async || observe::look(&aws, &store, &environment, std::slice::from_ref(&wanted)).await;
    let error = look().await.unwrap_err();
    assert_eq!(error.kind, Kind::Configuration);
    insta::with_settings!({filters => [(r"made \S+:", "made TIME:")]}, {
        insta::allow_duplicates! { insta::assert_snapshot!(crate::support::shown(&error), @r"
        Configuration: stack `shop-dev-queue` exists already and belongs to somebody else
          `shop-dev-queue` in us-east-1, made TIME: ManagedBy=terraform, no Project, no Environment
          a stack of this environment carries the tags ManagedBy=infra, Project=shop, Environment=dev
        hint: choose another `project` or another name for the stack; infra does not touch what it did not make
        ") }
    });
    // Once it is remembered under its id, a tag that somebody changed at the console makes it nobody else's.
    remember(&store, &backend, &[(wanted.clone(), made)]).await;
    assert_eq!(look().await.unwrap().deployed.len(), 1);

    let mut moved = wanted.clone();
    moved.target.region = "eu-west-1".to_owned();
    let error = observe::look(&aws, &store, &environment, &[moved]).await.unwrap_err();
    assert!(error.message.ends_with(&format!(
        "is in us-east-1 of account {0} and wanted in eu-west-1 of account {0}",
        environment.account
    )));
}
