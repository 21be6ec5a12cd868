//! JSON writes a character beyond the basic plane as two escapes (`\ud83d\ude00`), which YAML does not know.

use std::borrow::Cow;

/// The text with such pairs as one escape of YAML. Only texts of JSON have any that count: all that is quoted there is in double
/// quotes.
pub(super) fn joined(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") || !text.trim_start().starts_with(['{', '[']) {
        return Cow::Borrowed(text);
    }
    let mut joined = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        joined.push_str(&rest[..at]);
        rest = &rest[at..];
        let pair = unit(rest).zip(rest.get(6..).and_then(unit));
        let whole =
            pair.and_then(|(high, low)| char::decode_utf16([high, low]).next()?.ok().filter(|c| *c > '\u{ffff}'));
        let length = match whole {
            Some(c) => {
                joined.push_str(&format!("\\U{:08x}", c as u32));
                12
            }
            // An escape, and what it escapes.
            None => {
                let length = rest.chars().take(2).map(char::len_utf8).sum();
                joined.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    joined.push_str(rest);
    Cow::Owned(joined)
}

/// The unit of UTF-16 that a text begins with the escape of.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn pairs_become_one_and_all_else_stays() {
        assert_eq!(
            joined(r#"{"a": "\ud83d\ude00 \u00fc \\ud83d\\ude00"}"#),
            r#"{"a": "\U0001f600 \u00fc \\ud83d\\ude00"}"#
        );
        for text in [r#"{"a": "\ud83d"}"#, r"a: \ud83d\ude00", r#"{"a": "\"#, "{}"] {
            assert_eq!(joined(text), text);
        }
    }
}
