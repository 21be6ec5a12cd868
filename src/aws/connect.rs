//! From options and surroundings to clients: one for each service, region and role, made when first asked for.

use super::clock::Clock;
use super::credentials::{LOOK_UP_TIMEOUT, Renewing, RoleToAssume};
use super::endpoint::Endpoints;
use super::http::{self, Gate};
use super::patience::{ExpiredToken, Patience};
use super::plain::Http;
use super::profile::Profiles;
use super::read_only::ReadOnly;
use super::roles::{AskCode, Way};
use super::trust::{Bundle, Trust};
use super::{
    CloudControl, CloudFront, CloudTrail, Ecr, Ecs, Elbv2, Logs, NestedTemplates, Objects, PackageBucket, Pricing,
    Route53, Services, SiteBucket, Ssm, Table, Tagging, cloudformation::CloudFormation,
};
use crate::model::{StateLocation, Target, sensitive};
use aws_config::{BehaviorVersion, Region, identity::IdentityCache, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sts::config::retry::RetryPartition;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The last line of defence around one attempt, body included; [`Gate`] gives up far earlier on a silent endpoint.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(120);
/// A download that stands still for so long is cut off.
const STALL_GRACE: Duration = Duration::from_secs(10);
/// Throttled calls and server errors are tried so often, with pauses that grow from one second to twenty.
const MAX_ATTEMPTS: u32 = 8;
const MAX_PAUSE: Duration = Duration::from_secs(20);

/// Something that a person who waits would like to know; nothing depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// AWS asks for patience; the call will be made again.
    Throttled { service: String, operation: String, attempt: u32 },
    /// No byte of an answer for so long; the call is still being waited for.
    NoAnswer { endpoint: String, seconds: u64 },
}

/// Where notices go: must be quick, must not block.
pub type Notify = Arc<dyn Fn(Notice) + Send + Sync>;

/// What a connection is made of; everything else comes from the surroundings (`AWS_*` variables, `~/.aws`).
#[derive(Default, Clone)]
pub struct Connect {
    pub profile: Option<String>,
    /// Another address for every service; `AWS_ENDPOINT_URL` and the profile's `endpoint_url` hold without it.
    pub endpoint_url: Option<String>,
    /// Where calls that belong to no stack go (STS).
    pub region: String,
    /// An emulator's or a rehearsal's keys; none for those of the surroundings.
    pub credentials: Option<AccessKey>,
    /// The seam: what sends requests and brings answers. None for the network.
    pub http_client: Option<SharedHttpClient>,
    /// Asks for the code of an MFA device; none where nobody can be asked.
    pub ask_code: Option<AskCode>,
    pub notify: Option<Notify>,
    /// It is the AWS that is embedded in this program.
    pub embedded: bool,
    /// Nothing but reads leaves; the look-up of credentials goes its own way.
    pub read_only: bool,
}

/// Long-lived credentials that are known beforehand.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
}

/// A way to AWS. Cheap to clone; making it asks AWS nothing.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    config: SdkConfig,
    endpoints: Endpoints,
    region: String,
    base: Renewing,
    /// The seam itself, for what watches over its own requests.
    plain: Http,
    notify: Notify,
    clients: Mutex<HashMap<Place, Arc<Clients>>>,
}

/// What tells one set of clients from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    region: String,
    role: Option<String>,
}

/// The clients of one region and one role.
struct Clients {
    config: SdkConfig,
    /// Sets these clients apart from all others of the process: how fast they may ask, after AWS asked for patience, is a
    /// matter of this region and role alone. (The SDK would share it between all clients of a service.)
    pace: u64,
    credentials: Renewing,
    notify: Notify,
    cloudcontrol: OnceLock<aws_sdk_cloudcontrol::Client>,
    cloudformation: OnceLock<aws_sdk_cloudformation::Client>,
    cloudtrail: OnceLock<aws_sdk_cloudtrail::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    ecr: OnceLock<aws_sdk_ecr::Client>,
    ecs: OnceLock<aws_sdk_ecs::Client>,
    logs: OnceLock<aws_sdk_cloudwatchlogs::Client>,
    pricing: OnceLock<aws_sdk_pricing::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    tagging: OnceLock<aws_sdk_resourcegroupstagging::Client>,
}

