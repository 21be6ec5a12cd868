//! The command lines of each builder. All of them make the same of the same: times come from `SOURCE_DATE_EPOCH`, labels
//! that name the builder are left out, so are attestations, which hold times and the names of machines.

use super::programs::Builder;
use crate::image::context::{Context, Recipe};
use crate::image::source;
use std::path::{Path, PathBuf};

/// What a build is made from, and where to.
pub(super) struct Inputs<'a> {
    pub recipe: &'a Recipe,
    pub context: &'a Context,
    /// `id=…,src=…`
    pub secrets: Vec<String>,
    /// For what the builder makes. Absolute.
    pub folder: &'a Path,
    /// Seconds since 1970 that all times of the image are set to.
    pub epoch: u64,
}

impl Inputs<'_> {
    pub fn layout(&self) -> PathBuf {
        self.folder.join("layout")
    }

    /// Where `podman` and `buildah` write the id of what they built.
    pub fn id_file(&self) -> PathBuf {
        self.folder.join("id")
    }

    /// The build itself.
    pub fn build(&self, builder: Builder) -> Vec<String> {
        let mut words: Vec<String> = match builder {
            Builder::Docker => ["buildx", "build", "--progress=plain", "--provenance=false", "--sbom=false"].into(),
            Builder::Podman | Builder::Buildah => vec!["build", "--format=oci", "--identity-label=false"],
        }
        .into_iter()
        .map(str::to_owned)
        .collect();
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        let epoch = self.epoch.to_string();
        option("--file", &self.context.dockerfile_path.to_string_lossy());
        option("--platform", &source::listed(&self.recipe.platforms));
        self.recipe.target.iter().for_each(|target| option("--target", target));
        for (name, value) in &self.recipe.arguments {
            option("--build-arg", &format!("{name}={value}"));
        }
        option("--build-arg", &format!("SOURCE_DATE_EPOCH={epoch}"));
        self.secrets.iter().for_each(|secret| option("--secret", secret));
        match builder {
            Builder::Docker => {
                let destination = quoted(&format!("dest={}", self.layout().display()));
                option("--output", &format!("type=oci,{destination},tar=false,rewrite-timestamp=true"));
            }
            Builder::Podman | Builder::Buildah => {
                option("--timestamp", &epoch);
                if let Some(path) = &self.context.ignore_path {
                    option("--ignorefile", &path.to_string_lossy());
                }
                match self.list() {
                    Some(name) => option("--manifest", &name),
                    None => option("--iidfile", &self.id_file().to_string_lossy()),
                }
            }
        }
        words.push(self.context.folder.to_string_lossy().into_owned());
        words
    }

    /// The name under which a builder with a store of its own gathers images of several platforms; none for one image.
    fn list(&self) -> Option<String> {
        let own = self.folder.file_name()?.to_string_lossy().to_lowercase();
        let own: String = own.chars().filter(char::is_ascii_alphanumeric).collect();
        (self.recipe.platforms.len() > 1).then(|| format!("localhost/infra-{own}"))
    }

    /// From the builder's store to the layout; none for a builder that writes it by itself.
    pub fn export(&self, builder: Builder, id: &str) -> Option<Vec<String>> {
        let layout = format!("oci:{}", self.layout().display());
        let words = match (builder, self.list()) {
            (Builder::Docker, _) => return None,
            (Builder::Podman | Builder::Buildah, None) => vec!["push".to_owned(), id.to_owned(), layout],
            (Builder::Podman | Builder::Buildah, Some(name)) => {
                vec!["manifest".to_owned(), "push".to_owned(), "--all".to_owned(), name, layout]
            }
        };
        Some(words)
    }

    /// Takes the image out of the builder's store again; what it was made from stays there for the next build.
    pub fn forget(&self, builder: Builder, id: &str) -> Option<Vec<String>> {
        match (builder, self.list()) {
            (Builder::Docker, _) => None,
            (Builder::Podman | Builder::Buildah, None) => Some(vec!["rmi".to_owned(), id.to_owned()]),
            (Builder::Podman | Builder::Buildah, Some(name)) => {
                Some(vec!["manifest".to_owned(), "rm".to_owned(), name])
            }
        }
    }
}

/// `--output` is a line of CSV.
fn quoted(field: &str) -> String {
    match field.contains([',', '"']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}
