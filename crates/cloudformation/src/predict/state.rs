//! The stack as it is, and as it becomes: what `Ref` and `Fn::GetAtt` give in each.

use super::attributes::Attributes;
use crate::evaluate::{Evaluator, Facts, Resources, Value};
use crate::schema::{PropertyPath, Reference, reference, resource_type};
use crate::template::Template;
use indexmap::IndexMap;
use std::collections::HashMap;

/// What becomes of a resource, as far as those that refer to it are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing happens to it.
    Unchanged,
    /// Its attributes may change, its identity does not.
    Modified,
    /// It may be replaced.
    Conditional,
    Replaced,
    New,
}

/// Every reference is unknown: the state before anything exists, and of what is removed.
pub(super) struct Nothing<'a> {
    pub template: &'a Template,
    pub evaluator: &'a Evaluator<'a>,
}

impl Resources for Nothing<'_> {
    fn reference(&self, id: &str) -> Option<Value> {
        present(self.template, self.evaluator, id).then_some(Value::Unknown)
    }

    fn attribute(&self, id: &str, _: &str) -> Option<Value> {
        self.reference(id)
    }
}

/// References stand for themselves: shows whether an expression changed, whatever its value.
pub(super) struct Symbols<'a> {
    pub template: &'a Template,
    pub evaluator: &'a Evaluator<'a>,
}

impl Resources for Symbols<'_> {
    fn reference(&self, id: &str) -> Option<Value> {
        // U+0000 is in no template, so no text of one can look like this.
        present(self.template, self.evaluator, id).then(|| Value::String(format!("\0Ref {id}\0")))
    }

    fn attribute(&self, id: &str, attribute: &str) -> Option<Value> {
        present(self.template, self.evaluator, id).then(|| Value::String(format!("\0{id}.{attribute}\0")))
    }
}

/// The stack as it is deployed. Filled in dependency order, so that what a resource refers to is there already.
pub(super) struct Live<'a> {
    pub template: &'a Template,
    pub facts: &'a Facts,
    /// By logical id.
    pub attributes: HashMap<&'a str, Attributes>,
}

impl Live<'_> {
    fn properties(&self, id: &str) -> Option<&Value> {
        self.attributes.get(id).map(Attributes::properties)
    }

    /// The physical id: known, or told by the one property that names resources of the type.
    pub(super) fn physical_id(&self, id: &str) -> Option<String> {
        if let Some(known) = self.facts.resources.get(id).and_then(|live| live.physical_id.as_ref()) {
            return Some(known.clone());
        }
        let resource = self.template.resources.get(id)?;
        let type_name = resource.resource_type.value.as_str();
        let property = |path: &PropertyPath| at(self.properties(id)?, path.segments())?.as_text();
        match reference(type_name) {
            // On a bus of its own a rule is called by both.
            _ if type_name == "AWS::Events::Rule" && property(&PropertyPath::new("EventBusName")).is_some() => None,
            Some(Reference::Property(name)) => property(&PropertyPath::new(name)),
            // Made by the service.
            Some(Reference::Arn(_) | Reference::Url | Reference::Id(_)) => None,
            None => {
                let schema = resource_type(type_name)?;
                match schema.primary_identifier() {
                    [one] if !schema.is_read_only(&one.dotted()) => property(one),
                    _ => None,
                }
            }
        }
    }
}

impl Resources for Live<'_> {
    fn reference(&self, id: &str) -> Option<Value> {
        self.template.resources.get(id)?;
        Some(self.physical_id(id).map_or(Value::Unknown, Value::String))
    }

    /// A fact, or else the property of that name: a service gives back what it was given. Or the physical id under another
    /// name.
    fn attribute(&self, id: &str, attribute: &str) -> Option<Value> {
        self.template.resources.get(id)?;
        let fact = self.facts.resources.get(id).and_then(|live| live.attributes.get(attribute));
        let known = fact.map(Value::from_json).or_else(|| at(self.properties(id)?, attribute.split('.')).cloned());
        let known = known.or_else(|| {
            let identifies =
                identifier(&self.template.resources.get(id)?.resource_type.value).as_deref() == Some(attribute);
            self.physical_id(id).filter(|_| identifies).map(Value::String)
        });
        Some(known.map_or(Value::Unknown, Value::into_text_scalars))
    }
}

/// The property or attribute that `Ref` gives.
fn identifier(type_name: &str) -> Option<String> {
    match reference(type_name) {
        Some(Reference::Property(path) | Reference::Arn(path) | Reference::Id(path)) => Some(path.to_owned()),
        Some(Reference::Url) => None,
        None => match resource_type(type_name)?.primary_identifier() {
            [one] => Some(one.dotted()),
            _ => None,
        },
    }
}

fn at<'v, 's>(value: &'v Value, mut steps: impl Iterator<Item = &'s str>) -> Option<&'v Value> {
    steps.try_fold(value, |value, step| match value {
        Value::Map(members) => members.get(step),
        _ => None,
    })
}

/// The stack as it becomes: what is new or replaced is unknown, everything else as it is.
pub(super) struct Becoming<'a, 'l> {
    pub template: &'a Template,
    pub evaluator: &'a Evaluator<'a>,
    pub live: Option<&'l Live<'a>>,
    pub fates: &'l IndexMap<String, Fate>,
}

impl Becoming<'_, '_> {
    fn lookup(&self, id: &str, look: impl FnOnce(&Live<'_>) -> Option<Value>) -> Option<Value> {
        if !present(self.template, self.evaluator, id) {
            return None;
        }
        let known = match self.fates.get(id) {
            Some(Fate::New | Fate::Replaced) | None => None,
            Some(Fate::Unchanged | Fate::Modified | Fate::Conditional) => self.live.and_then(look),
        };
        Some(known.unwrap_or(Value::Unknown))
    }
}

impl Resources for Becoming<'_, '_> {
    fn reference(&self, id: &str) -> Option<Value> {
        self.lookup(id, |live| live.reference(id))
    }

    fn attribute(&self, id: &str, attribute: &str) -> Option<Value> {
        self.lookup(id, |live| live.attribute(id, attribute))
    }
}

fn present(template: &Template, evaluator: &Evaluator<'_>, id: &str) -> bool {
    template.resources.contains_key(id) && evaluator.exists(id) != Some(false)
}
