//! Rendered stacks as YAML with what they are in comments, and what validation says when it has nothing to say.

use super::View;
use super::text;
use crate::error::Result;
use crate::model::sensitive::{self, shown};
use crate::model::{PackagePlace, Parameter, RenderedStack};
use crate::view::Format;
use cloudformation::sensitive::HIDDEN;
use serde_json::{Value, json};
use std::fmt::Write;

impl View {
    /// `texts` are the stacks' templates as YAML.
    pub fn rendered(&self, stacks: &[RenderedStack], texts: &[String]) -> Result<()> {
        let mut page = String::new();
        for (stack, text) in stacks.iter().zip(texts) {
            match self.format {
                Format::Json => return self.json(&stacks.iter().map(document).collect::<Vec<_>>()),
                Format::Human => {
                    // YAML's own line between documents.
                    let _ = write!(page, "---\n{}{text}", comments(stack));
                }
                Format::Markdown => {
                    let block = text::fenced(&format!("{}{text}", comments(stack)), "yaml");
                    let _ = writeln!(page, "### `{}`\n\n{block}\n", stack.name);
                }
            }
        }
        self.data(&page)
    }

    /// Nothing is wrong with these environments of so many stacks.
    pub fn valid(&self, environments: &[(&String, usize)], document: &Value) -> Result<()> {
        if self.format == Format::Json {
            return self.json(document);
        }
        let line = |(name, stacks): &(&String, usize)| format!("{name}: {}, valid\n", text::count(*stacks, "stack"));
        self.data(&environments.iter().map(line).collect::<String>())
    }
}

fn comments(stack: &RenderedStack) -> String {
    let mut comments = format!("# {}: {} in {}\n", stack.name, stack.stack_name, stack.target.region);
    for (name, parameter) in &stack.parameters {
        let value = match parameter {
            Parameter::Value(value) => match shown(name, value) {
                hidden if hidden == HIDDEN => hidden,
                shown => Value::from(shown).to_string(),
            },
            Parameter::Output { stack, key } => format!("{stack}.{key}"),
            Parameter::Image { name, reference } => format!("image {name}, {reference}"),
            Parameter::LocalImage(image) => format!("image {}, pushed to {}", image.name, image.repository),
            Parameter::Package(package) => {
                let to = match &package.place {
                    PackagePlace::Bucket { name, .. } => format!("s3://{name}"),
                    PackagePlace::Stack(stack) => format!("the bucket of {stack}"),
                };
                format!("package {}, uploaded to {to}", package.name)
            }
            Parameter::Secret { .. } => "(sensitive)".to_owned(),
        };
        let _ = writeln!(comments, "#   {name}: {value}");
    }
    comments
}

/// The template as a document instead of a text.
fn document(stack: &RenderedStack) -> Value {
    let mut document = json!(stack);
    if let Ok(template) = serde_json::from_str::<Value>(&sensitive::template(&stack.template)) {
        document["template"] = template;
    }
    document
}
