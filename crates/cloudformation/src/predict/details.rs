//! Which values of a resource change, and why.
//!
//! Two comparisons decide. The values, as far as they are known, say what changes; the expressions with parameters put
//! in, but references to resources left as they are, say whether the template itself (or a parameter) changed it. The
//! description with property values lists the first, the plain one the second, and both what follows for certain.

use super::attributes::Attributes;
use super::change::{Attribute, ChangeSource, Detail, Evaluation, RequiresRecreation, Shown, Target};
use super::diff::{Difference, MAX_LEAVES, any_leaf, differences, same};
use super::state::Fate;
use crate::evaluate::{Read, Value, within};
use crate::schema::{replaced_by_policy, resource_type};
use indexmap::{IndexMap, IndexSet};
use std::cell::Cell;

/// Everything the comparison of one resource needs.
pub(super) struct Comparison<'c> {
    pub resource_type: &'c str,
    pub before: &'c Attributes,
    pub after: &'c Attributes,
    /// The same with references left as they are.
    pub before_symbols: &'c Attributes,
    pub after_symbols: &'c Attributes,
    pub fates: &'c IndexMap<String, Fate>,
    pub parameters: &'c dyn Fn(&str) -> ParameterChange,
    /// Bytes of values that details may still hold.
    pub room: &'c Cell<usize>,
}

/// More causes of one value are not listed.
const MAX_CAUSES: usize = 64;

/// What happens to the value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterChange {
    Same,
    /// Another value, or a new parameter.
    Changed,
    /// The new value is not known yet.
    Open,
}

/// Why a value differs.
#[derive(Debug, Clone, PartialEq)]
struct Cause {
    source: ChangeSource,
    entity: String,
    evaluation: Evaluation,
}

