//! A value against a schema.
//!
//! Three answers, not two: a value can be right, wrong, or not known before the deployment. What is not known never
//! makes a finding, and no `not`, `if` or `oneOf` decides on it. Every branch of `Fn::If` that can be taken is checked
//! under what it assumes.

use super::conditions::Assumed;
use super::facts::{Facts, asked_conditions, is_dynamic};
use super::finding::Rule;
use super::{gather, rules};
use crate::schema::{Keyword, Schema, Type};
use crate::source::{Scalar, Span};
use crate::template::{Expr, Function, Kind, Member, PSEUDO_PARAMETERS};

mod formats;
mod lists;
mod objects;
mod scalars;

/// A value that breaks a keyword.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub rule: Rule,
    /// In the words of the registry's validator, without the place.
    pub message: String,
    pub span: Span,
    /// From the checked value down.
    pub path: Vec<String>,
    /// The resource whose properties the path starts from, if it is not the one that was checked.
    pub resource: Option<String>,
    pub remedy: Option<String>,
    /// What conditions must be for it to be wrong; none where it always is.
    pub scenario: Option<Assumed>,
}

pub struct Checker<'c, 't> {
    pub facts: &'c Facts<'t>,
    root: &'c Schema,
    /// Inside `not`, `if`, `oneOf` …: only the answer counts.
    composite: bool,
    /// Functions are plain maps here.
    literal: bool,
    path: Vec<String>,
    pub found: Vec<Found>,
    /// Whether something could not be decided.
    pub unknown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Right,
    Wrong,
    Unknown,
}

impl<'c, 't> Checker<'c, 't> {
    /// `root` is the schema that references point into.
    pub fn new(facts: &'c Facts<'t>, root: &'c Schema) -> Self {
        Checker { facts, root, composite: false, literal: false, path: Vec::new(), found: Vec::new(), unknown: false }
    }

    /// Functions are taken for plain values: a constraint wants to see what is written.
    pub fn literal(mut self, literal: bool) -> Self {
        self.literal = literal;
        self
    }

    /// Checks all that `value` can be.
    pub fn check(&mut self, value: &Expr, schema: &Schema, assumed: &Assumed) {
        if self.literal {
            return self.branch(value, schema, assumed);
        }
        let outer = assumed;
        for (branch, assumed) in self.facts.branches(value, outer) {
            if let Some(branch) = branch {
                let start = self.found.len();
                self.branch(branch, schema, &assumed);
                let taken = assumed.beyond(outer);
                self.in_scenario(start, &taken);
            }
        }
    }

    /// What was found since `start` is wrong only where `scenario` holds.
    fn in_scenario(&mut self, start: usize, scenario: &Assumed) {
        if *scenario == Assumed::default() {
            return;
        }
        for found in &mut self.found[start..] {
            let inner = found.scenario.take();
            found.scenario = Some(inner.map_or_else(|| scenario.clone(), |inner| scenario.and(&inner)));
        }
    }

    fn branch(&mut self, value: &Expr, schema: &Schema, assumed: &Assumed) {
        match &value.kind {
            Kind::Call(_) if self.literal => self.literal_call(value, schema),
            Kind::Call(function) => self.call(function, value.span, schema),
            // A null in a template is a problem of its own.
            Kind::Literal(scalar) if scalar.is_null() && !self.composite => {}
            Kind::Literal(scalar) if is_dynamic(&scalar.text) || PSEUDO_PARAMETERS.contains(&scalar.text.as_str()) => {
                self.unknown = true;
            }
            Kind::Literal(scalar) => self.scalar(scalar, value, schema, assumed),
            Kind::List(items) => {
                if self.kind(Type::Array, schema, value.span) {
                    self.list(items, value, schema, assumed);
                }
            }
            Kind::Map(members) => {
                if self.kind(Type::Object, schema, value.span) {
                    self.map(members, value, schema, assumed);
                }
            }
        }
    }

    /// Whether a value of this kind is of the right type; says so if not.
    fn kind(&mut self, kind: Type, schema: &Schema, span: Span) -> bool {
        let right = schema.types.any() || schema.types.contains(kind);
        if !right {
            let message = format!("expected type: {}, found: {}", schema.types, kind.name());
            self.wrong(rules::WRONG_TYPE, message, span);
        }
        right
    }

