//! What services refuse although each property by itself is right: rules that no schema expresses.

mod cache;
mod identity;
mod limits;
mod network;
mod partition;
mod secure;
mod services;

use super::conditions::Assumed;
use super::facts::{Facts, Spot, is_dynamic, text};
use super::finding::{Finding, Rule};
use crate::source::Span;
use crate::template::Expr;

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for name in facts.template.resources.keys() {
        if let Some(subject) = Subject::new(facts, name) {
            services::check(&subject, found);
            network::check_resource(&subject, found);
            cache::check(&subject, found);
            secure::check(&subject, found);
        }
    }
    network::check_together(facts, found);
    identity::check(facts, found);
    limits::priorities(facts, found);
    limits::global_runtime(facts, found);
    partition::check(facts, found);
}

/// A resource that is looked at.
struct Subject<'s, 't> {
    facts: &'s Facts<'t>,
    name: &'s str,
    resource_type: &'s str,
    properties: &'s Expr,
    assumed: Assumed,
}

impl<'s, 't> Subject<'s, 't> {
    /// `None` when it has no properties.
    fn new(facts: &'s Facts<'t>, name: &'s str) -> Option<Self> {
        let resource = facts.template.resources.get(name)?;
        let properties = resource.properties.as_ref()?;
        let assumed = facts.assumed_for(name);
        Some(Subject { facts, name, resource_type: &resource.resource_type.value, properties, assumed })
    }

    /// The values at a path of the properties: `"Origins/*/Id"`.
    fn at(&self, path: &str) -> Vec<Spot<'s>> {
        self.spots(self.properties, path, &self.assumed)
    }

    /// The values at a path below another value.
    fn spots<'e>(&self, value: &'e Expr, path: &str, assumed: &Assumed) -> Vec<Spot<'e>> {
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        self.facts.spots(value, &path, assumed)
    }

    fn finding(&self, rule: Rule, message: impl Into<String>, span: Span, path: &[String]) -> Finding {
        let path = path.iter().fold(format!("/Resources/{}/Properties", self.name), |path, part| path + "/" + part);
        Finding::new(rule, message, span, path)
    }
}

/// A literal text that is no dynamic reference.
fn plain(value: &Expr) -> Option<&str> {
    text(value).filter(|text| !is_dynamic(text))
}
