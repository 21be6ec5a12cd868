//! Scans of images. Nothing is looked into: what a scan finds is what the fault plan says, after the time that a scan
//! takes.

use super::images::Repository;
use crate::faults::ScanResult;
use crate::place::Place;
use crate::services::Services;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Basic scans of small images take half a minute or so.
const TAKES: Duration = Duration::from_secs(30);

type Error = (&'static str, String);

/// Begins a scan.
pub(super) fn start(services: &Services, place: &Place, name: &str, input: &Json) -> Result<Json, Error> {
    let (digest, media_type) = image(services, place, name, input)?;
    if is_index(&media_type) {
        let message = format!("The image with digest '{digest}' cannot be scanned: it is a list of images.");
        return Err(("UnsupportedImageTypeException", message));
    }
    let now = services.clock.now();
    let begun = services.registry.edit(&services.store, place, name, |repository| {
        repository.scans.insert(digest.clone(), now);
        Ok(())
    });
    begun.map_err(|_| ("ServerException", "The scan could not be kept.".to_owned()))?;
    Ok(json!({
        "registryId": place.account,
        "repositoryName": name,
        "imageId": { "imageDigest": digest },
        "imageScanStatus": { "status": "IN_PROGRESS" },
    }))
}

/// What a scan has found. `on_push`: images are scanned when they are pushed.
pub(super) fn findings(
    services: &Services,
    place: &Place,
    name: &str,
    input: &Json,
    on_push: bool,
) -> Result<Json, Error> {
    let (digest, media_type) = image(services, place, name, input)?;
    let pushed = |repository: &Repository| repository.images.get(&digest).map(|image| image.pushed);
    let begun = services.registry.look(place, name, |repository| {
        let asked = repository.scans.get(&digest).copied();
        asked.or_else(|| pushed(repository).filter(|_| on_push && !is_index(&media_type)))
    });
    let Some(begun) = begun else {
        let message = format!("Image scan does not exist for the image with '{{imageDigest:'{digest}'}}'");
        return Err(("ScanNotFoundException", message));
    };
    let result = services.faults.scan(name, &digest).unwrap_or_default();
    let due = later(begun, services.clock.scaled(TAKES));
    let mut answer = json!({
        "registryId": place.account,
        "repositoryName": name,
        "imageId": { "imageDigest": digest },
        "imageScanStatus": status(&result, services.clock.now() >= due),
    });
    if answer["imageScanStatus"]["status"] == "COMPLETE" {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in &result.findings {
            *counts.entry(&finding.severity).or_default() += 1;
        }
        let found = result.findings.iter().map(|finding| {
            json!({
                "name": finding.name,
                "severity": finding.severity,
                "uri": finding.uri,
                "attributes": [
                    { "key": "package_name", "value": finding.package },
                    { "key": "package_version", "value": finding.version },
                ],
            })
        });
        answer["imageScanFindings"] = json!({
            "imageScanCompletedAt": due.as_second(),
            "vulnerabilitySourceUpdatedAt": begun.as_second(),
            "findings": found.collect::<Json>(),
            "findingSeverityCounts": counts,
        });
    }
    Ok(answer)
}

fn status(result: &ScanResult, over: bool) -> Json {
    match (over, result.unsupported) {
        (false, _) => json!({ "status": "IN_PROGRESS" }),
        (true, false) => json!({ "status": "COMPLETE", "description": "The scan was completed successfully." }),
        (true, true) => json!({
            "status": "FAILED",
            "description": "UnsupportedImageError: The operating system and/or package manager are not supported.",
        }),
    }
}

/// The digest and media type of the image that a request names.
fn image(services: &Services, place: &Place, name: &str, input: &Json) -> Result<(String, String), Error> {
    let found = services.registry.look(place, name, |repository| {
        let digest = super::ecr::find(repository, &input["imageId"])?.to_owned();
        let media_type = repository.images.get(&digest)?.media_type.clone();
        Some((digest, media_type))
    });
    found.ok_or_else(|| {
        let message = format!(
            "The image with imageId {} does not exist within the repository with name '{name}'",
            input["imageId"]
        );
        ("ImageNotFoundException", message)
    })
}

fn is_index(media_type: &str) -> bool {
    media_type.contains("index") || media_type.contains("manifest.list")
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
