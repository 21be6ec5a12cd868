//! The scan gate: what ECR finds in an image stops it before anything that runs it is touched. In virtual time, on the
//! embedded AWS.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use crate::engine::{Ran, World};
use crate::push::{Layout, layer};
use crate::support::backend::Backend;
use infra::apply::{EventKind, Outcome, RootCause};
use infra::image::{Digest, builder};
use infra::model::{LocalImageUse, MadeFrom, Parameter, ScanGate, Severity};
use local_aws::faults::{Finding, ScanResult};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tempfile::TempDir;

struct Gate {
    world: World,
    _project: TempDir,
}

/// A repository, and a stack that names an image which lies on this machine.
async fn gate(severity: Severity) -> Gate {
    let repository = json!({
        "Resources": {"Repository": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "shop/api"}}},
        "Outputs": {"RepositoryUri": {"Value": {"Fn::GetAtt": ["Repository", "RepositoryUri"]}}},
    });
    let runner = json!({
        "Parameters": {"ImageUri": {"Type": "String"}},
        "Resources": {"Runs": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "ImageUri"}}}},
    });
    let mut world = World::new(Backend::local_aws().await, vec![("repository", repository), ("api", runner)]).await;
    let project = TempDir::new().unwrap();
    let layout = Layout::new();
    let image = layout.image(&[layer(1, 5000)]);
    layout.name(&image);
    let context = Digest::of(b"context");
    let folder = builder::folder(project.path(), "api").join(context.hex());
    copy(layout.path(), &folder);
    world.project = project.path().to_owned();
    let made_from = MadeFrom { context_digest: Some(context.to_string()), ..MadeFrom::default() };
    let parameter = LocalImageUse {
        name: "api".to_owned(),
        repository: "repository".to_owned(),
        digest: Some(image.to_string()),
        made_from,
        size_bytes: None,
        platforms: Vec::new(),
        from: None,
    };
    world.stack("api").parameters.insert("ImageUri".to_owned(), Parameter::LocalImage(parameter));
    let timeout = Duration::from_secs(120);
    world.environment.apply.scan = Some(ScanGate { severity, timeout, ignore: BTreeSet::new() });
    Gate { world, _project: project }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

impl Gate {
    fn finds(&self, findings: &[(&str, &str)], unsupported: bool) {
        let findings = findings.iter().map(|(name, severity)| Finding {
            name: (*name).to_owned(),
            severity: (*severity).to_owned(),
            package: "openssl".to_owned(),
            version: "3.0.1".to_owned(),
            uri: format!("https://example.com/{name}"),
        });
        let result = ScanResult {
            repository: "shop/*".to_owned(),
            digest: "*".to_owned(),
            findings: findings.collect(),
            unsupported,
        };
        self.world.backend.world.as_ref().unwrap().faults(|plan| plan.scans = vec![result]);
    }
}

fn refusal(ran: &Ran) -> &RootCause {
    let [asset] = &ran.report.assets[..] else { panic!("{:#?}", ran.report) };
    match &asset.outcome {
        Outcome::Failed(cause) => cause,
        other => panic!("{other:?}"),
    }
}

fn scanned(ran: &Ran) -> Vec<(usize, usize)> {
    let kinds = ran.events.iter().map(|event| &event.kind);
    let scans = kinds.filter_map(|kind| match kind {
        EventKind::ImageScanned { findings, stopped_by, .. } => Some((findings.values().sum(), *stopped_by)),
        _ => None,
    });
    scans.collect()
}

#[tokio::test(start_paused = true)]
async fn grave_findings_stop_an_image_until_they_are_known() {
    let mut gate = gate(Severity::High).await;
    gate.finds(&[("CVE-2026-2", "HIGH"), ("CVE-2026-1", "CRITICAL"), ("CVE-2026-3", "MEDIUM")], false);
    let ran = gate.world.apply().await;
    let cause = refusal(&ran);
    assert_eq!(
        cause.message,
        "image `api` has 2 findings of severity high or above (`scan.severity`); nothing that runs it was touched"
    );
    assert_eq!(
        cause.details,
        [
            "CRITICAL  CVE-2026-1  openssl 3.0.1  https://example.com/CVE-2026-1",
            "HIGH      CVE-2026-2  openssl 3.0.1  https://example.com/CVE-2026-2",
        ]
    );
    assert!(cause.hints[1].contains("scan: {ignore: [CVE-2026-1]}"), "{:?}", cause.hints);
    assert_eq!(scanned(&ran), [(3, 2)]);
    let api = ran.report.stacks.iter().find(|stack| stack.stack == "api").unwrap();
    assert!(matches!(&api.outcome, Outcome::Skipped { .. }), "{api:?}");

    // It is in its repository now, and stopped all the same.
    assert!(refusal(&gate.world.apply().await).message.contains("2 findings"));
    if let Some(scan) = &mut gate.world.environment.apply.scan {
        scan.ignore = BTreeSet::from(["CVE-2026-1", "CVE-2026-2"].map(str::to_owned));
    }
    let ran = gate.world.apply().await;
    assert!(!ran.report.failed(), "{:#?}", ran.report);
    assert_eq!(scanned(&ran), [(3, 0)]);
}

#[tokio::test(start_paused = true)]
async fn what_ecr_cannot_scan_is_said_and_passes() {
    let gate = gate(Severity::Low).await;
    gate.finds(&[], true);
    let ran = gate.world.apply().await;
    assert!(!ran.report.failed(), "{:#?}", ran.report);
    let said = |kind: &EventKind| matches!(kind, EventKind::Note { message } if message.contains("ECR cannot scan it"));
    assert!(ran.events.iter().any(|event| said(&event.kind)), "{:#?}", ran.events);
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_does_not_end_stops_an_image() {
    let mut gate = gate(Severity::Low).await;
    if let Some(scan) = &mut gate.world.environment.apply.scan {
        scan.timeout = Duration::from_secs(10);
    }
    let ran = gate.world.apply().await;
    assert_eq!(refusal(&ran).message, "image `api` was not scanned within 10 s (`scan.timeout`)");
}
