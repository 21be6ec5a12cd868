//! What a resource type is made of and what a change of each property does to a resource: facts of the registry.

use cloudformation::schema::{Keyword, RequiresRecreation, ResourceType, Schema};
use serde::Serialize;

/// Properties inside properties are followed down to here; some types contain themselves.
const DEEPEST: usize = 6;

/// One resource type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    pub resource_type: String,
    /// The properties that together name a resource.
    pub identifier: Vec<String>,
    pub properties: Vec<Property>,
    /// What `Fn::GetAtt` gives and no template sets.
    pub attributes: Vec<String>,
    /// The announced end of the service: its status and date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<String>,
}

/// A property that a template may set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Property {
    /// `Tags[].Key`.
    pub path: String,
    /// 1 for properties of the resource itself.
    pub depth: usize,
    /// `string`, `list of objects`, `one of a, b` …
    pub value: String,
    /// Wherever the part that it belongs to is set.
    pub required: bool,
    pub update: Update,
    /// Can be set and never read back.
    pub write_only: bool,
    pub deprecated: bool,
}

/// What a change does to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Update {
    InPlace,
    MayReplace,
    Replaces,
}

/// The type with all of its properties, required ones first, each followed by what is inside of it.
pub fn explain(resource_type: &ResourceType) -> Explanation {
    let dotted = |paths: &[cloudformation::schema::PropertyPath]| paths.iter().map(|path| path.dotted()).collect();
    let mut walk = Walk { resource_type, found: Vec::new() };
    walk.members(resource_type.schema(), "", "", 1);
    Explanation {
        resource_type: resource_type.name().to_owned(),
        identifier: dotted(resource_type.primary_identifier()),
        properties: walk.found,
        attributes: dotted(resource_type.read_only()),
        lifecycle: resource_type.lifecycle().map(|end| match &end.date {
            Some(date) => format!("{} on {date}", end.status),
            None => end.status.clone(),
        }),
    }
}

struct Walk<'t> {
    resource_type: &'t ResourceType,
    found: Vec<Property>,
}

impl Walk<'_> {
    /// `path` as the registry writes it (`Tags/*/Key`), `shown` as people do (`Tags[].Key`).
    fn members(&mut self, schema: &Schema, path: &str, shown: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let required: Vec<&str> = schema.required().collect();
        let mut members: Vec<(&str, &Schema)> =
            schema.properties().into_iter().flatten().map(|(name, schema)| (name.as_ref(), schema)).collect();
        members.sort_by_key(|(name, _)| (!required.contains(name), *name));
        for (name, member) in members {
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if self.resource_type.is_read_only(&path) {
                continue;
            }
            let shown = if shown.is_empty() { name.to_owned() } else { format!("{shown}.{name}") };
            let root = self.resource_type.schema();
            let member = member.follow(root);
            self.found.push(Property {
                path: shown.clone(),
                depth,
                value: value(member, root),
                required: required.contains(&name),
                update: match self.resource_type.update_behaviour(&path) {
                    RequiresRecreation::Never => Update::InPlace,
                    RequiresRecreation::Conditionally => Update::MayReplace,
                    RequiresRecreation::Always => Update::Replaces,
                },
                write_only: self.resource_type.is_write_only(&path),
                deprecated: self.resource_type.is_deprecated(&path),
            });
            match member.items().map(|items| items.follow(root)) {
                Some(items) => self.members(items, &format!("{path}/*"), &format!("{shown}[]"), depth + 1),
                None => self.members(member, &path, &shown, depth + 1),
            }
        }
    }
}

/// The kind of value in words.
fn value(schema: &Schema, root: &Schema) -> String {
    for keyword in &schema.keywords {
        match keyword {
            Keyword::Enum(values) | Keyword::EnumCaseInsensitive(values) => {
                let values: Vec<String> = values
                    .iter()
                    .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    .collect();
                return format!("one of {}", values.join(", "));
            }
            Keyword::Const(value) => return value.to_string(),
            Keyword::Items(items) => return format!("list of {}", plural(&value(items.follow(root), root))),
            _ => {}
        }
    }
    let names: Vec<&str> = schema.types.iter().map(|one| one.name()).collect();
    if !names.is_empty() {
        return names.join(" or ").replace("array", "list");
    }
    if schema.properties().is_some() { "object".to_owned() } else { "any".to_owned() }
}

/// `objects` for `object`; a choice stays as it is.
fn plural(value: &str) -> String {
    match value {
        "any" => "any values".to_owned(),
        "string" | "integer" | "number" | "boolean" | "object" | "list" => format!("{value}s"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::{resource_type, resource_type_names};

    #[test]
    fn a_table_and_what_changes_do_to_it() {
        let table = explain(resource_type("AWS::DynamoDB::Table").unwrap());
        let property = |path: &str| table.properties.iter().find(|property| property.path == path).unwrap().clone();
        assert_eq!(table.identifier, ["TableName"]);
        assert!(table.attributes.contains(&"Arn".to_owned()));
        assert!(!table.properties.iter().any(|property| property.path == "Arn"));
        let schema = property("KeySchema");
        assert!(schema.required);
        let name = property("TableName");
        assert_eq!((name.value.as_str(), name.update, name.required), ("string", Update::Replaces, false));
        let tag = property("Tags[].Key");
        assert_eq!((tag.depth, tag.required, tag.update), (2, true, Update::InPlace));
    }

    #[test]
    fn choices_are_told() {
        let vpc = explain(resource_type("AWS::EC2::Subnet").unwrap());
        assert!(vpc.properties.iter().any(|property| property.path == "VpcId" && property.required));
        let log = explain(resource_type("AWS::Logs::LogGroup").unwrap());
        let days = log.properties.iter().find(|property| property.path == "RetentionInDays").unwrap();
        assert!(days.value.starts_with("one of ") || days.value == "integer", "{}", days.value);
    }

    #[test]
    fn every_type_can_be_explained() {
        for name in resource_type_names().step_by(7) {
            let explanation = explain(resource_type(name).unwrap());
            assert!(!explanation.resource_type.is_empty());
        }
    }
}
