//! Saved plans: what is in them, and when they are refused.

use super::*;
use crate::error::{Kind, find, kind};
use serde_json::Value as Json;

fn save(world: &World, plan: &Plan) -> String {
    plan.save(&world.wanted, &world.options).unwrap()
}

#[test]
fn a_plan_comes_back_as_it_was_saved() {
    let mut world = World::storefront().applied();
    world.set_template("network", &network("10.1.0.0/16"));
    let plan = world.plan();
    let saved = Plan::load(&save(&world, &plan)).unwrap();
    assert_eq!((&saved.plan, saved.intact), (&plan, true));
    world.wanted.sort_by_key(|stack| plan.steps.iter().position(|step| step.stack == stack.name));
    assert_eq!(saved.wanted(), world.wanted);
    assert_eq!(saved.options(), world.options);
}

#[test]
fn a_plan_that_needs_a_secret_is_not_saved() {
    let template = json!({
        "Parameters": {"Token": {"Type": "String", "NoEcho": true}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    });
    let mut world = World::new(vec![stack("secretive", &template)]);
    world.stack_mut("secretive").parameters.insert("Token".to_owned(), Parameter::Value("hunter2".to_owned()));
    let error = world.plan().save(&world.wanted, &world.options).unwrap_err();
    assert_eq!(find(&error).unwrap().message, "the plan needs secrets to be applied: secretive.Token");
}

#[test]
fn other_formats_are_refused() {
    for (text, message) in [
        ("# no plan", "the file is no saved plan"),
        (r#"{"format_version": "2.0"}"#, "the plan has format 2.0, and this version of infra reads 1.3"),
        (r#"{"format_version": "1.2"}"#, "the plan has format 1.2, and this version of infra reads 1.3"),
        (r#"{"format_version": "1.7", "steps": 3}"#, "the saved plan is damaged"),
    ] {
        let error = Plan::load(text).unwrap_err();
        assert_eq!((kind(&error), error.to_string().as_str()), (Kind::Configuration, message));
    }
}

#[test]
fn a_plan_is_stale_once_anything_moved() {
    let mut world = World::storefront().applied();
    world.set_template("data", &data("sku"));
    let plan = world.plan();
    let stale_now = |world: &World| stale(&plan, world.state.as_ref(), &world.deployed);
    assert_eq!(stale_now(&world), Vec::<String>::new());

    let mut later = world.clone();
    later.state.as_mut().unwrap().serial = 9;
    later.deployed.get_mut("data").unwrap().changed_at = at(30);
    let record = later.state.as_mut().unwrap().stacks.get_mut("data").unwrap();
    record.fingerprint.changed_at = at(30);
    later.deployed.get_mut("network").unwrap().status = StackStatus::UpdateInProgress;
    later.deployed.remove("service");
    insta::assert_snapshot!(stale_now(&later).join("\n"), @"
    the state is at serial 9, the plan was made at 7; since then: `apply` by arn:aws:iam::111122223333:user/ada on laptop at 2026-01-01T02:00:00Z
    network was CREATE_COMPLETE since 2026-01-01T01:00:00Z and is UPDATE_IN_PROGRESS since 2026-01-01T01:00:00Z
    data was CREATE_COMPLETE since 2026-01-01T01:00:00Z and is CREATE_COMPLETE since 2026-01-02T06:00:00Z, by arn:aws:iam::111122223333:user/ada (apply)
    service is gone from the account
    ");

    let mut other = world.clone();
    other.state.as_mut().unwrap().lineage = "beef".to_owned();
    assert_eq!(stale_now(&other), ["the plan belongs to another state: its lineage differs"]);
    other.state = None;
    assert_eq!(stale_now(&other), ["the environment's state is gone"]);
}

#[test]
fn a_first_plan_is_stale_once_there_is_a_state() {
    let world = World::storefront();
    let plan = world.plan();
    assert_eq!(stale(&plan, None, &world.deployed), Vec::<String>::new());
    let applied = world.applied();
    let reasons = stale(&plan, applied.state.as_ref(), &applied.deployed);
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    let error = stale_error(&plan, reasons);
    assert_eq!(error.kind, Kind::Stale);
}

/// What `apply FILE` comes to: why it refuses, or the plan that it carries out.
fn applied(world: &World, text: &str) -> Result<Plan, Vec<String>> {
    let refused = |error: anyhow::Error| vec![error.to_string()];
    let saved = Plan::load(text).map_err(refused)?;
    let plan = &saved.plan;
    let of_files = [&world.scope.project, &world.scope.environment, &world.scope.account, &world.scope.region];
    if of_files != [&plan.project, &plan.environment, &plan.account, &plan.region] {
        return Err(vec!["another environment".to_owned()]);
    }
    let targets = world.wanted.iter().map(|stack| (stack.name.clone(), stack.target.clone())).collect();
    let reasons = misfits(&saved, &world.scope, &targets);
    let reasons = if reasons.is_empty() { stale(plan, world.state.as_ref(), &world.deployed) } else { reasons };
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let (wanted, options) = (saved.wanted(), saved.options());
    let again = World { wanted, options, ..world.clone() };
    let anew = again.try_plan().map_err(refused)?;
    let reasons = differences(&saved, &anew);
    if reasons.is_empty() { Ok(anew) } else { Err(reasons) }
}

/// A world with a protected environment, and in its plan a bit of everything.
fn protected() -> World {
    let mut world = World::storefront();
    world.scope.protect = true;
    for stack in &mut world.wanted {
        stack.protect = true;
        stack.stack_policy = Some(crate::render::protecting_policy());
    }
    let mut world = world.applied();
    world.options.allow_replace.insert("data.Table".to_owned());
    world.set_template("data", &data("sku"));
    world.set_template("network", &network("10.1.0.0/16"));
    world.wanted[0].tags.insert("Team".to_owned(), "shop".to_owned());
    world
}

/// Every place in a document that holds no further ones, as a JSON pointer.
fn places(value: &Json, path: &str, found: &mut Vec<String>) {
    let inside: Vec<(String, &Json)> = match value {
        Json::Object(members) => {
            members.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Json::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    if inside.is_empty() {
        found.push(path.to_owned());
    }
    inside.into_iter().for_each(|(key, value)| places(value, &format!("{path}/{key}"), found));
}

/// Other values for one.
fn others(value: &Json) -> Vec<Json> {
    match value {
        Json::Bool(value) => vec![json!(!value)],
        Json::Number(_) => vec![json!(4711), json!(0)],
        Json::String(text) => vec![json!(format!("{text}x")), json!(""), json!("EVIL")],
        Json::Null => vec![json!("EVIL"), json!(true)],
        Json::Array(_) => vec![json!(["EVIL"]), json!([{}])],
        Json::Object(_) => vec![json!({"EVIL": "x"})],
    }
}

/// The same plan but for when and by which version it was made.
fn shown(plan: &Plan) -> Plan {
    Plan { created: at(0), infra_version: String::new(), ..plan.clone() }
}

#[test]
fn no_place_of_a_saved_plan_can_be_changed_in_silence() {
    let world = protected();
    let plan = world.plan();
    let text = save(&world, &plan);
    assert_eq!(applied(&world, &text).as_ref(), Ok(&plan));
    let original: Json = serde_json::from_str(&text).unwrap();
    let mut all = Vec::new();
    places(&original, "", &mut all);
    assert!(all.len() > 150, "{}", all.len());
    for place in &all {
        for other in others(original.pointer(place).unwrap()) {
            let mut file = original.clone();
            *file.pointer_mut(place).unwrap() = other.clone();
            let refused = applied(&world, &file.to_string());
            assert!(refused.is_err_and(|reasons| !reasons.is_empty()), "{place} = {other} is taken");
        }
        // Without the place: a list or an object becomes shorter.
        let (above, key) = place.rsplit_once('/').unwrap();
        let mut file = original.clone();
        match file.pointer_mut(above).unwrap() {
            Json::Object(members) => _ = members.remove(key),
            Json::Array(items) => _ = items.remove(key.parse().unwrap()),
            _ => unreachable!(),
        }
        assert!(applied(&world, &file.to_string()).is_err(), "without {place} it is taken");
    }
}

/// Whoever changes a plan can give it a digest that is right, too.
fn forged(original: &Json, change: impl FnOnce(&mut Json)) -> String {
    let mut file = original.clone();
    change(&mut file);
    for step in file["steps"].as_array_mut().unwrap() {
        if let Some(template) = step["wanted"]["template"].as_str() {
            step["wanted"]["template_digest"] = json!(crate::model::digest(template));
        }
    }
    file.as_object_mut().unwrap().remove("digest");
    file["digest"] = json!(crate::model::digest(&file.to_string()));
    file.to_string()
}

#[test]
fn what_a_plan_says_of_its_own_safety_counts_for_nothing() {
    let mut world = protected();
    world.options.allow_replace.clear();
    let plan = world.plan();
    assert_eq!(plan.refusals().count(), 1, "{:#?}", plan.findings);
    let original: Json = serde_json::from_str(&save(&world, &plan)).unwrap();
    let at = |file: &Json, name: &str| {
        file["steps"].as_array().unwrap().iter().position(|step| step["stack"] == name).unwrap()
    };
    let (network, data) = (at(&original, "network"), at(&original, "data"));
    let cases: Vec<(&str, String)> = vec![
        (
            "10.1.0.0/16",
            forged(&original, |file| {
                let template = &mut file["steps"][network]["wanted"]["template"];
                *template = json!(template.as_str().unwrap().replace("10.1.0.0/16", "10.66.0.0/16"));
            }),
        ),
        (
            "findings: the plan lacks `stateful-replacement` of data.Table",
            forged(&original, |file| {
                file["findings"] = json!([]);
            }),
        ),
        (
            "findings: the plan lacks `stateful-replacement` of data.Table (refused",
            forged(&original, |file| {
                for finding in file["findings"].as_array_mut().unwrap() {
                    finding["severity"] = json!("note");
                }
            }),
        ),
        (
            "the plan does not protect it, and the environment's file protects",
            forged(&original, |file| {
                file["steps"][data]["wanted"]["protect"] = json!(false);
            }),
        ),
        (
            "its stack policy is not the one",
            forged(&original, |file| {
                file["steps"][data]["wanted"]["stack_policy"] = Json::Null;
            }),
        ),
        (
            "with the role arn:aws:iam::111122223333:role/admin, and the environment's files in",
            forged(&original, |file| {
                file["steps"][data]["wanted"]["target"]["role"] = json!("arn:aws:iam::111122223333:role/admin");
            }),
        ),
        (
            "target.role is \"arn:aws:iam::111122223333:role/admin\" in the plan, and should be not there",
            forged(&original, |file| {
                file["steps"][data]["target"]["role"] = json!("arn:aws:iam::111122223333:role/admin");
            }),
        ),
        (
            "action is \"delete\" in the plan, and should be \"update\"",
            forged(&original, |file| {
                file["steps"][data]["action"] = json!("delete");
                file["steps"][data]["unprotect"] = json!(true);
            }),
        ),
        (
            "capabilities [CAPABILITY_NAMED_IAM], and its template needs []",
            forged(&original, |file| {
                file["steps"][data]["wanted"]["capabilities"] = json!(["CAPABILITY_NAMED_IAM"]);
            }),
        ),
        (
            "changes[0]",
            forged(&original, |file| {
                file["steps"][data]["changes"] = json!([]);
            }),
        ),
        (
            "stack `data`: the plan has no step for it",
            forged(&original, |file| {
                let step = file["steps"].as_array_mut().unwrap().remove(data);
                file["basis"]["others"].as_array_mut().unwrap().push(step["wanted"].clone());
            }),
        ),
        (
            "revert_drift is true in the plan",
            forged(&original, |file| {
                file["steps"][data]["revert_drift"] = json!(true);
            }),
        ),
    ];
    for (expected, text) in cases {
        let reasons = applied(&world, &text).expect_err(expected).join("\n");
        assert!(reasons.contains(expected), "{expected}:\n{reasons}");
    }
    // The words that allow it are in the plan that was approved; a refusal stays one without them.
    let carried_out = applied(&world, &forged(&original, |_| {})).unwrap();
    assert_eq!(shown(&carried_out), shown(&plan));
}

#[test]
fn a_forged_digest_hides_no_change_of_what_is_shown_or_done() {
    let world = protected();
    let plan = world.plan();
    let original: Json = serde_json::from_str(&save(&world, &plan)).unwrap();
    let mut all = Vec::new();
    places(&original, "", &mut all);
    let mut taken = std::collections::BTreeSet::new();
    for place in all.iter().filter(|place| *place != "/digest") {
        for other in others(original.pointer(place).unwrap()) {
            let text = forged(&original, |file| *file.pointer_mut(place).unwrap() = other.clone());
            let Ok(carried_out) = applied(&world, &text) else { continue };
            // What is carried out is what is shown, and that was planned anew.
            taken.insert(place.split('/').filter(|step| step.parse::<usize>().is_err()).collect::<Vec<_>>().join("/"));
            let without_names = |plan: &Plan| {
                let mut plan = shown(plan);
                plan.steps.iter_mut().for_each(|step| step.wanted = None);
                plan
            };
            assert_eq!(without_names(&carried_out), without_names(&plan), "{place} = {other}");
        }
    }
    // Names that only messages about failures use, and words for what is not in this plan.
    let harmless = [
        "/basis/allow_destroy",
        "/basis/import_existing",
        "/infra_version",
        "/steps/wanted/parameters/Image/image/name",
        "/steps/wanted/places",
        "/steps/wanted/template_digest",
    ];
    assert_eq!(taken.iter().map(String::as_str).collect::<Vec<_>>(), harmless);
}
