//! `usage` of an environment: what AWS bills by use, and no template tells. Each figure has a default that an environment,
//! or one stack of it, overrides.

use super::build::{entries, map, unknown};
use super::keys::STACK_NAME;
use crate::document::{Key, Section, Shape};
use crate::model::{Input, InputKind, InputValue, StackSpec, Usage};
use crate::problem::Problem;
use indexmap::IndexMap;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A figure of use in a month, unless its unit says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumption {
    pub name: &'static str,
    /// A decimal number.
    pub default: &'static str,
    pub unit: &'static str,
    pub about: &'static str,
}

/// No more than this of anything: a petabyte and a trillion requests are inside.
const MOST: u32 = 1_000_000_000;

macro_rules! assumptions {
    ($($name:literal = $default:literal $unit:literal: $about:literal;)*) => {
        /// All figures that an estimate assumes.
        pub const ASSUMPTIONS: &[Assumption] =
            &[$(Assumption { name: $name, default: $default, unit: $unit, about: $about }),*];

        const STACK_USAGE: Section = Section {
            of: "the usage of a stack",
            keys: &[$(key($name, concat!($about, " Unit: ", $unit, ". Default: ", $default, "."))),*],
        };

        /// `usage`.
        pub(super) const USAGE: Section = Section {
            of: "`usage`",
            keys: &[
                $(key($name, concat!($about, " Unit: ", $unit, ". Default: ", $default, ".")),)*
                Key {
                    name: "stacks",
                    shape: Shape::Named { name: &STACK_NAME, entry: &Shape::Keys(&STACK_USAGE) },
                    required: false,
                    about: "What is different for one stack, by its name.",
                },
            ],
        };
    };
}

const fn key(name: &'static str, about: &'static str) -> Key {
    Key { name, shape: Shape::Quantity { max: MOST }, required: false, about }
}

assumptions! {
    "nat_gb" = "20" "GB": "What each NAT gateway carries, both ways.";
    "internet_gb" = "10" "GB": "What each load balancer sends to the internet past the CDN.";
    "lcu" = "1" "LCU on average": "Capacity units of each load balancer: 25 new connections a second, 3,000 open ones or 1 GB an hour fill one.";
    "endpoint_gb" = "5" "GB": "What each interface endpoint carries.";
    "cdn_gb" = "50" "GB": "What each distribution sends to browsers.";
    "cdn_requests" = "1" "million requests": "HTTPS requests to each distribution.";
    "waf_requests" = "1" "million requests": "Requests that each web ACL inspects.";
    "dns_queries" = "0.1" "million queries": "Queries to each hosted zone that no alias record answers; alias records of AWS's own targets are free.";
    "table_gb" = "1" "GB": "What each table holds.";
    "table_reads" = "1" "million read units": "Reads of each table: one unit for 4 KB, half of it where eventual consistency will do.";
    "table_writes" = "0.5" "million write units": "Writes to each table: one unit for 1 KB, two in a transaction.";
    "bucket_gb" = "1" "GB": "What each bucket holds.";
    "bucket_writes" = "10" "thousand requests": "PUT, COPY, POST and LIST requests to each bucket.";
    "bucket_reads" = "100" "thousand requests": "GET and other requests to each bucket.";
    "image_gb" = "1" "GB": "What each repository of images holds.";
    "log_gb" = "2" "GB": "What is written to each log group.";
    "key_requests" = "10" "ten thousand requests": "Requests to each KMS key.";
    "secret_calls" = "1" "ten thousand calls": "Reads of each secret.";
    "topic_requests" = "0.01" "million requests": "Publications to each topic.";
    "queue_requests" = "1" "million requests": "Requests to each queue.";
    "insights_metrics" = "100" "metrics": "Metrics that Container Insights writes for each cluster.";
    "function_requests" = "1" "million requests": "Calls of each function.";
    "function_ms" = "100" "ms": "How long a call of a function takes.";
    "api_requests" = "1" "million requests": "Requests to each API.";
}

/// Defaults under what the environment says, and that under what it says of a stack.
pub fn read(
    top: &IndexMap<String, Input>,
    stacks: &IndexMap<String, StackSpec>,
    complete: bool,
    problems: &mut Vec<Problem>,
) -> Usage {
    let Some(usage) = top.get("usage").and_then(|input| map(&input.value)) else { return Usage::default() };
    let mut of_stacks = BTreeMap::new();
    for (name, input) in entries(usage, "stacks") {
        if complete && !stacks.contains_key(name) {
            problems.push(unknown("stack", name, &input.key_at, stacks.keys()));
        }
        if let Some(figures) = map(&input.value) {
            of_stacks.insert(name.clone(), quantities(figures));
        }
    }
    Usage { all: quantities(usage), stacks: of_stacks }
}

fn quantities(figures: &IndexMap<String, Input>) -> BTreeMap<String, Decimal> {
    figures.iter().filter_map(|(name, input)| Some((name.clone(), quantity(&input.value)?))).collect()
}

/// A number as it was written: 0.1 is a tenth.
fn quantity(value: &InputValue) -> Option<Decimal> {
    let InputKind::Scalar(serde_json::Value::Number(number)) = &value.kind else { return None };
    let text = number.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}