impl Aws {
    /// Reads the surroundings; asks AWS nothing. Missing credentials show at the first call.
    pub async fn connect(options: Connect) -> Aws {
        let notify: Notify = options.notify.unwrap_or_else(|| Arc::new(|_| {}));
        let profiles = match options.credentials {
            Some(_) => None,
            None => Profiles::read(options.profile.as_deref()).await,
        };
        let client = options.http_client.unwrap_or_else(|| {
            http::network_with(Trust::new(of_environment().or_else(|| profiles.as_ref()?.bundle())))
        });
        let guarded = |client: SharedHttpClient| if options.read_only { ReadOnly::client(client) } else { client };
        let plain = Http::new(guarded(client.clone()));
        let client = SharedHttpClient::new(Gate::new(client, notify.clone(), options.embedded));
        let base = match options.credentials {
            Some(AccessKey { id, secret }) => Renewing::from_key(&id, &secret),
            None => Renewing::from_surroundings(Way {
                client: client.clone(),
                region: options.region.clone(),
                endpoint_url: options.endpoint_url.clone(),
                profile: options.profile.clone(),
                ask_code: options.ask_code,
                timeout: LOOK_UP_TIMEOUT,
            }),
        };
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(options.region.clone()))
            .http_client(guarded(client))
            .credentials_provider(base.clone())
            .time_source(Clock::new())
            .identity_cache(IdentityCache::no_cache()) // `Renewing` remembers, and can be told to forget
            .retry_config(RetryConfig::adaptive().with_max_attempts(MAX_ATTEMPTS).with_max_backoff(MAX_PAUSE))
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(STALL_GRACE).build())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .build(),
            );
        if let Some(profile) = options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = options.endpoint_url {
            sensitive::learn_url(&url);
            // An address of one's own has no variants.
            loader = loader.endpoint_url(url).use_fips(false).use_dual_stack(false);
        }
        let config = loader.load().await;
        let endpoints = Endpoints::of(&config);
        let (region, clients) = (options.region, Mutex::default());
        Aws { inner: Arc::new(Inner { config, endpoints, region, base, plain, notify, clients }) }
    }

    /// Where the registry of ECR's that images call `host` is reached, if not there.
    pub fn registry_url(&self, host: &str, account: &str, region: &str) -> Option<String> {
        self.inner.endpoints.registry(host, account, region)
    }

    /// The region of calls that belong to no stack.
    pub fn region(&self) -> &str {
        &self.inner.region
    }

    pub fn cloudformation(&self, target: &Target) -> CloudFormation {
        CloudFormation::new(self.at(target).cloudformation(), target.clone())
    }

    pub fn cloud_control(&self, target: &Target) -> CloudControl {
        CloudControl::new(self.at(target).cloudcontrol())
    }

    pub fn cloud_trail(&self, target: &Target) -> CloudTrail {
        CloudTrail::new(self.at(target).cloudtrail())
    }

    /// Returns what reads resources through their own services.
    pub fn services(&self, target: &Target) -> Services {
        let at = self.at(target);
        let way = (self.http(), at.credentials.clone());
        Services::new(way, &self.inner.endpoints, &target.region, (at.s3(), at.ecs()))
    }

    pub fn tagging(&self, target: &Target) -> Tagging {
        Tagging::new(self.at(target).tagging())
    }

    pub fn ecs(&self, target: &Target) -> Ecs {
        Ecs::new(self.at(target).ecs())
    }

    pub fn logs(&self, target: &Target) -> Logs {
        Logs::new(self.at(target).logs())
    }

    /// The bucket of a static site.
    pub fn site_bucket(&self, target: &Target, bucket: &str) -> SiteBucket {
        SiteBucket::new(self.at(target).s3(), bucket)
    }

    /// The bucket that functions' code lies in.
    pub fn package_bucket(&self, target: &Target, bucket: &str) -> PackageBucket {
        PackageBucket::new(self.at(target).s3(), bucket)
    }

    pub fn cloudfront(&self, target: &Target) -> CloudFront {
        let credentials = self.at(target).credentials.clone();
        CloudFront::new((self.http(), credentials), self.inner.endpoints.cloudfront(&target.region))
    }

    pub fn route53(&self, target: &Target) -> Route53 {
        let credentials = self.at(target).credentials.clone();
        Route53::new((self.http(), credentials), self.inner.endpoints.route53(&target.region))
    }

    /// Templates of nested stacks.
    pub fn nested_templates(&self, target: &Target) -> NestedTemplates {
        NestedTemplates::new(self.at(target).s3())
    }

    pub fn ssm(&self, target: &Target) -> Ssm {
        let credentials = self.at(target).credentials.clone();
        Ssm::new((self.http(), credentials), self.inner.endpoints.ssm(&target.region))
    }

    pub fn elbv2(&self, target: &Target) -> Elbv2 {
        let credentials = self.at(target).credentials.clone();
        Elbv2::new((self.http(), credentials), self.inner.endpoints.load_balancing(&target.region))
    }

    /// Plain HTTP through the same seam.
    pub fn http(&self) -> Http {
        self.inner.plain.clone()
    }

    pub fn ecr(&self, target: &Target) -> Ecr {
        Ecr::new(self.at(target).ecr())
    }

    /// The bucket of states, templates and histories.
    pub fn objects(&self, state: &StateLocation) -> Objects {
        let clients = self.home(&state.region);
        Objects::new(clients.s3(), state, self.inner.endpoints.clone())
    }

    /// The same as somebody who may read it sees it.
    pub fn objects_as(&self, state: &StateLocation, role: &str) -> Objects {
        let clients = self.clients(Place { region: state.region.clone(), role: Some(role.to_owned()) });
        Objects::new(clients.s3(), state, self.inner.endpoints.clone())
    }

    /// The table of locks.
    pub fn table(&self, state: &StateLocation) -> Table {
        Table::new(self.home(&state.region).dynamodb(), state)
    }

    /// The price list.
    pub fn pricing(&self) -> Pricing {
        Pricing::new(self.home(super::pricing::REGION).pricing())
    }

    pub(super) fn sts(&self) -> aws_sdk_sts::Client {
        self.home(&self.inner.region).sts()
    }

    /// The caller's own credentials in a region.
    fn home(&self, region: &str) -> Arc<Clients> {
        self.clients(Place { region: region.to_owned(), role: None })
    }

    fn at(&self, target: &Target) -> Arc<Clients> {
        self.clients(Place { region: target.region.clone(), role: target.role.clone() })
    }

    fn clients(&self, place: Place) -> Arc<Clients> {
        let mut clients = self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = clients.get(&place) {
            return found.clone();
        }
        let made = Arc::new(self.make(&place));
        clients.insert(place, made.clone());
        made
    }

    fn make(&self, place: &Place) -> Clients {
        let config = self.inner.config.to_builder().region(Region::new(place.region.clone())).build();
        let credentials = match &place.role {
            None => self.inner.base.clone(),
            Some(role) => {
                let caller = Clients::new(config.clone(), self.inner.base.clone(), self.inner.notify.clone());
                Renewing::from_role(RoleToAssume { arn: role.clone(), sts: caller.sts() })
            }
        };
        let config = config.to_builder().credentials_provider(credentials.shared()).build();
        Clients::new(config, credentials, self.inner.notify.clone())
    }
}

