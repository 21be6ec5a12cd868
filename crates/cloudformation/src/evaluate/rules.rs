//! Rules: assertions about parameters, which CloudFormation judges before it creates or updates anything.
//! (User guide, "Rules section" and "Rule-specific intrinsic functions".)

use super::conditions::NoResources;
use super::{Cursor, Evaluator, Reads, Value};
use crate::template::{Expr, Kind, ParameterType};

impl Evaluator<'_> {
    /// Notes a problem for every assertion that does not hold, in the words of its description. A rule whose condition
    /// does not hold says nothing, and what is not known is not judged.
    pub fn check_rules(&self) {
        for (name, rule) in &self.template.rules {
            let truth = |expr: &Expr, path: &str| {
                let (resources, reads) = (&NoResources, Reads::default());
                self.expr_truth(expr, &mut Cursor { resources, origin: path, path: String::new(), reads })
            };
            let condition = rule.condition.as_ref();
            if condition
                .is_some_and(|condition| truth(condition, &format!("/Rules/{name}/RuleCondition")) != Some(true))
            {
                continue;
            }
            for (at, assertion) in rule.assertions.iter().enumerate() {
                let path = format!("/Rules/{name}/Assertions/{at}");
                if truth(&assertion.assert, &format!("{path}/Assert")) == Some(false) {
                    let described = assertion.description.as_ref().map(|description| description.value.clone());
                    let message = described.unwrap_or_else(|| format!("Assertion {} of rule {name} failed", at + 1));
                    self.problem(message, assertion.assert.span, &path);
                }
            }
        }
    }

    /// Whether `Fn::Contains` and the like hold; `None` if that is not known.
    pub(super) fn rule_truth(&self, name: &str, argument: &Expr, cursor: &mut Cursor<'_>) -> Option<bool> {
        let Kind::List(arguments) = &argument.kind else { return None };
        let [first, second] = arguments.as_slice() else { return None };
        let (first, second) = (self.value(first, cursor), self.value(second, cursor));
        match name {
            "Fn::Contains" => Some(texts(&first)?.contains(&second.reveal().as_text()?)),
            "Fn::EachMemberEquals" => {
                let wanted = second.reveal().as_text()?;
                Some(texts(&first)?.iter().all(|text| *text == wanted))
            }
            "Fn::EachMemberIn" => {
                let allowed = texts(&second)?;
                Some(texts(&first)?.iter().all(|text| allowed.contains(text)))
            }
            _ => None,
        }
    }

    /// What `Fn::RefAll`, `Fn::ValueOf` and `Fn::ValueOfAll` give: the values of all parameters of a type, an attribute of
    /// what one parameter names, or of what all of a type name. Attributes are unknown where the facts lack them.
    pub(super) fn rule_value(&self, name: &str, argument: &Expr) -> Value {
        let texts = |expr: &Expr| match &expr.kind {
            Kind::List(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => expr.as_str().map(|text| vec![text.to_owned()]),
        };
        let arguments: Option<Vec<String>> = texts(argument);
        match (name, arguments.as_deref()) {
            ("Fn::RefAll", Some([wanted])) => Value::List(self.all_of_type(wanted)),
            ("Fn::ValueOf", Some([parameter, attribute])) => {
                match self.parameter(parameter).map(|value| value.reveal()) {
                    Some(Value::List(items)) => {
                        Value::List(items.iter().map(|item| self.attribute_of(item, attribute)).collect())
                    }
                    Some(one) => self.attribute_of(&one, attribute),
                    None => Value::Unknown,
                }
            }
            ("Fn::ValueOfAll", Some([wanted, attribute])) => {
                Value::List(self.all_of_type(wanted).iter().map(|item| self.attribute_of(item, attribute)).collect())
            }
            _ => Value::Unknown,
        }
    }

    /// The values of all parameters of a type, those of lists one by one.
    fn all_of_type(&self, wanted: &str) -> Vec<Value> {
        let of_type = self.template.parameters.iter().filter(|(_, parameter)| match &parameter.parameter_type {
            ParameterType::Aws(name) | ParameterType::ListOfAws(name) => name == wanted,
            ParameterType::String => wanted == "String",
            _ => false,
        });
        let values = of_type.filter_map(|(name, _)| self.parameter(name)).flat_map(|value| match value.reveal() {
            Value::List(items) => items,
            one => vec![one],
        });
        values.collect()
    }

    /// An attribute of what a parameter names.
    fn attribute_of(&self, named: &Value, attribute: &str) -> Value {
        let known = named.as_text().and_then(|id| self.facts.named.get(&id)?.get(attribute).cloned());
        known.map_or(Value::Unknown, Value::string)
    }
}

/// The texts of a list. The empty list is what CloudFormation makes of an empty parameter: it has one empty text.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value.reveal() {
        Value::List(items) if items.is_empty() => Some(vec![String::new()]),
        Value::List(items) => items.iter().map(Value::as_text).collect(),
        _ => None,
    }
}
