//! From tree to template, section by section.

mod inputs;

use super::expr::{Expr, Text};
use super::form::{read_expr, read_value};
use super::problem::Problem;
use super::sections::{Condition, Output, Resource, Template, Transform};
use super::{FOR_EACH, is_alphanumeric};
use crate::source::{Dialect, Entry, Limits, Node, Span, parse_as};
use indexmap::IndexMap;

const TOP_LEVEL: [&str; 11] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
];

const RESOURCE_KEYS: [&str; 11] = [
    "Comment",
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Description",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

impl Template {
    /// Reads a text, JSON or YAML, as CloudFormation does, and gives what could be read with all that is wrong.
    ///
    /// # Errors
    /// The text is no tree at all: broken syntax, or over [`Limits`].
    pub fn read(text: &str) -> Result<(Template, Vec<Problem>), Problem> {
        let json = text.trim_start().starts_with('{');
        let root = parse_as(text, Limits::default(), Dialect::TEMPLATE).map_err(|error| {
            let start = (error.span.start.line, error.span.start.column);
            // CloudFormation's parser tells where it stands after the character that it does not expect.
            let (line, column) = serde_json::from_str::<serde::de::IgnoredAny>(text)
                .err()
                .filter(|error| error.line() > 0)
                .map_or(start, |error| (error.line(), error.column() + 1));
            let message = match json {
                true => format!("Template format error: JSON not well-formed. (line {line}, column {column})"),
                false => "Template format error: YAML not well-formed.".to_owned(),
            };
            Problem { detail: Some(error.message), ..Problem::new(message, error.span, "") }
        })?;
        Ok(Template::from_node(root))
    }

    /// Reads a text that must be right.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(text: &str) -> Result<Template, Vec<Problem>> {
        match Template::read(text) {
            Ok((template, problems)) if problems.is_empty() => Ok(template),
            Ok((_, problems)) => Err(problems),
            Err(problem) => Err(vec![problem]),
        }
    }

    /// As [`Template::read`], from a tree.
    pub fn from_node(root: Node) -> (Template, Vec<Problem>) {
        let mut template = empty(root);
        let root = std::mem::replace(&mut template.root, blank());
        let mut reader = Reader { template: &mut template, problems: Vec::new() };
        reader.sections(&root);
        let problems = reader.problems;
        template.root = root;
        (template, problems)
    }
}

