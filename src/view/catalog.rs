//! Templates with their inputs, needs and outputs: the reference of the catalog.

use super::View;
use super::style::{FAINT, STRONG, paint};
use super::text;
use crate::catalog::{InputDescription, Origin, TemplateDescription};
use crate::error::Result;
use crate::view::Format;
use std::fmt::Write;

impl View {
    /// All templates on a line each.
    pub fn template_list(&self, templates: &[TemplateDescription]) -> Result<()> {
        match self.format {
            Format::Json => self.json(&templates),
            Format::Markdown => self.data(&templates.iter().map(markdown).collect::<Vec<_>>().join("\n")),
            Format::Human => {
                let names = templates.iter().map(|template| text::columns(&template.name)).max().unwrap_or(0);
                let mut page = String::new();
                for template in templates {
                    let own = if template.origin == Origin::Project { " (of this project)" } else { "" };
                    let about = format!("{}{own}", template.description);
                    let room = self.terminal.width.saturating_sub(names + 2).max(20);
                    for (index, line) in text::wrap(&about, room).iter().enumerate() {
                        let name = if index == 0 { paint(STRONG, &template.name) } else { String::new() };
                        let _ = writeln!(page, "{}  {line}", text::pad(&name, names));
                    }
                }
                self.data(&page)
            }
        }
    }

    /// One template with all that there is to know.
    pub fn template(&self, template: &TemplateDescription) -> Result<()> {
        match self.format {
            Format::Json => self.json(template),
            Format::Markdown => self.data(&markdown(template)),
            Format::Human => self.data(&human(template, self.terminal.width)),
        }
    }
}

fn human(template: &TemplateDescription, width: usize) -> String {
    let mut page = String::new();
    let title = format!("{}: {}", template.name, template.description);
    for (index, line) in text::wrap(&title, width).iter().enumerate() {
        let line =
            if index == 0 { line.replacen(&template.name, &text::strong(&template.name), 1) } else { line.clone() };
        let _ = writeln!(page, "{line}");
    }
    let mut part = |title: &str, lines: Vec<(String, String)>| {
        if lines.is_empty() {
            return;
        }
        let _ = writeln!(page, "\n{title}");
        for (head, body) in lines {
            let _ = writeln!(page, "  {head}");
            for line in text::wrap(&body, width.saturating_sub(6)).iter().filter(|line| !line.is_empty()) {
                let _ = writeln!(page, "      {line}");
            }
        }
    };
    let input = |input: &InputDescription| {
        let head =
            format!("{}  {}", paint(STRONG, &input.name), paint(FAINT, format!("{}, {}", input.takes, default(input))));
        (head, input.description.clone())
    };
    part("Inputs", template.inputs.iter().map(input).collect());
    part(
        "Needs",
        template
            .needs
            .iter()
            .map(|need| (format!("{}: {}", need.parameter, from(&need.from, need.when.as_deref())), String::new()))
            .collect(),
    );
    part(
        "Outputs",
        template.outputs.iter().map(|output| (paint(STRONG, &output.name), output.description.clone())).collect(),
    );
    page
}

fn markdown(template: &TemplateDescription) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut page = format!("## `{}`\n\n{}\n", template.name, template.description);
    if !template.inputs.is_empty() {
        page.push_str("\n| input | takes | default | |\n|---|---|---|---|\n");
        for input in &template.inputs {
            let default = match &input.default {
                None => "**required**".to_owned(),
                Some(serde_json::Value::Null) => String::new(),
                Some(value) => format!("`{value}`"),
            };
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                input.name,
                cell(&input.takes),
                cell(&default),
                cell(&input.description)
            );
        }
    }
    if !template.needs.is_empty() {
        page.push_str("\n| needs | from |\n|---|---|\n");
        for need in &template.needs {
            let _ = writeln!(page, "| `{}` | {} |", need.parameter, cell(&from(&need.from, need.when.as_deref())));
        }
    }
    if !template.outputs.is_empty() {
        page.push_str("\n| output | |\n|---|---|\n");
        for output in &template.outputs {
            let _ = writeln!(page, "| `{}` | {} |", output.name, cell(&output.description));
        }
    }
    page
}

fn default(input: &InputDescription) -> String {
    match &input.default {
        None => "required".to_owned(),
        Some(serde_json::Value::Null) => "optional".to_owned(),
        Some(value) => format!("default {value}"),
    }
}

fn from(from: &str, when: Option<&str>) -> String {
    match when {
        Some(when) => format!("`{from}`, when `{when}`"),
        None => format!("`{from}`"),
    }
}
