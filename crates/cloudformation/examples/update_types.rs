//! `cargo run --release -p cloudformation --example update_types -- SPECIFICATION.json`: what a change of each property
//! does, by the registry (with the corrections in `schema/recreation.rs`) and by CloudFormation's resource specification.
//!
//! The specification is the file that CloudFormation published before the registry; `cfn-lint` 0.87.11 carries the last
//! one (`cfnlint/data/CloudSpecs/us-east-1.json`). Compared are the properties that hold no further ones; what stands
//! inside of an `Immutable` one is so, too. `Conditional` (in the documentation: "Some interruptions") agrees with all but
//! a certain replacement. A line for each property on which the two differ, then the figure.

use cloudformation::schema::{RequiresRecreation, explain, resource_type};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give the path of a resource specification")?;
    let specification: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut agree, mut all) = (0_usize, 0_usize);
    for (type_name, described) in specification["ResourceTypes"].as_object().into_iter().flatten() {
        let Some(found) = resource_type(type_name) else { continue };
        let properties: Vec<_> = explain(found, None).properties;
        for (path, update) in updates(&specification, type_name, described) {
            let Some(property) = properties.iter().find(|property| property.path == path) else { continue };
            let same = match property.change {
                RequiresRecreation::Never => update != "Immutable",
                RequiresRecreation::Always => update == "Immutable",
                RequiresRecreation::Conditionally => update == "Conditional",
            };
            all += 1;
            agree += usize::from(same);
            if !same {
                writeln!(out, "{type_name}\t{path}\t{update}\t{:?}", property.change)?;
            }
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let share = 100.0 * agree as f64 / all.max(1) as f64;
    writeln!(out, "{agree} of {all} properties agree ({share:.1} %)")?;
    Ok(out.flush()?)
}

/// The innermost properties of a type, each with its `UpdateType`.
fn updates<'s>(specification: &'s Value, type_name: &str, described: &'s Value) -> Vec<(String, &'s str)> {
    let mut found = Vec::new();
    let mut todo = vec![(String::new(), described, false, BTreeSet::new())];
    while let Some((prefix, described, immutable, above)) = todo.pop() {
        for (name, property) in described["Properties"].as_object().into_iter().flatten() {
            let path = format!("{prefix}{name}");
            let update = if immutable { "Immutable" } else { property["UpdateType"].as_str().unwrap_or("Mutable") };
            let inner = property["ItemType"].as_str().or_else(|| property["Type"].as_str());
            let described = inner.map(|inner| match inner {
                "Tag" => &specification["PropertyTypes"]["Tag"],
                _ => &specification["PropertyTypes"][format!("{type_name}.{inner}")],
            });
            match inner.zip(described).filter(|(_, described)| described["Properties"].is_object()) {
                Some((inner, described)) if !above.contains(inner) => {
                    let items = if property["ItemType"].is_string() { "/*" } else { "" };
                    let above = above.iter().copied().chain([inner]).collect();
                    todo.push((format!("{path}{items}/"), described, update == "Immutable", above));
                }
                _ => found.push((path, update)),
            }
        }
    }
    found
}
