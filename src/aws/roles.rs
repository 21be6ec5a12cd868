//! Roles of profiles, assumed one after the other, with the code of a device where AWS wants one.

use super::error::{Call, Explain, failure};
use super::profile::{Base, Role, RoleChain, home, sha1};
use crate::error::{Error, Kind};
use aws_config::BehaviorVersion;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::region::Region;
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A device whose code is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaDevice {
    /// Its serial number or ARN.
    pub serial: String,
    /// The role that wants it.
    pub role: String,
    pub profile: String,
}

/// Asks a person for the code that a device shows.
pub type AskCode = Arc<dyn Fn(MfaDevice) -> BoxFuture<'static, crate::error::Result<String>> + Send + Sync>;

/// What roles are assumed through.
#[derive(Clone)]
pub(super) struct Way {
    pub client: SharedHttpClient,
    pub region: String,
    /// Another address for every service.
    pub endpoint_url: Option<String>,
    pub profile: Option<String>,
    /// None where nobody can be asked.
    pub ask_code: Option<AskCode>,
    /// How long the base's credentials may take.
    pub timeout: Duration,
}

impl Way {
    /// The credentials at the end of the chain.
    pub(super) async fn walk(&self, chain: &RoleChain) -> Result<Credentials, CredentialsError> {
        let mut credentials = match tokio::time::timeout(self.timeout, self.base(&chain.base)).await {
            Ok(found) => found?,
            Err(_) => return Err(CredentialsError::provider_timed_out(self.timeout)),
        };
        for role in &chain.roles {
            credentials = match remembered(role) {
                Some(session) => session,
                None => self.assume(role, credentials).await.map_err(CredentialsError::provider_error)?,
            };
        }
        Ok(credentials)
    }

    async fn base(&self, base: &Base) -> Result<Credentials, CredentialsError> {
        let region = Region::new(self.region.clone());
        let config = ProviderConfig::default().with_http_client(self.client.clone()).with_region(Some(region));
        match base {
            Base::Profile(name) => {
                let builder = ProfileFileCredentialsProvider::builder().configure(&config);
                builder.profile_name(name).build().provide_credentials().await
            }
            Base::Keys { id, secret, token } => Ok(Credentials::new(id, secret, token.clone(), None, "Profile")),
            Base::Environment => EnvironmentVariableCredentialsProvider::new().provide_credentials().await,
            Base::Instance => ImdsCredentialsProvider::builder().configure(&config).build().provide_credentials().await,
            Base::Container => EcsCredentialsProvider::builder().configure(&config).build().provide_credentials().await,
        }
    }

    async fn assume(&self, role: &Role, by: Credentials) -> Result<Credentials, Error> {
        let code = match &role.mfa_serial {
            Some(serial) => Some(self.code(role, serial).await?),
            None => None,
        };
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .http_client(self.client.clone())
            .credentials_provider(SharedCredentialsProvider::new(by));
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &self.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let sts = aws_sdk_sts::Client::new(&loader.load().await);
        let request = sts
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(role.session_name.as_deref().unwrap_or("infra"))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(role.duration_seconds)
            .set_serial_number(role.mfa_serial.clone())
            .set_token_code(code);
        let Role { arn, profile, .. } = role;
        let call = || Call::new("sts", "AssumeRole", format!("assume the role `{arn}` of the profile `{profile}`"));
        let sent = match tokio::time::timeout(self.timeout, request.send()).await {
            Ok(sent) => sent.explain(call).map_err(|error| with_code_hint(error, role))?,
            Err(_) => {
                let seconds = self.timeout.as_secs();
                return Err(Error::new(Kind::Unreachable, format!("no answer from STS within {seconds} s"))
                    .detail(format!("tried to assume the role `{arn}` of the profile `{profile}`")));
            }
        };
        session(sent.credentials, arn)
    }

