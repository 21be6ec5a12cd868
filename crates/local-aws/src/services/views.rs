//! What a service says of a resource that a stack made: all that the template set, also what winterbaume takes and forgets.
//! It stands in the live resource, and is put into the service's answer on its way out. With it go the tags that
//! CloudFormation puts on what it makes. (User guide, "Resource tag": `aws:cloudformation:stack-name`,
//! `aws:cloudformation:stack-id`, `aws:cloudformation:logical-id`. DynamoDB does not list them.)

use crate::door::Response;
use crate::place::Place;
use crate::resources::{Live, State};
use crate::world::World;
use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

/// Completes the answer of a service that speaks JSON; `request`: the body that it answers.
pub(crate) fn complete(
    world: &World,
    place: &Place,
    service: &str,
    operation: &str,
    request: &Bytes,
    mut response: Response,
) -> Response {
    let is_told = matches!(
        (service, operation),
        ("dynamodb", "DescribeTable")
            | ("ecr", "DescribeRepositories" | "ListTagsForResource")
            | ("logs", "DescribeLogGroups" | "ListTagsForResource" | "ListTagsLogGroup")
            | ("secretsmanager", "DescribeSecret" | "ListSecrets" | "GetResourcePolicy")
            | ("ssm", "DescribeParameters" | "ListTagsForResource")
    );
    if !response.status().is_success() {
        return with_message(service, response);
    }
    if !is_told {
        return response;
    }
    let Ok(mut answer) = serde_json::from_slice::<Json>(response.body()) else { return response };
    let input: Json = serde_json::from_slice(request).unwrap_or_default();
    {
        let state = world.resources.lock();
        let view = View { state: &state, place };
        match (service, operation) {
            ("dynamodb", _) => view.table(&mut answer["Table"]),
            ("ecr", "DescribeRepositories") => each(&mut answer["repositories"], |one| view.repository(one)),
            ("ecr", _) => view.repository_tags(&input, &mut answer),
            ("logs", "DescribeLogGroups") => each(&mut answer["logGroups"], |one| view.log_group(one)),
            ("logs", _) => view.log_group_tags(&input, &mut answer),
            ("secretsmanager", "DescribeSecret") => view.secret(&mut answer),
            ("secretsmanager", "GetResourcePolicy") => view.secret_policy(&mut answer),
            ("secretsmanager", _) => each(&mut answer["SecretList"], |one| view.secret(one)),
            ("ssm", "DescribeParameters") => each(&mut answer["Parameters"], |one| view.parameter(one)),
            _ => view.parameter_tags(&input, &mut answer),
        }
    }
    *response.body_mut() = Bytes::from(answer.to_string());
    response.headers_mut().remove(http::header::CONTENT_LENGTH);
    response
}

/// An error as the service writes it: Secrets Manager has its message under another name, and Parameter Store has none for
/// what is not there.
fn with_message(service: &str, mut response: Response) -> Response {
    if !matches!(service, "secretsmanager" | "ssm") {
        return response;
    }
    let Ok(Json::Object(mut error)) = serde_json::from_slice::<Json>(response.body()) else { return response };
    match service {
        "secretsmanager" => {
            if let Some(message) = error.shift_remove("message") {
                error.insert("Message".to_owned(), message);
            }
        }
        _ if error.get("__type").and_then(Json::as_str).is_some_and(|code| code.ends_with("ParameterNotFound")) => {
            error.shift_remove("message");
        }
        _ => {}
    }
    *response.body_mut() = Bytes::from(Json::Object(error).to_string());
    response.headers_mut().remove(http::header::CONTENT_LENGTH);
    response
}

/// The tags that CloudFormation put on a resource.
pub(crate) fn stack_tags(live: &Live) -> Vec<(&'static str, String)> {
    let (Some(id), Some(logical_id)) = (&live.stack_id, &live.logical_id) else { return Vec::new() };
    let name = id.split('/').nth(1).unwrap_or_default();
    vec![
        ("aws:cloudformation:stack-name", name.to_owned()),
        ("aws:cloudformation:logical-id", logical_id.clone()),
        ("aws:cloudformation:stack-id", id.clone()),
    ]
}

