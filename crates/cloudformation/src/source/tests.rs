//! The reading of YAML and JSON: trees, places, dialects, limits.

use super::*;
use serde_json::json;

fn tree(text: &str) -> Node {
    parse(text, Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    parse(text, Limits::default()).expect_err("this text should be refused").to_string()
}

#[test]
fn values_keep_their_places_and_tags() {
    let node = tree("a: 1\nb:\n  - !Ref X\n  - 'two'\n");
    assert_eq!(node.to_json(), json!({"a": 1, "b": ["X", "two"]}));
    let list = node.get("b").and_then(Node::as_list).expect("b is a list");
    assert_eq!(list[0].tag.as_deref(), Some("Ref"));
    assert_eq!((list[0].span.start.line, list[0].span.end.line), (3, 3));
    assert_eq!((list[1].span.start.line, list[1].span.start.column), (4, 5));
    assert_eq!(node.entry("b").map(|entry| entry.key_span.start.line), Some(2));
}

#[test]
fn json_is_read_too() {
    assert_eq!(tree("{\"a\": [1, true, null, \"x\\n\"]}").to_json(), json!({"a": [1, true, null, "x\n"]}));
}

#[test]
fn tags_of_functions_survive_both_forms() {
    assert_eq!(tree("!Fn::GetAtt a.b").tag.as_deref(), Some("Fn::GetAtt"));
    assert_eq!(tree("!Sub\n- x\n- {}").tag.as_deref(), Some("Sub"));
    assert_eq!(tree("!!str 12").to_json(), json!("12"));
}

#[test]
fn anchors_are_expanded() {
    assert_eq!(tree("a: &x {k: 1}\nb: *x").to_json(), json!({"a": {"k": 1}, "b": {"k": 1}}));
}

#[test]
fn empty_text_is_null_and_documents_are_counted() {
    assert!(tree("").is_null());
    assert!(tree("# only a comment\n").is_null());
    assert_eq!(parse_documents("a: 1\n---\nb: 2\n", Limits::default()).map(|d| d.len()), Ok(2));
    assert!(refused("a: 1\n---\nb: 2\n").contains("second document"));
}

#[test]
fn duplicate_keys_name_both_places() {
    let error = parse("a: 1\nb: 2\na: 3\n", Limits::default()).expect_err("duplicate");
    assert_eq!((error.span.start.line, error.span.start.column), (3, 1));
    assert_eq!(error.related.map(|(_, span)| span.start.line), Some(1));
}

#[test]
fn bombs_are_refused_quickly() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..30 {
        let refs = vec![format!("*a{}", i - 1); 10].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
    }
    assert!(refused(&text).contains("grow to more than"));
    assert!(refused(&"[".repeat(100)).contains("nested deeper"));
    assert!(!refused(&"[".repeat(100_000)).is_empty());
    assert!(refused(&"x".repeat(3 * 1024 * 1024)).contains("bytes"));
}

#[test]
fn syntax_errors_have_a_place() {
    assert!(refused("a: [1, 2\nb: 3\n").starts_with("line "));
    assert!(refused("a: *nothing\n").starts_with("line 1, column 4: there is no anchor `&nothing`"));
    assert!(refused("a: &a [*a]\n").contains("a node that contains it"));
    assert!(refused("a: é\u{7}\n").starts_with("line 1, column 5: control characters"));
    assert_eq!(refused("a:\n\tb: 1\n"), "line 2, column 1: a tab stands here; indent with spaces");
    assert_eq!(refused("a: @b\n"), "line 1, column 4: a value cannot start with `@`; put it in quotes");
    assert_eq!(refused("? : b\n"), "line 1, column 3: a key must be text");
    assert!(refused("? [a]\n: 1\n").contains("a key must be text"));
}

fn template(text: &str) -> serde_json::Value {
    let tree = parse_as(text, Limits::default(), Dialect::TEMPLATE).unwrap_or_else(|error| panic!("{error}"));
    tree.to_json()
}

