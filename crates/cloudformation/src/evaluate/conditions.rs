//! Conditions: their order, and truth with three values (`None` is "not known").

use super::{Cursor, Evaluator, Reads, Resources, Value};
use crate::template::{Expr, Function, Problem, Template};
use std::cell::RefCell;
use std::collections::HashMap;

/// The names of all conditions so that each comes after those it refers to. Chains may be as long as the template: no
/// recursion here. Conditions on a cycle are left out and noted.
pub(super) fn order<'t>(template: &'t Template, problems: &RefCell<Vec<Problem>>) -> Vec<&'t str> {
    let mut references: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, condition) in &template.conditions {
        let mut found = Vec::new();
        condition.expr.walk(&mut |expr| {
            if let Some(Function::Condition(to) | Function::If { condition: to, .. }) = expr.as_call() {
                found.push(to.value.as_str());
            }
        });
        references.insert(name, found);
    }
    let (ordered, cyclic) = crate::order::topological(template.conditions.keys().map(String::as_str), &references);
    if let Some(first) = cyclic.first().and_then(|name| template.conditions.get(*name)) {
        let message = format!("Template format error: Circular condition dependency between {}", cyclic.join(", "));
        problems.borrow_mut().push(Problem::new(message, first.name_span, "/Conditions"));
    }
    ordered
}

/// No resources: conditions are evaluated before any exists.
pub(super) struct NoResources;

impl Resources for NoResources {
    fn reference(&self, _: &str) -> Option<Value> {
        None
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        None
    }
}

impl Evaluator<'_> {
    pub(super) fn named_condition(&self, name: &str) -> Option<bool> {
        let condition = self.template.conditions.get(name)?;
        let origin = format!("/Conditions/{name}");
        let mut cursor =
            Cursor { resources: &NoResources, origin: &origin, path: String::new(), reads: Reads::default() };
        self.expr_truth(&condition.expr, &mut cursor)
    }

    pub(super) fn expr_truth(&self, expr: &Expr, cursor: &mut Cursor<'_>) -> Option<bool> {
        match expr.as_call() {
            Some(function) => self.truth(function, cursor),
            None => match self.value(expr, cursor).as_text()?.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
        }
    }

    pub(super) fn truth(&self, function: &Function, cursor: &mut Cursor<'_>) -> Option<bool> {
        match function {
            Function::And(all) => {
                let each: Vec<Option<bool>> = all.iter().map(|one| self.expr_truth(one, cursor)).collect();
                if each.contains(&Some(false)) { Some(false) } else { each.iter().all(Option::is_some).then_some(true) }
            }
            Function::Or(all) => {
                let each: Vec<Option<bool>> = all.iter().map(|one| self.expr_truth(one, cursor)).collect();
                if each.contains(&Some(true)) { Some(true) } else { each.iter().all(Option::is_some).then_some(false) }
            }
            Function::Not(one) => self.expr_truth(one, cursor).map(|truth| !truth),
            Function::Equals(left, right) => {
                let (left, right) = (self.value(left, cursor), self.value(right, cursor));
                let (left, right) = (left.reveal().into_text_scalars(), right.reveal().into_text_scalars());
                (left.is_known() && right.is_known()).then(|| left == right)
            }
            Function::Condition(name) => {
                if !self.conditions.contains_key(&name.value) && !self.template.conditions.contains_key(&name.value) {
                    let message = format!(
                        "Template format error: Unresolved condition dependency {} in the Conditions block of the \
                         template",
                        name.value
                    );
                    self.problem(message, name.span, cursor.origin);
                }
                self.condition(&name.value)
            }
            Function::Rule { name, argument } => self.rule_truth(name, argument, cursor),
            // A value from elsewhere, as a mapping's `"true"`.
            Function::If { .. } | Function::FindInMap { .. } | Function::Ref(_) => {
                let span = crate::source::Span::default();
                match self.call(function, span, cursor) {
                    Value::Bool(truth) => Some(truth),
                    other => match other.as_text()?.as_str() {
                        "true" => Some(true),
                        "false" => Some(false),
                        _ => None,
                    },
                }
            }
            _ => None,
        }
    }
}