    /// A function whose result is not known: its kind may be.
    fn call(&mut self, function: &Function, span: Span, schema: &Schema) {
        let types = self.facts.result_types(function);
        let expected = schema.types;
        let scalar = |types: crate::schema::Types| {
            [Type::String, Type::Integer, Type::Number, Type::Boolean].into_iter().any(|one| types.contains(one))
        };
        let only_list = |types: crate::schema::Types| types.contains(Type::Array) && !scalar(types);
        let only_list = |types: crate::schema::Types| only_list(types) && !types.contains(Type::Object);
        let only_scalar = |types: crate::schema::Types| {
            scalar(types) && !types.contains(Type::Array) && !types.contains(Type::Object)
        };
        let name = function.name();
        if only_list(types) && only_scalar(expected) {
            let message = format!("expected type: {expected}, found: {name}, which gives a list");
            let remedy = "Pick one item with `Fn::Select`, or join them with `Fn::Join`.";
            return self.wrong_with(rules::FUNCTION_TYPE, message, span, Some(remedy.to_owned()));
        }
        if only_scalar(types) && only_list(expected) {
            let message = format!("expected type: {expected}, found: {name}, which gives one value");
            let remedy = "Put it into a list: `[…]`, or split it with `Fn::Split`.";
            return self.wrong_with(rules::FUNCTION_TYPE, message, span, Some(remedy.to_owned()));
        }
        self.unknown = true;
        for keyword in &schema.keywords {
            if let Keyword::Format(format) = keyword
                && !self.composite
                && let Some((message, remedy)) = formats::mismatch(self.facts, function, format)
            {
                self.wrong_with(rules::REFERENCE_FORMAT, message, span, Some(remedy));
            }
        }
        // What a reference or an alternative asks of the kind is still to be seen.
        for keyword in &schema.keywords {
            if let Keyword::Reference(pointer) = keyword
                && let Some(target) = self.root.at(pointer)
            {
                self.call(function, span, target);
            }
        }
    }

