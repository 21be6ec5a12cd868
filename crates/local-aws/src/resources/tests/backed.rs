//! Resources that are real in the embedded services, and changes that come the other way.

use super::*;
use crate::door::Request;
use bytes::Bytes;

struct Thing {
    aws: LocalAws,
    owner: Owner,
    type_name: &'static str,
}

impl Thing {
    async fn new(type_name: &'static str) -> Self {
        let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
        Thing { aws, owner: owner("Thing"), type_name }
    }

    async fn create(&self, properties: &Json) -> Made {
        create(&self.aws.world, &self.owner, self.type_name, properties, None).await.expect("made")
    }

    async fn update(&self, id: &str, before: &Json, after: &Json) {
        update(&self.aws.world, &self.owner, self.type_name, id, before, after).await.expect("changed");
    }

    async fn differences(&self, id: &str, declared: &Json) -> Vec<String> {
        let live = read(&self.aws.world, &self.owner.place, self.type_name, id).await;
        let compared = drift::compare(self.type_name, declared, live.as_ref(), &self.owner.tags);
        assert_ne!(compared.status, "DELETED");
        compared.differences.into_iter().map(|found| found.path).collect()
    }

    async fn call(&self, service: &str, operation: &str, input: Json) -> Json {
        let answer = self.aws.world.services.json(&self.owner.place, service, operation, &input).await;
        answer.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    async fn s3(&self, method: http::Method, path: &str, body: &str) -> (u16, String) {
        let request: Request = http::Request::builder()
            .method(method)
            .uri(format!("https://s3.eu-west-1.amazonaws.com{path}"))
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("a request");
        let response = self.aws.world.services.call(&self.owner.place, "s3", request).await.expect("S3");
        (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
    }

    async fn delete(&self, id: &str) -> Result<(), Failure> {
        delete(&self.aws.world, &self.owner, self.type_name, id, &json!({})).await
    }

    async fn exists(&self, id: &str) -> bool {
        read(&self.aws.world, &self.owner.place, self.type_name, id).await.is_some()
    }
}

#[tokio::test]
async fn buckets() {
    use http::Method;
    let thing = Thing::new("AWS::S3::Bucket").await;
    let declared = json!({
        "BucketName": "shop-files",
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": true}
        ]},
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]},
        "Tags": [{"Key": "a", "Value": "1"}],
    });
    let made = thing.create(&declared).await;
    assert_eq!(made.physical_id, "shop-files");
    assert_eq!(made.attributes["RegionalDomainName"], "shop-files.s3.eu-west-1.amazonaws.com");
    assert_eq!(thing.differences("shop-files", &declared).await, Vec::<String>::new());
    let (_, versioning) = thing.s3(Method::GET, "/shop-files?versioning", "").await;
    assert!(versioning.contains("<Status>Enabled</Status>"), "{versioning}");
    // Somebody changes it through S3's own API.
    let off = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    assert_eq!(thing.s3(Method::PUT, "/shop-files?versioning", off).await.0, 200);
    assert!(thing.s3(Method::DELETE, "/shop-files?publicAccessBlock", "").await.0 < 300);
    let found = thing.differences("shop-files", &declared).await;
    assert_eq!(found, ["/PublicAccessBlockConfiguration", "/VersioningConfiguration/Status"]);
    // A bucket that holds something stays.
    assert_eq!(thing.s3(Method::PUT, "/shop-files/key", "x").await.0, 200);
    let refused = thing.delete("shop-files").await.expect_err("not empty");
    assert!(
        refused.reason.contains("The bucket you tried to delete is not empty (Service: S3, Status Code: 409"),
        "{}",
        refused.reason
    );
    assert!(thing.exists("shop-files").await);
}

