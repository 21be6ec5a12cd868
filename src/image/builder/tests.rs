//! With programs that stand in for the builders: they note how they were called and write what a real one would.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use super::*;
use crate::image::digest::Digest;
use crate::image::model::Platform;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, PoisonError};

struct Place {
    folder: tempfile::TempDir,
    recipe: Recipe,
    told: Arc<Mutex<Vec<Progress>>>,
}

/// Writes a layout with one image to `$layout`. The manifest names the platform, so that it differs by what is asked for.
const WRITE_LAYOUT: &str = r#"
blob() { hex=$(printf %s "$1" | sha256sum | cut -d' ' -f1); printf %s "$1" > "$layout/blobs/sha256/$hex"; }
mkdir -p "$layout/blobs/sha256"
blob '{}'
manifest="{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$hex\",\"size\":2},\"layers\":[]}"
blob "$manifest"
echo '{"imageLayoutVersion":"1.0.0"}' > "$layout/oci-layout"
echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$hex\",\"size\":${#manifest},\"annotations\":{\"org.opencontainers.image.created\":\"2026-01-01T00:00:00Z\"}}]}" > "$layout/index.json"
"#;

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("project/app")).unwrap();
        fs::create_dir(path("bin")).unwrap();
        fs::write(path("project/app/Dockerfile"), "FROM scratch\nCOPY a /\nRUN make   all\n").unwrap();
        fs::write(path("project/app/.dockerignore"), "*.tmp\n").unwrap();
        let recipe = Recipe {
            context: "app".to_owned(),
            dockerfile: None,
            target: None,
            arguments: BTreeMap::from([("VERSION".to_owned(), "3.13 slim".to_owned())]),
            platforms: vec![Platform::linux_amd64()],
            secrets: BTreeMap::new(),
        };
        Place { recipe, told: Arc::default(), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// A program that notes its arguments, one call a line, and then does what `does` says.
    fn program(&self, name: &str, does: &str) {
        let calls = self.path("calls");
        let note =
            format!("#!/bin/sh\n{{ printf '%s' {name}; printf ' <%s>' \"$@\"; echo; }} >> {}\n", calls.display());
        let path = self.path("bin").join(name);
        fs::write(&path, format!("{note}{does}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn docker(&self) {
        let layout = r#"layout=$(printf '%s\n' "$@" | sed -n 's/.*dest=\([^,]*\),.*/\1/p')"#;
        self.program("docker", &format!("[ \"$2\" = version ] && exit 0\n{layout}\necho working\n{WRITE_LAYOUT}"));
    }

    fn buildah(&self, name: &str) {
        let layout = r#"case $1 in
--version) exit 0;;
rmi) exit 1;;
push) layout=${3#oci:};;
build) while [ $# -gt 0 ]; do [ "$1" = --iidfile ] && echo sha256:abc > "$2"; shift; done; exit 0;;
esac"#;
        self.program(name, &format!("{layout}\n{WRITE_LAYOUT}"));
    }

    async fn build(&self, choice: Choice) -> Result<Built> {
        let project = self.path("project");
        let context = Context::read(&project, &self.recipe).unwrap();
        let told = self.told.clone();
        let tell: Tell = Arc::new(move |progress| told.lock().unwrap_or_else(PoisonError::into_inner).push(progress));
        let programs = Programs::within(self.path("bin"));
        let request = Build { project: &project, name: "api", recipe: &self.recipe, context: &context };
        build(&request, &programs, choice, &tell).await
    }

    /// The calls, with what differs from run to run taken out.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let partial = regex::Regex::new(r"\.partial-\w+").unwrap();
        let root = self.path("").display().to_string();
        text.lines().map(|line| partial.replace_all(&line.replace(&root, "/"), ".partial").into_owned()).collect()
    }

    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(folder(&self.path("project"), "api")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn failed(result: Result<Built>) -> Error {
    result.expect_err("this build should fail").downcast().unwrap()
}

#[tokio::test]
async fn docker_writes_the_layout_itself() {
    let mut place = Place::new();
    place.docker();
    place.recipe.platforms = vec!["linux/arm64".parse().unwrap()];
    let built = place.build(None).await.unwrap();
    assert!(!built.reused);
    assert_eq!(
        place.calls(),
        [
            "docker <buildx> <version>",
            "docker <buildx> <build> <--progress=plain> <--provenance=false> <--sbom=false> \
             <--file> </project/app/Dockerfile> <--platform> <linux/arm64> <--build-arg> <VERSION=3.13 slim> \
             <--build-arg> <SOURCE_DATE_EPOCH=0> \
             <--output> <type=oci,dest=/project/.infra/images/api/.partial/layout,tar=false,rewrite-timestamp=true> \
             </project/app>",
        ]
    );
    let told = place.told.lock().unwrap().clone();
    assert_eq!(told, [Progress::Started { builder: Builder::Docker }, Progress::Line("working".to_owned())]);
    let layout = Layout::open(&built.image.layout).unwrap();
    assert!(layout.entry(None).unwrap().annotations.is_empty());
}

#[tokio::test]
async fn podman_and_buildah_build_export_and_forget() {
    for builder in [Builder::Podman, Builder::Buildah] {
        let mut place = Place::new();
        place.recipe.target = Some("0".to_owned());
        fs::write(place.path("project/token"), "t").unwrap();
        place.recipe.secrets.insert("token".to_owned(), SecretSource::File("token".to_owned()));
        place.recipe.secrets.insert("path".to_owned(), SecretSource::Variable("PATH".to_owned()));
        place.buildah(builder.program());
        place.build(None).await.unwrap();
        let name = builder.program();
        assert_eq!(
            place.calls(),
            [
                format!("{name} <--version>"),
                format!(
                    "{name} <build> <--format=oci> <--identity-label=false> <--file> </project/app/Dockerfile> \
                     <--platform> <linux/amd64> <--target> <0> <--build-arg> <VERSION=3.13 slim> \
                     <--build-arg> <SOURCE_DATE_EPOCH=0> <--secret> <id=path,env=PATH> \
                     <--secret> <id=token,src=/project/token> <--timestamp> <0> \
                     <--ignorefile> </project/app/.dockerignore> \
                     <--iidfile> </project/.infra/images/api/.partial/id> </project/app>"
                ),
                format!("{name} <push> <sha256:abc> <oci:/project/.infra/images/api/.partial/layout>"),
                format!("{name} <rmi> <sha256:abc>"),
            ]
        );
    }
}

#[tokio::test]
async fn what_was_built_is_not_built_again() {
    let place = Place::new();
    place.docker();
    let first = place.build(None).await.unwrap();
    let calls = place.calls().len();
    let second = place.build(None).await.unwrap();
    assert_eq!((second.reused, &second.image, place.calls().len()), (true, &first.image, calls));
    // What is not whole any more is.
    fs::remove_file(Layout::open(&first.image.layout).unwrap().blob_path(&Digest::of("{}"))).unwrap();
    assert!(!place.build(None).await.unwrap().reused);
    fs::write(place.path("project/app/a"), "changed").unwrap();
    let other = place.build(None).await.unwrap();
    assert!(!other.reused && other.image.layout != first.image.layout);
}

#[tokio::test]
async fn builders_in_their_order_unless_one_is_chosen() {
    let place = Place::new();
    place.program("docker", "exit 1");
    place.buildah("podman");
    place.buildah("buildah");
    place.build(None).await.unwrap();
    assert!(place.calls()[1].starts_with("podman"), "{:?}", place.calls());
    let chosen = Programs::within(place.path("bin")).choose(Some(Builder::Buildah)).await.unwrap();
    assert_eq!(chosen.builder, Builder::Buildah);
    let refused = Programs::within(place.path("bin")).choose(Some(Builder::Docker)).await.unwrap_err();
    assert_eq!(refused.message, "there is no docker buildx to build images with");
    assert_eq!(refused.details, ["docker buildx: `docker buildx version` ended with exit status: 1"]);
    let none = Programs::within(place.path("project")).choose(None).await.unwrap_err();
    assert_eq!(none.details, ["docker buildx: not in PATH", "podman: not in PATH", "buildah: not in PATH"]);
}

#[tokio::test]
async fn a_failure_shows_the_log_and_the_line() {
    let place = Place::new();
    let version = "[ \"$2\" = version ] && exit 0\n";
    place.program(
        "docker",
        &format!("{version}echo one\necho two >&2; echo Dockerfile:3\necho 'make: no rule'; exit 7"),
    );
    let error = failed(place.build(None).await);
    assert_eq!(error.message, "the image `api` could not be built: docker buildx ended with exit status: 7");
    let mut details = error.details.clone();
    details.sort();
    assert_eq!(details, ["Dockerfile:3", "make: no rule", "one", "two"]);
    let problem = &error.problems[0];
    assert_eq!(problem.at.as_ref().unwrap().to_string(), "app/Dockerfile:3:1");
    assert_eq!(place.left(), [".lock", "build.log"]);

    let says = "[ $1 = --version ] && exit 0\necho 'STEP 1/3: FROM scratch'\necho 'STEP 3/3: RUN make all'; exit 2";
    place.program("buildah", says);
    let error = failed(place.build(Some(Builder::Buildah)).await);
    assert_eq!(error.problems[0].at.as_ref().unwrap().to_string(), "app/Dockerfile:3:1");
    place.program(
        "docker",
        &format!("{version}echo 'ERROR: {}.'; exit 1", "OCI exporter is not supported for the docker driver"),
    );
    assert_eq!(failed(place.build(None).await).hints.len(), 1);
}

#[tokio::test]
async fn an_interrupted_or_killed_build_leaves_nothing_half() {
    let place = Place::new();
    let layout = r#"layout=$(printf '%s\n' "$@" | sed -n 's/.*dest=\([^,]*\),.*/\1/p')"#;
    let sleeps = format!("[ \"$2\" = version ] && exit 0\n{layout}\n{WRITE_LAYOUT}\necho begun\nexec sleep 60");
    place.program("docker", &sleeps);
    let begun = async {
        while !place.told.lock().unwrap().contains(&Progress::Line("begun".to_owned())) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        built = place.build(None) => panic!("it should not end: {built:?}"),
        () = begun => {}
    }
    assert_eq!(place.left(), [".lock", "build.log"]);
    // What a killed process could not clear away, the next build does.
    fs::create_dir(folder(&place.path("project"), "api").join(".partial-old")).unwrap();
    place.docker();
    assert!(!place.build(None).await.unwrap().reused);
    assert!(!place.left().contains(&".partial-old".to_owned()));
}

#[tokio::test]
async fn a_layout_that_is_not_whole_is_no_image() {
    let place = Place::new();
    let layout = r#"layout=$(printf '%s\n' "$@" | sed -n 's/.*dest=\([^,]*\),.*/\1/p')"#;
    let damage = "printf x > $layout/blobs/sha256/$hex";
    place.program("docker", &format!("[ \"$2\" = version ] && exit 0\n{layout}\n{WRITE_LAYOUT}\n{damage}"));
    assert!(failed(place.build(None).await).message.contains("has 1 bytes instead of"));
    assert_eq!(place.left(), [".lock", "build.log"]);
}

#[tokio::test]
async fn missing_secrets_are_named() {
    let mut place = Place::new();
    place.docker();
    let unset = SecretSource::Variable("INFRA_TEST_NO_SUCH_VARIABLE".to_owned());
    place.recipe.secrets.insert("token".to_owned(), unset);
    let error = failed(place.build(None).await);
    assert!(error.message.contains("needs the secret `token`, and INFRA_TEST_NO_SUCH_VARIABLE is not set"));
}

/// Writes a layout with an index of two images and an attestation to `$layout`.
const WRITE_INDEX: &str = r#"
blob() { hex=$(printf %s "$1" | sha256sum | cut -d' ' -f1); printf %s "$1" > "$layout/blobs/sha256/$hex"; size=${#1}; }
mkdir -p "$layout/blobs/sha256"
entry() {
  blob "{\"os\":\"linux\",\"architecture\":\"$1\"}"
  blob "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$hex\",\"size\":$size},\"layers\":[]}"
  list="$list${list:+,}{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$hex\",\"size\":$size,\"platform\":{\"os\":\"$2\",\"architecture\":\"$1\"}}"
}
list=
entry amd64 linux; entry arm64 linux; entry unknown unknown
blob "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[$list]}"
echo '{"imageLayoutVersion":"1.0.0"}' > "$layout/oci-layout"
echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"sha256:$hex\",\"size\":$size}]}" > "$layout/index.json"
"#;

#[tokio::test]
async fn several_platforms_make_an_index() {
    let platforms = || vec!["linux/amd64".parse().unwrap(), "linux/arm64".parse::<Platform>().unwrap()];
    let of = |image: &Image| {
        let layout = Layout::open(&image.layout).unwrap();
        let images = choice::images(&layout, &[layout.entry(None).unwrap()]).unwrap();
        images.into_iter().map(|image| image.platform.unwrap().to_string()).collect::<Vec<_>>()
    };
    let mut place = Place::new();
    place.recipe.platforms = platforms();
    let layout = r#"layout=$(printf '%s\n' "$@" | sed -n 's/.*dest=\([^,]*\),.*/\1/p')"#;
    place.program("docker", &format!("[ \"$2\" = version ] && exit 0\n{layout}\n{WRITE_INDEX}"));
    let built = place.build(None).await.unwrap();
    assert_eq!(of(&built.image), ["linux/amd64", "linux/arm64"]);
    assert!(place.calls().iter().any(|call| call.contains("<--platform> <linux/amd64,linux/arm64>")));

    let mut place = Place::new();
    place.recipe.platforms = platforms();
    let layout = "case $1 in\n--version) exit 0;;\nbuild) exit 0;;\nmanifest) [ \"$2\" = rm ] && exit 0; layout=${5#oci:};;\nesac";
    place.program("buildah", &format!("{layout}\n{WRITE_INDEX}"));
    let built = place.build(None).await.unwrap();
    assert_eq!(of(&built.image), ["linux/amd64", "linux/arm64"]);
    let calls = place.calls();
    assert!(calls[1].contains("<--manifest> <localhost/infra-partial"), "{}", calls[1]);
    assert!(!calls[1].contains("--iidfile"), "{}", calls[1]);
    assert!(calls[2].contains("<manifest> <push> <--all> <localhost/infra-partial"), "{}", calls[2]);
    assert!(calls[3].contains("<manifest> <rm> <localhost/infra-partial"), "{}", calls[3]);
}
