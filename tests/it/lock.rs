//! The lock's contract: one holder at a time, whatever breaks; a dead one blocks nobody for longer than a lease.

#![allow(clippy::unwrap_used)] // contracts are tests

use crate::on_every_backend;
use crate::support::backend::Backend;
use crate::support::wire::{Fault, Sent};
use futures::future::join_all;
use infra::aws::{Condition, Item, ItemValue, Write};
use infra::error::{Error, Kind};
use infra::model::Written;
use infra::state::{LockProgress, LockRequest, LockedState};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{Instant, sleep};

on_every_backend!(
    of_many_who_come_at_once_one_gets_it,
    who_waits_gets_it_when_it_is_given_back,
    a_live_holder_is_waited_for_and_then_left_alone,
    a_killed_holder_is_succeeded_after_its_lease_whatever_the_clocks_say,
    denied_is_not_held,
    a_lost_answer_is_looked_up,
    beats_whose_answers_are_lost_count,
    a_short_disturbance_is_outlived,
    who_cannot_beat_stops_before_anyone_takes_over,
    a_broken_lock_is_noticed_and_only_its_id_breaks_it,
    what_is_given_back_is_gone,
    a_foreign_item_is_left_alone,
);

fn written() -> Written {
    Written {
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        by: "arn:aws:iam::111122223333:user/alice".to_owned(),
        host: "laptop".to_owned(),
        version: "0.1.0".to_owned(),
        operation: "apply".to_owned(),
        git_commit: None,
        pipeline_url: None,
    }
}

fn patient(request: LockRequest, timeout: Duration) -> LockRequest {
    LockRequest { timeout, ..request }
}

fn kind(result: Result<LockedState, Error>) -> Kind {
    match result {
        Ok(_) => panic!("the lock was had"),
        Err(error) => error.kind,
    }
}

async fn of_many_who_come_at_once_one_gets_it(backend: Backend) {
    let comers = (0..6).map(|n| {
        let backend = &backend;
        async move {
            let (store, _) = backend.somebody().await;
            store.lock(backend.request(&format!("user{n}")), |_| {}).await
        }
    });
    let (held, refused): (Vec<_>, Vec<_>) = join_all(comers).await.into_iter().partition(|result| result.is_ok());
    assert_eq!(held.len(), 1);
    let holder = held.into_iter().next().unwrap().unwrap();
    for error in refused.into_iter().map(|result| result.err().unwrap()) {
        assert_eq!(error.kind, Kind::LockHeld, "{error:?}");
        assert!(error.details.iter().any(|detail| detail.contains(holder.lock_id())), "{error:?}");
    }
    holder.signal().ensure().unwrap();
}

async fn who_waits_gets_it_when_it_is_given_back(backend: Backend) {
    let (alice, _) = backend.somebody().await;
    let (bob, _) = backend.somebody().await;
    let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
    let names = Mutex::new(Vec::new());
    let heard = |progress| {
        if let LockProgress::Waiting { holder, .. } = progress {
            names.lock().unwrap().push(holder.who);
        }
    };
    let waiting = bob.lock(patient(backend.request("bob"), 5 * backend.lease), heard);
    let giving_back = async {
        sleep(2 * backend.lease).await;
        held.release().await.unwrap();
    };
    let (locked, ()) = tokio::join!(waiting, giving_back);
    locked.unwrap().release().await.unwrap();
    let names = names.into_inner().unwrap();
    assert!(!names.is_empty() && names.iter().all(|who| who.ends_with("user/alice")), "{names:?}");
}

async fn a_live_holder_is_waited_for_and_then_left_alone(backend: Backend) {
    let (alice, _) = backend.somebody().await;
    let (bob, _) = backend.somebody().await;
    let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
    let began = Instant::now();
    let refused = bob.lock(patient(backend.request("bob"), 3 * backend.lease), |_| {}).await;
    assert_eq!(kind(refused), Kind::LockHeld);
    assert!(began.elapsed() >= 3 * backend.lease);
    // Without patience it takes one beat of the holder to know that it lives.
    let began = Instant::now();
    assert_eq!(kind(bob.lock(backend.request("bob"), |_| {}).await), Kind::LockHeld);
    assert!(began.elapsed() < backend.lease, "{:?}", began.elapsed());
    held.signal().ensure().unwrap();
    held.save(written(), Vec::new()).await.unwrap();
}

async fn a_killed_holder_is_succeeded_after_its_lease_whatever_the_clocks_say(backend: Backend) {
    for hours_off in [-1, 0, 1] {
        let (alice, _) = backend.somebody().await;
        let (bob, _) = backend.somebody().await;
        let (aws, _) = backend.connect().await;
        let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
        let id = held.lock_id().to_owned();
        drop(held); // its heart stops; its item stays
        let table = aws.table(&backend.location);
        shift_clock(&table.get("shop/dev").await.unwrap().unwrap(), hours_off, &table).await;
        let began = Instant::now();
        let from = Mutex::new(None);
        let heard = |progress| {
            if let LockProgress::TakenOver { from: dead } = progress {
                *from.lock().unwrap() = Some(dead.id);
            }
        };
        let taken = bob.lock(backend.request("bob"), heard).await.unwrap();
        let waited = began.elapsed();
        assert!(waited >= backend.lease && waited < 2 * backend.lease, "{waited:?}");
        assert_eq!(from.into_inner().unwrap(), Some(id));
        taken.release().await.unwrap();
    }
}

