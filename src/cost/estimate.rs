//! The estimate: every resource with its lines, added up by stack.

use super::figures::Figure;
use super::rates::{self, Bill};
use super::sheet::{Price, Sheets};
use super::{cents, free};
use crate::inventory::Resource;
use crate::model::Usage;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeSet;

/// A month of some stacks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Estimate {
    pub total: Decimal,
    /// In the order of the environment.
    pub stacks: Vec<StackCost>,
    /// Figures of use that lines rest on.
    pub figures: BTreeSet<Figure>,
    /// Prices that lines rest on.
    pub prices: BTreeSet<Price>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StackCost {
    pub stack: String,
    pub region: String,
    pub total: Decimal,
    pub resources: Vec<ResourceCost>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceCost {
    pub logical_id: String,
    #[serde(rename = "type")]
    pub resource_type: String,
    #[serde(flatten)]
    pub cost: Priced,
}

/// What is known of a resource's price.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priced {
    /// Costs nothing, and why.
    Free(String),
    /// Lines, and those of its lines that have no price.
    Lines {
        total: Decimal,
        lines: Vec<Line>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        unknown: Vec<Unpriced>,
    },
}

/// Quantity × price = amount.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub what: String,
    pub quantity: Decimal,
    pub unit: String,
    /// USD for one unit.
    pub price: Decimal,
    /// USD, to the cent.
    pub amount: Decimal,
    /// Of the price in its sheet.
    pub key: String,
}

/// Something that costs, nobody knows what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unpriced {
    pub what: String,
    pub why: String,
}

/// Costs of all resources. Those of one stack stand together.
pub fn estimate(resources: &[Resource], sheets: &Sheets, usage: &Usage) -> Estimate {
    let mut estimate = Estimate::default();
    for resource in resources {
        let cost = priced(resource, resources, sheets, usage, &mut estimate);
        let amount = cost.total();
        let known = estimate.stacks.iter().position(|stack| stack.stack == resource.stack);
        let at = known.unwrap_or_else(|| {
            let (stack, region) = (resource.stack.clone(), resource.region.clone());
            estimate.stacks.push(StackCost { stack, region, total: cents(Decimal::ZERO), resources: Vec::new() });
            estimate.stacks.len() - 1
        });
        if let Some(stack) = estimate.stacks.get_mut(at) {
            stack.total += amount;
            stack.resources.push(ResourceCost {
                logical_id: resource.logical_id.clone(),
                resource_type: resource.resource_type.clone(),
                cost,
            });
        }
    }
    estimate.total = cents(estimate.stacks.iter().map(|stack| stack.total).sum());
    estimate
}

fn priced(resource: &Resource, all: &[Resource], sheets: &Sheets, usage: &Usage, estimate: &mut Estimate) -> Priced {
    if let Some(reason) = free::reason(&resource.resource_type) {
        return Priced::Free(reason.to_owned());
    }
    let mut bill = Bill::new(resource, all, usage);
    if !rates::write(&mut bill) {
        let why = "infra does not know what this type costs".to_owned();
        let unknown = vec![Unpriced { what: resource.resource_type.clone(), why }];
        return Priced::Lines { total: cents(Decimal::ZERO), lines: Vec::new(), unknown };
    }
    if let Some(reason) = bill.free {
        return Priced::Free(reason);
    }
    let (mut lines, mut unknown) = (Vec::new(), bill.unknown);
    for item in bill.items {
        let Some(price) = sheets.price(&resource.region, &item.key) else {
            let why = format!("no price `{}` for {} in the price sheets", item.key, resource.region);
            unknown.push(Unpriced { what: item.what, why });
            continue;
        };
        lines.push(Line {
            what: item.what,
            quantity: item.quantity.normalize(),
            unit: price.unit.clone(),
            price: price.usd,
            amount: cents(item.quantity * price.usd),
            key: item.key,
        });
        estimate.prices.insert(price);
    }
    estimate.figures.extend(bill.figures);
    let total = cents(lines.iter().map(|line| line.amount).sum());
    Priced::Lines { total, lines, unknown }
}

impl Priced {
    pub fn total(&self) -> Decimal {
        match self {
            Priced::Free(_) => Decimal::ZERO,
            Priced::Lines { total, .. } => *total,
        }
    }

    pub fn unknown(&self) -> &[Unpriced] {
        match self {
            Priced::Free(_) => &[],
            Priced::Lines { unknown, .. } => unknown,
        }
    }
}

impl Estimate {
    /// All that has no price, with its stack and resource.
    pub fn unknown(&self) -> impl Iterator<Item = (&StackCost, &ResourceCost, &Unpriced)> {
        let resources = self.stacks.iter().flat_map(|stack| stack.resources.iter().map(move |one| (stack, one)));
        resources.flat_map(|(stack, one)| one.cost.unknown().iter().map(move |unknown| (stack, one, unknown)))
    }

    /// What a stack costs; nothing for one that is not there.
    pub fn of(&self, stack: &str) -> Decimal {
        self.stacks.iter().find(|cost| cost.stack == stack).map_or_else(|| cents(Decimal::ZERO), |cost| cost.total)
    }
}
