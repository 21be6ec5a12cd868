//! No secret in anything that `infra` prints or writes: a project that is full of them, every command in every format, and
//! every file below the project but the embedded AWS's own world, which stands for the account.

use crate::support::cli::Ran;
use crate::support::project::Project;
use crate::support::root;
use clap::Command as Tree;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What nobody may see. Each stands somewhere else, in another way.
const CANARIES: [&str; 16] = [
    "canary-secret-string-1",
    "canary-master-password-2",
    "canary-variable-3",
    "canary-in-url-4",
    "canary-in-json-5",
    "canary-container-6",
    "canary-no-echo-7",
    "canary-default-8",
    "canary-mapping-9",
    "canary-user-data-10",
    "canary-tag-11",
    "canary-output-12",
    "canary-parameter-13",
    "canary words of a pass-phrase",
    "canary-plain-parameter-15",
    "canary-input-16",
];

const ENVIRONMENT: &str = r#"project: shop
account: "000000000000"
region: us-east-1
local: {speed: 3600}
stacks:
  config: {template: config}
  app:
    template: app
    after: [config]
    inputs:
      token: "{{resolve:secretsmanager:shop-token:SecretString:token}}"
      password: canary-input-16
      level: info
"#;

const CONFIG: &str = r#"description: Makes secrets.
inputs: {}
needs: {}
outputs:
  Token: A secret, by name.
---
Resources:
  Shared:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: shop-token
      SecretString: '{"token": "canary-secret-string-1"}'
  Plain:
    Type: AWS::SSM::Parameter
    Properties: {Name: /shop/db-password, Type: String, Value: canary-plain-parameter-15}
Outputs:
  Token: {Value: canary-output-12}
"#;

const APP: &str = r#"description: Reads them, and has some of its own.
inputs:
  token: {type: string, description: A reference.}
  password: {type: string, default: "canary words of a pass-phrase", description: A password.}
  level: {type: string, description: Of the log.}
needs:
  Handed: {from: config.Token}
outputs: {}
---
Parameters:
  Handed: {Type: String}
  ApiToken: {Type: String, Default: canary-default-8}
  Hidden: {Type: String, NoEcho: true, Default: canary-no-echo-7}
Mappings:
  Db: {prod: {Password: canary-mapping-9}}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: {{ inputs.token | tojson }}
      Tags:
      - {Key: token, Value: canary-tag-11}
      - {Key: level, Value: {{ inputs.level | tojson }}}
  Own:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: shop-own
      SecretString: {{ inputs.password | tojson }}
      Description: {{ inputs.level | tojson }}
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      DBInstanceClass: db.t4g.micro
      Engine: postgres
      AllocatedStorage: "20"
      MasterUsername: app
      MasterUserPassword: canary-master-password-2
      Tags: [{Key: level, Value: {{ inputs.level | tojson }}}]
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: shop
      ContainerDefinitions:
      - Name: web
        Image: example.test/web:1
        Memory: 128
        Environment:
        - {Name: DB_PASSWORD, Value: canary-container-6}
        - {Name: ENDPOINT, Value: "postgres://app:canary-in-url-4@db.test:5432/app"}
        - {Name: SETTINGS, Value: '{"level": "info", "api_key": "canary-in-json-5"}'}
        - {Name: HIDDEN, Value: !Ref Hidden}
        - {Name: MAPPED, Value: !FindInMap [Db, prod, Password]}
        - {Name: HANDED, Value: !Ref Handed}
        - {Name: GIVEN, Value: !Ref ApiToken}
        - {Name: LEVEL, Value: {{ inputs.level | tojson }}}
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        UserData:
          Fn::Base64: |
            #!/bin/sh
            # {{ inputs.level }}
            export ADMIN_PASSWORD=canary-user-data-10
  Setting:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /shop/settings
      Type: String
      Value: !Sub '{"secret": "canary-variable-3", "level": "{{ inputs.level }}"}'
"#;

/// A broken environment with a secret on the line that is underlined.
const BROKEN: &str = "extends: local\nstacks:\n  app:\n    inputs: {password: [canary-input-16], lvel: info}\n";

fn project() -> Project {
    let project = Project::offline();
    project
        .write("environments/local.yaml", ENVIRONMENT)
        .write("environments/broken.yaml", BROKEN)
        .write("templates/config.yaml", CONFIG)
        .write("templates/app.yaml", APP);
    project
}

/// Walks commands, and keeps count of which.
struct Walk {
    project: Project,
    walked: BTreeSet<String>,
}

