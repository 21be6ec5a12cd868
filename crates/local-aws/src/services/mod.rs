//! The services beside CloudFormation that hold real data: winterbaume's, a set for each account.

mod account;
pub(crate) mod cloudfront;
pub(crate) mod cloudtrail;
pub(crate) mod cloudwatch;
mod dynamodb;
pub(crate) mod ec2;
mod ecs;
mod keep;
pub(crate) mod lookups;
mod public_parameters;
mod registry;
mod rewrite;
pub(crate) mod route53;
pub(crate) mod s3;
pub(crate) mod secrets;
mod single;
pub(crate) mod sns;
pub(crate) mod sts;
pub(crate) mod tagging;
mod tracking;
pub(crate) mod views;

use crate::clock::Clock;
use crate::door::{Request, Response};
use crate::faults::Faults;
use crate::ids::Ids;
use crate::place::Place;
use crate::store::Store;
use account::Account;
use bytes::Bytes;
pub(crate) use ecs::Standing;
use s3::{Buckets, Uploads};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Every service, one set for each account.
pub struct Services {
    clock: Clock,
    accounts: Mutex<BTreeMap<String, Arc<Account>>>,
    buckets: Buckets,
    uploads: Uploads,
    registry: registry::Registry,
    ecs: ecs::Ecs,
    faults: Arc<Faults>,
    /// For uploads, which nobody orders.
    ids: Ids,
    store: Arc<Store>,
    keeper: keep::Keeper,
}

impl Services {
    /// `seed`: for ids of uploads.
    pub(crate) fn new(clock: Clock, seed: u64, store: Arc<Store>, faults: Arc<Faults>) -> Self {
        let (accounts, buckets, uploads, keeper) = Default::default();
        let registry = registry::Registry::new(&store);
        let (ecs, ids) = (ecs::Ecs::new(seed.rotate_left(16)), Ids::new(seed));
        Services { clock, accounts, buckets, uploads, registry, ecs, faults, ids, store, keeper }
    }

    /// Lets `service` (its signing name) answer as it would answer a request that was signed for `place`.
    ///
    /// The request's path, query, headers and body count; its host does only where it names a bucket. `None` if there is
    /// no such service here.
    pub async fn call(&self, place: &Place, service: &str, request: Request) -> Option<Response> {
        if service == "registry" {
            return Some(registry::oci::answer(self, place, request).await);
        }
        if service == "elasticloadbalancing" {
            return Some(ecs::target_health(self, place, &request).await);
        }
        let account = self.account(&place.account);
        let backend = account.backend(service)?;
        let writes = crate::door::writes(service, &crate::door::operation(service, &request), &request);
        let answered = match service {
            "s3" => Box::pin(s3::answer(self, place, request)).await,
            "ecr" => Answered::at(place, Box::pin(registry::ecr::answer(self, place, request)).await),
            "ecs" => Answered::at(place, Box::pin(ecs::answer(self, place, request)).await),
            "logs" => {
                // Containers write what they had to say by now.
                self.catch_up(place).await;
                Answered::at(place, Box::pin(rewrite::answer(backend, place, service, request)).await)
            }
            "dynamodb" => Answered::at(place, Box::pin(dynamodb::answer(&account, place, request)).await),
            "ssm" => {
                let operation = crate::door::operation(service, &request);
                Answered::at(place, Box::pin(public_parameters::answer(backend, place, &operation, request)).await)
            }
            "secretsmanager" => Answered::at(place, Box::pin(secrets::answer(backend, place, request)).await),
            _ => Answered::at(place, Box::pin(rewrite::answer(backend, place, service, request)).await),
        };
        // What failed may have done a part.
        if writes
            && let Some(changed) = &answered.changed
            && let Err(error) = self.keep(&self.account(&changed.account), changed, service).await
        {
            return Some(unkept(&error));
        }
        Some(answered.response)
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
        match self.call(place, service, json_request(service, operation, input)?).await {
            Some(response) => json_of(&response),
            None => Err(ServiceError::new("UnknownService", service)),
        }
    }

    /// Whether a bucket of this name exists, whoever's.
    pub(crate) fn has_bucket(&self, name: &str) -> bool {
        self.buckets.owner(name).is_some()
    }

    fn account(&self, id: &str) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Account::new(self.store.path(&format!("objects/{id}"))));
        Arc::clone(accounts.entry(id.to_owned()).or_insert_with(new))
    }
}

/// An answer and whose state it may have changed.
struct Answered {
    /// `None`: nobody's.
    changed: Option<Place>,
    response: Response,
}

impl Answered {
    fn at(place: &Place, response: Response) -> Self {
        Answered { changed: Some(place.clone()), response }
    }
}

/// The answer to a change that was made but could not be written.
pub(crate) fn unkept(error: &std::io::Error) -> Response {
    let message = format!("The change could not be kept: {error}");
    let mut response =
        Response::new(Bytes::from(serde_json::json!({ "__type": "InternalFailure", "message": message }).to_string()));
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
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

/// Calls an operation of winterbaume's own, past what is wrapped around it.
async fn json_call(
    account: &Account,
    place: &Place,
    service: &str,
    operation: &str,
    input: &Json,
) -> Result<Json, ServiceError> {
    let request = json_request(service, operation, input)?;
    match account.backend(service) {
        Some(backend) => json_of(&rewrite::answer(backend, place, service, request).await),
        None => Err(ServiceError::new("UnknownService", service)),
    }
}

fn json_request(service: &str, operation: &str, input: &Json) -> Result<Request, ServiceError> {
    http::Request::post(format!("https://{service}.amazonaws.com/"))
        .header("x-amz-target", format!("{}.{operation}", target_prefix(service)))
        .header(http::header::CONTENT_TYPE, "application/x-amz-json-1.1")
        .body(Bytes::from(input.to_string()))
        .map_err(|error| ServiceError::new("InvalidRequest", &error.to_string()))
}

/// What an answer in JSON says.
fn json_of(response: &Response) -> Result<Json, ServiceError> {
    let body: Json = match response.body().is_empty() {
        true => Json::Object(Default::default()),
        false => serde_json::from_slice(response.body())
            .map_err(|error| ServiceError::new("InternalFailure", &error.to_string()))?,
    };
    if response.status().is_success() {
        return Ok(body);
    }
    let text = |name: &str| body.get(name).and_then(Json::as_str).unwrap_or_default();
    let code = text("__type").rsplit('#').next().unwrap_or_default();
    let message = if text("message").is_empty() { text("Message") } else { text("message") };
    Err(ServiceError::new(code, message))
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
