//! What AWS really answered, against what this crate says. The recordings are not part of the repository:
//! `INFRA_CONFORMANCE` names their directory, and `cargo test -p cloudformation --test conformance -- --ignored` runs
//! these tests. Without the variable they fail rather than pass without having looked.

#[path = "../examples/predict/request.rs"]
mod request;

use cloudformation::evaluate::ParameterValue;
use cloudformation::predict::{Deployment, PropertyValues, predict};
use cloudformation::template::Template;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Recorded with a macro (a Lambda function, SAM, or a file in S3) that only AWS can run.
const MACROS: [(&str, &str); 9] = [
    ("conditional_transform[false]", "a macro of a Lambda function inside a resource"),
    ("conditional_transform[true]", "a macro of a Lambda function inside a resource"),
    ("embedded_fn_transform_include[json]", "AWS::Include of a file in S3"),
    ("embedded_fn_transform_include[yml]", "AWS::Include of a file in S3"),
    ("embedded_macro_for_attribute_fn_transform", "a macro of a Lambda function for a property"),
    ("global_fn_transform_include[yml]", "AWS::Include of a file in S3"),
    ("global_macro_fn_transform", "a macro of a Lambda function for the template"),
    ("multiple_fn_transform_order", "macros of Lambda functions"),
    ("serverless_fn_transform", "SAM"),
];

fn recordings(kind: &str) -> Vec<PathBuf> {
    let root = std::env::var_os("INFRA_CONFORMANCE").expect("INFRA_CONFORMANCE must name the directory of recordings");
    let directory = PathBuf::from(root).join(kind);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no recordings of {kind}");
    paths
}

#[test]
#[ignore = "needs the recordings: set INFRA_CONFORMANCE"]
fn change_sets_are_predicted_exactly() {
    let (mut exact, mut excepted, mut descriptions, mut wrong) = (0, 0, 0, Vec::new());
    for path in recordings("change-sets") {
        let text = fs::read_to_string(&path).expect("a text");
        let case: Json = serde_json::from_str(&text).expect("a case");
        let id = case["id"].as_str().expect("an id").to_owned();
        if case["usable"] != true {
            continue;
        }
        if let Some((_, why)) = MACROS.iter().find(|(name, _)| id.ends_with(&format!("__test_{name}"))) {
            println!("excepted: {id}: {why}");
            excepted += 1;
            continue;
        }
        let mut misses = Vec::new();
        for (step, values, recorded) in [
            (1, PropertyValues::Included, "change_set_1"),
            (1, PropertyValues::Omitted, "change_set_1_plain"),
            (2, PropertyValues::Included, "change_set_2"),
            (2, PropertyValues::Omitted, "change_set_2_plain"),
        ] {
            let Some(expected) = case[recorded]["Changes"].as_array() else { continue };
            let expected = normal(expected, &case);
            let predicted = match request::answer(&question(&case, step).to_string(), values) {
                Ok(answer) => normal(answer["Changes"].as_array().expect("changes"), &case),
                Err(problem) => vec![json!(problem)],
            };
            descriptions += 1;
            if predicted != expected {
                misses.push(format!("{recorded}\n   recorded: {}\n  predicted: {}", json!(expected), json!(predicted)));
            }
        }
        if misses.is_empty() { exact += 1 } else { wrong.push(format!("{id}\n{}", misses.join("\n"))) }
    }
    println!(
        "{exact} cases predicted exactly ({descriptions} descriptions), {excepted} excepted, {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(exact > 0, "no case was usable");
}

/// Step 1 creates the stack, step 2 updates it.
fn question(case: &Json, step: u8) -> Json {
    let live = |at: &str| json!({ "ssm": ssm(&case[at]), "resources": resources(case) });
    match step {
        1 => json!({
            "template_1": null, "parameters_1": null, "live_1": { "ssm": ssm(&case["setup"]) },
            "template_2": case["template_1"], "parameters_2": case["parameters_1"],
            "live_2": { "ssm": ssm(&case["setup"]) }, "environment": environment(),
        }),
        _ => json!({
            "template_1": case["template_1"], "parameters_1": case["parameters_1"], "live_1": live("setup"),
            "template_2": case["template_2"], "parameters_2": case["parameters_2"], "live_2": live("between"),
            "environment": environment(),
        }),
    }
}

/// The recorder's placeholders, as the answers have them.
fn environment() -> Json {
    json!({
        "account_id": "111111111111", "region": "<region>", "partition": "aws", "url_suffix": "url_suffix",
        "stack_name": "<stack-name:1>",
        "stack_id": "arn:<partition>:cloudformation:<region>:111111111111:stack/<stack-name:1>/<resource:2>",
    })
}

/// Values that were put into SSM beforehand.
fn ssm(calls: &Json) -> Json {
    let puts = calls.as_array().into_iter().flatten().filter(|call| call["call"] == "ssm.put_parameter");
    let values = puts
        .map(|call| (call["input"]["Name"].as_str().unwrap_or_default().to_owned(), call["input"]["Value"].clone()));
    Json::Object(values.collect())
}

/// The ids that the resources got when they were created, from the stack's events.
fn resources(case: &Json) -> Json {
    let mut found = Map::new();
    for (id, events) in case["resource_events"].as_object().into_iter().flatten() {
        let mut events: Vec<&Json> = events.as_array().into_iter().flatten().collect();
        if case["resource_events_form"] == "newest-first-complete" {
            events.reverse();
        }
        let created = events.iter().find(|event| event["ResourceStatus"] == "CREATE_COMPLETE");
        if let Some(physical_id) = created.and_then(|event| event["PhysicalResourceId"].as_str()) {
            found.insert(id.clone(), json!({ "PhysicalResourceId": physical_id }));
        }
    }
    Json::Object(found)
}

/// Without order: changes by logical id, details as sets. AWS stopped to say `Replacement` of additions in May 2025.
fn normal(changes: &[Json], case: &Json) -> Vec<Json> {
    let hidden: BTreeMap<&str, &str> = case["recorded_placeholder_for_literal"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| Some((it["recorded"].as_str()?, it["template"].as_str()?)))
        .collect();
    let mut normal: Vec<Json> = changes.iter().map(|change| restore(&change["ResourceChange"], &hidden)).collect();
    for change in &mut normal {
        if change["Action"] == "Add" {
            change.as_object_mut().expect("an object").shift_remove("Replacement");
        }
        let details = change["Details"].as_array_mut().expect("details");
        details.sort_by_key(|detail| sorted(detail).to_string());
    }
    normal = normal.iter().map(sorted).collect();
    normal.sort_by_key(|change| change["LogicalResourceId"].as_str().map(str::to_owned));
    normal
}

fn sorted(json: &Json) -> Json {
    let mut json = json.clone();
    json.sort_all_objects();
    json
}

/// Puts back the literals that the recorder hid behind placeholders.
fn restore(json: &Json, hidden: &BTreeMap<&str, &str>) -> Json {
    match json {
        Json::String(text) => json!(hidden.get(text.as_str()).copied().unwrap_or(text)),
        Json::Array(items) => items.iter().map(|item| restore(item, hidden)).collect(),
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), restore(value, hidden))).collect(),
        other => other.clone(),
    }
}

