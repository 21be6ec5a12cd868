//! One JSON object a line on stdout: `type` and `timestamp` first, then what the event carries. docs/json.md describes
//! them, `docs/schemas/events.json` checks them.

use crate::apply::Event;
use crate::model::sensitive::hide;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::io::Write;

/// `major.minor` of the stream; a minor step only adds types and keys.
pub const FORMAT_VERSION: &str = "1.0";

pub(super) struct JsonLines;

impl JsonLines {
    /// The first line says what the others are.
    pub fn start() -> JsonLines {
        write(&line("version", &json!({"format_version": FORMAT_VERSION, "infra_version": env!("CARGO_PKG_VERSION")})));
        JsonLines
    }

    pub fn event(&mut self, event: &Event) {
        if let Some(line) = event_line(event) {
            write(&line);
        }
    }
}

/// One event as an object. Goes through a value, because an outcome names its stack once more.
pub(super) fn event_line(event: &Event) -> Option<Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(event) else { return None };
    let mut line = Map::new();
    for key in ["type", "timestamp", "stack"] {
        if let Some(value) = fields.shift_remove(key) {
            line.insert(key.to_owned(), value);
        }
    }
    line.extend(fields);
    Some(Value::Object(line))
}

/// A line that is no event: `{"type": …, "timestamp": …, fields}`.
pub fn line(kind: &str, fields: &impl Serialize) -> Value {
    let mut line = Map::new();
    line.insert("type".to_owned(), kind.into());
    line.insert("timestamp".to_owned(), Timestamp::now().to_string().into());
    if let Ok(Value::Object(fields)) = serde_json::to_value(fields) {
        line.extend(fields);
    }
    Value::Object(line)
}

/// A reader that went away stops nothing.
pub fn write(line: &Value) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", hide(&line.to_string())).and_then(|()| stdout.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::schema_errors;

    #[test]
    fn every_event_is_as_the_schema_says() {
        let mut types = std::collections::BTreeSet::new();
        for event in super::super::samples::events() {
            let line = event_line(&event).unwrap();
            types.insert(line["type"].to_string());
            assert_eq!(schema_errors("events", &line), Vec::<String>::new(), "{line}");
        }
        let version = line("version", &json!({"format_version": FORMAT_VERSION, "infra_version": "0.1.0"}));
        assert_eq!(schema_errors("events", &version), Vec::<String>::new());
        // A schema that knows more types than there are would describe what does not exist.
        let schema = include_str!("../../../docs/schemas/events.json");
        let known = schema.matches("\"type\": {\n          \"const\"").count();
        // `stack_finished` and `asset_finished` are there once for each of five outcomes.
        let (printed_elsewhere, outcomes) = (2, 2 * 4);
        assert_eq!(known, types.len() + printed_elsewhere + outcomes);
    }

    #[test]
    fn a_line_begins_with_what_it_is() {
        let events = super::super::samples::events();
        let mut lines = events.iter().map(|event| event_line(event).unwrap().to_string());
        let line = lines.find(|line| line.contains(r#""outcome":"done""#)).unwrap();
        insta::assert_snapshot!(line, @r#"{"type":"stack_finished","timestamp":"2026-02-02T02:40:00Z","stack":"network","stack_name":"storefront-prod-network","action":"create","outcome":"done","outputs":{"VpcId":"vpc-1"},"elapsed_seconds":92.5}"#);
    }
}
