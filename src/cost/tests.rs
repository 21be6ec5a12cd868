//! The estimate by tables, and its promises by properties.

use super::*;
use crate::catalog::Catalog;
use crate::inventory::{Resource, of_stacks};
use crate::model::Usage;
use crate::render::render;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn resource(resource_type: &str, properties: Json) -> Resource {
    Resource {
        stack: "one".to_owned(),
        region: "us-east-1".to_owned(),
        logical_id: "It".to_owned(),
        resource_type: resource_type.to_owned(),
        properties,
    }
}

fn of(resources: &[Resource]) -> Estimate {
    estimate(resources, &Sheets::embedded().unwrap(), &Usage::default())
}

/// `what: quantity × price = amount`, and what has no price.
fn lines(resources: &[Resource]) -> Vec<String> {
    let estimate = of(resources);
    let mut said = Vec::new();
    for resource in estimate.stacks.iter().flat_map(|stack| &stack.resources) {
        match &resource.cost {
            Priced::Free(why) => said.push(format!("free: {why}")),
            Priced::Lines { lines, unknown, .. } => {
                let line = |line: &Line| format!("{}: {} × {} = {}", line.what, line.quantity, line.price, line.amount);
                said.extend(lines.iter().map(line));
                said.extend(unknown.iter().map(|it| format!("{}: {}", it.what, it.why)));
            }
        }
    }
    said
}

#[test]
fn caches_are_billed_by_their_nodes() {
    let group = |properties: Json| lines(&[resource("AWS::ElastiCache::ReplicationGroup", properties)]);
    let node = "cache.t4g.micro";
    let two = group(json!({"Engine": "redis", "CacheNodeType": node, "NumCacheClusters": 2}));
    assert_eq!(two, ["cache.t4g.micro: 1460 × 0.016 = 23.36"]);
    let shards =
        group(json!({"Engine": "redis", "CacheNodeType": node, "NumNodeGroups": 2, "ReplicasPerNodeGroup": 1}));
    assert_eq!(shards, ["cache.t4g.micro: 2920 × 0.016 = 46.72"]);
    let unknown = group(json!({"Engine": "valkey", "CacheNodeType": "cache.r7g.large"}));
    assert!(unknown[0].contains("no price `cache-valkey-cache.r7g.large-hour` for us-east-1"), "{unknown:?}");
    let gp3 = json!({"DBInstanceClass": "db.t4g.micro", "StorageType": "gp3", "AllocatedStorage": "20"});
    let database = lines(&[resource("AWS::RDS::DBInstance", gp3)]);
    assert_eq!(database[1], "storage: 20 × 0.115 = 2.30");
}

#[test]
fn every_price_has_a_source_and_a_day() {
    let sheets = Sheets::embedded().unwrap();
    assert_eq!(sheets.regions().collect::<Vec<_>>(), ["eu-west-1", "global", "us-east-1"]);
    for region in ["eu-west-1", "global", "us-east-1"] {
        for sheet in sheets.of_region(region).unwrap() {
            assert!(sheet.prices.len() > 8, "{region}");
            for (key, entry) in &sheet.prices {
                let price = sheet.price(key).unwrap();
                assert!(price.source.starts_with("https://"), "{region} {key}");
                assert!(price.usd > Decimal::ZERO && !price.unit.is_empty(), "{region} {key}");
                assert!(price.date.year() >= 2025, "{region} {key}");
                let prefix = if region == "eu-west-1" { "EU-" } else { "" };
                assert!(entry.api.as_ref().is_none_or(|api| api.usage_type.starts_with(prefix)), "{region} {key}");
            }
        }
    }
}

