//! What the chosen profile says: of certificates, of roles to assume one after the other, of single sign-on.
//!
//! The SDK reads profiles itself for credentials. Read here is what it passes over (`mfa_serial`, `duration_seconds`,
//! `ca_bundle`), and what its errors do not say. Source: AWS CLI user guide, "Configuration and credential file settings".

use super::trust::Bundle;
use crate::error::{Error, Kind};
use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use jiff::Timestamp;
use sha1::{Digest, Sha1};
use std::path::{Path, PathBuf};

/// The profiles of `~/.aws/config` and `~/.aws/credentials`, and which one is chosen.
#[derive(Debug)]
pub(super) struct Profiles {
    set: ProfileSet,
    chosen: String,
}

/// A role that a profile assumes with the credentials of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    /// The profile that names it.
    pub profile: String,
    pub arn: String,
    pub external_id: Option<String>,
    pub session_name: Option<String>,
    pub duration_seconds: Option<i32>,
    /// The device whose code AWS wants to see.
    pub mfa_serial: Option<String>,
}

/// Where the credentials come from that assume the first role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// What a profile says by itself.
    Profile(String),
    /// The access key that stands beside the role.
    Keys {
        id: String,
        secret: String,
        token: Option<String>,
    },
    /// `credential_source`.
    Environment,
    Instance,
    Container,
}

/// Roles in the order in which they are assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleChain {
    pub base: Base,
    pub roles: Vec<Role>,
}

/// A sign-in that a profile depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignOn {
    pub profile: String,
    pub start_url: String,
    /// What its token is kept under: the session's name, or the address where there is none.
    key: String,
}

impl Profiles {
    /// Reads the files; `chosen` comes before AWS_PROFILE. None where they cannot be read: the look-up of credentials says why.
    pub(super) async fn read(chosen: Option<&str>) -> Option<Profiles> {
        let chosen = chosen.map(|name| name.to_owned().into());
        let files = EnvConfigFiles::default();
        let set = aws_config::profile::load(&Fs::real(), &Env::real(), &files, chosen).await.ok()?;
        let chosen = set.selected_profile().to_owned();
        Some(Profiles { set, chosen })
    }

    fn get(&self, profile: &str, key: &str) -> Option<String> {
        self.set.get_profile(profile)?.get(key).map(str::to_owned).filter(|value| !value.is_empty())
    }

    /// The certificates that the profile trusts.
    pub(super) fn bundle(&self) -> Option<Bundle> {
        let path = self.get(&self.chosen, "ca_bundle")?;
        let path = match path.strip_prefix("~/") {
            Some(rest) => home()?.join(rest),
            None => PathBuf::from(path),
        };
        Some(Bundle { path, named_by: format!("`ca_bundle` of the profile `{}`", self.chosen) })
    }

    /// The roles that the profile assumes. None where it assumes none, or is not whole: then the SDK says what is wrong.
    ///
    /// # Errors
    /// `duration_seconds` is no number.
    pub(super) fn roles(&self) -> Result<Option<RoleChain>, Error> {
        let mut roles = Vec::new();
        let mut name = self.chosen.clone();
        let base = loop {
            let Some(arn) =
                self.get(&name, "role_arn").filter(|_| self.get(&name, "web_identity_token_file").is_none())
            else {
                break Base::Profile(name);
            };
            let duration_seconds = match self.get(&name, "duration_seconds") {
                Some(text) => Some(text.parse().map_err(|_| no_number(&name, &text))?),
                None => None,
            };
            roles.push(Role {
                arn,
                external_id: self.get(&name, "external_id"),
                session_name: self.get(&name, "role_session_name"),
                mfa_serial: self.get(&name, "mfa_serial"),
                duration_seconds,
                profile: name.clone(),
            });
            match (self.get(&name, "source_profile"), self.get(&name, "credential_source").as_deref()) {
                (Some(source), _) if source == name => match self.keys(&name) {
                    Some(keys) => break keys,
                    None => return Ok(None),
                },
                (Some(source), _) if roles.iter().any(|role: &Role| role.profile == source) => return Ok(None),
                (Some(source), _) if self.set.get_profile(&source).is_none() => return Ok(None),
                (Some(source), _) => match self.keys(&source) {
                    // A profile's own access key comes before the role that it names.
                    Some(keys) => break keys,
                    None => name = source,
                },
                (None, Some("Environment")) => break Base::Environment,
                (None, Some("Ec2InstanceMetadata")) => break Base::Instance,
                (None, Some("EcsContainer")) => break Base::Container,
                (None, _) => return Ok(None),
            }
        };
        roles.reverse();
        Ok((!roles.is_empty()).then_some(RoleChain { base, roles }))
    }

