//! The verbs that change something, as people and pipelines call them: approval, saved plans, streams, signals.

use crate::on_every_server;
use crate::support::project::Server;
use crate::support::proxy::{Proxy, Verdict};
use crate::support::small::small;
use crate::support::{project::Project, root, schema_errors, venv};
use serde_json::Value;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

on_every_server!(
    without_a_terminal_nothing_is_approved,
    plans_and_events_are_as_their_schemas_say,
    a_saved_plan_is_applied_once_and_refused_when_stale,
    the_way_back_and_the_way_out,
    a_failure_is_reported_root_cause_first,
    the_first_signal_finishes_what_runs,
    the_second_signal_leaves_it_standing,
    waiting_for_the_lock_can_be_interrupted,
    on_a_terminal_only_yes_is_a_yes,
);

fn without_a_terminal_nothing_is_approved(server: Server) {
    let project = small(server);
    for (verb, args) in [("apply", &["apply", "--env", "dev"][..]), ("destroy", &["destroy", "--env", "dev"])] {
        if verb == "destroy" {
            project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
        }
        let ran = project.infra(args).expect(1);
        assert!(ran.stdout.contains("Plan: "), "it shows what it would do: {}", ran.stdout);
        assert!(ran.stderr.contains(&format!("infra {verb} --yes --env dev")), "and how: {}", ran.stderr);
    }
    let lock = project.infra(&["lock", "show", "--env", "dev"]).expect(0);
    assert_eq!(lock.stdout, "Nobody holds the lock of small/dev.\n");
}

fn plans_and_events_are_as_their_schemas_say(server: Server) {
    let project = small(server);
    let plan = project.infra(&["plan", "--env", "dev", "--format", "json"]).expect(0).json();
    assert_eq!(schema_errors("plan", &plan), Vec::<String>::new());
    let run = project.infra(&["apply", "--env", "dev", "--yes", "--format", "json"]).expect(0);
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in &lines {
        assert_eq!(schema_errors("events", line), Vec::<String>::new(), "{line}");
    }
    let types: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!((types.first(), types.last()), (Some(&"version"), Some(&"run_finished")));
    assert_eq!(types.iter().filter(|kind| **kind == "stack_finished").count(), 4);
    assert!(types.contains(&"plan") && types.contains(&"resource"), "{types:?}");
    assert_eq!(run.stderr, "");
    let unchanged = project.infra(&["plan", "--env", "dev", "--format", "json"]).expect(0).json();
    assert_eq!(schema_errors("plan", &unchanged), Vec::<String>::new());
    assert_eq!(unchanged["summary"]["stacks"], 0);
}

fn a_saved_plan_is_applied_once_and_refused_when_stale(server: Server) {
    let project = small(server);
    project.infra(&["plan", "--env", "dev", "-o", "plan.json"]).expect(0);
    let saved: Value = serde_json::from_str(&project.read("plan.json")).expect("JSON");
    assert_eq!(schema_errors("plan", &saved), Vec::<String>::new());
    // What the files say meanwhile does not matter: the plan is what was approved.
    project.write("environments/dev.yaml", &project.read("environments/dev.yaml").replace("value: one", "value: two"));
    let other = project.infra(&["apply", "plan.json", "--env", "prod", "--yes"]).expect(64);
    assert!(other.stderr.contains("the plan is of environment `dev`"), "{}", other.stderr);
    project.infra(&["apply", "plan.json", "--yes"]).expect(0);
    assert_eq!(project.infra(&["outputs", "--env", "dev", "first.Value"]).expect(0).stdout, "one\n");

    let stale = project.infra(&["apply", "plan.json", "--yes"]).expect(1);
    assert!(stale.stderr.contains("does not match small/dev any more"), "{}", stale.stderr);
    assert!(stale.stderr.contains("since then: `apply` by arn:aws:"), "it says who: {}", stale.stderr);
    project.write("plan.json", "{}");
    let broken = project.infra(&["apply", "plan.json", "--yes"]).expect(1);
    assert!(broken.stderr.contains("no saved plan"), "{}", broken.stderr);
}

