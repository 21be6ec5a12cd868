//! `infra`: from a YAML file for each environment to running AWS systems, through CloudFormation.
//!
//! Rooms, lowest last; a room imports only from those below it:
//! `cli`, `commands` → `view` → `bootstrap`, `rehearsal`, `drift` → `apply` → `cost`, `diagram` → `plan` → `observe` → `handlers` → `validate`, `processors` → `inventory` → `render` →
//! `catalog` → `environment` → `graph` → `state` → `site`, `package` → `image`, `local` → `aws`
//! → `document` → `model`, `stateful`, `files`, `process`, `quantity`, `random`, `problem`, `error`.
//!
//! Data flows one way, and each arrow is a value that can be printed, saved and tested:
//!
//! ```text
//! environments/prod.yaml → Environment → [RenderedStack] ─┐
//!                                 account → [Deployed]  ──┴→ Plan → (saved, shown, approved) → [Outcome] → State
//! ```

pub mod apply;
pub mod aws;
pub mod bootstrap;
pub mod catalog;
pub mod cli;
pub mod commands;
pub mod cost;
pub mod diagram;
pub mod document;
pub mod drift;
pub mod environment;
pub mod error;
pub mod files;
pub mod graph;
pub mod handlers;
pub mod image;
pub mod inventory;
pub mod local;
pub mod model;
pub mod observe;
pub mod package;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod process;
pub mod processors;
pub mod quantity;
pub mod random;
pub mod rehearsal;
pub mod render;
pub mod site;
pub mod state;
pub mod stateful;
pub mod validate;
pub mod view;
