//! Waivers against violations: what is accepted for now, and what no longer is.

use super::{Standing, Violation};
use crate::model::Waiver;
use crate::problem::Problem;
use jiff::civil::Date;

/// Settles what counts on this day. A waiver holds through its last day.
pub fn waive(violations: &mut [Violation], waivers: &[Waiver], today: Date) {
    for violation in violations {
        let mut fitting: Vec<&Waiver> = waivers.iter().filter(|waiver| fits(waiver, violation)).collect();
        fitting.sort_by_key(|waiver| waiver.until);
        if let Some(last) = fitting.last() {
            violation.standing = match last.until >= today {
                true => Standing::Waived((*last).clone()),
                false => Standing::Expired((*last).clone()),
            };
        }
    }
}

fn fits(waiver: &Waiver, violation: &Violation) -> bool {
    waiver.rule == violation.rule
        && waiver.stack == violation.stack
        && (waiver.resource.is_none() || waiver.resource == violation.logical_id)
}

/// Waivers that nothing needs: the rule holds, or they name what is not there.
pub fn unused(violations: &[Violation], waivers: &[Waiver]) -> Vec<Problem> {
    let idle = waivers.iter().filter(|waiver| !violations.iter().any(|violation| fits(waiver, violation)));
    idle.map(|waiver| {
        let resource = waiver.resource.as_ref().map(|id| format!(".{id}")).unwrap_or_default();
        let message = format!("the waiver of {} for {}{resource} waives nothing", waiver.rule, waiver.stack);
        Problem::warning("unused-waiver", message, Some(waiver.at.clone())).help("remove it, or mend its names")
    })
    .collect()
}
