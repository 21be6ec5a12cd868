//! From JSON to [`Schema`], in one pass without a tree in between: twenty types are read on each validation.

use super::node::{Conditional, Keyword, Named, Schema, Text};
use super::pattern::Pattern;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

impl<'de: 'static> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de: 'static> Visitor<'de> for Reader {
            type Value = Schema;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a schema: an object or a boolean")
            }

            fn visit_bool<E>(self, allowed: bool) -> Result<Schema, E> {
                let keywords = if allowed { Vec::new() } else { vec![Keyword::Never] };
                Ok(Schema { keywords, ..Schema::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Schema, A::Error> {
                let mut schema = SchemaReader::default();
                while let Some(key) = map.next_key::<Cow>()? {
                    schema.keyword(&key.0, &mut map)?;
                }
                Ok(schema.finish())
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A schema as far as it is read; `if`, `then` and `else` come in any order.
#[derive(Default)]
struct SchemaReader {
    schema: Schema,
    condition: Option<Schema>,
    then: Option<Schema>,
    otherwise: Option<Schema>,
}

impl SchemaReader {
    /// Reads the value of the keyword `key`. Keywords that say nothing about values are skipped.
    fn keyword<'de: 'static, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let keyword = match key {
            "type" => {
                self.schema.types = map.next_value()?;
                return Ok(());
            }
            "if" => {
                self.condition = Some(map.next_value()?);
                return Ok(());
            }
            "then" => {
                self.then = Some(map.next_value()?);
                return Ok(());
            }
            "else" => {
                self.otherwise = Some(map.next_value()?);
                return Ok(());
            }
            "$ref" => match map.next_value::<Cow>()?.0 {
                Text::Borrowed(text) => Keyword::Reference(Text::Borrowed(text.trim_start_matches('#'))),
                Text::Owned(text) => Keyword::Reference(Text::Owned(text.trim_start_matches('#').to_owned())),
            },
            "definitions" => Keyword::Definitions(map.next_value::<Entries<Schema>>()?.0),
            "properties" => Keyword::Properties(map.next_value::<Entries<Schema>>()?.0),
            "patternProperties" => {
                let entries = map.next_value::<Entries<Schema>>()?.0;
                let patterns = entries.into_iter().map(|(pattern, schema)| (Pattern::new(pattern), schema));
                Keyword::PatternProperties(patterns.collect())
            }
            "additionalProperties" => Keyword::AdditionalProperties(map.next_value()?),
            "propertyNames" => Keyword::PropertyNames(map.next_value()?),
            "required" => Keyword::Required(texts(map)?),
            "requiredXor" => Keyword::RequiredXor(texts(map)?),
            "requiredOr" => Keyword::RequiredOr(texts(map)?),
            "dependentRequired" => Keyword::DependentRequired(lists(map)?),
            "dependentExcluded" => Keyword::DependentExcluded(lists(map)?),
            "dependentSchemas" => Keyword::DependentSchemas(map.next_value::<Entries<Schema>>()?.0),
            "minProperties" => Keyword::MinProperties(map.next_value()?),
            "maxProperties" => Keyword::MaxProperties(map.next_value()?),
            "items" => Keyword::Items(map.next_value()?),
            "prefixItems" => Keyword::PrefixItems(map.next_value()?),
            "contains" => Keyword::Contains(map.next_value()?),
            "minItems" => Keyword::MinItems(map.next_value()?),
            "maxItems" => Keyword::MaxItems(map.next_value()?),
            "maxUniqueItems" => Keyword::MaxUniqueItems(map.next_value()?),
            "uniqueItems" => match map.next_value()? {
                true => Keyword::UniqueItems,
                false => return Ok(()),
            },
            "uniqueKeys" => Keyword::UniqueKeys(texts(map)?),
            "insertionOrder" => match map.next_value()? {
                true => return Ok(()),
                false => Keyword::Unordered,
            },
            "enum" => Keyword::Enum(map.next_value()?),
            "enumCaseInsensitive" => Keyword::EnumCaseInsensitive(map.next_value()?),
            "const" => Keyword::Const(map.next_value()?),
            "default" => Keyword::Default(map.next_value()?),
            "pattern" => Keyword::Pattern(Pattern::new(map.next_value::<Cow>()?.0)),
            "format" => Keyword::Format(map.next_value::<Cow>()?.0),
            "minLength" => Keyword::MinLength(map.next_value()?),
            "maxLength" => Keyword::MaxLength(map.next_value()?),
            "minimum" => Keyword::Minimum(map.next_value()?),
            "maximum" => Keyword::Maximum(map.next_value()?),
            "exclusiveMinimum" => Keyword::ExclusiveMinimum(map.next_value()?),
            "exclusiveMaximum" => Keyword::ExclusiveMaximum(map.next_value()?),
            "multipleOf" => Keyword::MultipleOf(map.next_value()?),
            "allOf" => Keyword::AllOf(map.next_value()?),
            "anyOf" => Keyword::AnyOf(map.next_value()?),
            "oneOf" => Keyword::OneOf(map.next_value()?),
            "not" => Keyword::Not(map.next_value()?),
            "cfnGather" => Keyword::Gather(map.next_value()?),
            "cfnContext" => Keyword::Literal(map.next_value::<Context>()?.schema),
            "cfnUnresolved" => {
                map.next_value::<IgnoredAny>()?;
                Keyword::Unknown
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
                return Ok(());
            }
        };
        self.schema.keywords.push(keyword);
        Ok(())
    }

    fn finish(mut self) -> Schema {
        if let Some(condition) = self.condition {
            let conditional = Conditional { condition, then: self.then, otherwise: self.otherwise };
            self.schema.keywords.push(Keyword::If(Box::new(conditional)));
        }
        self.schema
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct Context {
    schema: Box<Schema>,
}

fn texts<'de: 'static, A: MapAccess<'de>>(map: &mut A) -> Result<Vec<Text>, A::Error> {
    Ok(map.next_value::<Vec<Cow>>()?.into_iter().map(|text| text.0).collect())
}

fn lists<'de: 'static, A: MapAccess<'de>>(map: &mut A) -> Result<Named<Vec<Text>>, A::Error> {
    let entries = map.next_value::<Entries<Vec<Cow>>>()?.0;
    Ok(entries.into_iter().map(|(name, list)| (name, list.into_iter().map(|text| text.0).collect())).collect())
}

/// A text that borrows from the artifact where it can (`std`'s `Cow` always copies).
pub(super) struct Cow(pub Text);

impl<'de: 'static> Deserialize<'de> for Cow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de: 'static> Visitor<'de> for Reader {
            type Value = Cow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow, E> {
                Ok(Cow(Text::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Cow, E> {
                Ok(Cow(Text::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// A map as a list sorted by name.
pub(super) struct Entries<T>(pub Named<T>);

impl<'de: 'static, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(std::marker::PhantomData<T>);
        impl<'de: 'static, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries: Named<T> = Vec::new();
                while let Some((name, value)) = map.next_entry::<Cow, T>()? {
                    entries.push((name.0, value));
                }
                if !entries.is_sorted_by(|a, b| a.0 < b.0) {
                    entries.sort_by(|a, b| a.0.cmp(&b.0));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader(std::marker::PhantomData))
    }
}
