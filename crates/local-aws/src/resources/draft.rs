//! A resource while it is made: who it is for, what is known of it so far, and the values that forms ask for.

use super::model::{self, Properties};
use super::{Owner, Resources};
use crate::ids::Ids;
use cloudformation::schema::{PropertyPath, ResourceType};
use jiff::Timestamp;
use serde_json::Value as Json;

/// A resource in the making.
pub(super) struct Draft<'d> {
    pub ids: &'d Ids,
    pub now: Timestamp,
    pub resources: &'d Resources,
    pub owner: &'d Owner,
    pub type_name: &'d str,
    pub known: &'static ResourceType,
    /// With the names that were made and the attributes as far as they are known.
    pub properties: Properties,
    /// What `Ref` will give, once it is known.
    pub physical_id: Option<String>,
}

impl Draft<'_> {
    /// Fills in a form; `None` if it asks for what is not known.
    pub fn fill(&self, form: &str) -> Option<String> {
        super::form::fill(form, self.ids, |name| self.value(name))
    }

    /// The text of a property or attribute, if it has one value.
    pub fn text(&self, path: &str) -> Option<String> {
        match model::get(&self.properties, &PropertyPath::new(path))? {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            Json::Bool(truth) => Some(truth.to_string()),
            _ => None,
        }
    }

    /// A value that a form names.
    pub fn value(&self, name: &str) -> Option<String> {
        let place = &self.owner.place;
        Some(match name {
            "partition" => place.partition().to_owned(),
            "region" => place.region.clone(),
            "account" => place.account.clone(),
            "suffix" => place.url_suffix().to_owned(),
            "stack" => self.owner.stack_name.clone(),
            "stack_id" => self.owner.stack_id.clone(),
            "stack_id_escaped" => self.owner.stack_id.replace(':', "%3A").replace('/', "%2F"),
            "logical" => self.owner.logical_id.clone(),
            "short_stack" => self.owner.stack_name.chars().take(5).collect(),
            "short_logical" => self.owner.logical_id.chars().take(5).collect(),
            "lower_stack" => self.owner.stack_name.to_lowercase(),
            "lower_logical" => self.owner.logical_id.to_lowercase(),
            "physical" => self.physical_id.clone()?,
            "last" => last_segment(self.physical_id.as_deref()?).to_owned(),
            "now_label" => self.now.strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string(),
            "now_seconds" => self.now.as_second().to_string(),
            _ => match name.split_once(':') {
                Some(("last", path)) => last_segment(&self.named(path)?).to_owned(),
                Some(("label", path)) => self.named(path)?.split('.').next()?.to_owned(),
                _ => return self.special(name).or_else(|| self.named(name)),
            },
        })
    }

    /// A property or attribute, made now if it is not set yet and has a form.
    fn named(&self, path: &str) -> Option<String> {
        self.text(path).or_else(|| self.made(path))
    }

    /// An attribute that is not set yet and has a form.
    fn made(&self, path: &str) -> Option<String> {
        self.known
            .is_read_only(path)
            .then(|| super::facts::form(self.type_name, &path.replace('.', "/")))
            .flatten()
            .and_then(|form| self.fill(form))
    }
}

/// What follows the last `:`, `/` or `|`.
pub(super) fn last_segment(text: &str) -> &str {
    text.rsplit([':', '/', '|']).next().unwrap_or(text)
}