    fn keys(&self, profile: &str) -> Option<Base> {
        let id = self.get(profile, "aws_access_key_id")?;
        let secret = self.get(profile, "aws_secret_access_key")?;
        Some(Base::Keys { id, secret, token: self.get(profile, "aws_session_token") })
    }

    /// The single sign-on that the profile depends on, by itself or through the profiles that it takes credentials from.
    pub(super) fn sign_on(&self) -> Option<SignOn> {
        let mut name = self.chosen.clone();
        for _ in 0..self.set.profiles().count().max(1) {
            let (session, url) = (self.get(&name, "sso_session"), self.get(&name, "sso_start_url"));
            if let Some(session) = session {
                let of_session = |key: &str| self.set.sso_session(&session)?.get(key).map(str::to_owned);
                let start_url = of_session("sso_start_url").or(url).unwrap_or_default();
                return Some(SignOn { profile: name, start_url, key: session });
            }
            if let Some(url) = url {
                return Some(SignOn { profile: name, start_url: url.clone(), key: url });
            }
            name = self.get(&name, "source_profile")?;
        }
        None
    }
}

impl SignOn {
    /// What stands in the way of its credentials, as far as the token that the sign-in left says; none where it holds.
    pub(super) fn problem(&self) -> Option<Error> {
        let SignOn { profile, start_url, .. } = self;
        let path = home()?.join(".aws/sso/cache").join(format!("{}.json", sha1(&self.key)));
        let error = match std::fs::read(&path) {
            Err(_) => Error::new(Kind::Credentials, format!("nobody is signed in for the profile `{profile}`"))
                .detail(format!("there is no token of {start_url} in {}", path.display())),
            Ok(bytes) => {
                let token: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let end: Option<Timestamp> = token["expiresAt"].as_str().and_then(expiry);
                match end {
                    Some(end) if end > Timestamp::now() => return None,
                    Some(end) => {
                        Error::new(Kind::Credentials, format!("the sign-in of the profile `{profile}` has ended"))
                            .detail(format!("its token of {start_url} was good until {end}"))
                    }
                    None => {
                        Error::new(Kind::Credentials, format!("the sign-in of the profile `{profile}` cannot be read"))
                            .detail(format!("{} holds no token", path.display()))
                    }
                }
            }
        };
        Some(error.hint(self.sign_in()))
    }

    /// Whether its token is renewed without a person: those of sessions that have a name are.
    pub(super) fn is_renewable(&self) -> bool {
        self.key != self.start_url
    }

    /// What to do.
    pub(super) fn sign_in(&self) -> String {
        format!("sign in: `aws sso login --profile {}`, then run the same command", self.profile)
    }
}

/// RFC 3339; old versions of AWS's command line wrote `UTC` for the zone.
fn expiry(text: &str) -> Option<Timestamp> {
    text.replace("UTC", "Z").parse().ok()
}

/// The name of a cache file of AWS's command line.
pub(super) fn sha1(text: &str) -> String {
    Sha1::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn home() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
    Some(Path::new(&home).to_owned()).filter(|home| !home.as_os_str().is_empty())
}

