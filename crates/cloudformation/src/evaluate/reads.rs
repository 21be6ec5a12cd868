//! What a value was made of: which parameters and resources were read, and for which part of it.

/// Something that an expression refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Read {
    Parameter(String),
    /// `Ref` to a resource.
    Resource(String),
    /// `Fn::GetAtt`: logical id and attribute.
    Attribute(String, String),
}

/// A [`Read`] with the place in the value that it went into: `/VpcConfig/SubnetIds/0`, or empty for all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAt {
    pub path: String,
    pub read: Read,
}

impl ReadAt {
    /// Whether what was read is a part of, or around, the value at `path`.
    pub fn touches(&self, path: &str) -> bool {
        within(&self.path, path) || within(path, &self.path)
    }
}

/// Whether `inner` is `outer` or below it.
pub(crate) fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
