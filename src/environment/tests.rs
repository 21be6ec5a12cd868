//! Good files, and what is said about bad ones.

use super::*;
use crate::document::to_json;
use crate::model::{BuildSecret, Image, ImageSource, Need, ResourceSignals};
use crate::view::problem;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn project(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(DIRECTORY)).unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(DIRECTORY).join(format!("{name}.yaml")), text).unwrap();
    }
    directory
}

fn loaded(files: &[(&str, &str)], name: &str) -> Environment {
    match load(project(files).path(), name) {
        Ok((environment, warnings)) => {
            assert_eq!(warnings, []);
            environment
        }
        Err(error) => panic!("{}", drawn(&error)),
    }
}

fn drawn(error: &Error) -> String {
    let problems = anstream::adapter::strip_str(&problem::text(&error.problems, 100)).to_string();
    let mut lines = vec![problems];
    if error.problems.is_empty() {
        lines = vec![format!("error: {error}")];
        lines.extend(error.details.iter().map(|detail| format!("  {detail}")));
        lines.extend(error.hints.iter().map(|hint| format!("hint: {hint}")));
    }
    lines.join("\n").replace("\n\n\n", "\n\n")
}

fn refused(files: &[(&str, &str)], name: &str) -> String {
    drawn(&load(project(files).path(), name).map(|_| ()).expect_err("this environment should be refused"))
}

/// A good file with more lines.
fn with(lines: &str) -> String {
    format!("project: shop\naccount: \"111122223333\"\nregion: eu-west-1\n{lines}")
}

#[test]
fn a_chain_of_files_becomes_one_environment() {
    let base = "project: shop\ntags: {owner: platform, tier: low}\nstacks:\n  network:\n    inputs: {zones: 2, nat: none}\n  \
                extra: {}\n";
    let prod = format!(
        "extends: base\naccount: 111122223333\nregion: eu-west-1\nprotect: true\ntags: {{tier: null, cost: \"12\"}}\n\
         images:\n  api: {{ref: \"repo/api@{DIGEST}\"}}\nstacks:\n  extra: null\n  network:\n    inputs: {{zones: 3}}\n  \
         api:\n    template: fargate-service\n    needs: {{VpcId: network.VpcId, ImageUri: \"image:api\"}}\n    \
         after: [network]\n    region: us-east-1\napply: {{concurrency: 4, timeout: 90m}}\n"
    );
    let environment = loaded(&[("base", base), ("prod", &prod)], "prod");
    assert_eq!((environment.name.as_str(), environment.project.as_str()), ("prod", "shop"));
    assert_eq!(environment.account, "111122223333");
    assert!(environment.protect);
    assert_eq!(
        environment.tags.into_iter().collect::<Vec<_>>(),
        [("cost".to_owned(), "12".to_owned()), ("owner".to_owned(), "platform".to_owned())]
    );
    assert_eq!(environment.stacks.keys().collect::<Vec<_>>(), ["network", "api"]);
    let network = &environment.stacks["network"];
    assert_eq!(to_json(&network.inputs["zones"].value), 3);
    assert_eq!(network.inputs["zones"].value.at.to_string(), "environments/prod.yaml:11:21");
    assert_eq!(network.inputs["nat"].value.at.to_string(), "environments/base.yaml:5:29");
    assert_eq!(network.template.value, "network");
    let api = &environment.stacks["api"];
    assert_eq!((api.target.region.as_str(), network.target.region.as_str()), ("us-east-1", "eu-west-1"));
    assert_eq!(api.needs["VpcId"].value, Need::Output { stack: "network".to_owned(), key: "VpcId".to_owned() });
    assert_eq!(api.after[0].value, "network");
    let Image::Ref(image) = &environment.images["api"] else { panic!("a reference") };
    assert_eq!(image.value, format!("repo/api@{DIGEST}"));
    assert_eq!(environment.state.bucket, "infra-state-111122223333-eu-west-1");
    assert_eq!((environment.apply.concurrency, environment.apply.timeout), (4, Duration::from_secs(5400)));
}

#[test]
fn all_problems_of_all_files_come_in_one_run() {
    let base = "regoin: us-east-1\naccount: 11112222333\nprotect: yes\ntags: {count: 3, Project: x}\nstacks:\n  net_work: {}\n";
    let dev = "extends: base\nregion: us-esat-1\nstacks:\n  network:\n    input: {}\n    template: [a]\n  api:\n    needs: \
               {VpcId: netwrk.VpcId, ImageUri: image:api}\n    after: api\n  web:\n    after: [api, web]\nimages:\n  web: \
               {context: apps/web}\n  old: {ref: \"repo:latest\"}\n  odd: {}\napply: {concurrency: 0, timeout: 5}\n";
    insta::assert_snapshot!(refused(&[("base", base), ("dev", dev)], "dev"));
}

