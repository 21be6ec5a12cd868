//! Whether functions call a file that their package holds: one that is not there is found when the function is called
//! first, and every call fails.

use crate::catalog::Catalog;
use crate::inventory::{self, Resource};
use crate::model::{
    Environment, InputKind, PackageFolder, PackagePart, PackageSource, Parameter, RenderedStack, StackSpec,
};
use crate::package::{HandlerProblem, Listing, handler_problem};
use crate::problem::{Location, Problem};
use crate::validate::Files;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Marks a package's key in a template's values.
const MARK: &str = "package made here: ";

/// Returns the functions whose handler their package does not hold. `listings`: the files of packages, by name; what is not
/// listed is not judged.
pub fn problems(
    environment: &Environment,
    stacks: &[RenderedStack],
    listings: &BTreeMap<String, Listing>,
    catalog: &Catalog,
) -> Vec<Problem> {
    let mut files = Files::new(catalog);
    let mut problems = Vec::new();
    for stack in stacks {
        for (function, name, handler) in functions(stack) {
            let Some(listing) = listings.get(&name) else { continue };
            let Some(PackageSource::Folder(folder)) = environment.packages.get(&name).map(|package| &package.source)
            else {
                continue;
            };
            let Some(wrong) = handler_problem(folder.runtime, &handler, &listing.files) else { continue };
            let place = stack.places.get(&function);
            let in_template = place.and_then(|place| files.within(place, &["Properties", "Handler"]));
            let by_input = environment.stacks.get(&stack.name).and_then(|spec| input(spec, &handler));
            let at = by_input.or(in_template);
            let called = format!("the function {function} of stack `{}` calls `{handler}`", stack.name);
            let problem = problem(&called, &name, folder, listing, wrong, at);
            problems
                .push(problem.label(format!("{function}.Handler")).related(folder.folder.at.clone(), "the package"));
        }
    }
    problems
}

fn problem(
    called: &str,
    name: &str,
    folder: &PackageFolder,
    listing: &Listing,
    wrong: HandlerProblem,
    at: Option<Location>,
) -> Problem {
    const FORM: &str = "a handler is a file without its ending, a dot and a function: `handler.handle` for `handle` in handler.py, \
         `index.handler` in index.js";
    let folder = &folder.folder.value;
    match wrong {
        HandlerProblem::NoFunction => {
            Problem::error("no-handler", format!("{called}, which names no function in a file"), at).help(FORM)
        }
        HandlerProblem::NoFile { expected, nearest, uncompiled } => {
            let help = match (nearest, uncompiled) {
                (_, Some(source)) => format!(
                    "{source} is packed as it is: compile it first, and name the folder with the result as the package's \
                     `folder`"
                ),
                (Some(near), None) => format!("did you mean {near}?"),
                (None, None) => FORM.to_owned(),
            };
            match listing.complete {
                true => {
                    let message = format!("{called}, and its package `{name}` has no {expected} (folder {folder})");
                    Problem::error("no-handler", message, at).help(help)
                }
                false => {
                    let message = format!(
                        "{called}, and the folder {folder} of its package `{name}` has no {expected}: it fails unless a \
                         dependency brings that"
                    );
                    Problem::warning("no-handler", message, at).help(help)
                }
            }
        }
    }
}

/// Functions that get a package as their code: their logical ids, the package, the handler.
fn functions(stack: &RenderedStack) -> Vec<(String, String, String)> {
    let is_key =
        |parameter: &Parameter| matches!(parameter, Parameter::Package(package) if package.part == PackagePart::Key);
    if !stack.parameters.values().any(is_key) {
        return Vec::new();
    }
    let value = |parameter: &Parameter| match parameter {
        Parameter::Package(package) if package.part == PackagePart::Key => Some(format!("{MARK}{}", package.name)),
        Parameter::Value(value) => Some(value.clone()),
        _ => None,
    };
    let parameters: BTreeMap<String, Option<String>> =
        stack.parameters.iter().map(|(name, parameter)| (name.clone(), value(parameter))).collect();
    let resources = inventory::of_template(&stack.name, &stack.target, &stack.stack_name, &stack.template, &parameters);
    resources.iter().filter_map(function).collect()
}

fn function(resource: &Resource) -> Option<(String, String, String)> {
    if resource.resource_type != "AWS::Lambda::Function" {
        return None;
    }
    let at = |pointer: &str| resource.properties.pointer(pointer);
    let package = at("/Code/S3Key")?.as_str()?.strip_prefix(MARK)?;
    let handler = at("/Handler")?.as_str()?;
    // A layer may bring the file, a wrapper runs what the handler names by itself, and what is not known is in braces.
    let has_layers = at("/Layers").is_some_and(|layers| layers.as_array().is_none_or(|layers| !layers.is_empty()));
    let is_wrapped = at("/Environment/Variables/AWS_LAMBDA_EXEC_WRAPPER").is_some();
    let is_known = !handler.contains(['{', '⟦']);
    (is_known && !has_layers && !is_wrapped)
        .then(|| (resource.logical_id.clone(), package.to_owned(), handler.to_owned()))
}

