//! Credentials that are remembered while they hold and looked for anew when they do not.
//!
//! The SDK's own cache trusts what it has until the expiry it was told of. Here a refusal by AWS counts too: the next
//! call reads profile files, asks the sign-in helper or assumes the role again, so that a run outlives its first
//! session, and goes on by itself once a person has signed in again.

use super::Result;
use super::error::{Call, Explain};
use super::http::Undelivered;
use super::profile::{Profiles, SignOn};
use super::roles::{Way, session};
use crate::error::{Error, Kind};
use crate::model::sensitive;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_types::region::Region;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Credentials are renewed so long before they end.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// How long all the places together may take to give credentials (a sign-in helper may ask the network).
pub(super) const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(20);
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
    Surroundings(Way),
    Role(RoleToAssume),
}

/// A role, and who asks for it.
pub(super) struct RoleToAssume {
    pub arn: String,
    pub sts: aws_sdk_sts::Client,
}

impl Renewing {
    /// Environment variables, profile, web identity, container, instance: the SDK's chain.
    pub(super) fn from_surroundings(way: Way) -> Renewing {
        Renewing::new(Source::Surroundings(way))
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
        let found = match (self.inner.source.look().await, old) {
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
        sensitive::learn(found.secret_access_key());
        found.session_token().into_iter().for_each(sensitive::learn);
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
            Source::Surroundings(way) => look_around(way).await,
            Source::Role(role) => {
                in_time(async { role.assume().await.map_err(CredentialsError::provider_error) }).await
            }
        }
    }
}

/// Variables, then the profile with the roles that it assumes, then the SDK's other places.
async fn look_around(way: &Way) -> std::result::Result<Credentials, CredentialsError> {
    // As with AWS's own command line: a profile that was named by an option comes before variables.
    let is_variable = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let by_variables =
        way.profile.is_none() && is_variable("AWS_ACCESS_KEY_ID") && is_variable("AWS_SECRET_ACCESS_KEY");
    let profiles = match by_variables {
        true => None,
        false => Profiles::read(way.profile.as_deref()).await,
    };
    let chain = profiles.as_ref().map_or(Ok(None), Profiles::roles).map_err(CredentialsError::provider_error)?;
    let found = match &chain {
        Some(chain) => way.walk(chain).await,
        None => in_time(sdk_chain(way)).await,
    };
    let error = match found {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let ours = super::error::find::<Error>(&error).is_some();
    match profiles.as_ref().and_then(Profiles::sign_on).filter(|_| !ours) {
        Some(sign_on) => Err(without_sign_on(error, &sign_on)),
        None => Err(error),
    }
}

async fn sdk_chain(way: &Way) -> std::result::Result<Credentials, CredentialsError> {
    let region = Some(Region::new(way.region.clone()));
    let config = ProviderConfig::default().with_http_client(way.client.clone()).with_region(region.clone());
    match &way.profile {
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

async fn in_time(
    work: impl Future<Output = std::result::Result<Credentials, CredentialsError>>,
) -> std::result::Result<Credentials, CredentialsError> {
    match tokio::time::timeout(LOOK_UP_TIMEOUT, work).await {
        Ok(found) => found,
        Err(_) => Err(CredentialsError::provider_timed_out(LOOK_UP_TIMEOUT)),
    }
}

/// The SDK says which file it did not find; a person has to sign in.
fn without_sign_on(error: CredentialsError, sign_on: &SignOn) -> CredentialsError {
    // One that can be renewed by itself is not over because nobody could be reached.
    if sign_on.is_renewable() && super::error::find::<Undelivered>(&error).is_some() {
        return error;
    }
    let explained = sign_on.problem().unwrap_or_else(|| {
        let message = format!("the sign-in of the profile `{}` gave no credentials", sign_on.profile);
        Error::new(Kind::Credentials, message).detail(super::error::innermost(&error)).hint(sign_on.sign_in())
    });
    CredentialsError::provider_error(explained)
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
        session(request.send().await.explain(call)?.credentials, &self.arn)
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
