//! Resources whose real thing is in one of the embedded services.
//!
//! What such a service holds is observed after every change that is made through a resource. A later observation that
//! differs was made by somebody else, through the service's own API: it becomes what the resource is. Properties that a
//! service here does not keep live in the resource alone.

mod bucket;
mod bucket_policy;
mod ecs;
mod lifecycle;
mod log_group;
mod parameter;
mod repository;
mod secret;
mod table;
mod xml;

use super::Failure;
use super::model::Properties;
use crate::place::Place;
use crate::services::ServiceError;
use crate::world::World;
use serde_json::Value as Json;

/// Where the real thing of a resource is.
pub(super) struct Backing<'b> {
    pub world: &'b World,
    pub place: &'b Place,
    pub type_name: &'b str,
    pub physical_id: &'b str,
}

/// Makes the real thing, if the type has one.
pub(super) async fn create(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    match backing.type_name {
        "AWS::DynamoDB::Table" => table::create(backing, properties).await,
        "AWS::ECR::Repository" => repository::create(backing, properties).await,
        "AWS::ECS::Cluster" | "AWS::ECS::Service" | "AWS::ECS::TaskDefinition" => {
            ecs::create(backing, properties).await
        }
        "AWS::Logs::LogGroup" => log_group::create(backing, properties).await,
        "AWS::S3::Bucket" => bucket::create(backing, properties).await,
        "AWS::S3::BucketPolicy" => bucket_policy::put(backing, properties).await,
        "AWS::SSM::Parameter" => parameter::create(backing, properties).await,
        "AWS::SecretsManager::Secret" => secret::create(backing, properties).await,
        _ => Ok(()),
    }
}

/// Changes the real thing where `before` and `after` differ.
pub(super) async fn update(backing: &Backing<'_>, before: &Properties, after: &Properties) -> Result<(), Failure> {
    let change = Change { before, after };
    match backing.type_name {
        "AWS::DynamoDB::Table" => table::update(backing, &change).await,
        "AWS::ECR::Repository" => repository::update(backing, &change).await,
        "AWS::ECS::Cluster" | "AWS::ECS::Service" | "AWS::ECS::TaskDefinition" => ecs::update(backing, &change).await,
        "AWS::Logs::LogGroup" => log_group::update(backing, &change).await,
        "AWS::S3::Bucket" => bucket::update(backing, &change).await,
        "AWS::S3::BucketPolicy" => bucket_policy::put(backing, after).await,
        "AWS::SSM::Parameter" => parameter::update(backing, &change).await,
        "AWS::SecretsManager::Secret" => secret::update(backing, &change).await,
        _ => Ok(()),
    }
}

/// Deletes the real thing; one that is gone is no error.
pub(super) async fn delete(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    match backing.type_name {
        "AWS::DynamoDB::Table" => table::delete(backing, properties).await,
        "AWS::ECR::Repository" => repository::delete(backing, properties).await,
        "AWS::ECS::Cluster" | "AWS::ECS::Service" | "AWS::ECS::TaskDefinition" => ecs::delete(backing).await,
        "AWS::Logs::LogGroup" => log_group::delete(backing).await,
        "AWS::S3::Bucket" => bucket::delete(backing).await,
        "AWS::S3::BucketPolicy" => bucket_policy::delete(backing).await,
        "AWS::SSM::Parameter" => parameter::delete(backing).await,
        "AWS::SecretsManager::Secret" => secret::delete(backing).await,
        _ => Ok(()),
    }
}

/// Whether resources of a type have a real thing.
pub(super) fn is_backed(type_name: &str) -> bool {
    matches!(
        type_name,
        "AWS::DynamoDB::Table"
            | "AWS::ECR::Repository"
            | "AWS::ECS::Cluster"
            | "AWS::ECS::Service"
            | "AWS::ECS::TaskDefinition"
            | "AWS::Logs::LogGroup"
            | "AWS::S3::Bucket"
            | "AWS::S3::BucketPolicy"
            | "AWS::SSM::Parameter"
            | "AWS::SecretsManager::Secret"
    )
}

