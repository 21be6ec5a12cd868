//! The set of JSON types that a schema allows.

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use std::fmt;

/// A set of JSON types; the empty set stands for "any".
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Types(u8);

/// One JSON type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Number = 8,
    String = 16,
    Array = 32,
    Object = 64,
}

const ALL: [Type; 7] =
    [Type::Null, Type::Boolean, Type::Integer, Type::Number, Type::String, Type::Array, Type::Object];

impl Type {
    /// As JSON Schema spells it.
    pub fn name(self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Boolean => "boolean",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::String => "string",
            Type::Array => "array",
            Type::Object => "object",
        }
    }
}

impl Types {
    pub fn any(self) -> bool {
        self.0 == 0
    }

    pub fn contains(self, one: Type) -> bool {
        self.0 & one as u8 != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Type> {
        ALL.into_iter().filter(move |one| self.contains(*one))
    }

    fn insert(&mut self, name: &str) {
        if let Some(one) = ALL.into_iter().find(|one| one.name() == name) {
            self.0 |= one as u8;
        }
    }
}

impl From<Type> for Types {
    fn from(one: Type) -> Self {
        Types(one as u8)
    }
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `string`, `string or array`, `any`.
impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Type::name).collect();
        f.write_str(if names.is_empty() { "any" } else { "" })?;
        f.write_str(&names.join(" or "))
    }
}

impl<'de> Deserialize<'de> for Types {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Types;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a JSON type or a list of such names")
            }

            fn visit_str<E>(self, name: &str) -> Result<Types, E> {
                let mut types = Types::default();
                types.insert(name);
                Ok(types)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Types, A::Error> {
                let mut types = Types::default();
                while let Some(name) = names.next_element::<std::borrow::Cow<'de, str>>()? {
                    types.insert(&name);
                }
                Ok(types)
            }
        }
        deserializer.deserialize_any(Names)
    }
}