const FORMATS: [&str; 3] = ["human", "json", "markdown"];

impl Walk {
    fn clean(&self, what: &str, text: &str) {
        let shown: Vec<&&str> = CANARIES.iter().filter(|canary| text.contains(**canary)).collect();
        assert!(shown.is_empty(), "{what} shows {shown:?}:\n{text}");
    }

    /// Runs a command in a format, with `-v` and without.
    fn run(&mut self, words: &[&str], codes: &[i32]) -> Ran {
        let tree = infra::cli::tree();
        let mut here = &tree;
        let mut name = Vec::new();
        for word in words {
            match here.find_subcommand(word) {
                Some(below) => {
                    here = below;
                    name.push(*word);
                }
                None => break,
            }
        }
        self.walked.insert(name.join(" "));
        let ran = self.project.infra(words).run();
        let shown = format!("stdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
        assert!(ran.code.is_some_and(|code| codes.contains(&code)), "{words:?}: {:?}\n{shown}", ran.code);
        self.clean(&format!("`infra {}`", words.join(" ")), &shown);
        ran
    }

    fn in_every_format(&mut self, words: &[&str], codes: &[i32]) {
        for format in FORMATS {
            for verbose in [&[][..], &["-v"]] {
                self.run(&[words, &["--format", format], verbose].concat(), codes);
            }
        }
    }

    /// Every file below the project but what was written here and the embedded AWS's own.
    fn files(&self) {
        let own = ["environments", "templates"].map(|folder| self.project.path().join(folder));
        let world = self.project.path().join(".infra/local");
        let mut folders = vec![self.project.path().to_owned()];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder") {
                let path: PathBuf = entry.expect("an entry").path();
                if own.contains(&path) || path == world {
                    continue;
                }
                match path.is_dir() {
                    true => folders.push(path),
                    false => {
                        seen += 1;
                        let text = String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).into_owned();
                        self.clean(&path.display().to_string(), &text);
                    }
                }
            }
        }
        assert!(seen > 3, "{seen} files were looked at");
    }
}

/// Commands without others below them.
fn leaves(tree: &Tree, before: &str, found: &mut BTreeSet<String>) {
    let below: Vec<&Tree> = tree.get_subcommands().filter(|below| below.get_name() != "help").collect();
    if below.is_empty() {
        found.insert(before.trim().to_owned());
    }
    below.into_iter().for_each(|one| leaves(one, &format!("{before} {}", one.get_name()), found));
}

