//! Plans of a small environment, case by case. `sketch` writes a plan in few words, so that a case is one snapshot.

mod bad_edits;
mod cases;
mod findings;
mod moves;
mod outputs;
mod saved;
mod truth;

use super::*;
use crate::model::{
    Deployed, Fingerprint, LocalImageUse, MadeFrom, Parameter, RenderedStack, StackRecord, StackStatus, State, Target,
    Written,
};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const REGION: &str = "eu-west-1";

pub(super) fn target() -> Target {
    Target { account: ACCOUNT.to_owned(), region: REGION.to_owned(), role: None }
}

pub(super) fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + hour * 3600).unwrap() // 2026-01-01T00:00:00Z and so many hours
}

fn written(hour: i64) -> Written {
    Written {
        at: at(hour),
        by: format!("arn:aws:iam::{ACCOUNT}:user/ada"),
        host: "laptop".to_owned(),
        version: "0.1.0".to_owned(),
        operation: "apply".to_owned(),
        git_commit: None,
        pipeline_url: None,
    }
}

pub(super) fn network(cidr: &str) -> Json {
    json!({
        "Parameters": {"Cidr": {"Type": "String", "Default": "10.0.0.0/16"}},
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr, "EnableDnsSupport": true}},
            "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
        },
        "Outputs": {
            "VpcId": {"Value": {"Ref": "Vpc"}},
            "Cidr": {"Value": cidr},
            "Constant": {"Value": "always"},
        },
    })
}

pub(super) fn data(hash_key: &str) -> Json {
    json!({
        "Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": hash_key, "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": hash_key, "KeyType": "HASH"}],
            }},
        },
        "Outputs": {"TableName": {"Value": {"Ref": "Table"}}, "TableArn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}}},
    })
}

pub(super) fn service() -> Json {
    json!({
        "Parameters": {
            "VpcId": {"Type": "String"},
            "Table": {"Type": "String", "Default": "none"},
            "Image": {"Type": "String", "Default": "none"},
        },
        "Resources": {
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
                "GroupDescription": "of the service", "VpcId": {"Ref": "VpcId"},
            }},
            "Definition": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
                "ContainerDefinitions": [{"Name": "app", "Image": {"Ref": "Image"},
                    "Environment": [{"Name": "TABLE", "Value": {"Ref": "Table"}}]}],
            }},
            "Service": {"Type": "AWS::ECS::Service", "Properties": {
                "Cluster": "main", "DesiredCount": 1, "TaskDefinition": {"Ref": "Definition"},
            }},
        },
        "Outputs": {"Group": {"Value": {"Fn::GetAtt": ["Group", "GroupId"]}}},
    })
}

pub(super) fn stack(name: &str, template: &Json) -> RenderedStack {
    let template = template.to_string();
    RenderedStack {
        name: name.to_owned(),
        stack_name: format!("storefront-dev-{name}"),
        target: target(),
        template_name: name.to_owned(),
        template_digest: crate::model::digest(&template),
        template,
        parameters: BTreeMap::new(),
        tags: BTreeMap::from([("ManagedBy".to_owned(), "infra".to_owned())]),
        capabilities: Vec::new(),
        protect: false,
        stack_policy: None,
        after: Vec::new(),
        places: BTreeMap::new(),
    }
}

pub(super) fn output(stack: &str, key: &str) -> Parameter {
    Parameter::Output { stack: stack.to_owned(), key: key.to_owned() }
}

/// An environment of which nothing is in the account yet.
#[derive(Clone)]
pub(super) struct World {
    pub scope: Scope,
    pub wanted: Vec<RenderedStack>,
    pub deployed: BTreeMap<String, Deployed>,
    pub state: Option<State>,
    pub options: Options,
}

impl World {
    pub fn new(wanted: Vec<RenderedStack>) -> World {
        World {
            scope: Scope {
                project: "storefront".to_owned(),
                environment: "dev".to_owned(),
                account: ACCOUNT.to_owned(),
                region: REGION.to_owned(),
                protect: false,
            },
            wanted,
            deployed: BTreeMap::new(),
            state: None,
            options: Options::default(),
        }
    }

