//! The embedded AWS as a newcomer meets it: no credentials, no network, a fresh folder.

use crate::support::cli::Run;
use crate::support::project::Project;
use crate::support::storefront::clone;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

/// A project of one stack, quick to apply.
fn small() -> Project {
    let project = Project::offline();
    crate::support::small::files(&project);
    let file = project.read("environments/dev.yaml");
    project.write("environments/local.yaml", &format!("{file}local: {{speed: 3600}}\n"));
    project
}

#[test]
fn the_first_command_brings_the_whole_system_up() {
    let project = clone();
    // Without a builder, and without anything else.
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "local"]].concat()).env("PATH", "/nonexistent");
    let began = Instant::now();
    let applied = infra(&["apply"]).expect(0);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(120), "{took:?}");
    assert!(applied.stderr.contains("the local AWS is new: making bucket infra-state-000000000000-us-east-1"));
    assert!(applied.stderr.contains("To try next:"), "{}", applied.stderr);
    assert!(applied.stderr.contains("apps/example-image.tar stands in"), "{}", applied.stderr);
    assert!(
        applied.stderr.contains("image fastapi-a: sha256:") && applied.stderr.contains("pushed"),
        "{}",
        applied.stderr
    );
    assert!(applied.stderr.contains("files of site: ") && applied.stderr.contains(" uploaded ("), "{}", applied.stderr);
    let outputs = applied.stdout.split("Applied in").nth(1).expect("a headline");
    assert!(outputs.contains("site.Url") && outputs.contains("alb.Url"), "it ends with where to look: {outputs}");

    let plan = infra(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(plan.stdout.contains("No changes. storefront/local matches its configuration."), "{}", plan.stdout);
    assert_eq!(infra(&["status", "--format", "json"]).expect(0).json()["stacks"].as_array().map(Vec::len), Some(17));
    infra(&["history"]).expect(0);
    infra(&["lock", "show"]).expect(0);
    // What is about images finds them in the same AWS, and asks no other environment.
    let pushed = infra(&["image", "push", "fastapi-a"]).expect(0);
    assert!(pushed.stdout.contains("nothing: the repository had it"), "{}", pushed.stdout);
    let listed = infra(&["image", "list"]).expect(0);
    assert!(listed.stdout.contains("storefront/local/fastapi-b") && listed.stderr.is_empty(), "{}", listed.whole());
    infra(&["image", "prune", "--yes"]).expect(0);
    infra(&["destroy"]).expect(0);
    // Git never sees any of it.
    assert_eq!(project.read(".infra/.gitignore"), "*\n");
}

#[test]
fn what_it_holds_outlives_the_command_and_reset_ends_it() {
    let project = small();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "local"]].concat());
    infra(&["apply"]).expect(0);
    assert_eq!(infra(&["outputs", "third.Value"]).expect(0).stdout, "one-second-third\n");
    let before = infra(&["history", "--format", "json"]).expect(0).json();
    project
        .write("environments/local.yaml", &project.read("environments/local.yaml").replace("value: one", "value: two"));
    infra(&["apply"]).expect(0);
    infra(&["rollback", "--to", &before[0]["serial"].to_string()]).expect(0);
    assert_eq!(infra(&["outputs", "first.Value"]).expect(0).stdout, "one\n");

    let kept = project.infra(&["local", "reset"]).expect(1);
    assert!(kept.stderr.contains("infra local reset --yes"), "nobody can be asked: {}", kept.stderr);
    project.infra(&["local", "reset", "--yes"]).expect(0);
    assert_eq!(infra(&["outputs"]).expect(0).stdout, "No outputs.\n");
    let nothing = project.infra(&["local", "reset", "--yes"]).expect(0);
    assert!(nothing.stderr.contains("is gone"), "the command before had made it anew: {}", nothing.stderr);
}

#[test]
fn the_surroundings_do_not_count_and_a_profile_is_refused() {
    let project = small();
    let surrounded = |args: &[&str]| -> Run {
        project
            .infra(args)
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
            .env("AWS_PROFILE", "nobody")
            .env("AWS_ACCESS_KEY_ID", "444455556666")
            .env("AWS_SECRET_ACCESS_KEY", "x")
    };
    surrounded(&["plan", "--env", "local"]).expect(0);
    let refused = surrounded(&["plan", "--env", "local", "--profile", "prod"]).expect(64);
    assert!(refused.stderr.contains("environment `local` is local and takes no --profile"), "{}", refused.stderr);
}