    /// A function where functions are plain maps: a map with one key.
    fn literal_call(&mut self, value: &Expr, schema: &Schema) {
        if !self.kind(Type::Object, schema, value.span) {
            return;
        }
        let json = value.to_json();
        for keyword in &schema.keywords {
            match keyword {
                Keyword::Const(expected) if *expected != json => {
                    self.wrong(rules::VALUE, format!("{json} is not {expected}"), value.span);
                }
                Keyword::Enum(allowed) if !allowed.contains(&json) => {
                    self.wrong(rules::VALUE, format!("{json} is not a valid enum value"), value.span);
                }
                Keyword::Required(names) => {
                    self.wrong(
                        rules::MISSING_PROPERTY,
                        format!("required key [{}] not found", names.join(", ")),
                        value.span,
                    );
                }
                Keyword::Never => self.wrong(rules::UNKNOWN_PROPERTY, "is not permitted".to_owned(), value.span),
                _ => {}
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar, value: &Expr, schema: &Schema, assumed: &Assumed) {
        if !scalars::is_of(scalar, schema.types) {
            let message = format!("expected type: {}, found: {}", schema.types, scalars::kind(scalar));
            return self.wrong(rules::WRONG_TYPE, message, value.span);
        }
        for keyword in &schema.keywords {
            // Of resolved values, the service that gets them says what it takes.
            if let Keyword::Format(format) = keyword
                && !self.literal
                && let Some((rule, message, remedy)) = formats::violation(scalar, format)
            {
                self.wrong_with(rule, message, value.span, Some(remedy));
                continue;
            }
            match scalars::violation(scalar, keyword, schema, !self.composite) {
                scalars::Verdict::Right => self.composed(value, keyword, assumed),
                scalars::Verdict::Wrong { rule, message, remedy } => {
                    self.wrong_with(rule, message, value.span, remedy);
                }
                scalars::Verdict::Unknown => self.unknown = true,
            }
        }
    }

    fn list(&mut self, items: &[Expr], value: &Expr, schema: &Schema, assumed: &Assumed) {
        let mut names = Vec::new();
        items.iter().for_each(|item| asked_conditions(self.facts, item, &mut names));
        self.in_scenarios(&names, assumed, schema, |checker, assumed| {
            let present = checker.present_items(items, assumed);
            for keyword in &schema.keywords {
                checker.list_keyword(&present, value, keyword, schema, assumed);
                checker.composed(value, keyword, assumed);
            }
        });
    }

    fn map(&mut self, members: &[Member], value: &Expr, schema: &Schema, assumed: &Assumed) {
        let mut names = Vec::new();
        members.iter().for_each(|member| asked_conditions(self.facts, &member.value, &mut names));
        self.in_scenarios(&names, assumed, schema, |checker, assumed| {
            let present = checker.present_members(members, assumed);
            for keyword in &schema.keywords {
                checker.map_keyword(&present, value, keyword, schema, assumed);
                checker.composed(value, keyword, assumed);
            }
        });
    }

    /// Runs `check` once for each way in which the conditions can turn out, where the schema compares parts of a value
    /// with each other; otherwise the parts are looked at one by one, and once is enough.
    fn in_scenarios(
        &mut self,
        names: &[usize],
        assumed: &Assumed,
        schema: &Schema,
        mut check: impl FnMut(&mut Self, &Assumed),
    ) {
        if names.is_empty() || self.literal || !schema.keywords.iter().any(looks_at_the_whole) {
            return check(self, assumed);
        }
        let Some(scenarios) = self.facts.conditions.scenarios(names, assumed).filter(|all| all.len() <= 64) else {
            self.unknown = true;
            return;
        };
        let before = self.found.len();
        let many = scenarios.len();
        let mut times: Vec<usize> = Vec::new();
        for scenario in scenarios {
            let start = self.found.len();
            check(self, &scenario);
            // What is wrong in several scenarios is said once, and of the first.
            for mut fresh in self.found.split_off(start) {
                let same = |known: &Found| {
                    Found { scenario: None, ..known.clone() } == Found { scenario: None, ..fresh.clone() }
                };
                match self.found[before..].iter().position(same) {
                    Some(at) => times[at] += 1,
                    None => {
                        fresh.scenario = fresh.scenario.or_else(|| Some(scenario.beyond(assumed)));
                        self.found.push(fresh);
                        times.push(1);
                    }
                }
            }
        }
        for (found, times) in self.found[before..].iter_mut().zip(times) {
            if times == many {
                found.scenario = None;
            }
        }
    }

    /// Keywords that hold other schemas for the same value.
    fn composed(&mut self, value: &Expr, keyword: &Keyword, assumed: &Assumed) {
        match keyword {
            Keyword::Reference(pointer) => {
                if let Some(target) = self.root.at(pointer) {
                    self.branch(value, target, assumed);
                }
            }
            Keyword::Never => self.wrong(rules::UNKNOWN_PROPERTY, "this is not permitted here".to_owned(), value.span),
            Keyword::Unknown => self.unknown = true,
            Keyword::AllOf(all) => all.iter().for_each(|schema| self.branch(value, schema, assumed)),
            Keyword::AnyOf(any) => {
                let answers: Vec<Answer> = any.iter().map(|schema| self.answer(value, schema, assumed)).collect();
                if answers.contains(&Answer::Right) {
                } else if answers.contains(&Answer::Unknown) {
                    self.unknown = true;
                } else {
                    let message = format!("no subschema matched out of the total {} subschemas", any.len());
                    let remedy = self.best_reason(value, any, assumed);
                    self.wrong_with(rules::ANY_OF, message, value.span, remedy);
                }
            }
            Keyword::OneOf(one) => {
                let answers: Vec<Answer> = one.iter().map(|schema| self.answer(value, schema, assumed)).collect();
                let right = answers.iter().filter(|answer| **answer == Answer::Right).count();
                if right > 1 {
                    let message = format!("{right} subschemas matched instead of one");
                    self.wrong(rules::ONE_OF, message, value.span);
                } else if answers.contains(&Answer::Unknown) {
                    self.unknown = true;
                } else if right == 0 {
                    let remedy = self.best_reason(value, one, assumed);
                    self.wrong_with(
                        rules::ONE_OF,
                        "0 subschemas matched instead of one".to_owned(),
                        value.span,
                        remedy,
                    );
                }
            }
            Keyword::Not(schema) => match self.answer(value, schema, assumed) {
                Answer::Right => {
                    self.wrong(rules::VALUE, "subject must not be valid against the schema".to_owned(), value.span);
                }
                Answer::Wrong => {}
                Answer::Unknown => self.unknown = true,
            },
            Keyword::If(conditional) => match self.answer(value, &conditional.condition, assumed) {
                Answer::Right => {
                    conditional.then.iter().for_each(|schema| self.branch(value, schema, assumed));
                }
                Answer::Wrong => {
                    conditional.otherwise.iter().for_each(|schema| self.branch(value, schema, assumed));
                }
                Answer::Unknown => self.unknown = true,
            },
            Keyword::Literal(schema) => {
                let outer = std::mem::replace(&mut self.literal, true);
                self.branch(value, schema, assumed);
                self.literal = outer;
            }
            Keyword::Gather(gather) => gather::check(self, value, gather, assumed),
            _ => {}
        }
    }

    fn answer(&mut self, value: &Expr, schema: &Schema, assumed: &Assumed) -> Answer {
        let mut inner = Checker { composite: true, literal: self.literal, ..Checker::new(self.facts, self.root) };
        inner.branch(value, schema, assumed);
        match (inner.unknown, inner.found.is_empty()) {
            (true, _) => Answer::Unknown,
            (false, true) => Answer::Right,
            (false, false) => Answer::Wrong,
        }
    }

    /// What the alternative that comes nearest is missing.
    fn best_reason(&self, value: &Expr, schemas: &[Schema], assumed: &Assumed) -> Option<String> {
        if self.composite {
            return None;
        }
        let reasons = schemas.iter().map(|schema| {
            let mut inner = Checker { composite: true, literal: self.literal, ..Checker::new(self.facts, self.root) };
            inner.branch(value, schema, assumed);
            inner.found
        });
        let best = reasons.min_by_key(|found| (found.len(), found.first().map_or(0, |first| first.path.len())))?;
        let first = best.first()?;
        Some(format!("The nearest alternative: {}: {}", pointer(&first.path), first.message))
    }

    /// Checks `value`, which stands under `name`.
    fn below(&mut self, name: &str, value: &Expr, schema: &Schema, assumed: &Assumed) {
        self.path.push(name.to_owned());
        self.check(value, schema, assumed);
        self.path.pop();
    }

    fn wrong(&mut self, rule: Rule, message: String, span: Span) {
        self.wrong_with(rule, message, span, None);
    }

    fn wrong_with(&mut self, rule: Rule, message: String, span: Span, remedy: Option<String>) {
        let path = self.path.clone();
        self.found.push(Found { rule, message, span, path, resource: None, remedy, scenario: None });
    }

    /// As [`Checker::wrong_with`], for something under `name`.
    fn wrong_below(&mut self, name: &str, rule: Rule, message: String, span: Span, remedy: Option<String>) {
        self.path.push(name.to_owned());
        self.wrong_with(rule, message, span, remedy);
        self.path.pop();
    }

    /// Checks a value of another schema document, keeping what is found.
    pub fn check_other(&mut self, value: &Expr, root: &Schema, assumed: &Assumed) -> Vec<Found> {
        let mut inner = Checker { composite: self.composite, literal: self.literal, ..Checker::new(self.facts, root) };
        inner.check(value, root, assumed);
        self.unknown |= inner.unknown && self.composite;
        inner.found
    }
}

/// Whether a keyword looks at several parts of a value together.
fn looks_at_the_whole(keyword: &Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Required(_)
            | Keyword::RequiredXor(_)
            | Keyword::RequiredOr(_)
            | Keyword::DependentRequired(_)
            | Keyword::DependentExcluded(_)
            | Keyword::DependentSchemas(_)
            | Keyword::MinProperties(_)
            | Keyword::MaxProperties(_)
            | Keyword::MinItems(_)
            | Keyword::MaxItems(_)
            | Keyword::MaxUniqueItems(_)
            | Keyword::UniqueItems
            | Keyword::UniqueKeys(_)
            | Keyword::Contains(_)
            | Keyword::PrefixItems(_)
            | Keyword::Reference(_)
            | Keyword::AllOf(_)
            | Keyword::AnyOf(_)
            | Keyword::OneOf(_)
            | Keyword::Not(_)
            | Keyword::If(_)
    )
}

/// `#/A/0/B`, as the registry's validator names places.
pub fn pointer(path: &[String]) -> String {
    path.iter().fold("#".to_owned(), |pointer, part| pointer + "/" + part)
}
