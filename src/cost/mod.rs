//! What a month of an environment costs, from its templates, before anything exists.
//!
//! Templates, dated price sheets and figures of use go in, an estimate comes out, line by line: quantity × price. It is
//! a function of these: only [`sheet`] reads files, and only [`refresh`] asks anybody.
//! Every line is rounded to the cent, and a sum is the sum of the lines that are shown. What costs nothing is said to,
//! and what has no price in the sheet is listed and never taken for zero. Free tiers are left out: they belong to the
//! account, and somebody else may have used them up.

mod difference;
mod estimate;
mod figures;
mod free;
mod rates;
pub mod refresh;
pub mod sheet;

#[cfg(test)]
mod tests;

pub use difference::difference;
pub use estimate::{Estimate, Line, Priced, ResourceCost, StackCost, Unpriced, estimate};
pub use figures::Figure;
pub use sheet::{Basis, Price, Sheets};

use rust_decimal::{Decimal, RoundingStrategy};

/// Hours of a month, as AWS's own calculator counts them: 365 days × 24 hours ÷ 12.
pub const HOURS: u32 = 730;

pub const CURRENCY: &str = "USD";

/// To the cent, half a cent upwards; always with two digits.
pub fn cents(amount: Decimal) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(2);
    rounded
}