/// Where the environment gives a stack this text as an input.
fn input(spec: &StackSpec, text: &str) -> Option<Location> {
    let is_it = |kind: &InputKind| matches!(kind, InputKind::Scalar(Json::String(value)) if value == text);
    spec.inputs.values().find(|input| is_it(&input.value.kind)).map(|input| input.value.at.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment;
    use crate::package::{self, Recipe};
    use crate::render::render;
    use crate::view::problem;
    use std::fs;

    const TEMPLATE: &str = r#"
description: Functions.
inputs:
  handler: {type: string, description: What is called.}
needs:
  Bucket: package:hello.bucket
  Key: package:hello.key
---
Parameters:
  Bucket: {Type: String}
  Key: {Type: String}
  Written: {Type: String, Default: main.run}
Resources:
  Fixed:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: !Ref Bucket, S3Key: !Ref Key}
      Handler: !Ref Written
  Layered:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: !Ref Bucket, S3Key: !Ref Key}
      Handler: elsewhere.run
      Layers: ["arn:aws:lambda:eu-west-1:111122223333:layer:l:1"]
  Other:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: !Ref Bucket, S3Key: other.zip}
      Handler: elsewhere.run
  Given:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: !Ref Bucket, S3Key: !Ref Key}
      Handler: {{ inputs.handler | tojson }}
"#;

    /// What is found where the function `Given` calls `handler`, and the package has these files.
    fn found(handler: &str, files: &[(&str, &str)]) -> String {
        let project = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = project.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("templates/hello.yaml", TEMPLATE);
        write(
            "environments/dev.yaml",
            &format!(
                "project: shop\naccount: \"111122223333\"\nregion: eu-west-1\npackages:\n  hello: {{folder: code, runtime: \
                 python3.13}}\nstacks:\n  hello: {{inputs: {{handler: {handler}}}}}\n"
            ),
        );
        files.iter().for_each(|(name, text)| write(&format!("code/{name}"), text));
        let catalog = Catalog::open(project.path());
        let (environment, _) = environment::load(project.path(), "dev").unwrap();
        let stacks = render(&environment, &catalog).unwrap_or_else(|error| panic!("{:?}", error.problems));
        let recipe = Recipe {
            folder: "code".to_owned(),
            runtime: "python3.13".parse().unwrap(),
            architecture: Default::default(),
            install: true,
        };
        let listing = package::listing(project.path(), "hello", &recipe).unwrap();
        let found = problems(&environment, &stacks, &BTreeMap::from([("hello".to_owned(), listing)]), &catalog);
        anstream::adapter::strip_str(&problem::text(&found, 100)).to_string()
    }

    #[test]
    fn a_handler_is_looked_for_in_its_package() {
        assert_eq!(found("src/app.handle", &[("src/app.py", ""), ("main.py", "")]), "");
        insta::assert_snapshot!(found("min.run", &[("main.py", "")]), @"
        error: the function Given of stack `hello` calls `min.run`, and its package `hello` has no min.py (folder code)
         --> environments/dev.yaml:7:29
          |
        5 |   hello: {folder: code, runtime: python3.13}
          |                   ---- the package
        6 | stacks:
        7 |   hello: {inputs: {handler: min.run}}
          |                             ^^^^^^^ Given.Handler
          |
          = help: did you mean main.py?
        ");
        insta::assert_snapshot!(found("app.handle", &[("app/__init__.py", ""), ("pain.py", "")]), @"
        error: the function Fixed of stack `hello` calls `main.run`, and its package `hello` has no main.py (folder code)
          --> templates/hello.yaml:18:7
           |
        18 |       Handler: !Ref Written
           |       ^^^^^^^ Fixed.Handler
           |
          ::: environments/dev.yaml:5:19
           |
         5 |   hello: {folder: code, runtime: python3.13}
           |                   ---- the package
           |
           = help: did you mean pain.py?
        ");
    }

    #[test]
    fn a_dependency_that_is_not_installed_yet_may_bring_it() {
        let hash = "0".repeat(64);
        let lock = format!("sentry-sdk==2.0.0 --hash=sha256:{hash}\n");
        let files = [("main.py", ""), ("requirements.txt", lock.as_str())];
        insta::assert_snapshot!(found("sentry_sdk.integrations.handler", &files), @"
        warning: the function Given of stack `hello` calls `sentry_sdk.integrations.handler`, and the folder code of its package `hello` has no sentry_sdk/integrations.py: it fails unless a dependency brings that
         --> environments/dev.yaml:7:29
          |
        5 |   hello: {folder: code, runtime: python3.13}
          |                   ---- the package
        6 | stacks:
        7 |   hello: {inputs: {handler: sentry_sdk.integrations.handler}}
          |                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Given.Handler
          |
          = help: a handler is a file without its ending, a dot and a function: `handler.handle` for `handle` in handler.py, `index.handler` in index.js
        ");
    }
}
