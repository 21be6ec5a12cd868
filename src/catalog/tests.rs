//! The embedded catalog as data.

use super::*;
use crate::document::to_json;
use crate::environment;
use crate::view::problem;
use serde_json::{Value as Json, json};

#[test]
fn every_embedded_template_reads() {
    match Catalog::embedded().describe() {
        Ok(described) => assert_eq!(described.len(), Catalog::embedded().names().len()),
        Err(problems) => panic!("{}", problem::text(&problems, 100)),
    }
}

/// Cargo does not notice a new file of an embedded folder by itself.
#[test]
fn the_whole_folder_is_embedded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(Catalog::open(folder).names(), Catalog::embedded().names(), "touch src/catalog/mod.rs and build again");
}

#[test]
fn every_input_and_output_of_the_catalog_is_described() {
    for template in Catalog::embedded().describe().unwrap() {
        for input in &template.inputs {
            assert!(!input.description.is_empty(), "{}: {}", template.name, input.name);
        }
        assert!(template.outputs.iter().all(|output| !output.description.is_empty()), "{}", template.name);
    }
}

#[test]
fn a_template_of_the_project_comes_first() {
    let project = tempfile::tempdir().unwrap();
    std::fs::create_dir(project.path().join(DIRECTORY)).unwrap();
    let path = project.path().join(DIRECTORY).join("alb.yaml");
    std::fs::write(path, "# Ours.\n---\ndescription: Ours.\n---\nResources: {}\n").unwrap();
    let described = Catalog::open(project.path()).describe().unwrap();
    let alb = described.iter().find(|template| template.name == "alb").unwrap();
    assert_eq!((alb.description.as_str(), alb.origin), ("Ours.", Origin::Project));
    assert!(described.iter().any(|template| template.name == "network" && template.origin == Origin::Catalog));
}

#[test]
fn a_description_says_what_an_input_takes() {
    let described = Catalog::embedded().describe().unwrap();
    let service = described.iter().find(|template| template.name == "fargate-service").unwrap();
    let input = |name: &str| json!(service.inputs.iter().find(|input| input.name == name).unwrap());
    let port = input("port");
    assert_eq!((&port["type"], &port["takes"]), (&json!("port"), &json!("a port from 1 to 65535")));
    assert_eq!((&port["required"], &port["default"]), (&json!(false), &json!(8000)));
    assert_eq!(input("count.min")["type"], "integer");
    assert_eq!(input("path")["required"], true);
    assert!(input("path").get("default").is_none());
}

fn is_right(schema: &Json, yaml: &str) -> bool {
    let node = cloudformation::source::parse(yaml, cloudformation::source::Limits::default()).unwrap();
    jsonschema::validator_for(schema).unwrap().is_valid(&node.to_json())
}

#[test]
fn the_schema_knows_the_inputs_of_templates() {
    let schema = Catalog::embedded().schema().unwrap();
    for (yaml, expected) in [
        ("stacks: {net: {template: network, inputs: {zones: 3}}}", true),
        ("stacks: {net: {template: network, inputs: {zones: null}}}", true),
        ("stacks: {net: {template: network, inputs: {zones: 9}}}", false),
        ("stacks: {net: {template: network, inputs: {zoness: 3}}}", false),
        ("stacks: {net: {template: network, inputs: {cidr: tomato}}}", false),
        ("stacks: {net: {template: network, inputs: {nat: per-zoen}}}", false),
        ("stacks: {api: {template: fargate-service, inputs: {count: {min: 1, mox: 2}}}}", false),
        // A stack without a template here may have one of another name in an extended file.
        ("stacks: {network: {inputs: {zones: 9}}}", false),
        ("extends: base\nstacks: {network: {inputs: {mine: 9}}}", true),
        ("extends: base\nstacks: {network: {inputs: {zones: 9}}}", false),
        ("stacks: {network: {inputs: {mine: 9}}}", false),
        ("stacks: {network: {inputs: {zones: 3}}}", true),
        ("stacks: {other: {inputs: {zones: 9}}}", true),
        ("stacks: {network: null}", true),
    ] {
        assert_eq!(is_right(&schema, yaml), expected, "{yaml}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for listed in environment::list(root).unwrap() {
        let text = std::fs::read_to_string(root.join(format!("environments/{}.yaml", listed.name))).unwrap();
        assert!(is_right(&schema, &text), "{}", listed.name);
    }
}

#[test]
fn arns_and_domains() {
    let spec = |kind: &str| {
        let text = format!("description: x\ninputs: {{v: {{type: {kind}}}}}\n");
        let file = files::decode(text.into_bytes(), "x.yaml").unwrap();
        manifest::read(&file.text.clone(), &file, &mut Vec::new()).unwrap().inputs["v"].clone()
    };
    let takes = |kind: &str, value: &str| {
        let file = files::decode(format!("v: {}", Json::from(value)).into_bytes(), "y.yaml").unwrap();
        let node = cloudformation::source::parse(&file.text, cloudformation::source::Limits::default()).unwrap();
        let given = document::located(&node, &file, &mut Vec::new());
        assert_eq!(to_json(&given)["v"], value);
        let crate::model::InputKind::Map(entries) = given.kind else { panic!("a map") };
        let mut problems = Vec::new();
        spec(kind).resolve(entries.get("v"), "v", &document::start_of(&file), &mut problems);
        problems.is_empty()
    };
    for (kind, value, expected) in [
        ("arn", "arn:aws:sns:us-east-1:111122223333:topic", true),
        ("arn", "arn:aws-cn:iam::aws:policy/X", true),
        ("arn", "arn:aws:s3:::bucket/key", true),
        ("arn", "topic", false),
        ("arn", "arn:aws:sns:us-east-1:1:topic", false),
        ("domain", "www.example.com", true),
        ("domain", "*.example.com", true),
        ("domain", "xn--bcher-kva.example", true),
        ("domain", "Example.com", false),
        ("domain", "localhost", false),
        ("domain", "a..b", false),
        ("cidr", "10.0.0.0/16", true),
        ("cidr", "10.0.0.1/16", false),
        ("cidr", "2001:db8::/32", true),
        ("size", "20GiB", true),
        ("size", "20GB", false),
        ("duration", "90m", true),
    ] {
        assert_eq!(takes(kind, value), expected, "{kind} {value}");
    }
}
