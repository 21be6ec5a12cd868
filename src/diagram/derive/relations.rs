//! What refers to what, as questions that a picture asks.

use crate::inventory::{Reference, Resource, references};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Resources by their references.
pub(super) struct Relations<'a> {
    pub all: &'a [Resource],
    index: BTreeMap<(&'a str, &'a str), &'a Resource>,
    /// Names that records give to AWS's own targets.
    names: BTreeMap<String, &'a Resource>,
}

impl<'a> Relations<'a> {
    pub fn new(all: &'a [Resource]) -> Relations<'a> {
        let index =
            all.iter().map(|one| ((one.stack.as_str(), one.logical_id.as_str()), one)).collect::<BTreeMap<_, _>>();
        let mut relations = Relations { all, index, names: BTreeMap::new() };
        let names: Vec<(String, &Resource)> = relations
            .of_type("AWS::Route53::RecordSet")
            .filter_map(|record| {
                let target = relations.get(&record.refers("/AliasTarget/DNSName")?)?;
                Some((record.text("/Name")?.trim_end_matches('.').to_owned(), target))
            })
            .collect();
        relations.names = names.into_iter().collect();
        relations
    }

    pub fn get(&self, reference: &Reference) -> Option<&'a Resource> {
        self.index.get(&(reference.stack.as_str(), reference.logical_id.as_str())).copied()
    }

    pub fn of_type(&self, resource_type: &'static str) -> impl Iterator<Item = &'a Resource> + use<'a> {
        self.all.iter().filter(move |one| one.resource_type == resource_type)
    }

    /// The resource that the value at a path refers to.
    pub fn at(&self, resource: &Resource, path: &str) -> Option<&'a Resource> {
        resource.at(path).and_then(|value| self.within(value).into_iter().next())
    }

    /// All resources that a value refers to, each once.
    pub fn within(&self, value: &Json) -> Vec<&'a Resource> {
        let mut seen = BTreeSet::new();
        let found = references(value).into_iter().filter_map(|reference| self.get(&reference));
        found.filter(|one| seen.insert((&one.stack, &one.logical_id))).collect()
    }

    /// What answers at an address: a reference to it, or a name that a record gives it.
    pub fn behind(&self, address: &Json) -> Option<&'a Resource> {
        if let Some(found) = self.within(address).into_iter().next() {
            return Some(found);
        }
        let text = address.as_str()?;
        let host = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = host.split(['/', ':']).next()?;
        self.names.get(host).copied()
    }

    /// Names that records give to a resource.
    pub fn names_of(&self, resource: &Resource) -> Vec<&str> {
        let same = |one: &Resource| one.stack == resource.stack && one.logical_id == resource.logical_id;
        self.names.iter().filter(|(_, target)| same(target)).map(|(name, _)| name.as_str()).collect()
    }
}