impl Comparison<'_> {
    pub(super) fn details(&self) -> Vec<Detail> {
        let mut details = Vec::new();
        let mut attributes: Vec<Attribute> =
            self.before.values.keys().chain(self.after.values.keys()).copied().collect();
        attributes.sort_unstable();
        attributes.dedup();
        for attribute in attributes {
            for part in self.parts(attribute) {
                self.part(attribute, &part, &mut details);
            }
        }
        details
    }

    /// The names of the properties; other attributes are one part without a name.
    fn parts(&self, attribute: Attribute) -> Vec<Option<String>> {
        if attribute != Attribute::Properties {
            return vec![None];
        }
        let mut names: IndexSet<String> = IndexSet::new();
        for side in [self.before, self.after] {
            if let Some(Value::Map(properties)) = side.values.get(&attribute) {
                names.extend(properties.keys().cloned());
            }
        }
        names.into_iter().map(Some).collect()
    }

    fn part(&self, attribute: Attribute, name: &Option<String>, details: &mut Vec<Detail>) {
        let base = match name {
            Some(name) => format!("/{}/{name}", attribute.as_str()),
            None => format!("/{}", attribute.as_str()),
        };
        let edited = !same(side(self.before_symbols, attribute, name), side(self.after_symbols, attribute, name));
        let found = differences(side(self.before, attribute, name), side(self.after, attribute, name));
        for difference in &found {
            self.difference(attribute, name, &base, edited, difference, details);
        }
        let hidden = self.hidden_differences(attribute, name, &base, &found);
        for difference in &hidden {
            self.difference(attribute, name, &base, edited, difference, details);
        }
        if edited && found.is_empty() && hidden.is_empty() {
            // The template says it otherwise, and means the same for all that is known.
            let evaluation =
                if self.after.reads.within(&base).next().is_some() { Evaluation::Dynamic } else { Evaluation::Static };
            details.push(Detail {
                target: self.target(attribute, name, &base, None),
                evaluation,
                source: ChangeSource::DirectModification,
                causing_entity: None,
                shown: Shown::WithoutValues,
            });
        }
        let open: IndexSet<(ChangeSource, String)> =
            self.after.reads.within(&base).filter_map(|(_, read)| self.may_change(read)).collect();
        for (source, entity) in open {
            details.push(Detail {
                target: self.target(attribute, name, &base, None),
                evaluation: Evaluation::Dynamic,
                source,
                causing_entity: Some(entity),
                shown: Shown::WithoutValues,
            });
        }
    }

    /// What refers to a resource that is replaced changes even if its old value is not known, and so looks the same.
    fn hidden_differences<'v>(
        &'v self,
        attribute: Attribute,
        name: &Option<String>,
        base: &str,
        found: &[Difference<'_>],
    ) -> Vec<Difference<'v>> {
        let mut hidden: Vec<Difference<'v>> = Vec::new();
        for (path, read) in self.after.reads.within(base) {
            let path = &path[base.len()..];
            let seen = |it: &Difference<'_>| within(&it.path, path) || within(path, &it.path);
            if self.is_gone(read) && hidden.len() < MAX_LEAVES && !found.iter().any(seen) && !hidden.iter().any(seen) {
                let before = side(self.before, attribute, name).and_then(|value| value.at(path));
                let after = side(self.after, attribute, name).and_then(|value| value.at(path));
                if after.is_some_and(|after| !after.is_known()) {
                    hidden.push(Difference { path: path.to_owned(), before, after });
                }
            }
        }
        hidden
    }

    fn difference(
        &self,
        attribute: Attribute,
        name: &Option<String>,
        base: &str,
        edited: bool,
        difference: &Difference<'_>,
        details: &mut Vec<Detail>,
    ) {
        let path = format!("{base}{}", difference.path);
        let target = self.target(attribute, name, &path, Some(difference));
        if !difference.visible() {
            details.push(Detail {
                target,
                evaluation: Evaluation::Static,
                source: ChangeSource::DirectModification,
                causing_entity: None,
                shown: Shown::Never,
            });
            return;
        }
        let mut causes: Vec<Cause> = Vec::new();
        if difference.after.is_some() {
            for read in self.after.reads.touching(&path) {
                causes.extend(self.cause(read, &path).filter(|cause| !causes.contains(cause)));
                if causes.len() == MAX_CAUSES {
                    break;
                }
            }
        }
        let certain = difference.after.is_none_or(Value::is_known);
        let (evaluation, shown) = match (causes.is_empty(), edited) {
            (true, _) if certain => (Evaluation::Static, Shown::Always),
            (true, _) | (false, true) => (Evaluation::Dynamic, Shown::Always),
            (false, false) => (Evaluation::Dynamic, Shown::WithValues),
        };
        for cause in causes {
            details.push(Detail {
                target: target.clone(),
                evaluation: cause.evaluation,
                source: cause.source,
                causing_entity: Some(cause.entity),
                shown: Shown::Always,
            });
        }
        let source = ChangeSource::DirectModification;
        details.push(Detail { target, evaluation, source, causing_entity: None, shown });
    }

    /// What a read has to do with a difference.
    fn cause(&self, read: &Read, path: &str) -> Option<Cause> {
        let because = |source, entity, evaluation| Some(Cause { source, entity, evaluation });
        match read {
            Read::Parameter(name) => {
                let read_before = self.before.reads.touching(path).any(|before| before == read);
                match (self.parameters)(name) {
                    ParameterChange::Same if read_before => None,
                    ParameterChange::Same | ParameterChange::Changed => {
                        because(ChangeSource::ParameterReference, name.clone(), Evaluation::Static)
                    }
                    ParameterChange::Open => {
                        because(ChangeSource::ParameterReference, name.clone(), Evaluation::Dynamic)
                    }
                }
            }
            gone if !self.is_gone(gone) => None,
            Read::Resource(id) => because(ChangeSource::ResourceReference, id.clone(), Evaluation::Static),
            Read::Attribute(id, attribute) => {
                because(ChangeSource::ResourceAttribute, format!("{id}.{attribute}"), Evaluation::Static)
            }
        }
    }

    /// Whether what was read will be another resource's.
    fn is_gone(&self, read: &Read) -> bool {
        let (Read::Resource(id) | Read::Attribute(id, _)) = read else { return false };
        matches!(self.fates.get(id), Some(Fate::Replaced | Fate::New))
    }

    /// What a read has to do with a change that only the deployment will show.
    fn may_change(&self, read: &Read) -> Option<(ChangeSource, String)> {
        match read {
            Read::Resource(id) if self.fates.get(id) == Some(&Fate::Conditional) => {
                Some((ChangeSource::ResourceReference, id.clone()))
            }
            Read::Attribute(id, attribute) => {
                let open = matches!(self.fates.get(id), Some(Fate::Modified | Fate::Conditional));
                open.then(|| (ChangeSource::ResourceAttribute, format!("{id}.{attribute}")))
            }
            _ => None,
        }
    }

    fn target(
        &self,
        attribute: Attribute,
        name: &Option<String>,
        path: &str,
        difference: Option<&Difference<'_>>,
    ) -> Target {
        let tags = attribute == Attribute::Properties
            && name.as_deref() == Some("Tags")
            && tags_are_an_attribute(self.resource_type);
        Target {
            attribute: if tags { Attribute::Tags } else { attribute },
            name: name.clone().filter(|_| !tags),
            path: Some(path.to_owned()),
            change: difference.map(Difference::change),
            before: difference.and_then(|it| self.shown_value(it.before)),
            after: difference.and_then(|it| self.shown_value(it.after)),
            requires_recreation: match attribute {
                Attribute::Properties if self.replaced_by_policy(path) => RequiresRecreation::Always,
                Attribute::Properties => recreation(self.resource_type, path, difference),
                _ => RequiresRecreation::Never,
            },
        }
    }
}

