//! `images` of an environment: where each comes from, and what goes with that.

use super::build::{entries, located, map, scalar, text};
use super::keys::{
    BUILD_ARGUMENT, BUILDER, ENVIRONMENT_NAME, IMAGE_REF, PATH, PLATFORM, SECRET_ID, STACK_NAME, STAGE, VARIABLE,
};
use crate::document::{Key, Section, Shape, listed};
use crate::model::{BuildSecret, Image, ImageSource, Input, InputKind, LocalImage, PromotedImage};
use crate::problem::{Located, Location, Problem, nearest};
use indexmap::IndexMap;
use std::collections::BTreeMap;

type Entries = IndexMap<String, Input>;

/// What says where an image comes from: one of them, and only one.
const IMAGE_ORIGINS: [&str; 4] = ["context", "archive", "ref", "from"];

/// Keys that mean something only beside `context`.
const BUILD_KEYS: [&str; 6] = ["dockerfile", "target", "args", "secrets", "builder", "fallback"];

pub(super) const IMAGE: Section = Section {
    of: "an image",
    keys: &[
        Key {
            name: "context",
            shape: Shape::Text(&PATH),
            required: false,
            about: "The folder to build the image from, relative to the project.",
        },
        Key {
            name: "archive",
            shape: Shape::Text(&PATH),
            required: false,
            about: "A file that holds the image, as `docker save` or an OCI archive has it, relative to the project.",
        },
        Key {
            name: "ref",
            shape: Shape::Text(&IMAGE_REF),
            required: false,
            about: "An image that was pushed already, by its digest: `repository@sha256:…`.",
        },
        Key {
            name: "from",
            shape: Shape::Text(&ENVIRONMENT_NAME),
            required: false,
            about: "The environment whose image of this name is taken over, by its digest, as the last apply left it there.",
        },
        Key {
            name: "fallback",
            shape: Shape::Keys(&FALLBACK),
            required: false,
            about: "What stands in where the image cannot be built. Only where the environment is `local`.",
        },
        Key {
            name: "repository",
            shape: Shape::Text(&STACK_NAME),
            required: false,
            about: "The stack that makes the repository to push to (template ecr-repository). Default: `<image>-images`.",
        },
        Key {
            name: "platform",
            shape: Shape::OneOrMore(&PLATFORM),
            required: false,
            about: "What the image runs on; of a list an index with an image for each. Default: linux/amd64, and for an archive what is in it.",
        },
        Key {
            name: "dockerfile",
            shape: Shape::Text(&PATH),
            required: false,
            about: "The Dockerfile, relative to the context. Default: Dockerfile.",
        },
        Key {
            name: "target",
            shape: Shape::Text(&STAGE),
            required: false,
            about: "The stage of the Dockerfile to build. Default: the last.",
        },
        Key {
            name: "args",
            shape: Shape::Named { name: &VARIABLE, entry: &Shape::Text(&BUILD_ARGUMENT) },
            required: false,
            about: "Build arguments. They stay in the image's history: no place for secrets.",
        },
        Key {
            name: "secrets",
            shape: Shape::Named { name: &SECRET_ID, entry: &Shape::Keys(&SECRET) },
            required: false,
            about: "Secrets of the build by their id, for `RUN --mount=type=secret,id=…`; they are in no layer.",
        },
        Key {
            name: "builder",
            shape: Shape::Text(&BUILDER),
            required: false,
            about: "What builds the image: docker (buildx), podman or buildah. Default: the first of them that works.",
        },
    ],
};

const FALLBACK: Section = Section {
    of: "`fallback`",
    keys: &[Key {
        name: "archive",
        shape: Shape::Text(&PATH),
        required: true,
        about: "A file that holds an image, as `docker save` or an OCI archive has it, relative to the project.",
    }],
};

const SECRET: Section = Section {
    of: "a secret",
    keys: &[
        Key {
            name: "env",
            shape: Shape::Text(&VARIABLE),
            required: false,
            about: "The environment variable that holds it.",
        },
        Key {
            name: "file",
            shape: Shape::Text(&PATH),
            required: false,
            about: "The file that holds it, relative to the project.",
        },
    ],
};

/// The images of the merged files. `complete`: what is not there is missing.
pub fn read(top: &Entries, complete: bool, problems: &mut Vec<Problem>) -> IndexMap<String, Image> {
    let mut images = IndexMap::new();
    let is_local = top.get("local").is_some_and(|input| map(&input.value).is_some());
    for (name, input) in entries(top, "images") {
        let Some(image) = map(&input.value) else { continue };
        let origins: Vec<&str> = IMAGE_ORIGINS.into_iter().filter(|key| image.contains_key(*key)).collect();
        match origins[..] {
            [] if complete => problems.push(
                Problem::error(
                    "missing-key",
                    format!("the image `{name}` comes from nowhere"),
                    Some(input.key_at.clone()),
                )
                .help("add `context: FOLDER`, `archive: FILE`, `ref: repository@sha256:…` or `from: ENVIRONMENT`"),
            ),
            [] => {}
            [origin] => {
                misplaced(name, image, origin, problems);
                if let Some(fallback) = image.get("fallback").filter(|_| complete && !is_local) {
                    problems.push(no_fallback_here(name, &fallback.key_at));
                }
                if let Some(read) = of_origin(name, image, origin, &input.key_at, problems) {
                    images.insert(name.clone(), read);
                }
            }
            [first, second, ..] => problems.push(two_origins(name, image, first, second, &input.key_at)),
        }
    }
    images
}

