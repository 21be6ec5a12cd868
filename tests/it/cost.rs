//! What things cost: in a plan, from what is deployed to what is wanted, and from AWS's price list.

use crate::support::project::{Project, Server};
use crate::support::schema_errors;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

const ENVIRONMENT: &str = r#"project: small
account: "ACCOUNT"
region: us-east-1
apply: {lock_lease: 3s}
stacks:
  app: {inputs: {memory: 512}}
  beside: {template: logs}
"#;

/// A task on Fargate without anything around it.
const APP: &str = r#"description: A service.
inputs:
  memory: {type: integer, description: Memory of a task in MiB.}
needs: {}
outputs: {}
---
Parameters:
  Memory:
    Type: String
    Default: "{{ inputs.memory }}"
Resources:
  Network:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Network, CidrBlock: 10.0.0.0/24}
  Cluster:
    Type: AWS::ECS::Cluster
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: "256"
      Memory: !Ref Memory
      ContainerDefinitions:
        - {Name: app, Image: public.ecr.aws/docker/library/busybox:1, Essential: true}
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      TaskDefinition: !Ref Task
      LaunchType: FARGATE
      DesiredCount: 0
      NetworkConfiguration: {AwsvpcConfiguration: {Subnets: [!Ref Subnet]}}
"#;

const LOGS: &str = r#"description: A log group.
inputs: {}
needs: {}
outputs: {}
---
Resources:
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {RetentionInDays: 30}
"#;

fn project() -> Project {
    let project = Project::on_server(Server::Local);
    project
        .write("environments/dev.yaml", ENVIRONMENT)
        .write("templates/app.yaml", &APP.replace("DesiredCount: 0", "DesiredCount: 2"))
        .write("templates/logs.yaml", LOGS);
    project
}

fn last_lines(text: &str) -> Vec<&str> {
    text.lines().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect()
}

#[test]
fn a_plan_that_doubles_the_memory_says_what_that_costs() {
    let project = project();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    infra(&["bootstrap", "--yes"]).expect(0);

    // 2 × 0.25 vCPU × 730 h × 0.04048 = 14.78; 2 × 0.5 GB × 730 h × 0.004445 = 3.24; 2 GB of logs: 1.00 and 0.01.
    let first = infra(&["plan"]).expect(0).stdout;
    let cost = "Cost: 0.00 → 19.03 USD a month (+19.03): app +18.02, beside +1.01.";
    assert!(first.contains(cost), "{first}");
    infra(&["apply", "--yes"]).expect(0);
    assert!(!infra(&["plan"]).expect(0).stdout.contains("Cost"), "nothing changes");

    project.write("environments/dev.yaml", &project.read("environments/dev.yaml").replace("512", "1024"));
    let doubled = infra(&["plan"]).expect(0).stdout;
    assert_eq!(last_lines(&doubled)[0], "Cost: 19.03 → 22.28 USD a month (+3.25): app +3.25.", "{doubled}");
    let offline = infra(&["plan", "--offline"]).expect(0).stdout;
    assert_eq!(last_lines(&offline)[0], last_lines(&doubled)[0]);
    let document = infra(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!(
        document["cost"],
        json!({"currency": "USD", "before": "19.03", "after": "22.28", "difference": "3.25",
            "stacks": [{"stack": "app", "before": "18.02", "after": "21.27"}]})
    );
    let markdown = infra(&["plan", "--format", "markdown"]).expect(0).stdout;
    assert!(markdown.contains("\nCost: 19.03 → 22.28 USD a month"), "{markdown}");

    // The same without Fargate's knowledge of the price: unknown, never zero.
    project.write("prices/us-east-1.yaml", "region: us-east-1\n");
    let broken = infra(&["plan"]).expect(0);
    assert!(broken.stderr.contains("the plan has no cost: "), "{}", broken.stderr);
    infra(&["cost"]).expect(1);
    std::fs::remove_file(project.path().join("prices/us-east-1.yaml")).expect("the sheet goes");

    let gone = infra(&["cost", "--format", "json"]).expect(0).json();
    assert_eq!(gone["total"], "22.28");
    project.write(
        "environments/dev.yaml",
        &project.read("environments/dev.yaml").replace("  beside: {template: logs}\n", ""),
    );
    let less = infra(&["plan"]).expect(0).stdout;
    assert_eq!(last_lines(&less)[0], "Cost: 19.03 → 21.27 USD a month (+2.24): app +3.25, beside −1.01.", "{less}");
}

#[test]
fn an_estimate_needs_nothing_but_files() {
    let project = Project::offline();
    project
        .write("environments/dev.yaml", &ENVIRONMENT.replace("apply:", "usage: {log_gb: 10}\napply:"))
        .write("templates/app.yaml", APP)
        .write("templates/logs.yaml", &LOGS.replace("  Logs:", "  Odd:\n    Type: AWS::EMR::Studio\n  Logs:"));
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    let human = infra(&["cost"]).expect(0).stdout;
    assert!(human.starts_with("small/dev: 5.04 USD a month\n"), "{human}");
    for line in [
        "beside (us-east-1): 5.04",
        "beside.Odd: AWS::EMR::Studio: infra does not know what this type costs",
        "log_gb 10 GB",
        "4 resources cost nothing, AWS::EC2::Subnet, AWS::EC2::VPC and AWS::ECS::Cluster",
    ] {
        assert!(human.contains(line), "{line}\n{human}");
    }
    let document = infra(&["cost", "--format", "json"]).expect(0).json();
    assert_eq!(document["figures"], json!([{"name": "log_gb", "value": "10", "unit": "GB", "default": false}]));
    assert_eq!(schema_errors("cost", &document), Vec::<String>::new());
    let markdown = infra(&["cost", "--format", "markdown"]).expect(0).stdout;
    assert!(markdown.contains("| Logs | written | 10 | 0.5 GB | 5.00 |"), "{markdown}");
    let wrong = ENVIRONMENT.replace("apply:", "usage: {log_gib: 10, stacks: {nobody: {log_gb: -1}}}\napply:");
    project.write("environments/dev.yaml", &wrong);
    let refused = infra(&["cost"]).expect(1).stderr;
    for problem in
        ["unknown key `log_gib`", "there is no stack `nobody`", "`usage.stacks.nobody.log_gb` is out of range"]
    {
        assert!(refused.contains(problem), "{problem}\n{refused}");
    }
}

/// Stands in for the Pricing API: answers GetProducts in the shape of recorded answers, and keeps what was asked.
fn price_list(price: fn(&str) -> Vec<(&'static str, &'static str)>) -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let seen = seen.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                loop {
                    let (mut length, mut line) = (0, String::new());
                    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                        let lower = line.to_lowercase();
                        if let Some(value) = lower.strip_prefix("content-length:") {
                            length = value.trim().parse().expect("a length");
                        }
                        line.clear();
                    }
                    let mut body = vec![0; length];
                    if length == 0 || reader.read_exact(&mut body).is_err() {
                        return;
                    }
                    let request: Value = serde_json::from_slice(&body).expect("JSON");
                    let usage_type = request["Filters"][0]["Value"].as_str().unwrap_or_default().to_owned();
                    seen.lock().expect("nobody panicked").push(request);
                    let products: Vec<String> =
                        price(&usage_type).iter().map(|tiers| product(&usage_type, *tiers)).collect();
                    let answer = json!({"FormatVersion": "aws_v1", "PriceList": products}).to_string();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
                        answer.len()
                    );
                    if reader.get_mut().write_all(format!("{head}{answer}").as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, asked)
}