impl Comparison<'_> {
    /// Whether the resource's new update policy replaces it for this change.
    fn replaced_by_policy(&self, path: &str) -> bool {
        let policy = self.after.values.get(&Attribute::UpdatePolicy);
        policy.and_then(|policy| policy.at("/AutoScalingReplacingUpdate/WillReplace")?.as_text()).as_deref()
            == Some("true")
            && replaced_by_policy(self.resource_type, path.strip_prefix("/Properties/").unwrap_or(path))
    }

    /// A copy of a value, as long as there is room: many causes of large values must not fill the memory.
    fn shown_value(&self, value: Option<&Value>) -> Option<Value> {
        let value = value?;
        let left = self.room.get().checked_sub(value.weight());
        self.room.set(left.unwrap_or(0));
        Some(if left.is_some() { value.clone() } else { Value::string("(too large)") })
    }
}

fn side<'a>(of: &'a Attributes, attribute: Attribute, name: &Option<String>) -> Option<&'a Value> {
    let value = of.values.get(&attribute)?;
    match name {
        None => Some(value),
        Some(name) => match value {
            Value::Map(properties) => properties.get(name),
            _ => None,
        },
    }
}

/// What the change does to the resource. Of types that nobody published a schema for, nothing can be promised.
fn recreation(type_name: &str, path: &str, difference: Option<&Difference<'_>>) -> RequiresRecreation {
    let Some(schema) = resource_type(type_name) else { return RequiresRecreation::Conditionally };
    let behaviour = |path: &str| schema.update_behaviour(path.strip_prefix("/Properties/").unwrap_or(path));
    let here = behaviour(path);
    // What comes or goes as a whole changes all that is in it.
    let mut sides = difference.into_iter().flat_map(|it| [it.before, it.after]).flatten();
    let replaces = |leaf: &str| behaviour(leaf) == RequiresRecreation::Always;
    match here {
        RequiresRecreation::Conditionally if sides.any(|value| any_leaf(value, path, &replaces)) => {
            RequiresRecreation::Always
        }
        here => here,
    }
}

/// Whether change sets call the tags of a type an attribute of their own, `Tags`, not the property `Tags`: they do for
/// the types of EC2 (examples of the user guide), and do not for `AWS::S3::Bucket`.
fn tags_are_an_attribute(type_name: &str) -> bool {
    type_name.starts_with("AWS::EC2::")
}
