//! Who this machine is signed in as at a registry: what `docker login`, `podman login` and `skopeo login` have written.
//! Credential helpers are not run.

use super::Credentials;
use crate::error::{Error, Kind};
use crate::files::reason;
use crate::model::{Secret, sensitive};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[derive(Default, Deserialize)]
struct Config {
    #[serde(default)]
    auths: HashMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
}

/// The credentials for a registry's host; anonymous if nobody has signed in there.
///
/// # Errors
/// A file of credentials is there and cannot be read.
pub fn signed_in(host: &str) -> Result<Credentials, Error> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let files = [
        variable("REGISTRY_AUTH_FILE"),
        variable("DOCKER_CONFIG").map(|folder| folder.join("config.json")),
        variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        variable("HOME").map(|home| home.join(".docker/config.json")),
    ];
    for file in files.into_iter().flatten() {
        if let Some(credentials) = in_file(&file, host)? {
            return Ok(credentials);
        }
    }
    Ok(Credentials::Anonymous)
}

fn in_file(file: &Path, host: &str) -> Result<Option<Credentials>, Error> {
    let unreadable = |why: String| {
        Error::new(Kind::Credentials, format!("cannot read {}: {why}", file.display()))
            .hint("sign in again (`docker login HOST`), or mend the file")
    };
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(unreadable(reason(&error))),
    };
    let config: Config = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    // Docker writes its own registry with scheme and path.
    let names = [host.to_owned(), format!("https://{host}"), format!("http://{host}"), format!("https://{host}/v1/")];
    let Some(entry) = names.iter().find_map(|name| config.auths.get(name)).filter(|entry| !entry.auth.is_empty())
    else {
        return Ok(None);
    };
    let pair = STANDARD.decode(&entry.auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.ok_or_else(|| unreadable(format!("what it holds for {host} is not Base64")))?;
    let (user, password) =
        pair.split_once(':').ok_or_else(|| unreadable(format!("what it holds for {host} is no user and password")))?;
    sensitive::learn(password);
    Ok(Some(Credentials::Basic { user: user.to_owned(), password: Secret(password.to_owned()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_as_docker_writes_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let auth = STANDARD.encode("alice:pass:word");
        let text = serde_json::json!({"auths": {"localhost:5000": {"auth": auth}, "ghcr.io": {}}, "credsStore": "x"});
        std::fs::write(file.path(), text.to_string()).unwrap();
        match in_file(file.path(), "localhost:5000").unwrap() {
            Some(Credentials::Basic { user, password }) => {
                assert_eq!((user.as_str(), &*password.0), ("alice", "pass:word"))
            }
            other => panic!("{other:?}"),
        }
        assert!(in_file(file.path(), "ghcr.io").unwrap().is_none(), "a helper holds it");
        assert!(in_file(file.path(), "other").unwrap().is_none());
        assert!(in_file(Path::new("/nowhere/config.json"), "other").unwrap().is_none());
        std::fs::write(file.path(), "{").unwrap();
        assert!(in_file(file.path(), "other").unwrap_err().message.starts_with("cannot read"));
    }
}
