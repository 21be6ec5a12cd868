//! An environment as a picture: regions, networks, services and the way of a request, from its templates alone.
//!
//! Pure, and the same input gives the same bytes. [`derive`] makes a [`Scene`] of resources and of what refers to what,
//! [`layout`] gives every box its place, [`route`] leads the arrows around the boxes, and [`svg`], [`mermaid`] and [`dot`]
//! write it down.

mod derive;
mod dot;
mod drawing;
mod icons;
mod layout;
mod legend;
mod mark;
mod measure;
mod mermaid;
mod route;
mod scene;
mod svg;

#[cfg(test)]
mod tests;

pub use derive::derive;
pub use dot::dot;
pub use mark::mark;
pub use mermaid::mermaid;
pub use scene::{Flow, FlowKind, Mark, Node, NodeKind, Scene};
pub use svg::svg;
