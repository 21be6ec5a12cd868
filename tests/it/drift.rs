//! `infra drift` on the embedded AWS in virtual time: an untouched system is quiet, nothing is changed by looking, and what
//! could not be looked at is told.

use crate::support::backend::Backend;
use crate::support::drifting::{applied, assert_quiet, control, drift_of, said, try_watched, watched};
use crate::support::whole::Whole;
use crate::support::wire::{Fault, Sent, Wire};
use infra::apply::Interrupt;
use infra::aws::cloudformation::{ChangeSetKind, ChangeSetRequest, TemplateSource};
use infra::aws::{AccessKey, Aws, Connect};
use infra::drift::{Gathering, Status, gather};
use infra::model::{RenderedStack, Target};
use infra::plan::Options;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Inputs of stacks that every environment has, and values that change something in place or make a new task definition.
const KNOBS: [(&str, &[&str], &[&str]); 24] = [
    ("fastapi-a", &["count", "min"], &["1", "2"]),
    ("fastapi-a", &["count", "max"], &["4", "5", "7", "9"]),
    ("fastapi-b", &["count", "max"], &["4", "6", "8"]),
    ("fastapi-a", &["cpu_target"], &["45", "55", "80"]),
    ("fastapi-b", &["requests_target"], &["500", "1000"]),
    ("fastapi-a", &["memory"], &["1024", "2048"]),
    ("fastapi-b", &["stop_timeout_seconds"], &["15", "60"]),
    ("fastapi-a", &["health_grace_seconds"], &["10", "90"]),
    ("fastapi-b", &["deregistration_seconds"], &["5", "120"]),
    ("fastapi-a", &["errors_threshold"], &["3", "20"]),
    ("fastapi-b", &["log_retention_days"], &["3", "60"]),
    ("fastapi-b", &["read_only"], &["false", "true"]),
    ("fastapi-a", &["table_access"], &["\"read\"", "\"read-write\""]),
    ("alb", &["idle_timeout_seconds"], &["75", "120"]),
    ("alb", &["log_retention_days"], &["45", "200"]),
    ("waf", &["rate_limit"], &["1500", "4000"]),
    ("waf", &["blocked_threshold"], &["200", "2000"]),
    ("items", &["point_in_time_recovery_days"], &["10", "20"]),
    ("items", &["throttles_threshold"], &["2", "5"]),
    ("site", &["price_class"], &["\"PriceClass_200\"", "\"PriceClass_100\""]),
    ("site", &["old_versions_days"], &["14", "90"]),
    ("cluster", &["container_insights"], &["\"enabled\"", "\"disabled\"", "\"enhanced\""]),
    ("key", &["pending_days"], &["14", "21"]),
    ("fastapi-a-images", &["keep_images"], &["30", "60"]),
];

const SEED: u64 = 20_261_122;