/// The properties as the service holds them, those that it keeps; `None` if the real thing is not there.
pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    match backing.type_name {
        "AWS::DynamoDB::Table" => table::observe(backing).await,
        "AWS::ECR::Repository" => repository::observe(backing).await,
        "AWS::ECS::Cluster" | "AWS::ECS::Service" | "AWS::ECS::TaskDefinition" => ecs::observe(backing).await,
        "AWS::Logs::LogGroup" => log_group::observe(backing).await,
        "AWS::S3::Bucket" => bucket::observe(backing).await,
        "AWS::S3::BucketPolicy" => bucket_policy::observe(backing).await,
        "AWS::SSM::Parameter" => parameter::observe(backing).await,
        "AWS::SecretsManager::Secret" => secret::observe(backing).await,
        _ => Some(Properties::new()),
    }
}

/// What an update changes.
struct Change<'c> {
    before: &'c Properties,
    after: &'c Properties,
}

impl Change<'_> {
    /// The new value of a property that changes; `Some(None)` if it is taken away.
    fn of(&self, name: &str) -> Option<Option<&Json>> {
        (self.before.get(name) != self.after.get(name)).then(|| self.after.get(name))
    }

    /// The tags that are set anew and the keys of those that go.
    fn tags(&self) -> (Vec<Json>, Vec<Json>) {
        let list =
            |properties: &Properties| properties.get("Tags").and_then(Json::as_array).cloned().unwrap_or_default();
        let (before, after) = (list(self.before), list(self.after));
        let gone = before.iter().filter(|tag| !after.iter().any(|other| other["Key"] == tag["Key"]));
        let gone = gone.map(|tag| tag["Key"].clone()).collect();
        (after.into_iter().filter(|tag| !before.contains(tag)).collect(), gone)
    }
}

impl Backing<'_> {
    /// Calls an operation of a service that speaks JSON.
    async fn call(&self, service: &str, operation: &str, input: Json) -> Result<Json, ServiceError> {
        self.world.services.json(self.place, service, operation, &input).await
    }

    /// As [`Backing::call`], with what the service refuses as CloudFormation tells it.
    pub(super) async fn ask(&self, service: &str, operation: &str, input: Json) -> Result<Json, Failure> {
        self.call(service, operation, input).await.map_err(|error| self.told(service, &error))
    }

    /// As [`Backing::ask`], for a deletion: what is gone is no error.
    pub(super) async fn remove(&self, service: &str, operation: &str, input: Json) -> Result<(), Failure> {
        match self.call(service, operation, input).await {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error.code) => Ok(()),
            Err(error) => Err(self.told(service, &error)),
        }
    }

    fn told(&self, service: &str, error: &ServiceError) -> Failure {
        let name = match service {
            "s3" => "S3",
            "dynamodb" => "DynamoDb",
            "ecr" => "Ecr",
            "ecs" => "AmazonECS",
            "ssm" => "Ssm",
            "secretsmanager" => "SecretsManager",
            "logs" => "CloudWatchLogs",
            other => other,
        };
        let code = match error.code.as_str() {
            code if is_gone(code) => "NotFound",
            code if code.contains("AlreadyExists")
                || code.contains("AlreadyOwned")
                || code == "ResourceExistsException" =>
            {
                let reason = format!(
                    "Resource of type '{}' with identifier '{}' already exists.",
                    self.type_name, self.physical_id
                );
                return Failure::new("AlreadyExists", reason);
            }
            "ResourceInUseException" => "ResourceConflict",
            "ValidationException" | "InvalidParameterException" => "InvalidRequest",
            _ => "GeneralServiceException",
        };
        Failure::handler(self.world, name, &error.message, 400, code)
    }
}

fn is_gone(code: &str) -> bool {
    code.contains("NotFound") || code.starts_with("NoSuch") || code == "404"
}

/// `[{Key, Value}]` from a list with other names for its members, sorted by key.
fn tags(list: &Json, key: &str, value: &str) -> Option<Json> {
    let mut tags: Vec<(String, Json)> = list
        .as_array()?
        .iter()
        .filter_map(|tag| {
            let key = tag[key].as_str()?;
            Some((key.to_owned(), serde_json::json!({ "Key": key, "Value": tag[value] })))
        })
        .collect();
    tags.sort_by(|one, other| one.0.cmp(&other.0));
    Some(Json::Array(tags.into_iter().map(|(_, tag)| tag).collect()))
}
