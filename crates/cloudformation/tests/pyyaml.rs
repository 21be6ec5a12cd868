//! Side by side with PyYAML, whose grammar is that of CloudFormation's parser: what it takes is taken and means the same,
//! what it refuses is refused. One thing is taken that PyYAML refuses: an anchor that is set twice, which YAML allows
//! (section 3.2.2.2 of its specification 1.2: the later one counts from there on).
//!
//! `CFN_LINT=/path/to/cfn-lint cargo test -p cloudformation --test pyyaml -- --include-ignored`: PyYAML is beside cfn-lint.

use cloudformation::source::{Dialect, Limits, Node, Value, parse, parse_as};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Pieces of lines that start, continue and end things, in and out of order.
const PIECES: [&str; 44] = [
    "K: v",
    "K: v",
    "K:",
    "K:",
    "- x",
    "- K: v",
    "-",
    "- - x",
    "K: [a,",
    "b, c]",
    "b]",
    "]",
    "], d",
    "K: {a: b,",
    "c: d}",
    "}",
    "K: 'a",
    "b'",
    "'",
    "K: \"a",
    "b\"",
    "\"",
    "# note",
    "K: |",
    "K: >-",
    "K: |2",
    "text",
    "  more text",
    "",
    "K: !Sub x",
    "K: !GetAtt [a, b]",
    "- !Ref a",
    "K: &x v",
    "K: *x",
    "--- ",
    "...",
    "? K",
    ": v",
    "K: v # note",
    "K: 'it''s'",
    "K: \"\\u00e9\\n\\/\"",
    "é: ü 😀",
    "K: a: b",
    "K: [x y, 'z', \"w\", {q: r}]",
];

/// A text of a few such lines, each indented somehow; its keys differ.
fn text() -> impl Strategy<Value = String> {
    let line = (0_usize..4, prop::sample::select(PIECES.to_vec()), any::<bool>());
    prop::collection::vec(line, 1..8).prop_map(|lines| {
        let mut text = String::new();
        for (number, (indentation, piece, returns)) in lines.iter().enumerate() {
            text.push_str(&"  ".repeat(*indentation));
            text.push_str(&piece.replace('K', &format!("k{number}")));
            text.push_str(if *returns && number == 0 { "\r\n" } else { "\n" });
        }
        text
    })
}

/// A tree of texts: how PyYAML's base loader gives it.
fn texts(node: &Node) -> Json {
    match &node.value {
        Value::Scalar(scalar) => json!(scalar.text),
        Value::List(items) => items.iter().map(texts).collect(),
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), texts(&entry.value))).collect(),
    }
}

/// Loads every text of a list with libyaml under PyYAML; where it refuses a text, says why.
const SCRIPT: &str = r#"
import json, sys, yaml
class Loader(yaml.CBaseLoader): pass
def local(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode): return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode): return loader.construct_sequence(node, True)
    return loader.construct_mapping(node, True)
Loader.add_multi_constructor("!", local)
def load(text):
    try: return {"value": yaml.load(text, Loader)}
    except (yaml.YAMLError, TypeError) as error: return {"refusal": str(error)}
json.dump([load(text) for text in json.load(sys.stdin)], sys.stdout)
"#;

fn pyyaml(all: &[String]) -> Vec<Json> {
    let linter = std::env::var("CFN_LINT").expect("CFN_LINT must hold the path of cfn-lint");
    let python = Path::new(&linter).with_file_name("python");
    let started = Command::new(&python).args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = started.unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let input = serde_json::to_vec(all).expect("JSON");
    child.stdin.take().expect("an input").write_all(&input).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
#[ignore = "needs cfn-lint's PyYAML"]
fn texts_mean_what_they_mean_to_pyyaml() {
    let mut runner = TestRunner::deterministic();
    let strategy = text();
    let all: Vec<String> = (0..20_000).map(|_| strategy.new_tree(&mut runner).expect("a text").current()).collect();
    let (mut taken, mut differ) = (0, Vec::new());
    for (text, theirs) in all.iter().zip(pyyaml(&all)) {
        let ours = parse(text, Limits::default());
        match (&ours, theirs.get("value")) {
            // An empty document is a null to PyYAML and to us.
            (Ok(node), Some(Json::Null)) if node.is_null() => {}
            (Ok(node), Some(value)) if texts(node) == *value => taken += 1,
            (Err(_), None) => {}
            (Ok(_), None)
                if theirs["refusal"].as_str().is_some_and(|why| why.starts_with("found duplicate anchor")) => {}
            // We ask more: one document, keys that are texts, aliases outside of themselves.
            (Err(error), Some(_))
                if error.doubled_key || error.message.contains("a key") || error.message.contains("this alias") => {}
            _ => differ.push(format!("{text}\nours: {ours:?}\nPyYAML's: {theirs}\n")),
        }
    }
    assert!(taken > 2_000, "{taken} of {} are YAML", all.len());
    assert!(
        differ.is_empty(),
        "{} of {} differ:\n{}",
        differ.len(),
        all.len(),
        differ[..differ.len().min(5)].join("\n")
    );
}

proptest! {
    /// Neither does a text hang the parser or end it, nor does the dialect matter to what is YAML.
    #[test]
    fn every_text_is_read_or_refused(text in prop_oneof![text(), "[-:,\\[\\]{}#&*!|>'\"%@`? a\n\t\u{85}\u{feff}é]{0,40}"]) {
        let project = parse_as(&text, Limits::default(), Dialect::PROJECT);
        let template = parse_as(&text, Limits::default(), Dialect::TEMPLATE);
        prop_assert!(template.is_ok() || project.is_err() || text.contains("<<"));
        let places = |error: &cloudformation::source::ParseError| error.span.start.line <= text.lines().count() + 1;
        prop_assert!(project.as_ref().err().is_none_or(places), "{:?}", project);
    }
}
