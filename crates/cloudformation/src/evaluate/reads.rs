//! What a value was made of: which parameters and resources were read, and for which part of it.

use std::collections::{BTreeMap, BTreeSet};

/// Something that an expression refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Read {
    Parameter(String),
    /// `Ref` to a resource.
    Resource(String),
    /// `Fn::GetAtt`: logical id and attribute.
    Attribute(String, String),
}

/// What was read, by the place in the value that it went into: `/VpcConfig/SubnetIds/0`, or empty for all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads(BTreeMap<String, BTreeSet<Read>>);

impl Reads {
    pub(super) fn add(&mut self, path: &str, read: Read) {
        match self.0.get_mut(path) {
            Some(reads) => drop(reads.insert(read)),
            None => drop(self.0.insert(path.to_owned(), BTreeSet::from([read]))),
        }
    }

    /// Everything that was read, with its place.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Read)> {
        self.0.iter().flat_map(|(path, reads)| reads.iter().map(move |read| (path.as_str(), read)))
    }

    /// What went into the value at `path` or a part of it.
    pub fn within<'r>(&'r self, path: &str) -> impl Iterator<Item = (&'r str, &'r Read)> {
        // `0` follows `/`: all that starts with `path/`.
        let below = self.0.range(format!("{path}/")..format!("{path}0"));
        let here = self.0.get_key_value(path).into_iter();
        here.chain(below).flat_map(|(path, reads)| reads.iter().map(move |read| (path.as_str(), read)))
    }

    /// What went into the value at `path`, a part of it, or something that it is a part of.
    pub fn touching<'r>(&'r self, path: &'r str) -> impl Iterator<Item = &'r Read> {
        let above = path.match_indices('/').filter_map(|(at, _)| self.0.get(&path[..at])).flatten();
        above.chain(self.within(path).map(|(_, read)| read))
    }

    /// The same, one level further down.
    #[must_use]
    pub(crate) fn below(self, prefix: &str) -> Reads {
        Reads(self.0.into_iter().map(|(path, reads)| (format!("{prefix}{path}"), reads)).collect())
    }

    pub(crate) fn extend(&mut self, other: Reads) {
        self.0.extend(other.0);
    }

    /// Without those that were not there `before` and are parameters.
    pub(super) fn forget_new_parameters(&mut self, before: &Reads) {
        for (path, reads) in &mut self.0 {
            let old = before.0.get(path);
            reads.retain(|read| !matches!(read, Read::Parameter(_)) || old.is_some_and(|old| old.contains(read)));
        }
    }
}

/// Whether `inner` is `outer` or below it.
pub(crate) fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_found_around_and_below_a_place() {
        let mut reads = Reads::default();
        for path in ["", "/a", "/a/0", "/a/0/b", "/a0", "/b", "/a/1"] {
            reads.add(path, Read::Parameter(path.to_owned()));
        }
        let touching = |path: &str| -> Vec<String> {
            let found = reads.touching(path).map(|read| match read {
                Read::Parameter(name) => name.clone(),
                other => panic!("{other:?}"),
            });
            found.collect()
        };
        assert_eq!(touching("/a/0"), ["", "/a", "/a/0", "/a/0/b"]);
        assert_eq!(touching("/a"), ["", "/a", "/a/0", "/a/0/b", "/a/1"]);
        assert_eq!(touching("/c"), [""]);
        assert_eq!(reads.within("/a/1").count(), 1);
    }
}
