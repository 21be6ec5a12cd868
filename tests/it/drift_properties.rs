//! Every property of every resource type of the catalog that can be changed is changed through Cloud Control, and found.

use crate::support::candidates::others;
use crate::support::drifting::{applied, assert_quiet, control, described, drift_of, facts_of};
use crate::support::root;
use crate::support::whole::Whole;
use cloudformation::schema::{PropertyPath, RequiresRecreation, ResourceType, Schema, resource_type};
use infra::drift::{PropertyKind, Status};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Values for what the schemas alone do not lead to.
const GIVEN: [(&str, &str, &str); 10] = [
    ("AWS::IAM::OIDCProvider", "ThumbprintList", r#"["0123456789abcdef0123456789abcdef01234567"]"#),
    (
        "AWS::Route53::RecordSet",
        "CidrRoutingConfig",
        r#"{"CollectionId": "0b1c2d3e-0000-4000-8000-000000000000", "LocationName": "home"}"#,
    ),
    ("AWS::Route53::RecordSet", "GeoLocation", r#"{"ContinentCode": "EU"}"#),
    ("AWS::S3::Bucket", "AnalyticsConfigurations", r#"[{"Id": "all", "StorageClassAnalysis": {}}]"#),
    (
        "AWS::WAFv2::WebACL",
        "AssociationConfig",
        r#"{"RequestBody": {"CLOUDFRONT": {"DefaultSizeInspectionLimit": "KB_32"}}}"#,
    ),
    ("AWS::WAFv2::WebACL", "CaptchaConfig", r#"{"ImmunityTimeProperty": {"ImmunityTime": 120}}"#),
    ("AWS::WAFv2::WebACL", "ChallengeConfig", r#"{"ImmunityTimeProperty": {"ImmunityTime": 600}}"#),
    ("AWS::WAFv2::WebACL", "CustomResponseBodies", r#"{"no": {"ContentType": "TEXT_PLAIN", "Content": "no"}}"#),
    ("AWS::WAFv2::WebACL", "DefaultAction", r#"{"Block": {}}"#),
    ("AWS::IAM::Role", "MaxSessionDuration", "7200"),
];

/// Values that AWS gives by itself where nothing is said: to set one of them changes nothing.
const BY_ITSELF: [(&str, &str, &str); 7] = [
    ("AWS::CloudWatch::Alarm", "ActionsEnabled", "true"),
    ("AWS::DynamoDB::Table", "TableClass", "\"STANDARD\""),
    ("AWS::KMS::Key", "Enabled", "true"),
    ("AWS::KMS::Key", "KeySpec", "\"SYMMETRIC_DEFAULT\""),
    ("AWS::KMS::Key", "KeyUsage", "\"ENCRYPT_DECRYPT\""),
    ("AWS::KMS::Key", "Origin", "\"AWS_KMS\""),
    ("AWS::Logs::LogGroup", "LogGroupClass", "\"STANDARD\""),
];

/// What cannot be given another value by itself, and why.
const NOT_CHANGED: [(&str, &str, &str); 14] = [
    (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "ScheduledActions",
        "takes schedules, which the registry tells from other texts by nothing",
    ),
    ("AWS::CertificateManager::Certificate", "Id", "ACM's own, although the registry does not say so"),
    ("AWS::CloudWatch::Alarm", "EvaluationCriteria", "of alarms on queries, instead of MetricName"),
    ("AWS::CloudWatch::Alarm", "EvaluationWindow", "its one form has no member that the registry names"),
    ("AWS::CloudWatch::Alarm", "ExtendedStatistic", "instead of Statistic"),
    ("AWS::CloudWatch::Alarm", "Metrics", "of alarms on expressions, instead of MetricName"),
    ("AWS::CloudWatch::Alarm", "ThresholdMetricId", "instead of Threshold"),
    ("AWS::DynamoDB::Table", "LocalSecondaryIndexes", "only with other keys, which replace the table"),
    (
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "Transforms",
        "of several forms, which the registry tells apart by text",
    ),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "SubnetMappings", "instead of Subnets"),
    ("AWS::IAM::ManagedPolicy", "Groups", "names groups, and there are none"),
    ("AWS::IAM::ManagedPolicy", "Roles", "names roles that would have to be made for it"),
    ("AWS::IAM::ManagedPolicy", "Users", "names users, and there are none"),
    ("AWS::WAFv2::WebACL", "MonetizationConfig", "needs a payment network's prices"),
];

/// Types of which nothing is changed, and why.
const NOT_TRIED: [(&str, &str); 4] = [
    ("AWS::EC2::EIP", "parts of its identifier are known to EC2 alone: CloudFormation's detection compares it"),
    ("AWS::EC2::SubnetRouteTableAssociation", "it is replaced, never updated"),
    ("AWS::Lambda::Function", "prod has none"),
    ("AWS::SNS::TopicPolicy", "Cloud Control knows no way: it is changed through SNS, in `drift_services`"),
];

/// Longer than Cloud Control takes for any change.
const SETTLED: Duration = Duration::from_secs(900);

/// Resources of one type that are changed at the same time, at most.
const TOGETHER: usize = 8;

/// A resource of prod.
struct Subject {
    stack: String,
    region: String,
    logical_id: String,
    /// As Cloud Control calls it.
    identifier: String,
}

/// What has yet to be changed of a type.
struct Work {
    known: &'static ResourceType,
    subjects: Vec<Subject>,
    open: Vec<Open>,
}

/// A property that was not changed yet.
struct Open {
    name: String,
    refused_by: BTreeSet<usize>,
    /// What was said last.
    words: String,
}

/// One change that was made.
struct Made {
    of: usize,
    subject: usize,
    name: String,
    before: Option<Json>,
    after: Json,
}

/// The properties that an update can give another value without replacing anything. With another identifier it would be
/// another resource.
fn mutable(known: &ResourceType) -> impl Iterator<Item = String> {
    let names = known.schema().properties().into_iter().flatten().map(|(name, _)| name.to_string());
    names.filter(|name| {
        !known.is_read_only(name)
            && !known.is_write_only(name)
            && !known.primary_identifier().iter().any(|path| path.top() == *name)
            && known.update_behaviour(name) == RequiresRecreation::Never
    })
}

/// The types that the templates of the catalog name.
fn catalog() -> BTreeSet<String> {
    let folder = std::fs::read_dir(root().join("templates")).expect("templates");
    let texts = folder.map(|entry| std::fs::read_to_string(entry.expect("a file").path()).expect("a text"));
    let of_text = |text: String| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("Type: AWS::"));
        lines.map(|name| format!("AWS::{}", name.trim())).filter(|name| name.matches("::").count() == 2).collect()
    };
    texts.flat_map(of_text).collect()
}

async fn work(whole: &Whole, chosen: impl Fn(&str) -> bool) -> Vec<Work> {
    let mut found: BTreeMap<String, Work> = BTreeMap::new();
    for stack in facts_of(whole, &[]).await.stacks {
        let region = stack.deployed.as_ref().expect("is there").target.region.clone();
        for facts in stack.resources.iter().flatten() {
            let Some(known) = resource_type(&facts.resource.resource_type) else { continue };
            let Some(Json::Object(live)) = facts.properties() else { continue };
            if !chosen(known.name()) || !known.has_handler("update") {
                continue;
            }
            let part = |path: &PropertyPath| live.get(path.top()).and_then(Json::as_str).unwrap_or_default();
            let identifier = known.primary_identifier().iter().map(part).collect::<Vec<_>>().join("|");
            let subject = Subject {
                stack: stack.name.clone(),
                region: region.clone(),
                logical_id: facts.resource.logical_id.clone(),
                identifier,
            };
            let open = |name| Open { name, refused_by: BTreeSet::new(), words: "no other value".to_owned() };
            let fresh = || Work { known, subjects: Vec::new(), open: mutable(known).map(open).collect() };
            let work = found.entry(known.name().to_owned()).or_insert_with(fresh);
            if work.subjects.len() < TOGETHER {
                work.subjects.push(subject);
            }
        }
    }
    found.into_values().collect()
}

/// Gives a property another value, or takes it away. The change has its effect at once; Cloud Control tells its end later.
async fn set(
    whole: &Whole,
    subject: &Subject,
    known: &ResourceType,
    name: &str,
    value: Option<&Json>,
) -> Result<(), String> {
    let path = format!("/{name}");
    let patch = match value {
        Some(value) => json!([{"op": "add", "path": path, "value": without_read_only(known, name, value)}]),
        None => json!([{"op": "remove", "path": path}]),
    };
    let patch = patch.to_string();
    let input = json!({"TypeName": known.name(), "Identifier": subject.identifier, "PatchDocument": patch});
    let token = control(whole, &subject.region, "UpdateResource", input).await?["ProgressEvent"]["RequestToken"].take();
    let asked = json!({ "RequestToken": token });
    let event = control(whole, &subject.region, "GetResourceRequestStatus", asked).await?["ProgressEvent"].take();
    match event["OperationStatus"].as_str() {
        Some("SUCCESS" | "IN_PROGRESS") => Ok(()),
        _ => Err(event["StatusMessage"].to_string()),
    }
}

/// A desired value does not name what only the service sets.
fn without_read_only(known: &ResourceType, name: &str, value: &Json) -> Json {
    fn strip(value: &mut Json, path: &[&str]) {
        match (value, path) {
            (Json::Object(members), [last]) => drop(members.remove(*last)),
            (Json::Object(members), ["*", below @ ..]) => members.values_mut().for_each(|value| strip(value, below)),
            (Json::Array(items), ["*", below @ ..]) => items.iter_mut().for_each(|value| strip(value, below)),
            (Json::Object(members), [next, below @ ..]) => {
                members.get_mut(*next).into_iter().for_each(|value| strip(value, below));
            }
            _ => {}
        }
    }
    let mut value = value.clone();
    for path in known.read_only().iter().filter(|path| path.top() == name) {
        let below: Vec<&str> = PropertyPath::segments(path).skip(1).collect();
        strip(&mut value, &below);
    }
    value
}

/// Values to try, the likeliest first.
fn candidates(known: &ResourceType, name: &str, schema: &Schema, before: Option<&Json>) -> Vec<Json> {
    let of = |list: &[(&str, &str, &str)]| -> Vec<Json> {
        let listed = list.iter().filter(|(of, property, _)| *of == known.name() && *property == name);
        listed.map(|(.., value)| serde_json::from_str(value).expect("JSON")).collect()
    };
    let by_itself = of(&BY_ITSELF);
    let all = of(&GIVEN).into_iter().chain(others(known.schema(), schema, before, 0));
    all.filter(|value| before != Some(value) && (before.is_some() || !by_itself.contains(value))).collect()
}

/// Makes one of the changes that a subject has not refused yet.
async fn change(whole: &Whole, of: &mut Work, at: usize) -> Option<(String, Option<Json>, Json)> {
    let (known, subject) = (of.known, &of.subjects[at]);
    if of.open.iter().all(|open| open.refused_by.contains(&at)) {
        return None;
    }
    let live = described(whole, &subject.region, known.name(), &subject.identifier).await.expect("there").1;
    for index in 0..of.open.len() {
        let open = &mut of.open[index];
        if !open.refused_by.insert(at) {
            continue;
        }
        let before = live.get(&open.name).cloned();
        let schema = known.property(&open.name).expect("named by the schema").schema;
        for after in candidates(known, &open.name, schema, before.as_ref()) {
            if let Err(refused) = set(whole, subject, known, &open.name, Some(&after)).await {
                open.words = refused;
                continue;
            }
            let now = described(whole, &subject.region, known.name(), &subject.identifier).await.expect("there").1;
            if now.get(&open.name) != before.as_ref() {
                return Some((of.open.remove(index).name, before, after));
            }
            open.words = "the service kept its value".to_owned();
        }
    }
    None
}

/// Changes what can be changed at the same time, looks once, puts everything back; until there is nothing left.
#[allow(clippy::print_stdout)] // its figures
async fn every_change_is_found(chosen: impl Fn(&str) -> bool) {
    let whole = applied("prod").await;
    let mut all = work(&whole, &chosen).await;
    let (mut changes, mut open, mut missed, mut rounds) = (0, 0, Vec::new(), 0);
    loop {
        let mut made = Vec::new();
        for (of, work) in all.iter_mut().enumerate() {
            for subject in 0..work.subjects.len() {
                let change = change(&whole, work, subject).await;
                made.extend(change.map(|(name, before, after)| Made { of, subject, name, before, after }));
            }
        }
        if made.is_empty() {
            break;
        }
        tokio::time::sleep(SETTLED).await;
        let stacks: BTreeSet<&String> = made.iter().map(|made| &all[made.of].subjects[made.subject].stack).collect();
        let drift = drift_of(&whole, &stacks.into_iter().cloned().collect::<Vec<_>>()).await;
        for Made { of, subject, name, before, after } in &made {
            let (known, subject) = (all[*of].known, &all[*of].subjects[*subject]);
            let stack = drift.stacks.iter().find(|stack| stack.stack == subject.stack).expect("the stack");
            let resource = stack.resources.iter().find(|it| it.logical_id == subject.logical_id).expect("the resource");
            let (named, others): (Vec<_>, Vec<_>) =
                resource.properties.iter().partition(|it| it.pointer.split('/').nth(1) == Some(name));
            let undeclared = named.iter().any(|it| it.kind == PropertyKind::Undeclared);
            open += usize::from(undeclared);
            let told = undeclared || resource.status == Status::Modified || named.iter().all(|it| it.ignored.is_some());
            if named.is_empty() || !others.is_empty() || !told {
                let found = &resource.properties;
                missed.push(format!("{} {name}: {before:?} → {after}: {:?} {found:?}", known.name(), resource.status));
            }
            set(&whole, subject, known, name, before.as_ref())
                .await
                .unwrap_or_else(|refused| panic!("{} {name} is not put back: {refused}", known.name()));
        }
        changes += made.len();
        rounds += 1;
        tokio::time::sleep(SETTLED).await;
    }
    let properties: usize = all.iter().map(|work| mutable(work.known).count()).sum();
    println!(
        "{} of {properties} mutable properties of {} types changed in {rounds} rounds ({open} that templates leave open): {:.1} % found",
        changes,
        all.len(),
        100.0 * (changes - missed.len()) as f64 / changes as f64
    );
    let not: Vec<(&str, &str, &str)> = all
        .iter()
        .flat_map(|work| work.open.iter().map(|it| (work.known.name(), it.name.as_str(), it.words.as_str())))
        .collect();
    let missing: Vec<String> = catalog()
        .into_iter()
        .filter(|name| chosen(name) && !all.iter().any(|work| work.known.name() == name))
        .collect();
    println!("not changed: {not:#?}\nnothing of: {missing:?}");
    assert!(missed.is_empty(), "{} of {changes} missed: {missed:#?}", missed.len());
    let told: Vec<(&str, &str)> = not.iter().map(|(of, name, _)| (*of, *name)).collect();
    let listed = NOT_CHANGED.iter().filter(|(of, ..)| chosen(of)).map(|(of, name, _)| (*of, *name));
    assert_eq!(told, listed.collect::<Vec<_>>());
    let elsewhere: Vec<&str> = NOT_TRIED.iter().map(|(name, _)| *name).filter(|name| chosen(name)).collect();
    assert_eq!(missing, elsewhere);
    assert_quiet(&drift_of(&whole, &[]).await);
}

#[tokio::test(start_paused = true)]
async fn every_change_through_cloud_control_is_found_and_named() {
    every_change_is_found(|_| true).await;
}
