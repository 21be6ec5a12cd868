//! Results for code scanning: SARIF 2.1.0 (OASIS), as GitHub reads it.
//!
//! The same results make the same bytes: nothing here depends on the time or the machine.

mod sources;

use crate::error::Result;
use crate::model::sensitive::hide;
use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use sources::{plan, problems, violations};

/// One result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A stable name for the kind of result (`public-access`).
    pub rule: String,
    /// One sentence about that kind; the first entry of a rule says it.
    pub about: String,
    pub level: Level,
    pub message: String,
    /// What it is about, where that is no line of a file: `alb.SecurityGroup`.
    pub subject: Option<String>,
    pub place: Option<Place>,
    /// What makes it the same result in a later run, whatever line it moves to. Hashed together with the rule.
    pub identity: String,
    /// Why it is accepted all the same.
    pub accepted: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Note,
    Warning,
    Error,
}

/// A line of a file, relative to the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// Starts at 1.
    pub line: usize,
}

impl Place {
    /// Of `templates/alb.yaml:42`; none for a text that names no file of the project.
    pub fn parse(text: &str) -> Option<Place> {
        let (file, line) = text.rsplit_once(':')?;
        let line = line.parse().ok().filter(|line| *line > 0)?;
        (!file.is_empty() && !file.starts_with('<')).then(|| Place { file: file.to_owned(), line })
    }
}

/// Writes the results to a file. `category` tells one kind of run from another (`infra/plan/prod`). Places are relative
/// to `project`, the document's to the directory that the program runs in, which is the checkout in a pipeline.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, project: &Path, category: &str, mut entries: Vec<Entry>) -> Result<()> {
    for place in entries.iter_mut().filter_map(|entry| entry.place.as_mut()) {
        let file: PathBuf = project.join(&place.file).components().collect();
        place.file = file.display().to_string().trim_start_matches("./").to_owned();
    }
    let mut text = serde_json::to_string_pretty(&sarif(category, &entries)).context("SARIF could not be written")?;
    text.push('\n');
    std::fs::write(path, hide(&text).as_bytes())
        .with_context(|| format!("cannot write the results to {}", path.display()))
}

/// The document.
pub fn sarif(category: &str, entries: &[Entry]) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        index.entry(&entry.rule).or_insert_with(|| {
            rules.push(json!({
                "id": entry.rule,
                "shortDescription": {"text": entry.about},
                "defaultConfiguration": {"level": entry.level.name()},
            }));
            rules.len() - 1
        });
    }
    let results: Vec<Value> = entries.iter().map(|entry| result(entry, index.get(entry.rule.as_str()))).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "infra",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "automationDetails": {"id": format!("{category}/")},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(entry: &Entry, index: Option<&usize>) -> Value {
    let mut location = json!({});
    if let Some(place) = &entry.place {
        location["physicalLocation"] = json!({
            "artifactLocation": {"uri": uri(&place.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": place.line},
        });
    }
    if let Some(subject) = &entry.subject {
        location["logicalLocations"] = json!([{"fullyQualifiedName": subject, "kind": "resource"}]);
    }
    let mut result = json!({
        "ruleId": entry.rule,
        "ruleIndex": index,
        "level": entry.level.name(),
        "message": {"text": entry.message},
        "locations": [location],
        "partialFingerprints": {"infra/v1": fingerprint(entry)},
    });
    if let Some(why) = &entry.accepted {
        result["suppressions"] = json!([{"kind": "external", "justification": why}]);
    }
    result
}

fn fingerprint(entry: &Entry) -> String {
    let digest = Sha256::digest(format!("{}\n{}", entry.rule, entry.identity));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A relative path as a relative URI.
fn uri(path: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const OTHERS: AsciiSet =
        CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'?').add(b'#').add(b'%').add(b'\\').add(b'`').add(b':');
    utf8_percent_encode(path.trim_start_matches("./"), &OTHERS).to_string()
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(rule: &str, line: usize) -> Entry {
        Entry {
            rule: rule.to_owned(),
            about: "Something can be reached from everywhere".to_owned(),
            level: Level::Warning,
            message: "admits 0.0.0.0/0".to_owned(),
            subject: Some("alb.SecurityGroup".to_owned()),
            place: Some(Place { file: "templates/my alb.yaml".to_owned(), line }),
            identity: "alb.SecurityGroup ingress tcp 22".to_owned(),
            accepted: None,
        }
    }

    #[test]
    fn a_result_keeps_its_fingerprint_when_it_moves() {
        let of = |entry: Entry| sarif("infra/plan/prod", &[entry])["runs"][0]["results"][0].clone();
        let (here, there) = (of(entry("public-access", 3)), of(entry("public-access", 40)));
        assert_eq!(here["partialFingerprints"], there["partialFingerprints"]);
        assert_ne!(here["partialFingerprints"], of(entry("open-port", 3))["partialFingerprints"]);
        let place = &here["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "templates/my%20alb.yaml");
        assert_eq!(place["region"]["startLine"], 3);
    }

    #[test]
    fn a_rule_is_described_once() {
        let document = sarif("infra/plan/prod", &[entry("a", 1), entry("b", 2), entry("a", 3)]);
        let rules = &document["runs"][0]["tool"]["driver"]["rules"];
        assert_eq!(rules.as_array().map(Vec::len), Some(2));
        assert_eq!(document["runs"][0]["results"][2]["ruleIndex"], 0);
        assert_eq!(document["runs"][0]["results"][1]["ruleIndex"], 1);
    }

    #[test]
    fn places_of_the_embedded_catalog_are_no_files() {
        let place = Place { file: "templates/alb.yaml".to_owned(), line: 42 };
        assert_eq!(Place::parse("templates/alb.yaml:42"), Some(place));
        assert_eq!(Place::parse("<catalog>/alb.yaml:42"), None);
        assert_eq!(Place::parse("alb.Listener"), None);
    }
}
