//! One resource type: the shape of its properties and what the registry says about them.

use super::node::{Keyword, Schema, named};
use super::path::PropertyPath;
use super::read::Cow;
use super::types::{Type, Types};
use serde::Deserialize;

/// What a change of a property does to the resource, in the words of DescribeChangeSet's `RequiresRecreation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequiresRecreation {
    /// The resource is updated in place.
    Never,
    /// The resource may be replaced; on what it depends, only its provider knows.
    Conditionally,
    /// The resource is replaced.
    Always,
}

/// In what order a replacement happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplacementStrategy {
    /// The new resource is made first: CloudFormation's default.
    #[default]
    CreateThenDelete,
    DeleteThenCreate,
}

/// What the registry says about a type's tags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tagging {
    pub taggable: bool,
    pub tag_on_create: bool,
    pub tag_updatable: bool,
    pub cloud_formation_system_tags: bool,
    pub tag_property: Option<PropertyPath>,
}

/// A resource type of the registry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub struct ResourceType {
    #[serde(rename = "typeName")]
    name: Cow,
    #[serde(default)]
    create_only_properties: Vec<PropertyPath>,
    #[serde(default)]
    conditional_create_only_properties: Vec<PropertyPath>,
    #[serde(default)]
    read_only_properties: Vec<PropertyPath>,
    #[serde(default)]
    write_only_properties: Vec<PropertyPath>,
    #[serde(default)]
    deprecated_properties: Vec<PropertyPath>,
    #[serde(default)]
    primary_identifier: Vec<PropertyPath>,
    #[serde(default)]
    additional_identifiers: Vec<Vec<PropertyPath>>,
    /// What `Fn::GetAtt` gives besides the read-only properties; `*` alone: every property.
    #[serde(default)]
    readable_properties: Vec<Cow>,
    #[serde(default)]
    replacement_strategy: ReplacementStrategy,
    #[serde(default)]
    tagging: Tagging,
    #[serde(default)]
    handlers: Vec<Cow>,
    #[serde(default)]
    lifecycle: Option<Lifecycle>,
    #[serde(skip)]
    schema: Schema,
}

/// The end of a service, where one is announced.
#[derive(Debug, Clone, Deserialize)]
pub struct Lifecycle {
    /// `maintenance`, `sunset`, …
    pub status: String,
    /// ISO date.
    pub date: Option<String>,
}

/// A property of a resource, found by its path.
#[derive(Debug, Clone, Copy)]
pub struct Property<'t> {
    /// What its values must be; references are followed.
    pub schema: &'t Schema,
}

impl ResourceType {
    /// Reads an entry of the archive: a line about the type, a line with its schema.
    pub(super) fn read(json: &'static [u8]) -> Option<ResourceType> {
        let end = json.iter().position(|byte| *byte == b'\n')?;
        let mut facts: ResourceType = serde_json::from_slice(&json[..end]).ok()?;
        let (always, open) = (&mut facts.create_only_properties, &mut facts.conditional_create_only_properties);
        super::recreation::correct(&facts.name.0, always, open);
        Some(ResourceType { schema: serde_json::from_slice(&json[end + 1..]).ok()?, ..facts })
    }

    /// `AWS::S3::Bucket`. For custom resources it is `AWS::CloudFormation::CustomResource`.
    pub fn name(&self) -> &str {
        &self.name.0
    }

    /// The schema of `Properties`, the root that references in it point into.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What a change of the property at `path` does to the resource.
    ///
    /// A path above a property that must not change (a list whose items have one) may replace the resource: whether it
    /// does, only the path of the changed part can tell.
    pub fn update_behaviour(&self, path: &str) -> RequiresRecreation {
        let path = PropertyPath::new(path);
        let covers = |listed: &[PropertyPath]| listed.iter().any(|one| one.contains(&path));
        let touches = |listed: &[PropertyPath]| listed.iter().any(|one| path.contains(one));
        if self.immutable() || covers(&self.create_only_properties) {
            RequiresRecreation::Always
        } else if covers(&self.conditional_create_only_properties)
            || touches(&self.create_only_properties)
            || touches(&self.conditional_create_only_properties)
        {
            RequiresRecreation::Conditionally
        } else {
            RequiresRecreation::Never
        }
    }

