//! How AWS bills each type of resource: which quantities, by which price of the sheet.
//!
//! A module for each kind; [`write`] finds the one that knows a type.

mod compute;
mod data;
mod network;
mod watch;

use super::HOURS;
use super::estimate::Unpriced;
use super::figures::{Figure, figure};
use crate::inventory::{Reference, Resource};
use crate::model::Usage;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

/// A quantity by the key of its price.
pub(super) struct Item {
    pub what: String,
    pub quantity: Decimal,
    pub key: String,
}

/// What is being written down for one resource.
pub(super) struct Bill<'a> {
    pub resource: &'a Resource,
    /// Resources that it may refer to.
    all: &'a [Resource],
    usage: &'a Usage,
    pub items: Vec<Item>,
    pub unknown: Vec<Unpriced>,
    pub figures: Vec<Figure>,
    /// As it is configured it costs nothing, for this reason.
    pub free: Option<String>,
}

/// Writes down what a resource is billed by; false for a type that no module knows.
pub(super) fn write(bill: &mut Bill) -> bool {
    network::write(bill) || compute::write(bill) || data::write(bill) || watch::write(bill)
}

impl<'a> Bill<'a> {
    pub fn new(resource: &'a Resource, all: &'a [Resource], usage: &'a Usage) -> Bill<'a> {
        Bill { resource, all, usage, items: Vec::new(), unknown: Vec::new(), figures: Vec::new(), free: None }
    }

    pub fn item(&mut self, what: impl Into<String>, quantity: impl Into<Decimal>, key: impl Into<String>) {
        self.items.push(Item { what: what.into(), quantity: quantity.into(), key: key.into() });
    }

    /// So many, all month.
    pub fn hours(&mut self, what: impl Into<String>, many: Decimal, key: impl Into<String>) {
        self.item(what, many * Decimal::from(HOURS), key);
    }

    /// An item whose quantity is a figure of use.
    pub fn used(&mut self, what: impl Into<String>, name: &str, key: impl Into<String>) {
        if let Some(quantity) = self.figure(name) {
            self.item(what, quantity, key);
        }
    }

    /// A figure of use; it becomes one that the estimate rests on.
    pub fn figure(&mut self, name: &str) -> Option<Decimal> {
        let figure = figure(self.usage, &self.resource.stack, name)?;
        let value = figure.value;
        self.figures.push(figure);
        Some(value)
    }

    pub fn unknown(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.unknown.push(Unpriced { what: what.into(), why: why.into() });
    }

    pub fn nothing(&mut self, why: &str) {
        self.free = Some(why.to_owned());
    }

    /// A number among the properties; none where it is missing or not known before an apply.
    pub fn number(&self, path: &str) -> Option<Decimal> {
        self.resource.text(path)?.parse().ok()
    }

    /// A resource that is referred to.
    pub fn find(&self, reference: &Reference) -> Option<&'a Resource> {
        self.all.iter().find(|one| one.stack == reference.stack && one.logical_id == reference.logical_id)
    }

    /// The resources of a type in the same stack.
    pub fn beside(&self, resource_type: &str) -> impl Iterator<Item = &'a Resource> {
        let stack = &self.resource.stack;
        self.all.iter().filter(move |one| one.stack == *stack && one.resource_type == resource_type)
    }
}

/// How many items a list has.
pub(super) fn count(items: usize) -> Decimal {
    Decimal::from_usize(items).unwrap_or_default()
}
