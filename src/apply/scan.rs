//! The scan gate: an image that was just pushed is scanned by ECR before anything that names it is touched, and what the
//! scan finds at or above the environment's severity stops it.

use super::context::Run;
use super::event::{EventKind, send};
use super::outcome::RootCause;
use super::stop::{Result, Stop};
use crate::aws::{Ecr, Scan, ScanFinding};
use crate::model::{ScanGate, Target};
use crate::quantity;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often ECR is asked.
const LOOK: Duration = Duration::from_secs(5);
/// However fast the time of an embedded AWS passes.
const SHORTEST: Duration = Duration::from_millis(10);
/// Findings that are listed one by one.
const LISTED: usize = 12;

/// An image in its repository.
pub(super) struct Scanned<'s> {
    /// As the environment names it.
    pub image: &'s str,
    pub repository: &'s str,
    pub digest: &'s str,
    pub target: &'s Target,
}

/// Waits for the scan of an image, and lets it pass or not; without a gate everything passes.
///
/// # Errors
/// Findings that the environment does not bear, a scan that failed or did not end.
pub(super) async fn pass(run: &Run<'_>, ecr: &Ecr, scanned: &Scanned<'_>) -> Result<()> {
    let Some(gate) = &run.context.settings.scan else { return Ok(()) };
    let mut findings = Vec::new();
    // ECR scans no lists: what is in them is scanned one by one.
    for digest in ecr.images_in(scanned.repository, scanned.digest).await? {
        match wait(run, ecr, gate, scanned, &digest).await? {
            Some(found) => findings.extend(found),
            None => return Ok(()),
        }
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for finding in &findings {
        *counts.entry(finding.severity.to_string()).or_default() += 1;
    }
    let stops = findings.into_iter().filter(|finding| finding.severity >= gate.severity);
    let mut stops: Vec<ScanFinding> = stops.filter(|finding| !gate.ignore.contains(&finding.name)).collect();
    stops.sort_by(|one, other| (other.severity, &one.name).cmp(&(one.severity, &other.name)));
    stops.dedup_by(|one, other| (&one.name, &one.package) == (&other.name, &other.package));
    let event = EventKind::ImageScanned {
        image: scanned.image.to_owned(),
        digest: scanned.digest.to_owned(),
        findings: counts,
        stopped_by: stops.len(),
    };
    send(run.context.events, None, event);
    if stops.is_empty() { Ok(()) } else { Err(refused(run, gate, scanned, &stops)) }
}

/// The findings of one image; none if ECR cannot scan such images, which is said.
async fn wait(
    run: &Run<'_>,
    ecr: &Ecr,
    gate: &ScanGate,
    scanned: &Scanned<'_>,
    digest: &str,
) -> Result<Option<Vec<ScanFinding>>> {
    let (began, speed) = (Instant::now(), run.context.settings.speed);
    let mut asked = false;
    loop {
        match ecr.scan(scanned.repository, digest).await? {
            Scan::Complete(findings) => return Ok(Some(findings)),
            Scan::Unsupported(why) => {
                let message = format!("image {}: ECR cannot scan it, so nothing is known of it: {why}", scanned.image);
                send(run.context.events, None, EventKind::Note { message });
                return Ok(None);
            }
            Scan::Failed(why) => {
                return Err(failed(run, scanned, format!("the scan of image `{}` failed: {why}", scanned.image)));
            }
            Scan::None if !asked => {
                asked = true;
                ecr.start_scan(scanned.repository, digest).await?;
            }
            Scan::None | Scan::InProgress => {}
        }
        if began.elapsed().mul_f64(speed) >= gate.timeout {
            let allowed = quantity::in_words(gate.timeout);
            let message = format!("image `{}` was not scanned within {allowed} (`scan.timeout`)", scanned.image);
            return Err(failed(run, scanned, message));
        }
        sleep(LOOK.div_f64(speed).max(SHORTEST)).await;
    }
}

fn failed(run: &Run<'_>, scanned: &Scanned<'_>, message: String) -> Stop {
    Stop::failed(message, [see(scanned), format!("then: infra apply --env {}", run.plan.environment)])
}

fn refused(run: &Run<'_>, gate: &ScanGate, scanned: &Scanned<'_>, stops: &[ScanFinding]) -> Stop {
    let count = match stops.len() {
        1 => "1 finding".to_owned(),
        more => format!("{more} findings"),
    };
    let mut details: Vec<String> = stops.iter().take(LISTED).map(told).collect();
    if stops.len() > LISTED {
        details.push(format!("and {} more", stops.len() - LISTED));
    }
    let example = stops.first().map(|finding| finding.name.as_str()).unwrap_or_default();
    Stop::Failed(Box::new(RootCause {
        message: format!(
            "image `{}` has {count} of severity {} or above (`scan.severity`); nothing that runs it was touched",
            scanned.image, gate.severity
        ),
        details,
        hints: vec![
            format!("update its packages or its base image, then: infra apply --env {}", run.plan.environment),
            format!("or, knowing better, in the environment: scan: {{ignore: [{example}]}}"),
            see(scanned),
        ],
        ..RootCause::default()
    }))
}

/// `CRITICAL  CVE-2026-1  openssl 3.0.1  https://…`.
fn told(finding: &ScanFinding) -> String {
    let severity = finding.severity.to_string().to_uppercase();
    let parts = [Some(&finding.name), finding.package.as_ref(), finding.uri.as_ref()];
    let rest: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    format!("{severity:<8}  {}", rest.join("  "))
}

fn see(scanned: &Scanned<'_>) -> String {
    format!(
        "all findings: aws ecr describe-image-scan-findings --repository-name {} --image-id imageDigest={} --region {}",
        scanned.repository, scanned.digest, scanned.target.region
    )
}
