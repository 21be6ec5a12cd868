//! Web ACLs rule by rule: what no longer blocks.

use super::json::{at, list, number, text};
use super::pair::Pair;
use super::risk::Context;
use serde_json::Value as Json;

pub(super) fn check(pair: &Pair, context: &mut Context) {
    if pair.is_new() || !(pair.is("AWS::WAFv2::WebACL") || pair.is("AWS::WAFv2::RuleGroup")) {
        return;
    }
    let action = |side: &Json| first_key(at(side, &["DefaultAction"]));
    if action(&pair.before).as_deref() == Some("Block") && action(&pair.after).as_deref() == Some("Allow") {
        context.say(
            pair,
            "firewall-lost",
            "DefaultAction",
            "lets pass what no rule matches: DefaultAction Block → Allow",
        );
    }
    let after = list(at(&pair.after, &["Rules"]));
    for rule in list(at(&pair.before, &["Rules"])) {
        let Some(name) = text(&rule["Name"]) else { continue };
        let path = format!("Rules[{name}]");
        match after.iter().find(|new| new["Name"] == rule["Name"]) {
            None => context.say(pair, "firewall-lost", &path, format!("rule {name} is removed")),
            Some(new) => weakened(pair, &name, &path, &rule, new, context),
        }
    }
}

fn weakened(pair: &Pair, name: &str, path: &str, old: &Json, new: &Json, context: &mut Context) {
    let action = |rule: &Json| first_key(&rule["Action"]);
    if let (Some(before), Some(after)) = (action(old), action(new))
        && matches!(before.as_str(), "Block" | "Captcha" | "Challenge")
        && matches!(after.as_str(), "Count" | "Allow")
    {
        context.say(
            pair,
            "firewall-lost",
            &format!("{path}.Action"),
            format!("rule {name} no longer stops anything: {before} → {after}"),
        );
    }
    if first_key(&old["OverrideAction"]).as_deref() != Some("Count")
        && first_key(&new["OverrideAction"]).as_deref() == Some("Count")
    {
        let message = format!("the rules of {name} only count: OverrideAction Count");
        context.say(pair, "firewall-lost", &format!("{path}.OverrideAction"), message);
    }
    let managed = ["Statement", "ManagedRuleGroupStatement"];
    let counting = |rule: &Json| -> Vec<String> {
        let overrides = list(at(rule, &[managed[0], managed[1], "RuleActionOverrides"]));
        let counts =
            overrides.iter().filter(|one| matches!(first_key(&one["ActionToUse"]).as_deref(), Some("Count" | "Allow")));
        let excluded = list(at(rule, &[managed[0], managed[1], "ExcludedRules"]));
        counts.chain(&excluded).filter_map(|one| text(&one["Name"])).collect()
    };
    let before = counting(old);
    for rule in counting(new).into_iter().filter(|rule| !before.contains(rule)) {
        context.say(pair, "firewall-lost", &format!("{path}.Statement"), format!("rule {rule} of {name} only counts"));
    }
    for (kind, key) in [("RateBasedStatement", "Limit"), ("RateBasedStatement", "EvaluationWindowSec")] {
        let value = |rule: &Json| number(at(rule, &["Statement", kind, key]));
        let looser = match (value(old), value(new)) {
            (Some(old), Some(new)) if key == "Limit" => new > old,
            (Some(old), Some(new)) => new < old,
            _ => false,
        };
        if looser {
            let (old, new) = (value(old).unwrap_or_default(), value(new).unwrap_or_default());
            let message = format!("rule {name} lets more requests of one address pass: {key} {old} → {new}");
            context.say(pair, "firewall-lost", &format!("{path}.Statement.{kind}.{key}"), message);
        }
    }
    for kind in ["RateBasedStatement", "ManagedRuleGroupStatement"] {
        let scope = |rule: &Json| at(rule, &["Statement", kind, "ScopeDownStatement"]).clone();
        if scope(old) != scope(new) && !scope(new).is_null() {
            let message = format!("rule {name} looks at fewer requests: its ScopeDownStatement changes");
            context.say(pair, "firewall-lost", &format!("{path}.Statement.{kind}.ScopeDownStatement"), message);
        }
    }
}

/// `Block` of `{"Block": {}}`.
fn first_key(json: &Json) -> Option<String> {
    json.as_object()?.keys().next().cloned()
}
