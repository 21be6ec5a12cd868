//! Edits to the catalog that nobody should let pass unseen, one for each kind: the plan of production names each at its
//! resource, and says nothing of it when it is taken back. A clean catalog has no findings.

mod edits;

use super::*;
use crate::catalog::Catalog;
use edits::{EDITS, drop_key, of};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

fn rendered(environment: &str) -> Vec<RenderedStack> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (environment, _) = crate::environment::load(project, environment).unwrap();
    let mut stacks = crate::render::render(&environment, &Catalog::open(project)).unwrap();
    // Images are made, or taken over, before a plan: any digest serves.
    for parameter in stacks.iter_mut().flat_map(|stack| stack.parameters.values_mut()) {
        if let Parameter::LocalImage(image) = parameter {
            image.digest = Some(format!("sha256:{}", "1a2b".repeat(16)));
        }
    }
    stacks
}

/// Production as it would be after an apply.
static PROD: LazyLock<World> = LazyLock::new(|| World::new(rendered("prod")).applied());

/// One stack of it by itself, with the values that the others give it: a plan of that takes milliseconds.
fn alone(name: &str) -> World {
    let mut stack = PROD.wanted.iter().find(|stack| stack.name == name).unwrap().clone();
    let deployed = &PROD.deployed[name];
    for (key, parameter) in &mut stack.parameters {
        *parameter = Parameter::Value(deployed.parameters[key].clone());
    }
    stack.after.clear();
    World::new(vec![stack]).applied()
}

fn names(world: &World, stack: &str, id: &str, code: &str) -> bool {
    let found = world.plan().findings;
    found.iter().any(|one| one.stack == stack && one.logical_id.as_deref() == Some(id) && one.code == code)
}

fn edited(stack: &str, edit: fn(&mut Json)) -> World {
    let mut world = alone(stack);
    let mut template: Json = serde_json::from_str(&world.stack_mut(stack).template).unwrap();
    edit(&mut template);
    world.set_template(stack, &template);
    world
}

/// The plan back to what was there before the edit.
fn back(stack: &str, edit: fn(&mut Json)) -> World {
    let clean = alone(stack).wanted;
    let mut world = World::new(edited(stack, edit).wanted).applied();
    world.wanted = clean;
    world
}

#[test]
fn every_bad_edit_is_named_and_taking_it_back_is_not() {
    assert!(EDITS.len() >= 60, "{}", EDITS.len());
    let mut wrong = Vec::new();
    for (index, (stack, id, code, edit)) in EDITS.iter().enumerate() {
        let bad = edited(stack, *edit);
        if !names(&bad, stack, id, code) {
            wrong.push(format!("{index}: {code} of {stack}.{id} is not named:\n{}", sketch(&bad.plan())));
        }
        let back = back(stack, *edit);
        // A replacement back is a replacement too.
        let both_ways = ["stateful-replacement", "downtime", "interruption"];
        if names(&back, stack, id, code) && !both_ways.contains(code) {
            wrong.push(format!("{index}: taking back {code} of {stack}.{id} is named too:\n{}", sketch(&back.plan())));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), EDITS.len(), wrong.join("\n"));
}

#[test]
fn every_kind_that_a_change_can_have_is_in_the_table() {
    let tried: BTreeSet<&str> = EDITS.iter().map(|(_, _, code, _)| *code).collect();
    // What is about stacks, tried in `findings`; what needs a type that the catalog has not.
    let elsewhere = [
        "macro",
        "protected-deletion",
        "half-deleted",
        "name-taken",
        "deletion-blocked",
        "storage-shrinks",
        "deletion-unseen",
        "left-behind",
        "lost-stack",
        "boundary-lost",
        "deny-lost",
        "drifted-stack",
        "changed-outside",
        "rollout-unproven",
        "stuck-stack",
        "retained",
        "text-lost",
        "nested-unseen",
        "stale-reference",
        "unseen-secret",
        "literal-secret",
    ];
    let missing: Vec<&str> =
        KINDS.iter().map(|kind| kind.code).filter(|code| !tried.contains(code) && !elsewhere.contains(code)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_clean_catalog_has_no_findings() {
    for environment in ["dev", "staging", "prod"] {
        let fresh = World::new(rendered(environment));
        assert_eq!(fresh.plan().findings, [], "creating {environment}");
        assert_eq!(fresh.applied().plan().findings, [], "{environment} as it is");
    }
}

#[test]
fn the_worst_is_refused_where_the_environment_is_protected() {
    let mut world = edited("items", |t| of(t, "Table")["DeletionProtectionEnabled"] = json!(false));
    world.scope.protect = true;
    let plan = world.plan();
    let refused: Vec<&str> = plan.refusals().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        refused,
        ["anybody who may delete tables can delete it: DeletionProtectionEnabled true → false; \
          `--allow protection-lost:items.Table` allows it"]
    );
    assert!(plan.findings[0].place.as_deref().is_some_and(|place| place.starts_with("templates/dynamodb-table.yaml:")));
    world.options.allow.insert("protection-lost:items.Table".to_owned());
    assert_eq!(world.plan().refusals().count(), 0);
    assert_eq!(world.plan().findings.len(), 1, "it is still said");
}

#[test]
fn what_guards_a_role_is_missed() {
    let policy = |document: Json| {
        json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
            "PermissionsBoundary": "arn:aws:iam::111122223333:policy/limit",
            "Policies": [{"PolicyName": "one", "PolicyDocument": document}],
        }}}})
    };
    let allow = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::data/*"});
    let deny = json!({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"});
    let mut world = World::new(vec![stack("role", &policy(json!({"Statement": [allow, deny]})))]).applied();
    let mut without = policy(json!({"Statement": [allow]}));
    drop_key(&mut without["Resources"]["Role"]["Properties"], "PermissionsBoundary");
    world.set_template("role", &without);
    assert!(names(&world, "role", "Role", "boundary-lost"), "{}", sketch(&world.plan()));
    assert!(names(&world, "role", "Role", "deny-lost"), "{}", sketch(&world.plan()));
    // The same rights under another name are none that are new.
    let renamed = json!({"Statement": [deny, {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::data/a"}]});
    world.set_template("role", &policy(renamed));
    assert_eq!(world.plan().findings, [], "{}", sketch(&world.plan()));
}

#[test]
fn every_kind_is_in_the_manual() {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.md")).unwrap();
    for kind in KINDS {
        let row = manual.lines().find(|line| line.starts_with(&format!("| `{}` |", kind.code)));
        assert!(row.is_some_and(|row| row.contains(kind.about)), "docs/policy.md says nothing true of {}", kind.code);
    }
}