#[test]
fn brackets_and_quotes_do_not_care_for_indentation() {
    let cases = [
        ("a: [\n  b,\n  c\n]\nd: e\n", json!({"a": ["b", "c"], "d": "e"})),
        ("a:\n  b: {\n  c: d\n  }\n  e: f\n", json!({"a": {"b": {"c": "d"}, "e": "f"}})),
        ("a:\n  - b: [\n    x\n    ]\n    c: d\n", json!({"a": [{"b": ["x"], "c": "d"}]})),
        ("a:\n  b: '{\n    c\n  }'\n  d: e\n", json!({"a": {"b": "{ c }", "d": "e"}})),
        ("a:\n  b: \"one\n  two\"\n  c: d\n", json!({"a": {"b": "one two", "c": "d"}})),
        ("a:\n  b: \"one\ntwo\n\nthree\"\n", json!({"a": {"b": "one two\nthree"}})),
        ("a: {b: [\n1,\n2]\n,c: d}\n", json!({"a": {"b": [1, 2], "c": "d"}})),
        ("a: !Sub '\n  x\n'\n", json!({"a": " x "})),
        ("a: [b, # c\n  d]\n", json!({"a": ["b", "d"]})),
        ("a: [\"b\",\n\t\"c\"]\n", json!({"a": ["b", "c"]})),
        ("%YAML 1.1\n---\na: b\t# c\n...\n", json!({"a": "b"})),
    ];
    for (text, expected) in cases {
        assert_eq!(template(text), expected, "{text}");
        assert_eq!(tree(text).to_json(), expected, "{text}");
    }
}

#[test]
fn templates_have_the_booleans_of_yaml_1_1() {
    let text = "[Yes, off, On, no, True, FALSE, y, N, 'yes', !!str no, yes sir]";
    let expected = json!([true, false, true, false, true, false, "y", "N", "yes", "no", "yes sir"]);
    assert_eq!(template(text), expected);
    assert_eq!(tree("[Yes, off]").to_json(), json!(["Yes", "off"]));
    assert_eq!(template("On: 1"), json!({"On": 1}));
    let named = template("Conditions: {Off: x}\nA: {Condition: Off, B: !If [Off, On]}");
    assert_eq!(named["A"], json!({"Condition": "Off", "B": ["Off", true]}));
}

#[test]
fn a_text_may_end_within_a_block_scalar() {
    let cases = [
        ("a: |\n  x", json!({"a": "x"})),
        ("a: |\n  x\n", json!({"a": "x\n"})),
        ("a: >\n  x\n  y", json!({"a": "x y"})),
        ("a: |-\n  x", json!({"a": "x"})),
        ("a: |+\n  x", json!({"a": "x"})),
        ("a: |+\n  x\n  ", json!({"a": "x\n"})),
        ("a: |\n  x\n  ", json!({"a": "x\n"})),
        ("a: |\n  x\n\n  y", json!({"a": "x\n\ny"})),
        ("a: |\n  x\n# y", json!({"a": "x\n"})),
        ("a: |\r\n  x\r\n  y", json!({"a": "x\ny"})),
        ("a:\n  - >-\n\n    x # y", json!({"a": ["\nx # y"]})),
        ("a: |", json!({"a": ""})),
        ("a: b", json!({"a": "b"})),
    ];
    for (text, expected) in cases {
        assert_eq!(tree(text).to_json(), expected, "{text:?}");
        assert_eq!(template(text), expected, "{text:?}");
    }
    let end = tree("a: |\n  é").get("a").map(|node| node.span.end.offset);
    assert_eq!(end, Some(8));
}

#[test]
fn numbers_of_templates_stay_as_they_were_written() {
    for text in ["1.30", "1e3", "0x1F", "0o17", "012", "1_000", "12345678901234567890123", "2012-10-17", "+1", "1:30"] {
        assert_eq!(template(text), json!(text));
    }
    assert_eq!(
        template("[1, -1, 1.5, 0, 12345678901234567890]"),
        json!([1, -1, 1.5, 0, 12_345_678_901_234_567_890_u64])
    );
}

#[test]
fn the_last_of_equal_keys_counts_for_cloudformation() {
    assert_eq!(template("a: 1\nb: 2\na: 3\n"), json!({"a": 3, "b": 2}));
    let own = parse_as("a: 1\na: 3\n", Limits::default(), Dialect::OWN_TEMPLATE).expect_err("doubled");
    assert_eq!(own.span.start.line, 2);
}

#[test]
fn tags_that_nobody_understands_are_refused_by_name() {
    for tag in ["binary", "timestamp", "omap", "pairs", "set"] {
        let error = refused(&format!("a:\n  - !!{tag} x\n"));
        assert!(error.starts_with("line 2, column 5") && error.contains(&format!("`!!{tag}`")), "{error}");
    }
    assert_eq!(tree("[!!int '12', !!seq [], !!map {}]").to_json(), json!([12, [], {}]));
}

#[test]
fn positions_count_characters_behind_other_scripts() {
    let node = tree("ü: 'é'\r\nb: [x, {c: ö}]\r\n");
    let inner = &node.get("b").and_then(Node::as_list).expect("a list")[1];
    let c = inner.entry("c").expect("c");
    assert_eq!((c.key_span.start.line, c.key_span.start.column, c.key_span.start.offset), (2, 9, 16));
    assert_eq!((c.value.span.start.column, c.value.span.end.column), (12, 13));
}