/// The certificates that `AWS_CA_BUNDLE` names.
fn of_environment() -> Option<Bundle> {
    let path = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty())?;
    Some(Bundle { path: path.into(), named_by: "AWS_CA_BUNDLE".to_owned() })
}

/// One client, with the habits that all of them have.
macro_rules! client {
    ($name:ident, $service:ident $(, $with:ident)?) => {
        fn $name(&self) -> $service::Client {
            self.$name
                .get_or_init(|| {
                    let builder = $service::config::Builder::from(&self.config)
                        .retry_partition(RetryPartition::new(format!("{}-{}", stringify!($name), self.pace)))
                        .interceptor(Patience::new(self.credentials.clone(), self.notify.clone()))
                        .retry_classifier(ExpiredToken);
                    $(let builder = self.$with(builder);)?
                    $service::Client::from_conf(builder.build())
                })
                .clone()
        }
    };
}

impl Clients {
    fn new(config: SdkConfig, credentials: Renewing, notify: Notify) -> Clients {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Clients {
            config,
            pace: NEXT.fetch_add(1, Ordering::Relaxed),
            credentials,
            notify,
            cloudcontrol: OnceLock::new(),
            cloudformation: OnceLock::new(),
            cloudtrail: OnceLock::new(),
            dynamodb: OnceLock::new(),
            ecr: OnceLock::new(),
            ecs: OnceLock::new(),
            logs: OnceLock::new(),
            pricing: OnceLock::new(),
            s3: OnceLock::new(),
            sts: OnceLock::new(),
            tagging: OnceLock::new(),
        }
    }

    client!(cloudcontrol, aws_sdk_cloudcontrol);
    client!(cloudformation, aws_sdk_cloudformation);
    client!(cloudtrail, aws_sdk_cloudtrail);
    client!(dynamodb, aws_sdk_dynamodb);
    client!(ecr, aws_sdk_ecr);
    client!(ecs, aws_sdk_ecs);
    client!(logs, aws_sdk_cloudwatchlogs);
    client!(pricing, aws_sdk_pricing);
    client!(s3, aws_sdk_s3, path_style);
    client!(sts, aws_sdk_sts);
    client!(tagging, aws_sdk_resourcegroupstagging);

    /// A stand-in for AWS has one name; `bucket.localhost` would be nobody.
    fn path_style(&self, builder: aws_sdk_s3::config::Builder) -> aws_sdk_s3::config::Builder {
        let stand_in = self.config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        builder.force_path_style(stand_in)
    }
}
