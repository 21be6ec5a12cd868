//! The second suite: against the real programs that images are built with. What is not installed here is not tried, and
//! the test says so: `NOT RUN: …` (`cargo nextest run --test real --success-output final` shows it).

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests, and what was not run")]

mod apps;
mod base;
mod buildah;
mod layout;
mod registry;
mod server;
