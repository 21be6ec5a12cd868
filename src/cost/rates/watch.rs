//! Logs, alarms, dashboards, topics and queues.

use super::{Bill, count};
use rust_decimal::Decimal;

/// CloudWatch stores logs compressed and bills what that leaves: AWS's examples count 15 percent.
const COMPRESSED_PERCENT: i64 = 15;

/// Logs of a group that are kept for ever are counted as if for so long.
const FOREVER_DAYS: u32 = 365;

pub(super) fn write(bill: &mut Bill) -> bool {
    match bill.resource.resource_type.as_str() {
        "AWS::Logs::LogGroup" => log_group(bill),
        "AWS::CloudWatch::Alarm" => alarm(bill),
        "AWS::CloudWatch::CompositeAlarm" => bill.unknown("composite alarm", "it is not estimated"),
        "AWS::CloudWatch::Dashboard" => bill.item("dashboard", Decimal::ONE, "dashboard-month"),
        "AWS::SNS::Topic" => bill.used("publications", "topic_requests", "sns-million-requests"),
        "AWS::SQS::Queue" if bill.resource.is("/FifoQueue") => {
            bill.used("requests", "queue_requests", "sqs-fifo-million-requests");
        }
        "AWS::SQS::Queue" => bill.used("requests", "queue_requests", "sqs-million-requests"),
        _ => return false,
    }
    true
}

/// What is written in a month, and what of all months is still there.
fn log_group(bill: &mut Bill) {
    if bill.resource.text("/LogGroupClass").is_some_and(|class| class != "STANDARD") {
        bill.unknown("logs", "only log groups of the class STANDARD are estimated");
        return;
    }
    let days = match bill.resource.at("/RetentionInDays") {
        None => Some(Decimal::from(FOREVER_DAYS)),
        Some(_) => bill.number("/RetentionInDays"),
    };
    bill.used("written", "log_gb", "log-ingest-gb");
    match (bill.figure("log_gb"), days) {
        (Some(written), Some(days)) => {
            let months = days * Decimal::from(12) / Decimal::from(365);
            let stored = (written * Decimal::new(COMPRESSED_PERCENT, 2) * months).round_dp(3);
            bill.item(format!("kept {days} days, compressed"), stored, "log-gb-month");
        }
        _ => bill.unknown("stored", "how long logs are kept is known after apply"),
    }
}

/// By the metrics that it looks at, and by how often.
fn alarm(bill: &mut Bill) {
    let metrics = bill.resource.list("/Metrics");
    let stated = metrics.iter().filter(|metric| metric.get("MetricStat").is_some()).count();
    let searches = metrics.iter().any(|metric| {
        let expression = metric.get("Expression").and_then(serde_json::Value::as_str).unwrap_or_default();
        expression.contains("ANOMALY_DETECTION_BAND") || expression.contains("SELECT")
    });
    if searches {
        bill.unknown("alarm", "alarms on anomalies and queries are not estimated");
        return;
    }
    let fast = bill.number("/Period").is_some_and(|seconds| seconds < Decimal::from(60));
    let key = if fast { "alarm-high-resolution-month" } else { "alarm-month" };
    let many = if metrics.is_empty() { 1 } else { stated };
    bill.item("metrics watched", count(many), key);
}
