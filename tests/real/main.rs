//! The second suite: against the real programs that images are built with. `cargo test` alone leaves it out (Cargo.toml);
//! `.ci/run` installs what it needs and runs it. What is not installed is not tried, and the test says so: `NOT RUN: …`
//! (`cargo test --test real -- --nocapture` shows it), which `.ci/run` takes for a failure.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests, and what was not run")]

mod apps;
mod base;
mod buildah;
mod layout;
mod registry;
mod server;