#[test]
fn cycles_are_named_with_all_their_places() {
    let stacks = with("stacks:\n  a: {after: [b]}\n  b:\n    needs: {X: c.Y}\n  c: {after: [a]}\n");
    insta::assert_snapshot!(refused(&[("dev", &stacks)], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "extends: a"), ("a", "extends: b"), ("b", "extends: a")], "dev"));
}

#[test]
fn missing_things_are_named_with_what_there_is() {
    let good = with("");
    let files = [("base", good.as_str()), ("prod", good.as_str()), ("staging", good.as_str())];
    insta::assert_snapshot!(refused(&files, "prdo"), @r#"
        error: there is no environment `prdo`: environments/prdo.yaml is missing
          environments/ has `base`, `prod` and `staging`
        hint: did you mean `prod`?
        "#);
    insta::assert_snapshot!(refused(&[], "dev"), @r#"
        error: there is no environment `dev`: environments/dev.yaml is missing
          environments/ has no environment file
        "#);
    insta::assert_snapshot!(refused(&files, "../prod"), @r#"
        error: `../prod` is no name of an environment
        hint: a name has letters, digits and hyphens, at most 26
        "#);
    insta::assert_snapshot!(refused(&[("dev", "extends: bsae"), ("base", &good)], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "# nothing\n")], "dev"));
    let nowhere = tempfile::tempdir().unwrap();
    let error = load(&nowhere.path().join("x"), "dev").map(|_| ()).expect_err("no directory");
    assert!(error.message.starts_with("there is no directory /"), "{error}");
    let other_ending = project(&[]);
    std::fs::write(other_ending.path().join("environments/dev.yml"), "").unwrap();
    let error = load(other_ending.path(), "dev").map(|_| ()).expect_err("the wrong ending");
    assert_eq!(error.hints, ["call it environments/dev.yaml"]);
}

#[test]
fn texts_that_are_no_yaml() {
    insta::assert_snapshot!(refused(&[("dev", "a: 1\nregion: x\nregion: y\n")], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "stacks:\n\tnetwork: {}\n")], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "stacks: {a: [1, 2}\nb: 1\n")], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "project: \"shop\nregion: us-east-1\n")], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "project: shop: two\n")], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "a: 1\n---\nb: 2\n")], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "- a\n- b\n")], "dev"));
    insta::assert_snapshot!(refused(&[("dev", "just text\n")], "dev"));
    insta::assert_snapshot!(refused(
        &[("dev", "x: &x {a: 1}\nstacks: {<<: *x}\nproject: !Sub a\nregion: \"\\U000F0001\"\n")],
        "dev"
    ));
}

#[test]
fn empty_values_that_remove_are_pointed_out() {
    let base = with("tags: {owner: me}\nstacks:\n  a: {}\n");
    let (_, warnings) =
        load(project(&[("base", &base), ("dev", "extends: base\ntags:\nstacks:\n  a: ~\n")]).path(), "dev").unwrap();
    let text = anstream::adapter::strip_str(&problem::text(&warnings, 80)).to_string();
    insta::assert_snapshot!(text);
    insta::assert_snapshot!(refused(&[("dev", &with("stacks:\n  network:\n  api: {}\n"))], "dev"));
}

#[test]
fn unknown_regions_are_warnings() {
    let directory = project(&[("dev", &with("state: {region: eu-west-9}\n"))]);
    let (environment, warnings) = load(directory.path(), "dev").unwrap();
    assert_eq!(environment.state.region, "eu-west-9");
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].message, "`eu-west-9` is not a region that this version knows");
}

#[test]
fn chains_are_bounded() {
    let names: Vec<String> = (0..12).map(|n| format!("e{n}")).collect();
    let texts: Vec<String> = (0..12).map(|n| with(&format!("extends: e{}\n", n + 1))).collect();
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    insta::assert_snapshot!(refused(&files, "e0"));
}

#[test]
fn a_comment_behind_a_quoted_value_is_not_underlined() {
    let text =
        refused(&[("dev", "project: 'it''s' # why\naccount: \"1 é\" # the \"wrong\" one\nregion: eu-west-1\n")], "dev");
    assert!(text.contains("^^^^^^^ expected letters"), "{text}");
    assert!(text.contains(" ^^^^^ expected an account id"), "{text}");
}