    /// Whether the type has a provider that can create but not update: every change replaces.
    pub fn immutable(&self) -> bool {
        self.has_handler("create") && !self.has_handler("update")
    }

    /// Whether the registry's provider has the handler `create`, `read`, `update`, `delete` or `list`. Types that are
    /// not in the registry proper have none.
    pub fn has_handler(&self, name: &str) -> bool {
        self.handlers.iter().any(|handler| handler.0 == name)
    }

    /// Whether a template must not set the property: the service does.
    pub fn is_read_only(&self, path: &str) -> bool {
        lists(&self.read_only_properties, path)
    }

    /// Whether the property can be set but never read back, as passwords are.
    pub fn is_write_only(&self, path: &str) -> bool {
        lists(&self.write_only_properties, path)
    }

    pub fn is_deprecated(&self, path: &str) -> bool {
        lists(&self.deprecated_properties, path)
    }

    pub fn create_only(&self) -> &[PropertyPath] {
        &self.create_only_properties
    }

    pub fn conditional_create_only(&self) -> &[PropertyPath] {
        &self.conditional_create_only_properties
    }

    pub fn read_only(&self) -> &[PropertyPath] {
        &self.read_only_properties
    }

    pub fn write_only(&self) -> &[PropertyPath] {
        &self.write_only_properties
    }

    /// The properties that together identify a resource; often, but not always, what `Ref` gives.
    pub fn primary_identifier(&self) -> &[PropertyPath] {
        &self.primary_identifier
    }

    pub fn additional_identifiers(&self) -> &[Vec<PropertyPath>] {
        &self.additional_identifiers
    }

    pub fn replacement_strategy(&self) -> ReplacementStrategy {
        self.replacement_strategy
    }

    pub fn tagging(&self) -> &Tagging {
        &self.tagging
    }

    pub fn lifecycle(&self) -> Option<&Lifecycle> {
        self.lifecycle.as_ref()
    }

    /// The properties a template must set, without those that depend on others.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.schema.required()
    }

    /// The property at `path` (`Endpoint/Port`, `Tags/0/Key`, `Tags/*/Key`), through references and alternatives.
    pub fn property(&self, path: &str) -> Option<Property<'_>> {
        self.find(&PropertyPath::new(path)).map(|schema| Property { schema })
    }

    /// Whether `Fn::GetAtt` takes any attribute, as for custom resources.
    pub fn has_open_attributes(&self) -> bool {
        self.name() == super::CUSTOM_RESOURCE
    }

    /// The names that `Fn::GetAtt` takes, sorted. `Outputs.*` stands for every name below `Outputs.`.
    pub fn attributes(&self) -> Vec<String> {
        if matches!(self.name(), "AWS::CloudFormation::Stack" | "AWS::Serverless::Application") {
            return vec!["Outputs.*".to_owned()];
        }
        let more = || self.readable_properties.iter().map(|name| name.0.to_string());
        let mut names: Vec<String> = match self.readable_properties.as_slice() {
            [all] if all.0 == "*" => self.leaves(),
            _ => more().chain(self.read_only_properties.iter().map(PropertyPath::dotted)).collect(),
        };
        if self.name() == "AWS::ServiceCatalog::CloudFormationProvisionedProduct" {
            names.iter_mut().filter(|name| *name == "Outputs").for_each(|name| name.push_str(".*"));
        }
        names.sort();
        names.dedup();
        names
    }

    /// Whether `Fn::GetAtt` takes `attribute`. What lies inside a readable object counts as readable too.
    pub fn has_attribute(&self, attribute: &str) -> bool {
        self.has_open_attributes()
            || self.attributes().iter().any(|name| match name.strip_suffix(".*") {
                Some(prefix) => {
                    attribute.strip_prefix(prefix).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
                }
                None => attribute == name,
            })
            || (self.read_only_properties.iter().any(|path| path.contains(&PropertyPath::new(attribute)))
                && self.property(attribute).is_some())
    }

    /// The types of an attribute's value, as far as the registry says.
    pub fn attribute_types(&self, attribute: &str) -> Types {
        if attribute.starts_with("Outputs.") {
            return Type::String.into();
        }
        self.property(attribute).map(|property| property.schema.types).unwrap_or_default()
    }

    /// Every property that holds no further properties: objects are entered, lists of objects are left out.
    fn leaves(&self) -> Vec<String> {
        fn walk(root: &Schema, schema: &Schema, prefix: &str, depth: usize, names: &mut Vec<String>) {
            for (name, property) in schema.properties().into_iter().flatten() {
                let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
                let property = property.follow(root);
                let items = property.items().map(|items| items.follow(root).types).unwrap_or_default();
                if property.types.contains(Type::Object) && depth < 8 {
                    walk(root, property, &path, depth + 1, names);
                } else if !property.types.contains(Type::Array)
                    || !(items.contains(Type::Object) || items.contains(Type::Array))
                {
                    names.push(path);
                }
            }
        }
        let mut names = Vec::new();
        walk(&self.schema, &self.schema, "", 0, &mut names);
        names
    }

    fn find(&self, path: &PropertyPath) -> Option<&Schema> {
        let mut here = vec![&self.schema];
        for segment in path.segments() {
            here = here.into_iter().flat_map(|schema| step(&self.schema, schema, segment, 0)).collect();
        }
        here.into_iter().next().map(|schema| schema.follow(&self.schema))
    }
}

