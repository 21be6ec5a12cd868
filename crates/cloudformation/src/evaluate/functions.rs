//! The functions that compute: values in, value out.

use super::{Fragment, Value, cidr};
use crate::template::SELECT;
use base64::Engine;
use serde_json::Number;

const JOIN: &str = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list \
                    of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be \
                    joined.";
const SPLIT: &str = "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a \
                     string to be split or a function that returns a string to be split.";
const BASE64: &str = "Template error: every Fn::Base64 object must have a String-typed value.";
const CIDR: &str = "Template error: every Fn::Cidr object requires a valid CIDR block, a count from 1 to 256 and blocks \
                    that fit into it.";
const LENGTH: &str = "Template error: Fn::Length requires a list, or a function that returns one.";

/// Text that is put together of known and unknown pieces.
#[derive(Default)]
pub(super) struct Text {
    fragments: Vec<Fragment>,
    length: usize,
    sensitive: bool,
}

impl Text {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.length += text.len();
        match self.fragments.last_mut() {
            Some(Fragment::Text(last)) => last.push_str(text),
            _ => self.fragments.push(Fragment::Text(text.to_owned())),
        }
    }

    pub(super) fn push(&mut self, value: &Value) {
        match value {
            Value::Sensitive(value) => {
                self.sensitive = true;
                self.push(value);
            }
            Value::Partial(fragments) => {
                for fragment in fragments {
                    match fragment {
                        Fragment::Text(text) => self.push_str(text),
                        Fragment::Unknown => self.push(&Value::Unknown),
                    }
                }
            }
            // `Fn::Sub` over a list gives its items, separated by commas.
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.push_str(",");
                    }
                    self.push(item);
                }
            }
            Value::Null | Value::NoValue => {}
            other => match other.as_text() {
                Some(text) => self.push_str(&text),
                None => {
                    self.length += 1;
                    self.fragments.push(Fragment::Unknown);
                }
            },
        }
    }

    pub(super) fn finish(mut self) -> Value {
        let value = match self.fragments.as_mut_slice() {
            [] => Value::String(String::new()),
            [Fragment::Text(text)] => Value::String(std::mem::take(text)),
            [Fragment::Unknown] => Value::Unknown,
            _ => Value::Partial(self.fragments),
        };
        if self.sensitive { Value::Sensitive(Box::new(value)) } else { value }
    }
}

/// Runs `compute` on the value inside a secret, and makes the result one.
fn through(value: &Value, compute: impl FnOnce(&Value) -> Result<Value, &'static str>) -> Result<Value, &'static str> {
    match value {
        Value::Sensitive(inner) => Ok(Value::Sensitive(Box::new(compute(inner)?))),
        other => compute(other),
    }
}

/// One unknown item makes all of it unknown, unlike in `Fn::Sub`.
pub(super) fn join(delimiter: &Value, items: &Value) -> Result<Value, &'static str> {
    through(items, |items| {
        let items = match items {
            Value::List(items) => items,
            Value::Unknown | Value::Partial(_) => return Ok(Value::Unknown),
            _ => return Err(JOIN),
        };
        let Some(delimiter) = delimiter.as_text() else {
            return if delimiter.is_known() { Err(JOIN) } else { Ok(Value::Unknown) };
        };
        let mut text = Text::default();
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                text.push_str(&delimiter);
            }
            match item {
                item if !item.is_known() => return Ok(Value::Unknown),
                Value::Map(_) => return Err(JOIN),
                item => text.push(item),
            }
        }
        Ok(text.finish())
    })
}

pub(super) fn select(index: &Value, items: &Value) -> Result<Value, &'static str> {
    through(items, |items| match (index, items) {
        (Value::Unknown | Value::Partial(_), _) | (_, Value::Unknown | Value::Partial(_)) => Ok(Value::Unknown),
        (index, Value::List(items)) => items.get(position(index).ok_or(SELECT)?).cloned().ok_or(SELECT),
        _ => Err(SELECT),
    })
}

/// The index past the end of a list that a function gave, where the template itself is well-formed: CloudFormation has
/// other words for that.
pub(super) fn past_end(index: &Value, items: &Value) -> Option<String> {
    let items = match items {
        Value::Sensitive(inner) => inner.as_ref(),
        other => other,
    };
    let (Value::List(items), Some(index)) = (items, position(index)) else { return None };
    // Both spaces are CloudFormation's.
    (index >= items.len())
        .then(|| format!("Template error: Fn::Select  cannot select nonexistent value at index {index}"))
}

fn position(index: &Value) -> Option<usize> {
    index.as_text()?.trim().parse().ok()
}

pub(super) fn split(delimiter: &Value, text: &Value) -> Result<Value, &'static str> {
    through(text, |text| match (delimiter.as_text(), text) {
        (_, Value::Unknown | Value::Partial(_)) => Ok(Value::Unknown),
        (None, _) if !delimiter.is_known() => Ok(Value::Unknown),
        (Some(delimiter), text) if !delimiter.is_empty() => {
            let text = text.as_text().ok_or(SPLIT)?;
            Ok(Value::List(text.split(delimiter.as_str()).map(Value::string).collect()))
        }
        _ => Err(SPLIT),
    })
}

pub(super) fn base64(text: &Value) -> Result<Value, &'static str> {
    through(text, |text| match text {
        Value::Unknown | Value::Partial(_) => Ok(Value::Unknown),
        text => {
            let text = text.as_text().ok_or(BASE64)?;
            Ok(Value::String(base64::engine::general_purpose::STANDARD.encode(text)))
        }
    })
}

pub(super) fn cidr_blocks(block: &Value, count: &Value, bits: Option<&Value>) -> Result<Value, &'static str> {
    if [Some(block), Some(count), bits].into_iter().flatten().any(|value| !value.is_known()) {
        return Ok(Value::Unknown);
    }
    let block = block.as_text().ok_or(CIDR)?;
    let count = count.as_text().and_then(|text| text.parse().ok()).ok_or(CIDR)?;
    let bits = match bits {
        Some(bits) => Some(bits.as_text().and_then(|text| text.parse().ok()).ok_or(CIDR)?),
        None => None,
    };
    let blocks = cidr::cidr(&block, count, bits).ok_or(CIDR)?;
    Ok(Value::List(blocks.into_iter().map(Value::String).collect()))
}

pub(super) fn length(list: &Value) -> Result<Value, &'static str> {
    match list {
        Value::Sensitive(inner) => length(inner),
        Value::List(items) => Ok(Value::Number(Number::from(items.len()))),
        Value::Unknown | Value::Partial(_) => Ok(Value::Unknown),
        _ => Err(LENGTH),
    }
}

/// Compact JSON in the order of the template.
pub(super) fn to_json_string(value: &Value) -> Value {
    if !value.is_known() {
        return Value::Unknown;
    }
    let text = Value::String(value.reveal().to_json().to_string());
    if value.is_sensitive() { Value::Sensitive(Box::new(text)) } else { text }
}
