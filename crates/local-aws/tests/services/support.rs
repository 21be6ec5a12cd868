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

/// The world that a directory keeps.
pub async fn open(directory: &std::path::Path) -> LocalAws {
    let options = Options { directory: Some(directory.to_owned()), ..Options::default() };
    LocalAws::open(options).await.expect("a world")
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

    /// Through a port.
    pub fn on(port: &Port) -> Self {
        Client {
            http: aws_smithy_http_client::Builder::new().build_http(),
            access_key: ACCOUNT.to_owned(),
            region: REGION,
            endpoint: Some(format!("http://127.0.0.1:{}", port.number)),
        }
    }

    pub fn region(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }
}

/// A world that is served.
pub struct Port {
    pub number: u16,
    stop: tokio::sync::oneshot::Sender<()>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Port {
    pub async fn open(aws: &LocalAws) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let number = listener.local_addr().expect("an address").port();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let aws = aws.clone();
        let served = tokio::spawn(async move { aws.serve(listener, async { drop(stopped.await) }).await });
        Port { number, stop, served }
    }

    pub async fn close(self) {
        self.stop.send(()).expect("it serves");
        self.served.await.expect("no panic").expect("no failure");
    }

    /// Sends bytes and gives what comes back until the connection ends or is silent.
    pub async fn exchange(&self, parts: &[&[u8]]) -> String {
        String::from_utf8_lossy(&self.exchange_bytes(parts).await).into_owned()
    }

    pub async fn exchange_bytes(&self, parts: &[&[u8]]) -> Vec<u8> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", self.number)).await.expect("a connection");
        for part in parts {
            stream.write_all(part).await.expect("written");
            stream.flush().await.expect("flushed");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let mut got = Vec::new();
        let read = stream.read_to_end(&mut got);
        // An error is an end too: what came before it counts.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(10), read).await.expect("an end");
        got
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
    cloudformation: aws_sdk_cloudformation;
    s3: aws_sdk_s3;
    dynamodb: aws_sdk_dynamodb;
    ecr: aws_sdk_ecr;
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
