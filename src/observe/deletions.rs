//! Whether AWS will delete what a plan deletes: one or two reads for each resource of the types that can refuse, none for
//! all others.

use super::READERS;
use crate::aws::{Aws, CloudControl, Reading, RecordSet, Result, denied};
use crate::plan::{Deletion, Obstacle};
use cloudformation::schema::resource_type;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What protects a resource from deletion is a property of one of these names, whatever its type.
const SWITCHES: [&str; 6] = [
    "DeletionProtection",
    "DeletionProtectionEnabled",
    "DeleteProtection",
    "DeletionProtectionCheck",
    "DisableApiTermination",
    "TerminationProtection",
];

/// The attribute of a load balancer that protects it (Elastic Load Balancing API, `LoadBalancerAttribute`).
const BALANCER_SWITCH: &str = "deletion_protection.enabled";

/// Why AWS will not delete these, for each that it will not.
///
/// # Errors
/// Those of reading, but for reads that are not allowed: these are an obstacle of their own, [`Obstacle::Unseen`].
pub async fn obstacles(aws: &Aws, deletions: &[Deletion]) -> Result<Vec<(Deletion, Obstacle)>> {
    let going: BTreeSet<&str> = deletions.iter().map(|deletion| deletion.physical_id.as_str()).collect();
    let going = &going;
    let looks = deletions.iter().filter(|deletion| can_refuse(deletion)).map(|deletion| async move {
        match obstacle(aws, deletion, deletions, going).await {
            Ok(found) => Ok(found.map(|found| (deletion.clone(), found))),
            Err(error) => match denied(&error) {
                Some(reason) => Ok(Some((deletion.clone(), Obstacle::Unseen(reason)))),
                None => Err(error),
            },
        }
    });
    let looks: Vec<_> = looks.collect();
    let found: Vec<Option<(Deletion, Obstacle)>> = stream::iter(looks).buffered(READERS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

fn can_refuse(deletion: &Deletion) -> bool {
    let named = matches!(
        deletion.resource_type.as_str(),
        "AWS::S3::Bucket"
            | "AWS::ECR::Repository"
            | "AWS::Route53::HostedZone"
            | "AWS::IAM::Role"
            | "AWS::IAM::Group"
            | "AWS::IAM::User"
    );
    named || is_switched(&deletion.resource_type)
}

fn is_switched(type_name: &str) -> bool {
    type_name == "AWS::ElasticLoadBalancingV2::LoadBalancer"
        || type_name == "AWS::DynamoDB::GlobalTable"
        || switches(type_name).next().is_some()
}

fn switches(type_name: &str) -> impl Iterator<Item = &'static str> {
    // Custom resources have a schema of their own, which takes any property.
    let known = resource_type(type_name).filter(|known| known.name() == type_name);
    SWITCHES.into_iter().filter(move |name| known.is_some_and(|known| known.property(name).is_some()))
}

async fn obstacle(
    aws: &Aws,
    deletion: &Deletion,
    all: &[Deletion],
    going: &BTreeSet<&str>,
) -> Result<Option<Obstacle>> {
    let Deletion { resource_type, physical_id, target, declared, .. } = deletion;
    match resource_type.as_str() {
        "AWS::S3::Bucket" => {
            let holds = aws.site_bucket(target, physical_id).holds_anything().await?;
            Ok(holds.then_some(Obstacle::Objects))
        }
        // CloudFormation deletes the images of a repository whose template says so.
        "AWS::ECR::Repository" if is_on(&declared["EmptyOnDelete"]) => Ok(None),
        "AWS::ECR::Repository" => {
            let holds = aws.ecr(target).holds_anything(physical_id).await?;
            Ok(holds.then_some(Obstacle::Images))
        }
        "AWS::Route53::HostedZone" => {
            let there = aws.route53(target).record_sets(physical_id).await?;
            let left = foreign_records(there, declared, all);
            Ok((!left.is_empty()).then_some(Obstacle::Records(left)))
        }
        "AWS::IAM::Role" | "AWS::IAM::Group" | "AWS::IAM::User" => {
            let Some(live) = read(&aws.cloud_control(target), deletion).await? else { return Ok(None) };
            let attached = foreign_policies(&live, declared, all, going);
            Ok((!attached.is_empty()).then_some(Obstacle::Policies(attached)))
        }
        _ => {
            let live = read(&aws.cloud_control(target), deletion).await?;
            Ok(switched_on(resource_type, live.as_ref().unwrap_or(declared)).map(Obstacle::Protected))
        }
    }
}

/// The resource as it is; none where it is gone already, or Cloud Control cannot read its type.
async fn read(cloudcontrol: &CloudControl, deletion: &Deletion) -> Result<Option<Json>> {
    match cloudcontrol.read(&deletion.resource_type, &deletion.physical_id).await? {
        Reading::Found(live) => Ok(Some(live)),
        Reading::Gone | Reading::Unsupported(_) => Ok(None),
    }
}

fn is_on(value: &Json) -> bool {
    match value {
        Json::Bool(on) => *on,
        Json::String(text) => matches!(text.as_str(), "true" | "ACTIVE" | "ENABLED"),
        _ => false,
    }
}

/// What protects a resource of this type with these properties.
fn switched_on(type_name: &str, properties: &Json) -> Option<String> {
    if type_name == "AWS::ElasticLoadBalancingV2::LoadBalancer" {
        let attributes = properties["LoadBalancerAttributes"].as_array().into_iter().flatten();
        let mut on = attributes.filter(|attribute| attribute["Key"] == BALANCER_SWITCH && is_on(&attribute["Value"]));
        return on.next().map(|_| BALANCER_SWITCH.to_owned());
    }
    let replicas = properties["Replicas"].as_array().into_iter().flatten();
    if replicas.into_iter().any(|replica| is_on(&replica["DeletionProtectionEnabled"])) {
        return Some("DeletionProtectionEnabled".to_owned());
    }
    switches(type_name).find(|name| is_on(&properties[*name])).map(str::to_owned)
}

/// The policies of a role, group or user that neither its own properties nor resources of the plan gave it.
fn foreign_policies(live: &Json, declared: &Json, all: &[Deletion], going: &BTreeSet<&str>) -> Vec<String> {
    let texts = |json: &Json| -> Vec<String> {
        json.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let names = |json: &Json| -> Vec<String> {
        let policies = json.as_array().into_iter().flatten();
        policies.filter_map(|policy| policy["PolicyName"].as_str().map(str::to_owned)).collect()
    };
    // Inline policies that are resources of their own go with what they are in.
    let inline: BTreeSet<&str> = all.iter().filter_map(|deletion| deletion.declared["PolicyName"].as_str()).collect();
    let own = [texts(&declared["ManagedPolicyArns"]), names(&declared["Policies"])].concat();
    // What a template gives by a function that nobody can evaluate here may be any of them.
    let open = own.iter().any(|name| name.contains("{{changeSet:"));
    let managed = texts(&live["ManagedPolicyArns"]).into_iter().filter(|arn| !going.contains(arn.as_str()));
    let named = names(&live["Policies"]).into_iter().filter(|name| !inline.contains(name.as_str()));
    match open {
        true => Vec::new(),
        false => managed.chain(named).filter(|name| !own.contains(name)).collect(),
    }
}

/// The record sets of a zone that neither came with it nor go with the plan.
fn foreign_records(there: Vec<RecordSet>, zone: &Json, all: &[Deletion]) -> Vec<String> {
    let name = |json: &Json| json.as_str().unwrap_or_default().trim_end_matches('.').to_lowercase();
    let apex = name(&zone["Name"]);
    let set = |json: &Json| (name(&json["Name"]), json["Type"].as_str().unwrap_or_default().to_owned());
    let mut going = BTreeSet::new();
    for deletion in all {
        match deletion.resource_type.as_str() {
            // It is called by its name, which may be put together from what only the account knows.
            "AWS::Route53::RecordSet" => {
                let (_, kind) = set(&deletion.declared);
                going.insert((name(&Json::String(deletion.physical_id.clone())), kind));
            }
            "AWS::Route53::RecordSetGroup" => {
                going.extend(deletion.declared["RecordSets"].as_array().into_iter().flatten().map(set));
            }
            _ => {}
        }
    }
    let own = |record: &RecordSet| record.name == apex && ["NS", "SOA"].contains(&record.kind.as_str());
    let left = there.into_iter().filter(|record| !own(record));
    let left = left.filter(|record| !going.contains(&(record.name.clone(), record.kind.clone())));
    left.map(|record| format!("{} {}", record.name, record.kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Target;
    use crate::plan::DeletionCause;
    use serde_json::json;

    #[test]
    fn switches_against_deletion_are_found_whatever_the_type() {
        let on = [
            ("AWS::DynamoDB::Table", json!({"DeletionProtectionEnabled": true}), "DeletionProtectionEnabled"),
            ("AWS::RDS::DBInstance", json!({"DeletionProtection": "true"}), "DeletionProtection"),
            ("AWS::RDS::DBCluster", json!({"DeletionProtection": true}), "DeletionProtection"),
            ("AWS::Neptune::DBCluster", json!({"DeletionProtection": true}), "DeletionProtection"),
            ("AWS::Cognito::UserPool", json!({"DeletionProtection": "ACTIVE"}), "DeletionProtection"),
            ("AWS::EC2::Instance", json!({"DisableApiTermination": true}), "DisableApiTermination"),
            ("AWS::NetworkFirewall::Firewall", json!({"DeleteProtection": true}), "DeleteProtection"),
            (
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
                json!({"LoadBalancerAttributes": [{"Key": "deletion_protection.enabled", "Value": "true"}]}),
                "deletion_protection.enabled",
            ),
            (
                "AWS::DynamoDB::GlobalTable",
                json!({"Replicas": [{"Region": "eu-west-1", "DeletionProtectionEnabled": true}]}),
                "DeletionProtectionEnabled",
            ),
        ];
        for (name, properties, switch) in on {
            assert!(is_switched(name), "{name}");
            assert_eq!(switched_on(name, &properties).as_deref(), Some(switch), "{name}");
            assert_eq!(switched_on(name, &json!({})), None, "{name}");
        }
        let off = json!({"DeletionProtection": "INACTIVE"});
        assert_eq!(switched_on("AWS::Cognito::UserPool", &off), None);
        for name in ["AWS::SQS::Queue", "AWS::EC2::VPC", "AWS::S3::BucketPolicy", "Custom::Thing"] {
            assert!(!is_switched(name), "{name} costs no call");
        }
    }

    #[test]
    fn records_that_others_made_are_told_from_those_that_go() {
        let zone = json!({"Name": "Example.org."});
        let record = |name: &str, kind: &str| RecordSet { name: name.to_owned(), kind: kind.to_owned() };
        let deletion = |resource_type: &str, declared: Json| Deletion {
            stack: "dns".to_owned(),
            logical_id: "R".to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: "www.example.org".to_owned(),
            target: Target { account: "111122223333".to_owned(), region: "eu-west-1".to_owned(), role: None },
            place: None,
            why: DeletionCause::Stack,
            declared,
        };
        let all = [
            deletion("AWS::Route53::RecordSet", json!({"Name": "www.example.org", "Type": "A"})),
            deletion(
                "AWS::Route53::RecordSetGroup",
                json!({"RecordSets": [{"Name": "mail.example.org.", "Type": "MX"}]}),
            ),
        ];
        let there = vec![
            record("example.org", "NS"),
            record("example.org", "SOA"),
            record("www.example.org", "A"),
            record("mail.example.org", "MX"),
            record("www.example.org", "AAAA"),
            record("sub.example.org", "NS"),
        ];
        assert_eq!(foreign_records(there, &zone, &all), ["www.example.org AAAA", "sub.example.org NS"]);
    }

    #[test]
    fn policies_that_others_attached_are_told_from_the_stacks_own() {
        let deletion = |resource_type: &str, physical_id: &str, declared: Json| Deletion {
            stack: "app".to_owned(),
            logical_id: "R".to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: physical_id.to_owned(),
            target: Target { account: "111122223333".to_owned(), region: "eu-west-1".to_owned(), role: None },
            place: None,
            why: DeletionCause::Stack,
            declared,
        };
        let role = json!({"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"], "Policies": [{"PolicyName": "own"}]});
        let all = [
            deletion("AWS::IAM::Role", "app", role.clone()),
            deletion("AWS::IAM::Policy", "app-Polic-1", json!({"PolicyName": "beside"})),
            deletion("AWS::IAM::ManagedPolicy", "arn:aws:iam::111122223333:policy/app", json!({})),
        ];
        let going: BTreeSet<&str> = all.iter().map(|deletion| deletion.physical_id.as_str()).collect();
        let mut live = json!({
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111122223333:policy/app"],
            "Policies": [{"PolicyName": "own"}, {"PolicyName": "beside"}],
        });
        assert_eq!(foreign_policies(&live, &role, &all, &going), [] as [String; 0]);
        live["ManagedPolicyArns"][1] = json!("arn:aws:iam::111122223333:policy/audit");
        live["Policies"][1] = json!({"PolicyName": "by-hand"});
        let found = foreign_policies(&live, &role, &all, &going);
        assert_eq!(found, ["arn:aws:iam::111122223333:policy/audit", "by-hand"]);
    }
}
