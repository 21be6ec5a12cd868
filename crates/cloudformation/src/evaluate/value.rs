//! Values that may be unknown before a deployment.

use crate::source::Scalar;
use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value as Json};
use std::fmt;

/// What CloudFormation writes in a change set for a value that it will know after the deployment only.
pub const KNOWN_AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// What CloudFormation writes for the value of a `NoEcho` parameter.
pub const MASK: &str = "****";

/// The value of an expression. Serialises (and displays) as a change set shows it: see [`Value::to_json`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Value>),
    Map(IndexMap<String, Value>),
    /// Known after the deployment only.
    Unknown,
    /// Text of which parts are unknown, as `Fn::Sub` over a resource that does not exist yet gives.
    Partial(Vec<Fragment>),
    /// A value that comes from a `NoEcho` parameter: compared by what it is, shown as [`MASK`].
    Sensitive(Box<Value>),
    /// `AWS::NoValue`: the list or map around it does not have this member.
    NoValue,
}

/// A piece of a [`Value::Partial`].
#[derive(Debug, Clone, PartialEq)]
pub enum Fragment {
    Text(String),
    Unknown,
}

impl Value {
    pub fn string(text: impl Into<String>) -> Self {
        Value::String(text.into())
    }

    /// Whether nothing in it is unknown.
    pub fn is_known(&self) -> bool {
        match self {
            Value::Unknown | Value::Partial(_) => false,
            Value::List(items) => items.iter().all(Value::is_known),
            Value::Map(members) => members.values().all(Value::is_known),
            Value::Sensitive(value) => value.is_known(),
            _ => true,
        }
    }

    /// Whether anything in it comes from a `NoEcho` parameter.
    pub fn is_sensitive(&self) -> bool {
        match self {
            Value::Sensitive(_) => true,
            Value::List(items) => items.iter().any(Value::is_sensitive),
            Value::Map(members) => members.values().any(Value::is_sensitive),
            _ => false,
        }
    }

    /// The same without [`Value::Sensitive`]: what will really be sent.
    pub fn reveal(&self) -> Value {
        match self {
            Value::Sensitive(value) => value.reveal(),
            Value::List(items) => Value::List(items.iter().map(Value::reveal).collect()),
            Value::Map(members) => {
                Value::Map(members.iter().map(|(key, value)| (key.clone(), value.reveal())).collect())
            }
            other => other.clone(),
        }
    }

    /// The text of a known scalar, as functions that want text see it.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Value::String(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Sensitive(value) => value.as_text(),
            _ => None,
        }
    }

    /// The part at a path of keys and indexes: `/Tags/0/Value`; the empty path is all of it.
    pub fn at(&self, path: &str) -> Option<&Value> {
        path.split('/').skip(1).try_fold(self, |value, step| match value {
            Value::Map(members) => members.get(step),
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// As CloudFormation keeps properties: numbers and booleans are text.
    #[must_use]
    pub fn into_text_scalars(mut self) -> Value {
        self.make_text_scalars();
        self
    }

    fn make_text_scalars(&mut self) {
        match self {
            Value::Bool(value) => *self = Value::String(value.to_string()),
            Value::Number(number) => *self = Value::String(number.to_string()),
            Value::List(items) => items.iter_mut().for_each(Value::make_text_scalars),
            Value::Map(members) => members.values_mut().for_each(Value::make_text_scalars),
            Value::Sensitive(value) => value.make_text_scalars(),
            _ => {}
        }
    }

    /// As a change set shows it: unknown parts as [`KNOWN_AFTER_APPLY`], secrets as [`MASK`].
    pub fn to_json(&self) -> Json {
        match self {
            Value::Null | Value::NoValue => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::String(text) => Json::String(text.clone()),
            Value::List(items) => items.iter().map(Value::to_json).collect(),
            Value::Map(members) => members.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
            Value::Unknown => Json::String(KNOWN_AFTER_APPLY.to_owned()),
            Value::Partial(fragments) => Json::String(fragments.iter().map(Fragment::as_str).collect()),
            Value::Sensitive(_) => Json::String(MASK.to_owned()),
        }
    }

    /// A literal of a template.
    pub(super) fn literal(scalar: &Scalar) -> Value {
        match scalar.to_json() {
            Json::Bool(value) => Value::Bool(value),
            Json::Number(number) => Value::Number(number),
            Json::String(text) => Value::String(text),
            _ => Value::Null,
        }
    }

    /// From JSON; the marker for unknown values is read back as unknown.
    pub fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(number.clone()),
            Json::String(text) if text == KNOWN_AFTER_APPLY => Value::Unknown,
            Json::String(text) => Value::String(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Value::from_json).collect()),
            Json::Object(members) => {
                Value::Map(members.iter().map(|(key, value)| (key.clone(), Value::from_json(value))).collect())
            }
        }
    }

    /// Bytes of text in it, roughly: what the budget of an evaluation counts.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Value::String(text) => text.len() + 8,
            Value::List(items) => 8 + items.iter().map(Value::weight).sum::<usize>(),
            Value::Map(members) => 8 + members.iter().map(|(key, value)| key.len() + value.weight()).sum::<usize>(),
            Value::Partial(fragments) => fragments.iter().map(|fragment| fragment.as_str().len()).sum(),
            Value::Sensitive(value) => value.weight(),
            _ => 8,
        }
    }
}

impl Fragment {
    fn as_str(&self) -> &str {
        match self {
            Fragment::Text(text) => text,
            Fragment::Unknown => KNOWN_AFTER_APPLY,
        }
    }
}

/// Text as it is, everything else as compact JSON with sorted keys: how change sets write single values.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_json() {
            Json::String(text) => f.write_str(&text),
            mut other => {
                other.sort_all_objects();
                write!(f, "{other}")
            }
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}
