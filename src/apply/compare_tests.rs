//! What deviates from a plan and what does not, as a table: the plan's change against the change set's.

use super::*;
use crate::model::Target;
use crate::plan::{Action, Value, ValueChange};

fn planned(action: ChangeAction, properties: &[(&str, Recreation)]) -> Change {
    let property = |(path, recreation): &(&str, Recreation)| PropertyChange {
        path: (*path).to_owned(),
        change: ValueChange::new(Value::text("old"), Value::text("new")),
        recreation: *recreation,
    };
    Change {
        logical_id: "Thing".to_owned(),
        resource_type: "AWS::Some::Thing".to_owned(),
        physical_id: None,
        action,
        properties: properties.iter().map(property).collect(),
        because: Vec::new(),
        removal: None,
        place: None,
        taken_from: None,
        taken_by: None,
    }
}

fn described(
    action: ChangeSetAction,
    replacement: Option<Replacement>,
    details: Vec<ChangeSetDetail>,
) -> ChangeSetChange {
    ChangeSetChange {
        logical_id: "Thing".to_owned(),
        physical_id: None,
        resource_type: "AWS::Some::Thing".to_owned(),
        action,
        replacement,
        policy_action: None,
        scope: vec!["Properties".to_owned()],
        details,
        change_set: None,
        before: None,
        after: None,
    }
}

fn detail(name: &str, recreation: Required) -> ChangeSetDetail {
    ChangeSetDetail {
        attribute: "Properties".to_owned(),
        name: Some(name.to_owned()),
        path: Some(format!("/Properties/{name}")),
        recreation: Some(recreation),
        is_certain: true,
        source: Some("DirectModification".to_owned()),
        cause: None,
        before: None,
        after: None,
    }
}

fn step(changes: Vec<Change>) -> StackStep {
    let target = Target { account: "111122223333".to_owned(), region: "eu-west-1".to_owned(), role: None };
    StackStep { changes, ..StackStep::new("stack", "storefront-dev-stack", &target, Action::Update) }
}

fn verdict(plan: Option<Change>, change: ChangeSetChange) -> String {
    let found = deviations(&step(plan.into_iter().collect()), &[change]);
    found.first().map_or("as planned".to_owned(), ToString::to_string)
}

const NEVER: Recreation = Recreation::Never;

#[test]
fn what_the_plan_showed_is_as_planned() {
    use ChangeSetAction as Does;
    let modify = |replacement, details| described(Does::Modify, Some(replacement), details);
    let name = || vec![detail("Name", Required::Never)];
    let renamed = || vec![detail("Name", Required::Always)];
    let cases = [
        (planned(ChangeAction::Add, &[]), described(Does::Add, None, vec![])),
        (planned(ChangeAction::Remove, &[]), described(Does::Remove, None, vec![])),
        (planned(ChangeAction::Import, &[]), described(Does::Import, None, vec![])),
        (planned(ChangeAction::Modify, &[("Name", NEVER)]), modify(Replacement::No, name())),
        (planned(ChangeAction::Modify, &[("Name[0].Inner", NEVER)]), modify(Replacement::No, name())),
        // Vaguer than the plan, but only about what the plan knows for certain.
        (planned(ChangeAction::Modify, &[("Name", NEVER)]), modify(Replacement::Conditional, renamed())),
        // Announced.
        (planned(ChangeAction::Replace, &[("Name", Recreation::Always)]), modify(Replacement::Yes, renamed())),
        (planned(ChangeAction::MayReplace, &[("Name", Recreation::Always)]), modify(Replacement::Yes, renamed())),
        (planned(ChangeAction::MayModify, &[]), modify(Replacement::No, name())),
        // Less than the plan showed.
        (planned(ChangeAction::Replace, &[("Name", Recreation::Always)]), modify(Replacement::No, name())),
        (planned(ChangeAction::Modify, &[]), described(Does::SyncWithActual, None, vec![])),
        (planned(ChangeAction::Modify, &[]), described(Does::Dynamic, None, vec![])),
    ];
    for (plan, change) in cases {
        let label = format!("{:?} against {:?} {:?}", plan.action, change.action, change.replacement);
        assert_eq!(verdict(Some(plan), change), "as planned", "{label}");
    }
    assert!(deviations(&step(vec![planned(ChangeAction::Remove, &[])]), &[]).is_empty(), "nothing at all");
}

