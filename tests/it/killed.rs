//! Nothing is lost: an apply that is killed at any request, before or after the request's effect, is carried on by the
//! next one, which takes the dead run's lock over when its lease has ended.

use crate::on_every_server;
use crate::support::project::Project;
use crate::support::project::Server;
use crate::support::proxy::{Proxy, Verdict};
use crate::support::small::{files, small};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

on_every_server!(an_apply_that_was_killed_anywhere_is_carried_on,);

const APPLY: [&str; 4] = ["apply", "--env", "dev", "--yes"];

/// Starts an apply, kills it with SIGKILL at its `nth` request, and lets the next one finish.
fn killed_at(server: Server, nth: usize, after_effect: bool) {
    let project: Project = small(server);
    let account = project.account.clone().expect("an account");
    let dead = Arc::new(AtomicBool::new(false));
    let proxy = Proxy::before(&account.endpoint, {
        let dead = dead.clone();
        move |request| match request.number.cmp(&nth) {
            std::cmp::Ordering::Less => Verdict::Pass,
            std::cmp::Ordering::Equal if after_effect => {
                dead.store(true, Ordering::SeqCst);
                Verdict::DropAnswer
            }
            _ => {
                dead.store(true, Ordering::SeqCst);
                Verdict::Drop
            }
        }
    });
    let mut run = project.infra(&APPLY).env("AWS_ENDPOINT_URL", &proxy.endpoint).spawn();
    while !dead.load(Ordering::SeqCst) {
        if run.try_wait().expect("its state").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // What `after_effect` promised has to have happened before the process is gone.
    std::thread::sleep(Duration::from_millis(if after_effect { 100 } else { 0 }));
    let _gone_already = run.kill();
    run.wait().expect("it is dead");

    let operation = proxy.seen().get(nth - 1).map_or("the end".to_owned(), |request| request.operation.clone());
    let next = project.infra(&["apply", "--env", "dev", "--yes", "--lock-timeout", "60s"]).run();
    assert_eq!(next.code, Some(0), "killed at request {nth} ({operation}):\n{}{}", next.stdout, next.stderr);
    let plan = project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).run();
    assert_eq!(plan.code, Some(0), "killed at request {nth} ({operation}):\n{}{}", plan.stdout, plan.stderr);
}

fn an_apply_that_was_killed_anywhere_is_carried_on(server: Server) {
    let project = Project::on_server(server);
    files(&project);
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    let proxy = Proxy::before(&project.account.clone().expect("an account").endpoint, |_| Verdict::Pass);
    project.infra(&APPLY).env("AWS_ENDPOINT_URL", &proxy.endpoint).expect(0);
    let requests = proxy.seen().len();
    assert!(requests > 10, "an apply of four stacks makes more than {requests} requests");

    let points: Vec<(usize, bool)> = (1..=requests).flat_map(|nth| [(nth, false), (nth, true)]).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((nth, after_effect)) = points.get(next.fetch_add(1, Ordering::SeqCst)) {
                    killed_at(server, *nth, *after_effect);
                }
            });
        }
    });
}