#[test]
fn bombs_and_giants_are_refused_quickly() {
    let mut bomb = String::from("x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n");
    for n in 1..20 {
        let aliases = vec![format!("*x{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("x{n}: &x{n} [{aliases}]\n"));
    }
    let started = Instant::now();
    assert!(refused(&[("dev", &bomb)], "dev").contains("aliases and lists grow to more than"));
    let giant = "# ten megabytes\n".repeat(655_360);
    assert!(refused(&[("dev", &giant)], "dev").contains("too big: 10485760 bytes; at most 1048576 bytes are read"));
    assert!(refused(&[("dev", &"a: [".repeat(10_000))], "dev").contains("nested deeper"));
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn other_encodings_are_named() {
    let write = |bytes: &[u8]| {
        let directory = project(&[]);
        std::fs::write(directory.path().join("environments/dev.yaml"), bytes).unwrap();
        match load(directory.path(), "dev") {
            Ok((environment, _)) => environment.project,
            Err(error) => drawn(&error),
        }
    };
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(with("").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    insta::assert_snapshot!(write(&utf16), @r#"
        error: environments/dev.yaml is UTF-16 (its first bytes are 0xFF 0xFE)
         |
         = help: save it as UTF-8
        "#);
    insta::assert_snapshot!(write(b"project: shop\ntags: {owner: Ren\xE9e}\n"), @r#"
        error: environments/dev.yaml is not UTF-8
         --> environments/dev.yaml:2:18
          |
        2 | tags: {owner: Ren�e}
          |                  ^ byte 0xE9, in Latin-1 `é`
          |
          = help: save the file as UTF-8
        "#);
    assert_eq!(write(&[b"\xEF\xBB\xBF", with("").as_bytes()].concat()), "shop");
}

#[test]
fn environments_are_listed_with_those_that_only_serve_others() {
    let base = "project: shop\nregion: us-east-1\n";
    let directory = project(&[("base", base), ("dev", "extends: base\naccount: 111122223333\n"), ("broken", ": [")]);
    std::fs::write(directory.path().join("environments/notes.txt"), "").unwrap();
    let listed: Vec<(String, bool)> =
        list(directory.path()).unwrap().into_iter().map(|listed| (listed.name, listed.base)).collect();
    assert_eq!(listed, [("base".to_owned(), true), ("broken".to_owned(), false), ("dev".to_owned(), false)]);
}

#[test]
fn the_schema_agrees_with_the_loader() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let samples = [
        "project: shop",
        "project: 1shop",
        "project: [a]",
        "account: 111122223333",
        "account: \"111122223333\"",
        "account: 12",
        "account: 0123",
        "region: us-east-1",
        "region: moon-1",
        "tags: {a: b}",
        "tags: {a: 1}",
        "tags: {\"\": b}",
        "tags: {a: null}",
        "tags: null",
        "tags: [a]",
        "protect: true",
        "protect: yes",
        "nonsense: 1",
        "images: {a: {ref: x}}",
        "images: {a: {context: x}}",
        "images: {a_b: {}}",
        "stacks: {a: {}}",
        "stacks: {a_b: {}}",
        "stacks: {a: {inputs: {x: [1, {y: null}], z: null}}}",
        "stacks: {a: {inputs: {1: 1}}}",
        "stacks: {a: {needs: {P: b.C}}}",
        "stacks: {a: {needs: {P: b}}}",
        "stacks: {a: {needs: {P-Q: b.C}}}",
        "stacks: {a: {after: [b]}}",
        "stacks: {a: {after: b}}",
        "stacks: {a: {after: [null]}}",
        "stacks: {a: {after: [1]}}",
        "stacks: {a: {role: \"arn:aws:iam::111122223333:role/x\"}}",
        "stacks: {a: {role: x}}",
        "stacks: {a: {oops: 1}}",
        "state: {bucket: abc}",
        "state: {bucket: Abc}",
        "state: {table: ab}",
        "apply: {concurrency: 8}",
        "apply: {concurrency: 0}",
        "apply: {concurrency: 1.5}",
        "apply: {timeout: 5m}",
        "apply: {timeout: 5}",
        "extends: base",
        "extends: ../base",
        "text",
        "[a]",
        "",
    ];
    for text in samples {
        let node = cloudformation::source::parse(text, cloudformation::source::Limits::default()).unwrap();
        let by_schema = validator.is_valid(&node.to_json());
        let file = crate::files::decode(text.as_bytes().to_vec(), "x.yaml").unwrap();
        let mut problems = Vec::new();
        chain::parse_file(&file, &mut problems);
        assert_eq!(by_schema, !problems.iter().any(Problem::is_error), "{text:?}: {problems:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let directory = project(&[]);
        std::fs::write(directory.path().join("environments/dev.yaml"), bytes).unwrap();
        if let Err(error) = load(directory.path(), "dev") {
            prop_assert!(!drawn(&error).is_empty());
        }
    }

    #[test]
    fn any_text_of_yaml_signs_is_read_or_refused(
        text in "(project|stacks|a|null|image:|[\\[\\]{}:,&*!#|>'\"%@ \n\t\r-]|é|extends: dev\n|after: |needs: |: |\n  )*"
    ) {
        let directory = project(&[("dev", &text)]);
        if let Err(error) = load(directory.path(), "dev") {
            prop_assert!(!drawn(&error).is_empty());
        }
    }
}

#[test]
fn images_come_from_one_place_and_go_to_a_repository() {
    let good = with(
        "images:\n  a: {context: apps/a, args: {V: \"1\"}, secrets: {t: {env: T}}, builder: podman}\n  \
         b: {archive: b.tar, repository: shared, platform: [linux/amd64, linux/arm64]}\nstacks: {a-images: {}, shared: {}}\n",
    );
    let images = loaded(&[("dev", &good)], "dev").images;
    let Image::Local(a) = &images["a"] else { panic!("made here") };
    assert_eq!(a.repository.value, "a-images");
    let ImageSource::Build { args, secrets, builder, .. } = &a.source else { panic!("built") };
    assert_eq!((args["V"].as_str(), &secrets["t"]), ("1", &BuildSecret::Variable("T".to_owned())));
    assert_eq!(builder.as_deref(), Some("podman"));
    let Image::Local(b) = &images["b"] else { panic!("made here") };
    assert_eq!(b.repository.value, "shared");
    let ImageSource::Archive { platforms, .. } = &b.source else { panic!("an archive") };
    assert_eq!(platforms, &["linux/amd64", "linux/arm64"]);

    let cases = [
        ("{context: a, archive: b}", "comes from two places"),
        ("{archive: b, target: x}", "`target` means nothing for the image `a-b`"),
        ("{context: a, secrets: {t: {env: A, file: b}}}", "comes from one place: `env` or `file`"),
        ("{context: a, repository: nets}", "help: did you mean `repository: net`?"),
        ("{context: a, builder: kaniko}", "expected docker, podman or buildah"),
        ("{context: /a}", "expected a path that does not begin with a slash"),
        ("{context: a, args: {V: 3.10}}", "must be text"),
        ("{context: a, platform: []}", "`images.a-b.platform` is an empty list"),
        ("{context: a, platform: [linux]}", "expected a platform, such as linux/amd64 or linux/arm64"),
        ("{context: a, platform: [linux/arm64, linux/arm64]}", "names the platform linux/arm64 twice"),
    ];
    for (image, message) in cases {
        let text = with(&format!("images: {{a-b: {image}}}\nstacks: {{net: {{}}, a-b-images: {{}}}}\n"));
        let told = refused(&[("dev", &text)], "dev");
        assert!(told.contains(message), "{image}: {told}");
    }
}

#[test]
fn a_local_environment_has_a_speed_of_its_own() {
    let usual = loaded(&[("dev", &with("stacks: {}\n"))], "dev");
    assert!(!usual.local);
    assert_eq!(usual.apply.speed, 1.0);
    for (lines, speed) in [("local: {}\n", 60.0), ("local: {speed: 300}\n", 300.0)] {
        let local = loaded(&[("dev", &with(lines))], "dev");
        assert!(local.local, "{lines}");
        assert_eq!(local.apply.speed, speed, "{lines}");
    }
    for (said, signals) in [
        ("", ResourceSignals::Succeed),
        ("signals: fail", ResourceSignals::Fail),
        ("signals: none", ResourceSignals::None),
    ] {
        let local = loaded(&[("dev", &with(&format!("local: {{{said}}}\n")))], "dev");
        assert_eq!(local.apply.signals, signals, "{said}");
    }
    assert!(refused(&[("dev", &with("local: {signals: sometimes}\n"))], "dev").contains("succeed, fail, none"));
    // Whoever starts from a local one can leave it again.
    let files = [("local", with("local: {}\n")), ("prod", "extends: local\nlocal: null\n".to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    assert!(!loaded(&files, "prod").local);
}

#[test]
fn a_speed_that_makes_no_sense_is_refused() {
    insta::assert_snapshot!(refused(&[("dev", &with("local: {speed: 0, pace: 3}\n"))], "dev"));
    insta::assert_snapshot!(refused(&[("dev", &with("local: true\n"))], "dev"));
}
