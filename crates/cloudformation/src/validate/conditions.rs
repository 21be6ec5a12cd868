//! Which conditions can hold together.
//!
//! Each condition is a formula over comparisons. `Equals(X, a)` and `Equals(X, b)` exclude each other, a parameter is
//! one of its allowed values: what follows from that is known here, nothing else. When there is too much to try, the
//! answer is "possible", so that no finding rests on a guess.

use super::facts::Options;
use crate::template::{Expr, Function, Parameter, Template};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// More comparisons than this are not tried out.
const MOST_ATOMS: usize = 12;
const DEEPEST: usize = 32;

/// A condition by its place in the template.
pub type Name = usize;

/// What is assumed of conditions at some place of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assumed(Vec<(Name, bool)>);

impl Assumed {
    pub fn get(&self, name: Name) -> Option<bool> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    pub fn with(&self, name: Name, value: bool) -> Self {
        let mut more = self.clone();
        match more.0.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => more.0.push((name, value)),
        }
        more
    }

    /// Both together; where they contradict each other, nothing makes both true.
    pub fn and(&self, other: &Assumed) -> Self {
        let mut both = self.clone();
        both.0.extend(other.0.iter().filter(|pair| !self.0.contains(pair)));
        both
    }

    /// Whether something is assumed both true and false.
    fn contradicts_itself(&self) -> bool {
        self.0.iter().any(|(name, value)| self.0.contains(&(*name, !value)))
    }

    /// Each condition with what it is assumed to be.
    pub fn pairs(&self) -> impl Iterator<Item = (Name, bool)> {
        self.0.iter().copied()
    }

    /// What is assumed here and not in `other`.
    pub fn beyond(&self, other: &Assumed) -> Assumed {
        Assumed(self.0.iter().filter(|(name, _)| other.get(*name).is_none()).copied().collect())
    }

    fn names(&self) -> impl Iterator<Item = Name> {
        self.0.iter().map(|(name, _)| *name)
    }
}

#[derive(Debug, Clone)]
enum Formula {
    Known(bool),
    Atom(usize),
    Not(Box<Formula>),
    And(Vec<Formula>),
    Or(Vec<Formula>),
}

/// A comparison; `value` is the literal side, if exactly one side is literal.
#[derive(Debug, PartialEq)]
struct Atom {
    subject: String,
    value: Option<String>,
}

/// The conditions of a template.
pub struct Conditions<'t> {
    template: &'t Template,
    options: &'t Options,
    /// In the order of the template.
    formulas: Vec<Formula>,
    atoms: Vec<Atom>,
    /// The rows of truth values that the conditions named by the key can have, or `None`: any.
    reachable: RefCell<HashMap<Vec<Name>, Reachable>>,
}

type Reachable = Option<Rc<Vec<Vec<bool>>>>;

impl<'t> Conditions<'t> {
    pub fn new(template: &'t Template, options: &'t Options) -> Self {
        let (formulas, atoms, reachable) = (Vec::new(), Vec::new(), RefCell::default());
        let mut conditions = Conditions { template, options, formulas, atoms, reachable };
        for condition in template.conditions.values() {
            let formula = conditions.formula(&condition.expr, 0);
            conditions.formulas.push(formula);
        }
        conditions
    }

    /// The condition called `name`, if the template declares it.
    pub fn name(&self, name: &str) -> Option<Name> {
        self.template.conditions.get_index_of(name)
    }

    /// Whether all that is assumed can hold at once.
    pub fn possible(&self, assumed: &Assumed) -> bool {
        !assumed.contradicts_itself() && !self.scenarios(&[], assumed).is_some_and(|scenarios| scenarios.is_empty())
    }

