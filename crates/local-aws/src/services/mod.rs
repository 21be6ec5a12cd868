//! The services beside CloudFormation that hold real data: winterbaume's, a set for each account.

mod account;
mod dynamodb;
mod rewrite;
pub(crate) mod s3;
pub(crate) mod sts;

use crate::clock::Clock;
use crate::door::{Request, Response};
use crate::place::Place;
use account::Account;
use bytes::Bytes;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Every service, one set for each account.
pub struct Services {
    clock: Clock,
    accounts: Mutex<BTreeMap<String, Arc<Account>>>,
    buckets: s3::Buckets,
}

impl Services {
    pub(crate) fn new(clock: Clock) -> Self {
        Services { clock, accounts: Mutex::default(), buckets: s3::Buckets::default() }
    }

    /// Lets `service` (its signing name) answer as it would answer a request that was signed for `place`.
    ///
    /// The request's path, query, headers and body count; its host does only where it names a bucket. `None` if there is
    /// no such service here.
    pub async fn call(&self, place: &Place, service: &str, request: Request) -> Option<Response> {
        if service == "s3" {
            return Some(s3::answer(self, place, request).await);
        }
        let account = self.account(&place.account);
        if service == "dynamodb" {
            return Some(dynamodb::answer(&account, place, request).await);
        }
        let backend = account.backend(service)?;
        Some(rewrite::answer(backend, place, service, request).await)
    }

    /// Calls an operation of a service that speaks JSON: DynamoDB, ECR, ECS, SSM, Secrets Manager, CloudWatch Logs.
    ///
    /// # Errors
    /// The service's error: its code and message.
    pub async fn json(
        &self,
        place: &Place,
        service: &str,
        operation: &str,
        input: &Json,
    ) -> Result<Json, ServiceError> {
        let request = http::Request::post("/")
            .header("x-amz-target", format!("{}.{operation}", target_prefix(service)))
            .header(http::header::CONTENT_TYPE, "application/x-amz-json-1.1")
            .body(Bytes::from(input.to_string()))
            .map_err(|error| ServiceError::new("InvalidRequest", &error.to_string()))?;
        let Some(response) = self.call(place, service, request).await else {
            return Err(ServiceError::new("UnknownService", service));
        };
        let body: Json = if response.body().is_empty() {
            Json::Object(Default::default())
        } else {
            serde_json::from_slice(response.body())
                .map_err(|error| ServiceError::new("InternalFailure", &error.to_string()))?
        };
        if response.status().is_success() {
            return Ok(body);
        }
        let text = |name: &str| body.get(name).and_then(Json::as_str).unwrap_or_default();
        let code = text("__type").rsplit('#').next().unwrap_or_default();
        let message = if text("message").is_empty() { text("Message") } else { text("message") };
        Err(ServiceError::new(code, message))
    }

    fn account(&self, id: &str) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry(id.to_owned()).or_default())
    }
}

/// What a service refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// Such as `ResourceNotFoundException`.
    pub code: String,
    pub message: String,
}

impl ServiceError {
    fn new(code: &str, message: &str) -> Self {
        ServiceError { code: code.to_owned(), message: message.to_owned() }
    }
}

/// What precedes an operation's name in `x-amz-target`.
fn target_prefix(service: &str) -> &'static str {
    match service {
        "dynamodb" => "DynamoDB_20120810",
        "ecr" => "AmazonEC2ContainerRegistry_V20150921",
        "ecs" => "AmazonEC2ContainerServiceV20141113",
        "ssm" => "AmazonSSM",
        "secretsmanager" => "secretsmanager",
        "logs" => "Logs_20140328",
        _ => "",
    }
}