/// What the transform made of a template, against what its resources evaluate to here.
#[test]
#[ignore = "needs the recordings: set INFRA_CONFORMANCE"]
fn language_extensions_do_what_was_recorded() {
    let mut compared = 0;
    for path in recordings("behaviours") {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !name.contains("LanguageExtensions") {
            continue;
        }
        let case: Json = serde_json::from_str(&fs::read_to_string(&path).expect("a text")).expect("a case");
        let parameters = case["parameters"].as_array().into_iter().flatten();
        let parameters: Map<String, Json> = parameters
            .map(|it| (it["ParameterKey"].as_str().unwrap_or_default().to_owned(), it["ParameterValue"].clone()))
            .collect();
        let observed = case["calls"].as_array().into_iter().flatten().flat_map(|call| call["observed"].as_array());
        let processed = observed.flatten().find(|it| it["path"] == "TemplateBody").expect("a processed template");
        let resources = processed["value"]["Resources"].as_object().expect("resources");
        // The recorder put `<topic-name-0>` where letters and digits were.
        let plain = |text: &str| text.replace(['<', '>'], "").replace("topic-name-", "topic");
        let question = json!({ "template_1": null, "parameters_1": null, "template_2": case["templates"]["t1"],
            "parameters_2": parameters })
        .to_string();
        let answer =
            request::answer(&plain(&question), PropertyValues::Included).unwrap_or_else(|why| panic!("{name}: {why}"));
        let made: BTreeMap<String, Json> = answer["Changes"]
            .as_array()
            .expect("changes")
            .iter()
            .map(|change| &change["ResourceChange"])
            .map(|change| {
                (
                    change["LogicalResourceId"].as_str().expect("an id").to_owned(),
                    change["AfterContext"]["Properties"].clone(),
                )
            })
            .collect();
        let expected: BTreeMap<String, Json> =
            resources.iter().map(|(id, resource)| (plain(id), texts(&resource["Properties"], &plain))).collect();
        assert_eq!(made, expected, "{name}");
        compared += 1;
    }
    println!("{compared} templates transformed as recorded");
    assert!(compared > 0, "no recording of the language extensions");
}

/// Scalars as text, as CloudFormation keeps properties.
fn texts(json: &Json, plain: &dyn Fn(&str) -> String) -> Json {
    match json {
        Json::String(text) => json!(plain(text)),
        Json::Bool(_) | Json::Number(_) => json!(json.to_string()),
        Json::Array(items) => items.iter().map(|item| texts(item, plain)).collect(),
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), texts(value, plain))).collect(),
        Json::Null => Json::Null,
    }
}

#[test]
#[ignore = "needs the recordings: set INFRA_CONFORMANCE"]
fn templates_are_read_and_round_trip() {
    let paths = recordings("templates");
    let (mut with_problems, mut predicted) = (0, 0);
    for path in &paths {
        let text = fs::read_to_string(path).expect("a text");
        let (template, problems) = match Template::read(&text) {
            Ok(read) => read,
            Err(problem) => panic!("{}: {problem}", path.display()),
        };
        with_problems += usize::from(!problems.is_empty());
        let written = template.to_json();
        let (again, more) = Template::read(&written.to_string()).expect("JSON is read");
        assert_eq!(more.len(), problems.len(), "{}", path.display());
        assert_eq!(again.to_json(), written, "{}", path.display());
        let mut deployment = Deployment::new(template);
        let open = deployment.template.parameters.iter().filter(|(_, parameter)| parameter.default.is_none());
        deployment.parameters = open.map(|(name, _)| (name.clone(), ParameterValue::Unknown)).collect();
        predicted += usize::from(predict(None, Some(&deployment)).is_ok());
    }
    println!("{} templates read and written again, {with_problems} of them with problems", paths.len());
    println!("the creation of {predicted} of them is predicted; the others have macros or mistakes");
    assert!(predicted * 10 > paths.len() * 8, "most recorded templates can be deployed");
}
