//! Text as CloudFormation gives it back. It works with what it was sent, and answers in ASCII: every other character comes back
//! as `?` (cloudformation-coverage-roadmap, issues 814 and 1220), in templates, parameters, tags, outputs, events alike.

use std::borrow::Cow;

/// The text as an answer shows it: a `?` for each character outside ASCII.
pub fn in_ascii(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()),
    }
}

/// Whether an answer that shows `shown` may speak of `text`.
pub fn shows(shown: &str, text: &str) -> bool {
    shown == text || (shown.contains('?') && in_ascii(text) == shown)
}

/// JSON that says the same in pure ASCII: `\u00fc`. CloudFormation gives such a text back as it was sent, and resources get
/// what it stands for.
pub fn escaped(json: &str) -> Cow<'_, str> {
    if json.is_ascii() {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() * 2);
    let mut units = [0; 2];
    for c in json.chars() {
        match c.is_ascii() {
            true => text.push(c),
            // Only texts hold other characters, and in a text each may be written so.
            false => c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_outside_ascii_is_one_question_mark() {
        assert_eq!(in_ascii("Lesen für Prüfer"), "Lesen f?r Pr?fer");
        assert_eq!(in_ascii("a😀b請"), "a?b?");
        assert!(shows("Pr?fer", "Prüfer") && shows("what?", "what?") && shows("plain", "plain"));
        assert!(!shows("Prufer", "Prüfer") && !shows("Pr??fer", "Prüfer"));
    }

    #[test]
    fn escapes_say_the_same() {
        let json = r#"{"Text":"für 😀 \"請\" \\ü"}"#;
        let text = escaped(json);
        assert!(text.is_ascii() && text.contains(r"\u00fc") && text.contains(r"\ud83d\ude00"), "{text}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&text), read(json));
    }
}