#[test]
fn tasks_are_billed_by_their_size_and_least_number() {
    let task = |cpu: &str, memory: &str, arm: bool| Resource {
        logical_id: "Task".to_owned(),
        ..resource(
            "AWS::ECS::TaskDefinition",
            json!({"Cpu": cpu, "Memory": memory,
                "RuntimePlatform": {"CpuArchitecture": if arm { "ARM64" } else { "X86_64" }}}),
        )
    };
    let service = |more: Json| {
        let mut properties = json!({"LaunchType": "FARGATE", "TaskDefinition": "⟦one/Task⟧"});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        resource("AWS::ECS::Service", properties)
    };
    let free = "free: billed by the services that run it".to_owned();
    assert_eq!(
        lines(&[task("512", "1024", false), service(json!({"DesiredCount": 3}))]),
        [
            free.clone(),
            "3 tasks × 0.5 vCPU: 1095 × 0.04048 = 44.33".to_owned(),
            "3 tasks × 1 GB: 2190 × 0.004445 = 9.73".to_owned()
        ]
    );
    let target = Resource {
        logical_id: "Target".to_owned(),
        ..resource(
            "AWS::ApplicationAutoScaling::ScalableTarget",
            json!({"MinCapacity": 2, "MaxCapacity": 9, "ResourceId": "service/x/⟦one/It.Name⟧"}),
        )
    };
    let public = json!({"NetworkConfiguration": {"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED"}}});
    assert_eq!(
        lines(&[task("1024", "2048", true), target, service(public)])[2..],
        [
            "2 of 2 to 9 tasks × 1 vCPU: 1460 × 0.03238 = 47.27".to_owned(),
            "2 of 2 to 9 tasks × 2 GB: 2920 × 0.00356 = 10.40".to_owned(),
            "public addresses of 2 of 2 to 9 tasks: 1460 × 0.005 = 7.30".to_owned()
        ]
    );
    let on_instances = resource("AWS::ECS::Service", json!({"LaunchType": "EC2", "TaskDefinition": "⟦one/Task⟧"}));
    assert!(lines(&[task("256", "512", false), on_instances])[1].contains("only services on Fargate"));
}

#[test]
fn what_is_not_known_is_never_zero() {
    let unknown = |resource_type: &str, properties: Json| {
        let estimate = of(&[resource(resource_type, properties)]);
        assert_eq!(estimate.total, Decimal::ZERO);
        estimate.unknown().map(|(_, _, it)| it.why.clone()).collect::<Vec<String>>()
    };
    assert_eq!(unknown("AWS::Nobody::Knows", json!({})), ["infra does not know what this type costs"]);
    let no_price = unknown("AWS::EC2::Instance", json!({"InstanceType": "x9.huge"}));
    assert_eq!(no_price[1], "no price `ec2-x9.huge-hour` for us-east-1 in the price sheets");
    assert_eq!(
        unknown("AWS::ECS::Service", json!({"LaunchType": "FARGATE"})),
        ["the task definition is not among the stacks"]
    );
    let elsewhere = Resource { region: "sa-east-1".to_owned(), ..resource("AWS::EC2::NatGateway", json!({})) };
    assert_eq!(of(&[elsewhere]).unknown().count(), 2, "a region without a sheet");
}

#[test]
fn resources_by_how_they_are_configured() {
    for (resource_type, properties, expected) in [
        ("AWS::IAM::Role", json!({}), vec!["free: IAM is free"]),
        ("AWS::EC2::VPCEndpoint", json!({"VpcEndpointType": "Gateway"}), vec!["free: gateway endpoints are free"]),
        (
            "AWS::EC2::VPCEndpoint",
            json!({"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}),
            vec!["endpoint in its zones: 1460 × 0.01 = 14.60", "data processed: 5 × 0.01 = 0.05"],
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"RetentionInDays": 365}),
            vec!["written: 2 × 0.50 = 1.00", "kept 365 days, compressed: 3.6 × 0.03 = 0.11"],
        ),
        ("AWS::CloudWatch::Alarm", json!({"MetricName": "X", "Period": 60}), vec!["metrics watched: 1 × 0.10 = 0.10"]),
        (
            "AWS::CloudWatch::Alarm",
            json!({"MetricName": "X", "Period": "10"}),
            vec!["metrics watched: 1 × 0.30 = 0.30"],
        ),
        (
            "AWS::CloudWatch::Alarm",
            json!({"Metrics": [{"Expression": "a/b"}, {"MetricStat": {}}, {"MetricStat": {}}]}),
            vec!["metrics watched: 2 × 0.10 = 0.20"],
        ),
        ("AWS::ECS::Cluster", json!({}), vec!["free: clusters are free; its tasks are billed with their services"]),
        (
            "AWS::Lambda::Function",
            json!({"MemorySize": 512}),
            vec!["calls: 1 × 0.20 = 0.20", "compute: 50000 × 0.0000166667 = 0.83"],
        ),
        ("AWS::EKS::Cluster", json!({}), vec!["control plane: 730 × 0.10 = 73.00"]),
    ] {
        assert_eq!(lines(&[resource(resource_type, properties.clone())]), expected, "{resource_type} {properties}");
    }
}

