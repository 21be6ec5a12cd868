//! `scan`: what ECR may find in an image that is to run.

use super::build::{map, scalar, text};
use crate::document::{Format, Key, Section, Shape};
use crate::model::{Input, InputKind, ScanGate, Severity};
use crate::quantity;
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// Basic scans take half a minute; enhanced ones may queue.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

const SEVERITY: Format = Format {
    expects: "critical, high, medium, low or informational",
    pattern: "^(critical|high|medium|low|informational)$",
    longest: 13,
};
const FINDING: Format = Format {
    expects: "the name of a finding, such as CVE-2026-1234",
    pattern: "^[A-Za-z0-9][A-Za-z0-9:._-]*$",
    longest: 128,
};

pub(super) const SCAN: Section = Section {
    of: "`scan`",
    keys: &[
        Key {
            name: "severity",
            shape: Shape::Text(&SEVERITY),
            required: true,
            about: "Findings of this severity or above stop an image before anything that runs it is touched.",
        },
        Key {
            name: "timeout",
            shape: Shape::Text(&super::keys::DURATION),
            required: false,
            about: "How long to wait for the scan of one image. Default: 5m.",
        },
        Key {
            name: "ignore",
            shape: Shape::List(&Shape::Text(&FINDING)),
            required: false,
            about: "Findings that stop nothing, by their names.",
        },
    ],
};

/// The gate; none if the environment has none.
pub(super) fn read(top: &IndexMap<String, Input>) -> Option<ScanGate> {
    let scan = top.get("scan").and_then(|input| map(&input.value))?;
    let ignore = match scan.get("ignore").map(|input| &input.value.kind) {
        Some(InputKind::List(names)) => names.iter().filter_map(scalar).collect(),
        _ => BTreeSet::new(),
    };
    Some(ScanGate {
        severity: text(scan, "severity")?.parse().unwrap_or(Severity::Undefined),
        timeout: text(scan, "timeout").and_then(|text| quantity::duration(&text)).unwrap_or(TIMEOUT),
        ignore,
    })
}
