//! Regular expressions as CloudFormation reads those of templates: Java's, in which `\w`, `\d` and `\s` are of ASCII
//! alone, and the whole text has to match. (`java.util.regex.Pattern`.)
//!
//! The same patterns are asked for each time that a template is evaluated, so the latest are kept compiled.

use fancy_regex::Regex;
use indexmap::IndexMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many patterns are kept.
const KEPT: usize = 256;

type Compiled = Option<Arc<Regex>>;

static LATEST: Mutex<Option<IndexMap<String, Compiled>>> = Mutex::new(None);

/// The pattern, anchored at both ends; `None` if it is none.
pub(crate) fn compiled(pattern: &str) -> Compiled {
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    let latest = latest.get_or_insert_default();
    if let Some(regex) = latest.get(pattern) {
        return regex.clone();
    }
    let regex = Regex::new(&format!("^(?:{})$", translated(pattern))).ok().map(Arc::new);
    if latest.len() >= KEPT {
        latest.shift_remove_index(0);
    }
    latest.insert(pattern.to_owned(), regex.clone());
    regex
}

/// The members of a class of ASCII that Java writes as an escape, and whether the escape means all others.
fn class(escape: char) -> Option<(&'static str, bool)> {
    Some(match escape {
        'w' => ("0-9A-Za-z_", false),
        'W' => ("0-9A-Za-z_", true),
        'd' => ("0-9", false),
        'D' => ("0-9", true),
        's' => (" \\t\\n\\x0B\\f\\r", false),
        'S' => (" \\t\\n\\x0B\\f\\r", true),
        _ => return None,
    })
}

/// From Java's spelling to that of the `regex` crates.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut depth = 0_usize;
    // Whether what was written last is a class inside a class: a hyphen after it is itself.
    let mut after_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let was_class = std::mem::take(&mut after_class);
        match character {
            '\\' => match characters.next() {
                Some(escape) => match class(escape) {
                    Some((members, others)) if depth > 0 => {
                        if out.ends_with('-') && !out.ends_with("\\-") {
                            out.pop();
                            out.push_str("\\-");
                        }
                        match others {
                            true => out.extend(["[^", members, "]"]),
                            false => out.push_str(members),
                        }
                        after_class = true;
                    }
                    Some((members, others)) => out.extend([if others { "[^" } else { "[" }, members, "]"]),
                    None => out.extend(['\\', if escape == 'Z' { 'z' } else { escape }]),
                },
                None => out.push_str("\\\\"),
            },
            '[' => {
                depth += 1;
                out.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if characters.next_if_eq(&'-').is_some() {
                    out.push_str("\\-");
                }
            }
            ']' if depth > 0 => {
                depth -= 1;
                out.push(']');
            }
            '-' if depth > 0 && (was_class || matches!(characters.peek(), Some('-' | ']'))) => out.push_str("\\-"),
            '~' if depth > 0 => out.push_str("\\~"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_javas() {
        let cases = [
            (r"^[\w+=,.@-]{1,64}$", "a_1+=,.@-", true),
            (r"^[\w+=,.@-]{1,64}$", "ä", false),
            (r"[\w-.]+", "a-b.c", true),
            (r"[.-\w]+", "a-b.c", true),
            (r"[^\s]+", "a b", false),
            (r"[\S ]+", "a b", true),
            (r"\d{3}", "123", true),
            (r"\d{3}", "1234", false),
            (r"\D+", "a-", true),
            (r"[a-z&&[^x]]+", "abc", true),
            (r"[a-z&&[^x]]+", "axc", false),
            (r"(?!aws).+", "aws-1", false),
            (r"a|b", "b", true),
            (r"[A-Z]--[~!]*", "A--~!", true),
            (r"[-a]+", "-a", true),
        ];
        for (pattern, text, expected) in cases {
            let regex = compiled(pattern).unwrap_or_else(|| panic!("{pattern}: {}", translated(pattern)));
            assert_eq!(regex.is_match(text).ok(), Some(expected), "{pattern} {text}");
        }
        assert!(compiled("(").is_none());
    }

    #[test]
    fn a_pattern_is_compiled_once() {
        let first = compiled("[a-c]{1,7}").expect("a pattern");
        assert!(Arc::ptr_eq(&first, &compiled("[a-c]{1,7}").expect("a pattern")));
    }
}
