//! A function's code on its way to its bucket: from this machine, or from the bucket of the environment where it was proven.

use super::{damaged, failed};
use crate::apply::context::Run;
use crate::apply::event::{EventKind, send};
use crate::apply::stop::{Result, Stop};
use crate::aws::PackageBucket;
use crate::error::{Error, Kind};
use crate::files;
use crate::image::Digest;
use crate::image::digest::HashingReader;
use crate::model::{BUCKET_NAME, PackagePromotion};
use crate::package;
use crate::plan::{AssetStep, PackageAsset};
use std::fs::File;
use std::io;
use std::path::Path;
use tempfile::NamedTempFile;

/// Whether the bucket has the package.
pub(super) async fn is_there(run: &Run<'_>, asset: &AssetStep, package: &PackageAsset) -> Result<bool> {
    let (Some(key), Some(name)) = (&package.key, bucket_name(run, asset, package)) else { return Ok(false) };
    Ok(run.context.aws.package_bucket(&asset.target, &name).find(key).await?.is_some())
}

/// Makes the bucket have the package, and nothing else under its name.
pub(super) async fn upload(run: &Run<'_>, asset: &AssetStep, package: &PackageAsset) -> Result<()> {
    run.may_begin()?;
    let (digest, key): (Digest, &str) = match (package.after.as_deref().map(str::parse), &package.key) {
        (Some(Ok(digest)), Some(key)) => (digest, key),
        _ => return Err(damaged(&format!("it does not say which package {} is", asset.name), [])),
    };
    let Some(name) = bucket_name(run, asset, package) else {
        let message = format!("stack `{}` has no output {BUCKET_NAME}: nobody knows where to", asset.stack);
        return Err(failed(message, []));
    };
    let bucket = run.context.aws.package_bucket(&asset.target, &name);
    let mut done = EventKind::PackageUploaded {
        package: asset.name.clone(),
        bucket: name.clone(),
        key: key.to_owned(),
        digest: digest.to_string(),
        uploaded_bytes: 0,
        already_there: true,
    };
    if bucket.find(key).await?.is_none() {
        let copied;
        let file = match &package.from {
            Some(from) => {
                copied = proven(run, from, &digest).await?;
                copied.path().to_owned()
            }
            None => here(run, asset, package, &digest)?,
        };
        run.may_write()?;
        let written = bucket.put(key, &file, &digest.hex()).await?;
        if let EventKind::PackageUploaded { uploaded_bytes, already_there, .. } = &mut done {
            *uploaded_bytes = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
            *already_there = !written;
        }
    }
    verify(run, &bucket, key, &digest).await?;
    send(run.context.events, None, done);
    Ok(())
}

fn bucket_name(run: &Run<'_>, asset: &AssetStep, package: &PackageAsset) -> Option<String> {
    package.bucket.clone().or_else(|| run.output(&asset.stack, BUCKET_NAME))
}

/// Where the package lies on this machine.
fn here(run: &Run<'_>, asset: &AssetStep, package: &PackageAsset, digest: &Digest) -> Result<std::path::PathBuf> {
    let source = package.made_from.context_digest.as_deref().and_then(|source| source.parse::<Digest>().ok());
    let path = source.and_then(|source| package::find(run.context.project, &source));
    match path {
        Some(path) if digest_of(&path).is_ok_and(|found| found == *digest) => Ok(path),
        _ => Err(Stop::from(
            Error::new(Kind::Other, format!("the package `{}` of the plan is not on this machine", asset.name))
                .detail(format!("{digest} is neither in its bucket nor in {}/packages", files::OWN_FOLDER))
                .hint(format!("plan again here, from the same sources: infra plan --env {}", run.plan.environment)),
        )),
    }
}

/// A copy of the package that another environment runs.
async fn proven(run: &Run<'_>, from: &PackagePromotion, digest: &Digest) -> Result<NamedTempFile> {
    let bucket = run.context.aws.package_bucket(&from.target, &from.bucket);
    let copy = scratch()?;
    if bucket.fetch(&from.key, copy.path()).await?.is_none() {
        return Err(failed(
            format!(
                "{} is gone, and with it the package that environment `{}` runs",
                bucket.place(&from.key),
                from.environment
            ),
            [format!("apply that one again: infra apply --env {}", from.environment)],
        ));
    }
    match digest_of(copy.path()) {
        Ok(found) if found == *digest => Ok(copy),
        Ok(found) => Err(failed(format!("{} holds {found}, not what its name says", bucket.place(&from.key)), [])),
        Err(error) => Err(failed(format!("{} could not be read: {error}", copy.path().display()), [])),
    }
}

/// Whether what is there is what its name says. Where S3 keeps no SHA-256 of it, it is read.
async fn verify(run: &Run<'_>, bucket: &PackageBucket, key: &str, digest: &Digest) -> Result<()> {
    let place = bucket.place(key);
    let sha256 = match bucket.find(key).await? {
        None => return Err(failed(format!("{place} was written, and is not there"), [])),
        Some(found) => found.sha256,
    };
    let found = match sha256 {
        Some(hex) => format!("sha256:{hex}"),
        None => {
            let copy = scratch()?;
            bucket.fetch(key, copy.path()).await?;
            let found = digest_of(copy.path());
            found.map_err(|error| failed(format!("{place} could not be read: {error}"), []))?.to_string()
        }
    };
    if found == digest.to_string() {
        return Ok(());
    }
    Err(failed(
        format!("{place} holds {found}, not what its name says; no function was given it"),
        [
            "find out who wrote it; then remove it".to_owned(),
            format!("and apply again: infra apply --env {}", run.plan.environment),
        ],
    ))
}

fn scratch() -> Result<NamedTempFile> {
    NamedTempFile::new().map_err(|error| failed(format!("no temporary file could be made: {error}"), []))
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut reader = HashingReader::new(File::open(path)?);
    io::copy(&mut reader, &mut io::sink())?;
    Ok(reader.finish().0)
}