fn no_number(profile: &str, text: &str) -> Error {
    Error::new(Kind::Credentials, format!("`duration_seconds` of the profile `{profile}` is no number: `{text}`"))
        .hint("give seconds from 900 to 43200, or take the line away")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_runtime::env_config::file::EnvConfigFileKind;

    async fn profiles(config: &str, chosen: &'static str) -> Profiles {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, config).build();
        let (fs, env) = (Fs::from_slice(&[]), Env::from_slice(&[]));
        let set = aws_config::profile::load(&fs, &env, &files, Some(chosen.into())).await.unwrap();
        Profiles { set, chosen: chosen.to_owned() }
    }

    const CONFIG: &str = "
[profile deploy]
role_arn = arn:aws:iam::111122223333:role/deploy
source_profile = admin
duration_seconds = 7200
external_id = shop

[profile admin]
role_arn = arn:aws:iam::444455556666:role/admin
source_profile = base
mfa_serial = arn:aws:iam::444455556666:mfa/alice

[profile base]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example

[profile own]
role_arn = arn:aws:iam::111122223333:role/own
source_profile = own
aws_access_key_id = AKIAOWN
aws_secret_access_key = example

[profile instance]
role_arn = arn:aws:iam::111122223333:role/instance
credential_source = Ec2InstanceMetadata

[profile one]
role_arn = arn:aws:iam::111122223333:role/one
source_profile = two

[profile two]
role_arn = arn:aws:iam::111122223333:role/two
source_profile = one

[profile legacy]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 111122223333
sso_role_name = Admin
ca_bundle = /etc/company.pem

[profile through]
role_arn = arn:aws:iam::111122223333:role/through
source_profile = legacy

[sso-session main]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1

[profile modern]
sso_session = main
sso_account_id = 111122223333
sso_role_name = Admin
";

    #[tokio::test]
    async fn roles_are_assumed_from_the_source_on() {
        let chain = profiles(CONFIG, "deploy").await.roles().unwrap().unwrap();
        let arns: Vec<&str> = chain.roles.iter().map(|role| role.arn.as_str()).collect();
        assert_eq!(arns, ["arn:aws:iam::444455556666:role/admin", "arn:aws:iam::111122223333:role/deploy"]);
        assert_eq!(chain.roles[0].mfa_serial.as_deref(), Some("arn:aws:iam::444455556666:mfa/alice"));
        assert_eq!(
            (chain.roles[1].duration_seconds, chain.roles[1].external_id.as_deref()),
            (Some(7200), Some("shop"))
        );
        assert!(matches!(chain.base, Base::Keys { id, .. } if id == "AKIAEXAMPLE"));
        let own = profiles(CONFIG, "own").await.roles().unwrap().unwrap();
        assert!(matches!(own.base, Base::Keys { id, .. } if id == "AKIAOWN"));
        assert_eq!(profiles(CONFIG, "instance").await.roles().unwrap().unwrap().base, Base::Instance);
        assert_eq!(profiles(CONFIG, "base").await.roles().unwrap(), None);
        assert_eq!(profiles(CONFIG, "one").await.roles().unwrap(), None);
        let through = profiles(CONFIG, "through").await.roles().unwrap().unwrap();
        assert_eq!(through.base, Base::Profile("legacy".to_owned()));
        let garbled = CONFIG.replace("7200", "two hours");
        assert!(profiles(&garbled, "deploy").await.roles().unwrap_err().message.contains("`two hours`"));
    }

    #[tokio::test]
    async fn sign_ons_are_found_through_source_profiles() {
        for (profile, of, key) in [
            ("legacy", "legacy", "https://example.awsapps.com/start"),
            ("through", "legacy", "https://example.awsapps.com/start"),
            ("modern", "modern", "main"),
        ] {
            let found = profiles(CONFIG, profile).await.sign_on().unwrap();
            assert_eq!((found.profile.as_str(), found.key.as_str()), (of, key));
            assert_eq!(found.start_url, "https://example.awsapps.com/start");
        }
        assert_eq!(profiles(CONFIG, "deploy").await.sign_on(), None);
        assert_eq!(profiles(CONFIG, "one").await.sign_on(), None);
    }

    #[tokio::test]
    async fn bundles() {
        let bundle = profiles(CONFIG, "legacy").await.bundle().unwrap();
        assert_eq!(bundle.path, PathBuf::from("/etc/company.pem"));
        assert_eq!(bundle.named_by, "`ca_bundle` of the profile `legacy`");
        assert_eq!(profiles(CONFIG, "base").await.bundle(), None);
    }

    #[test]
    fn cache_files_are_named_as_by_aws_s_command_line() {
        // `printf %s https://example.awsapps.com/start | sha1sum`
        assert_eq!(sha1("https://example.awsapps.com/start").len(), 40);
        assert_eq!(sha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(expiry("2020-06-17T10:02:08UTC").is_some());
    }
}
