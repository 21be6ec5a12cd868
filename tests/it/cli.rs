//! The command line itself: help, wrong usage, exit codes, streams. Nothing here needs AWS.

use crate::support::cli::Run;
use crate::support::project::Project;
use std::process::Stdio;

fn infra(args: &[&str]) -> Run {
    Run::new(args)
}

#[test]
fn help_and_version_are_no_errors() {
    let version = infra(&["--version"]).expect(0);
    assert_eq!(version.stdout, format!("infra {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(version.stderr, "");
    let help = infra(&["--help"]).expect(0);
    assert!(help.stdout.starts_with("Plans and applies AWS environments") && help.stderr.is_empty());
}

#[test]
fn the_short_help_fits_a_terminal() {
    insta::assert_snapshot!(infra(&["-h"]).expect(0).stdout);
}

#[test]
fn wrong_usage_is_64_whatever_is_wrong() {
    for args in [
        &[][..],
        &["no-such-command"],
        &["outputs", "--no-such-option"],
        &["outputs", "--format", "xml"],
        &["lock", "break"],
        &["-q", "-v", "schema"],
    ] {
        let ran = infra(args).expect(64);
        assert_eq!(ran.stdout, "", "{args:?}");
        assert!(!ran.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn an_environment_must_be_named() {
    let project = Project::offline();
    for name in ["dev", "prod"] {
        project
            .write(&format!("environments/{name}.yaml"), "project: x\naccount: \"111122223333\"\nregion: us-east-1\n");
    }
    insta::assert_snapshot!(project.infra(&["outputs"]).expect(64).whole(), @r"
    ── stdout
    ── stderr
    error: no environment is named
      there are: dev, prod
    hint: name one: --env dev, or INFRA_ENV=dev
    ── exit 64
    ");
    let json = project.infra(&["outputs", "--format", "json"]).expect(64);
    let error: serde_json::Value = serde_json::from_str(&json.stderr).expect("one line of JSON");
    assert_eq!((error["kind"].as_str(), error["exit_code"].as_u64()), (Some("usage"), Some(64)));
}

#[test]
fn a_name_that_is_nearly_right_is_recognised() {
    let project = Project::offline();
    project.write("environments/prod.yaml", "project: x\naccount: \"111122223333\"\nregion: us-east-1\n");
    insta::assert_snapshot!(project.infra(&["outputs", "--env", "prd"]).expect(1).whole(), @r"
    ── stdout
    ── stderr
    error: there is no environment `prd`: environments/prd.yaml is missing
      environments/ has `prod`
    hint: did you mean `prod`?
    ── exit 1
    ");
}

#[test]
fn colours_are_wanted_or_not() {
    let project = Project::offline();
    let stderr = |args: &[&str], variable: Option<&str>| {
        let run = project.infra(args);
        variable.into_iter().fold(run, |run, name| run.env(name, "1")).run().stderr
    };
    let colored = |text: String| text.contains('\u{1b}');
    assert!(!colored(stderr(&["outputs"], None)));
    assert!(colored(stderr(&["outputs", "--color", "always"], None)));
    assert!(colored(stderr(&["outputs", "--color", "always"], Some("NO_COLOR"))));
    assert!(colored(stderr(&["outputs"], Some("CLICOLOR_FORCE"))));
    assert!(!colored(stderr(&["outputs", "--color", "never"], Some("CLICOLOR_FORCE"))));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = infra(&["docs", "cli"]).spawn();
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has /dev/full");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_infra"))
        .args(["docs", "cli"])
        .stdout(Stdio::from(full))
        .output()
        .expect("infra can be started");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"));
}

#[test]
fn completions_are_there_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = infra(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("INFRA_COMPLETE") && script.contains("infra"), "{shell}");
    }
}

#[test]
fn names_of_the_project_are_completed() {
    let project = Project::offline();
    let environment = "project: x\naccount: \"111122223333\"\nregion: us-east-1\n";
    project.write("environments/prod.yaml", &format!("{environment}stacks: {{network: {{}}}}\n"));
    project.write("environments/dev.yaml", &format!("{environment}stacks: {{dns: {{}}}}\n"));
    let complete = |words: &[&str]| {
        let index = (words.len() - 1).to_string();
        let words = [&["--"], words].concat();
        let run = project.infra(&words).env("INFRA_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index);
        run.env("_CLAP_IFS", "\n").expect(0).stdout
    };
    assert_eq!(complete(&["infra", "plan", "--env", ""]), "dev\nprod");
    assert_eq!(complete(&["infra", "plan", "--env", "p"]), "prod");
    assert_eq!(complete(&["infra", "plan", "--env", "prod", "--target", ""]), "network");
    assert_eq!(complete(&["infra", "plan", "--target", ""]), "dns\nnetwork");
    assert!(complete(&["infra", "docs", "templates", "static"]).contains("static-site"));
    assert!(complete(&["infra", "re"]).contains("rehearse"));
}

#[test]
fn files_that_are_no_environments_are_named() {
    let project = Project::offline();
    let empty = project.path().join("environments");
    std::fs::create_dir(&empty).expect("a folder");
    let none = project.infra(&["validate"]).expect(1).stderr;
    assert!(none.contains("environments/ has no environment: nothing was checked"), "{none}");
    let environment = "project: x\naccount: \"111122223333\"\nregion: us-east-1\n";
    for name in ["prod_eu.yaml", "Prod.yml", "eu/prod.yaml", "dev.yaml", "README.md", ".hidden.yaml", "old.yaml.bak"] {
        project.write(&format!("environments/{name}"), environment);
    }
    insta::assert_snapshot!(project.infra(&["validate"]).expect(0).whole());
    let missing = project.infra(&["validate", "--env", "prod"]).expect(1).stderr;
    assert!(missing.contains("call it environments/prod.yaml"), "{missing}");
}

#[test]
fn two_environments_do_not_share_a_stack() {
    let project = Project::offline();
    let environment = "project: x\naccount: \"111122223333\"\nregion: us-east-1\nstacks:\n";
    project.write("environments/prod.yaml", &format!("{environment}  eu-key: {{template: kms-key}}\n"));
    project.write("environments/prod-eu.yaml", &format!("{environment}  key: {{template: kms-key}}\n"));
    for name in ["prod", "prod-eu"] {
        let refused = project.infra(&["validate", "--env", name]).expect(1).stderr;
        assert!(refused.contains("has the same name in the account as"), "{refused}");
        assert!(refused.contains("x-prod-eu-key"), "{refused}");
    }
    project
        .write("environments/prod-eu.yaml", &format!("{environment}  key: {{template: kms-key, region: eu-west-1}}\n"));
    project.infra(&["validate"]).expect(0);
}

#[test]
fn sites_publish_nothing_but_their_folder() {
    let project = Project::offline();
    let environment = |files: &str| {
        format!(
            "project: x\naccount: \"111122223333\"\nregion: us-east-1\nlocal: {{speed: 3600}}\nstacks:\n  site:\n    \
             template: static-site\n    files: {files}\n"
        )
    };
    std::fs::create_dir(project.path().join("site")).expect("a folder");
    let refused = |files: &str| {
        project.write("environments/dev.yaml", &environment(files));
        let refused = project.infra(&["validate", "--env", "dev"]).expect(1).stderr;
        assert!(refused.contains("environments/dev.yaml:"), "{refused}");
        refused
    };
    assert!(refused("../outside").contains("`../outside` of a site lies outside of the project"));
    assert!(refused(".").contains("holds `environments`, which nobody else may read"));
    assert!(refused("..").contains("lies outside of the project"));
    #[cfg(unix)]
    {
        let pipe = project.path().join("site/pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        assert!(refused("site").contains("pipe is neither file nor folder"));
        std::fs::remove_file(pipe).expect("it is there");
    }
    project.write("environments/dev.yaml", &environment("site"));
    project.infra(&["validate", "--env", "dev"]).expect(0);
}

#[test]
fn the_manual_page_is_roff_that_man_accepts() {
    let page = infra(&["docs", "man"]).expect(0).stdout;
    assert!(page.contains(".TH infra 1") && page.contains(".SH \"INFRA LOCK BREAK\""), "{page}");
}

#[test]
fn a_type_is_explained_or_corrected() {
    let log_group = infra(&["explain", "AWS::Logs::LogGroup"]).expect(0).stdout;
    assert!(log_group.contains("LogGroupName"), "{log_group}");
    let line = log_group.lines().find(|line| line.contains("LogGroupName  ")).expect("a line for the name");
    assert!(line.contains("replaces"), "{line}");
    let json = infra(&["explain", "AWS::Logs::LogGroup", "--format", "json"]).expect(0).json();
    assert_eq!(json["primary_identifier"], serde_json::json!(["LogGroupName"]));
    insta::assert_snapshot!(infra(&["explain", "AWS::Dynamo::Table"]).expect(64).whole(), @r"
    ── stdout
    ── stderr
    error: the registry has no resource type `AWS::Dynamo::Table`
    hint: did you mean `AWS::DynamoDB::Table`?
    ── exit 64
    ");
}