    /// Every way in which the conditions called `names` can turn out given what is assumed; `None`: too many to tell.
    pub fn scenarios(&self, names: &[Name], assumed: &Assumed) -> Option<Vec<Assumed>> {
        let mut all: Vec<Name> = assumed.names().chain(names.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        let rows = self.rows(&all)?;
        let fits = |row: &&Vec<bool>| {
            all.iter().zip(row.iter()).all(|(name, value)| assumed.get(*name).is_none_or(|known| known == *value))
        };
        let scenarios =
            rows.iter().filter(fits).map(|row| Assumed(all.iter().copied().zip(row.iter().copied()).collect()));
        Some(scenarios.collect())
    }

    fn rows(&self, names: &[Name]) -> Reachable {
        if let Some(known) = self.reachable.borrow().get(names) {
            return known.clone();
        }
        let rows = self.enumerate(names).map(Rc::new);
        self.reachable.borrow_mut().insert(names.to_vec(), rows.clone());
        rows
    }

    fn enumerate(&self, names: &[Name]) -> Option<Vec<Vec<bool>>> {
        let formulas: Vec<&Formula> = names.iter().filter_map(|name| self.formulas.get(*name)).collect();
        let mut used = Vec::new();
        formulas.iter().for_each(|formula| formula.atoms(&mut used));
        used.sort_unstable();
        used.dedup();
        if used.len() > MOST_ATOMS {
            return None;
        }
        let mut rows = Vec::new();
        for bits in 0..1_u32 << used.len() {
            let holds = |atom: usize| used.binary_search(&atom).is_ok_and(|at| bits & (1 << at) != 0);
            if self.consistent(&used, &holds) {
                let row: Vec<bool> = formulas.iter().map(|formula| formula.eval(&holds)).collect();
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
        }
        Some(rows)
    }

    /// Whether no subject has two values at once, and none of its allowed values is left.
    fn consistent(&self, used: &[usize], holds: &dyn Fn(usize) -> bool) -> bool {
        let with_value = || used.iter().copied().filter(|at| self.atoms[*at].value.is_some());
        for (at, atom) in with_value().map(|at| (at, &self.atoms[at])) {
            let same = || with_value().filter(|other| self.atoms[*other].subject == atom.subject);
            if holds(at) && same().any(|other| other != at && holds(other)) {
                return false;
            }
            let allowed = self.allowed_values(&atom.subject);
            let covered = |value: &String| same().any(|other| self.atoms[other].value.as_ref() == Some(value));
            if !allowed.is_empty() && allowed.iter().all(covered) && !same().any(holds) {
                return false;
            }
        }
        true
    }

    fn formula(&mut self, expr: &'t Expr, depth: usize) -> Formula {
        let Some(function) = expr.as_call().filter(|_| depth < DEEPEST) else {
            return self.atom(Atom { subject: expr.to_json().to_string(), value: None });
        };
        match function {
            Function::Condition(name) => match self.template.conditions.get(&name.value) {
                Some(condition) => self.formula(&condition.expr, depth + 1),
                None => self.atom(Atom { subject: format!("condition {}", name.value), value: None }),
            },
            Function::Not(inner) => Formula::Not(Box::new(self.formula(inner, depth + 1))),
            Function::And(all) => Formula::And(all.iter().map(|one| self.formula(one, depth + 1)).collect()),
            Function::Or(all) => Formula::Or(all.iter().map(|one| self.formula(one, depth + 1)).collect()),
            Function::Equals(one, two) => self.comparison(one, two),
            _ => self.atom(Atom { subject: expr.to_json().to_string(), value: None }),
        }
    }

    fn comparison(&mut self, one: &Expr, two: &Expr) -> Formula {
        match (literal(one), literal(two)) {
            (Some(one), Some(two)) => Formula::Known(one == two),
            (None, Some(value)) => self.equals(one, value),
            (Some(value), None) => self.equals(two, value),
            (None, None) => {
                let mut sides = [one.to_json().to_string(), two.to_json().to_string()];
                sides.sort();
                if sides[0] == sides[1] {
                    return Formula::Known(true);
                }
                self.atom(Atom { subject: sides.join(" = "), value: None })
            }
        }
    }

    fn equals(&mut self, subject: &Expr, value: String) -> Formula {
        let subject = subject.to_json().to_string();
        if let Some(known) = self.parameter(&subject).and_then(|(name, it)| self.options.value(name, it)) {
            return Formula::Known(known == value);
        }
        let allowed = self.allowed_values(&subject);
        if !allowed.is_empty() && !allowed.contains(&value) {
            return Formula::Known(false);
        }
        self.atom(Atom { subject, value: Some(value) })
    }

    /// The allowed values of the parameter that `subject` (an expression's JSON) refers to.
    fn allowed_values(&self, subject: &str) -> Vec<String> {
        let parameter = self.parameter(subject);
        parameter.map(|(_, it)| it.allowed_values.iter().map(|text| text.value.clone()).collect()).unwrap_or_default()
    }

    fn parameter<'s>(&self, subject: &'s str) -> Option<(&'s str, &'t Parameter)> {
        let name = subject.strip_prefix("{\"Ref\":\"").and_then(|rest| rest.strip_suffix("\"}"))?;
        Some((name, self.template.parameters.get(name)?))
    }

    fn atom(&mut self, atom: Atom) -> Formula {
        let known = self.atoms.iter().position(|other| *other == atom);
        Formula::Atom(known.unwrap_or_else(|| {
            self.atoms.push(atom);
            self.atoms.len() - 1
        }))
    }
}

impl Formula {
    fn atoms(&self, found: &mut Vec<usize>) {
        match self {
            Formula::Known(_) => {}
            Formula::Atom(atom) => found.push(*atom),
            Formula::Not(inner) => inner.atoms(found),
            Formula::And(all) | Formula::Or(all) => all.iter().for_each(|one| one.atoms(found)),
        }
    }

