//! Paths to properties, as the registry writes them: `/properties/Endpoint/Port`, `*` for the items of a list.

use super::node::Text;
use serde::{Deserialize, Deserializer};

/// Names from the top property down; `*` stands for the items of a list or the values of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyPath(Vec<Text>);

impl PropertyPath {
    /// Reads a registry pointer (`/properties/A/*/B`), a path (`A/0/B`) or an attribute name (`A.B`). Indexes become `*`.
    pub fn new(text: &str) -> Self {
        let below = text.strip_prefix("/properties/").unwrap_or(text);
        let segments = below.split(['/', '.']).filter(|segment| !segment.is_empty());
        PropertyPath(segments.map(|segment| Text::Owned(normal(segment).to_owned())).collect())
    }

    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The property of the resource that this path is in.
    pub fn top(&self) -> &str {
        self.0.first().map(AsRef::as_ref).unwrap_or_default()
    }

    /// Whether this path is `other` or leads to something that contains it.
    pub fn contains(&self, other: &PropertyPath) -> bool {
        other.0.starts_with(&self.0)
    }

    /// As an attribute name: `Endpoint.Port`.
    pub fn dotted(&self) -> String {
        self.0.join(".")
    }
}

fn normal(segment: &str) -> &str {
    if segment.bytes().all(|byte| byte.is_ascii_digit()) { "*" } else { segment }
}

impl<'de> Deserialize<'de> for PropertyPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(PropertyPath::new(&std::borrow::Cow::<str>::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_path() {
        let path = PropertyPath::new("/properties/A/*/B");
        assert_eq!(path, PropertyPath::new("A/0/B"));
        assert_eq!(path, PropertyPath::new("A.17.B"));
        assert_eq!(path.top(), "A");
        assert_eq!(path.dotted(), "A.*.B");
        assert!(PropertyPath::new("A").contains(&path));
        assert!(!path.contains(&PropertyPath::new("A")));
        assert!(!PropertyPath::new("AB").contains(&PropertyPath::new("A")));
    }
}
