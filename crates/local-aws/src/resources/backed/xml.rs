//! The XML of S3's configurations as JSON and back: a member for each element, a list where one stands several times.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value as Json};

/// Deeper documents are not read: S3's have six levels.
const DEEPEST: usize = 32;

/// The content of the document's root; `None` if it is not well-formed.
pub(super) fn read(bytes: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => return content(&mut reader, 0),
            Event::Empty(_) => return Some(Json::Object(Map::new())),
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn content(reader: &mut Reader<&[u8]>, depth: usize) -> Option<Json> {
    if depth > DEEPEST {
        return None;
    }
    let mut members: Map<String, Json> = Map::new();
    let mut text = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                let value = content(reader, depth + 1)?;
                add(&mut members, name, value);
            }
            Event::Empty(start) => {
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                add(&mut members, name, Json::String(String::new()));
            }
            Event::Text(part) => text.push_str(&part.unescape().ok()?),
            Event::CData(part) => text.push_str(&String::from_utf8_lossy(&part)),
            Event::End(_) if members.is_empty() => return Some(Json::String(text.trim().to_owned())),
            Event::End(_) => return Some(Json::Object(members)),
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn add(members: &mut Map<String, Json>, name: String, value: Json) {
    match members.get_mut(&name) {
        Some(Json::Array(list)) => list.push(value),
        Some(first) => *first = Json::Array(vec![first.take(), value]),
        None => {
            members.insert(name, value);
        }
    }
}

/// A document.
pub(super) fn write(root: &str, value: &Json) -> String {
    let mut out = format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    inside(value, &mut out);
    out.push_str(&format!("</{root}>"));
    out
}

fn inside(value: &Json, out: &mut String) {
    match value {
        Json::Object(members) => members.iter().for_each(|(name, value)| element(name, value, out)),
        Json::String(text) => out.push_str(&quick_xml::escape::escape(text)),
        Json::Null => {}
        other => out.push_str(&other.to_string()),
    }
}

fn element(name: &str, value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| element(name, item, out)),
        Json::Null => {}
        _ => {
            out.push_str(&format!("<{name}>"));
            inside(value, out);
            out.push_str(&format!("</{name}>"));
        }
    }
}

/// A value that stands once or several times, as a list.
pub(super) fn list(value: &Json) -> Vec<Json> {
    match value {
        Json::Array(items) => items.clone(),
        Json::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_come_back() {
        let document = json!({"Rule": [{"ID": "a & b", "Days": "1"}, {"ID": "c", "Filter": {"Prefix": "<x>"}}]});
        let text = write("Configuration", &document);
        assert!(text.contains("<ID>a &amp; b</ID>"), "{text}");
        assert_eq!(read(text.as_bytes()), Some(document));
        assert_eq!(read(b"<A"), None);
        assert_eq!(read(b"<A/>"), Some(json!({})));
        assert_eq!(list(&json!("x")), [json!("x")]);
    }
}
