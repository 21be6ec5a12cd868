//! What ECR's scans find in images.

use super::super::error::{Call, Explain, failure};
use super::{Ecr, Result};
use crate::model::Severity;
use aws_sdk_ecr::operation::describe_image_scan_findings::DescribeImageScanFindingsOutput;
use aws_sdk_ecr::types::{EnhancedImageScanFinding, ImageIdentifier, ImageScanFinding, ScanStatus};
use serde_json::Value as Json;

/// How far the scan of an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// It was never scanned.
    None,
    InProgress,
    Complete(Vec<ScanFinding>),
    /// ECR's words.
    Failed(String),
    /// ECR cannot scan such images; its words.
    Unsupported(String),
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanFinding {
    /// `CVE-2026-1234`.
    pub name: String,
    pub severity: Severity,
    /// Name and version, where ECR tells them.
    pub package: Option<String>,
    pub uri: Option<String>,
}

impl Ecr {
    /// What the scan of an image has found, as far as it is.
    pub async fn scan(&self, repository: &str, digest: &str) -> Result<Scan> {
        let what = format!("read the scan of {digest} in repository `{repository}`");
        let call = || Call::new("ecr", "DescribeImageScanFindings", &what);
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let request = self.client.describe_image_scan_findings().repository_name(repository).image_id(id);
        let mut pages = request.into_paginator().send();
        let mut findings = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page.explain(call) {
                Err(error) if has_code(&error, &["ScanNotFoundException"]) => return Ok(Scan::None),
                page => page?,
            };
            match ended(&page) {
                None => findings.extend(found(page)),
                Some(unfinished) => return Ok(unfinished),
            }
        }
        Ok(Scan::Complete(findings))
    }

    /// Asks for a scan. One that has begun already, or that ECR begins by itself, is as good.
    pub async fn start_scan(&self, repository: &str, digest: &str) -> Result<()> {
        let what = format!("begin a scan of {digest} in repository `{repository}`");
        let call = || Call::new("ecr", "StartImageScan", &what);
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let request = self.client.start_image_scan().repository_name(repository).image_id(id);
        match request.send().await.explain(call) {
            // An image is scanned once a day at most, and with enhanced scanning nobody may ask.
            Err(error) if has_code(&error, &["LimitExceededException", "ValidationException"]) => Ok(()),
            Err(error) if has_code(&error, &["UnsupportedImageTypeException"]) => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// The images in a list of images, but for those that are none (attestations); an image alone is the only one.
    pub async fn images_in(&self, repository: &str, digest: &str) -> Result<Vec<String>> {
        let manifest = self.manifest(repository, digest).await?.unwrap_or_default();
        let manifest: Json = serde_json::from_str(&manifest).unwrap_or_default();
        let images = manifest["manifests"].as_array().into_iter().flatten();
        let images = images.filter(|image| image["platform"]["os"] != "unknown");
        let images: Vec<String> = images.filter_map(|image| image["digest"].as_str()).map(str::to_owned).collect();
        Ok(if images.is_empty() { vec![digest.to_owned()] } else { images })
    }
}

/// What there is to say of a scan that has no findings to show; none if it has.
fn ended(page: &DescribeImageScanFindingsOutput) -> Option<Scan> {
    let status = page.image_scan_status.as_ref()?;
    let why = status.description.clone().unwrap_or_else(|| "no reason given".to_owned());
    match status.status.as_ref()? {
        // With enhanced scanning an image is scanned again and again.
        ScanStatus::Complete | ScanStatus::Active => None,
        ScanStatus::InProgress | ScanStatus::Pending => Some(Scan::InProgress),
        ScanStatus::UnsupportedImage => Some(Scan::Unsupported(why)),
        // Basic scanning has no status of its own for it.
        ScanStatus::Failed if why.starts_with("UnsupportedImageError") => Some(Scan::Unsupported(why)),
        other => Some(Scan::Failed(format!("{}: {why}", other.as_str()))),
    }
}

fn found(page: DescribeImageScanFindingsOutput) -> Vec<ScanFinding> {
    let Some(findings) = page.image_scan_findings else { return Vec::new() };
    let basic = findings.findings.unwrap_or_default().into_iter().map(basic);
    basic.chain(findings.enhanced_findings.unwrap_or_default().into_iter().map(enhanced)).collect()
}

fn basic(finding: ImageScanFinding) -> ScanFinding {
    let attributes = finding.attributes.unwrap_or_default();
    let attribute = |key: &str| attributes.iter().find(|one| one.key == key).and_then(|one| one.value.clone());
    ScanFinding {
        name: finding.name.unwrap_or_default(),
        severity: severity(finding.severity.as_ref().map(|severity| severity.as_str())),
        package: package(attribute("package_name"), attribute("package_version")),
        uri: finding.uri,
    }
}

fn enhanced(finding: EnhancedImageScanFinding) -> ScanFinding {
    let details = finding.package_vulnerability_details;
    let first = details.as_ref().and_then(|details| details.vulnerable_packages.as_ref()?.first()).cloned();
    let (name, version) = first.map(|package| (package.name, package.version)).unwrap_or_default();
    let id = details.as_ref().and_then(|details| details.vulnerability_id.clone());
    ScanFinding {
        name: id.or(finding.title).unwrap_or_default(),
        severity: severity(finding.severity.as_deref()),
        package: package(name, version),
        uri: details.and_then(|details| details.source_url),
    }
}

fn package(name: Option<String>, version: Option<String>) -> Option<String> {
    let parts: Vec<String> = name.into_iter().chain(version).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// What ECR has no name for is not judged yet.
fn severity(text: Option<&str>) -> Severity {
    text.and_then(|text| text.to_lowercase().parse().ok()).unwrap_or(Severity::Undefined)
}

fn has_code(error: &crate::error::Error, codes: &[&str]) -> bool {
    failure(error).is_some_and(|failure| codes.contains(&failure.code.as_str()))
}
