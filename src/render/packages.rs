//! Parameters that take a function's code: where it goes, whether that bucket can serve the function, and whether the
//! function runs what the code was packed for.

use super::Draft;
use super::workshop::Workshop;
use crate::model::{
    Architecture, BUCKET_NAME, Environment, MadeFrom, Package, PackagePart, PackagePlace, PackageSource, PackageUse,
    Runtime, Target,
};
use crate::problem::{Location, Problem};
use cloudformation::template::{Expr, Function, Resource};
use indexmap::IndexMap;

/// What a parameter is given of a package, as far as that is known before the code is packed.
pub fn taken(environment: &Environment, name: &str, package: &Package, part: PackagePart) -> PackageUse {
    let place = match &package.bucket {
        Some(stack) => PackagePlace::Stack(stack.value.clone()),
        None => PackagePlace::Bucket {
            name: environment.state.bucket.clone(),
            target: Target {
                account: environment.account.clone(),
                region: environment.state.region.clone(),
                role: None,
            },
        },
    };
    PackageUse {
        name: name.to_owned(),
        part,
        place,
        prefix: format!("{}/{}/packages/", environment.project, environment.name),
        digest: None,
        made_from: MadeFrom::default(),
        size_bytes: None,
        from: None,
    }
}

/// Lambda takes code from buckets of the function's own region (API reference, `FunctionCode.S3Bucket`), and another
/// account's bucket is closed to it.
pub fn place_problem(
    draft: &Draft<'_>,
    drafts: &IndexMap<&str, Draft<'_>>,
    environment: &Environment,
    used: &PackageUse,
    package: &Package,
    at: &Location,
) -> Option<Problem> {
    let function = &draft.spec.target;
    let (bucket, maker) = match (&used.place, &package.bucket) {
        (PackagePlace::Bucket { target, .. }, _) => (target, None),
        (PackagePlace::Stack(stack), Some(named)) => {
            // A stack that is not there, or could not be rendered, has its problem already.
            let giver = drafts.get(stack.as_str())?;
            if !giver.body.outputs.contains_key(BUCKET_NAME) {
                let message = format!(
                    "the package `{}` is uploaded to the bucket of the stack `{stack}`, which has no output `{BUCKET_NAME}`",
                    used.name
                );
                let template = &giver.template.name;
                let help = format!("its template is `{template}`; one of the template `package-bucket` has it");
                return Some(Problem::error("unknown-output", message, Some(named.at.clone())).help(help));
            }
            (&environment.stacks.get(stack)?.target, Some(stack))
        }
        (PackagePlace::Stack(_), None) => return None,
    };
    if (&bucket.account, &bucket.region) == (&function.account, &function.region) {
        return None;
    }
    let place = |target: &Target| format!("{} of account {}", target.region, target.account);
    let message = format!(
        "the stack `{}` is in {}, and the bucket of its package `{}` in {}",
        draft.spec.name,
        place(function),
        used.name,
        place(bucket)
    );
    let help = match maker {
        Some(stack) => format!("functions take code from their own region: name another bucket than that of `{stack}`"),
        None => format!(
            "functions take code from their own region: add a stack there, `packages: {{template: package-bucket, region: {}}}`, \
             and to the package `bucket: packages`",
            function.region
        ),
    };
    Some(Problem::error("wrong-region", message, Some(at.clone())).help(help))
}

/// Functions that are given the parameter as their code, and run something else than it was packed for.
pub fn runtime_problems(
    draft: &Draft<'_>,
    parameter: &str,
    name: &str,
    package: &Package,
    workshop: &Workshop,
    problems: &mut Vec<Problem>,
) {
    let PackageSource::Folder(folder) = &package.source else { return };
    for resource in draft.body.resources.values().filter(|resource| takes_code(resource, parameter)) {
        let Some(properties) = &resource.properties else { continue };
        let mut differs = |value: &Expr, what: &str, packed: String| {
            let message = format!("the function runs {what}, and its package `{name}` is made for {packed}");
            let problem = workshop.problem_at(&draft.trace, value.span, "wrong-package", message);
            problems.push(problem.related(folder.folder.at.clone(), "the package"));
        };
        if let Some((value, text)) = literal(properties.get("Runtime"))
            && text.parse::<Runtime>() != Ok(folder.runtime)
        {
            differs(value, text, folder.runtime.to_string());
        }
        let architecture = properties.get("Architectures").and_then(Expr::as_list).and_then(|list| list.first());
        if let Some((value, text)) = literal(architecture)
            && text.parse::<Architecture>() != Ok(folder.architecture)
        {
            differs(value, text, folder.architecture.to_string());
        }
    }
}

fn literal(value: Option<&Expr>) -> Option<(&Expr, &str)> {
    Some((value?, value?.as_str()?))
}

fn takes_code(resource: &Resource, parameter: &str) -> bool {
    let key = resource.properties.as_ref().and_then(|properties| properties.get("Code")?.get("S3Key"));
    resource.resource_type.value == "AWS::Lambda::Function"
        && matches!(key.and_then(Expr::as_call), Some(Function::Ref(name)) if name.as_str() == Some(parameter))
}
