//! Where the parameters of each stack come from: the manifest's needs, the environment's word over them, and whether all
//! that they name is there.

use super::Draft;
use super::packages;
use super::workshop::{Workshop, manifest_problem};
use crate::document::listed;
use crate::graph::Edge;
use crate::model::{
    BUCKET_NAME, Environment, Image, LocalImage, LocalImageUse, MadeFrom, Need, Parameter, PromotedImage,
    REPOSITORY_URI,
};
use crate::problem::{Located, Location, Problem, nearest};
use cloudformation::template::{Function, ParameterType, Template};
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// A need that is to be met, and where it was said.
struct Wire {
    need: Need,
    at: Location,
    /// The manifest said it: the environment may say otherwise.
    from_manifest: bool,
}

/// The parameters of one stack, and the edges that they make. `drafts` are all stacks that could be rendered.
pub fn wire(
    draft: &Draft<'_>,
    drafts: &IndexMap<&str, Draft<'_>>,
    environment: &Environment,
    workshop: &Workshop,
    problems: &mut Vec<Problem>,
) -> (BTreeMap<String, Parameter>, Vec<Edge>) {
    let wires = wires(draft, workshop, problems);
    let mut parameters = BTreeMap::new();
    let mut edges = Vec::new();
    for (name, wire) in &wires {
        let Some(declared) = draft.body.parameters.get(name) else {
            problems.push(unknown_parameter(name, wire, draft));
            continue;
        };
        match &wire.need {
            Need::Output { stack, key } => {
                edges.push(Edge { from: draft.spec.name.clone(), to: stack.clone(), at: Some(wire.at.clone()) });
                if let Some(problem) = output_problem(name, stack, key, wire, draft, drafts, environment) {
                    problems.push(problem);
                } else if let Some(problem) =
                    implausible(name, &declared.parameter_type, stack, key, wire, draft, drafts, workshop)
                {
                    problems.push(problem);
                }
                parameters.insert(name.clone(), Parameter::Output { stack: stack.clone(), key: key.clone() });
            }
            Need::Image { name: image } => match environment.images.get(image) {
                Some(found) => {
                    if !matches!(declared.parameter_type, ParameterType::String) {
                        let message = format!("the parameter `{name}` takes an image, and is no `String`");
                        let problem =
                            workshop.problem_at(&draft.trace, declared.type_span, "wrong-parameter-type", message);
                        problems.push(problem.related(wire.at.clone(), "wired here"));
                    }
                    let parameter = match found {
                        Image::Ref(reference) => {
                            Parameter::Image { name: image.clone(), reference: reference.value.clone() }
                        }
                        Image::Local(LocalImage { repository, .. })
                        | Image::Promoted(PromotedImage { repository, .. }) => {
                            let (from, to) = (draft.spec.name.clone(), repository.value.clone());
                            edges.push(Edge { from, to, at: Some(wire.at.clone()) });
                            problems.extend(repository_problem(image, repository, drafts));
                            Parameter::LocalImage(LocalImageUse {
                                name: image.clone(),
                                repository: repository.value.clone(),
                                digest: None,
                                made_from: MadeFrom::default(),
                                size_bytes: None,
                                platforms: Vec::new(),
                                from: None,
                            })
                        }
                    };
                    parameters.insert(name.clone(), parameter);
                }
                None => problems.push(unknown_image(image, wire, draft, environment)),
            },
            Need::Package { name: package, part } => match environment.packages.get(package) {
                Some(found) => {
                    if !matches!(declared.parameter_type, ParameterType::String) {
                        let message = format!("the parameter `{name}` takes a package, and is no `String`");
                        let problem =
                            workshop.problem_at(&draft.trace, declared.type_span, "wrong-parameter-type", message);
                        problems.push(problem.related(wire.at.clone(), "wired here"));
                    }
                    let used = packages::taken(environment, package, found, *part);
                    let at = if wire.from_manifest { &draft.spec.at } else { &wire.at };
                    match packages::place_problem(draft, drafts, environment, &used, found, at) {
                        Some(problem) if !problems.contains(&problem) => problems.push(problem),
                        _ => {}
                    }
                    packages::runtime_problems(draft, name, package, found, workshop, problems);
                    let (from, at) = (draft.spec.name.clone(), Some(wire.at.clone()));
                    edges.extend(used.place.stack().map(|to| Edge { from, to: to.to_owned(), at }));
                    parameters.insert(name.clone(), Parameter::Package(used));
                }
                None => problems.push(unknown_package(package, wire, draft, environment)),
            },
        }
    }
    problems.extend(files_problem(draft));
    for (name, declared) in &draft.body.parameters {
        if !wires.contains_key(name) && declared.default.is_none() {
            let message = format!("nothing fills the parameter `{name}` of the stack `{}`", draft.spec.name);
            problems.push(
                workshop
                    .problem_at(&draft.trace, declared.name_span, "unwired-parameter", message)
                    .related(draft.spec.at.clone(), "of this stack")
                    .help(format!(
                        "say where it comes from: in the manifest, or as `needs: {{{name}: stack.Output}}` of the stack"
                    )),
            );
        }
    }
    (parameters, edges)
}