fn the_way_back_and_the_way_out(server: Server) {
    let project = small(server);
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    infra(&["apply", "--yes"]).expect(0);
    let history = infra(&["history", "--format", "json"]).expect(0).json();
    let serial = history[0]["serial"].to_string();
    project.write("environments/dev.yaml", &project.read("environments/dev.yaml").replace("value: one", "value: two"));
    infra(&["apply", "--yes"]).expect(0);
    assert_eq!(infra(&["outputs", "first.Value"]).expect(0).stdout, "two\n");
    infra(&["rollback", "--to", &serial, "--yes"]).expect(0);
    assert_eq!(infra(&["outputs", "first.Value"]).expect(0).stdout, "one\n");
    let history = infra(&["history", "-n", "1"]).expect(0).stdout;
    assert!(history.contains(&format!("rollback to {serial}")), "{history}");
    infra(&["rollback", "--to", "999", "--yes"]).expect(1);

    let status = infra(&["status", "--format", "json"]).expect(0).json();
    assert_eq!(status["stacks"].as_array().map(Vec::len), Some(4));
    let destroyed = infra(&["destroy", "--yes", "--format", "markdown"]).expect(0);
    assert!(destroyed.stdout.contains("| `third` | done |"), "{}", destroyed.stdout);
    assert_eq!(infra(&["destroy", "--yes"]).expect(0).stdout, "Nothing to destroy.\n");
    assert_eq!(infra(&["outputs"]).expect(0).stdout, "No outputs.\n");
}

fn a_failure_is_reported_root_cause_first(server: Server) {
    let project = small(server);
    let template = project.read("templates/follower.yaml");
    project.write(
        "templates/follower.yaml",
        &template.replace(
            "!Sub \"${Source}-{{ stack }}\"",
            "!Join [\"-\", [!Ref Source, !ImportValue nobody-exports-this]]",
        ),
    );
    let ran = project.infra(&["apply", "--env", "dev", "--yes"]).expect(1);
    let report = ran.stderr.split_once("\n\n").expect("a report after the log").1;
    assert!(report.starts_with("second failed: "), "{report}");
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("nobody-exports-this"), "CloudFormation's words: {report}");
    let ending: Vec<&str> = report.lines().skip_while(|line| !line.is_empty()).skip(1).collect();
    let done = ending[0].strip_prefix("done        ").expect("what stands");
    assert!(["first, beside", "beside, first"].contains(&done), "{done}");
    assert_eq!(ending[1], "skipped     third, because of second");
    assert!(ending[2].starts_with("next        ") && ending[2].ends_with("infra apply --env dev"), "{ending:?}");
    assert_eq!(ran.stdout.matches("Applied").count(), 0);

    let markdown = project.infra(&["apply", "--env", "dev", "--yes", "--format", "markdown"]).expect(1);
    assert!(markdown.stdout.contains("| `third` | skipped because of second |"), "{}", markdown.stdout);
    project.write("templates/follower.yaml", &template);
    project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
}

/// An apply that stands still while it executes its first change set, until the gate opens.
struct Held {
    project: Project,
    run: Option<Child>,
    open: Arc<AtomicBool>,
    stderr: Arc<Mutex<String>>,
}

