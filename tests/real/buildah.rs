//! Images built by the real Buildah: from nothing, for there is no registry to take a base image from.

use crate::server::{all_there, installed};
use flate2::read::GzDecoder;
use infra::error::Error;
use infra::image::builder::{self, Build, Builder, Built, Programs, Tell};
use infra::image::context::{Context, Recipe, SecretSource};
use infra::image::layout::{Document, Layout};
use infra::image::{Manifest, Platform};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A project with one context, and a Buildah that keeps to a store of its own.
struct Place {
    folder: tempfile::TempDir,
    recipe: Recipe,
}

/// Puts a `bin/buildah` into the folder that keeps to a store in the folder and needs no right to make namespaces.
pub fn wrapper(folder: &Path, variables: &[(&str, &Path)]) -> Option<()> {
    let buildah = installed("buildah")?;
    let variables: String = variables.iter().map(|(name, value)| format!(" {name}={}", value.display())).collect();
    let store = folder.display();
    let script = format!(
        "#!/bin/sh\nexport BUILDAH_ISOLATION=chroot{variables}\nexec {} --storage-driver vfs --root {store}/root --runroot {store}/run \"$@\"\n",
        buildah.display()
    );
    fs::create_dir(folder.join("bin")).unwrap();
    fs::write(folder.join("bin/buildah"), script).unwrap();
    fs::set_permissions(folder.join("bin/buildah"), fs::Permissions::from_mode(0o755)).unwrap();
    Some(())
}

/// None, and a word about it, where it cannot be tried.
fn place() -> Option<Place> {
    if !all_there(&["buildah"]) {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("project/app/src")).unwrap();
    wrapper(folder.path(), &[])?;
    fs::write(path("project/app/src/main.py"), "print('hello')\n").unwrap();
    fs::write(path("project/app/src/main.pyc"), "ignored").unwrap();
    fs::write(path("project/app/.dockerignore"), "**/*.pyc\n").unwrap();
    let dockerfile =
        "ARG UNUSED=1\nFROM scratch\nARG GREETING\nCOPY src /app\nENV GREETING=$GREETING\nCMD [\"/app\"]\n";
    fs::write(path("project/app/Dockerfile"), dockerfile).unwrap();
    let recipe = Recipe {
        context: "app".to_owned(),
        dockerfile: None,
        target: None,
        arguments: BTreeMap::from([("GREETING".to_owned(), "good day".to_owned())]),
        platforms: vec![Platform::linux_amd64()],
        secrets: BTreeMap::new(),
    };
    Some(Place { folder, recipe })
}

impl Place {
    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    async fn build(&self) -> anyhow::Result<Built> {
        let project = self.project();
        let context = Context::read(&project, &self.recipe)?;
        let build = Build { project: &project, name: "api", recipe: &self.recipe, context: &context };
        let programs = Programs::within(self.folder.path().join("bin"));
        let silent: Tell = Arc::new(|_| {});
        builder::build(&build, &programs, Some(Builder::Buildah), &silent).await
    }
}

fn manifest(layout: &Layout) -> Manifest {
    match layout.read(&layout.entry(None).unwrap()).unwrap() {
        Document::Manifest(manifest) => manifest,
        Document::Index(_) => panic!("one platform makes a manifest"),
    }
}

/// Names and contents of all files of all layers.
fn files(layout: &Layout) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for layer in manifest(layout).layers {
        let blob = GzDecoder::new(layout.blob(&layer).unwrap());
        for entry in tar::Archive::new(blob).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            if entry.header().entry_type().is_file() && entry.read_to_string(&mut text).is_ok() {
                files.push((name, text));
            }
        }
    }
    files
}

fn touch(path: &Path) {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

#[tokio::test]
async fn the_same_context_gives_the_same_image_anywhere() {
    let (Some(one), Some(two)) = (place(), place()) else { return };
    touch(&two.project().join("app/src/main.py"));
    let first = one.build().await.unwrap();
    let second = two.build().await.unwrap();
    assert!(!first.reused && !second.reused);
    assert_eq!(first.image.digest, second.image.digest);
    assert_eq!(first.image.size_bytes, second.image.size_bytes);
    assert!(one.build().await.unwrap().reused);
    let layout = Layout::open(&first.image.layout).unwrap();
    assert_eq!(files(&layout), [("app/main.py".to_owned(), "print('hello')\n".to_owned())]);
    let config = layout.document(&manifest(&layout).config).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    assert_eq!(config["architecture"], "amd64");
    assert!(config["config"]["Env"].as_array().unwrap().contains(&"GREETING=good day".into()));
    assert!(config["config"]["Labels"].is_null(), "{config}");
    let times: Vec<&serde_json::Value> =
        config["history"].as_array().unwrap().iter().map(|step| &step["created"]).collect();
    assert!(times.iter().all(|time| *time == "1970-01-01T00:00:00Z"), "{times:?}");
}

#[tokio::test]
async fn the_line_that_failed_is_named() {
    let Some(place) = place() else { return };
    fs::write(place.project().join("app/Dockerfile"), "FROM scratch\nCOPY src /app\nCOPY nothing /\n").unwrap();
    let error: Error = place.build().await.unwrap_err().downcast().unwrap();
    assert_eq!(error.problems[0].at.as_ref().unwrap().to_string(), "app/Dockerfile:3:1");
    assert!(error.details.iter().any(|line| line.contains("nothing")), "{:?}", error.details);
    let left: Vec<_> = fs::read_dir(builder::folder(&place.project(), "api")).unwrap().collect();
    assert_eq!(left.len(), 2, "only the log and the lock: {left:?}");
}

#[tokio::test]
async fn a_secret_is_in_no_layer() {
    let Some(mut place) = place() else { return };
    let Some(busybox) = installed("busybox") else {
        eprintln!("NOT RUN: there is no busybox to run an instruction with");
        return;
    };
    fs::copy(busybox, place.project().join("app/sh")).unwrap();
    fs::write(place.project().join("token"), "a-secret-word").unwrap();
    let dockerfile = "FROM scratch\nCOPY sh /bin/sh\n\
                      RUN --mount=type=secret,id=token /bin/sh -c 'read word < /run/secrets/token; echo ${#word} > /length'\n";
    fs::write(place.project().join("app/Dockerfile"), dockerfile).unwrap();
    place.recipe.secrets.insert("token".to_owned(), SecretSource::File("token".to_owned()));
    let built = place.build().await.unwrap();
    let files = files(&Layout::open(&built.image.layout).unwrap());
    assert!(files.contains(&("length".to_owned(), "13\n".to_owned())), "{files:?}");
    assert!(files.iter().all(|(_, text)| !text.contains("a-secret-word")));
}
