//! Rules of the environment's `drift.ignore`: which differences they hold for, which of them no longer do anything.

use super::document::{Ignored, IgnoredBy, StrayIgnore};
use crate::model::DriftIgnore;
use jiff::civil::Date;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The rules on one day, and which of them were needed.
pub struct Rules<'a> {
    rules: &'a [DriftIgnore],
    today: Date,
    used: RefCell<BTreeSet<usize>>,
}

impl<'a> Rules<'a> {
    pub fn new(rules: &'a [DriftIgnore], today: Date) -> Rules<'a> {
        Rules { rules, today, used: RefCell::default() }
    }

    /// Why a property of a resource is passed over, if it is. No property: the resource as a whole, when it is gone.
    pub fn ignored(&self, stack: &str, resource: &str, property: Option<&str>) -> Option<Ignored> {
        self.first(|rule| {
            let of_property = match (rule.property.as_deref(), property) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(covers), Some(path)) => covers_path(covers, path),
            };
            is_or_any(&rule.stack, stack) && is_or_any(&rule.resource, resource) && of_property
        })
    }

    /// Why a change of the stack itself is passed over: only a rule that names neither resource nor property, or the
    /// changed thing as its property.
    pub fn ignored_of_stack(&self, stack: &str, what: &str) -> Option<Ignored> {
        self.first(|rule| {
            let of_what = rule.property.as_deref().is_none_or(|property| property == what);
            rule.stack.as_deref() == Some(stack) && rule.resource.is_none() && of_what
        })
    }

    fn first(&self, holds: impl Fn(&DriftIgnore) -> bool) -> Option<Ignored> {
        let fits = |(_, rule): &(usize, &DriftIgnore)| !self.is_expired(rule) && holds(rule);
        let (index, rule) = self.rules.iter().enumerate().find(fits)?;
        self.used.borrow_mut().insert(index);
        Some(Ignored { by: IgnoredBy::Rule, because: rule.because.clone() })
    }

    fn is_expired(&self, rule: &DriftIgnore) -> bool {
        rule.until.is_some_and(|until| until < self.today)
    }

    /// Rules that have expired, and, where everything was looked at, those that nothing needs any more.
    pub fn strays(&self, everything: bool) -> Vec<StrayIgnore> {
        let used = self.used.borrow();
        let stray = |(index, rule): (usize, &DriftIgnore)| {
            let expired = self.is_expired(rule).then(|| rule.until.map(|until| until.to_string())).flatten();
            let unused = everything && !used.contains(&index);
            (expired.is_some() || unused).then(|| StrayIgnore {
                place: format!("{}:{}", rule.at.file.name, rule.at.span.start.line),
                rule: short(rule),
                expired,
            })
        };
        self.rules.iter().enumerate().filter_map(stray).collect()
    }
}

fn is_or_any(rule: &Option<String>, found: &str) -> bool {
    rule.as_deref().is_none_or(|rule| rule == found)
}

/// `Tags` covers `Tags[0].Value`; `Rules.Port` covers `Rules[3].Port`.
fn covers_path(rule: &str, path: &str) -> bool {
    let below = |rule: &str, path: &str| {
        path.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    below(rule, path) || (!rule.contains('[') && below(rule, &without_indexes(path)))
}

fn without_indexes(path: &str) -> String {
    let mut depth = 0;
    path.chars()
        .filter(|c| {
            match c {
                '[' => depth += 1,
                ']' => {
                    depth -= 1;
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

fn short(rule: &DriftIgnore) -> String {
    [&rule.stack, &rule.resource, &rule.property].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Location, SourceFile, Span};
    use std::sync::Arc;

    fn rule(stack: &str, resource: &str, property: &str, until: &str) -> DriftIgnore {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let file = Arc::new(SourceFile { name: "environments/prod.yaml".to_owned(), text: String::new() });
        DriftIgnore {
            stack: some(stack),
            resource: some(resource),
            property: some(property),
            until: some(until).map(|day| day.parse().unwrap()),
            because: "so it is".to_owned(),
            at: Location { file, span: Span::default() },
        }
    }

    #[test]
    fn rules_hold_for_what_they_name() {
        let day = "2026-06-01".parse().unwrap();
        for (rule, stack, resource, property, holds) in [
            (rule("web", "", "", ""), "web", "Queue", Some("Tags"), true),
            (rule("web", "", "", ""), "data", "Queue", Some("Tags"), false),
            (rule("web", "Queue", "", ""), "web", "Queue", None, true),
            (rule("web", "Queue", "Tags", ""), "web", "Queue", None, false),
            (rule("", "", "Tags", ""), "web", "Queue", Some("Tags[2].Value"), true),
            (rule("", "", "Tag", ""), "web", "Queue", Some("Tags[2].Value"), false),
            (rule("", "", "Rules.Port", ""), "web", "Queue", Some("Rules[1].Port"), true),
            (rule("", "", "Rules[0].Port", ""), "web", "Queue", Some("Rules[1].Port"), false),
            (rule("web", "", "", "2026-06-01"), "web", "Queue", Some("Tags"), true),
            (rule("web", "", "", "2026-05-31"), "web", "Queue", Some("Tags"), false),
        ] {
            let shown = format!("{rule:?}");
            let rules = [rule];
            let rules = Rules::new(&rules, day);
            assert_eq!(rules.ignored(stack, resource, property).is_some(), holds, "{shown}");
            assert_eq!(rules.strays(true).is_empty(), holds, "{shown}");
        }
    }
}