#[tokio::test]
async fn buckets_that_s3_made_are_found_and_gone_ones_are_not() {
    use http::Method;
    let thing = Thing::new("AWS::S3::Bucket").await;
    let place =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(thing.s3(Method::PUT, "/by-hand", place).await.0, 200);
    let live = read(&thing.aws.world, &thing.owner.place, thing.type_name, "by-hand").await.expect("found");
    assert_eq!(live["BucketName"], "by-hand");
    let taken = create(&thing.aws.world, &thing.owner, thing.type_name, &json!({"BucketName": "by-hand"}), None).await;
    assert_eq!(taken.expect_err("taken").code, "AlreadyExists");
    assert_eq!(thing.s3(Method::DELETE, "/by-hand", "").await.0, 204);
    assert!(!thing.exists("by-hand").await);
}

#[tokio::test]
async fn tables() {
    let thing = Thing::new("AWS::DynamoDB::Table").await;
    let declared = json!({
        "TableName": "items",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "owner", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [{"IndexName": "by-owner", "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}}],
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": "true"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "true"},
        "SSESpecification": {"SSEEnabled": true},
        "DeletionProtectionEnabled": true,
        "Tags": [{"Key": "a", "Value": "1"}],
    });
    thing.create(&declared).await;
    assert_eq!(thing.differences("items", &declared).await, Vec::<String>::new());
    let item = json!({"TableName": "items", "Item": {"id": {"S": "1"}}});
    thing.call("dynamodb", "PutItem", item).await;
    assert!(thing.delete("items").await.expect_err("protected").reason.contains("protected against deletion"));
    let update = json!({"TableName": "items", "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}});
    thing.call("dynamodb", "UpdateTable", update).await;
    let off = json!({"TableName": "items", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": false}});
    thing.call("dynamodb", "UpdateContinuousBackups", off).await;
    let found = thing.differences("items", &declared).await;
    assert_eq!(found, ["/BillingMode", "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled"]);
    let mut after = declared.clone();
    after["DeletionProtectionEnabled"] = json!(false);
    after["BillingMode"] = json!("PAY_PER_REQUEST");
    let live = read(&thing.aws.world, &thing.owner.place, thing.type_name, "items").await.expect("there");
    thing.update("items", &live, &after).await;
    assert_eq!(thing.differences("items", &after).await, Vec::<String>::new());
    assert_eq!(thing.delete("items").await, Ok(()));
    assert!(!thing.exists("items").await);
}

#[tokio::test]
async fn parameters() {
    let thing = Thing::new("AWS::SSM::Parameter").await;
    let declared = json!({"Name": "/shop/size", "Type": "String", "Value": "3", "Tags": {"a": "1"}});
    thing.create(&declared).await;
    assert_eq!(thing.differences("/shop/size", &declared).await, Vec::<String>::new());
    let changed = json!({"Name": "/shop/size", "Type": "String", "Value": "4", "Overwrite": true});
    thing.call("ssm", "PutParameter", changed).await;
    assert_eq!(thing.differences("/shop/size", &declared).await, ["/Value"]);
    let mut after = declared.clone();
    after["Value"] = json!("5");
    thing.update("/shop/size", &declared, &after).await;
    let found = thing.call("ssm", "GetParameter", json!({"Name": "/shop/size"})).await;
    assert_eq!(found["Parameter"]["Value"], "5");
    assert_eq!(thing.delete("/shop/size").await, Ok(()));
}

#[tokio::test]
async fn repositories() {
    let thing = Thing::new("AWS::ECR::Repository").await;
    let declared = json!({
        "RepositoryName": "shop/api",
        "ImageTagMutability": "IMMUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": "true"},
        "LifecyclePolicy": {"LifecyclePolicyText": json!({"rules": [{"rulePriority": 1, "action": {"type": "expire"},
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}}]}).to_string()},
    });
    let made = thing.create(&declared).await;
    assert_eq!(made.attributes["RepositoryUri"], "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api");
    assert_eq!(thing.differences("shop/api", &declared).await, Vec::<String>::new());
    let input = json!({"repositoryName": "shop/api", "imageTagMutability": "MUTABLE"});
    thing.call("ecr", "PutImageTagMutability", input).await;
    assert_eq!(thing.differences("shop/api", &declared).await, ["/ImageTagMutability"]);
    let image = json!({"repositoryName": "shop/api", "imageTag": "1", "imageManifest":
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"config\":{},\"layers\":[]}"});
    thing.call("ecr", "PutImage", image).await;
    assert!(thing.delete("shop/api").await.is_err(), "it holds an image");
    let force = json!({"EmptyOnDelete": true});
    assert_eq!(delete(&thing.aws.world, &thing.owner, thing.type_name, "shop/api", &force).await, Ok(()));
}

#[tokio::test]
async fn secrets() {
    let thing = Thing::new("AWS::SecretsManager::Secret").await;
    let declared = json!({
        "Name": "shop/db",
        "Description": "the database",
        "GenerateSecretString": {"SecretStringTemplate": "{\"user\":\"shop\"}", "GenerateStringKey": "password",
            "PasswordLength": 24, "ExcludePunctuation": true},
    });
    let made = thing.create(&declared).await;
    assert!(made.physical_id.contains(":secret:shop/db-"), "{}", made.physical_id);
    let value = thing.call("secretsmanager", "GetSecretValue", json!({"SecretId": "shop/db"})).await;
    let text = value["SecretString"].as_str().expect("a text");
    let document: Json = serde_json::from_str(text).expect("a document");
    assert_eq!(document["user"], "shop");
    let password = document["password"].as_str().expect("a password");
    assert!(password.len() == 24 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{password}");
    assert_eq!(thing.differences(&made.physical_id, &declared).await, Vec::<String>::new());
    let input = json!({"SecretId": "shop/db", "Description": "another"});
    thing.call("secretsmanager", "UpdateSecret", input).await;
    assert_eq!(thing.differences(&made.physical_id, &declared).await, ["/Description"]);
    // Found by what `Ref` gives, too.
    let by_arn = thing.call("secretsmanager", "GetSecretValue", json!({"SecretId": made.physical_id})).await;
    assert_eq!((&by_arn["ARN"], &by_arn["SecretString"]), (&json!(made.physical_id), &value["SecretString"]));
    assert_eq!(thing.delete(&made.physical_id).await, Ok(()));
    assert!(!thing.exists(&made.physical_id).await);
}

#[tokio::test]
async fn log_groups() {
    let thing = Thing::new("AWS::Logs::LogGroup").await;
    let declared = json!({"LogGroupName": "/shop/api", "RetentionInDays": "30"});
    let made = thing.create(&declared).await;
    assert_eq!(made.attributes["Arn"], "arn:aws:logs:eu-west-1:111122223333:log-group:/shop/api:*");
    assert_eq!(thing.differences("/shop/api", &declared).await, Vec::<String>::new());
    thing.call("logs", "PutRetentionPolicy", json!({"logGroupName": "/shop/api", "retentionInDays": 7})).await;
    assert_eq!(thing.differences("/shop/api", &declared).await, ["/RetentionInDays"]);
    thing.call("logs", "DeleteLogGroup", json!({"logGroupName": "/shop/api"})).await;
    assert!(!thing.exists("/shop/api").await);
}

#[tokio::test]
async fn bucket_policies() {
    let thing = Thing::new("AWS::S3::BucketPolicy").await;
    create(&thing.aws.world, &owner("B"), "AWS::S3::Bucket", &json!({"BucketName": "held"}), None).await.expect("made");
    let statement = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::held/*"});
    let declared = json!({"Bucket": "held", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}});
    let made = thing.create(&declared).await;
    assert_eq!(thing.differences(&made.physical_id, &declared).await, Vec::<String>::new());
    let open = r#"{"Version":"2012-10-17","Statement":[]}"#;
    assert!(thing.s3(http::Method::PUT, "/held?policy", open).await.0 < 300);
    assert_eq!(thing.differences(&made.physical_id, &declared).await, ["/PolicyDocument/Statement/0"]);
    assert_eq!(thing.delete(&made.physical_id).await, Ok(()));
}