impl Held {
    fn start(server: Server) -> Held {
        let project = small(server);
        let account = project.account.clone().expect("an account");
        let (open, reached) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let proxy = Proxy::before(&account.endpoint, {
            let (open, reached) = (open.clone(), reached.clone());
            move |request| {
                if request.operation == "ExecuteChangeSet" {
                    reached.store(true, Ordering::SeqCst);
                    wait_for(|| open.load(Ordering::SeqCst));
                }
                Verdict::Pass
            }
        });
        let apply = ["apply", "--env", "dev", "--yes", "--concurrency", "1"];
        let mut run = project.infra(&apply).env("AWS_ENDPOINT_URL", &proxy.endpoint).spawn();
        wait_for(|| reached.load(Ordering::SeqCst));
        let stderr = Arc::new(Mutex::new(String::new()));
        let (mut pipe, text) = (run.stderr.take().expect("it is piped"), stderr.clone());
        std::thread::spawn(move || {
            use std::io::Read;
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                let more = String::from_utf8_lossy(&buffer[..read]);
                text.lock().unwrap_or_else(PoisonError::into_inner).push_str(&more);
            }
        });
        Held { project, run: Some(run), open, stderr }
    }

    fn signal(&self, name: &str) {
        let id = self.run.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill can be started");
        assert!(sent.success());
    }

    fn says(&self, what: &str) -> bool {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).contains(what)
    }

    fn end(&mut self) -> (Output, String) {
        let output = self.run.take().expect("it runs").wait_with_output().expect("it ends");
        wait_for(|| self.says("\nnext "));
        (output, self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

#[track_caller]
fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn the_first_signal_finishes_what_runs(server: Server) {
    let mut held = Held::start(server);
    held.signal("INT");
    wait_for(|| held.says("nothing new is started; waiting for "));
    held.open.store(true, Ordering::SeqCst);
    let (output, stderr) = held.end();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("next        infra apply --env dev"), "{stderr}");
    let lock = held.project.infra(&["lock", "show", "--env", "dev"]).expect(0);
    assert_eq!(lock.stdout, "Nobody holds the lock of small/dev.\n");
    // What ran was recorded; what did not is still to do.
    let plan = held.project.infra(&["plan", "--env", "dev"]).expect(0);
    assert!(plan.stdout.contains("in 3 stacks."), "{}", plan.stdout);
    held.project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
}

fn the_second_signal_leaves_it_standing(server: Server) {
    let mut held = Held::start(server);
    held.signal("TERM");
    wait_for(|| held.says("interrupt again to stop waiting"));
    held.signal("TERM");
    let (output, stderr) = held.end();
    held.open.store(true, Ordering::SeqCst);
    assert_eq!(output.status.code(), Some(143), "{stderr}");
    assert!(stderr.contains("CloudFormation goes on by itself"), "{stderr}");
    assert!(stderr.contains("next        infra apply --env dev"), "{stderr}");
    held.project.infra(&["apply", "--env", "dev", "--yes", "--lock-timeout", "60s"]).expect(0);
}

fn waiting_for_the_lock_can_be_interrupted(server: Server) {
    let mut held = Held::start(server);
    let wait = ["apply", "--env", "dev", "--yes", "--lock-timeout", "60s"];
    let second = held.project.infra(&wait).spawn();
    std::thread::sleep(Duration::from_secs(1));
    let sent = Command::new("kill").args(["-INT", &second.id().to_string()]).status().expect("kill can be started");
    assert!(sent.success());
    let output = second.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the lock is held by arn:aws:"), "{stderr}");
    assert!(stderr.contains("interrupted; nothing was changed"), "{stderr}");
    // The holder notices nothing.
    held.open.store(true, Ordering::SeqCst);
    let output = held.run.take().expect("it runs").wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
}

/// What a terminal shows of a run, and its exit code.
fn on_a_terminal(project: &Project, answer: &str, args: &[&str]) -> (String, Option<i32>) {
    let account = project.account.clone().expect("an account");
    let output = Command::new(venv::program("python"))
        .arg(root().join("tests/it/terminal.py"))
        .args([answer, env!("CARGO_BIN_EXE_infra")])
        .args(args)
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TERM", "xterm-256color")
        .env("AWS_ENDPOINT_URL", &account.endpoint)
        .env("AWS_ACCESS_KEY_ID", &account.id)
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output()
        .expect("python starts");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

fn on_a_terminal_only_yes_is_a_yes(server: Server) {
    let project = small(server);
    let apply = ["apply", "--env", "dev"];
    for no in ["", "y", "no", "YES"] {
        let (shown, code) = on_a_terminal(&project, no, &apply);
        assert_eq!(code, Some(1), "{no}: {shown}");
        assert!(shown.contains("not approved; nothing was changed"), "{shown}");
    }
    let (shown, code) = on_a_terminal(&project, "^C", &apply);
    assert_eq!(code, Some(130), "{shown}");
    let (shown, code) = on_a_terminal(&project, "yes", &apply);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\u{1b}["), "a terminal has colours: {shown}");
    assert!(shown.contains("Applied in "), "{shown}");
    assert_eq!(on_a_terminal(&project, "yes", &["plan", "--env", "dev", "--detailed-exitcode"]).1, Some(0));
}
