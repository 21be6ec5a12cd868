//! What may stand in YAML as it is: the rule that keeps values from becoming structure, or other values.

/// Whether a plain scalar with this text is this very string, in YAML 1.1 as in YAML 1.2, wherever it stands.
pub fn is_plain(text: &str) -> bool {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return false };
    (first.is_ascii_alphanumeric() || matches!(first, '_' | '/' | '.'))
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | ':' | '-'))
        && !text.ends_with(':')
        && !is_ambiguous(text)
}

/// Whether some version of YAML reads this text, written plainly, as something else than text.
pub fn is_ambiguous(text: &str) -> bool {
    is_word(text) || is_number(text) || is_date(text)
}

/// Null, booleans, and the end of a document.
fn is_word(text: &str) -> bool {
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"];
    text == "..." || words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Numbers in any notation of YAML 1.1 or 1.2: decimal, octal, hexadecimal, binary, base 60, with points, exponents and
/// underscores. Rather too many than too few: `1.2.3` matches YAML 1.1's float.
fn is_number(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let radix = |prefix: &str, digits: &str| {
        lower.strip_prefix(prefix).is_some_and(|rest| rest.chars().all(|c| c == '_' || digits.contains(c)))
    };
    let mantissa = lower.split_once('e').map_or(lower.as_str(), |(mantissa, exponent)| {
        let digits = exponent.trim_start_matches('-');
        if digits.chars().all(|c| c.is_ascii_digit() || c == '_') { mantissa } else { lower.as_str() }
    });
    let decimal = mantissa.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | ':'));
    decimal || radix("0x", "0123456789abcdef") || radix("0o", "01234567") || radix("0b", "01")
}

/// Anything that starts as a date of YAML 1.1: four digits, a hyphen, a digit.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 5 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && bytes[5].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::source::{Limits, parse};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn plain_texts() {
        for text in [
            "a",
            "vpc-0123",
            "10.0.0.0/16",
            "fastapi-a",
            "PriceClass_100",
            "X86_64",
            "arn:aws:sns:us-east-1:1:t",
            "_x",
            "/a/b",
            "t3.micro",
            "us-east-1",
            "a:b",
            "1a",
            "5m",
            "logs/",
            ".well-known",
            "2024a",
            "a..b",
            "0xfg",
            "1e",
        ] {
            // "1e" alone is text, but one digit behind it would make it a number.
            assert_eq!(is_plain(text), text != "1e", "{text:?}");
        }
    }

    #[test]
    fn texts_that_need_quotes() {
        for text in [
            "",
            "yes",
            "No",
            "ON",
            "null",
            "Null",
            "~",
            "true",
            "TRUE",
            "n",
            "0123",
            "12",
            "1e3",
            "1E-3",
            "1:30",
            "1_000",
            "0x1F",
            "0o17",
            "0b1",
            "1.5",
            ".5",
            "1.",
            "1.2.3",
            ".inf",
            ".NaN",
            "...",
            "2024-01-01",
            "2001-12-14t21:59:43",
            "a:",
            "a: b",
            "-a",
            "- a",
            "a #b",
            "#a",
            "*a",
            "&a",
            "!a",
            "a b",
            "a,b",
            "[a",
            "{a",
            "ü",
            "a\nb",
            "a'b",
            "<<",
            "=",
            "@a",
            "`a",
            "%a",
            ":a",
            "a\u{0}",
            "+1",
            "111122223333",
            "123456789012345678901234567890",
        ] {
            assert!(!is_plain(text), "{text:?}");
        }
    }

    proptest! {
        /// A text that passes is that very string alone, behind a key, in a flow list, in a flow map, and as a key.
        #[test]
        fn what_is_plain_is_read_as_it_is(text in "[a-zA-Z0-9._/:#, \\-]{0,12}|[0-9a-fxobe._:-]{0,6}|[yYnNoOfFtTrRuUeEsSlL~.]{0,5}") {
            if is_plain(&text) {
                for (yaml, expected) in [
                    (text.clone(), json!(text)),
                    (format!("k: {text}\n"), json!({"k": text})),
                    (format!("- {text}\n- b"), json!([text, "b"])),
                    (format!("[{text}, {text}]"), json!([text, text])),
                    (format!("{{k: {text}}}"), json!({"k": text})),
                    (format!("{text}: 1"), json!({&text: 1})),
                ] {
                    let node = parse(&yaml, Limits::default());
                    prop_assert_eq!(node.map(|node| node.to_json()), Ok(expected), "{:?}", yaml);
                }
            }
        }
    }
}
