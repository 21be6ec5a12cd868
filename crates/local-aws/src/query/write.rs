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
    envelope(action, namespace, |xml| {
        if !result.is_null() {
            xml.value(&format!("{action}Result"), result);
        }
    })
}

/// The same for a result whose content was written before, by [`element`].
pub(crate) fn answer_written<'a>(
    action: &str,
    namespace: &str,
    content: impl IntoIterator<Item = &'a str>,
) -> Response {
    let result = format!("{action}Result");
    envelope(action, namespace, |xml| {
        xml.open(&result);
        content.into_iter().for_each(|part| xml.0.push_str(part));
        xml.close(&result);
    })
}

/// One element of a result; nothing for `null`.
pub(crate) fn element(name: &str, value: &Json) -> String {
    let mut xml = Xml(String::new());
    xml.value(name, value);
    xml.finish()
}

fn envelope(action: &str, namespace: &str, result: impl FnOnce(&mut Xml)) -> Response {
    let response = format!("{action}Response");
    let mut xml = Xml::new();
    xml.open_root(&response, namespace);
    result(&mut xml);
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
    // Byte by byte: U+FFFE and U+FFFF alone need more than their first.
    let special = |byte: &u8| matches!(byte, b'&' | b'<' | b'>' | b'"' | 0..=8 | 0xb..=0x1f | 0xef);
    if !text.as_bytes().iter().any(special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + text.len() / 4);
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let (length, instead) = match byte {
            b'&' => (1, "&amp;"),
            b'<' => (1, "&lt;"),
            b'>' => (1, "&gt;"),
            b'"' => (1, "&quot;"),
            b'\r' => (1, "&#xD;"),
            0..=8 | 0xb..=0x1f => (1, "\u{fffd}"),
            0xef if text[at..].starts_with(['\u{fffe}', '\u{ffff}']) => (3, "\u{fffd}"),
            _ => continue,
        };
        escaped.push_str(&text[from..at]);
        escaped.push_str(instead);
        from = at + length;
    }
    escaped.push_str(&text[from..]);
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What escape means, character by character.
    fn plainly(text: &str) -> String {
        let one = |c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\r' => "&#xD;".to_owned(),
            '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}'.to_string(),
            c => c.to_string(),
        };
        text.chars().map(one).collect()
    }

    proptest::proptest! {
        #[test]
        fn every_character_is_escaped_by_itself(text in r#"[a"&<>\r\n\t\x00\x0b\x1f\u{e9}\u{fffd}-\u{ffff}\u{10000}]{0,24}"#) {
            assert_eq!(escape(&text), plainly(&text));
        }
    }

    #[test]
    fn what_was_written_before_is_answered_as_if_written_now() {
        let (value, token) = (json!([{"EventId": "a<b"}, {"EventId": "c"}]), json!("t"));
        let now = answer("List", "http://ns/", &json!({"Events": value, "NextToken": token}));
        let events: Vec<String> = value.as_array().into_iter().flatten().map(|it| element("member", it)).collect();
        let parts =
            [["<Events>"].as_slice(), &[&events[0], &events[1]], &["</Events>"], &[&element("NextToken", &token)]];
        let before = answer_written("List", "http://ns/", parts.concat());
        assert_eq!(before.body(), now.body());
    }
}
