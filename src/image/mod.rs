//! Container images: built or taken from an archive into an OCI layout, and from there to a registry, always by digest.
//!
//! An image is known by the digest of its manifest (or index), never by a tag. Every blob's digest and size are checked
//! whenever it is read, so that what is pushed is what was built. Nothing here prints: progress is told as values.

pub mod archive;
pub mod builder;
pub mod choice;
pub mod context;
pub mod copy;
pub mod digest;
pub mod dockerfile;
pub mod ignore;
pub mod layout;
pub mod list;
pub mod model;
pub mod prune;
pub mod push;
pub mod registry;
pub mod source;

pub use digest::Digest;
pub use model::{Descriptor, Image, Index, Manifest, Platform};
