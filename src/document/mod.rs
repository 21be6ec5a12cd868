//! YAML files of a project as values that know their places, checked against tables of what they may say.

mod check;
mod schema;
mod shape;
mod syntax;
mod tree;

pub use check::{check, listed, matches};
pub use schema::schema;
pub use shape::{Format, Key, REGION, REGIONS, Section, Shape};
pub use syntax::syntax;
pub use tree::{PRIVATE_USE, empty, is_null, kind_of, located, place, place_of_bytes, start_of, to_json, written};
