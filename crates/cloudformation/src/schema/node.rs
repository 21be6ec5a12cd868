//! One schema node: what a value must be, as a list of keywords.
//!
//! The dialect is JSON Schema draft 7 as the resource registry writes it, with the registry's additions. Keywords that
//! say nothing about values are left out on reading. Texts are borrowed from the embedded artifact where possible.

use super::pattern::Pattern;
use super::types::Types;
use serde_json::Value as Json;
use std::borrow::Cow;

/// A text of a schema; borrowed from the artifact unless it holds an escape.
pub type Text = Cow<'static, str>;

/// What a value must be.
#[derive(Debug, Default)]
pub struct Schema {
    /// Empty: any.
    pub types: Types,
    pub keywords: Vec<Keyword>,
}

/// A condition on a value. Each looks only at values of the kinds it is about and holds for all others.
#[derive(Debug)]
pub enum Keyword {
    /// `false`: no value is allowed.
    Never,
    /// A JSON pointer into the same document, without the leading `#`.
    Reference(Text),
    Definitions(Named<Schema>),
    Properties(Named<Schema>),
    PatternProperties(Vec<(Pattern, Schema)>),
    AdditionalProperties(Box<Schema>),
    PropertyNames(Box<Schema>),
    Required(Vec<Text>),
    /// Exactly one of these properties.
    RequiredXor(Vec<Text>),
    /// At least one of these properties.
    RequiredOr(Vec<Text>),
    /// A property, and those that must stand with it.
    DependentRequired(Named<Vec<Text>>),
    /// A property, and those that must not stand with it.
    DependentExcluded(Named<Vec<Text>>),
    /// A property, and what the whole object must be when it is there.
    DependentSchemas(Named<Schema>),
    MinProperties(u64),
    MaxProperties(u64),
    Items(Box<Schema>),
    PrefixItems(Vec<Schema>),
    Contains(Box<Schema>),
    MinItems(u64),
    MaxItems(u64),
    MaxUniqueItems(u64),
    UniqueItems,
    /// Objects of a list differ in these properties.
    UniqueKeys(Vec<Text>),
    /// The order of a list means nothing (`insertionOrder: false`).
    Unordered,
    Enum(Vec<Json>),
    EnumCaseInsensitive(Vec<Json>),
    Const(Json),
    Default(Json),
    Pattern(Pattern),
    Format(Text),
    MinLength(u64),
    MaxLength(u64),
    Minimum(f64),
    Maximum(f64),
    ExclusiveMinimum(f64),
    ExclusiveMaximum(f64),
    MultipleOf(f64),
    AllOf(Vec<Schema>),
    AnyOf(Vec<Schema>),
    OneOf(Vec<Schema>),
    Not(Box<Schema>),
    If(Box<Conditional>),
    /// A constraint over several resources (`cfnGather`), kept as it is written.
    Gather(Box<Json>),
    /// A schema in which functions are plain values (`cfnContext` with no functions).
    Literal(Box<Schema>),
    /// A value that the schema wants to compare with is not known.
    Unknown,
}

/// Sorted by name.
pub type Named<T> = Vec<(Text, T)>;

#[derive(Debug, Default)]
pub struct Conditional {
    pub condition: Schema,
    pub then: Option<Schema>,
    pub otherwise: Option<Schema>,
}

/// The entry called `name`.
pub fn named<'n, T>(entries: &'n Named<T>, name: &str) -> Option<&'n T> {
    entries.binary_search_by(|(key, _)| key.as_ref().cmp(name)).ok().map(|at| &entries[at].1)
}

impl Schema {
    /// The schemas of the properties that are named, without those of references and alternatives.
    pub fn properties(&self) -> Option<&Named<Schema>> {
        self.keywords.iter().find_map(|keyword| match keyword {
            Keyword::Properties(properties) => Some(properties),
            _ => None,
        })
    }

    pub fn items(&self) -> Option<&Schema> {
        self.keywords.iter().find_map(|keyword| match keyword {
            Keyword::Items(items) => Some(items.as_ref()),
            _ => None,
        })
    }

    pub fn required(&self) -> impl Iterator<Item = &str> {
        let required = self.keywords.iter().filter_map(|keyword| match keyword {
            Keyword::Required(names) => Some(names),
            _ => None,
        });
        required.flatten().map(AsRef::as_ref)
    }

    pub fn reference(&self) -> Option<&str> {
        self.keywords.iter().find_map(|keyword| match keyword {
            Keyword::Reference(pointer) => Some(pointer.as_ref()),
            _ => None,
        })
    }

    /// Whether it names members of an object, itself or in one of its alternatives.
    pub fn names_members(&self) -> bool {
        self.properties().is_some()
            || self.keywords.iter().any(|keyword| match keyword {
                Keyword::AllOf(all) | Keyword::AnyOf(all) | Keyword::OneOf(all) => {
                    all.iter().any(|one| one.reference().is_some() || one.names_members())
                }
                _ => false,
            })
    }

    /// Whether this is the schema `false`.
    pub fn forbids_all(&self) -> bool {
        matches!(self.keywords.as_slice(), [Keyword::Never])
    }

    /// What `pointer` (a JSON pointer without `#`) names below this schema, which is its document's root.
    pub fn at(&self, pointer: &str) -> Option<&Schema> {
        let mut here = self;
        let mut segments = pointer.split('/').skip(1);
        while let Some(segment) = segments.next() {
            here = match segment {
                "items" => here.items()?,
                "definitions" => {
                    let name = segments.next()?;
                    here.keywords.iter().find_map(|keyword| match keyword {
                        Keyword::Definitions(definitions) => named(definitions, name),
                        _ => None,
                    })?
                }
                "properties" => named(here.properties()?, segments.next()?)?,
                _ => return None,
            };
        }
        Some(here)
    }

    /// This schema, or what it refers to in the document that starts at `root`.
    pub fn follow<'s>(&'s self, root: &'s Schema) -> &'s Schema {
        let mut here = self;
        // A chain of references is short; one that runs in a circle ends here.
        for _ in 0..16 {
            match here.reference().and_then(|pointer| root.at(pointer)) {
                Some(target) => here = target,
                None => break,
            }
        }
        here
    }
}
