//! `packages` of an environment: the folder that each function's code is packed from, and for what.

use super::build::{entries, located, map, text};
use super::keys::{ENVIRONMENT_NAME, PATH, STACK_NAME};
use crate::document::{Format, Key, Section, Shape, to_json};
use crate::model::{Architecture, Input, Package, PackageFolder, PackageSource};
use crate::problem::{Location, Problem};
use indexmap::IndexMap;

type Entries = IndexMap<String, Input>;

const RUNTIME: Format = Format {
    expects: "a runtime of Lambda: python3.<minor> or nodejs<major>.x",
    pattern: "^(python3\\.(9|1[0-9])|nodejs[1-9][0-9]\\.x)$",
    longest: 20,
};
const ARCHITECTURE: Format = Format { expects: "x86_64 or arm64", pattern: "^(x86_64|arm64)$", longest: 6 };

/// Keys that mean something only beside `folder`.
const FOLDER_KEYS: [&str; 3] = ["runtime", "architecture", "install"];

pub(super) const PACKAGE: Section = Section {
    of: "a package",
    keys: &[
        Key {
            name: "folder",
            shape: Shape::Text(&PATH),
            required: false,
            about: "The folder with the code, relative to the project.",
        },
        Key {
            name: "runtime",
            shape: Shape::Text(&RUNTIME),
            required: false,
            about: "What runs the code, as Lambda calls it: python3.13, nodejs22.x. Dependencies are installed for it.",
        },
        Key {
            name: "architecture",
            shape: Shape::Text(&ARCHITECTURE),
            required: false,
            about: "The processor that dependencies are installed for: x86_64 or arm64. Default: x86_64.",
        },
        Key {
            name: "install",
            shape: Shape::Boolean,
            required: false,
            about: "Whether the dependencies of requirements.txt or package-lock.json are installed; false for a folder that \
                    is complete as it is. Default: true.",
        },
        Key {
            name: "from",
            shape: Shape::Text(&ENVIRONMENT_NAME),
            required: false,
            about: "The environment whose package of this name is taken over, by its digest, as the last apply left it there.",
        },
        Key {
            name: "bucket",
            shape: Shape::Text(&STACK_NAME),
            required: false,
            about: "The stack that makes the bucket to upload to (output BucketName), in the functions' region. Default: the \
                    bucket of the state.",
        },
    ],
};

/// The packages of the merged files. `complete`: what is not there is missing.
pub fn read(top: &Entries, complete: bool, problems: &mut Vec<Problem>) -> IndexMap<String, Package> {
    let mut packages = IndexMap::new();
    for (name, input) in entries(top, "packages") {
        let Some(package) = map(&input.value) else { continue };
        let bucket = package.get("bucket").and_then(|bucket| located(&bucket.value));
        let of = |key: &str| package.get(key).and_then(|input| located(&input.value));
        let source = match (of("folder"), of("from")) {
            (Some(_), Some(_)) => {
                problems.push(two_origins(name, package, &input.key_at));
                continue;
            }
            (Some(folder), None) => {
                let Some(runtime) = text(package, "runtime") else {
                    if complete {
                        problems.push(
                            missing(name, "runtime", &input.key_at).help("add `runtime: python3.13` or `nodejs22.x`"),
                        );
                    }
                    continue;
                };
                // A wrong form is told already.
                let Ok(runtime) = runtime.parse() else { continue };
                PackageSource::Folder(PackageFolder {
                    folder,
                    runtime,
                    architecture: text(package, "architecture")
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(Architecture::X86),
                    install: package
                        .get("install")
                        .is_none_or(|input| to_json(&input.value) != serde_json::Value::Bool(false)),
                })
            }
            (None, Some(environment)) => {
                for (key, input) in package.iter().filter(|(key, _)| FOLDER_KEYS.contains(&key.as_str())) {
                    let message = format!("`{key}` means nothing for the package `{name}`, which comes from `from`");
                    problems.push(Problem::error("useless-key", message, Some(input.key_at.clone())));
                }
                PackageSource::Promoted(environment)
            }
            (None, None) => {
                if complete {
                    let help = "add `folder: FOLDER` and `runtime: RUNTIME`, or `from: ENVIRONMENT`";
                    problems.push(missing(name, "folder", &input.key_at).help(help));
                }
                continue;
            }
        };
        packages.insert(name.clone(), Package { source, bucket });
    }
    packages
}

fn missing(name: &str, key: &str, at: &Location) -> Problem {
    Problem::error("missing-key", format!("the package `{name}` has no `{key}`"), Some(at.clone()))
}

fn two_origins(name: &str, package: &Entries, at: &Location) -> Problem {
    let place = |key: &str| package.get(key).map_or_else(|| at.clone(), |input| input.key_at.clone());
    Problem::error("two-origins", format!("the package `{name}` comes from two places"), Some(place("from")))
        .label("`from`")
        .related(place("folder"), "`folder`")
        .help("keep one; `folder: null` removes what an extended file says")
}