    fn eval(&self, holds: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Formula::Known(value) => *value,
            Formula::Atom(atom) => holds(*atom),
            Formula::Not(inner) => !inner.eval(holds),
            Formula::And(all) => all.iter().all(|one| one.eval(holds)),
            Formula::Or(all) => all.iter().any(|one| one.eval(holds)),
        }
    }
}

fn literal(expr: &Expr) -> Option<String> {
    match &expr.kind {
        crate::template::Kind::Literal(scalar) => Some(scalar.text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Parameters:
  Stage: {Type: String, AllowedValues: [dev, prod]}
  Size: {Type: String}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Dev: !Equals [dev, !Ref Stage]
  NotProd: !Not [!Condition Prod]
  Never: !Equals [!Ref Stage, test]
  Small: !Equals [!Ref Size, s]
  Large: !Equals [!Ref Size, l]
  Both: !And [!Condition Prod, !Condition Small]
Resources: {A: {Type: 'AWS::SNS::Topic'}}
";

    fn assumed(conditions: &Conditions<'_>, names: &[(&str, bool)]) -> Assumed {
        let name = |name: &str| conditions.name(name).unwrap_or_else(|| panic!("{name}"));
        Assumed(names.iter().map(|(condition, value)| (name(condition), *value)).collect())
    }

    #[test]
    fn what_can_hold_together() {
        let template = Template::parse(TEMPLATE).unwrap_or_else(|problems| panic!("{problems:?}"));
        let options = Options::default();
        let conditions = Conditions::new(&template, &options);
        let cases: [(&[(&str, bool)], bool); 9] = [
            (&[("Prod", true)], true),
            (&[("Prod", true), ("NotProd", true)], false),
            (&[("Prod", true), ("Dev", true)], false),
            (&[("Prod", false), ("Dev", false)], false),
            (&[("Never", true)], false),
            (&[("Small", true), ("Large", true)], false),
            (&[("Small", false), ("Large", false)], true),
            (&[("Both", true), ("Prod", false)], false),
            (&[("Both", true), ("Small", true), ("Dev", false)], true),
        ];
        for (names, expected) in cases {
            assert_eq!(conditions.possible(&assumed(&conditions, names)), expected, "{names:?}");
        }
        assert_eq!(conditions.name("Undeclared"), None);
    }

    #[test]
    fn scenarios_are_those_that_can_happen() {
        let template = Template::parse(TEMPLATE).unwrap_or_else(|problems| panic!("{problems:?}"));
        let options = Options::default();
        let conditions = Conditions::new(&template, &options);
        let count = |names: &[&str], given: &[(&str, bool)]| {
            let names: Vec<Name> = names.iter().filter_map(|name| conditions.name(name)).collect();
            conditions.scenarios(&names, &assumed(&conditions, given)).map(|scenarios| scenarios.len())
        };
        assert_eq!(count(&["Prod", "Dev", "NotProd"], &[]), Some(2));
        assert_eq!(count(&["Small", "Large"], &[]), Some(3));
        assert_eq!(count(&["Both"], &[("Prod", false)]), Some(1));
        assert_eq!(count(&["Prod"], &[("Prod", true), ("NotProd", true)]), Some(0));
    }
}