#[test]
fn while_it_is_served_commands_go_to_the_port() {
    let project = small();
    let mut server = project.infra(&["local", "serve", "--port", "0", "--env", "local"]).spawn();
    let mut said = BufReader::new(server.stdout.take().expect("its output")).lines();
    let first = said.next().expect("a line").expect("text");
    let url = first.strip_prefix("export AWS_ENDPOINT_URL=").expect("the address first").to_owned();

    project.infra(&["apply", "--env", "local"]).expect(0);
    // Somebody else's client, at the announced address, sees the same stacks.
    let script = format!(
        "import boto3\nc = boto3.client('cloudformation', endpoint_url='{url}', region_name='us-east-1',\n    \
         aws_access_key_id='111122223333', aws_secret_access_key='x')\n\
         print(sorted(s['StackName'] for s in c.describe_stacks()['Stacks']))"
    );
    let output = Command::new(crate::support::venv::program("python")).args(["-c", &script]).output().expect("python");
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(names.contains("small-local-first") && names.contains("infra-bootstrap"), "{output:?}");
    let second = project.infra(&["local", "serve", "--port", "0"]).expect(3);
    assert!(second.stderr.contains("is served already, at http://127.0.0.1:"), "{}", second.stderr);
    project.infra(&["local", "reset", "--yes"]).expect(3);

    let kill = Command::new("kill").args(["-INT", &server.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    assert_eq!(server.wait().expect("it ends").code(), Some(0), "Ctrl-C is how it ends");
    assert!(!project.path().join(".infra/local.address").exists());
    // What was made over the port is there without it.
    project.infra(&["plan", "--env", "local", "--detailed-exitcode"]).expect(0);
}

#[test]
fn an_apply_that_was_killed_is_carried_on() {
    let project = small();
    project.write("environments/local.yaml", &project.read("environments/local.yaml").replace("3600", "10"));
    let mut run = project.infra(&["apply", "--env", "local"]).spawn();
    std::thread::sleep(Duration::from_millis(1500));
    run.kill().expect("it runs");
    run.wait().expect("it is dead");
    project.infra(&["apply", "--env", "local", "--lock-timeout", "60s"]).expect(0);
    project.infra(&["plan", "--env", "local", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_rehearsal_shows_order_duration_and_critical_path() {
    let project = clone();
    let began = Instant::now();
    let shown = project.infra(&["rehearse", "--env", "prod"]).expect(0);
    assert!(began.elapsed() < Duration::from_secs(60), "minutes pass in virtual time: {:?}", began.elapsed());
    assert!(shown.stdout.contains("rehearsed on an empty account"), "{}", shown.stdout);
    assert!(shown.stdout.contains("* Critical path, ") && shown.stdout.contains("Makespan "), "{}", shown.stdout);
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
    assert!(!project.path().join(".infra").exists(), "it leaves no trace");

    let document = project.infra(&["rehearse", "--env", "prod", "--format", "json"]).expect(0).json();
    let again = project.infra(&["rehearse", "--env", "prod", "--format", "json"]).expect(0).json();
    assert_eq!(document["stacks"], again["stacks"], "the same seed, the same rehearsal");
    let of = |name: &str| -> &Value {
        document["stacks"].as_array().and_then(|all| all.iter().find(|act| act["stack"] == name)).expect(name)
    };
    let end = |name: &str| {
        of(name)["began_seconds"].as_f64().unwrap_or(0.0) + of(name)["took_seconds"].as_f64().unwrap_or(0.0)
    };
    assert!(of("fastapi-a")["began_seconds"].as_f64() >= Some(end("alb")), "{document:#}");
    let makespan = document["makespan_seconds"].as_f64().expect("a number");
    assert!((300.0..3600.0).contains(&makespan), "{makespan}");
    let alone =
        project.infra(&["rehearse", "--env", "prod", "--format", "json", "--concurrency", "1"]).expect(0).json();
    assert!(alone["makespan_seconds"].as_f64() > Some(makespan * 1.5), "one after the other takes longer");
}

#[test]
fn a_rehearsed_failure_says_what_stays_and_what_to_type() {
    let project = clone();
    let failed = project.infra(&["rehearse", "--env", "prod", "--fail", "alb.LoadBalancer=No more of them."]).expect(1);
    for part in
        ["create FAILS", "No more of them.", "skipped", "fastapi-a", "ROLLBACK_COMPLETE", "infra apply --env prod"]
    {
        assert!(failed.stdout.contains(part), "{part}:\n{}", failed.stdout);
    }
    let wrong = project.infra(&["rehearse", "--env", "prod", "--fail", "alb.LoadBalancr"]).expect(64);
    assert!(wrong.stderr.contains("did you mean `alb.LoadBalancer`?"), "{}", wrong.stderr);
    project.infra(&["rehearse", "--env", "prod", "--fail", "alb"]).expect(64);
}

/// What is rehearsed is the difference to the last known state.
#[test]
fn a_rehearsal_begins_with_what_is_known() {
    let project = small();
    project.infra(&["apply", "--env", "local"]).expect(0);
    let nothing = project.infra(&["rehearse", "--env", "local"]).expect(0);
    assert!(
        nothing.stdout.contains("on a copy of serial 4") && nothing.stdout.contains("Nothing to do"),
        "{}",
        nothing.stdout
    );
    project
        .write("environments/local.yaml", &project.read("environments/local.yaml").replace("value: one", "value: two"));
    let change = project.infra(&["rehearse", "--env", "local", "--format", "json"]).expect(0).json();
    let touched: Vec<_> = change["stacks"].as_array().expect("stacks").iter().map(|act| &act["stack"]).collect();
    assert_eq!(touched, ["first", "second", "third"], "what follows from it too");
    let failed = project.infra(&["rehearse", "--env", "local", "--fail", "second.Parameter"]).expect(1);
    assert!(failed.stdout.contains("UPDATE_ROLLBACK_COMPLETE"), "{}", failed.stdout);
    // And nothing of it happened.
    assert_eq!(project.infra(&["outputs", "--env", "local", "first.Value"]).expect(0).stdout, "one\n");
}