fn each(list: &mut Json, mut complete: impl FnMut(&mut Json)) {
    list.as_array_mut().into_iter().flatten().for_each(&mut complete);
}

/// Appends tags to a list of `{Key, Value}`.
fn append(list: &mut Json, live: &Live) {
    let added = stack_tags(live).into_iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
    match list {
        Json::Array(all) => all.extend(added),
        other => *other = added.collect(),
    }
}

struct View<'v> {
    state: &'v State,
    place: &'v Place,
}

impl<'v> View<'v> {
    fn live(&self, type_name: &str, name: &str) -> Option<&'v Live> {
        self.state.get(self.place, type_name, name)
    }

    fn table(&self, table: &mut Json) {
        if table["BillingModeSummary"]["BillingMode"] == "PROVISIONED" {
            // It tells of what was once on demand.
            table.as_object_mut().map(|table| table.shift_remove("BillingModeSummary"));
        }
        if table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST" {
            table["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"] = table["CreationDateTime"].clone();
        }
        table["WarmThroughput"] = warm_throughput(table);
        let name = table["TableName"].as_str().unwrap_or_default();
        let Some(live) = self.live("AWS::DynamoDB::Table", name) else { return };
        let of = |name: &str| live.properties.get(name);
        if let Some(protected) = of("DeletionProtectionEnabled") {
            table["DeletionProtectionEnabled"] = protected.clone();
        }
        if let Some(class) = of("TableClass") {
            table["TableClassSummary"] = json!({ "TableClass": class });
        }
        if let Some(throughput) = of("OnDemandThroughput") {
            table["OnDemandThroughput"] = throughput.clone();
        }
        if let Some(arn) = of("StreamArn").and_then(Json::as_str).filter(|_| table["LatestStreamArn"].is_string()) {
            table["LatestStreamLabel"] = json!(arn.rsplit('/').next());
            table["LatestStreamArn"] = json!(arn);
        }
        let encryption = of("SSESpecification").filter(|encryption| encryption["SSEEnabled"] == true);
        if let Some(encryption) = encryption {
            let kind = encryption["SSEType"].as_str().unwrap_or("KMS");
            let mut description = json!({ "Status": "ENABLED", "SSEType": kind });
            if let Some(key) = encryption["KMSMasterKeyId"].as_str() {
                description["KMSMasterKeyArn"] = json!(self.key_arn(key));
            }
            table["SSEDescription"] = description;
        }
    }

    /// The ARN of a key that is given by its id, its alias or its ARN.
    fn key_arn(&self, key: &str) -> String {
        if key.starts_with("arn:") {
            return key.to_owned();
        }
        let target = self.live("AWS::KMS::Alias", key).and_then(|alias| alias.properties.get("TargetKeyId"));
        let key = target.and_then(Json::as_str).unwrap_or(key);
        if key.starts_with("arn:") { key.to_owned() } else { self.place.arn("kms", &format!("key/{key}")) }
    }

    fn repository(&self, repository: &mut Json) {
        let name = repository["repositoryName"].as_str().unwrap_or_default();
        let Some(live) = self.live("AWS::ECR::Repository", name) else { return };
        if let Some(encryption) = live.properties.get("EncryptionConfiguration") {
            let mut shown = json!({ "encryptionType": encryption["EncryptionType"] });
            if let Some(key) = encryption["KmsKey"].as_str() {
                shown["kmsKey"] = json!(self.key_arn(key));
            }
            repository["encryptionConfiguration"] = shown;
        }
    }

    fn repository_tags(&self, input: &Json, answer: &mut Json) {
        let name = input["resourceArn"].as_str().and_then(|arn| Some(arn.split_once(":repository/")?.1));
        if let Some(live) = name.and_then(|name| self.live("AWS::ECR::Repository", name)) {
            append(&mut answer["tags"], live);
        }
    }

    fn log_group(&self, group: &mut Json) {
        let name = group["logGroupName"].as_str().unwrap_or_default();
        let live = self.live("AWS::Logs::LogGroup", name);
        let of = |name: &str| live.and_then(|live| live.properties.get(name)).cloned();
        group["logGroupClass"] = of("LogGroupClass").unwrap_or_else(|| json!("STANDARD"));
        if let Some(key) = of("KmsKeyId").filter(|_| group["kmsKeyId"].is_null()) {
            group["kmsKeyId"] = key;
        }
    }

    fn log_group_tags(&self, input: &Json, answer: &mut Json) {
        let arn =
            || input["resourceArn"].as_str()?.split_once(":log-group:").map(|(_, name)| name.trim_end_matches(":*"));
        let name = input["logGroupName"].as_str().or_else(arn);
        let Some(live) = name.and_then(|name| self.live("AWS::Logs::LogGroup", name)) else { return };
        let mut tags: Map<String, Json> = answer["tags"].as_object().cloned().unwrap_or_default();
        tags.extend(stack_tags(live).into_iter().map(|(key, value)| (key.to_owned(), json!(value))));
        answer["tags"] = Json::Object(tags);
    }

    fn secret(&self, secret: &mut Json) {
        let name = secret["Name"].as_str().unwrap_or_default();
        let mut secrets = self.state.of_type(self.place, "AWS::SecretsManager::Secret");
        let Some(live) = secrets.find(|live| super::secrets::name(&live.physical_id) == Some(name)) else { return };
        for member in ["Description", "KmsKeyId"] {
            if let Some(value) = live.properties.get(member).filter(|_| secret[member].is_null()) {
                secret[member] = value.clone();
            }
        }
        append(&mut secret["Tags"], live);
    }

    fn secret_policy(&self, answer: &mut Json) {
        let name = answer["Name"].as_str().unwrap_or_default();
        let is_its = |live: &&Live| {
            let id = live.properties.get("SecretId").and_then(Json::as_str).unwrap_or_default();
            id == name || super::secrets::name(id) == Some(name)
        };
        let mut policies = self.state.of_type(self.place, "AWS::SecretsManager::ResourcePolicy");
        let Some(policy) = policies.find(is_its).filter(|_| answer["ResourcePolicy"].is_null()) else { return };
        if let Some(document) = policy.properties.get("ResourcePolicy") {
            answer["ResourcePolicy"] = json!(document.as_str().map_or_else(|| document.to_string(), str::to_owned));
        }
    }

    fn parameter(&self, parameter: &mut Json) {
        let name = parameter["Name"].as_str().unwrap_or_default();
        let Some(live) = self.live("AWS::SSM::Parameter", name) else { return };
        for member in ["Description", "AllowedPattern", "Tier", "DataType"] {
            if let Some(value) = live.properties.get(member).filter(|_| parameter[member].is_null()) {
                parameter[member] = value.clone();
            }
        }
    }

    fn parameter_tags(&self, input: &Json, answer: &mut Json) {
        let name = input["ResourceId"].as_str().filter(|_| input["ResourceType"] == "Parameter");
        if let Some(live) = name.and_then(|name| self.live("AWS::SSM::Parameter", name)) {
            append(&mut answer["TagList"], live);
        }
    }
}

/// What a new table takes at once: of one on demand 12,000 reads and 4,000 writes a second, of others what they have.
/// (DynamoDB developer guide, "Understanding DynamoDB warm throughput".)
fn warm_throughput(table: &Json) -> Json {
    let on_demand = table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST";
    let has = &table["ProvisionedThroughput"];
    let (reads, writes) = match on_demand {
        true => (json!(12_000), json!(4_000)),
        false => (has["ReadCapacityUnits"].clone(), has["WriteCapacityUnits"].clone()),
    };
    json!({ "ReadUnitsPerSecond": reads, "WriteUnitsPerSecond": writes, "Status": "ACTIVE" })
}
