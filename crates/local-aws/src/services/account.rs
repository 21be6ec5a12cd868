//! One account's services.

use crate::store::Blobs;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use winterbaume_cloudwatchlogs::CloudWatchLogsService;
use winterbaume_core::{MockRequest, MockResponse, MockService, StatefulService, Vfs};
use winterbaume_dynamodb::DynamoDbService;
use winterbaume_ecr::EcrService;
use winterbaume_ecs::EcsService;
use winterbaume_s3::S3Service;
use winterbaume_secretsmanager::SecretsManagerService;
use winterbaume_ssm::SsmService;

type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The account id that winterbaume puts into its answers. It is one for the whole process, so it stands for "this
/// account", and is replaced on the way in and out; twelve characters, and none that an account id has.
pub(super) const PLACEHOLDER: &str = "this-account";

/// A service of winterbaume, whichever.
pub(super) trait Backend: Send + Sync {
    fn handle(&self, request: MockRequest) -> Answering<'_, MockResponse>;
    /// What it holds in a region, in JSON.
    fn snapshot<'a>(&'a self, region: &'a str) -> Answering<'a, serde_json::Result<Vec<u8>>>;
    /// Makes it hold what a snapshot says.
    fn restore<'a>(&'a self, region: &'a str, held: Json) -> Answering<'a, Result<(), String>>;
}

macro_rules! backends {
    ($($service:ty),*) => {$(
        impl Backend for $service {
            fn handle(&self, request: MockRequest) -> Answering<'_, MockResponse> {
                MockService::handle(self, request)
            }

            fn snapshot<'a>(&'a self, region: &'a str) -> Answering<'a, serde_json::Result<Vec<u8>>> {
                Box::pin(async move { serde_json::to_vec(&StatefulService::snapshot(self, PLACEHOLDER, region).await) })
            }

            fn restore<'a>(&'a self, region: &'a str, held: Json) -> Answering<'a, Result<(), String>> {
                Box::pin(async move {
                    let view = serde_json::from_value(held).map_err(|error| error.to_string())?;
                    let restored = StatefulService::restore(self, PLACEHOLDER, region, view).await;
                    restored.map_err(|error| error.to_string())
                })
            }
        }
    )*};
}

backends!(S3Service, DynamoDbService, EcrService, EcsService, SsmService, SecretsManagerService, CloudWatchLogsService);

/// One account's services by their signing names.
pub(super) struct Account {
    backends: BTreeMap<&'static str, Arc<dyn Backend>>,
    /// Where the bodies of objects are, if they are files.
    blobs: Option<Arc<Blobs>>,
    /// Held while something in S3 changes: winterbaume checks a condition and writes in two steps.
    pub s3_writing: tokio::sync::Mutex<()>,
    /// The same for items of tables.
    pub dynamodb_writing: tokio::sync::Mutex<()>,
}

impl Account {
    /// An account without anything in it. `folder`: where the bodies of its objects are kept; `None`: in memory.
    pub fn new(folder: Option<PathBuf>) -> Self {
        // Once for the process; the same for all worlds in it.
        winterbaume_core::set_default_account_id(PLACEHOLDER);
        let blobs = folder.map(|folder| Arc::new(Blobs::new(folder)));
        let vfs: Arc<dyn Vfs> = match &blobs {
            Some(blobs) => Arc::<Blobs>::clone(blobs),
            None => Arc::new(winterbaume_core::MemVfs::new()),
        };
        let backends: [(&'static str, Arc<dyn Backend>); 7] = [
            ("s3", Arc::new(S3Service::with_vfs(vfs))),
            ("dynamodb", Arc::new(DynamoDbService::new())),
            ("ecr", Arc::new(EcrService::new())),
            ("ecs", Arc::new(EcsService::new())),
            ("ssm", Arc::new(SsmService::new())),
            ("secretsmanager", Arc::new(SecretsManagerService::new())),
            ("logs", Arc::new(CloudWatchLogsService::new())),
        ];
        Account {
            blobs,
            backends: backends.into_iter().collect(),
            s3_writing: Default::default(),
            dynamodb_writing: Default::default(),
        }
    }

    /// Waits until what a state of a service speaks of is on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn settle(&self, service: &str) -> std::io::Result<()> {
        self.blobs.as_ref().filter(|_| service == "s3").map_or(Ok(()), |blobs| blobs.settle())
    }

    /// The files that no state of a service that is read from now on speaks of.
    pub fn unused_files(&self, service: &str) -> Vec<PathBuf> {
        self.blobs.as_ref().filter(|_| service == "s3").map(|blobs| blobs.unused()).unwrap_or_default()
    }

    pub fn backend(&self, service: &str) -> Option<&dyn Backend> {
        self.backends.get(service).map(Arc::as_ref)
    }
}