#[test]
fn no_command_shows_a_secret_and_no_file_holds_one() {
    let mut walk = Walk { project: project(), walked: BTreeSet::new() };
    let env = ["--env", "local"];
    let with = |words: &[&'static str]| [words, &env].concat();

    // What reads the files alone.
    for words in [&["validate"][..], &["render"], &["cost"], &["diagram"], &["explain", "app.Database"], &["schema"]] {
        walk.in_every_format(&with(words), &[0]);
    }
    walk.run(&with(&["render", "-o", "rendered"]), &[0]);
    walk.run(&with(&["diagram", "-o", "diagram.svg"]), &[0]);
    walk.in_every_format(&["validate", "--env", "broken"], &[1]);
    walk.in_every_format(&["plan", "--env", "broken"], &[1]);
    walk.in_every_format(&["docs", "templates", "app"], &[0]);
    for words in [&["docs", "cli"][..], &["docs", "man"], &["completions", "bash"]] {
        walk.run(words, &[0]);
    }

    // What makes it.
    walk.in_every_format(&with(&["plan"]), &[0]);
    walk.run(&with(&["plan", "-o", "first.json", "--sarif", "first.sarif", "--diagram", "first.mmd"]), &[0]);
    walk.files();
    walk.run(&["apply", "first.json", "--yes", "--format", "json", "-v"], &[0]);
    let plan = walk.run(&with(&["plan", "--detailed-exitcode"]), &[0]);
    assert!(plan.stdout.starts_with("No changes."), "the account got the real templates: {}", plan.stdout);

    // What looks at it.
    for words in [&["plan"][..], &["plan", "--offline"], &["status"], &["outputs"], &["history"], &["lock", "show"]] {
        walk.in_every_format(&with(words), &[0]);
    }
    let one = walk.run(&with(&["outputs", "config.Token"]), &[1]);
    assert!(one.stderr.contains("is sensitive"), "{}", one.stderr);
    for format in FORMATS {
        let looked = walk
            .run(&with(&["drift", "--detailed-exitcode", "-v", "--format", format, "--sarif", "drift.sarif"]), &[0]);
        assert!(!looked.stdout.contains("resolve:"), "{}", looked.stdout);
    }
    walk.run(&with(&["drift", "--revert", "--yes"]), &[0]);
    walk.run(&with(&["drift", "--adopt", "--yes"]), &[0]);
    assert_eq!(walk.project.read("environments/local.yaml"), ENVIRONMENT);

    // What changes it.
    let changed = ENVIRONMENT.replace("level: info", "level: debug");
    for (index, format) in FORMATS.into_iter().enumerate() {
        let level = format!("level{index}");
        walk.project.write("environments/local.yaml", &changed.replace("debug", &level));
        walk.in_every_format(&with(&["plan"]), &[0]);
        walk.in_every_format(&with(&["plan", "--offline"]), &[0]);
        walk.in_every_format(&with(&["rehearse"]), &[0]);
        walk.run(&with(&["apply", "--yes", "-v", "--format", format]), &[0]);
    }
    let other = changed.replace("canary-input-16", "canary words of a pass-phrase");
    walk.project.write("environments/local.yaml", &other);
    let plan = walk.run(&with(&["plan"]), &[0]);
    assert!(plan.stdout.contains("SecretString: (sensitive) → (sensitive), changes"), "{}", plan.stdout);
    assert!(plan.stdout.contains("[literal-secret] templates/app.yaml:"), "{}", plan.stdout);
    let offline = walk.run(&with(&["plan", "--offline"]), &[0]);
    assert!(offline.stderr.contains("whether secrets in the template of app change is not seen"), "{}", offline.stderr);
    let serial = walk.run(&with(&["history", "--format", "json"]), &[0]).json()[1]["serial"].to_string();
    walk.run(&with(&["rollback", "--to", &*serial.leak(), "--yes", "-v"]), &[0]);
    walk.files();

    // A failure that quotes what it was given.
    let broken =
        APP.replace("Engine: postgres", "Engine: postgres\n      DBInstanceIdentifier: \"canary-master-password-2!\"");
    walk.project.write("templates/app.yaml", &broken);
    for format in FORMATS {
        walk.run(&with(&["apply", "--yes", "-v", "--format", format]), &[0, 1]);
    }
    walk.project.write("templates/app.yaml", APP);

    // Addresses with a password.
    for words in [&["status"][..], &["plan"], &["bootstrap", "--yes"], &["image", "list"], &["image", "prune", "--yes"]]
    {
        let address = ["--endpoint-url", "http://user:canary-in-url-4@127.0.0.1:9"];
        for format in FORMATS {
            let failed = walk.run(&[words, &env, &address, &["--format", format, "-v"]].concat(), &[0, 1, 64]);
            assert!(!failed.stderr.contains("canary"), "{}", failed.stderr);
        }
    }
    for words in [&["lock", "break", "none"][..], &["image", "build"], &["image", "list"], &["image", "prune", "--yes"]]
    {
        walk.in_every_format(&with(words), &[0, 1, 64]);
    }
    let from = "registry.invalid/a@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    walk.run(&with(&["image", "push", from]), &[1, 64]);
    walk.run(&with(&["image", "copy", from, "registry.invalid/b"]), &[1]);
    std::fs::create_dir(walk.project.path().join("fresh")).expect("a folder");
    walk.run(&["init", "-C", "fresh"], &[0]);
    walk.run(&with(&["destroy", "--yes", "--format", "json", "-v"]), &[0]);
    walk.files();
    walk.run(&["local", "reset", "--yes"], &[0]);
    // It runs until it is ended; that it prints its address is all that it prints.
    walk.walked.insert("local serve".to_owned());

    let mut all = BTreeSet::new();
    leaves(&infra::cli::tree(), "", &mut all);
    let missing: Vec<&String> = all.difference(&walk.walked).collect();
    assert!(missing.is_empty(), "commands that nobody has looked at for secrets: {missing:?}");
}

/// What the pipeline's scripts make of a plan and an apply.
#[cfg(unix)]
#[test]
fn comments_and_summaries_of_the_pipeline_hold_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let walk = Walk { project: project(), walked: BTreeSet::new() };
    let script = |name: &str, args: &[&str]| {
        let path = walk.project.path();
        let output = Command::new("bash")
            .arg(root().join(".github/scripts").join(name))
            .arg(env!("CARGO_BIN_EXE_infra"))
            .args(args)
            .current_dir(path)
            .env("GITHUB_OUTPUT", path.join("outputs.txt"))
            .env("GITHUB_STEP_SUMMARY", path.join("summary.md"))
            .env("GITHUB_SERVER_URL", "https://github.test")
            .env("GITHUB_REPOSITORY", "o/r")
            .env("GITHUB_RUN_ID", "1")
            .output()
            .expect("bash");
        let ran = Ran::from(output);
        walk.clean(name, &format!("{}\n{}", ran.stdout, ran.stderr));
        ran.code
    };
    assert_eq!(script("plan.sh", &["local", "made"]), Some(0));
    let mode = std::fs::metadata(walk.project.path().join("made/plan.json")).expect("the plan").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    walk.files();
    assert_eq!(script("apply.sh", &["made"]), Some(0));
    walk.files();
    assert!(walk.project.read("summary.md").contains("Applied"), "{}", walk.project.read("summary.md"));
}