    /// `network` ← `service` → `data`.
    pub fn storefront() -> World {
        let mut service = stack("service", &service());
        service.parameters.insert("VpcId".to_owned(), output("network", "VpcId"));
        service.parameters.insert("Table".to_owned(), output("data", "TableName"));
        let image = Parameter::Image { name: "app".to_owned(), reference: "repo@sha256:aa".to_owned() };
        service.parameters.insert("Image".to_owned(), image);
        World::new(vec![service, stack("network", &network("10.0.0.0/16")), stack("data", &data("id"))])
    }

    pub fn request(&self) -> Request<'_> {
        Request {
            scope: &self.scope,
            wanted: &self.wanted,
            deployed: &self.deployed,
            state: self.state.as_ref(),
            options: &self.options,
            now: at(100),
        }
    }

    pub fn plan(&self) -> Plan {
        self.try_plan().unwrap()
    }

    pub fn try_plan(&self) -> crate::error::Result<Plan> {
        plan(&self.request())
    }

    pub fn stack_mut(&mut self, name: &str) -> &mut RenderedStack {
        self.wanted.iter_mut().find(|stack| stack.name == name).unwrap()
    }

    /// Gives a stack another template.
    pub fn set_template(&mut self, name: &str, template: &Json) {
        let fresh = stack(name, template);
        let old = self.stack_mut(name);
        (old.template, old.template_digest) = (fresh.template, fresh.template_digest);
    }

    /// As if everything wanted had been applied.
    pub fn applied(mut self) -> World {
        let order: Vec<String> =
            crate::graph::Graph::of_stacks(&self.wanted).order().into_iter().map(str::to_owned).collect();
        let mut records = BTreeMap::new();
        for name in &order {
            let wanted = self.wanted.iter().find(|stack| stack.name == *name).unwrap().clone();
            let deployed = self.deploy(&wanted);
            records.insert(name.clone(), record(&wanted, &deployed));
            self.deployed.insert(name.clone(), deployed);
        }
        self.state = Some(State {
            format_version: 1,
            lineage: "0f0e".to_owned(),
            serial: 7,
            project: "storefront".to_owned(),
            environment: "dev".to_owned(),
            written: written(2),
            stacks: records,
            kept: Vec::new(),
        });
        self
    }

    fn deploy(&self, wanted: &RenderedStack) -> Deployed {
        let template: Json = serde_json::from_str(&wanted.template).unwrap();
        let defaults = template["Parameters"].as_object().cloned().unwrap_or_default();
        let mut parameters: BTreeMap<String, String> = defaults
            .iter()
            .filter_map(|(name, parameter)| Some((name.clone(), parameter["Default"].as_str()?.to_owned())))
            .collect();
        for (name, parameter) in &wanted.parameters {
            let value = match parameter {
                Parameter::Value(value) => value.clone(),
                Parameter::Secret { value } => value.0.clone(),
                Parameter::Image { reference, .. } => reference.clone(),
                Parameter::LocalImage(image) => {
                    image.reference(&self.deployed[&image.repository].outputs["RepositoryUri"]).expect("a digest")
                }
                Parameter::Package(package) => {
                    package.value(|stack, key| self.deployed[stack].outputs.get(key).cloned()).expect("a digest")
                }
                Parameter::Output { stack, key } => self.deployed[stack].outputs[key].clone(),
            };
            let secret = template["Parameters"][name]["NoEcho"] == json!(true);
            parameters.insert(name.clone(), if secret { "****".to_owned() } else { value });
        }
        let outputs = template["Outputs"].as_object().cloned().unwrap_or_default();
        let live = |name: &str, value: &Json| value.as_str().map_or(format!("live-{name}"), str::to_owned);
        Deployed {
            stack_name: wanted.stack_name.clone(),
            stack_id: format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{}/1", wanted.stack_name),
            target: wanted.target.clone(),
            status: StackStatus::CreateComplete,
            status_reason: None,
            template: Some(wanted.template.clone()),
            resources: None,
            parameters,
            resolved: BTreeMap::new(),
            outputs: outputs.iter().map(|(name, output)| (name.clone(), live(name, &output["Value"]))).collect(),
            tags: wanted.tags.clone(),
            capabilities: wanted.capabilities.clone(),
            termination_protection: wanted.protect,
            drifted_at: None,
            created_at: at(1),
            changed_at: at(1),
        }
    }
}

