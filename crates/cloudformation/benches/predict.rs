//! Prediction of a stack of 500 resources, CloudFormation's most, must not be felt: at most 20 ms.

use cloudformation::predict::{Deployment, predict};
use cloudformation::template::Template;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Map, json};
use std::hint::black_box;

/// 500 resources of five types that refer to each other in chains of five, with conditions, mappings and parameters.
fn text(release: &str) -> String {
    let mut resources = Map::new();
    for at in 0..100 {
        let name = |kind: &str| format!("{kind}{at}");
        resources.insert(
            name("Topic"),
            json!({ "Type": "AWS::SNS::Topic", "Properties": {
                "TopicName": { "Fn::Sub": format!("${{Project}}-{at}") },
                "DisplayName": { "Fn::If": ["IsProd", release, "dev"] },
                "Tags": [{ "Key": "project", "Value": { "Ref": "Project" } }],
            }}),
        );
        resources.insert(
            name("Role"),
            json!({ "Type": "AWS::IAM::Role", "Properties": {
                "AssumeRolePolicyDocument": { "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
                    "Principal": { "Service": { "Fn::Sub": "lambda.${AWS::URLSuffix}" } } }] },
                "Policies": [{ "PolicyName": "publish", "PolicyDocument": { "Statement": [
                    { "Effect": "Allow", "Action": "sns:Publish", "Resource": { "Ref": name("Topic") } }] } }],
            }}),
        );
        resources.insert(
            name("Function"),
            json!({ "Type": "AWS::Lambda::Function", "Properties": {
                "Role": { "Fn::GetAtt": [name("Role"), "Arn"] },
                "MemorySize": { "Fn::FindInMap": ["Sizes", { "Ref": "Size" }, "memory"] },
                "Code": { "S3Bucket": "code", "S3Key": { "Fn::Join": ["/", [{ "Ref": "Project" }, release, "code.zip"]] } },
                "Handler": "main", "Runtime": "provided.al2023", "Timeout": 30,
                "Environment": { "Variables": { "TOPIC": { "Ref": name("Topic") }, "RELEASE": release } },
            }}),
        );
        resources.insert(
            name("Permission"),
            json!({ "Type": "AWS::Lambda::Permission", "Properties": {
                "FunctionName": { "Fn::GetAtt": [name("Function"), "Arn"] }, "Action": "lambda:InvokeFunction",
                "Principal": "sns.amazonaws.com", "SourceArn": { "Ref": name("Topic") },
            }}),
        );
        resources.insert(
            name("Subscription"),
            json!({ "Type": "AWS::SNS::Subscription", "DependsOn": name("Permission"), "Properties": {
                "TopicArn": { "Ref": name("Topic") }, "Protocol": "lambda",
                "Endpoint": { "Fn::GetAtt": [name("Function"), "Arn"] },
            }}),
        );
    }
    json!({
        "Parameters": {
            "Project": { "Type": "String", "Default": "shop" },
            "Size": { "Type": "String", "Default": "small", "AllowedValues": ["small", "large"] },
        },
        "Mappings": { "Sizes": { "small": { "memory": 128 }, "large": { "memory": 1024 } } },
        "Conditions": { "IsProd": { "Fn::Equals": [{ "Ref": "Size" }, "large"] } },
        "Resources": resources,
    })
    .to_string()
}

fn deployment(release: &str, size: &str) -> Deployment {
    let template = Template::parse(&text(release)).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut deployment = Deployment::new(template);
    deployment.parameters.insert("Size".to_owned(), size.into());
    deployment
}

fn predictions(criterion: &mut Criterion) {
    let (before, after) = (deployment("v1", "small"), deployment("v2", "large"));
    let changes = predict(Some(&before), Some(&after)).map(|prediction| prediction.changes.len());
    assert!(changes.is_ok_and(|changes| changes >= 400), "the bench must have something to predict");
    criterion.bench_function("predict 500 resources", |bencher| {
        bencher.iter(|| predict(black_box(Some(&before)), black_box(Some(&after))));
    });
    let (before, after) = (text("v1"), text("v2"));
    criterion.bench_function("read two templates of 500 resources", |bencher| {
        bencher.iter(|| (Template::read(black_box(&before)), Template::read(black_box(&after))));
    });
}

criterion_group!(benches, predictions);
criterion_main!(benches);