#[test]
fn figures_of_a_stack_come_before_those_of_the_environment() {
    let half = Decimal::new(5, 1);
    let all = BTreeMap::from([("nat_gb".to_owned(), Decimal::from(100))]);
    let own = BTreeMap::from([("one".to_owned(), BTreeMap::from([("nat_gb".to_owned(), half)]))]);
    let nat = [resource("AWS::EC2::NatGateway", json!({}))];
    let sheets = Sheets::embedded().unwrap();
    let total = |usage: Usage| estimate(&nat, &sheets, &usage).total.to_string();
    assert_eq!(total(Usage::default()), "33.75");
    assert_eq!(total(Usage { all: all.clone(), stacks: BTreeMap::new() }), "37.35");
    assert_eq!(total(Usage { all, stacks: own }), "32.87", "half a GB is 0.0225, to the cent 0.02");
}

#[test]
fn a_projects_own_prices_come_first() {
    let folder = tempfile::TempDir::new().unwrap();
    let own = folder.path().join("prices");
    std::fs::create_dir(&own).unwrap();
    let sheet = |prices: &str| {
        format!(
            "region: us-east-1\ncurrency: USD\nsources: {{deal: {{url: \"https://x\", date: 2026-11-01, basis: \
             price-list}}}}\nprices: {prices}\n"
        )
    };
    std::fs::write(own.join("us-east-1.yaml"), sheet("{nat-hour: {usd: \"0.01\", unit: hour, source: deal}}")).unwrap();
    let sheets = Sheets::open(folder.path()).unwrap();
    assert_eq!(sheets.price("us-east-1", "nat-hour").unwrap().usd, Decimal::new(1, 2));
    assert_eq!(sheets.price("us-east-1", "nat-gb").unwrap().usd, Decimal::new(45, 3), "the rest is infra's");
    for (prices, why) in [
        ("{nat-hour: {usd: \"0.01\", unit: hour, source: nobody}}", "names the source `nobody`"),
        ("{nat-hour: {usd: \"-1\", unit: hour, source: deal}}", "`nat-hour` is -1"),
        ("{nat-hour: {usd: \"0.01\", unit: hour}}", "missing field `source`"),
    ] {
        std::fs::write(own.join("us-east-1.yaml"), sheet(prices)).unwrap();
        let error = Sheets::open(folder.path()).unwrap_err();
        assert!(error.details.concat().contains(why), "{:?}", error.details);
    }
}

fn storefront(environment: &str) -> (Vec<Resource>, Usage) {
    let (environment, _) = crate::environment::load(project(), environment).unwrap();
    (of_stacks(&render(&environment, &Catalog::embedded()).unwrap()), environment.usage)
}

/// A line of docs/cost.md: stack, resource, quantity, price, amount.
type Written = (String, String, Decimal, Decimal, Decimal);

