//! Whether images are made for the processors of the tasks and functions that run them: an image of another one is pulled,
//! and ends at once with `exec format error`.

use crate::image::Platform;
use crate::inventory::{self, Resource};
use crate::model::{Environment, Image, Parameter, RenderedStack};
use crate::problem::{Location, Problem};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// For what an image is made, and where the environment says so.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeFor {
    /// Empty where nobody can say.
    pub platforms: Vec<Platform>,
    pub at: Location,
}

/// Marks an image in a template's values.
const MARK: &str = "image made here: ";

/// A processor that something runs on.
struct Runner {
    logical_id: String,
    /// `linux/amd64`
    platform: Platform,
    /// It takes no index.
    single: bool,
    images: BTreeSet<String>,
}

/// What runs where it cannot.
pub fn problems(
    environment: &Environment,
    stacks: &[RenderedStack],
    images: &BTreeMap<String, MadeFor>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for stack in stacks {
        for runner in runners(stack) {
            for name in &runner.images {
                let Some(made) = images.get(name).filter(|made| !made.platforms.is_empty()) else { continue };
                let Runner { logical_id, platform, .. } = &runner;
                let serves = made.platforms.iter().any(|made| made.serves(platform));
                let listed = made.platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let message = if !serves {
                    format!("the image `{name}` is made for {listed}, and {logical_id} runs on {platform}")
                } else if runner.single && made.platforms.len() > 1 {
                    format!("the image `{name}` is made for {listed}, and {logical_id} takes an image of one platform")
                } else {
                    continue;
                };
                let at = environment.stacks.get(&stack.name).map(|spec| spec.at.clone());
                let mut problem = Problem::error("wrong-platform", message, Some(made.at.clone())).help(format!(
                    "make the image for {platform} (`platform: {platform}`), or give the stack `{}` another architecture",
                    stack.name
                ));
                if let Some(at) = at {
                    problem = problem.related(at, format!("the stack `{}`", stack.name));
                }
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
    }
    problems
}

fn runners(stack: &RenderedStack) -> Vec<Runner> {
    let named = |parameter: &Parameter| match parameter {
        Parameter::LocalImage(image) => Some(format!("{MARK}{}", image.name)),
        Parameter::Value(value) => Some(value.clone()),
        _ => None,
    };
    let parameters: BTreeMap<String, Option<String>> =
        stack.parameters.iter().map(|(name, parameter)| (name.clone(), named(parameter))).collect();
    if !stack.parameters.values().any(|parameter| matches!(parameter, Parameter::LocalImage(_))) {
        return Vec::new();
    }
    let resources = inventory::of_template(&stack.name, &stack.target, &stack.stack_name, &stack.template, &parameters);
    resources.iter().filter_map(runner).collect()
}

fn runner(resource: &Resource) -> Option<Runner> {
    let text = |pointer: &str| resource.properties.pointer(pointer);
    // Where a value is not known, nothing is said; where it is not there, it is the service's usual one.
    let or_usual = |pointer: &str, usual: &str| match text(pointer) {
        None | Some(Json::Null) => Some(usual.to_owned()),
        Some(value) => value.as_str().map(str::to_owned),
    };
    let marked = |value: &Json| value.as_str()?.strip_prefix(MARK).map(str::to_owned);
    let (architecture, os, single, images): (String, &str, bool, BTreeSet<String>) =
        match resource.resource_type.as_str() {
            "AWS::ECS::TaskDefinition" => {
                let os = or_usual("/RuntimePlatform/OperatingSystemFamily", "LINUX")?;
                let os = if os.starts_with("WINDOWS") { "windows" } else { "linux" };
                let containers = text("/ContainerDefinitions")?.as_array()?;
                let images = containers.iter().filter_map(|container| marked(container.get("Image")?)).collect();
                (or_usual("/RuntimePlatform/CpuArchitecture", "X86_64")?, os, false, images)
            }
            "AWS::Lambda::Function" => {
                let images = text("/Code/ImageUri").and_then(marked).into_iter().collect();
                (or_usual("/Architectures/0", "x86_64")?, "linux", true, images)
            }
            _ => return None,
        };
    let architecture = match architecture.to_ascii_uppercase().as_str() {
        "X86_64" => "amd64",
        "ARM64" => "arm64",
        _ => return None,
    };
    let platform = Platform { os: os.to_owned(), architecture: architecture.to_owned(), variant: None };
    Some(Runner { logical_id: resource.logical_id.clone(), platform, single, images })
}

/// Where the environment says what an image is made from.
pub fn place(environment: &Environment, image: &str) -> Option<Location> {
    match environment.images.get(image)? {
        Image::Local(image) => Some(image.at.clone()),
        _ => None,
    }
}
