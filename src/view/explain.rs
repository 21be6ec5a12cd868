//! A resource type for people: one line a property, what a change of it does in words.

use super::View;
use super::style::{CHANGE, FAINT, REMOVE, STRONG, paint};
use super::text;
use crate::error::Result;
use crate::view::Format;
use cloudformation::schema::{Explained, ExplainedProperty, RequiresRecreation};
use serde_json::{Value, json};
use std::fmt::Write;

/// A resource of a template, beside its type.
#[derive(Debug, Clone)]
pub struct Resource {
    /// `stack.LogicalId`.
    pub name: String,
    /// `templates/network.yaml:42`.
    pub place: Option<String>,
    /// What the rendered template sets.
    pub properties: Value,
}

impl View {
    /// `whole`: the properties inside of properties, too.
    pub fn explanation(&self, explained: &Explained, resource: Option<&Resource>, whole: bool) -> Result<()> {
        let whole = whole || self.verbose;
        match self.format {
            Format::Human => self.data(&human(explained, resource, whole, self.terminal.width)),
            Format::Markdown => self.data(&markdown(explained, resource, whole)),
            Format::Json => self.json(&document(explained, resource)),
        }
    }
}

fn human(explained: &Explained, resource: Option<&Resource>, whole: bool, width: usize) -> String {
    let mut page = String::new();
    if let Some(resource) = resource {
        let place = resource.place.as_ref().map(|place| paint(FAINT, format!("  {place}"))).unwrap_or_default();
        let _ = writeln!(page, "{}{place}", paint(STRONG, &resource.name));
    }
    let _ = writeln!(page, "{}", paint(STRONG, &explained.name));
    let mut fact = |label: &str, value: &str| {
        for (index, line) in text::wrap(value, width.saturating_sub(12)).iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(page, "  {label:<8}  {line}");
        }
    };
    if let Some(reference) = explained.reference {
        fact("Ref", reference);
    }
    if !explained.attributes.is_empty() {
        fact("GetAtt", &explained.attributes.join(", "));
    }
    let shown: Vec<(String, &ExplainedProperty)> = shown(explained, whole).collect();
    let names = shown.iter().map(|(path, _)| text::columns(path)).max().unwrap_or(0).min(36);
    let more = if whole { "" } else { "; -v shows more" };
    let _ = writeln!(page, "\nProperties, and what a change of each does (* required{more})");
    for (path, property) in shown {
        let mark = if property.required { "*" } else { " " };
        let change = match property.change {
            RequiresRecreation::Never => "in place".to_owned(),
            RequiresRecreation::Conditionally => paint(CHANGE, "may replace"),
            RequiresRecreation::Always => paint(REMOVE, "replaces"),
        };
        let line = format!("{mark} {}  {}  ", text::pad(&path, names), text::pad(&change, 11));
        let start = text::columns(&line);
        for (index, value) in text::wrap(&value(property), width.saturating_sub(start).max(20)).iter().enumerate() {
            let before = if index == 0 { line.clone() } else { " ".repeat(start) };
            let _ = writeln!(page, "{before}{}", paint(FAINT, value));
        }
        if let Some(set) = resource.and_then(|resource| resource.properties.get(&property.path)) {
            let _ = writeln!(page, "      = {}", text::cut(&set.to_string(), width.saturating_sub(8)));
        }
    }
    page
}

fn markdown(explained: &Explained, resource: Option<&Resource>, whole: bool) -> String {
    let title = resource.map(|resource| format!("`{}`: ", resource.name)).unwrap_or_default();
    let mut page = format!("### {title}`{}`\n\n| property | a change | value |\n|---|---|---|\n", explained.name);
    for (path, property) in shown(explained, whole) {
        let change = match property.change {
            RequiresRecreation::Never => "in place",
            RequiresRecreation::Conditionally => "may replace",
            RequiresRecreation::Always => "**replaces**",
        };
        let required = if property.required { " (required)" } else { "" };
        let _ = writeln!(page, "| `{path}`{required} | {change} | {} |", value(property).replace('|', "\\|"));
    }
    if !explained.attributes.is_empty() {
        let _ = writeln!(page, "\n`GetAtt`: `{}`", explained.attributes.join("`, `"));
    }
    page
}

fn document(explained: &Explained, resource: Option<&Resource>) -> Value {
    let property = |property: &ExplainedProperty| {
        json!({
            "path": written(&property.path),
            "types": property.types.iter().map(|one| one.name()).collect::<Vec<_>>(),
            "required": property.required,
            "change": match property.change {
                RequiresRecreation::Never => "in_place",
                RequiresRecreation::Conditionally => "may_replace",
                RequiresRecreation::Always => "replaces",
            },
            "read_only": property.read_only,
            "write_only": property.write_only,
            "deprecated": property.deprecated,
            "allowed": property.allowed,
            "default": property.default,
            "constraints": property.constraints,
        })
    };
    json!({
        "resource": resource.map(|resource| &resource.name),
        "place": resource.and_then(|resource| resource.place.as_ref()),
        "resource_type": explained.name,
        "primary_identifier": explained.primary_identifier,
        "ref": explained.reference,
        "attributes": explained.attributes,
        "properties": explained.properties.iter().map(property).collect::<Vec<_>>(),
    })
}

/// What a template may set, under the paths that people write; required ones first on the level above all.
fn shown(explained: &Explained, whole: bool) -> impl Iterator<Item = (String, &ExplainedProperty)> {
    let settable = explained.properties.iter().filter(|property| !property.read_only);
    let shallowest = explained.properties.iter().map(|property| depth(&property.path)).min().unwrap_or(0);
    let mut shown: Vec<&ExplainedProperty> =
        settable.filter(|property| whole || depth(&property.path) == shallowest).collect();
    if !whole {
        shown.sort_by_key(|property| !property.required);
    }
    shown.into_iter().map(|property| (written(&property.path), property))
}

fn depth(path: &str) -> usize {
    path.matches('/').count()
}

/// `Tags[].Key` for `Tags/*/Key`.
fn written(path: &str) -> String {
    path.replace("/*", "[]").replace('/', ".")
}

fn value(property: &ExplainedProperty) -> String {
    let mut facts = Vec::new();
    if !property.allowed.is_empty() {
        facts.push(format!("one of {}", property.allowed.join(", ")));
    } else if !property.types.any() {
        facts.push(property.types.iter().map(|one| one.name()).collect::<Vec<_>>().join(" or "));
    }
    facts.extend(property.constraints.iter().cloned());
    facts.extend(property.default.as_ref().map(|value| format!("default {value}")));
    if property.write_only {
        facts.push("cannot be read back".to_owned());
    }
    if property.deprecated {
        facts.push("deprecated".to_owned());
    }
    facts.join("; ")
}
