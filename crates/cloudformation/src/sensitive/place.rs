//! Which properties are sensitive by where they stand: their name, and what the registry says of them.

use super::names::{Says, is_about, says};
use crate::schema::{PropertyPath, ResourceType};
use serde_json::Value as Json;

/// Properties whose name says nothing, and that are secret all the same.
const OTHERS: [(&str, &str); 2] = [("AWS::ApiGateway::ApiKey", "Value"), ("AWS::ElastiCache::User", "AccessString")];

/// Write-only texts that are documents: people review them line by line. Of them only what is secret inside is hidden.
const DOCUMENTS: [&str; 17] = [
    "zipfile",
    "zipfilecontent",
    "zip",
    "script",
    "templatebody",
    "body",
    "definition",
    "definitionstring",
    "content",
    "userdata",
    "inlinerecipe",
    "schemadefinition",
    "policytext",
    "dockerfiletemplatedata",
    "viewexpandedtext",
    "vieworiginaltext",
    "readmemarkdown",
];

/// What of a place's value is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hides {
    /// Everything but what is about it.
    All,
    /// A single text.
    Text,
    /// What is secret inside of a text.
    Inside,
}

/// A place in a resource's properties, or in any document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind<'k> {
    pub schema: Option<&'k ResourceType>,
    pub type_name: &'k str,
}

impl Kind<'_> {
    /// What is hidden of the member `name` at `path` (`A/0/B`) of something that hides `around`.
    pub fn member(self, name: &str, path: &str, value: &Json, around: Hides) -> Hides {
        match says(name) {
            Says::Secret => return Hides::All,
            Says::Text => return Hides::Text,
            Says::Inside => return Hides::Inside,
            Says::Nothing => {}
        }
        if OTHERS.contains(&(self.type_name, path)) {
            return Hides::All;
        }
        if value.is_string() && self.is_write_only(name, path) {
            return Hides::All;
        }
        if around == Hides::All && !is_about(name) { Hides::All } else { Hides::Inside }
    }

    /// A text that can be set and not read. A write-only map says nothing of its members: the service gives back none of
    /// it (`LaunchTemplateData`).
    fn is_write_only(self, name: &str, path: &str) -> bool {
        let Some(schema) = self.schema.filter(|_| !is_about(name)) else { return false };
        let path_of = PropertyPath::new(path);
        schema.write_only().contains(&path_of)
            && !DOCUMENTS.contains(&name.to_ascii_lowercase().as_str())
            && schema.property(path).is_none_or(|property| !property.is_one_of_some())
    }
}
