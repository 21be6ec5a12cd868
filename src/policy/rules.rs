//! The rule files of a project.

use super::report::{Failure, failures};
use crate::error::{Error, Kind, Result};
use crate::files;
use cfn_guard::{ValidateInput, run_checks};
use std::collections::BTreeSet;
use std::path::Path;

/// Where rule files are, in a project.
pub const DIRECTORY: &str = "policies";

/// A longer file is refused.
const LIMIT_BYTES: u64 = 1024 * 1024;

/// All rules of a project; none where it has no `policies/`.
#[derive(Debug, Default)]
pub struct Rules {
    files: Vec<File>,
}

/// One file of rules.
#[derive(Debug)]
pub struct File {
    /// `policies/tls.guard`.
    pub name: String,
    text: String,
    /// `AWS::S3` and such, as far as the file names them. Rules on a service say nothing of templates without it.
    services: BTreeSet<String>,
}

impl Rules {
    /// Reads `policies/*.guard`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(project: &Path) -> Result<Rules> {
        let directory = project.join(DIRECTORY);
        let Ok(entries) = std::fs::read_dir(&directory) else { return Ok(Rules::default()) };
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.retain(|name| name.ends_with(".guard"));
        names.sort();
        let files = names.into_iter().map(|name| {
            let path = directory.join(&name);
            let file = files::read(&path, &format!("{DIRECTORY}/{name}"), LIMIT_BYTES);
            let text = file.map_err(|problem| Error::problems(vec![problem]))?.text.clone();
            Ok(File::new(format!("{DIRECTORY}/{name}"), text))
        });
        Ok(Rules { files: files.collect::<Result<_>>()? })
    }

    pub fn files(&self) -> &[File] {
        &self.files
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl File {
    pub fn new(name: String, text: String) -> File {
        let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let mut services = BTreeSet::new();
        for line in code {
            for after in line.split("AWS::").skip(1) {
                let service: String = after.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
                services.insert(format!("AWS::{service}"));
            }
            // What looks at something else than types concerns every template.
            if line.contains("Stack.") || line.contains("Parameters.") || line.contains("Outputs.") {
                services.insert("{".to_owned());
            }
        }
        File { name, text, services }
    }

    /// Whether the file could say anything about a template.
    pub fn concerns(&self, template: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|service| template.contains(service.as_str()))
    }

    /// What fails in a document.
    ///
    /// # Errors
    /// [`Kind::Configuration`]: the file is not in the language of CloudFormation Guard.
    pub fn evaluate(&self, document: &str) -> Result<Vec<Failure>> {
        let data = ValidateInput { content: document, file_name: "template" };
        let rules = ValidateInput { content: &self.text, file_name: &self.name };
        // The whole record: the summary is cut where it gets longer than 8 KiB.
        let record = run_checks(data, rules, true).map_err(|error| {
            let reason = error.to_string();
            Error::new(Kind::Configuration, format!("{} cannot be evaluated", self.name)).detail(reason.trim())
        })?;
        if record.is_empty() {
            return Ok(Vec::new());
        }
        failures(&record).map_err(|error| {
            Error::new(Kind::Other, format!("the result of {} cannot be read: {error}", self.name)).into()
        })
    }
}
