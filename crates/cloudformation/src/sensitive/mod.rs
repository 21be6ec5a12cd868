//! What of a template nobody may see: the one place that decides it.
//!
//! Three things make a value sensitive: its *name* says so ([`is_name`]), the provider's schema calls the property
//! write-only, or its *text* holds a secret inside (a URL with a password, a private key, `PASSWORD=…`; see [`text`]). A
//! dynamic reference is none: what it stands for is secret, and stands elsewhere.

mod names;
mod place;
mod template;
pub mod text;
mod tree;

pub use names::is_name;
pub use template::{Template, is_secret_output};
pub use text::hide;
pub use tree::{Literal, Properties};

/// Stands for a value that nobody may see.
pub const HIDDEN: &str = "(sensitive)";

/// Whether a text holds a dynamic reference of a service that there is: CloudFormation puts in what it stands for, so that
/// the text cannot be compared with what is live.
pub fn has_reference(text: &str) -> bool {
    text.contains("{{resolve:") && !crate::evaluate::dynamic::references(text).is_empty()
}

/// Whether a text holds a dynamic reference to what is secret: Secrets Manager, or a secure parameter.
pub fn has_secret_reference(text: &str) -> bool {
    use crate::evaluate::dynamic::{Target, references};
    text.contains("{{resolve:") && references(text).iter().any(|found| !matches!(found.target, Target::Ssm { .. }))
}
