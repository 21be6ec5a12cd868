//! Where the contracts of state and lock are checked: a server over HTTP in real time, and one in this process in
//! virtual time. A contract is a function of a [`Backend`]; `on_every_backend!` makes its tests.

use super::memory::Memory;
use super::ministack;
use super::wire::Wire;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use infra::aws::{AccessKey, Aws, Connect};
use infra::model::{ApplySettings, Environment, StateLocation};
use infra::problem::{Location, SourceFile, Span};
use infra::state::{LockRequest, StateStore};
use std::sync::Arc;
use std::time::Duration;

pub struct Backend {
    behind: SharedHttpClient,
    endpoint: String,
    account: String,
    pub location: StateLocation,
    /// Short where time is real.
    pub lease: Duration,
    /// The bucket keeps versions.
    pub has_versions: bool,
}

impl Backend {
    /// Over HTTP, real time.
    pub async fn ministack() -> Backend {
        let account = ministack::account();
        let location = super::state::make_bucket_and_table(&account).await;
        Backend {
            behind: infra::aws::network(),
            endpoint: account.endpoint,
            account: account.id,
            location,
            lease: Duration::from_secs(2),
            has_versions: true,
        }
    }

    /// In this process, virtual time.
    pub async fn memory() -> Backend {
        let account = "111122223333";
        Backend {
            behind: Memory::default().client(),
            endpoint: "http://aws.test".to_owned(),
            account: account.to_owned(),
            location: StateLocation {
                bucket: format!("infra-state-{account}-us-east-1"),
                table: "infra-locks".to_owned(),
                region: "us-east-1".to_owned(),
            },
            lease: LockRequest::LEASE,
            has_versions: false,
        }
    }

    /// Somebody with a connection of their own, who works on environment `shop/dev`.
    pub async fn somebody(&self) -> (StateStore, Wire) {
        let (aws, wire) = self.connect().await;
        (StateStore::new(&aws, &self.environment()), wire)
    }

    pub async fn connect(&self) -> (Aws, Wire) {
        let wire = Wire::new(self.behind.clone());
        let aws = Aws::connect(Connect {
            endpoint_url: Some(self.endpoint.clone()),
            region: "us-east-1".to_owned(),
            credentials: Some(AccessKey { id: self.account.clone(), secret: "test".to_owned() }),
            http_client: Some(wire.client()),
            ..Connect::default()
        })
        .await;
        (aws, wire)
    }

    pub fn environment(&self) -> Environment {
        let file = SourceFile { name: "environments/dev.yaml".to_owned(), text: String::new() };
        Environment {
            name: "dev".to_owned(),
            project: "shop".to_owned(),
            account: self.account.clone(),
            region: "us-east-1".to_owned(),
            tags: Default::default(),
            protect: false,
            images: Default::default(),
            stacks: Default::default(),
            state: self.location.clone(),
            apply: ApplySettings {
                concurrency: 8,
                timeout: Duration::from_secs(3600),
                lock_lease: Duration::from_secs(60),
                speed: 1.0,
            },

            at: Location { file: Arc::new(file), span: Span::default() },
        }
    }

    pub fn request(&self, who: &str) -> LockRequest {
        let mut request = LockRequest::new("apply", format!("arn:aws:iam::111122223333:user/{who}"), "laptop");
        request.lease = self.lease;
        request.beat = self.lease / 12;
        request
    }
}

/// For each contract a test on each backend.
#[macro_export]
macro_rules! on_every_backend {
    ($($contract:ident),+ $(,)?) => {
        mod over_http {
            $(#[tokio::test]
            async fn $contract() {
                super::$contract($crate::support::backend::Backend::ministack().await).await;
            })+
        }
        mod in_virtual_time {
            $(#[tokio::test(start_paused = true)]
            async fn $contract() {
                super::$contract($crate::support::backend::Backend::memory().await).await;
            })+
        }
    };
}
