//! Which values of a resource change, and why.
//!
//! Two comparisons decide. The values, as far as they are known, say what changes; the expressions with parameters put
//! in, but references to resources left as they are, say whether the template itself (or a parameter) changed it. The
//! description with property values lists the first, the plain one the second, and both what follows for certain.

use super::attributes::Attributes;
use super::change::{Attribute, ChangeSource, Detail, Evaluation, RequiresRecreation, Shown, Target};
use super::diff::{Difference, differences, leaves};
use super::state::Fate;
use crate::evaluate::{Read, ReadAt, Value, within};
use crate::schema::resource_type;
use indexmap::IndexMap;

/// Everything the comparison of one resource needs.
pub(super) struct Comparison<'c> {
    pub resource_type: &'c str,
    pub before: &'c Attributes,
    pub after: &'c Attributes,
    /// The same with references left as they are.
    pub before_symbols: &'c Attributes,
    pub after_symbols: &'c Attributes,
    pub fates: &'c IndexMap<String, Fate>,
    /// Whether the value of a parameter changed (or it is new).
    pub parameter_changed: &'c dyn Fn(&str) -> bool,
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
        let mut names: Vec<String> = Vec::new();
        for side in [self.before, self.after] {
            if let Some(Value::Map(properties)) = side.values.get(&attribute) {
                names.extend(properties.keys().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
            }
        }
        names.into_iter().map(Some).collect()
    }

    fn part(&self, attribute: Attribute, name: &Option<String>, details: &mut Vec<Detail>) {
        let base = match name {
            Some(name) => format!("/{}/{name}", attribute.as_str()),
            None => format!("/{}", attribute.as_str()),
        };
        let edited = side(self.before_symbols, attribute, name).map(Value::reveal)
            != side(self.after_symbols, attribute, name).map(Value::reveal);
        let found = differences(side(self.before, attribute, name), side(self.after, attribute, name));
        for difference in &found {
            self.difference(attribute, name, &base, edited, difference, details);
        }
        if edited && found.is_empty() {
            // The template says it otherwise, and means the same for all that is known.
            let evaluation =
                if self.reads(self.after, &base).next().is_some() { Evaluation::Dynamic } else { Evaluation::Static };
            details.push(Detail {
                target: self.target(attribute, name, &base, None),
                evaluation,
                source: ChangeSource::DirectModification,
                causing_entity: None,
                shown: Shown::WithoutValues,
            });
        }
        for read in self.reads(self.after, &base) {
            if let Some((source, entity)) = self.may_change(&read.read) {
                details.push(Detail {
                    target: self.target(attribute, name, &base, None),
                    evaluation: Evaluation::Dynamic,
                    source,
                    causing_entity: Some(entity),
                    shown: Shown::WithoutValues,
                });
            }
        }
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
        let mut causes: Vec<(ChangeSource, String)> = Vec::new();
        if difference.after.is_some() {
            for read in self.after.reads.iter().filter(|read| read.touches(&path)) {
                causes.extend(self.cause(read, &path).filter(|cause| !causes.contains(cause)));
            }
        }
        let direct = match (causes.is_empty(), edited) {
            (true, _) => (Evaluation::Static, Shown::Always),
            (false, true) => (Evaluation::Dynamic, Shown::Always),
            (false, false) => (Evaluation::Dynamic, Shown::WithValues),
        };
        for (source, entity) in causes {
            details.push(Detail {
                target: target.clone(),
                evaluation: Evaluation::Static,
                source,
                causing_entity: Some(entity),
                shown: Shown::Always,
            });
        }
        details.push(Detail {
            target,
            evaluation: direct.0,
            source: ChangeSource::DirectModification,
            causing_entity: None,
            shown: direct.1,
        });
    }

    /// What a read has to do with a difference that is certain.
    fn cause(&self, read: &ReadAt, path: &str) -> Option<(ChangeSource, String)> {
        let gone = |id: &str| matches!(self.fates.get(id), Some(Fate::Replaced | Fate::New));
        match &read.read {
            Read::Parameter(name) => {
                let newly_read =
                    !self.before.reads.iter().any(|before| before.read == read.read && before.touches(path));
                (newly_read || (self.parameter_changed)(name)).then(|| (ChangeSource::ParameterReference, name.clone()))
            }
            Read::Resource(id) => gone(id).then(|| (ChangeSource::ResourceReference, id.clone())),
            Read::Attribute(id, attribute) => {
                gone(id).then(|| (ChangeSource::ResourceAttribute, format!("{id}.{attribute}")))
            }
        }
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

    fn reads<'r>(&self, of: &'r Attributes, base: &str) -> impl Iterator<Item = &'r ReadAt> {
        of.reads.iter().filter(move |read| within(&read.path, base) || within(base, &read.path))
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
            before: difference.and_then(|it| it.before.cloned()),
            after: difference.and_then(|it| it.after.cloned()),
            requires_recreation: match attribute {
                Attribute::Properties => recreation(self.resource_type, path, difference),
                _ => RequiresRecreation::Never,
            },
        }
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
    let sides = difference.into_iter().flat_map(|it| [it.before, it.after]).flatten();
    // What comes or goes as a whole changes all that is in it.
    sides.flat_map(|value| leaves(value, path)).map(|leaf| behaviour(&leaf)).max().unwrap_or_else(|| behaviour(path))
}

/// Whether change sets call the tags of a type an attribute of their own, `Tags`, not the property `Tags`: they do for
/// the types of EC2 (examples of the user guide), and do not for `AWS::S3::Bucket`.
fn tags_are_an_attribute(type_name: &str) -> bool {
    type_name.starts_with("AWS::EC2::")
}