#[test]
fn a_saved_plan_takes_its_secrets_from_the_files_it_was_made_from() {
    let walk = Walk { project: project(), walked: BTreeSet::new() };
    let infra = |words: &[&str]| walk.project.infra(words);
    infra(&["plan", "--env", "local", "-o", "plan.json"]).expect(0);
    let moved = APP.replace("canary-master-password-2", "canary-user-data-10");
    walk.project.write("templates/app.yaml", &moved);
    let stale = infra(&["apply", "plan.json", "--yes"]).expect(1);
    assert!(stale.stderr.contains("the files no longer give the template of `app`"), "{}", stale.stderr);
    walk.project.write("templates/app.yaml", APP);
    infra(&["apply", "plan.json", "--yes"]).expect(0);
    let drift = infra(&["drift", "--env", "local", "--detailed-exitcode"]).expect(0);
    assert!(drift.stdout.starts_with("No drift"), "{}", drift.stdout);
}

/// Whoever changes something else by hand is told of that alone.
#[test]
fn dynamic_references_are_no_drift_wherever_they_stand() {
    let reference = "{{resolve:secretsmanager:shop-token:SecretString:token}}";
    let plain = "{{resolve:ssm:/shop/db-password}}";
    let app = format!(
        r#"description: References.
inputs: {{}}
needs: {{}}
outputs: {{}}
---
{{% raw %}}
Resources:
  Whole: {{Type: AWS::SSM::Parameter, Properties: {{Name: /shop/whole, Type: String, Value: "{plain}"}}}}
  Inside: {{Type: AWS::SSM::Parameter, Properties: {{Name: /shop/inside, Type: String, Value: "x-{plain}-y"}}}}
  List: {{Type: AWS::SSM::Parameter, Properties: {{Name: /shop/list, Type: StringList, Value: "a,{plain}"}}}}
  Document: {{Type: AWS::SSM::Parameter, Properties: {{Name: /shop/document, Type: String, Value: '{{"token": "{plain}", "a": 1}}'}}}}
  Topic: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: "{reference}"}}}}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: shop
      ContainerDefinitions:
      - Name: web
        Image: example.test/web:1
        Memory: 128
        Command: [one, "{reference}", three]
        DockerLabels: {{level: info, label: "{reference}"}}
        Environment: [{{Name: A, Value: "{reference}"}}, {{Name: B, Value: plain}}]
{{% endraw %}}
"#
    );
    let project = project();
    project.write("templates/app.yaml", &app);
    project.write("environments/local.yaml", &ENVIRONMENT[..ENVIRONMENT.find("    inputs:").expect("inputs")]);
    let walk = Walk { project, walked: BTreeSet::new() };
    let infra = |words: &[&str]| walk.project.infra(&[words, &["--env", "local"]].concat());
    infra(&["apply", "--yes"]).expect(0);
    for format in FORMATS {
        let ran =
            infra(&["drift", "--detailed-exitcode", "-v", "--format", format, "--sarif", "drift.sarif"]).expect(0);
        walk.clean(format, &format!("{}{}", ran.stdout, ran.stderr));
        walk.clean("drift.sarif", &walk.project.read("drift.sarif"));
    }
    let before = walk.project.read("environments/local.yaml");
    infra(&["drift", "--adopt", "--yes"]).expect(0);
    assert_eq!(walk.project.read("environments/local.yaml"), before);
    let reverted = infra(&["drift", "--revert", "--yes"]).expect(0);
    assert!(reverted.stdout.contains("Nothing to revert"), "{}", reverted.stdout);
    let plan = infra(&["plan"]).expect(0);
    assert!(!plan.stdout.contains("literal-secret"), "a reference is no literal: {}", plan.stdout);
    assert!(Path::new(&walk.project.path().join(".infra/cache/shop/local.json")).exists());
}