    async fn code(&self, role: &Role, serial: &str) -> Result<String, Error> {
        let Role { arn, profile, .. } = role;
        let Some(ask) = &self.ask_code else {
            return Err(Error::new(Kind::Credentials, format!("the profile `{profile}` wants the code of an MFA device"))
                .detail(format!("`mfa_serial` names {serial} for the role {arn}"))
                .detail("nobody can be asked for it: standard input or error is no terminal")
                .hint(format!(
                    "run `aws sts get-caller-identity --profile {profile}` in a terminal first: the session that it opens is \
                     used here while it lasts"
                ))
                .hint("in a pipeline take a role that wants no code, by OIDC or by the runner's own role"));
        };
        let device = MfaDevice { serial: serial.to_owned(), role: arn.clone(), profile: profile.clone() };
        let code = ask(device).await.map_err(|error| {
            error.downcast::<Error>().unwrap_or_else(|other| Error::new(Kind::Credentials, other.to_string()))
        })?;
        let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
        if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(Kind::Credentials, "an MFA code has six digits; what was typed has not")
                .hint("run the same command again"));
        }
        Ok(code)
    }
}

/// Returns the credentials of a session that STS opened for a role.
///
/// # Errors
/// Where the answer holds none.
pub(super) fn session(answer: Option<aws_sdk_sts::types::Credentials>, role: &str) -> Result<Credentials, Error> {
    let given = answer.ok_or_else(|| {
        Error::new(Kind::Credentials, format!("AWS answered without credentials for the role `{role}`"))
    })?;
    let end = SystemTime::try_from(given.expiration).ok();
    let token = Some(given.session_token);
    Ok(Credentials::new(given.access_key_id, given.secret_access_key, token, end, "AssumeRole"))
}

/// AWS refuses a wrong code as it refuses a missing permission.
fn with_code_hint(error: Error, role: &Role) -> Error {
    let is_denied = failure(&error).is_some_and(|failure| failure.code == "AccessDenied");
    match is_denied && role.mfa_serial.is_some() {
        true => error.hint("a code counts once: if it was used a moment ago, wait for the next one"),
        false => error,
    }
}

/// The session that AWS's command line has opened for a role with a code, while it lasts. It is kept in
/// `~/.aws/cli/cache`, under a digest of what the role was asked for with.
fn remembered(role: &Role) -> Option<Credentials> {
    role.mfa_serial.as_ref()?;
    let path = home()?.join(".aws/cli/cache").join(format!("{}.json", cache_key(role)));
    let session: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let text = |key: &str| session["Credentials"][key].as_str().map(str::to_owned);
    let end: Timestamp = text("Expiration")?.replace("UTC", "Z").parse().ok()?;
    if end < Timestamp::now() + jiff::SignedDuration::from_secs(60) {
        return None;
    }
    Some(Credentials::new(
        text("AccessKeyId")?,
        text("SecretAccessKey")?,
        text("SessionToken"),
        Some(SystemTime::from(end)),
        "CommandLineSession",
    ))
}

/// The digest of the request's parameters in the alphabet's order, as Python writes them; a session's name counts only where
/// the profile gives it.
fn cache_key(role: &Role) -> String {
    let text = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("\"{name}\": {}", serde_json::Value::from(value.as_str())))
    };
    let parts = [
        role.duration_seconds.map(|seconds| format!("\"DurationSeconds\": {seconds}")),
        text("ExternalId", &role.external_id),
        text("RoleArn", &Some(role.arn.clone())),
        text("RoleSessionName", &role.session_name),
        text("SerialNumber", &role.mfa_serial),
    ];
    sha1(&format!("{{{}}}", parts.into_iter().flatten().collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_the_command_line_are_found_by_their_request() {
        let role = Role {
            profile: "admin".to_owned(),
            arn: "arn:aws:iam::111122223333:role/admin".to_owned(),
            external_id: None,
            session_name: None,
            duration_seconds: Some(3600),
            mfa_serial: Some("arn:aws:iam::111122223333:mfa/alice".to_owned()),
        };
        // hashlib.sha1(json.dumps({...}, sort_keys=True).encode()).hexdigest()
        assert_eq!(cache_key(&role), "96ad77e09fa1f636bf5d1bfccaab8735b7758f23");
    }
}
