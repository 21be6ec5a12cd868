//! Answers in XML as JSON: an object for an element with others inside, a list where those are all called `item`, `member`
//! or `entry`, null for an empty one, else its text.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value as Json;

/// The content of the document's root; null if it cannot be read.
pub(super) fn read(text: &str) -> Json {
    let mut reader = Reader::from_str(text);
    content(&mut reader, true)
        .and_then(|mut root| root.as_object_mut()?.values_mut().next().map(Json::take))
        .unwrap_or_default()
}

/// Everything up to the end of the element that is open, or of the text where none is.
fn content(reader: &mut Reader<&[u8]>, outermost: bool) -> Option<Json> {
    let (mut members, mut text): (Vec<(String, Json)>, String) = Default::default();
    loop {
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = name(start.local_name().as_ref());
                members.push((name, content(reader, false)?));
            }
            Event::Empty(start) => members.push((name(start.local_name().as_ref()), Json::Null)),
            Event::Text(part) => text.push_str(&part.unescape().ok()?),
            Event::CData(part) => text.push_str(&String::from_utf8_lossy(&part)),
            Event::End(_) => break,
            Event::Eof if outermost => break,
            Event::Eof => return None,
            _ => {}
        }
    }
    let is_item = |(name, _): &(String, Json)| ["item", "member", "entry"].contains(&name.as_str());
    Some(match text.trim() {
        _ if !members.is_empty() && members.iter().all(is_item) => {
            members.into_iter().map(|(_, value)| value).collect()
        }
        _ if !members.is_empty() => Json::Object(members.into_iter().collect()),
        "" => Json::Null,
        text => Json::String(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_become_values() {
        let text = "<?xml version=\"1.0\"?><Answer xmlns=\"urn:x\"><A><item><B>1</B></item><item><B>a &amp; b</B></item></A>\
            <C/><D></D><E><member>x</member></E></Answer>";
        let expected = json!({"A": [{"B": "1"}, {"B": "a & b"}], "C": null, "D": null, "E": ["x"]});
        assert_eq!(read(text), expected);
        assert_eq!(read("no XML"), Json::Null);
        assert_eq!(read("<A><B>"), Json::Null);
    }
}