/// The tables below a heading of docs/cost.md, and the total that it ends with.
fn by_hand(environment: &str) -> (Vec<Written>, Decimal) {
    let text = std::fs::read_to_string(project().join("docs/cost.md")).unwrap();
    let section = text.split(&format!("\n### {environment}\n")).nth(1).expect("a section for it");
    let section = section.split("\n### ").next().unwrap().split("\n## ").next().unwrap();
    let number = |cell: &str| -> Decimal { cell.replace(',', "").trim_matches('*').trim().parse().expect(cell) };
    let (mut written, mut total) = (Vec::new(), None);
    let (mut stack, mut resource) = (String::new(), String::new());
    for row in section.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        match cells[..] {
            ["stack", ..] | ["---", ..] => {}
            ["**total**", .., amount] => total = Some(number(amount)),
            [of, one, _, quantity, price, amount] => {
                if !of.is_empty() {
                    of.clone_into(&mut stack);
                }
                if !one.is_empty() {
                    one.clone_into(&mut resource);
                }
                written.push((stack.clone(), resource.clone(), number(quantity), number(price), number(amount)));
            }
            _ => panic!("{row}"),
        }
    }
    (written, total.expect("a total"))
}

/// docs/cost.md was calculated by hand: every line of it, and its sums, are those of `infra cost`.
#[test]
fn the_storefront_costs_what_was_calculated_by_hand() {
    for environment in ["dev", "prod"] {
        let (resources, usage) = storefront(environment);
        let estimate = estimate(&resources, &Sheets::embedded().unwrap(), &usage);
        let mut found: Vec<Written> = Vec::new();
        for stack in &estimate.stacks {
            for resource in &stack.resources {
                let Priced::Lines { lines, .. } = &resource.cost else { continue };
                let written = |line: &Line| {
                    (stack.stack.clone(), resource.logical_id.clone(), line.quantity, line.price, line.amount)
                };
                found.extend(lines.iter().map(written));
            }
        }
        let (mut written, total) = by_hand(environment);
        assert_eq!(written.iter().map(|line| line.4).sum::<Decimal>(), total, "{environment}: adds up by itself");
        written.sort();
        found.sort();
        assert_eq!(found, written, "{environment}");
        assert_eq!(estimate.total, total, "{environment}");
        let unknown: Vec<String> =
            estimate.unknown().map(|(stack, _, it)| format!("{} {}", stack.stack, it.what)).collect();
        let expected: &[&str] =
            if environment == "prod" { &["cluster metrics of Container Insights (enhanced)"] } else { &[] };
        assert_eq!(unknown, expected, "{environment}");
    }
}

/// Rendered once for all cases.
static DEV: LazyLock<(Vec<Resource>, Sheets)> = LazyLock::new(|| (storefront("dev").0, Sheets::embedded().unwrap()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Sums are sums, amounts are products to the cent, and twice the use never costs less.
    #[test]
    fn an_estimate_adds_up(figures in prop::collection::vec(0u32..5_000_000, crate::environment::ASSUMPTIONS.len())) {
        let (resources, sheets) = &*DEV;
        let usage = |times: u32| Usage {
            all: crate::environment::ASSUMPTIONS
                .iter()
                .zip(&figures)
                .map(|(of, figure)| (of.name.to_owned(), Decimal::new(i64::from(*figure) * i64::from(times), 3)))
                .collect(),
            stacks: BTreeMap::new(),
        };
        let once = estimate(resources, sheets, &usage(1));
        for stack in &once.stacks {
            let mut sum = Decimal::ZERO;
            for resource in &stack.resources {
                let Priced::Lines { total, lines, .. } = &resource.cost else { continue };
                for line in lines {
                    prop_assert!((line.amount - line.quantity * line.price).abs() <= Decimal::new(5, 3));
                    prop_assert_eq!(line.amount.scale(), 2);
                }
                prop_assert_eq!(lines.iter().map(|line| line.amount).sum::<Decimal>(), *total);
                sum += *total;
            }
            prop_assert_eq!(sum, stack.total);
        }
        prop_assert_eq!(once.stacks.iter().map(|stack| stack.total).sum::<Decimal>(), once.total);
        prop_assert!(estimate(resources, sheets, &usage(2)).total >= once.total);
    }
}
