//! A regular expression of a schema, compiled when it is first asked.

use super::backtrack::Program;
use super::node::Text;
use fancy_regex::Regex;
use std::fmt;
use std::sync::OnceLock;

/// A pattern in the dialect of the registry (ECMA 262). It is searched for, not anchored, as JSON Schema says.
pub struct Pattern {
    text: Text,
    program: OnceLock<Option<Box<Program>>>,
    /// Only where the program cannot say.
    automaton: OnceLock<Option<Box<Regex>>>,
}

impl Pattern {
    pub fn new(text: Text) -> Self {
        Pattern { text, program: OnceLock::new(), automaton: OnceLock::new() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `value` matches; `None` when the pattern cannot be read, or gives up on this value.
    pub fn matches(&self, value: &str) -> Option<bool> {
        let program = self.program.get_or_init(|| Program::new(&self.text).map(Box::new));
        if let Some(answer) = program.as_ref().and_then(|program| program.matches(value)) {
            return Some(answer);
        }
        let automaton = self.automaton.get_or_init(|| Regex::new(&translate(&self.text)).ok().map(Box::new));
        automaton.as_ref()?.is_match(value).ok()
    }
}

/// From ECMA's spelling to that of the `regex` crates: in a class, `[`, `&&`, `--` and `~~` mean themselves, and an
/// escaped character that needs no escape is the character.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut in_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(next) if next.is_ascii_alphanumeric() || next.is_ascii_punctuation() => {
                    // Letters that are no escape (`\_`, `\i`) are themselves; `regex` would refuse them.
                    if !matches!(next, '_' | 'e' | 'i' | 'l' | 'm' | 'o' | 'q' | 'y') {
                        out.push('\\');
                    }
                    out.push(if next == 'Z' { 'z' } else { next });
                }
                Some(next) => out.push(next),
                None => out.push_str("\\\\"),
            },
            '[' if in_class => out.push_str("\\["),
            '&' | '~' if in_class => out.extend(['\\', character]),
            '[' => {
                in_class = true;
                out.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if characters.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            _ => out.push(character),
        }
    }
    out
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_searched_for() {
        let cases = [
            ("^a+$", "aaa", Some(true)),
            ("a", "bab", Some(true)),
            ("^(?!aws:).+$", "aws:x", Some(false)),
            ("^[a-z,@[\\]+=&;\\{\\}!$*]*$", "a[b]", Some(true)),
            ("^[a-z,@[\\]+=&;\\{\\}!$*]*$", "a~b", Some(false)),
            ("^[\\w\\_&&~~.-]+$", "a&~_.", Some(true)),
            ("^\\p{L}+$", "Österreich", Some(true)),
            ("(", "x", None),
        ];
        for (pattern, value, expected) in cases {
            assert_eq!(Pattern::new(Text::Borrowed(pattern)).matches(value), expected, "{pattern} {value}");
        }
    }
}
