//! What plain scalars mean: to a project's files as in YAML 1.2, to CloudFormation as in YAML 1.1.

use super::{Node, Scalar, Style, Value};
use std::collections::HashSet;

/// What scalars mean, and whether a key may stand twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Plain scalars as CloudFormation takes them: YAML 1.1's booleans (`Yes`, `off`), and numbers that stay as they
    /// were written where JSON would write them otherwise (`1.30`, `1e3`, `0x1F`); and merge keys. Else YAML 1.2's core
    /// schema, without them.
    cloudformation: bool,
    /// Of equal keys the last one counts, as for CloudFormation; else they are an error.
    last_key_counts: bool,
}

impl Dialect {
    /// Environment files and manifests.
    pub const PROJECT: Dialect = Dialect { cloudformation: false, last_key_counts: false };
    /// Templates in which a doubled key is a mistake: a project's own.
    pub const OWN_TEMPLATE: Dialect = Dialect { cloudformation: true, last_key_counts: false };
    /// Templates that CloudFormation has, or is asked to take.
    pub const TEMPLATE: Dialect = Dialect { cloudformation: true, last_key_counts: true };

    pub(super) fn is_cloudformation(self) -> bool {
        self.cloudformation
    }

    pub(super) fn last_key_counts(self) -> bool {
        self.last_key_counts
    }

    /// Makes of a tree's plain scalars what they are in this dialect.
    pub(super) fn interpret(self, root: &mut Node) {
        if self.cloudformation {
            let names = names(root);
            as_cloudformation_means(root, &names, self);
        }
    }

    /// Returns what a scalar without quotes and tags is.
    pub(super) fn plain(self, text: String) -> Scalar {
        let scalar = Scalar { text, style: Style::Plain };
        if !self.cloudformation || scalar.is_null() {
            return scalar;
        }
        if let Some(truth) = boolean(&scalar.text) {
            return Scalar { text: truth.to_string(), style: Style::Plain };
        }
        let as_written =
            matches!(scalar.to_json(), serde_json::Value::Number(number) if number.to_string() == scalar.text);
        Scalar { style: if as_written { Style::Plain } else { Style::Text }, ..scalar }
    }
}

/// Names of conditions, parameters and their like that are booleans of YAML 1.1 (`On`, `Off`). What is a name in a template
/// is one everywhere in it: a reference does not become a boolean that names nothing.
fn names(root: &Node) -> HashSet<String> {
    let sections = ["Conditions", "Mappings", "Parameters", "Resources"];
    let members = sections.iter().filter_map(|section| root.get(section)?.as_map()).flatten();
    let keys = members.flat_map(|member| {
        let below = member.value.as_map().unwrap_or_default().iter().map(|entry| &entry.key);
        std::iter::once(&member.key).chain(below)
    });
    keys.filter(|key| boolean(key).is_some()).cloned().collect()
}

/// Makes of plain scalars what they are to CloudFormation.
fn as_cloudformation_means(node: &mut Node, names: &HashSet<String>, dialect: Dialect) {
    match &mut node.value {
        Value::Scalar(scalar) if scalar.style == Style::Plain && node.tag.is_none() => {
            let text = std::mem::take(&mut scalar.text);
            *scalar = match names.contains(&text) {
                true => Scalar { text, style: Style::Text },
                false => dialect.plain(text),
            };
        }
        Value::Scalar(_) => {}
        Value::List(items) => items.iter_mut().for_each(|item| as_cloudformation_means(item, names, dialect)),
        Value::Map(entries) => {
            entries.iter_mut().for_each(|entry| as_cloudformation_means(&mut entry.value, names, dialect));
        }
    }
}

/// Booleans of YAML 1.1, as far as SnakeYAML takes them: not the single letters `y` and `n`.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}
