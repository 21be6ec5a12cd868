//! Evaluation of a template's expressions with what is known: parameters, pseudo parameters, mappings, conditions,
//! facts about the account, and whatever the caller knows about resources.
//!
//! What cannot be known before a deployment is a value of its own ([`Value::Unknown`]) that flows through functions
//! as CloudFormation's marker does: it takes all of a `Fn::Join` with it, and leaves the known text of a `Fn::Sub`.
//! An evaluation never fails: it gives the best value and notes [`Problem`]s, in CloudFormation's words. Its memory is
//! bounded by a budget, its depth by that of the template.

mod budget;
pub mod cidr;
mod conditions;
pub mod dynamic;
mod functions;
mod inputs;
pub(crate) mod java;
mod names;
mod parameters;
mod reads;
mod rules;
mod value;

use crate::source::Span;
use crate::template::{Expr, Function, Kind, Member, Problem, Template};
use budget::Budget;
use indexmap::IndexMap;
use std::cell::RefCell;
use std::collections::BTreeSet;

pub use inputs::{Environment, Facts, LiveResource, ParameterValue};
pub(crate) use reads::within;
pub use reads::{Read, Reads};
pub use value::{Fragment, KNOWN_AFTER_APPLY, MASK, Value};

/// How long the path of a read may grow.
const PATH_BYTES: usize = 512;

const MACRO: &str = "a macro stands here, which only CloudFormation can run";

/// What is known about a template's resources while it is evaluated.
pub trait Resources {
    /// What `Ref` to the resource gives; `None` if there is no such resource.
    fn reference(&self, logical_id: &str) -> Option<Value>;
    /// What `Fn::GetAtt` gives; `None` if there is no such resource.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value>;
}

/// A value with what it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    pub value: Value,
    pub reads: Reads,
}

/// Evaluates expressions of one template.
pub struct Evaluator<'a> {
    template: &'a Template,
    environment: &'a Environment,
    facts: &'a Facts,
    parameters: IndexMap<String, Value>,
    conditions: IndexMap<String, Option<bool>>,
    budget: Budget,
    problems: RefCell<Vec<Problem>>,
    /// Names that nothing in the template has, by the section that uses them.
    unresolved: RefCell<BTreeSet<(String, String)>>,
}

/// The state of one evaluation: where its result will stand, and what it read so far.
struct Cursor<'r> {
    resources: &'r dyn Resources,
    /// The template's path, for problems: `/Resources/Topic/Properties`.
    origin: &'r str,
    /// Where in the result the value will stand.
    path: String,
    reads: Reads,
}

impl<'a> Evaluator<'a> {
    /// Resolves parameters and conditions.
    pub fn new(
        template: &'a Template,
        given: &IndexMap<String, ParameterValue>,
        environment: &'a Environment,
        facts: &'a Facts,
    ) -> Self {
        let mut problems = Vec::new();
        let parameters = parameters::resolve(template, given, facts, &mut problems);
        let mut evaluator = Evaluator {
            template,
            environment,
            facts,
            parameters,
            conditions: IndexMap::new(),
            budget: Budget::default(),
            problems: RefCell::new(problems),
            unresolved: RefCell::new(BTreeSet::new()),
        };
        for name in conditions::order(template, &evaluator.problems) {
            let result = evaluator.named_condition(name);
            evaluator.conditions.insert(name.to_owned(), result);
        }
        evaluator
    }

