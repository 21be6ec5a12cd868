//! Two runs never work on one environment at once.

use crate::on_every_server;
use crate::support::project::Server;
use crate::support::proxy::{Proxy, Verdict};
use crate::support::small::small;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

on_every_server!(the_second_run_says_who_works_and_may_wait,);

/// Opens once; who waits at it goes on then.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) {
        let open = self.open.lock().expect("no panic under the lock");
        let _unused = self.opened.wait_timeout_while(open, Duration::from_secs(60), |open| !*open).expect("no panic");
    }

    fn open(&self) {
        *self.open.lock().expect("no panic under the lock") = true;
        self.opened.notify_all();
    }
}

fn the_second_run_says_who_works_and_may_wait(server: Server) {
    let project = small(server);
    let account = project.account.clone().expect("an account");
    let (reached, gate) = (Arc::new(AtomicBool::new(false)), Arc::new(Gate::default()));
    let proxy = Proxy::before(&account.endpoint, {
        let (reached, gate) = (reached.clone(), gate.clone());
        move |request| {
            if request.operation == "ExecuteChangeSet" {
                reached.store(true, Ordering::SeqCst);
                gate.wait();
            }
            Verdict::Pass
        }
    });
    let apply = ["apply", "--env", "dev", "--yes"];
    let first = project.infra(&apply).env("AWS_ENDPOINT_URL", &proxy.endpoint).spawn();
    while !reached.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(20));
    }

    let refused = project.infra(&apply).expect(3);
    assert!(refused.stderr.contains("small/dev"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--lock-timeout"), "it says how to wait: {}", refused.stderr);
    let shown = project.infra(&["lock", "show", "--env", "dev"]).expect(0);
    assert!(shown.stdout.contains("apply"), "{}", shown.stdout);
    // Reading needs no lock.
    project.infra(&["plan", "--env", "dev"]).expect(0);

    let patient = project.infra(&["apply", "--env", "dev", "--yes", "--lock-timeout", "60s"]).spawn();
    std::thread::sleep(Duration::from_millis(500));
    gate.open();
    let first = first.wait_with_output().expect("it ends");
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    let patient = patient.wait_with_output().expect("it ends");
    assert_eq!(patient.status.code(), Some(0), "{}", String::from_utf8_lossy(&patient.stderr));
    assert!(String::from_utf8_lossy(&patient.stdout).contains("No changes."));
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
}
