//! Scalars against a schema, with the conversions that CloudFormation makes between text, numbers and booleans.

use crate::schema::{Keyword, Schema, Type, Types};
use crate::source::Scalar;
use crate::validate::finding::{Rule, did_you_mean};
use crate::validate::rules;
use ipnet::IpNet;
use serde_json::Value as Json;
use std::net::{Ipv4Addr, Ipv6Addr};

pub enum Verdict {
    Right,
    Wrong { rule: Rule, message: String, remedy: Option<String> },
    Unknown,
}

/// Whether a scalar can be given where `types` is asked for: `"80"` is a number, `true` a string.
pub fn is_of(scalar: &Scalar, types: Types) -> bool {
    let json = scalar.to_json();
    let boolean = json.is_boolean();
    types.any()
        || types.iter().any(|one| match one {
            Type::String => !json.is_null(),
            Type::Number => !boolean && number(scalar).is_some(),
            Type::Integer => !boolean && is_integer(scalar, &json),
            Type::Boolean => boolean_of(&scalar.text).is_some(),
            Type::Null => json.is_null(),
            Type::Array | Type::Object => false,
        })
}

/// The name of a scalar's own type.
pub fn kind(scalar: &Scalar) -> &'static str {
    match scalar.to_json() {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => "integer",
        _ => "string",
    }
}

/// What `keyword` says about the scalar; what to do about it only if `advise`.
pub fn violation(scalar: &Scalar, keyword: &Keyword, schema: &Schema, advise: bool) -> Verdict {
    let text = scalar.text.as_str();
    match keyword {
        Keyword::Enum(allowed) if !allowed.iter().any(|one| equal(scalar, one)) => wrong(
            rules::VALUE,
            format!("{text} is not a valid enum value"),
            advise.then(|| choices(text, allowed)).flatten(),
        ),
        Keyword::EnumCaseInsensitive(allowed) => {
            let same = |one: &Json| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(text));
            match allowed.iter().any(|one| same(one) || equal(scalar, one)) {
                true => Verdict::Right,
                false => wrong(
                    rules::VALUE,
                    format!("{text} is not a valid enum value"),
                    advise.then(|| choices(text, allowed)).flatten(),
                ),
            }
        }
        Keyword::Const(expected) if !equal(scalar, expected) => {
            wrong(rules::VALUE, format!("{text} is not a valid enum value"), Some(format!("It must be {expected}.")))
        }
        Keyword::Pattern(pattern) => match pattern.matches(text) {
            Some(true) => Verdict::Right,
            Some(false) => {
                wrong(rules::PATTERN, format!("string [{text}] does not match pattern {}", pattern.text()), None)
            }
            None => Verdict::Unknown,
        },
        Keyword::Format(format) if scalar.is_string() && !is_format(text, format) => {
            wrong(rules::FORMAT, format!("[{text}] is not a valid {format}"), None)
        }
        Keyword::MinLength(least) if is_text(scalar, schema) && length(text) < *least => {
            let message = format!("expected minLength: {least}, actual: {}", length(text));
            wrong(rules::TEXT_LENGTH, message, None)
        }
        Keyword::MaxLength(most) if is_text(scalar, schema) && length(text) > *most => {
            let message = format!("expected maxLength: {most}, actual: {}", length(text));
            wrong(rules::TEXT_LENGTH, message, None)
        }
        Keyword::Minimum(least) if number(scalar).is_some_and(|number| number < *least) => {
            wrong(rules::NUMBER_RANGE, format!("{text} is not greater or equal to {least}"), None)
        }
        Keyword::Maximum(most) if number(scalar).is_some_and(|number| number > *most) => {
            wrong(rules::NUMBER_RANGE, format!("{text} is not less or equal to {most}"), None)
        }
        Keyword::ExclusiveMinimum(least) if number(scalar).is_some_and(|number| number <= *least) => {
            wrong(rules::NUMBER_RANGE, format!("{text} is not greater than {least}"), None)
        }
        Keyword::ExclusiveMaximum(most) if number(scalar).is_some_and(|number| number >= *most) => {
            wrong(rules::NUMBER_RANGE, format!("{text} is not less than {most}"), None)
        }
        Keyword::MultipleOf(step)
            if *step != 0.0 && number(scalar).is_some_and(|number| (number / step).fract() != 0.0) =>
        {
            wrong(rules::NUMBER_RANGE, format!("{text} is not a multiple of {step}"), None)
        }
        _ => Verdict::Right,
    }
}

/// Whether two scalars are the same to CloudFormation: `"true"` is `true`, `"80"` is `80`.
pub fn equal(scalar: &Scalar, json: &Json) -> bool {
    match json {
        Json::Bool(expected) => boolean_of(&scalar.text) == Some(*expected),
        Json::String(expected) => match (boolean_of(expected), boolean_of(&scalar.text)) {
            (Some(one), Some(two)) => one == two,
            _ => *expected == scalar.text,
        },
        Json::Number(expected) => {
            let written = expected.to_string();
            written == scalar.text || (expected.as_f64().is_some() && number(scalar) == expected.as_f64())
        }
        _ => scalar.to_json() == *json,
    }
}

pub fn number(scalar: &Scalar) -> Option<f64> {
    match scalar.to_json() {
        Json::Bool(_) => None,
        Json::Number(number) => number.as_f64(),
        _ => scalar.text.trim().parse::<f64>().ok().filter(|number| number.is_finite()),
    }
}

fn is_integer(scalar: &Scalar, json: &Json) -> bool {
    match json {
        Json::Number(_) => true,
        _ => scalar.text.trim().parse::<i128>().is_ok(),
    }
}

/// Lengths are those of texts; where a number is asked for, a number has none.
fn is_text(scalar: &Scalar, schema: &Schema) -> bool {
    let holds_json = schema.keywords.iter().any(|one| matches!(one, Keyword::Format(format) if format == "json"));
    scalar.is_string() && !holds_json
}

/// Whether a text is of a format that can be told offline; names and ids of AWS resources are not.
fn is_format(text: &str, format: &str) -> bool {
    match format {
        "ipv4-network" => is_network(text, |net| matches!(net, IpNet::V4(_))),
        "ipv6-network" => is_network(text, |net| matches!(net, IpNet::V6(_))),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        _ => true,
    }
}

/// An address without a prefix is a network of one; host bits must be zero.
fn is_network(text: &str, right: impl Fn(&IpNet) -> bool) -> bool {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    net.is_ok_and(|net| right(&net) && net.addr() == net.network())
}

fn boolean_of(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn length(text: &str) -> u64 {
    text.chars().count() as u64
}

fn wrong(rule: Rule, message: String, remedy: Option<String>) -> Verdict {
    Verdict::Wrong { rule, message, remedy }
}

fn choices(text: &str, allowed: &[Json]) -> Option<String> {
    let names: Vec<String> =
        allowed.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
    let near = did_you_mean(text, names.iter().map(String::as_str));
    near.or_else(|| (names.len() <= 12).then(|| format!("It is one of {}.", names.join(", "))))
}