    /// The resolved value of a parameter: a list for list types, the held value for SSM types.
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.get(name)
    }

    /// Whether a named condition holds; `None` if that is not known, or there is no such condition.
    pub fn condition(&self, name: &str) -> Option<bool> {
        self.conditions.get(name).copied().flatten()
    }

    /// Whether a resource exists by its condition; `None` if that is not known.
    pub fn exists(&self, logical_id: &str) -> Option<bool> {
        let resource = self.template.resources.get(logical_id)?;
        let Some(condition) = &resource.condition else { return Some(true) };
        if !self.conditions.contains_key(&condition.value) {
            let message = format!(
                "Template format error: Unresolved condition dependency {} in the Resources block of the template",
                condition.value
            );
            self.problem(message, condition.span, &format!("/Resources/{logical_id}/Condition"));
        }
        self.condition(&condition.value)
    }

    /// Notes a problem if a resource depends on something that is not in the template. (On one that does not exist by
    /// its condition it may depend.)
    pub fn check_depends_on(&self, logical_id: &str) {
        let depends_on = self.template.resources.get(logical_id).map(|resource| resource.depends_on.as_slice());
        for name in depends_on.unwrap_or_default() {
            if !self.template.resources.contains_key(&name.value) {
                self.unresolved.borrow_mut().insert(("Resources".to_owned(), name.value.clone()));
            }
        }
    }

    /// Evaluates a value of the template. `origin` is its path in the template, for problems.
    pub fn evaluate(&self, expr: &Expr, resources: &dyn Resources, origin: &str) -> Evaluated {
        let mut cursor = Cursor { resources, origin, path: String::new(), reads: Reads::default() };
        let value = self.value(expr, &mut cursor);
        Evaluated { value, reads: cursor.reads }
    }

    /// All that was found wrong so far.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.borrow().clone();
        for section in ["Resources", "Outputs", "Conditions"] {
            let unresolved = self.unresolved.borrow();
            let names: Vec<&str> =
                unresolved.iter().filter(|(of, _)| of == section).map(|(_, name)| name.as_str()).collect();
            if names.is_empty() {
                continue;
            }
            let names = names.join(", ");
            let message = match section {
                "Conditions" => format!(
                    "Template format error: Unresolved dependencies [{names}]. Cannot reference resources in the \
                     Conditions block of the template"
                ),
                "Outputs" => format!("Unresolved resource dependencies [{names}] in the Outputs block of the template"),
                _ => format!(
                    "Template format error: Unresolved resource dependencies [{names}] in the Resources block of the \
                     template"
                ),
            };
            let span = self.template.root.entry(section).map(|entry| entry.key_span).unwrap_or_default();
            problems.push(Problem::new(message, span, &format!("/{section}")));
        }
        problems
    }

    fn value(&self, expr: &Expr, cursor: &mut Cursor<'_>) -> Value {
        match &expr.kind {
            Kind::Literal(scalar) => self.spend(Value::literal(scalar), expr.span, cursor),
            Kind::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let step = values.len();
                    match cursor.within(&step.to_string(), |cursor| self.value(item, cursor)) {
                        Value::NoValue => {}
                        value => values.push(value),
                    }
                }
                Value::List(values)
            }
            Kind::Map(members) => Value::Map(self.members(members, cursor)),
            Kind::Call(function) => self.call(function, expr.span, cursor),
        }
    }

    fn members(&self, members: &[Member], cursor: &mut Cursor<'_>) -> IndexMap<String, Value> {
        let mut values = IndexMap::with_capacity(members.len());
        for member in members {
            if member.key == "Fn::Transform" {
                self.problem(MACRO.to_owned(), member.key_span, cursor.origin);
            }
            let value = cursor.within(&member.key, |cursor| self.value(&member.value, cursor));
            if value != Value::NoValue {
                values.insert(member.key.clone(), value);
            }
        }
        values
    }

    fn call(&self, function: &Function, span: Span, cursor: &mut Cursor<'_>) -> Value {
        match function {
            Function::Ref(name) => match self.text(name, cursor) {
                Some(name) => self.reference(&name, cursor),
                None => Value::Unknown,
            },
            Function::GetAtt { resource, attribute } => {
                match (self.text(resource, cursor), self.text(attribute, cursor)) {
                    (Some(resource), Some(attribute)) => self.attribute(&resource, &attribute, cursor),
                    _ => Value::Unknown,
                }
            }
            Function::Sub { parts, variables, .. } => self.substitute(parts, variables, span, cursor),
            Function::If { condition, then, otherwise } => match self.conditions.get(&condition.value) {
                Some(Some(true)) => self.value(then, cursor),
                Some(Some(false)) => self.value(otherwise, cursor),
                Some(None) => {
                    let (one, other) = (self.value(then, cursor), self.value(otherwise, cursor));
                    if one == other { one } else { Value::Unknown }
                }
                None => {
                    let message =
                        format!("Template error: unresolved condition dependency {} in Fn::If", condition.value);
                    self.problem(message, condition.span, cursor.origin);
                    Value::Unknown
                }
            },
            Function::And(_) | Function::Or(_) | Function::Not(_) | Function::Equals(..) | Function::Condition(_) => {
                self.truth(function, cursor).map_or(Value::Unknown, Value::Bool)
            }
            Function::FindInMap { map, first, second, default } => {
                let value = self.transformed(cursor, |cursor| {
                    self.find_in_map([map, first, second], default.as_ref(), span, cursor)
                });
                self.spend(value, span, cursor)
            }
            Function::Transform(_) => {
                self.problem(MACRO.to_owned(), span, cursor.origin);
                Value::Unknown
            }
            Function::Rule { name, argument } => match self.rule_truth(name, argument, cursor) {
                Some(truth) => Value::Bool(truth),
                None => self.rule_value(name, argument),
            },
            Function::Malformed { .. } => Value::Unknown,
            Function::Join { delimiter, items } => {
                let (delimiter, items) = (self.value(delimiter, cursor), self.value(items, cursor));
                self.computed(functions::join(&delimiter, &items), span, cursor)
            }
            Function::Select { index, items } => {
                let is_written = matches!(items.kind, Kind::List(_));
                let (index, items) = (self.value(index, cursor), self.value(items, cursor));
                if let Some(message) = functions::past_end(&index, &items).filter(|_| !is_written) {
                    self.problem(message, span, cursor.origin);
                    return Value::Unknown;
                }
                self.computed(functions::select(&index, &items), span, cursor)
            }
            Function::Split { delimiter, text } => {
                let (delimiter, text) = (self.value(delimiter, cursor), self.value(text, cursor));
                self.computed(functions::split(&delimiter, &text), span, cursor)
            }
            Function::Base64(text) => {
                let text = self.value(text, cursor);
                self.computed(functions::base64(&text), span, cursor)
            }
            Function::Cidr { block, count, bits } => {
                let (block, count) = (self.value(block, cursor), self.value(count, cursor));
                let bits = bits.as_ref().map(|bits| self.value(bits, cursor));
                self.computed(functions::cidr_blocks(&block, &count, bits.as_ref()), span, cursor)
            }
            Function::GetAzs(region) => {
                let region = self.value(region, cursor);
                self.zones(&region)
            }
            Function::ImportValue(name) => {
                let name = self.value(name, cursor);
                match name.as_text().and_then(|name| self.facts.exports.get(&name)) {
                    Some(value) => self.spend(Value::string(value), span, cursor),
                    None => Value::Unknown,
                }
            }
            Function::GetStackOutput(argument) => {
                let argument = self.value(argument, cursor);
                self.stack_output(&argument)
            }
            Function::Length(list) => {
                let list = self.transformed(cursor, |cursor| self.value(list, cursor));
                self.computed(functions::length(&list), span, cursor)
            }
            Function::ToJsonString(value) => {
                let value = self.transformed(cursor, |cursor| self.value(value, cursor));
                self.computed(Ok(functions::to_json_string(&value)), span, cursor)
            }
        }
    }

    /// Runs what the language extensions put literals for before CloudFormation compares templates: which parameters
    /// it read is not seen any more.
    fn transformed(&self, cursor: &mut Cursor<'_>, run: impl FnOnce(&mut Cursor<'_>) -> Value) -> Value {
        if !self.template.has_language_extensions() {
            return run(cursor);
        }
        let before = cursor.reads.clone();
        let value = run(cursor);
        if value.is_known() {
            cursor.reads.forget_new_parameters(&before);
        }
        value
    }

    /// The text of an argument that must be known to go on; `None` if it is not.
    fn text(&self, expr: &Expr, cursor: &mut Cursor<'_>) -> Option<String> {
        self.value(expr, cursor).as_text()
    }

    fn computed(&self, result: Result<Value, &'static str>, span: Span, cursor: &Cursor<'_>) -> Value {
        match result {
            Ok(value) => self.spend(value, span, cursor),
            Err(message) => {
                self.problem(message.to_owned(), span, cursor.origin);
                Value::Unknown
            }
        }
    }

    fn spend(&self, value: Value, span: Span, cursor: &Cursor<'_>) -> Value {
        if self.spent(value.weight(), span, cursor) { value } else { Value::Unknown }
    }

    /// Whether there were so many bytes left; the first time there are not, that is a problem.
    fn spent(&self, bytes: usize, span: Span, cursor: &Cursor<'_>) -> bool {
        let spent = self.budget.spend(bytes);
        if matches!(spent, budget::Spent::First) {
            self.problem(budget::EXCEEDED.to_owned(), span, cursor.origin);
        }
        matches!(spent, budget::Spent::Within)
    }

    fn problem(&self, message: String, span: Span, path: &str) {
        let problem = Problem::new(message, span, path);
        let mut problems = self.problems.borrow_mut();
        // One expression is evaluated for several states of the stack: once is enough.
        if !problems.contains(&problem) && problems.len() < 1000 {
            problems.push(problem);
        }
    }
}

impl Cursor<'_> {
    fn within<T>(&mut self, step: &str, run: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        // What is read below a path that nobody can read counts for the place above.
        if length < PATH_BYTES {
            self.path.push('/');
            self.path.push_str(step);
        }
        let result = run(self);
        self.path.truncate(length);
        result
    }

    fn read(&mut self, read: Read) {
        let path = if self.path.len() < 2 * PATH_BYTES { self.path.as_str() } else { "" };
        self.reads.add(path, read);
    }
}

#[cfg(test)]
mod tests;