fn lists(listed: &[PropertyPath], path: &str) -> bool {
    let path = PropertyPath::new(path);
    listed.iter().any(|one| one.contains(&path))
}

/// The schemas that `segment` leads to from `schema`.
fn step<'s>(root: &'s Schema, schema: &'s Schema, segment: &str, depth: usize) -> Vec<&'s Schema> {
    let mut found = Vec::new();
    if depth > 8 {
        return found;
    }
    for keyword in &schema.keywords {
        match keyword {
            Keyword::Properties(properties) => found.extend(named(properties, segment)),
            Keyword::Items(items) if segment == "*" => found.push(items.as_ref()),
            Keyword::Items(items) => found.extend(step(root, items, segment, depth + 1)),
            Keyword::Reference(pointer) => {
                found.extend(root.at(pointer).into_iter().flat_map(|to| step(root, to, segment, depth + 1)));
            }
            Keyword::AllOf(all) | Keyword::AnyOf(all) | Keyword::OneOf(all) => {
                found.extend(all.iter().flat_map(|one| step(root, one, segment, depth + 1)));
            }
            _ => {}
        }
    }
    if !found.is_empty() {
        return found;
    }
    for keyword in &schema.keywords {
        match keyword {
            Keyword::PatternProperties(patterns) => {
                let matching = patterns.iter().filter(|(pattern, _)| pattern.matches(segment) != Some(false));
                found.extend(matching.map(|(_, schema)| schema));
            }
            Keyword::AdditionalProperties(more) if !more.forbids_all() => found.push(more),
            _ => {}
        }
    }
    found
}

impl std::fmt::Debug for Cow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0, f)
    }
}

impl Property<'_> {
    pub fn types(&self) -> Types {
        self.schema.types
    }

    /// Whether the order of the list means nothing.
    pub fn unordered(&self) -> bool {
        self.schema.keywords.iter().any(|keyword| matches!(keyword, Keyword::Unordered))
    }

    /// Whether its values are listed.
    pub fn is_one_of_some(&self) -> bool {
        let listed = |keyword: &Keyword| matches!(keyword, Keyword::Enum(_) | Keyword::EnumCaseInsensitive(_));
        self.schema.keywords.iter().any(listed)
    }

    /// The value that counts when none is given.
    pub fn default(&self) -> Option<&serde_json::Value> {
        self.schema.keywords.iter().find_map(|keyword| match keyword {
            Keyword::Default(value) => Some(value),
            _ => None,
        })
    }
}
