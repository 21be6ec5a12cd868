//! Forms of identifiers and attributes, as facts are written down: `arn:{partition}:sns:{region}:{account}:{TopicName}`.
//!
//! A part in braces is a value that a caller knows by name, or random characters of a number (`{hex:17}`). A form both
//! makes a text and reads one: what an identifier was made of can be told from it.

use crate::ids::Ids;

/// A part of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'f> {
    Text(&'f str),
    Random(Alphabet, usize),
    Value(&'f str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Hex,
    Alphanumeric,
    Lower,
    Upper,
    UpperHex,
    Digits,
    Uuid,
}

impl Alphabet {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "hex" => Alphabet::Hex,
            "alnum" => Alphabet::Alphanumeric,
            "lower" => Alphabet::Lower,
            "upper" => Alphabet::Upper,
            "upper_hex" => Alphabet::UpperHex,
            "digits" => Alphabet::Digits,
            "uuid" => Alphabet::Uuid,
            _ => return None,
        })
    }

    fn draw(self, ids: &Ids, length: usize) -> String {
        match self {
            Alphabet::Hex => ids.hex(length),
            Alphabet::Alphanumeric => ids.alphanumeric(length),
            Alphabet::Lower => ids.lower(length),
            Alphabet::Upper => ids.upper(length),
            Alphabet::UpperHex => ids.hex(length).to_uppercase(),
            Alphabet::Digits => ids.digits(length),
            Alphabet::Uuid => ids.uuid(),
        }
    }

    fn contains(self, byte: u8) -> bool {
        match self {
            Alphabet::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Alphabet::Alphanumeric => byte.is_ascii_alphanumeric(),
            Alphabet::Lower => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            Alphabet::Upper => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Alphabet::UpperHex => byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte),
            Alphabet::Digits => byte.is_ascii_digit(),
            Alphabet::Uuid => byte == b'-' || Alphabet::Hex.contains(byte),
        }
    }
}

/// The text of a form; `None` if `value` does not know one of its names.
pub(super) fn fill(form: &str, ids: &Ids, mut value: impl FnMut(&str) -> Option<String>) -> Option<String> {
    parts(form)
        .map(|part| match part {
            Part::Text(text) => Some(text.to_owned()),
            Part::Random(alphabet, length) => Some(alphabet.draw(ids, length)),
            Part::Value(name) => value(name),
        })
        .collect()
}

/// The values that `text` was made of, if it is of this form. Where it can be read in several ways, early values are
/// long ones: a name may itself hold what separates it from the rest.
pub(super) fn read<'f>(form: &'f str, text: &str) -> Option<Vec<(&'f str, String)>> {
    let parts: Vec<Part<'_>> = parts(form).collect();
    let mut found = Vec::new();
    follow(&parts, text, &mut found).then_some(found)
}

fn follow<'f>(parts: &[Part<'f>], text: &str, found: &mut Vec<(&'f str, String)>) -> bool {
    let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
    match *first {
        Part::Text(expected) => text.strip_prefix(expected).is_some_and(|text| follow(rest, text, found)),
        Part::Random(alphabet, length) => {
            let right = |head: &str| head.bytes().all(|byte| alphabet.contains(byte));
            text.split_at_checked(length).is_some_and(|(head, tail)| right(head) && follow(rest, tail, found))
        }
        Part::Value(name) => (0..=text.len()).rev().any(|end| {
            let Some((head, tail)) = text.split_at_checked(end) else { return false };
            let length = found.len();
            found.push((name, head.to_owned()));
            let fits = follow(rest, tail, found);
            if !fits {
                found.truncate(length);
            }
            fits
        }),
    }
}

fn parts(form: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = form;
    std::iter::from_fn(move || {
        if let Some(inner) = rest.strip_prefix('{')
            && let Some((name, after)) = inner.split_once('}')
        {
            rest = after;
            return Some(part(name));
        }
        let end = rest.find('{').unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after;
        (!text.is_empty()).then_some(Part::Text(text))
    })
}

fn part(name: &str) -> Part<'_> {
    let (alphabet, length) = name.split_once(':').unwrap_or((name, "36"));
    match (Alphabet::named(alphabet), length.parse()) {
        (Some(alphabet), Ok(length)) => Part::Random(alphabet, length),
        _ => Part::Value(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_make_texts_and_read_them() {
        let form = "arn:aws:secretsmanager:{region}:{account}:secret:{Name}-{alnum:6}";
        let ids = Ids::new(1);
        let values = |name: &str| match name {
            "region" => Some("eu-west-1".to_owned()),
            "account" => Some("111122223333".to_owned()),
            "Name" => Some("app/data-base-abcdef".to_owned()),
            _ => None,
        };
        let made = fill(form, &ids, values).expect("every name is known");
        assert!(
            made.starts_with("arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/data-base-abcdef-"),
            "{made}"
        );
        let read = read(form, &made).expect("of this form");
        assert_eq!(read.last(), Some(&("Name", "app/data-base-abcdef".to_owned())));
        assert_eq!(super::read(form, "arn:aws:s3:::bucket"), None);
        assert_eq!(fill("{Nothing}", &ids, values), None);
        assert_eq!(fill("vpc-0{hex:16}", &ids, values).map(|id| id.len()), Some(21));
    }
}
