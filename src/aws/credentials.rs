//! Credentials that are remembered while they hold and looked for anew when they do not.
//!
//! The SDK's own cache trusts what it has until the expiry it was told of. Here a refusal by AWS counts too: the next
//! call reads profile files, asks the sign-in helper or assumes the role again, so that a run outlives its first
//! session, and goes on by itself once a person has signed in again.

use super::Result;
use super::error::{Call, Explain};
use crate::error::{Error, Kind};
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::region::Region;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Credentials are renewed so long before they end.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// How long all the places together may take to give credentials (a sign-in helper may ask the network).
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(20);
const ROLE_SESSION: &str = "infra";

/// Cheap to clone; clones share what they remember.
#[derive(Clone)]
pub(super) struct Renewing {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    /// One look-up at a time: fifty calls that start together ask once.
    looking: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    good: Option<Credentials>,
    /// The access key that AWS called expired last.
    refused: Option<String>,
}

enum Source {
    Fixed(Credentials),
    Surroundings { profile: Option<String>, region: String, client: SharedHttpClient },
    Role(RoleToAssume),
}

/// A role, and who asks for it.
pub(super) struct RoleToAssume {
    pub arn: String,
    pub sts: aws_sdk_sts::Client,
}

impl Renewing {
    /// Environment variables, profile, web identity, container, instance: the SDK's chain.
    pub(super) fn from_surroundings(profile: Option<String>, region: String, client: SharedHttpClient) -> Renewing {
        Renewing::new(Source::Surroundings { profile, region, client })
    }

    pub(super) fn from_key(id: &str, secret: &str) -> Renewing {
        Renewing::new(Source::Fixed(Credentials::new(id, secret, None, None, "AccessKey")))
    }

    pub(super) fn from_role(role: RoleToAssume) -> Renewing {
        Renewing::new(Source::Role(role))
    }

    fn new(source: Source) -> Renewing {
        Renewing { inner: Arc::new(Inner { source, looking: tokio::sync::Mutex::default(), known: Mutex::default() }) }
    }

    pub(super) fn shared(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(self.clone())
    }

    /// AWS said that the session of this access key is over.
    pub(super) fn refuse(&self, access_key_id: &str) {
        let mut known = self.known();
        if known.good.as_ref().is_some_and(|good| good.access_key_id() == access_key_id) {
            known.good = None;
        }
        known.refused = Some(access_key_id.to_owned());
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self) -> Option<Credentials> {
        self.known().good.clone().filter(is_fresh)
    }

    async fn credentials(&self) -> std::result::Result<Credentials, CredentialsError> {
        let _one = self.inner.looking.lock().await;
        let old = self.known().good.clone();
        if let Some(fresh) = old.clone().filter(is_fresh) {
            return Ok(fresh);
        }
        let found = match tokio::time::timeout(LOOK_UP_TIMEOUT, self.inner.source.look()).await {
            Ok(found) => found,
            Err(_) => Err(CredentialsError::provider_timed_out(LOOK_UP_TIMEOUT)),
        };
        let found = match (found, old) {
            (Ok(found), _) => found,
            // Not renewable just now, but good for a few minutes more.
            (Err(_), Some(old)) if old.expiry().is_some_and(|end| end > SystemTime::now()) => return Ok(old),
            (Err(error), _) => return Err(error),
        };
        let mut known = self.known();
        if known.refused.as_deref() == Some(found.access_key_id()) {
            return Err(CredentialsError::provider_error(Expired));
        }
        known.good = Some(found.clone());
        Ok(found)
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|end| end > SystemTime::now() + RENEW_BEFORE)
}

impl Source {
    async fn look(&self) -> std::result::Result<Credentials, CredentialsError> {
        match self {
            Source::Fixed(credentials) => Ok(credentials.clone()),
            Source::Surroundings { profile, region, client } => {
                let region = Some(Region::new(region.clone()));
                let config = ProviderConfig::default().with_http_client(client.clone()).with_region(region.clone());
                match profile {
                    // As with AWS's own command line: a profile that was named by an option comes before variables.
                    Some(profile) => {
                        let builder = ProfileFileCredentialsProvider::builder().configure(&config);
                        let found = builder.profile_name(profile).build().provide_credentials().await;
                        found.map_err(|error| blame_profile(error, Some(profile.clone())))
                    }
                    None => {
                        let mut builder = DefaultCredentialsChain::builder().configure(config);
                        builder.set_region(region);
                        let found = builder.build().await.provide_credentials().await;
                        found.map_err(|error| blame_profile(error, std::env::var("AWS_PROFILE").ok()))
                    }
                }
            }
            Source::Role(role) => role.assume().await.map_err(CredentialsError::provider_error),
        }
    }
}

/// Where nothing was found although a profile was named, it is the profile that is wrong.
fn blame_profile(error: CredentialsError, profile: Option<String>) -> CredentialsError {
    match (error, profile.filter(|name| !name.is_empty())) {
        (CredentialsError::CredentialsNotLoaded(_), Some(name)) => CredentialsError::invalid_configuration(format!(
            "the profile `{name}` is not there, or does not say where credentials come from"
        )),
        (error, _) => error,
    }
}

impl RoleToAssume {
    async fn assume(&self) -> Result<Credentials> {
        let call = || Call::new("sts", "AssumeRole", format!("assume the role `{}`", self.arn));
        let request = self.sts.assume_role().role_arn(&self.arn).role_session_name(ROLE_SESSION);
        let given = request.send().await.explain(call)?.credentials;
        let given = given.ok_or_else(|| {
            Error::new(Kind::Credentials, format!("AWS answered without credentials for the role `{}`", self.arn))
        })?;
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            SystemTime::try_from(given.expiration).ok(),
            "AssumeRole",
        ))
    }
}

impl ProvideCredentials for Renewing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        // Asked for at every call, and nearly always known: without the future of a look-up, which is large.
        match self.fresh() {
            Some(fresh) => future::ProvideCredentials::ready(Ok(fresh)),
            None => future::ProvideCredentials::new(self.credentials()),
        }
    }
}

impl fmt::Debug for Renewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewing").finish_non_exhaustive()
    }
}

/// Everything that can be found is what AWS has called expired.
#[derive(Debug)]
pub(super) struct Expired;

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the credentials have expired")
    }
}

impl std::error::Error for Expired {}
