//! A resource type in words: its properties, what they hold, and what a change of each does.

use super::node::{Keyword, Schema, Text};
use super::path::PropertyPath;
use super::resource_type::{RequiresRecreation, ResourceType};
use super::types::Types;
use serde_json::Value as Json;

/// How deep properties are followed: deeper ones repeat themselves (statements in statements).
const DEEPEST: usize = 6;

/// A property of a resource type.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedProperty {
    /// `KeySchema/*/KeyType`: `*` stands for the items of a list or the values of a map.
    pub path: String,
    pub types: Types,
    /// Whether what contains it must have it.
    pub required: bool,
    /// What a change of it does to the resource.
    pub change: RequiresRecreation,
    /// Only the service sets it.
    pub read_only: bool,
    /// It cannot be read back, so drift in it is not seen.
    pub write_only: bool,
    pub deprecated: bool,
    /// The values that are allowed, when they are listed.
    pub allowed: Vec<String>,
    pub default: Option<Json>,
    /// `1 to 64 characters`, `at least 1 item`, `matches ^[a-z]+$`: what else must hold.
    pub constraints: Vec<String>,
}

/// A resource type as [`explain`] tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    pub name: String,
    /// In alphabetical order, each followed by those inside it.
    pub properties: Vec<ExplainedProperty>,
    /// The names that `Fn::GetAtt` takes.
    pub attributes: Vec<String>,
    pub primary_identifier: Vec<String>,
    /// What `Ref` gives, where it is known.
    pub reference: Option<&'static str>,
}

/// Tells a resource type. With `below`, only the property there and those inside it.
pub fn explain(resource_type: &ResourceType, below: Option<&str>) -> Explained {
    let mut properties = Vec::new();
    let root = resource_type.schema();
    Walk { resource_type, root, properties: &mut properties }.object(root, &mut Vec::new(), &mut Vec::new());
    if let Some(below) = below {
        let below = PropertyPath::new(below);
        properties.retain(|property| below.contains(&PropertyPath::new(&property.path)));
    }
    Explained {
        name: resource_type.name().to_owned(),
        properties,
        attributes: resource_type.attributes(),
        primary_identifier: resource_type.primary_identifier().iter().map(PropertyPath::dotted).collect(),
        reference: super::reference::meaning(resource_type.name()),
    }
}

struct Walk<'w> {
    resource_type: &'w ResourceType,
    root: &'w Schema,
    properties: &'w mut Vec<ExplainedProperty>,
}

impl<'w> Walk<'w> {
    fn object(&mut self, schema: &'w Schema, path: &mut Vec<String>, above: &mut Vec<&'w Schema>) {
        // A type that contains itself is told once.
        if path.len() >= DEEPEST || above.iter().any(|one| std::ptr::eq(*one, schema)) {
            return;
        }
        above.push(schema);
        for (name, property) in schema.properties().into_iter().flatten() {
            path.push(name.to_string());
            let required = schema.required().any(|required| required == name);
            self.property(property, required, path, above);
            path.pop();
        }
        above.pop();
    }

    fn property(&mut self, written: &'w Schema, required: bool, path: &mut Vec<String>, above: &mut Vec<&'w Schema>) {
        let schema = written.follow(self.root);
        let joined = path.join("/");
        let kind = self.resource_type;
        let types = if written.types.any() { schema.types } else { written.types };
        // Facts may stand beside a reference as well as at its target.
        let keywords: Vec<&Keyword> = match std::ptr::eq(written, schema) {
            true => schema.keywords.iter().collect(),
            false => written.keywords.iter().chain(&schema.keywords).collect(),
        };
        self.properties.push(ExplainedProperty {
            types,
            required,
            change: kind.update_behaviour(&joined),
            read_only: kind.is_read_only(&joined),
            write_only: kind.is_write_only(&joined),
            deprecated: kind.is_deprecated(&joined),
            allowed: keywords.iter().flat_map(|keyword| allowed(keyword)).collect(),
            default: keywords.iter().find_map(|keyword| match keyword {
                Keyword::Default(value) => Some(value.clone()),
                _ => None,
            }),
            constraints: constraints(&keywords),
            path: joined,
        });
        self.inside(schema, path, above);
    }

    fn inside(&mut self, schema: &'w Schema, path: &mut Vec<String>, above: &mut Vec<&'w Schema>) {
        if let Some(items) = schema.items() {
            path.push("*".to_owned());
            self.inside(items.follow(self.root), path, above);
            path.pop();
            return;
        }
        if schema.properties().is_some() {
            return self.object(schema, path, above);
        }
        if above.len() > 2 * DEEPEST {
            return;
        }
        above.push(schema);
        for keyword in &schema.keywords {
            match keyword {
                Keyword::PatternProperties(entries) => {
                    for (_, inner) in entries {
                        path.push("*".to_owned());
                        self.inside(inner.follow(self.root), path, above);
                        path.pop();
                    }
                }
                Keyword::AllOf(all) | Keyword::AnyOf(all) | Keyword::OneOf(all) => {
                    all.iter().for_each(|one| self.inside(one.follow(self.root), path, above));
                }
                _ => {}
            }
        }
        above.pop();
    }
}

fn allowed(keyword: &Keyword) -> Vec<String> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match keyword {
        Keyword::Enum(values) | Keyword::EnumCaseInsensitive(values) => values.iter().map(text).collect(),
        Keyword::Const(value) => vec![text(value)],
        _ => Vec::new(),
    }
}

fn constraints(keywords: &[&Keyword]) -> Vec<String> {
    let mut bounds: [(Option<String>, Option<String>, &str, &str); 3] =
        [(None, None, "character", "characters"), (None, None, "item", "items"), (None, None, "", "")];
    let mut said = Vec::new();
    for keyword in keywords {
        match keyword {
            Keyword::MinLength(least) => bounds[0].0 = Some(least.to_string()),
            Keyword::MaxLength(most) => bounds[0].1 = Some(most.to_string()),
            Keyword::MinItems(least) => bounds[1].0 = Some(least.to_string()),
            Keyword::MaxItems(most) => bounds[1].1 = Some(most.to_string()),
            Keyword::Minimum(least) => bounds[2].0 = Some(least.to_string()),
            Keyword::Maximum(most) => bounds[2].1 = Some(most.to_string()),
            Keyword::UniqueItems => said.push("no item twice".to_owned()),
            Keyword::Pattern(pattern) => said.push(format!("matches {}", pattern.text())),
            Keyword::Format(format) => said.push(format!("format {format}")),
            Keyword::MultipleOf(step) => said.push(format!("a multiple of {step}")),
            Keyword::RequiredXor(names) => said.push(format!("exactly one of {}", joined(names))),
            Keyword::RequiredOr(names) => said.push(format!("at least one of {}", joined(names))),
            _ => {}
        }
    }
    let sizes = bounds.into_iter().filter_map(|(least, most, one, many)| {
        let unit = |number: &str| if number == "1" { one } else { many };
        let text = match (least, most) {
            (Some(least), Some(most)) if least == most => format!("{least} {}", unit(&least)),
            (Some(least), Some(most)) => format!("{least} to {most} {}", unit(&most)),
            (Some(least), None) => format!("at least {least} {}", unit(&least)),
            (None, Some(most)) => format!("at most {most} {}", unit(&most)),
            (None, None) => return None,
        };
        Some(text.trim_end().to_owned())
    });
    sizes.chain(said).collect()
}

fn joined(names: &[Text]) -> String {
    names.join(", ")
}