/// As if the holder's wall clock had been so far off when it took the lock.
async fn shift_clock(item: &Item, hours: i64, table: &infra::aws::Table) {
    let ItemValue::Text(text) = &item["Info"] else { panic!("Info is text") };
    let mut info: serde_json::Value = serde_json::from_str(text).unwrap();
    let created: jiff::Timestamp = info["Created"].as_str().unwrap().parse().unwrap();
    info["Created"] = (created + jiff::SignedDuration::from_hours(hours)).to_string().into();
    let mut shifted = item.clone();
    shifted.insert("Info".to_owned(), ItemValue::Text(info.to_string()));
    let there = Condition::Equal(Item::from([("LockID".to_owned(), ItemValue::Text("shop/dev".to_owned()))]));
    assert_eq!(table.put(&shifted, &there).await.unwrap(), Write::Done);
}

async fn denied_is_not_held(backend: Backend) {
    let (alice, wire) = backend.somebody().await;
    wire.on(|sent, _| match sent.operation.as_str() {
        "PutItem" => Fault::json(400, "AccessDeniedException"),
        _ => Fault::None,
    });
    assert_eq!(kind(alice.lock(backend.request("alice"), |_| {}).await), Kind::AccessDenied);
    wire.on(|sent, _| match sent.service.as_str() {
        "dynamodb" => Fault::json(400, "ResourceNotFoundException"),
        _ => Fault::None,
    });
    assert_eq!(kind(alice.lock(backend.request("alice"), |_| {}).await), Kind::NotBootstrapped);
    // And a bucket that is not there gives the lock back that was taken to look for it.
    wire.on(|sent, _| if sent.service == "s3" { Fault::s3(404, "NoSuchBucket") } else { Fault::None });
    assert_eq!(kind(alice.lock(backend.request("alice"), |_| {}).await), Kind::NotBootstrapped);
    assert_eq!(alice.holder().await.unwrap(), None);
}

async fn a_lost_answer_is_looked_up(backend: Backend) {
    let (alice, wire) = backend.somebody().await;
    wire.on(|sent, nth| match (sent.operation.as_str(), nth) {
        ("PutItem" | "DeleteItem", 1) => Fault::CutAfterEffect,
        _ => Fault::None,
    });
    let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
    assert_eq!(alice.holder().await.unwrap().unwrap().info.id, held.lock_id());
    held.release().await.unwrap();
    assert_eq!(alice.holder().await.unwrap(), None);
    // Even if every answer is lost until the client gives up.
    wire.forget();
    wire.on(|sent, nth| if sent.operation == "PutItem" && nth <= 3 { Fault::CutAfterEffect } else { Fault::None });
    alice.lock(backend.request("alice"), |_| {}).await.unwrap().release().await.unwrap();
}

async fn beats_whose_answers_are_lost_count(backend: Backend) {
    let (alice, wire) = backend.somebody().await;
    let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
    wire.on(|sent, _| if sent.operation == "PutItem" { Fault::CutAfterEffect } else { Fault::None });
    let before = alice.holder().await.unwrap().unwrap().beat;
    sleep(3 * backend.lease).await;
    held.signal().ensure().unwrap();
    assert!(alice.holder().await.unwrap().unwrap().beat > before + 3);
}

async fn a_short_disturbance_is_outlived(backend: Backend) {
    let faults: [fn() -> Fault; 4] = [
        || Fault::json(400, "ThrottlingException"),
        || Fault::json(500, "InternalServerError"),
        || Fault::Lost,
        || Fault::Silent,
    ];
    for fault in faults {
        let (alice, wire) = backend.somebody().await;
        let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
        let over = Instant::now() + backend.lease / 2;
        wire.on(move |_, _| if Instant::now() < over { fault() } else { Fault::None });
        sleep(2 * backend.lease).await;
        held.signal().ensure().unwrap();
        held.release().await.unwrap();
    }
}

async fn who_cannot_beat_stops_before_anyone_takes_over(backend: Backend) {
    let (alice, wire) = backend.somebody().await;
    let (bob, _) = backend.somebody().await;
    let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
    wire.on(|sent: &Sent, _| if sent.service == "dynamodb" { Fault::Lost } else { Fault::None });
    let taken = bob.lock(backend.request("bob"), |_| {}).await.unwrap();
    assert!(!held.signal().is_held());
    assert_eq!(held.signal().lost().await.kind, Kind::LockLost);
    assert_eq!(held.save(written(), Vec::new()).await.unwrap_err().kind, Kind::LockLost);
    assert_eq!(taken.save(written(), Vec::new()).await.unwrap(), 1);
    wire.on(|_, _| Fault::None);
    // Giving back what is somebody else's by now takes nothing away.
    held.release().await.unwrap();
    taken.signal().ensure().unwrap();
    assert_eq!(bob.holder().await.unwrap().unwrap().info.id, taken.lock_id());
}

