//! Where contracts are checked: on a server over HTTP in real time, and on the embedded AWS in virtual time. A contract is
//! a function of a [`Backend`]; `on_every_backend!` makes its tests.

use super::ministack;
use super::wire::Wire;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use infra::aws::{AccessKey, Aws, Connect};
use infra::model::{ApplySettings, Environment, StateLocation, Usage};
use infra::problem::{Location, SourceFile, Span};
use infra::state::{LockRequest, StateStore};
use local_aws::{LocalAws, Options, Speed};
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
    /// The embedded AWS behind it, where it is that.
    pub world: Option<LocalAws>,
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
            world: None,
        }
    }

    /// The embedded AWS in this process: an account with a bucket and a table in a world of its own. In virtual time it
    /// keeps AWS's pace.
    pub async fn local_aws() -> Backend {
        Backend::embedded(false).await
    }

    /// The same, standing for an account that holds more than a test makes: what templates refer to is taken as it is.
    pub async fn partial() -> Backend {
        Backend::embedded(true).await
    }

    async fn embedded(partial: bool) -> Backend {
        let account = "111122223333";
        let options = Options { speed: Speed::REAL, partial, ..Options::default() };
        let world = LocalAws::open(options).await.expect("a world in memory");
        let location = StateLocation {
            bucket: format!("infra-state-{account}-us-east-1"),
            table: "infra-locks".to_owned(),
            region: "us-east-1".to_owned(),
        };
        make_bucket_and_table(&world, account, &location).await;
        Backend {
            behind: world.http_client(),
            endpoint: "http://aws.local".to_owned(),
            account: account.to_owned(),
            location,
            lease: LockRequest::LEASE,
            has_versions: true,
            world: Some(world),
        }
    }

    /// One more of the same kind, with nothing in it.
    pub async fn another(&self) -> Backend {
        match self.world {
            Some(_) => Backend::local_aws().await,
            None => Backend::ministack().await,
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
            packages: Default::default(),
            waivers: Vec::new(),
            stacks: Default::default(),
            state: self.location.clone(),
            reader: None,
            usage: Usage::default(),
            apply: ApplySettings {
                concurrency: 8,
                timeout: Duration::from_secs(3600),
                rollout_timeout: Duration::from_secs(1800),
                scan: None,
                lock_lease: Duration::from_secs(60),
                speed: 1.0,
                signals: Default::default(),
            },
            drift_ignores: Vec::new(),
            local: false,
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

/// As `infra bootstrap` leaves them, as far as states and locks depend on it; made by the SDK's own clients.
async fn make_bucket_and_table(world: &LocalAws, account: &str, location: &StateLocation) {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(location.region.clone()))
        .credentials_provider(Credentials::new(account, "test", None, None, "test"))
        .http_client(world.http_client())
        .load()
        .await;
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.create_bucket().bucket(&location.bucket).send().await.expect("a bucket");
    let on = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
        .build();
    s3.put_bucket_versioning().bucket(&location.bucket).versioning_configuration(on).send().await.expect("versions");
    let attribute = aws_sdk_dynamodb::types::AttributeDefinition::builder()
        .attribute_name("LockID")
        .attribute_type(aws_sdk_dynamodb::types::ScalarAttributeType::S);
    let key = aws_sdk_dynamodb::types::KeySchemaElement::builder()
        .attribute_name("LockID")
        .key_type(aws_sdk_dynamodb::types::KeyType::Hash);
    aws_sdk_dynamodb::Client::new(&config)
        .create_table()
        .table_name(&location.table)
        .billing_mode(aws_sdk_dynamodb::types::BillingMode::PayPerRequest)
        .attribute_definitions(attribute.build().expect("an attribute"))
        .key_schema(key.build().expect("a key"))
        .send()
        .await
        .expect("a table");
}

/// For each contract a test on each backend.
#[macro_export]
macro_rules! on_every_backend {
    ($($contract:ident),+ $(,)?) => {
        mod on_ministack {
            $(#[tokio::test]
            async fn $contract() {
                super::$contract($crate::support::backend::Backend::ministack().await).await;
            })+
        }
        mod on_local_aws {
            $(#[tokio::test(start_paused = true)]
            async fn $contract() {
                super::$contract($crate::support::backend::Backend::local_aws().await).await;
            })+
        }
    };
}
