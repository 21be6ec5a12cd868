//! Drift for code scanning.

use super::{changed, condition, told};
use crate::drift::{Drift, ResourceDrift, Status};
use crate::model::Environment;
use crate::view::plan::values::inline;
use crate::view::sarif::{Entry, Level, Place};

/// Every difference, every resource that could not be checked, every rule that no longer does anything.
pub fn results(drift: &Drift, environment: &Environment) -> Vec<Entry> {
    let whole = &environment.at;
    let file = || Place { file: whole.file.name.clone(), line: whole.span.start.line };
    let of_stack = |stack: &str| {
        let at = environment.stacks.get(stack).map_or(whole, |spec| &spec.at);
        Place { file: at.file.name.clone(), line: at.span.start.line }
    };
    let entry = |rule: &str, about: &str, level: Level, subject: String, message: String, place: Place| Entry {
        rule: rule.to_owned(),
        about: about.to_owned(),
        level,
        message,
        identity: subject.clone(),
        subject: Some(subject),
        place: Some(place),
        accepted: None,
    };
    let mut entries = Vec::new();
    for stack in told(drift) {
        if stack.is_changed() {
            let what: Vec<String> = stack.changes.iter().map(|change| change.what.clone()).collect();
            let what = if what.is_empty() { String::new() } else { format!(": {}", what.join(", ")) };
            let about = "A stack was changed or deleted outside of infra";
            let message = format!("{} {}{what}", stack.stack_name, condition(stack));
            entries.push(entry(
                "stack-drift",
                about,
                Level::Error,
                stack.stack.clone(),
                message,
                of_stack(&stack.stack),
            ));
        }
        for resource in stack.drifted() {
            let place = || place(resource).unwrap_or_else(|| of_stack(&stack.stack));
            let subject = format!("{}.{}", stack.stack, resource.logical_id);
            let who = changed(resource).map(|changed| format!("; changed {changed}")).unwrap_or_default();
            if resource.status == Status::Deleted {
                let about = "A resource of a stack was deleted outside of CloudFormation";
                let message = format!("{} ({}) is gone{who}", resource.logical_id, resource.resource_type);
                entries.push(entry("resource-deleted", about, Level::Error, subject.clone(), message, place()));
            }
            for property in resource.confirmed() {
                let about = "A property is not as its template declares it";
                let (declared, live) = (inline(&property.change.before), inline(&property.change.after));
                let message = format!("{}: declared {declared}, is {live}{who}", property.path);
                let subject = format!("{subject}.{}", property.path);
                entries.push(entry("property-drift", about, Level::Error, subject, message, place()));
            }
        }
    }
    for one in &drift.unmanaged {
        let about = "A resource with the environment's tags belongs to none of its stacks";
        let message = format!("{} belongs to no stack", one.arn);
        entries.push(entry("unmanaged-resource", about, Level::Warning, one.arn.clone(), message, file()));
    }
    for stack in &drift.stacks {
        for resource in stack.resources.iter().filter(|resource| resource.status == Status::NotChecked) {
            let about = "A resource could not be compared";
            let subject = format!("{}.{}", stack.stack, resource.logical_id);
            let message = format!("not checked: {}", resource.reason.clone().unwrap_or_default());
            let place = place(resource).unwrap_or_else(|| of_stack(&stack.stack));
            entries.push(entry("not-checked", about, Level::Note, subject, message, place));
        }
    }
    for (what, reason) in drift
        .stacks
        .iter()
        .flat_map(|stack| &stack.unchecked)
        .chain(&drift.unchecked)
        .map(|one| (&one.what, &one.reason))
    {
        let about = "A resource could not be compared";
        entries.push(entry("not-checked", about, Level::Note, what.clone(), format!("{what}: {reason}"), file()));
    }
    for stray in &drift.stray_ignores {
        let about = "A rule of drift.ignore no longer does anything";
        let place = Place::parse(&stray.place).unwrap_or_else(file);
        let message = match &stray.expired {
            Some(day) => format!("the rule for `{}` expired on {day}", stray.rule),
            None => format!("nothing needs the rule for `{}` any more", stray.rule),
        };
        entries.push(entry("stray-ignore", about, Level::Note, stray.rule.clone(), message, place));
    }
    entries
}

fn place(resource: &ResourceDrift) -> Option<Place> {
    Place::parse(resource.place.as_deref()?)
}