/// What runs for others is never something that stands in for it.
fn no_fallback_here(name: &str, at: &Location) -> Problem {
    let message = format!("the image `{name}` has a `fallback`, and this environment is not local");
    Problem::error("useless-key", message, Some(at.clone()))
        .help("only an environment with the key `local` may run something else than what was asked for")
}

fn two_origins(name: &str, image: &Entries, first: &str, second: &str, at: &Location) -> Problem {
    let place = |key: &str| image.get(key).map_or_else(|| at.clone(), |input| input.key_at.clone());
    Problem::error("two-origins", format!("the image `{name}` comes from two places"), Some(place(second)))
        .label(format!("`{second}`"))
        .related(place(first), format!("`{first}`"))
        .help(format!("keep one; `{first}: null` removes what an extended file says"))
}

/// Keys that say nothing about an image of this origin.
fn misplaced(name: &str, image: &Entries, origin: &str, problems: &mut Vec<Problem>) {
    let useless = |key: &str| match origin {
        "context" => false,
        "archive" => BUILD_KEYS.contains(&key),
        "from" => BUILD_KEYS.contains(&key) || key == "platform",
        _ => BUILD_KEYS.contains(&key) || matches!(key, "platform" | "repository"),
    };
    for (key, input) in image.iter().filter(|(key, _)| useless(key)) {
        let message = format!("`{key}` means nothing for the image `{name}`, which comes from `{origin}`");
        problems.push(Problem::error("useless-key", message, Some(input.key_at.clone())));
    }
}

fn of_origin(name: &str, image: &Entries, origin: &str, at: &Location, problems: &mut Vec<Problem>) -> Option<Image> {
    let value = located(&image.get(origin)?.value)?;
    let named_at = image.get("platform").map_or_else(|| value.at.clone(), |input| input.value.at.clone());
    let platforms = platforms(name, image, problems);
    let repository = image.get("repository").and_then(|repository| located(&repository.value));
    let repository = repository.unwrap_or_else(|| Located { value: format!("{name}-images"), at: at.clone() });
    let source = match origin {
        "ref" => return Some(Image::Ref(value)),
        "from" => return Some(Image::Promoted(PromotedImage { environment: value, repository })),
        "archive" => ImageSource::Archive { path: value.value, platforms },
        _ => ImageSource::Build {
            context: value.value,
            dockerfile: text(image, "dockerfile"),
            target: text(image, "target"),
            args: entries(image, "args")
                .filter_map(|(key, input)| Some((key.clone(), scalar(&input.value)?)))
                .collect(),
            platforms,
            secrets: secrets(image, problems),
            builder: text(image, "builder"),
        },
    };
    let fallback = image.get("fallback").and_then(|input| text(map(&input.value)?, "archive"));
    Some(Image::Local(LocalImage { source, repository, fallback, at: named_at }))
}

/// Platforms as they are written, each once.
fn platforms(name: &str, image: &Entries, problems: &mut Vec<Problem>) -> Vec<String> {
    let Some(input) = image.get("platform") else { return Vec::new() };
    let InputKind::List(items) = &input.value.kind else { return scalar(&input.value).into_iter().collect() };
    let mut platforms = Vec::new();
    for item in items {
        match scalar(item) {
            Some(platform) if platforms.contains(&platform) => {
                let message = format!("the image `{name}` names the platform {platform} twice");
                problems.push(Problem::error("duplicate", message, Some(item.at.clone())));
            }
            Some(platform) => platforms.push(platform),
            None => {}
        }
    }
    platforms
}

fn secrets(image: &Entries, problems: &mut Vec<Problem>) -> BTreeMap<String, BuildSecret> {
    let mut secrets = BTreeMap::new();
    for (id, input) in entries(image, "secrets") {
        let Some(secret) = map(&input.value) else { continue };
        match (text(secret, "env"), text(secret, "file")) {
            (Some(name), None) => secrets.insert(id.clone(), BuildSecret::Variable(name)),
            (None, Some(path)) => secrets.insert(id.clone(), BuildSecret::File(path)),
            _ => {
                let message = format!("the secret `{id}` comes from one place: `env` or `file`");
                problems.push(Problem::error("missing-key", message, Some(input.key_at.clone())));
                None
            }
        };
    }
    secrets
}

/// The stack that should make the repository is not there.
pub fn no_repository<'a>(
    image: &str,
    repository: &Located<String>,
    stacks: impl Iterator<Item = &'a String> + Clone,
) -> Problem {
    let stack = &repository.value;
    let message = format!("the image `{image}` is pushed to the repository of the stack `{stack}`, and there is none");
    let problem = Problem::error("unknown-stack", message, Some(repository.at.clone()));
    match nearest(stack, stacks.clone().map(String::as_str)) {
        Some(near) => problem.help(format!("did you mean `repository: {near}`?")),
        None => problem.help(format!(
            "add it: `{stack}: {{template: ecr-repository, inputs: {{name: {image}}}}}`; or say `repository: STACK`; the \
             stacks are {}",
            listed(stacks.map(String::as_str))
        )),
    }
}
