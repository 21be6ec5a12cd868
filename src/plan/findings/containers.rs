//! What no single setting tells: secrets that become plain, tasks that may be stopped, thresholds of alarms.

use super::json::{at, list, number, text};
use super::pair::Pair;
use super::risk::Context;
use serde_json::Value as Json;

pub(super) fn check(pair: &Pair, context: &mut Context) {
    match pair.change.resource_type.as_str() {
        "AWS::ECS::TaskDefinition" => secrets(pair, context),
        "AWS::ECS::Service" => spot(pair, context),
        "AWS::CloudWatch::Alarm" => threshold(pair, context),
        _ => {}
    }
}

/// A value that the container took from a secret stands in the task definition.
fn secrets(pair: &Pair, context: &mut Context) {
    let containers = |side: &Json| list(at(side, &["ContainerDefinitions"]));
    let names = |container: &Json, key: &str| -> Vec<String> {
        list(&container[key]).iter().filter_map(|one| text(&one["Name"])).collect()
    };
    let after = containers(&pair.after);
    for old in containers(&pair.before) {
        let Some(new) = after.iter().find(|new| new["Name"] == old["Name"]) else { continue };
        let plain = names(new, "Environment");
        for name in names(&old, "Secrets").into_iter().filter(|name| plain.contains(name)) {
            let path = format!("ContainerDefinitions[{}].Environment[{name}]", text(&old["Name"]).unwrap_or_default());
            let message =
                format!("{name} came from a secret, and now stands in the task definition for all who may read it");
            context.say(pair, "secret-exposed", &path, message);
        }
    }
}

/// Capacity that AWS takes back at two minutes' notice.
fn spot(pair: &Pair, context: &mut Context) {
    let all_spot = |side: &Json| {
        let strategy = list(at(side, &["CapacityProviderStrategy"]));
        !strategy.is_empty()
            && strategy.iter().all(|one| text(&one["CapacityProvider"]).is_some_and(|name| name.contains("SPOT")))
    };
    if !pair.is_new() && all_spot(&pair.after) && !all_spot(&pair.before) {
        let message = "runs on Spot alone: all tasks may be stopped at two minutes' notice";
        context.say(pair, "redundancy-lowered", "CapacityProviderStrategy", message);
    }
}

/// Whether a new threshold is further away depends on the comparison.
fn threshold(pair: &Pair, context: &mut Context) {
    let (old, new) = (number(at(&pair.before, &["Threshold"])), number(at(&pair.after, &["Threshold"])));
    let above = |side: &Json| text(at(side, &["ComparisonOperator"])).is_some_and(|name| name.starts_with("Greater"));
    if let (Some(old), Some(new)) = (old, new)
        && !pair.is_new()
        && ((above(&pair.after) && new > old) || (!above(&pair.after) && new < old))
    {
        context.say(pair, "alarm-weakened", "Threshold", format!("it rises later: Threshold {old} → {new}"));
    }
}