fn wires(draft: &Draft<'_>, workshop: &Workshop, problems: &mut Vec<Problem>) -> IndexMap<String, Wire> {
    let mut wires = IndexMap::new();
    for (name, need) in &draft.template.manifest.needs {
        if draft.spec.needs.contains_key(name) {
            continue;
        }
        if let Some(when) = &need.when {
            match workshop.truth(&when.value, &draft.context) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    problems.push(manifest_problem(&error, &when.at, draft.provenance()));
                    continue;
                }
            }
        }
        let from = match need.from.value.contains("{{") {
            true => workshop.text(&need.from.value, &draft.context),
            false => Ok(need.from.value.clone()),
        };
        match from.map(|from| (Need::parse(&from), from)) {
            Ok((Some(parsed), _)) => {
                wires.insert(name.clone(), Wire { need: parsed, at: need.from.at.clone(), from_manifest: true });
            }
            Ok((None, from)) => {
                let problem = Problem::error("wrong-value", format!("`{from}` is no need"), Some(need.from.at.clone()));
                problems.push(
                    problem
                        .label("expected `stack.Output`, `image:name` or `package:name.key`")
                        .related(draft.spec.at.clone(), "for this stack"),
                );
            }
            Err(error) => problems.push(manifest_problem(&error, &need.from.at, draft.provenance())),
        }
    }
    for (name, need) in &draft.spec.needs {
        wires.insert(name.clone(), Wire { need: need.value.clone(), at: need.at.clone(), from_manifest: false });
    }
    wires
}

fn unknown_parameter(name: &str, wire: &Wire, draft: &Draft<'_>) -> Problem {
    let message = format!("the template `{}` has no parameter `{name}`", draft.template.name);
    let names = || draft.body.parameters.keys().map(String::as_str);
    let problem = Problem::error("unknown-parameter", message, Some(wire.at.clone()));
    let problem = match wire.from_manifest {
        true => problem.related(draft.spec.at.clone(), "as this stack renders it"),
        false => problem,
    };
    problem.help(match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if wire.from_manifest => "declare it under `Parameters`, or say `when` it is there".to_owned(),
        None => format!("its parameters are {}", listed(names())),
    })
}

/// Points at the stack in the environment when the manifest is right for others: there it can be mended.
fn at_environment(problem: Problem, wire: &Wire, draft: &Draft<'_>) -> Problem {
    match wire.from_manifest {
        true => {
            let label = format!("this stack, of the template `{}`, needs it", draft.template.name);
            Problem { at: Some(draft.spec.at.clone()), ..problem }
                .label(label)
                .related(wire.at.clone(), "declared here")
        }
        false => Problem { at: Some(wire.at.clone()), ..problem },
    }
}

fn output_problem(
    parameter: &str,
    stack: &str,
    key: &str,
    wire: &Wire,
    draft: &Draft<'_>,
    drafts: &IndexMap<&str, Draft<'_>>,
    environment: &Environment,
) -> Option<Problem> {
    if !environment.stacks.contains_key(stack) {
        // A stack that the environment itself names has been checked when the file was read.
        let message = format!("the stack `{}` needs `{stack}.{key}`, and there is no stack `{stack}`", draft.spec.name);
        let names = environment.stacks.keys().map(String::as_str);
        let other = nearest(stack, names).unwrap_or("other");
        let help = format!(
            "add a stack `{stack}`, or say where the value comes from: `needs: {{{parameter}: {other}.{key}}}`"
        );
        return Some(at_environment(Problem::error("unknown-stack", message, None), wire, draft).help(help));
    }
    // One that could not be rendered has problems of its own.
    let giver = drafts.get(stack)?;
    if giver.body.outputs.contains_key(key) {
        return None;
    }
    let template = &giver.template;
    let problem = |message: String| at_environment(Problem::error("unknown-output", message, None), wire, draft);
    Some(match template.manifest.outputs.get(key) {
        Some(declared) => problem(format!("the stack `{stack}` has no output `{key}` with these inputs"))
            .related(declared.at.clone(), format!("the template `{}` has it with others", template.name)),
        None => {
            // Nobody has it: whoever wrote the name has to mend it, in the manifest or in the environment.
            let names = || giver.body.outputs.keys().map(String::as_str);
            let message = format!("the stack `{stack}` has no output `{key}`");
            let problem = Problem::error("unknown-output", message, Some(wire.at.clone()));
            let problem = match wire.from_manifest {
                true => problem.related(draft.spec.at.clone(), "for this stack"),
                false => problem,
            };
            problem.help(match nearest(key, names()) {
                Some(near) => format!("did you mean `{stack}.{near}`?"),
                None => format!("the outputs of the template `{}` are {}", template.name, listed(names())),
            })
        }
    })
}

