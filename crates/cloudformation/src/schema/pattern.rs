//! A regular expression of a schema, compiled when it is first asked.

use super::node::Text;
use fancy_regex::Regex;
use std::fmt;
use std::sync::OnceLock;

/// A pattern in the dialect of the registry (ECMA 262). It is searched for, not anchored, as JSON Schema says.
pub struct Pattern {
    text: Text,
    compiled: OnceLock<Option<Box<Regex>>>,
}

impl Pattern {
    pub fn new(text: Text) -> Self {
        Pattern { text, compiled: OnceLock::new() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `value` matches; `None` when the pattern cannot be read, or gives up on this value.
    pub fn matches(&self, value: &str) -> Option<bool> {
        let compiled = self.compiled.get_or_init(|| Regex::new(&self.text).ok().map(Box::new));
        compiled.as_ref()?.is_match(value).ok()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text)
    }
}