struct Reader<'t> {
    template: &'t mut Template,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn sections(&mut self, root: &Node) {
        let Some(entries) = root.as_map() else {
            self.problem("Template format error: unsupported structure.", root.span, "");
            return;
        };
        let unknown: Vec<&Entry> = entries
            .iter()
            .filter(|entry| !TOP_LEVEL.contains(&entry.key.as_str()) && entry.key != "Transform")
            .filter(|entry| entry.key != "Fn::Transform" && !entry.key.starts_with(FOR_EACH))
            .collect();
        if let Some(first) = unknown.first() {
            let names: Vec<&str> = unknown.iter().map(|entry| entry.key.as_str()).collect();
            let message = format!("Invalid template property or properties [{}]", names.join(", "));
            self.problem(&message, first.key_span, "");
        }
        if let Some(version) = root.get("AWSTemplateFormatVersion") {
            self.template.format_version = self.text(version, "/AWSTemplateFormatVersion");
            if self.template.format_version.as_ref().is_some_and(|text| text.value != "2010-09-09") {
                let message = "Template format error: unsupported value for AWSTemplateFormatVersion.";
                self.problem(message, version.span, "/AWSTemplateFormatVersion");
            }
        }
        if let Some(description) = root.get("Description") {
            self.template.description = description.as_str().map(|text| plain(text, description.span));
            if self.template.description.is_none() {
                let message = "Template format error: Description must be a string.";
                self.problem(message, description.span, "/Description");
            }
        }
        self.template.metadata = root.get("Metadata").map(|node| self.value(node, "/Metadata"));
        self.transforms(root);
        for (name, node) in self.members(root, "Parameters") {
            self.parameter(name, node);
        }
        for (name, node) in self.members(root, "Mappings") {
            self.mapping(name, node);
        }
        for (name, node) in self.members(root, "Conditions") {
            let expr = read_expr(node, &format!("/Conditions/{}", name.key), &mut self.problems);
            self.template.conditions.insert(name.key.clone(), Condition { name_span: name.key_span, expr });
        }
        for (name, node) in self.members(root, "Rules") {
            self.rule(name, node);
        }
        self.resources(root);
        for (name, node) in self.members(root, "Outputs") {
            self.output(name, node);
        }
    }

    fn transforms(&mut self, root: &Node) {
        let mut found = Vec::new();
        let sections = [("Transform", root.get("Transform")), ("Fn::Transform", root.get("Fn::Transform"))];
        for (key, node) in sections.into_iter().filter_map(|(key, node)| Some((key, node?))) {
            let items: Vec<&Node> = match node.as_list() {
                Some(items) => items.iter().collect(),
                None => vec![node],
            };
            for item in items {
                let name = if item.as_map().is_some() { item.get("Name") } else { Some(item) };
                let text = name.and_then(|name| name.as_str().filter(|_| name.tag.is_none()).map(|t| (t, name.span)));
                let Some((text, span)) = text else {
                    self.problem("Key Name of transform definition must be a string.", item.span, &format!("/{key}"));
                    continue;
                };
                let path = format!("/{key}/Parameters");
                let parameters = item.get("Parameters").map(|node| self.value(node, &path));
                found.push(Transform { name: plain(text, span), parameters });
            }
        }
        self.template.transforms = found;
    }

    /// The members of a section, but for macros and loops in it, which are noted.
    fn members<'n>(&mut self, root: &'n Node, section: &'static str) -> Vec<(&'n Entry, &'n Node)> {
        let Some(node) = root.get(section) else { return Vec::new() };
        let Some(entries) = node.as_map() else {
            let message = format!("Template format error: Any {section} member must be an object.");
            self.problem(&message, node.span, &format!("/{section}"));
            return Vec::new();
        };
        let mut members = Vec::new();
        for entry in entries {
            if entry.key == "Fn::Transform" {
                self.template.section_transforms.push((section, entry.key_span));
            } else if entry.key.starts_with(FOR_EACH) {
                self.template.loops.push((section, entry.key.clone(), entry.key_span));
            } else {
                members.push((entry, &entry.value));
            }
        }
        members
    }

    fn resources(&mut self, root: &Node) {
        let empty =
            root.get("Resources").is_none_or(|node| node.is_null() || node.as_map().is_some_and(<[Entry]>::is_empty));
        if empty {
            let message = "Template format error: At least one Resources member must be defined.";
            let span = root.entry("Resources").map_or(root.span, |entry| entry.key_span);
            self.problem(message, span, "/Resources");
            return;
        }
        for (name, node) in self.members(root, "Resources") {
            self.resource(name, node);
        }
    }

    fn resource(&mut self, name: &Entry, node: &Node) {
        let path = format!("/Resources/{}", name.key);
        if !is_alphanumeric(&name.key) {
            let message = format!("Template format error: Resource name {} is non alphanumeric.", name.key);
            self.problem(&message, name.key_span, &path);
        }
        let Some(entries) = node.as_map() else {
            self.problem("Template format error: Any Resources member must be an object.", node.span, &path);
            return;
        };
        // AWS's own examples and the CDK write a version beside the type of a custom resource; it says nothing.
        let type_text = node.get("Type").and_then(Node::as_str).unwrap_or_default();
        let custom = type_text.starts_with("Custom::") || type_text == "AWS::CloudFormation::CustomResource";
        // What a macro reads is gone before CloudFormation looks: SAM's `Connectors` and `IgnoreGlobals`, for one.
        let expanded = self.template.macros().next().is_some();
        let known = |key: &str| expanded || RESOURCE_KEYS.contains(&key) || custom && key == "Version";
        for entry in entries.iter().filter(|entry| !known(&entry.key)) {
            if entry.key != "Fn::Transform" {
                let message = format!("Invalid template resource property '{}'", entry.key);
                self.problem(&message, entry.key_span, &format!("{path}/{}", entry.key));
            }
        }
        let Some(type_node) = node.get("Type") else {
            let message = format!("Template format error: [{path}] Every Resources object must contain a Type member.");
            self.problem(&message, name.key_span, &path);
            return;
        };
        let Some(resource_type) = type_node.as_str().filter(|_| type_node.tag.is_none()) else {
            let message = format!("Template format error: [{path}/Type] must be a string.");
            self.problem(&message, type_node.span, &format!("{path}/Type"));
            return;
        };
        if let Some(properties) = node.get("Properties").filter(|it| it.as_map().is_none() && it.tag.is_none()) {
            let message = "Template format error: [Properties] of a resource must be an object.";
            self.problem(message, properties.span, &format!("{path}/Properties"));
        }
        let attribute = |key: &str, problems: &mut Vec<Problem>| {
            node.get(key).map(|value| read_value(value, &format!("{path}/{key}"), problems))
        };
        let resource = Resource {
            name_span: name.key_span,
            span: node.span,
            resource_type: plain(resource_type, type_node.span),
            condition: node.get("Condition").and_then(|condition| self.text(condition, &format!("{path}/Condition"))),
            depends_on: self.depends_on(node, &path),
            properties: attribute("Properties", &mut self.problems),
            metadata: attribute("Metadata", &mut self.problems),
            creation_policy: attribute("CreationPolicy", &mut self.problems),
            update_policy: attribute("UpdatePolicy", &mut self.problems),
            deletion_policy: attribute("DeletionPolicy", &mut self.problems),
            update_replace_policy: attribute("UpdateReplacePolicy", &mut self.problems),
        };
        self.template.resources.insert(name.key.clone(), resource);
    }

    fn depends_on(&mut self, resource: &Node, path: &str) -> Vec<Text> {
        let Some(node) = resource.get("DependsOn") else { return Vec::new() };
        let items = node.as_list().unwrap_or(std::slice::from_ref(node));
        let mut names = Vec::new();
        for item in items {
            match item.as_str().filter(|_| item.tag.is_none()) {
                Some(name) => names.push(plain(name, item.span)),
                None => {
                    let message = "Template format error: DependsOn must be a string or list of strings.";
                    self.problem(message, item.span, &format!("{path}/DependsOn"));
                }
            }
        }
        names
    }

    fn output(&mut self, name: &Entry, node: &Node) {
        let path = format!("/Outputs/{}", name.key);
        if !is_alphanumeric(&name.key) {
            let message = format!("Template format error: Output name {} is non alphanumeric.", name.key);
            self.problem(&message, name.key_span, &path);
        }
        let Some(value) = node.get("Value") else {
            let message = "Template format error: Every Outputs member must contain a Value object";
            self.problem(message, name.key_span, &path);
            return;
        };
        let export = node.get("Export").and_then(|export| {
            let named = export.get("Name");
            if named.is_none() {
                let message = "Template format error: Output Export must have a Name";
                self.problem(message, export.span, &format!("{path}/Export"));
            }
            named.map(|named| self.value(named, &format!("{path}/Export/Name")))
        });
        let output = Output {
            name_span: name.key_span,
            span: node.span,
            value: self.value(value, &format!("{path}/Value")),
            description: node.get("Description").and_then(scalar),
            export,
            condition: node.get("Condition").and_then(|condition| self.text(condition, &format!("{path}/Condition"))),
        };
        self.template.outputs.insert(name.key.clone(), output);
    }

    fn value(&mut self, node: &Node, path: &str) -> Expr {
        read_value(node, path, &mut self.problems)
    }

    fn text(&mut self, node: &Node, path: &str) -> Option<Text> {
        let text = scalar(node);
        if text.is_none() {
            self.problem(&format!("Template format error: [{path}] must be a string."), node.span, path);
        }
        text
    }

    fn problem(&mut self, message: &str, span: Span, path: &str) {
        self.problems.push(Problem::new(message, span, path));
    }
}

fn scalar(node: &Node) -> Option<Text> {
    let scalar = node.as_scalar().filter(|scalar| node.tag.is_none() && !scalar.is_null())?;
    Some(plain(&scalar.text, node.span))
}

fn plain(text: &str, span: Span) -> Text {
    Text { value: text.to_owned(), span }
}

fn blank() -> Node {
    let scalar = crate::source::Scalar { text: String::new(), style: crate::source::Style::Plain };
    Node { span: Span::default(), tag: None, value: crate::source::Value::Scalar(scalar) }
}

fn empty(root: Node) -> Template {
    Template {
        root,
        format_version: None,
        description: None,
        metadata: None,
        transforms: Vec::new(),
        parameters: IndexMap::new(),
        mappings: IndexMap::new(),
        conditions: IndexMap::new(),
        rules: IndexMap::new(),
        resources: IndexMap::new(),
        outputs: IndexMap::new(),
        loops: Vec::new(),
        section_transforms: Vec::new(),
    }
}
