//! The tree: nodes, values, scalars.

use super::Span;
use serde_json::Number;

/// One node of the tree with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    /// A local tag without its `!` (`Ref`, `Sub`, `Fn::GetAtt` …); core-schema tags (`!!str`) are applied and gone.
    pub tag: Option<String>,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    /// In the order of the text; keys are unique.
    Map(Vec<Entry>),
}

/// A key with its value. Keys are always text: `80:` is the key `80`, as in CloudFormation.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

/// A scalar: its text as written (after unescaping) and what the YAML 1.2 core schema makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    pub text: String,
    pub style: Style,
}

/// How a scalar was written; only [`Style::Plain`] ones may be null, booleans or numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// Quoted, a block scalar, or tagged `!!str`.
    Text,
}

impl Node {
    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry for `key`, if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().find(|entry| entry.key == key)
    }

    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar that the core schema reads as a string.
    pub fn as_str(&self) -> Option<&str> {
        self.as_scalar().filter(|scalar| scalar.is_string()).map(|scalar| scalar.text.as_str())
    }

    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_null)
    }

    /// `"a map"`, `"a string"` …: for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Scalar(scalar) => match scalar.to_json() {
                serde_json::Value::Null => "null",
                serde_json::Value::Bool(_) => "a boolean",
                serde_json::Value::Number(_) => "a number",
                _ => "a string",
            },
        }
    }

    /// The same value without positions and tags.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar(scalar) => scalar.to_json(),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
        }
    }
}

impl Scalar {
    pub fn is_string(&self) -> bool {
        matches!(self.to_json(), serde_json::Value::String(_))
    }

    pub fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// What the YAML 1.2 core schema (§10.3.2) makes of this scalar.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        if self.style == Style::Text {
            return Json::String(self.text.clone());
        }
        match self.text.as_str() {
            _ if self.is_null() => Json::Null,
            "true" | "True" | "TRUE" => Json::Bool(true),
            "false" | "False" | "FALSE" => Json::Bool(false),
            text => core_number(text).map_or_else(|| Json::String(text.to_owned()), Json::Number),
        }
    }
}

/// `[-+]?[0-9]+`, `0o…`, `0x…` and decimal fractions with exponents; `.inf` and `.nan` stay text, for JSON has neither.
/// Digits with a leading zero (`0123`, an account id `012345678901`) stay text: a number would lose the zero.
fn core_number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Number::from);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    if leading_zero || !digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+')) {
        return None;
    }
    let positive = text.strip_prefix('+').unwrap_or(text);
    if let Ok(integer) = positive.parse::<i64>() {
        return Some(Number::from(integer));
    }
    if let Ok(integer) = positive.parse::<u64>() {
        return Some(Number::from(integer));
    }
    // An integer too long for 64 bits is an identifier to somebody: keep its digits.
    if digits.bytes().all(|b| b.is_ascii_digit()) || digits == "." {
        return None;
    }
    positive.parse::<f64>().ok().filter(|number| number.is_finite()).and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let cases = [
            ("", json!(null)),
            ("~", json!(null)),
            ("null", json!(null)),
            ("true", json!(true)),
            ("False", json!(false)),
            ("yes", json!("yes")),
            ("on", json!("on")),
            ("12", json!(12)),
            ("+12", json!(12)),
            ("-3", json!(-3)),
            ("0", json!(0)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("1.5", json!(1.5)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            (".", json!(".")),
            ("0123", json!("0123")),
            ("012345678901", json!("012345678901")),
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
            ("1.2.3", json!("1.2.3")),
            ("10.0.0.0/16", json!("10.0.0.0/16")),
            ("2012-10-17", json!("2012-10-17")),
            (".inf", json!(".inf")),
            ("-", json!("-")),
        ];
        for (text, expected) in cases {
            let scalar = Scalar { text: text.to_owned(), style: Style::Plain };
            assert_eq!(scalar.to_json(), expected, "{text:?}");
        }
    }

    #[test]
    fn quoted_scalars_are_text() {
        let scalar = Scalar { text: "12".to_owned(), style: Style::Text };
        assert_eq!(scalar.to_json(), json!("12"));
    }
}
