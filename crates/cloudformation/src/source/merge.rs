//! Merge keys of YAML 1.1: `<<: *defaults`, as `aws cloudformation package`, SAM and rain take them.

use super::parse::{ParseError, error};
use super::{Entry, Node, Value};
use std::collections::HashSet;

/// Entries that a map takes over from others, the strongest first.
#[derive(Default)]
pub(super) struct Merged(Vec<Entry>);

impl Merged {
    /// Adds the value of a merge key: a map, or a list of maps of which earlier ones are stronger.
    pub(super) fn add(&mut self, value: Node) -> Result<(), ParseError> {
        let wrong = error("`<<` takes a map or a list of maps", value.span);
        let maps = match value {
            Node { tag: None, value: Value::Map(entries), .. } => vec![entries],
            Node { tag: None, value: Value::List(items), .. } => {
                let maps = items.into_iter().map(|item| match item {
                    Node { tag: None, value: Value::Map(entries), .. } => Some(entries),
                    _ => None,
                });
                maps.collect::<Option<Vec<_>>>().ok_or(wrong)?
            }
            _ => return Err(wrong),
        };
        // A second merge key is stronger than the first.
        let mut all: Vec<Entry> = maps.into_iter().flatten().collect();
        all.append(&mut self.0);
        self.0 = all;
        Ok(())
    }
}

/// A map's own entries over those that it takes over.
pub(super) fn merged(own: Vec<Entry>, others: Merged) -> Vec<Entry> {
    if others.0.is_empty() {
        return own;
    }
    let mut present: HashSet<String> = own.iter().map(|entry| entry.key.clone()).collect();
    let taken = others.0.into_iter().filter(|entry| present.insert(entry.key.clone()));
    taken.collect::<Vec<_>>().into_iter().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use crate::source::{Dialect, Limits, parse_as};
    use serde_json::json;

    #[test]
    fn maps_take_over_what_they_do_not_have() {
        let cases = [
            ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", json!({"x": 1, "y": 3})),
            ("a: &a {x: 1}\nb:\n  y: 3\n  <<: *a\n", json!({"x": 1, "y": 3})),
            ("a: &a {x: 1}\nb: {<<: [*a, {x: 2, z: 4}]}", json!({"x": 1, "z": 4})),
            ("a: &a {x: 1}\nb: {'<<': *a}", json!({"<<": {"x": 1}})),
            ("a: &a {x: 1}\nc: &c {<<: *a, y: 2}\nb: {<<: *c}", json!({"x": 1, "y": 2})),
        ];
        for (text, expected) in cases {
            let tree =
                parse_as(text, Limits::default(), Dialect::OWN_TEMPLATE).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(tree.get("b").map(|node| node.to_json()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_map_is_not_merged() {
        for text in ["a: {<<: x}", "a: {<<: [x]}", "a: {<<: !Ref x}", "a: {<<: }"] {
            let error = parse_as(text, Limits::default(), Dialect::OWN_TEMPLATE).expect_err("no map");
            assert!(error.message.contains("takes a map"), "{error}");
        }
    }
}
