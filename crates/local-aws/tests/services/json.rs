//! The services that speak JSON: SSM, Secrets Manager, CloudWatch Logs, ECS.

use crate::support::{open, world};
use local_aws::LocalAws;
use serde_json::{Value as Json, json};

/// Calls an operation; the error's code where it is refused.
async fn call(aws: &LocalAws, account: &str, service: &str, target: &str, input: Json) -> Result<Json, String> {
    let scope =
        format!("AWS4-HMAC-SHA256 Credential={account}/20261122/eu-west-1/{service}/aws4_request, SignedHeaders=host");
    let request = http::Request::post(format!("https://{service}.eu-west-1.amazonaws.com/"))
        .header("authorization", scope)
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.1")
        .body(input.to_string().into())
        .expect("a request");
    let response = aws.exchange(request).await.expect("an answer");
    let body: Json = serde_json::from_slice(response.body()).unwrap_or_default();
    if response.status().is_success() {
        return Ok(body);
    }
    Err(body["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned())
}

const ACCOUNT: &str = "111122223333";

#[tokio::test]
async fn parameters_and_secrets_keep_what_they_are_given() {
    let directory = tempfile::tempdir().expect("a directory");
    // An account id inside of a value is a value like any other.
    let value = "arn:aws:iam::111122223333:role/x \"111122223333\" 123456789012";
    let arn;
    {
        let aws = open(directory.path()).await;
        let put = json!({"Name": "/app/role", "Value": value, "Type": "String"});
        call(&aws, ACCOUNT, "ssm", "AmazonSSM.PutParameter", put.clone()).await.expect("put");
        assert_eq!(
            call(&aws, ACCOUNT, "ssm", "AmazonSSM.PutParameter", put).await,
            Err("ParameterAlreadyExists".into())
        );
        let secret = json!({"Name": "db", "SecretString": value});
        let created =
            call(&aws, ACCOUNT, "secretsmanager", "secretsmanager.CreateSecret", secret).await.expect("a secret");
        arn = created["ARN"].as_str().expect("an ARN").to_owned();
        assert!(arn.starts_with("arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-"), "{arn}");
    }
    let aws = open(directory.path()).await;
    let got = call(&aws, ACCOUNT, "ssm", "AmazonSSM.GetParameter", json!({"Name": "/app/role"})).await.expect("got");
    assert_eq!(got["Parameter"]["Value"], value);
    assert_eq!(got["Parameter"]["ARN"], "arn:aws:ssm:eu-west-1:111122223333:parameter/app/role");
    for id in ["db", arn.as_str()] {
        let got = call(&aws, ACCOUNT, "secretsmanager", "secretsmanager.GetSecretValue", json!({"SecretId": id})).await;
        assert_eq!(got.expect("got")["SecretString"], value, "{id}");
    }
    let stranger = call(&aws, "444455556666", "ssm", "AmazonSSM.GetParameter", json!({"Name": "/app/role"})).await;
    assert_eq!(stranger, Err("ParameterNotFound".into()));
    let stranger =
        call(&aws, "444455556666", "secretsmanager", "secretsmanager.GetSecretValue", json!({"SecretId": "db"})).await;
    assert_eq!(stranger, Err("ResourceNotFoundException".into()));
}

#[tokio::test]
async fn logs_are_written_and_read() {
    let aws = world().await;
    let logs = async |operation: &str, input: Json| {
        call(&aws, ACCOUNT, "logs", &format!("Logs_20140328.{operation}"), input).await
    };
    let names = json!({"logGroupName": "/app", "logStreamName": "one"});
    let absent = logs("DescribeLogStreams", json!({"logGroupName": "/app"})).await;
    assert_eq!(absent, Err("ResourceNotFoundException".into()));
    logs("CreateLogGroup", json!({"logGroupName": "/app"})).await.expect("a group");
    logs("CreateLogStream", names.clone()).await.expect("a stream");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_millis() as u64;
    let mut events = names.clone();
    events["logEvents"] =
        json!([{"timestamp": now, "message": "started"}, {"timestamp": now + 1, "message": "stopped"}]);
    logs("PutLogEvents", events).await.expect("events");
    let got = logs("GetLogEvents", names).await.expect("events");
    let messages: Vec<_> =
        got["events"].as_array().expect("events").iter().map(|event| event["message"].clone()).collect();
    assert_eq!(messages, ["started", "stopped"]);
    let streams = json!({"logGroupName": "/app", "orderBy": "LastEventTime", "descending": true});
    let streams = logs("DescribeLogStreams", streams).await.expect("streams");
    assert_eq!(streams["logStreams"][0]["logStreamName"], "one");
    let groups = logs("DescribeLogGroups", json!({})).await.expect("groups");
    assert_eq!(groups["logGroups"][0]["arn"], "arn:aws:logs:eu-west-1:111122223333:log-group:/app:*");
}

#[tokio::test]
async fn ecs_knows_its_clusters_and_services() {
    let aws = world().await;
    let ecs = async |operation: &str, input: Json| {
        call(&aws, ACCOUNT, "ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), input).await
    };
    let made = ecs("CreateCluster", json!({"clusterName": "main"})).await.expect("a cluster");
    assert_eq!(made["cluster"]["clusterArn"], "arn:aws:ecs:eu-west-1:111122223333:cluster/main");
    let definition =
        json!({"family": "web", "containerDefinitions": [{"name": "web", "image": "web:1", "memory": 128}]});
    let definition = ecs("RegisterTaskDefinition", definition).await.expect("a definition");
    let definition = definition["taskDefinition"]["taskDefinitionArn"].as_str().expect("an ARN").to_owned();
    assert_eq!(definition, "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1");
    let service = json!({"cluster": "main", "serviceName": "web", "taskDefinition": definition, "desiredCount": 1});
    ecs("CreateService", service).await.expect("a service");
    let asked = json!({"cluster": "arn:aws:ecs:eu-west-1:111122223333:cluster/main", "services": ["web", "none"]});
    let found = ecs("DescribeServices", asked).await.expect("services");
    assert_eq!(found["services"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["failures"][0]["reason"], "MISSING");
    let nowhere = ecs("DescribeServices", json!({"cluster": "none", "services": ["web"]})).await;
    assert_eq!(nowhere, Err("ClusterNotFoundException".into()));
    ecs("ListTasks", json!({"cluster": "main", "serviceName": "web", "desiredStatus": "STOPPED"}))
        .await
        .expect("tasks");
}