async fn a_broken_lock_is_noticed_and_only_its_id_breaks_it(backend: Backend) {
    let (alice, _) = backend.somebody().await;
    let (bob, _) = backend.somebody().await;
    let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
    let wrong = bob.break_lock("11111111-1111-4111-8111-111111111111").await.unwrap_err();
    assert_eq!(wrong.kind, Kind::LockHeld);
    held.signal().ensure().unwrap();
    let broken = bob.break_lock(held.lock_id()).await.unwrap();
    assert_eq!(broken.info.id, held.lock_id());
    let signal = held.signal();
    let lost = tokio::time::timeout(backend.lease, signal.lost()).await.unwrap();
    assert_eq!(lost.kind, Kind::LockLost);
    assert!(lost.message.contains("broken"), "{lost}");
    assert_eq!(held.save(written(), Vec::new()).await.unwrap_err().kind, Kind::LockLost);
    let nothing = bob.break_lock(held.lock_id()).await.unwrap_err();
    assert!(nothing.message.contains("nobody holds"), "{nothing}");
}

async fn what_is_given_back_is_gone(backend: Backend) {
    let (alice, _) = backend.somebody().await;
    let held = alice.lock(backend.request("alice"), |_| {}).await.unwrap();
    let signal = held.signal();
    held.release().await.unwrap();
    assert_eq!(alice.holder().await.unwrap(), None);
    assert_eq!(signal.ensure().unwrap_err().kind, Kind::LockLost);
    assert_eq!(held.save(written(), Vec::new()).await.unwrap_err().kind, Kind::LockLost);
    held.release().await.unwrap();
}

async fn a_foreign_item_is_left_alone(backend: Backend) {
    let (alice, _) = backend.somebody().await;
    let (aws, _) = backend.connect().await;
    let item = Item::from([
        ("LockID".to_owned(), ItemValue::Text("shop/dev".to_owned())),
        ("Digest".to_owned(), ItemValue::Text("of another tool".to_owned())),
    ]);
    let table = aws.table(&backend.location);
    table.put(&item, &Condition::Absent).await.unwrap();
    assert_eq!(kind(alice.lock(backend.request("alice"), |_| {}).await), Kind::State);
    assert_eq!(table.get("shop/dev").await.unwrap(), Some(item));
}

/// Two runs that want the lock again and again over a wire that breaks at random: there is never a moment at which both
/// believe to hold it. Each seed is another history of several hours.
#[tokio::test(start_paused = true)]
async fn never_two_holders_whatever_breaks() {
    let mut taken = 0;
    for seed in 0..4 {
        let backend = Backend::local_aws().await;
        let holders = std::sync::Arc::new(Mutex::new(Vec::new()));
        let runs = (0..3).map(|run| {
            let (backend, holders) = (&backend, holders.clone());
            async move {
                let (store, wire) = backend.somebody().await;
                let random = Mutex::new(fastrand::Rng::with_seed(seed * 10 + run));
                let bad_until = Mutex::new(Instant::now());
                wire.on(move |_, _| {
                    let mut random = random.lock().unwrap();
                    let mut bad_until = bad_until.lock().unwrap();
                    if random.u8(..) < 4 {
                        *bad_until = Instant::now() + Duration::from_secs(random.u64(1..150));
                    }
                    if Instant::now() >= *bad_until {
                        return Fault::None;
                    }
                    match random.u8(0..5) {
                        0 => Fault::Lost,
                        1 => Fault::CutAfterEffect,
                        2 => Fault::Silent,
                        3 => Fault::json(500, "InternalServerError"),
                        _ => Fault::Slow(Duration::from_secs(random.u64(0..40))),
                    }
                });
                for _ in 0..4 {
                    let request = patient(backend.request(&format!("run{run}")), Duration::from_secs(600));
                    let Ok(held) = store.lock(request, |_| {}).await else { continue };
                    holders.lock().unwrap().push(held.signal());
                    let until = Instant::now() + Duration::from_secs(200);
                    while Instant::now() < until && held.signal().is_held() {
                        let count = holders.lock().unwrap().iter().filter(|signal| signal.is_held()).count();
                        assert!(count <= 1, "{count} holders with seed {seed}");
                        sleep(Duration::from_secs(1)).await;
                    }
                    let _ = held.release().await;
                }
            }
        });
        join_all(runs).await;
        taken += holders.lock().unwrap().len();
    }
    assert!(taken > 20, "the wire broke so often that the lock was had {taken} times only");
}