/// A product with a free tier of `free` units before its price.
fn product(usage_type: &str, (free, usd): (&str, &str)) -> String {
    let tier = |begins: &str, ends: &str, usd: &str| json!({"unit": "Hrs", "beginRange": begins, "endRange": ends, "appliesTo": [], "pricePerUnit": {"USD": usd}});
    let mut dimensions = json!({"SKU.JRTCKXETXF.2": tier(free, "Inf", usd)});
    if free != "0" {
        dimensions["SKU.JRTCKXETXF.1"] = tier("0", free, "0.0000000000");
    }
    json!({
        "product": {"productFamily": "Any", "sku": "SKU", "attributes": {"usagetype": usage_type, "regionCode": "us-east-1"}},
        "serviceCode": "Any",
        "terms": {"OnDemand": {"SKU.JRTCKXETXF": {"sku": "SKU", "offerTermCode": "JRTCKXETXF", "priceDimensions": dimensions}}},
        "version": "20261101000000",
        "publicationDate": "2026-11-01T00:00:00Z"
    })
    .to_string()
}

#[test]
fn prices_are_read_anew_and_come_first() {
    let (address, asked) = price_list(|usage_type| match usage_type {
        "USE1-Fargate-vCPU-Hours:perCPU" => vec![("0", "0.0500000000")],
        "WriteRequestUnits" => vec![("0", "0.0000010000")],
        "TimedStorage-ByteHrs" => vec![("25", "0.3000000000")],
        // Two prices for one name: nobody knows which is meant.
        "NatGateway-Hours" => vec![("0", "0.0450000000"), ("0", "0.0900000000")],
        _ => vec![],
    });
    let project = Project::offline();
    let local = "DesiredCount: 2";
    project
        .write("environments/dev.yaml", ENVIRONMENT)
        .write("templates/app.yaml", &APP.replace("DesiredCount: 0", local))
        .write("templates/logs.yaml", LOGS);
    let refresh = project
        .infra(&["cost", "--env", "dev", "--refresh", "--endpoint-url", &address])
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .expect(0);
    assert!(refresh.stderr.contains("4 prices of us-east-1 read; changed: "), "{}", refresh.stderr);
    for said in [
        "fargate-vcpu-hour 0.04048 → 0.05",
        "table-million-writes 0.625 → 1;",
        "kept as they were: alarm-month",
        "nat-hour",
    ] {
        assert!(refresh.stderr.contains(said), "{said}: {}", refresh.stderr);
    }
    // 2 × 0.25 × 730 × 0.05 = 18.25 where 14.78 was.
    assert!(refresh.stdout.starts_with("small/dev: 22.50 USD a month\n"), "{}", refresh.stdout);
    let asked = asked.lock().expect("nobody panicked");
    assert!(asked.iter().any(|request| {
        request["ServiceCode"] == "AWSELB"
            && request["Filters"][1]
                == json!({"Type": "TERM_MATCH", "Field": "operation", "Value": "LoadBalancing:Application"})
    }));

    // What was written is a sheet like any other: dated, with its source, first in line, without credentials.
    let sheet = project.read("prices/us-east-1.yaml");
    assert!(sheet.contains("basis: price-list") && sheet.contains("GetProducts of AmazonECS"), "{sheet}");
    let again = project.infra(&["cost", "--env", "dev", "--format", "json"]).expect(0).json();
    assert_eq!(again["total"], "22.50");
    let price = again["prices"].as_array().expect("prices").iter().find(|price| price["key"] == "fargate-vcpu-hour");
    assert_eq!(price.expect("the price")["source"], "https://api.pricing.us-east-1.amazonaws.com");
}
