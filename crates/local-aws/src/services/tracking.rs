//! The alarms that target tracking makes: Application Auto Scaling and EC2 Auto Scaling watch their metric with one above
//! the target and one below it. (Application Auto Scaling user guide, "Target tracking scaling policies"; names are
//! `TargetTracking-<what is scaled>-AlarmHigh-<uuid>`.) Nothing is measured here, and nobody has set them.

use crate::place::Place;
use crate::resources::{Live, State};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// All alarms of target tracking in a place, as CloudWatch describes them.
pub(super) fn alarms(state: &State, place: &Place) -> Vec<Json> {
    let by_target = state.of_type(place, "AWS::ApplicationAutoScaling::ScalingPolicy").filter_map(|live| {
        let target = live.properties.get("ScalingTargetId").or(live.properties.get("ResourceId"))?.as_str()?;
        let scaled = target.split('|').next()?.to_owned();
        Some((live, scaled, "TargetTrackingScalingPolicyConfiguration"))
    });
    let of_groups = state.of_type(place, "AWS::AutoScaling::ScalingPolicy").filter_map(|live| {
        let group = live.properties.get("AutoScalingGroupName")?.as_str()?.to_owned();
        Some((live, group, "TargetTrackingConfiguration"))
    });
    let all = by_target.chain(of_groups);
    all.flat_map(|(live, scaled, member)| of_policy(live, place, &scaled, member)).collect()
}

fn of_policy(live: &Live, place: &Place, scaled: &str, member: &str) -> Vec<Json> {
    let Some(configuration) = live.properties.get(member) else { return Vec::new() };
    let target = match &configuration["TargetValue"] {
        Json::String(text) => text.parse().unwrap_or_default(),
        other => other.as_f64().unwrap_or_default(),
    };
    let policy = live.properties.get("Arn").and_then(Json::as_str).unwrap_or(&live.physical_id);
    let metric = metric(configuration, scaled);
    let alarm = |side: &str, operator: &str, threshold: f64, periods: u32| {
        let name = format!("TargetTracking-{scaled}-{side}-{}", uuid(&format!("{policy}{side}")));
        let mut shown = json!({
            "AlarmName": name,
            "AlarmArn": place.arn("cloudwatch", &format!("alarm:{name}")),
            "AlarmDescription": format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy}."),
            "ActionsEnabled": true,
            "AlarmActions": [policy],
            "OKActions": [],
            "InsufficientDataActions": [],
            "ComparisonOperator": operator,
            "Threshold": threshold,
            "Period": 60,
            "EvaluationPeriods": periods,
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "Unchecked: Initial alarm creation",
        });
        for (member, value) in metric.as_object().into_iter().flatten() {
            shown[member] = value.clone();
        }
        shown
    };
    let mut alarms = vec![alarm("AlarmHigh", "GreaterThanThreshold", target, 3)];
    if configuration["DisableScaleIn"] != true && configuration["DisableScaleIn"] != "true" {
        alarms.push(alarm("AlarmLow", "LessThanThreshold", target * 0.9, 15));
    }
    alarms
}

/// Name, namespace, statistic and dimensions of what is watched.
fn metric(configuration: &Json, scaled: &str) -> Json {
    if let Some(own) = configuration.get("CustomizedMetricSpecification") {
        return json!({
            "MetricName": own["MetricName"],
            "Namespace": own["Namespace"],
            "Statistic": own["Statistic"],
            "Dimensions": own.get("Dimensions").cloned().unwrap_or_else(|| json!([])),
        });
    }
    let specification = &configuration["PredefinedMetricSpecification"];
    let kind = specification["PredefinedMetricType"].as_str().unwrap_or_default();
    let named = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    let mut parts = scaled.split('/').skip(1);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (namespace, name, statistic, dimensions) = match kind {
        "ECSServiceAverageCPUUtilization" | "ECSServiceAverageMemoryUtilization" => {
            let name = if kind.contains("CPU") { "CPUUtilization" } else { "MemoryUtilization" };
            ("AWS/ECS", name, "Average", vec![named("ClusterName", first), named("ServiceName", second)])
        }
        "ALBRequestCountPerTarget" => {
            // `app/<balancer>/<id>/targetgroup/<group>/<id>`.
            let label = specification["ResourceLabel"].as_str().unwrap_or_default();
            let (balancer, group) = label.split_once("/targetgroup/").unwrap_or((label, ""));
            let group = format!("targetgroup/{group}");
            let dimensions = vec![named("TargetGroup", &group), named("LoadBalancer", balancer)];
            ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum", dimensions)
        }
        "DynamoDBReadCapacityUtilization" => {
            ("AWS/DynamoDB", "ConsumedReadCapacityUnits", "Sum", vec![named("TableName", first)])
        }
        "DynamoDBWriteCapacityUtilization" => {
            ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "Sum", vec![named("TableName", first)])
        }
        "ASGAverageCPUUtilization" => {
            ("AWS/EC2", "CPUUtilization", "Average", vec![named("AutoScalingGroupName", scaled)])
        }
        "ASGAverageNetworkIn" => ("AWS/EC2", "NetworkIn", "Average", vec![named("AutoScalingGroupName", scaled)]),
        "ASGAverageNetworkOut" => ("AWS/EC2", "NetworkOut", "Average", vec![named("AutoScalingGroupName", scaled)]),
        other => ("AWS/ApplicationAutoScaling", other, "Average", Vec::new()),
    };
    json!({ "MetricName": name, "Namespace": namespace, "Statistic": statistic, "Dimensions": dimensions })
}

/// The same for the same text, so that an alarm keeps its name.
fn uuid(text: &str) -> String {
    let digits: String = Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| digits[from..to].to_owned();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
