//! One value of a YAML file set anew, with everything else as people wrote it: comments, order, flow and block style.

use cloudformation::source::{Limits, Node, Value, parse};
use serde_json::{Map, Value as Json};

/// The text with `value` (a scalar) at `path`; maps on the way are added where they are not there. None where that cannot
/// be done without touching anything else.
pub fn set(text: &str, path: &[&str], value: &Json) -> Option<String> {
    let root = parse(text, Limits::default()).ok()?;
    let scalar = scalar(value)?;
    let (node, depth) = deepest(&root, path);
    let rest = &path[depth..];
    let bytes = |offset: usize| text.char_indices().nth(offset).map_or(text.len(), |(at, _)| at);
    let (from, to) = (bytes(node.span.start.offset), bytes(node.span.end.offset));
    let edited = match (&node.value, rest) {
        (Value::Scalar(_), []) if !node.is_null() => {
            replaced(text, from, to.min(from + text[from..].find('\n').unwrap_or(usize::MAX - from)), &scalar)
        }
        (Value::Map(entries), [key, below @ ..]) => {
            let inside = below.iter().rev().fold(scalar, |inner, key| format!("{{{key}: {inner}}}"));
            match text[from..].starts_with('{') {
                true => {
                    let close = from + text[from..to].rfind('}')?;
                    let end = from + text[from..close].trim_end().len();
                    let comma = if entries.is_empty() { "" } else { ", " };
                    replaced(text, end, end, &format!("{comma}{key}: {inside}"))
                }
                false => {
                    let (first, last) = (entries.first()?, entries.last()?);
                    let indent = " ".repeat(first.key_span.start.column - 1);
                    let last_end = bytes(last.value.span.end.offset).max(bytes(last.key_span.end.offset));
                    // The end of a block may be where the next thing begins.
                    let last_end = text[..last_end].trim_end().len();
                    let line_end = text[last_end..].find('\n').map_or(text.len(), |at| last_end + at);
                    replaced(text, line_end, line_end, &format!("\n{indent}{key}: {inside}"))
                }
            }
        }
        _ => return None,
    };
    // Whatever the layout was: the file must say what it said, and the new value.
    let mut wanted = root.to_json();
    put(&mut wanted, path, value)?;
    let found = parse(&edited, Limits::default()).ok()?.to_json();
    (found == wanted).then_some(edited)
}

/// The deepest node on the way that is there, and how many steps lead to it.
fn deepest<'n>(root: &'n Node, path: &[&str]) -> (&'n Node, usize) {
    let (mut node, mut depth) = (root, 0);
    while let Some(next) = path.get(depth).and_then(|key| node.get(key)) {
        (node, depth) = (next, depth + 1);
    }
    (node, depth)
}

fn replaced(text: &str, from: usize, to: usize, by: &str) -> String {
    format!("{}{by}{}", &text[..from], &text[to..])
}

/// As YAML reads it back: plain where that means the same, else quoted.
fn scalar(value: &Json) -> Option<String> {
    let plain = match value {
        Json::String(text) => text.clone(),
        Json::Number(_) | Json::Bool(_) => return Some(value.to_string()),
        _ => return None,
    };
    let safe = !plain.is_empty()
        && plain.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c))
        && !plain.starts_with('-')
        // Older readers of YAML take these for numbers and for truth.
        && !plain.chars().all(|c| c.is_ascii_digit())
        && !["yes", "no", "on", "off", "y", "n"].contains(&plain.to_ascii_lowercase().as_str())
        && parse(&plain, Limits::default()).is_ok_and(|node| node.to_json() == *value);
    Some(if safe { plain } else { value.to_string() })
}

fn put(document: &mut Json, path: &[&str], value: &Json) -> Option<()> {
    let (last, above) = path.split_last()?;
    let mut here = document;
    for key in above {
        let map = here.as_object_mut()?;
        here = map.entry(*key).or_insert_with(|| Json::Object(Map::new()));
    }
    here.as_object_mut()?.insert((*last).to_owned(), value.clone());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FILE: &str = "\
# The environment.
extends: base   # starts there
stacks:
  network: {inputs: {cidr: 10.0.0.0/16}}   # one line
  api:
    template: fargate-service
    inputs:
      cpu: 512   # half a core
      count: {min: 1, max: 2}
  empty: {}

# The end.
";

    fn edited(path: &[&str], value: Json) -> String {
        let edited = set(FILE, path, &value).unwrap_or_else(|| "(not possible)".to_owned());
        let diff = similar::TextDiff::from_lines(FILE, &edited);
        let changes = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
        changes.map(|change| format!("{}{}", change.tag(), change.value())).collect()
    }

    #[test]
    fn values_are_replaced_and_added_in_the_style_around_them() {
        let stack = |rest: &[&'static str]| -> Vec<&str> { ["stacks"].iter().chain(rest).copied().collect() };
        insta::assert_snapshot!(edited(&stack(&["api", "inputs", "cpu"]), json!(1024)), @r"
        -      cpu: 512   # half a core
        +      cpu: 1024   # half a core
        ");
        insta::assert_snapshot!(edited(&stack(&["api", "inputs", "count", "max"]), json!(6)), @r"
        -      count: {min: 1, max: 2}
        +      count: {min: 1, max: 6}
        ");
        insta::assert_snapshot!(edited(&stack(&["api", "inputs", "memory"]), json!(2048)), @"+      memory: 2048");
        insta::assert_snapshot!(edited(&stack(&["network", "inputs", "nat"]), json!("per-zone")), @r"
        -  network: {inputs: {cidr: 10.0.0.0/16}}   # one line
        +  network: {inputs: {cidr: 10.0.0.0/16, nat: per-zone}}   # one line
        ");
        insta::assert_snapshot!(edited(&stack(&["empty", "inputs", "note"]), json!("yes: it is")), @r#"
        -  empty: {}
        +  empty: {inputs: {note: "yes: it is"}}
        "#);
        insta::assert_snapshot!(edited(&stack(&["other", "inputs", "days"]), json!("0123")), @r#"+  other: {inputs: {days: "0123"}}"#);
        assert_eq!(set(FILE, &["stacks", "api", "template", "x"], &json!(1)), None, "a scalar holds nothing");
        assert_eq!(set(FILE, &["stacks", "api"], &json!(1)), None, "a map is no scalar");
    }
}