/// The stack makes no repository.
fn repository_problem(
    image: &str,
    repository: &Located<String>,
    drafts: &IndexMap<&str, Draft<'_>>,
) -> Option<Problem> {
    let stack = repository.value.as_str();
    // A stack that is not there has its problem already, as has one that could not be rendered.
    let giver = drafts.get(stack).filter(|giver| !giver.body.outputs.contains_key(REPOSITORY_URI))?;
    let message =
        format!("the image `{image}` is pushed to the stack `{stack}`, which has no output `{REPOSITORY_URI}`");
    let problem = Problem::error("unknown-output", message, Some(repository.at.clone()));
    let template = &giver.template.name;
    Some(problem.help(format!("its template is `{template}`; a stack of the template `ecr-repository` has it")))
}

/// The stack has files, and makes no bucket for them.
fn files_problem(draft: &Draft<'_>) -> Option<Problem> {
    let files = draft.spec.files.as_ref().filter(|_| !draft.body.outputs.contains_key(BUCKET_NAME))?;
    let message = format!("the stack `{}` has files, and no output `{BUCKET_NAME}`", draft.spec.name);
    let problem = Problem::error("unknown-output", message, Some(files.at.clone()));
    let template = &draft.template.name;
    Some(
        problem.help(format!(
            "its template is `{template}`; one that makes a bucket, as `static-site` does, names it there"
        )),
    )
}

fn unknown_image(image: &str, wire: &Wire, draft: &Draft<'_>, environment: &Environment) -> Problem {
    let message = format!("the stack `{}` needs the image `{image}`, and there is none of that name", draft.spec.name);
    let problem = at_environment(Problem::error("unknown-image", message, None), wire, draft);
    let names = || environment.images.keys().map(String::as_str);
    problem.help(match nearest(image, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if environment.images.is_empty() => {
            format!("add it: `images: {{{image}: {{ref: \"repository@sha256:…\"}}}}`")
        }
        None => format!("the images are {}", listed(names())),
    })
}

fn unknown_package(package: &str, wire: &Wire, draft: &Draft<'_>, environment: &Environment) -> Problem {
    let message =
        format!("the stack `{}` needs the package `{package}`, and there is none of that name", draft.spec.name);
    let problem = at_environment(Problem::error("unknown-package", message, None), wire, draft);
    let names = || environment.packages.keys().map(String::as_str);
    problem.help(match nearest(package, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if environment.packages.is_empty() => {
            format!("add it: `packages: {{{package}: {{folder: functions/{package}, runtime: python3.13}}}}`")
        }
        None => format!("the packages are {}", listed(names())),
    })
}

/// An output that is surely not what the parameter takes: the `Ref` of a resource of another type, or one value for a list
/// and the other way round where the template says so in plain.
#[allow(clippy::too_many_arguments, reason = "both ends of a wire, and what is needed to point at them")]
fn implausible(
    parameter: &str,
    takes: &ParameterType,
    stack: &str,
    key: &str,
    wire: &Wire,
    draft: &Draft<'_>,
    drafts: &IndexMap<&str, Draft<'_>>,
    workshop: &Workshop,
) -> Option<Problem> {
    let giver = drafts.get(stack)?;
    let output = giver.body.outputs.get(key)?;
    let (ParameterType::Aws(wanted) | ParameterType::ListOfAws(wanted)) = takes else { return None };
    let wanted = resource_of(wanted)?;
    let given = referenced(output.value.as_call()?, &giver.body)?;
    if given == wanted {
        return None;
    }
    let message = format!(
        "the parameter `{parameter}` takes what `Ref` of an {wanted} gives, and `{stack}.{key}` is that of an {given}"
    );
    let problem = at_environment(Problem::error("wrong-output", message, None), wire, draft);
    Some(problem.related(workshop.locate(&giver.trace, output.name_span).0, "this output"))
}

/// The resource type whose `Ref` is a value of an AWS-specific parameter type.
fn resource_of(parameter_type: &str) -> Option<&'static str> {
    match parameter_type {
        "AWS::EC2::VPC::Id" => Some("AWS::EC2::VPC"),
        "AWS::EC2::Subnet::Id" => Some("AWS::EC2::Subnet"),
        "AWS::EC2::SecurityGroup::Id" => Some("AWS::EC2::SecurityGroup"),
        "AWS::EC2::Volume::Id" => Some("AWS::EC2::Volume"),
        "AWS::EC2::Instance::Id" => Some("AWS::EC2::Instance"),
        "AWS::EC2::KeyPair::KeyName" => Some("AWS::EC2::KeyPair"),
        "AWS::Route53::HostedZone::Id" => Some("AWS::Route53::HostedZone"),
        _ => None,
    }
}

fn referenced<'t>(function: &Function, template: &'t Template) -> Option<&'t str> {
    let Function::Ref(name) = function else { return None };
    let resource = template.resources.get(name.as_str()?)?;
    Some(resource.resource_type.value.as_str())
}
