//! JSON becomes the XML that Query clients read.

use super::fault::{request_id, respond};
use crate::door::Response;
use http::StatusCode;
use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;

/// The answer to `action`: `<XResponse><XResult>…</XResult><ResponseMetadata>…`.
///
/// Lists are written as `<member>`s, numbers and booleans as text, members that are `null` not at all. A result that is
/// `null` has no element, as operations without output do.
pub fn answer(action: &str, namespace: &str, result: &Json) -> Response {
    let (response, result_name) = (format!("{action}Response"), format!("{action}Result"));
    let mut xml = Xml::new();
    xml.open_root(&response, namespace);
    if !result.is_null() {
        xml.value(&result_name, result);
    }
    xml.open("ResponseMetadata");
    xml.leaf("RequestId", &request_id());
    xml.close("ResponseMetadata");
    xml.close(&response);
    respond(StatusCode::OK, xml.finish())
}

/// What a map is written from: JSON alone does not tell maps from structures.
pub fn entries(map: &Map<String, Json>) -> Json {
    let entries: Vec<Json> = map.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({ "entry": entries })
}

/// XML without mixed content.
pub(super) struct Xml(String);

impl Xml {
    pub fn new() -> Self {
        Xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }

    pub fn open_root(&mut self, name: &str, namespace: &str) {
        self.0.push_str(&format!("<{name} xmlns=\"{}\">", escape(namespace)));
    }

    pub fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    pub fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    pub fn leaf(&mut self, name: &str, text: &str) {
        self.open(name);
        self.0.push_str(&escape(text));
        self.close(name);
    }

    pub fn finish(self) -> String {
        self.0
    }

    fn value(&mut self, name: &str, value: &Json) {
        match value {
            Json::Null => {}
            Json::Bool(value) => self.leaf(name, if *value { "true" } else { "false" }),
            Json::Number(number) => self.leaf(name, &number.to_string()),
            Json::String(text) => self.leaf(name, text),
            // The items of a map, see `entries`.
            Json::Array(items) if name == "entry" => items.iter().for_each(|item| self.value(name, item)),
            Json::Array(items) => {
                self.open(name);
                items.iter().for_each(|item| self.value("member", item));
                self.close(name);
            }
            Json::Object(members) => {
                self.open(name);
                members.iter().for_each(|(name, value)| self.value(name, value));
                self.close(name);
            }
        }
    }
}

/// Text as XML 1.0 can hold it. A carriage return would be read as a line feed, and other control characters are not
/// allowed in any form.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let special =
        |c: char| matches!(c, '&' | '<' | '>' | '"' | '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#xD;"),
            c if special(c) => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}