fn record(wanted: &RenderedStack, deployed: &Deployed) -> StackRecord {
    let fingerprint: Fingerprint = deployed.fingerprint();
    StackRecord {
        stack_name: wanted.stack_name.clone(),
        target: wanted.target.clone(),
        fingerprint,
        template_name: wanted.template_name.clone(),
        template_digest: wanted.template_digest.clone(),
        parameters: deployed.parameters.clone(),
        resolved: deployed.resolved.clone(),
        equivalent: None,
        outputs: deployed.outputs.clone(),
        tags: deployed.tags.clone(),
        images: BTreeMap::new(),
        made_from: BTreeMap::new(),
        packages: BTreeMap::new(),
        waits_on: wanted.waits_on(),
        site: None,
        stack_policy_digest: wanted.stack_policy.as_deref().map(crate::model::digest),
        durations: Default::default(),
        applied: written(1),
    }
}

/// A plan in few words: what each stack and each resource comes to, and why.
pub(super) fn sketch(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let waits =
            if step.waits_on.is_empty() { String::new() } else { format!(" after {}", step.waits_on.join(", ")) };
        let reason = step.reason.as_ref().map(|reason| format!(" because {reason}")).unwrap_or_default();
        let adopt = if step.adopt { " (adopt)" } else { "" };
        writeln!(text, "{:?} {}{adopt}{waits}{reason}", step.action, step.stack).unwrap();
        let groups = [
            ("parameter", &step.parameters),
            ("tag", &step.tags),
            ("output", &step.outputs),
            ("section", &step.sections),
            ("image", &step.images),
        ];
        for (what, values) in groups {
            for (name, change) in values {
                writeln!(text, "  {what} {name}: {}", arrow(change)).unwrap();
            }
        }
        if let Some(protection) = &step.protection {
            writeln!(text, "  protection: {}", arrow(protection)).unwrap();
        }
        for change in &step.changes {
            let because = if change.because.is_empty() {
                String::new()
            } else {
                format!(" because {}", change.because.join(", "))
            };
            let removal = change.removal.map(|removal| format!(" ({removal:?} the old)")).unwrap_or_default();
            writeln!(text, "  {:?} {} {}{removal}{because}", change.action, change.logical_id, change.resource_type)
                .unwrap();
            if change.action != ChangeAction::Add {
                for property in &change.properties {
                    writeln!(text, "    {}: {} [{:?}]", property.path, arrow(&property.change), property.recreation)
                        .unwrap();
                }
            }
        }
    }
    for asset in &plan.assets {
        let (waits, needed) = (asset.waits_on.join(", "), asset.needed_by.join(", "));
        writeln!(text, "{:?} {} after {waits} for {needed}", asset.action, asset.id).unwrap();
    }
    for finding in &plan.findings {
        let id = finding.logical_id.as_ref().map(|id| format!(".{id}")).unwrap_or_default();
        writeln!(text, "{:?} {} {}{id}: {}", finding.severity, finding.code, finding.stack, finding.message).unwrap();
    }
    text
}

fn arrow(change: &ValueChange) -> String {
    format!("{} → {}", value(&change.before), value(&change.after))
}

fn value(value: &Value) -> String {
    match value {
        Value::Absent => "absent".to_owned(),
        Value::Known(Json::String(text)) => text.clone(),
        Value::Known(json) => json.to_string(),
        Value::Unknown => "?".to_owned(),
        Value::Sensitive => "secret".to_owned(),
    }
}
