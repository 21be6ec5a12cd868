//! The nouns that the rooms share. Plain data: no I/O, no SDK types, no printing.

mod ascii;
mod asked;
mod declared;
mod deployed;
mod digest;
mod package;
mod remembered;
pub mod sensitive;

pub use ascii::{escaped, in_ascii, shows};
pub use asked::*;
pub use declared::*;
pub use deployed::*;
pub use digest::digest;
pub use package::*;
pub use remembered::*;
