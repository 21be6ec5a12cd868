//! The integration tests: one binary, a file for each verb or promise; `support/` holds what they share.

#![allow(clippy::unwrap_used, reason = "scenarios of tests are functions that tests call")]

mod aws;
mod cdk;
mod checkov;
mod cli;
mod clients;
mod cost;
mod deletions;
mod drift;
mod drift_properties;
mod drift_services;
mod drift_ways;
mod embedded;
mod engine;
mod failed_rollout;
mod images;
mod imports;
mod killed;
mod local;
mod lock;
mod makespan;
mod messages;
mod moves;
mod networks;
mod observe;
mod offline;
mod offline_plan;
mod packages;
mod platforms;
mod promotions;
mod push;
mod readme;
mod releases;
mod rendered;
mod rollout;
mod sarif;
mod scan;
mod secrets;
mod site;
mod state;
mod support;
mod system;
mod truth;
mod two_runs;
mod verbs;