/// Ten random updates of an applied system. `INFRA_TEST_SEED` makes others, and replays those of a failure.
#[allow(clippy::print_stdout)] // what replays a failure
async fn an_untouched_system_is_quiet(name: &'static str) {
    let given = std::env::var("INFRA_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or(SEED);
    println!("INFRA_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let whole = applied(name).await;
    assert_quiet(&drift_of(&whole, &[]).await);
    let mut done = 0;
    while done < 10 {
        let (stack, input, values) = KNOBS[random.usize(..KNOBS.len())];
        let value: Json = serde_json::from_str(values[random.usize(..values.len())]).expect("JSON");
        let path = [&["stacks", stack, "inputs"], input].concat();
        let before = whole.set(&path, &value);
        let plan = whole.plan(&Options::default(), false).await;
        // What a protected environment refuses (shorter backups, wider access) is not done.
        if !plan.has_changes() || plan.refusals().next().is_some() {
            whole.write(&before);
            continue;
        }
        println!("{} = {value}", path.join("."));
        let made = whole.apply(&plan).await;
        assert!(!made.failed(), "{made:#?}");
        done += 1;
    }
    assert_quiet(&drift_of(&whole, &[]).await);
}

#[tokio::test(start_paused = true)]
async fn dev_is_quiet() {
    an_untouched_system_is_quiet("dev").await;
}

#[tokio::test(start_paused = true)]
async fn staging_is_quiet() {
    an_untouched_system_is_quiet("staging").await;
}

#[tokio::test(start_paused = true)]
async fn prod_is_quiet() {
    an_untouched_system_is_quiet("prod").await;
}

#[tokio::test(start_paused = true)]
async fn only_reads_are_sent_and_what_fails_is_told() {
    let whole = applied("dev").await;
    let (drift, wire) = watched(&whole, |_, _| Fault::None).await;
    assert_quiet(&drift);
    let reads = ["Describe", "Detect", "Get", "List", "Lookup"];
    let others: Vec<String> = wire
        .calls()
        .iter()
        .filter(|call| call.service != "s3" && !reads.iter().any(|read| call.operation.starts_with(read)))
        .map(|call| format!("{}:{}", call.service, call.operation))
        .collect();
    assert_eq!(others, [] as [String; 0]);
    let written = wire.calls().iter().any(|call| call.service == "s3" && !call.operation.starts_with("GET"));
    assert!(!written, "{:?}", wire.calls());
    eprintln!("dev: {} resources by {} calls", drift.summary.resources, wire.calls().len());

    // Half denied: Cloud Control may not be asked, nor who has our tags. CloudFormation's own detection is left.
    let (drift, _) = watched(&whole, |sent, _| match sent.operation.as_str() {
        "GetResource" | "GetResources" => Fault::json(400, "AccessDeniedException"),
        _ => Fault::None,
    })
    .await;
    assert!(!drift.has_drift(), "{}", said(&drift));
    assert!(drift.unchecked.iter().any(|one| one.what.starts_with("tagged resources")), "{:?}", drift.unchecked);

    // Neither of both: nothing reads as clean but what the services themselves tell.
    let (drift, _) = watched(&whole, |sent, _| match sent.operation.as_str() {
        "GetResource" => Fault::json(400, "AccessDeniedException"),
        "DetectStackDrift" => Fault::query(403, "AccessDenied", "not yours"),
        _ => Fault::None,
    })
    .await;
    assert!(!drift.is_complete(), "{:?}", drift.summary);
    let resources = drift.stacks.iter().flat_map(|stack| &stack.resources);
    let seen = resources.filter(|resource| resource.status != Status::NotChecked);
    let seen: BTreeSet<&str> = seen.map(|resource| resource.resource_type.as_str()).collect();
    assert_eq!(
        seen,
        BTreeSet::from(["AWS::EC2::SecurityGroup", "AWS::ECS::Service", "AWS::S3::Bucket", "AWS::SNS::TopicPolicy"])
    );
    assert!(!drift.has_drift(), "{}", said(&drift));

    // Throttled for a while: asked again.
    let (drift, _) = watched(&whole, |sent, nth| match sent.operation.as_str() {
        "GetResource" if nth % 3 == 1 => Fault::json(400, "ThrottlingException"),
        "DescribeStackDriftDetectionStatus" if nth % 3 == 1 => Fault::query(400, "Throttling", "Rate exceeded"),
        _ => Fault::None,
    })
    .await;
    assert_quiet(&drift);
}

/// What a call asks, whatever it asks it of.
fn asked(sent: &Sent) -> (String, String) {
    let operation = match sent.service.as_str() {
        "s3" => sent.operation.split('/').next().unwrap_or_default().trim().to_owned(),
        _ => sent.operation.clone(),
    };
    (sent.service.clone(), operation)
}

/// As the service says that it is asked too often.
fn throttled(service: &str) -> Fault {
    match service {
        "s3" => Fault::s3(503, "SlowDown"),
        "ec2" => Fault::query(503, "RequestLimitExceeded", "Request limit exceeded."),
        "cloudformation" | "elasticloadbalancing" | "sns" | "sts" => Fault::query(400, "Throttling", "Rate exceeded"),
        _ => Fault::json(400, "ThrottlingException"),
    }
}

/// Each read of a look by itself: what it would have told is called unknown, never clean and never drift, and the look ends.
#[tokio::test(start_paused = true)]
async fn whatever_is_throttled_without_end_is_told() {
    let whole = applied("dev").await;
    let (_, wire) = watched(&whole, |_, _| Fault::None).await;
    let all: BTreeSet<(String, String)> = wire.calls().iter().map(asked).collect();
    let services: BTreeSet<&str> = all.iter().map(|(service, _)| service.as_str()).collect();
    assert!(services.len() >= 6, "{services:?}");
    let told = "AWS kept asking for fewer calls";
    for one in &all {
        let (began, of) = (tokio::time::Instant::now(), one.clone());
        let rule = move |sent: &Sent, _| if asked(sent) == of { throttled(&sent.service) } else { Fault::None };
        let result = try_watched(&whole, rule).await;
        assert!(began.elapsed() < Duration::from_secs(600), "{one:?}: {:?}", began.elapsed());
        match (one.1.as_str(), result) {
            // Without them there is nothing to compare.
            ("DescribeStacks" | "GET", result) => {
                let error = result.map(|_| ()).expect_err("nothing could be looked at");
                assert!(error.message.contains(told), "{one:?}: {error}");
            }
            (_, Err(error)) => panic!("{one:?}: {error}"),
            (operation, Ok((drift, _))) => {
                assert!(!drift.has_drift() && drift.summary.undeclared == 0, "{one:?}: {}", said(&drift));
                // CloudFormation's own detection looks at all that Cloud Control can read here.
                let covered = operation == "GetResource";
                assert_eq!(drift.is_complete(), covered, "{one:?}: {}", said(&drift));
                assert!(covered || said(&drift).contains(told), "{one:?}: {}", said(&drift));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_for_reading_sends_nothing_else() {
    let whole = Whole::new("dev").await;
    let (environment, wanted) = whole.files();
    let wire = Wire::new(whole.world.http_client());
    let aws = Aws::connect(Connect {
        region: environment.region.clone(),
        credentials: Some(AccessKey { id: environment.account.clone(), secret: "test".to_owned() }),
        http_client: Some(wire.client()),
        read_only: true,
        ..Connect::default()
    })
    .await;
    let refused =
        aws.cloudformation(&wanted[0].target).set_termination_protection("x", false).await.expect_err("refused");
    assert!(refused.message.contains("cloudformation:UpdateTerminationProtection was not sent"), "{refused}");
    assert!(wire.calls().is_empty(), "{:?}", wire.calls());
}

/// Resources with our tags that somebody made beside the stacks, and stacks that were deleted.
#[tokio::test(start_paused = true)]
async fn what_nobody_manages_and_what_is_gone() {
    let whole = applied("dev").await;
    let environment = whole.files().0;
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let tags = json!([tag("ManagedBy", "infra"), tag("Project", &environment.project), tag("Environment", "dev")]);
    let desired = json!({"TopicName": "by-hand", "Tags": tags}).to_string();
    let input = json!({"TypeName": "AWS::SNS::Topic", "DesiredState": desired});
    control(&whole, &environment.region, "CreateResource", input).await.expect("a topic");
    let (drift, _) = watched(&whole, |_, _| Fault::None).await;
    let arns: Vec<&str> = drift.unmanaged.iter().map(|one| one.arn.as_str()).collect();
    assert!(arns.len() == 1 && arns[0].ends_with(":by-hand"), "{arns:?}");
    assert!(drift.has_drift());
}

/// A hundred stacks take little longer than CloudFormation takes for the largest.
#[tokio::test(start_paused = true)]
async fn a_hundred_stacks_take_as_long_as_the_slowest() {
    let backend = Backend::local_aws().await;
    let (aws, wire) = backend.connect().await;
    let environment = backend.environment();
    let target = Target { account: environment.account.clone(), region: environment.region.clone(), role: None };
    let cloudformation = aws.cloudformation(&target);
    let mut wanted = Vec::new();
    for stack in 0..100 {
        let resources: usize = if stack == 63 { 40 } else { 1 + stack % 7 };
        let all: serde_json::Map<String, Json> = (0..resources)
            .map(|n| (format!("Topic{n}"), json!({"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}})))
            .collect();
        let template = json!({"Resources": all}).to_string();
        let name = format!("s{stack}");
        let stack_name = format!("shop-dev-{name}");
        let tags = [("ManagedBy", "infra"), ("Project", "shop"), ("Environment", "dev")];
        let tags: BTreeMap<String, String> = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let request = ChangeSetRequest {
            stack_name: stack_name.clone(),
            name: "infra-1".to_owned(),
            kind: ChangeSetKind::Create,
            template: TemplateSource::Body(template.clone()),
            parameters: BTreeMap::new(),
            tags: tags.clone(),
            capabilities: Vec::new(),
            description: "by hand".to_owned(),
            reverts_drift: false,
            includes_nested: false,
            imports_existing: false,
            imports: Vec::new(),
        };
        let id = cloudformation.create_change_set(&request).await.expect("a change set");
        tokio::time::sleep(Duration::from_secs(30)).await;
        cloudformation.execute_change_set(&stack_name, &id, "t").await.expect("executed");
        wanted.push(RenderedStack {
            name,
            stack_name,
            target: target.clone(),
            template_name: "t".to_owned(),
            template_digest: infra::model::digest(&template),
            template,
            parameters: BTreeMap::new(),
            tags,
            capabilities: Vec::new(),
            protect: false,
            stack_policy: None,
            after: Vec::new(),
            places: BTreeMap::new(),
        });
    }
    tokio::time::sleep(Duration::from_secs(3600)).await;
    wire.forget();
    let (events, _) = tokio::sync::mpsc::unbounded_channel();
    let never = Interrupt::never();
    let look = async |only: &[String]| {
        let how = Gathering {
            aws: &aws,
            environment: &environment,
            wanted: &wanted,
            state: None,
            only,
            events: &events,
            interrupt: &never,
        };
        let began = tokio::time::Instant::now();
        let facts = gather(how).await.expect("facts");
        assert!(facts.stacks.iter().all(|stack| stack.detected.problem.is_none()));
        began.elapsed().as_secs_f64()
    };
    // What CloudFormation takes for the largest by itself: a second for each resource.
    let slowest = 40.0;
    let alone = look(&["s63".to_owned()]).await;
    wire.forget();
    let all = look(&[]).await;
    let calls = wire.calls().len();
    eprintln!(
        "100 stacks: {all:.1} s by {calls} calls ({:.1} a second); the slowest alone {alone:.1} s, its detection {slowest} s: {:.2} times",
        calls as f64 / all,
        all / slowest
    );
    assert!(all <= slowest * 1.3, "{all} s");
}
