//! Values of a plan as text: on one line, or as lines of which only what differs is shown with its surroundings.

use super::Sign;
use crate::plan::{SENSITIVE_PART, UNKNOWN_PART, Value};
use crate::view::text;
use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};

/// Unchanged lines around a changed one.
const CONTEXT: usize = 3;
/// Columns up to which a list or a map inside a document stays on one line.
const INLINE_WIDTH: usize = 72;

pub(in crate::view) trait Known {
    /// The value itself, where it is known and may be seen.
    fn known(&self) -> Option<&Json>;
}

impl Known for Value {
    fn known(&self) -> Option<&Json> {
        match self {
            Value::Known(value) => Some(value),
            Value::Absent | Value::Unknown | Value::Sensitive => None,
        }
    }
}

/// The value on one line, as JSON; words in brackets where there is none to show.
pub(in crate::view) fn inline(value: &Value) -> String {
    match value {
        Value::Absent => "(none)".to_owned(),
        Value::Known(value) => spaced(value),
        Value::Unknown => UNKNOWN_PART.to_owned(),
        Value::Sensitive => SENSITIVE_PART.to_owned(),
    }
}

/// The text with twelve digits of every SHA-256 digest, which is as many as people compare.
pub(in crate::view) fn with_short_digests(text: &str) -> String {
    const SHOWN: usize = 12;
    const WHOLE: usize = 64;
    let mut short = String::with_capacity(text.len());
    for (index, part) in text.split("sha256:").enumerate() {
        if index > 0 {
            short.push_str("sha256:");
        }
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        if index > 0 && digits == WHOLE {
            short.push_str(&part[..SHOWN]);
            short.push('…');
            short.push_str(&part[WHOLE..]);
        } else {
            short.push_str(part);
        }
    }
    short
}

/// JSON on one line with a space after colons and commas, as people write it.
fn spaced(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", Json::from(key.as_str()), spaced(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        // Words that stand for a value, not a text that says so.
        Json::String(text) if text == UNKNOWN_PART || text == SENSITIVE_PART => text.clone(),
        scalar => scalar.to_string(),
    }
}

/// The lines by which two values differ, each with its sign; [`Sign::None`] for what surrounds them.
pub(in crate::view) fn lines(before: &Value, after: &Value) -> Vec<(Sign, String)> {
    let (before, after) = (spread(before), spread(after));
    let diff = TextDiff::from_lines(&before, &after);
    let mut lines = Vec::new();
    let groups = diff.grouped_ops(CONTEXT);
    for (index, group) in groups.iter().enumerate() {
        let skipped = group.first().is_some_and(|op| op.old_range().start > 0 || op.new_range().start > 0);
        if index > 0 || skipped {
            lines.push((Sign::None, "…".to_owned()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => Sign::Remove,
                ChangeTag::Insert => Sign::Add,
                ChangeTag::Equal => Sign::None,
            };
            lines.push((sign, change.value().trim_end_matches('\n').to_owned()));
        }
    }
    let end = groups.last().and_then(|group| group.last()).map(|op| op.old_range().end);
    if end.is_some_and(|end| end < before.lines().count()) {
        lines.push((Sign::None, "…".to_owned()));
    }
    lines
}

/// The value over several lines: documents indented (policies are often JSON inside a string), texts as they are.
fn spread(value: &Value) -> String {
    let text = match value {
        Value::Absent => return String::new(),
        Value::Known(Json::String(text)) => match serde_json::from_str::<Json>(text) {
            Ok(document @ (Json::Object(_) | Json::Array(_))) => pretty(&document),
            _ if text.contains('\n') => text.clone(),
            _ => Json::from(text.as_str()).to_string(),
        },
        Value::Known(value) => pretty(value),
        other => inline(other),
    };
    text.trim_end_matches('\n').to_owned() + "\n"
}

/// Indented JSON with a comma after every item, so that an added last item does not change the line before it. What fits
/// stands on one line.
fn pretty(value: &Json) -> String {
    let mut text = String::new();
    write_pretty(value, 0, "", &mut text);
    text
}

fn write_pretty(value: &Json, depth: usize, end: &str, text: &mut String) {
    let inline = spaced(value);
    let (open, close) = match value {
        Json::Array(items) if !items.is_empty() => ('[', ']'),
        Json::Object(map) if !map.is_empty() => ('{', '}'),
        _ => return *text += &format!("{inline}{end}\n"),
    };
    if depth > 0 && depth * 2 + text::columns(&inline) <= INLINE_WIDTH && !holds_documents(value) {
        return *text += &format!("{inline}{end}\n");
    }
    *text += &format!("{open}\n");
    let indent = "  ".repeat(depth + 1);
    match value {
        Json::Array(items) => {
            for item in items {
                *text += &indent;
                write_pretty(item, depth + 1, ",", text);
            }
        }
        Json::Object(map) => {
            for (key, item) in map {
                *text += &format!("{indent}{}: ", Json::from(key.as_str()));
                write_pretty(item, depth + 1, ",", text);
            }
        }
        _ => {}
    }
    *text += &format!("{}{close}{end}\n", "  ".repeat(depth));
}

/// Somewhere inside is a list of documents, whose items should have lines of their own.
fn holds_documents(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.iter().any(|item| item.is_object() || item.is_array()),
        Json::Object(map) => map.values().any(holds_documents),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known(value: Json) -> Value {
        Value::Known(value)
    }

    /// Signs and lines as one text.
    fn drawn(before: Json, after: Json) -> String {
        let lines = lines(&known(before), &known(after));
        lines.iter().map(|(sign, line)| format!("{:1} {line}\n", sign.symbol())).collect()
    }

    #[test]
    fn an_added_last_item_is_one_line() {
        let before = json!([{"Name": "A", "Value": "1"}]);
        let after = json!([{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}]);
        insta::assert_snapshot!(drawn(before, after), @r#"
          [
            {"Name": "A", "Value": "1"},
        +   {"Name": "B", "Value": "2"},
          ]
        "#);
    }

    #[test]
    fn json_inside_a_string_is_compared_as_json() {
        let policy = |action: &str| {
            json!(
                json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
                    .to_string()
            )
        };
        insta::assert_snapshot!(drawn(policy("s3:*"), policy("s3:GetObject")), @r#"
          {
            "Version": "2012-10-17",
            "Statement": [
        -     {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        +     {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
            ],
          }
        "#);
    }

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let text = |changed: &str| {
            json!(
                (1..=9).map(|n| if n == 5 { changed.to_owned() } else { n.to_string() }).collect::<Vec<_>>().join("\n")
            )
        };
        insta::assert_snapshot!(drawn(text("old"), text("new")), @r"
          …
          2
          3
          4
        - old
        + new
          6
          7
          8
          …
        ");
    }

    #[test]
    fn parts_that_nobody_knows_are_no_texts() {
        let value = json!({"Id": UNKNOWN_PART, "Name": "x"});
        assert_eq!(inline(&known(value)), r#"{"Id": (known after apply), "Name": "x"}"#);
    }

    #[test]
    fn digests_are_short() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(with_short_digests(&format!("a@sha256:{digest}\" sha256:12")), "a@sha256:0123456789ab…\" sha256:12");
    }

    #[test]
    fn nothing_is_shown_of_secrets() {
        assert_eq!(inline(&Value::Sensitive), "(sensitive)");
        assert_eq!(
            lines(&Value::Sensitive, &known(json!("x"))).first(),
            Some(&(Sign::Remove, "(sensitive)".to_owned()))
        );
    }
}