#[test]
fn what_the_plan_did_not_show_deviates() {
    use ChangeSetAction as Does;
    let modify = |replacement, details| described(Does::Modify, Some(replacement), details);
    let name = |recreation| vec![detail("Name", recreation)];
    let cases = [
        (None, described(Does::Add, None, vec![])),
        (Some(planned(ChangeAction::Import, &[])), described(Does::Add, None, vec![])),
        (None, described(Does::Remove, None, vec![])),
        (None, described(Does::Dynamic, None, vec![])),
        (None, modify(Replacement::No, name(Required::Never))),
        (None, modify(Replacement::Yes, name(Required::Always))),
        (Some(planned(ChangeAction::Modify, &[("Name", NEVER)])), described(Does::Remove, None, vec![])),
        (Some(planned(ChangeAction::Replace, &[("Name", Recreation::Always)])), described(Does::Remove, None, vec![])),
        (Some(planned(ChangeAction::Remove, &[])), modify(Replacement::No, name(Required::Never))),
        (Some(planned(ChangeAction::Add, &[])), modify(Replacement::Yes, name(Required::Always))),
        (Some(planned(ChangeAction::Modify, &[("Name", NEVER)])), modify(Replacement::Yes, name(Required::Always))),
        (Some(planned(ChangeAction::MayModify, &[("Name", NEVER)])), modify(Replacement::Yes, name(Required::Always))),
        (
            Some(planned(ChangeAction::Modify, &[("Name", NEVER)])),
            modify(Replacement::Conditional, vec![detail("Size", Required::Conditionally)]),
        ),
        (
            Some(planned(ChangeAction::Modify, &[("Name", Recreation::Conditionally)])),
            modify(Replacement::Conditional, name(Required::Conditionally)),
        ),
        (
            Some(planned(ChangeAction::Modify, &[("Name", NEVER)])),
            modify(Replacement::No, vec![detail("Name", Required::Never), detail("Size", Required::Never)]),
        ),
    ];
    let text: Vec<String> = cases.into_iter().map(|(plan, change)| verdict(plan, change)).collect();
    insta::assert_snapshot!(text.join("\n"), @"
    Thing (AWS::Some::Thing) would be created; the plan showed no change
    Thing (AWS::Some::Thing) would be created, for there is nothing that could be imported; the plan showed its import
    Thing (AWS::Some::Thing) would be removed; the plan showed no change
    Thing (AWS::Some::Thing) may change; the plan showed no change
    Thing (AWS::Some::Thing) would be changed, because of Name; the plan showed no change
    Thing (AWS::Some::Thing) would be replaced, because of Name; the plan showed no change
    Thing (AWS::Some::Thing) would be removed; the plan showed a change in place
    Thing (AWS::Some::Thing) would be removed; the plan showed a replacement
    Thing (AWS::Some::Thing) would be changed, because of Name; the plan showed its removal
    Thing (AWS::Some::Thing) would be replaced, because of Name; the plan showed it as new
    Thing (AWS::Some::Thing) would be replaced, because of Name; the plan showed a change in place
    Thing (AWS::Some::Thing) would be replaced, because of Name; the plan showed at most a change in place
    Thing (AWS::Some::Thing) may be replaced, because of Size; the plan showed a change in place
    Thing (AWS::Some::Thing) may be replaced, because of Name; the plan showed a change in place
    Thing (AWS::Some::Thing) would change in Size, which the plan did not show
    ");
}

#[test]
fn stack_tags_spread_to_resources_unsaid() {
    let tags = ChangeSetDetail { attribute: "Tags".to_owned(), name: None, ..detail("Tags", Required::Never) };
    let mut change = described(ChangeSetAction::Modify, Some(Replacement::No), vec![tags]);
    change.scope = vec!["Tags".to_owned()];
    let mut step = step(Vec::new());
    assert_eq!(deviations(&step, std::slice::from_ref(&change)).len(), 1, "no tag of the stack changes");
    step.tags.insert("owner".to_owned(), ValueChange::new(Value::Absent, Value::text("platform")));
    assert_eq!(deviations(&step, std::slice::from_ref(&change)), []);
    change.replacement = Some(Replacement::Yes);
    assert_eq!(deviations(&step, &[change]).len(), 1, "a replacement is no matter of tags");
}

#[test]
fn listed_values_that_stay_the_same_are_no_change() {
    let same = ChangeSetDetail {
        is_certain: false,
        before: Some("x".to_owned()),
        after: Some("x".to_owned()),
        ..detail("Size", Required::Never)
    };
    let change = described(ChangeSetAction::Modify, Some(Replacement::No), vec![detail("Name", Required::Never), same]);
    assert_eq!(verdict(Some(planned(ChangeAction::Modify, &[("Name", NEVER)])), change), "as planned");
}

#[test]
fn what_may_follow_from_a_planned_change_is_no_news_unless_it_could_replace() {
    let echo = |cause: &str, name: &str| {
        let follows = ChangeSetDetail {
            is_certain: false,
            source: Some("ResourceAttribute".to_owned()),
            cause: Some(cause.to_owned()),
            ..detail(name, Required::Conditionally)
        };
        let mut change = described(ChangeSetAction::Modify, Some(Replacement::Conditional), vec![follows]);
        change.logical_id = "HighCpu".to_owned();
        change.resource_type = "AWS::CloudWatch::Alarm".to_owned();
        change
    };
    let step = step(vec![planned(ChangeAction::Modify, &[("DesiredCount", NEVER)])]);
    assert_eq!(deviations(&step, &[echo("Thing.Name", "Dimensions")]), []);
    assert_eq!(deviations(&step, &[echo("Other.Name", "Dimensions")]).len(), 1, "nothing planned would cause it");
    assert_eq!(deviations(&step, &[echo("Thing.Name", "AlarmName")]).len(), 1, "a new name would replace the alarm");
}

#[test]
fn another_value_than_the_plan_showed_is_no_less_a_deviation() {
    let given =
        |after: &str| vec![ChangeSetDetail { after: Some(after.to_owned()), ..detail("Name", Required::Never) }];
    let of = |action, change: ChangeSetChange| {
        let step = step(vec![planned(action, &[("Name", Recreation::Never)])]);
        deviations(&step, &[change]).into_iter().map(|found| found.what).collect::<Vec<_>>()
    };
    let evil = r#"would set Name to "EVIL"; the plan showed "new""#;
    for (action, described_action, replacement) in [
        (ChangeAction::Modify, ChangeSetAction::Modify, Some(Replacement::No)),
        (ChangeAction::MayModify, ChangeSetAction::Modify, Some(Replacement::No)),
        (ChangeAction::Modify, ChangeSetAction::Modify, Some(Replacement::Conditional)),
        (ChangeAction::Replace, ChangeSetAction::Modify, Some(Replacement::Yes)),
    ] {
        assert_eq!(of(action, described(described_action, replacement, given("EVIL"))), [evil], "{action:?}");
        assert_eq!(of(action, described(described_action, replacement, given("new"))), Vec::<String>::new());
    }
    let new = |name: &str| ChangeSetChange {
        after: Some(format!(r#"{{"Properties":{{"Name":"{name}"}}}}"#)),
        ..described(ChangeSetAction::Add, None, Vec::new())
    };
    assert_eq!(of(ChangeAction::Add, new("EVIL")), [evil]);
    assert_eq!(of(ChangeAction::Add, new("new")), Vec::<String>::new());
}
