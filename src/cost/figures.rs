//! Figures of use: what the environment says for a stack, or for all, or the default.

use crate::environment::ASSUMPTIONS;
use crate::model::Usage;
use rust_decimal::Decimal;
use serde::Serialize;

/// A figure that an estimate rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Figure {
    pub name: &'static str,
    pub value: Decimal,
    pub unit: &'static str,
    /// Said in the environment for this stack alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Nobody said it: it is the default.
    pub default: bool,
}

/// The figure of this name for a stack. Names are those of [`ASSUMPTIONS`].
pub(super) fn figure(usage: &Usage, stack: &str, name: &str) -> Option<Figure> {
    let assumption = ASSUMPTIONS.iter().find(|assumption| assumption.name == name)?;
    let (name, unit) = (assumption.name, assumption.unit);
    let own = usage.stacks.get(stack).and_then(|of| of.get(name)).copied();
    Some(match own.map(|value| (value, Some(stack.to_owned()))).or(usage.all.get(name).map(|value| (*value, None))) {
        Some((value, stack)) => Figure { name, value, unit, stack, default: false },
        None => Figure { name, value: assumption.default.parse().ok()?, unit, stack: None, default: true },
    })
}
