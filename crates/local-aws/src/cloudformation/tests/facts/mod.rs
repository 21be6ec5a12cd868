//! What AWS was recorded to answer, fact by fact. The facts were read off snapshots that the tests of localstack
//! (github.com/localstack/localstack, Apache-2.0, `tests/aws/services/cloudformation`) recorded from AWS between 2022 and
//! 2026; `tests/conformance.rs` replays recordings themselves where they are at hand.

mod added;
mod change_sets;
mod drift;
mod events;
mod identifiers;
mod modified;
mod refusals;
mod removed;
mod stacks;
mod unchanged;

use super::*;
use std::collections::BTreeSet;

/// What stands for a value that only the deployment makes.
const LATER: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// The names of the members that an answer has, sorted. Those that are null are not sent.
fn members(json: &Json) -> Vec<&str> {
    let mut names: Vec<&str> = json
        .as_object()
        .unwrap_or_else(|| panic!("no structure: {json}"))
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    names
}

/// A change set without and with the values of properties.
struct Described {
    plain: Json,
    valued: Json,
}

impl Described {
    /// The changes by logical id, each as `Action LogicalId`.
    fn actions(json: &Json) -> BTreeSet<String> {
        let changes = json["Changes"].as_array().expect("changes").iter();
        let line = |change: &Json| {
            let change = &change["ResourceChange"];
            let text = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("Action"), text("LogicalResourceId"))
        };
        changes.map(line).collect()
    }

    /// The change of a resource with the values of its properties.
    fn change(&self, id: &str) -> &Json {
        change(&self.valued, id)
    }
}

fn change<'j>(described: &'j Json, id: &str) -> &'j Json {
    let changes = described["Changes"].as_array().expect("changes");
    let found = changes.iter().map(|change| &change["ResourceChange"]).find(|one| one["LogicalResourceId"] == id);
    found.unwrap_or_else(|| panic!("no change of {id}: {described:#}"))
}

/// `BeforeContext` or `AfterContext`, which are JSON in a string.
fn context(change: &Json, which: &str) -> Json {
    serde_json::from_str(change[which].as_str().unwrap_or_else(|| panic!("{which} of {change}"))).expect("JSON")
}

/// `Name ChangeSource/Evaluation cause` of every detail of a change. Their order means nothing.
fn details(change: &Json) -> BTreeSet<String> {
    let line = |detail: &Json| {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let target = &detail["Target"];
        let name = if target["Name"].is_null() { text(&target["Attribute"]) } else { text(&target["Name"]) };
        let line = format!("{name} {}/{}", text(&detail["ChangeSource"]), text(&detail["Evaluation"]));
        format!("{line} {}", text(&detail["CausingEntity"])).trim_end().to_owned()
    };
    change["Details"].as_array().expect("details").iter().map(line).collect()
}

fn set<const N: usize>(lines: [&str; N]) -> BTreeSet<String> {
    lines.map(str::to_owned).into()
}

/// `{ParameterKey, ParameterValue}` of every pair.
fn given(pairs: &[(&str, &str)]) -> Json {
    pairs.iter().map(|(key, value)| json!({"ParameterKey": key, "ParameterValue": value})).collect()
}

impl Cloud {
    /// Makes a change set and describes it both ways.
    async fn described(&self, input: Json) -> Described {
        let (_, _, valued) = self.change_set(input).await;
        let plain = self.ok("DescribeChangeSet", json!({"ChangeSetName": valued["ChangeSetId"]})).await;
        Described { plain, valued }
    }

    /// A change set that would create the stack `s`.
    async fn creating(&self, template: &str) -> Described {
        let input =
            json!({"StackName": "s", "ChangeSetName": "create", "ChangeSetType": "CREATE", "TemplateBody": template});
        self.described(input).await
    }

    /// A change set that would update the stack `s`.
    async fn updating(&self, template: &str) -> Described {
        self.described(json!({"StackName": "s", "ChangeSetName": "update", "TemplateBody": template})).await
    }

    /// Creates the stack `s` from one template, and makes a change set that would update it to another.
    async fn changing(before: &str, after: &str) -> (Cloud, Described) {
        let cloud = Cloud::new().await;
        assert_eq!(cloud.deploy("CreateStack", "s", before).await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
        let described = cloud.updating(after).await;
        (cloud, described)
    }

    /// The same, where only parameters change.
    async fn reparametrised(template: &str, before: &[(&str, &str)], after: &[(&str, &str)]) -> (Cloud, Described) {
        let cloud = Cloud::new().await;
        cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": template, "Parameters": given(before)})).await;
        assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
        let input = json!({"StackName": "s", "ChangeSetName": "update", "TemplateBody": template,
            "Parameters": given(after)});
        let described = cloud.described(input).await;
        (cloud, described)
    }

    /// Executes a change set of the stack `s` and waits; the stack's status.
    async fn execute(&self, change_set: &str) -> String {
        self.ok("ExecuteChangeSet", json!({"StackName": "s", "ChangeSetName": change_set})).await;
        self.rest("s").await
    }

    /// The stack as DescribeStacks shows it.
    async fn shown(&self, name: &str) -> Json {
        self.ok("DescribeStacks", json!({"StackName": name})).await["Stacks"][0].take()
    }
}
