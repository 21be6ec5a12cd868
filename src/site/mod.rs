//! A static site: files of a folder made objects of a bucket, and what a CDN must forget.
//!
//! A [`Plan`] says what would change as a value; [`apply()`] carries it out: new and changed files first, the pages that
//! name them after what they name, removed ones last, so that a visitor in between misses nothing.

mod apply;
mod content;
mod files;
mod plan;

pub use apply::{Applied, Progress, Tell, apply};
pub use content::{cache_control, content_type, is_page};
pub use files::{File, digest, leads_out, scan};
pub use plan::{Change, Plan, invalidations, plan};
