//! CloudFormation's own drift detection: begun, watched, read to the last resource. It changes no resource.

use super::super::error::{Call, Explain};
use super::super::{Result, timestamp};
use super::CloudFormation;
use aws_sdk_cloudformation::types::{
    StackDriftDetectionStatus, StackResourceDrift, StackResourceDriftStatus as Status,
};
use jiff::Timestamp;
use serde_json::Value as Json;

/// How far a detection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftDetection {
    pub state: DriftDetectionState,
    /// When it was begun: what was found before is another detection's.
    pub began: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftDetectionState {
    Running,
    Complete,
    /// Some resources were looked at all the same. CloudFormation's words.
    Failed(String),
}

/// What CloudFormation found of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectedResource {
    pub logical_id: String,
    pub physical_id: Option<String>,
    pub resource_type: String,
    pub status: DetectedStatus,
    /// Why it was not looked at, where CloudFormation says so.
    pub reason: Option<String>,
    /// The properties that the template gives, evaluated; none where CloudFormation does not tell.
    pub expected: Option<Json>,
    /// The same properties as they are.
    pub actual: Option<Json>,
    pub differences: Vec<DetectedDifference>,
    pub checked_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetectedStatus {
    InSync,
    Modified,
    Deleted,
    NotChecked,
}

/// A property that is not as the template has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectedDifference {
    /// A JSON pointer: `/Environment/Variables/PORT`.
    pub path: String,
    /// Texts as they are, everything else as JSON; `null` where there is none.
    pub expected: String,
    pub actual: String,
}

impl CloudFormation {
    /// Begins to compare the resources of a stack with its template; returns the detection's id.
    pub async fn detect_drift(&self, stack: &str) -> Result<String> {
        let what = format!("look for drift in {}", self.the(stack));
        let call = || Call::new("cloudformation", "DetectStackDrift", what);
        let answer = self.client.detect_stack_drift().stack_name(stack).send().await.explain(call)?;
        Ok(answer.stack_drift_detection_id.unwrap_or_default())
    }

    /// How far a detection is.
    pub async fn drift_detection(&self, id: &str) -> Result<DriftDetection> {
        let call = || {
            Call::new("cloudformation", "DescribeStackDriftDetectionStatus", "ask how far the drift detection has come")
        };
        let request = self.client.describe_stack_drift_detection_status().stack_drift_detection_id(id);
        let answer = request.send().await.explain(call)?;
        let reason = answer.detection_status_reason;
        let state = match answer.detection_status {
            Some(StackDriftDetectionStatus::DetectionComplete) => DriftDetectionState::Complete,
            Some(StackDriftDetectionStatus::DetectionFailed) => DriftDetectionState::Failed(reason.unwrap_or_default()),
            _ => DriftDetectionState::Running,
        };
        Ok(DriftDetection { state, began: answer.timestamp.as_ref().map(timestamp).unwrap_or_default() })
    }

    /// What the last detections found, of every resource that was looked at.
    pub async fn detected_resources(&self, stack: &str) -> Result<Vec<DetectedResource>> {
        let what = format!("read what drift was found in {}", self.the(stack));
        let call = || Call::new("cloudformation", "DescribeStackResourceDrifts", what.clone());
        let mut pages = self.client.describe_stack_resource_drifts().stack_name(stack).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.explain(call)?.stack_resource_drifts.unwrap_or_default().into_iter().map(plain));
        }
        Ok(found)
    }
}

fn plain(drift: StackResourceDrift) -> DetectedResource {
    let document = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let differences = drift.property_differences.unwrap_or_default();
    DetectedResource {
        logical_id: drift.logical_resource_id.unwrap_or_default(),
        physical_id: drift.physical_resource_id.filter(|id| !id.is_empty()),
        resource_type: drift.resource_type.unwrap_or_default(),
        status: match drift.stack_resource_drift_status {
            Some(Status::InSync) => DetectedStatus::InSync,
            Some(Status::Modified) => DetectedStatus::Modified,
            Some(Status::Deleted) => DetectedStatus::Deleted,
            _ => DetectedStatus::NotChecked,
        },
        reason: drift.drift_status_reason.filter(|reason| !reason.is_empty()),
        expected: document(drift.expected_properties),
        actual: document(drift.actual_properties),
        differences: differences
            .into_iter()
            .map(|difference| DetectedDifference {
                path: difference.property_path.unwrap_or_default(),
                expected: difference.expected_value.unwrap_or_default(),
                actual: difference.actual_value.unwrap_or_default(),
            })
            .collect(),
        checked_at: drift.timestamp.as_ref().map(timestamp).unwrap_or_default(),
    }
}
