//! `plan --offline`: the same answer as online, from what this machine remembers.

use crate::on_every_server;
use crate::support::cli::Run;
use crate::support::project::Project;
use crate::support::project::Server;
use crate::support::small::small;

on_every_server!(an_offline_plan_is_the_online_one, a_copy_that_cannot_be_kept_stops_nothing,);

/// Neither credentials nor an endpoint, and no way to either.
fn without_aws(project: &Project, args: &[&str]) -> Run {
    let unreachable = "http://127.0.0.1:9";
    Run::new(args).current_dir(project.path()).env("AWS_ENDPOINT_URL", unreachable).env("HTTPS_PROXY", unreachable)
}

fn edit(project: &Project, from: &str, to: &str) {
    let text = project.read("environments/dev.yaml");
    assert!(text.contains(from), "{text}");
    project.write("environments/dev.yaml", &text.replace(from, to));
}

fn an_offline_plan_is_the_online_one(server: Server) {
    const PLAN: &[&str] = &["plan", "--env", "dev"];
    const OFFLINE: &[&str] = &["plan", "--env", "dev", "--offline"];
    let project = small(server);
    let none = without_aws(&project, OFFLINE).expect(1);
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains("has no copy of the state of small/dev"), "{}", none.stderr);
    assert!(none.stderr.contains("`infra plan --env dev` or an apply"), "it says what makes one: {}", none.stderr);

    let first = project.infra(PLAN).expect(0).stdout;
    let offline = without_aws(&project, OFFLINE).expect(0);
    assert_eq!(offline.stdout, first, "before the first apply");
    assert!(offline.stderr.contains("where nothing had been applied"), "{}", offline.stderr);

    project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
    let serial = &project.infra(&["history", "--env", "dev", "-n", "1", "--format", "json"]).expect(0).json()[0];
    let unchanged = without_aws(&project, &[OFFLINE, &["--detailed-exitcode"]].concat()).expect(0);
    let note = format!("offline: against serial {}, saved 20", serial["serial"]);
    assert!(unchanged.stderr.starts_with(&note), "{}", unchanged.stderr);

    // A value that flows on, a template that changes, a stack that goes: before any online plan has looked.
    edit(&project, "value: one", "value: two");
    edit(&project, "  beside: {template: parameter, inputs: {value: alone}}\n", "");
    let template =
        project.read("templates/follower.yaml").replace("Type: String\n      Value", "Type: StringList\n      Value");
    project.write("templates/follower.yaml", &template);
    let offline = without_aws(&project, OFFLINE).expect(0).stdout;
    assert!(offline.contains("StringList") && offline.contains("\"two\""), "{offline}");
    assert_eq!(offline, project.infra(PLAN).expect(0).stdout);
    without_aws(&project, &[OFFLINE, &["--detailed-exitcode"]].concat()).expect(2);
    without_aws(&project, &[OFFLINE, &["-o", "plan.json"]].concat()).expect(64);

    project.infra(&["destroy", "--env", "dev", "--yes"]).expect(0);
    assert_eq!(without_aws(&project, OFFLINE).expect(0).stdout, project.infra(PLAN).expect(0).stdout, "all is gone");
}

fn a_copy_that_cannot_be_kept_stops_nothing(server: Server) {
    let project = small(server);
    project.write(".infra", "a file where the folder would be");
    let ran = project.infra(&["plan", "--env", "dev"]).expect(0);
    assert!(ran.stderr.contains("no copy of the state was kept for `plan --offline`"), "{}", ran.stderr);
    let ran = project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
    assert!(ran.stdout.contains("Applied"), "{}", ran.stdout);
}
