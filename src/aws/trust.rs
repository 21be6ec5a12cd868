//! Whose certificates are trusted: the system's, or those of the bundle that `AWS_CA_BUNDLE` or the profile's `ca_bundle`
//! names, which takes their place as in AWS's own tools.
//!
//! A bundle is read at the first request by TLS and not before. What always holds: a bundle that cannot be read, or holds no
//! certificate, is an error that names it; it never means that anybody else is trusted.

use crate::error::{Error, Kind};
use crate::files;
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A file with certificates in PEM, and who named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bundle {
    pub path: PathBuf,
    /// `AWS_CA_BUNDLE`, or the profile's key in words.
    pub named_by: String,
}

/// Whose certificates one client trusts.
#[derive(Debug, Default)]
pub(super) struct Trust {
    bundle: Option<Bundle>,
    read: OnceLock<Result<Option<TlsContext>, String>>,
}

impl Trust {
    pub(super) fn new(bundle: Option<Bundle>) -> Trust {
        Trust { bundle, read: OnceLock::new() }
    }

    /// What takes the place of the system's certificates; none where they hold.
    ///
    /// # Errors
    /// The bundle cannot be read, or holds no certificate.
    pub(super) fn context(&self) -> Result<Option<TlsContext>, Error> {
        let Some(bundle) = &self.bundle else { return Ok(None) };
        let read = self.read.get_or_init(|| bundle.read().map(Some));
        read.clone().map_err(|reason| {
            let Bundle { path, named_by } = bundle;
            Error::new(Kind::Configuration, format!("the certificates in {} cannot be used", path.display()))
                .detail(reason)
                .detail(format!("the file is named by {named_by}"))
                .hint("name a file of certificates in PEM (`-----BEGIN CERTIFICATE-----`), or take the setting away")
        })
    }
}

impl Bundle {
    fn read(&self) -> Result<TlsContext, String> {
        let bytes = std::fs::read(&self.path).map_err(|error| files::reason(&error))?;
        let mut roots = rustls::RootCertStore::empty();
        let mut pem = String::new();
        let mut unusable = None;
        for (index, certificate) in CertificateDer::pem_slice_iter(&bytes).enumerate() {
            let number = index + 1;
            let certificate = certificate.map_err(|error| format!("certificate {number}: {error}"))?;
            match roots.add(certificate.clone()) {
                Ok(()) => pem += &armoured(&certificate),
                // One that nobody can build on (of an old version) is passed over as OpenSSL does.
                Err(error) => unusable = Some(format!("certificate {number}: {error}")),
            }
        }
        if roots.is_empty() {
            return Err(unusable.unwrap_or_else(|| "there is no certificate in it".to_owned()));
        }
        let store = TrustStore::empty().with_pem_certificate(pem);
        TlsContext::builder().with_trust_store(store).build().map_err(|error| error.to_string())
    }
}

fn armoured(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned() + "\n");
    format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(contents: Option<&str>) -> Error {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("bundle.pem");
        if let Some(contents) = contents {
            std::fs::write(&path, contents).unwrap();
        }
        Trust::new(Some(Bundle { path, named_by: "AWS_CA_BUNDLE".to_owned() })).context().unwrap_err()
    }

    #[test]
    fn a_bundle_that_is_no_bundle_is_an_error_that_names_it() {
        let missing = refused(None);
        assert!(missing.message.ends_with("bundle.pem cannot be used"), "{}", missing.message);
        assert_eq!(missing.details[1], "the file is named by AWS_CA_BUNDLE");
        assert_eq!(refused(Some("hello")).details[0], "there is no certificate in it");
        let garbled = "-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n";
        assert!(refused(Some(garbled)).details[0].starts_with("certificate 1: "));
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(refused(Some(empty)).details[0].starts_with("certificate 1: "));
    }

    #[test]
    fn without_a_bundle_the_system_decides() {
        assert!(Trust::default().context().unwrap().is_none());
    }
}
