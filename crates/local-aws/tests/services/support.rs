//! Worlds, and SDK clients that lead to them.

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use local_aws::{LocalAws, Options};

pub const ACCOUNT: &str = "111122223333";
pub const OTHER_ACCOUNT: &str = "444455556666";
pub const REGION: &str = "eu-west-1";

/// A world in memory.
pub async fn world() -> LocalAws {
    LocalAws::open(Options::default()).await.expect("a world")
}

/// What every client is made of.
pub struct Client {
    pub http: SharedHttpClient,
    pub access_key: String,
    pub region: &'static str,
    pub endpoint: Option<String>,
}

impl Client {
    pub fn new(aws: &LocalAws) -> Self {
        Client::of(aws, ACCOUNT)
    }

    /// Of somebody with this access key.
    pub fn of(aws: &LocalAws, access_key: &str) -> Self {
        Client { http: aws.http_client(), access_key: access_key.to_owned(), region: REGION, endpoint: None }
    }

    pub fn region(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }
}

/// A method that gives a service's client.
macro_rules! clients {
    ($($name:ident: $crate_name:ident;)*) => {
        impl Client {$(
            pub fn $name(&self) -> $crate_name::Client {
                let mut config = $crate_name::Config::builder()
                    .behavior_version($crate_name::config::BehaviorVersion::latest())
                    .http_client(self.http.clone())
                    .retry_config($crate_name::config::retry::RetryConfig::disabled())
                    .region($crate_name::config::Region::new(self.region))
                    .credentials_provider(Credentials::new(&self.access_key, "secret", None, None, "test"));
                if let Some(endpoint) = &self.endpoint {
                    config = config.endpoint_url(endpoint);
                }
                $crate_name::Client::from_conf(config.build())
            }
        )*}
    };
}

clients! {
    s3: aws_sdk_s3;
    dynamodb: aws_sdk_dynamodb;
    sts: aws_sdk_sts;
}

/// The error code that a call was refused with.
pub fn code<T: std::fmt::Debug, E>(answer: Result<T, E>) -> String
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::fmt::Debug,
{
    let error = answer.expect_err("refused");
    error.code().unwrap_or_else(|| panic!("without a code: {error:?}")).to_owned()
}
