//! Environment + catalog → [`RenderedStack`]s: what CloudFormation will be asked for, but for values that other stacks
//! have yet to give.
//!
//! Pure but for reading the project's templates. Every stack is rendered by itself, then they are wired together; all
//! problems of all stacks come in one run, each at its place in a template or an environment file. The same files give the
//! same bytes.

mod body;
mod functions;
mod limits;
mod marks;
mod packages;
mod parameters;
mod safety;
mod wiring;
mod workshop;
mod write;

#[cfg(test)]
mod tests;

use crate::catalog::{self, Catalog, resolve_all};
use crate::environment::RESERVED_TAGS;
use crate::error::Error;
use crate::graph::{Cycle, Edge, Graph};
use crate::model::{Environment, RenderedStack, StackSpec, digest, sensitive};
use crate::problem::Problem;
use cloudformation::sensitive::{self as sensitivity, Literal};
use cloudformation::template::{Expr, Kind as ExprKind, Template};
use indexmap::IndexMap;
pub use limits::protecting_policy;
use marks::Trace;
use minijinja::value::Serde;
use minijinja::{Value, context};
pub use parameters::{made_parameters, parameter_name};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use workshop::{Provenance, Workshop};

/// Renders all stacks of an environment. They come in an order in which each follows those that it waits on.
///
/// # Errors
/// The problems of all stacks.
pub fn render(environment: &Environment, catalog: &Catalog) -> Result<Vec<RenderedStack>, Error> {
    let mut workshop = Workshop::new(catalog);
    let mut problems = Vec::new();
    let known: Vec<Known<'_>> = environment
        .stacks
        .values()
        .filter_map(|spec| known(spec, environment, catalog, &mut workshop, &mut problems))
        .collect();
    let read: Vec<Result<Draft<'_>, Vec<Problem>>> =
        known.into_par_iter().map(|known| draft(known, &workshop)).collect();
    let mut drafts: IndexMap<&str, Draft<'_>> = IndexMap::new();
    for draft in read {
        match draft {
            Ok(draft) => _ = drafts.insert(&draft.spec.name, draft),
            Err(more) => problems.extend(more),
        }
    }
    let mut edges: Vec<Edge> = Vec::new();
    let mut stacks: BTreeMap<String, RenderedStack> = BTreeMap::new();
    let wired: Vec<(RenderedStack, Vec<Edge>, Vec<Problem>)> = drafts
        .par_values()
        .map(|draft| {
            let mut problems = Vec::new();
            let (parameters, edges) = wiring::wire(draft, &drafts, environment, &workshop, &mut problems);
            let stack = RenderedStack { parameters, ..finish(draft, environment, &workshop, &mut problems) };
            (stack, edges, problems)
        })
        .collect();
    for (stack, more, wrong) in wired {
        edges.extend(more);
        problems.extend(wrong);
        stacks.insert(stack.name.clone(), stack);
    }
    edges.extend(environment.stacks.values().flat_map(|spec| {
        spec.after.iter().map(|on| Edge { from: spec.name.clone(), to: on.value.clone(), at: Some(on.at.clone()) })
    }));
    let bodies = stacks.values_mut().filter_map(|stack| {
        let body = &drafts.get(stack.name.as_str())?.body;
        Some((stack, body))
    });
    parameters::order(bodies, &mut edges);
    let graph = Graph::new(environment.stacks.keys().cloned(), edges);
    problems.extend(graph.cycles().iter().map(Cycle::problem));
    if problems.is_empty() {
        return Ok(graph.order().into_iter().filter_map(|name| stacks.remove(name)).collect());
    }
    // Stacks of one template have its problems in common.
    let mut told: Vec<Problem> = Vec::new();
    for problem in problems {
        if !told.contains(&problem) {
            told.push(problem);
        }
    }
    Err(Error::problems(told))
}

/// The capabilities that a rendered template needs, in alphabetical order; none if it is no template.
pub fn capabilities_of(template: &str) -> Option<Vec<String>> {
    Template::parse(template).ok().map(|template| limits::capabilities(&template))
}

/// The template of a stack as YAML, functions as short tags. It is for eyes: secrets that stand in the template are hidden.
///
/// # Errors
/// The stack's template is no JSON: it was not made by [`render`].
pub fn to_yaml(stack: &RenderedStack) -> anyhow::Result<String> {
    write::yaml(&sensitive::template(&stack.template))
}

/// A stack whose template and inputs are right.
struct Known<'e> {
    spec: &'e StackSpec,
    template: Arc<catalog::Template>,
    context: Value,
    /// The workshop's for the template.
    number: usize,
}

/// A stack whose body has been rendered and read.
struct Draft<'e> {
    spec: &'e StackSpec,
    template: Arc<catalog::Template>,
    context: Value,
    trace: Trace,
    body: Template,
}

impl Draft<'_> {
    fn provenance(&self) -> Provenance<'_> {
        Provenance { given: &self.spec.inputs, specs: &self.template.manifest.inputs }
    }
}

fn known<'e>(
    spec: &'e StackSpec,
    environment: &Environment,
    catalog: &Catalog,
    workshop: &mut Workshop,
    problems: &mut Vec<Problem>,
) -> Option<Known<'e>> {
    let template = match catalog.get(&spec.template) {
        Ok(template) => template,
        Err(more) => {
            problems.extend(more);
            return None;
        }
    };
    let before = problems.len();
    let declared = &template.manifest.inputs;
    let inputs = resolve_all(declared, &spec.inputs, &template.name, &spec.at, problems);
    let number = workshop.add(&template).map_err(|problem| problems.push(problem)).ok();
    let number = number.filter(|_| problems.len() == before)?;
    let context = context! {
        inputs => Value::from(Serde(&inputs)),
        project => environment.project.as_str(),
        environment => environment.name.as_str(),
        region => spec.target.region.as_str(),
        account => spec.target.account.as_str(),
        tags => tags(environment),
        stack => spec.name.as_str(),
        stack_name => stack_name(environment, &spec.name),
        protect => environment.protect,
    };
    Some(Known { spec, template, context, number })
}

fn draft<'e>(known: Known<'e>, workshop: &Workshop) -> Result<Draft<'e>, Vec<Problem>> {
    let Known { spec, template, context, number } = known;
    let provenance = Provenance { given: &spec.inputs, specs: &template.manifest.inputs };
    let trace = workshop.render(number, &context, provenance)?;
    let body = body::read(&trace, workshop)?;
    Ok(Draft { spec, template, context, trace, body })
}

fn finish(
    draft: &Draft<'_>,
    environment: &Environment,
    workshop: &Workshop,
    problems: &mut Vec<Problem>,
) -> RenderedStack {
    check_outputs(draft, workshop, problems);
    let json = draft.body.to_json();
    let literals = sensitivity::Template(&json).literals();
    sensitive::learn_literals(&literals);
    let template = write::canonical(json);
    limits::check(&draft.body, &template, &draft.template.name, &draft.trace, workshop, problems);
    let place = |span: cloudformation::source::Span| {
        let origin = draft.trace.origin(span.start.offset);
        workshop.place(origin.call.unwrap_or(origin.at))
    };
    RenderedStack {
        name: draft.spec.name.clone(),
        stack_name: stack_name(environment, &draft.spec.name),
        target: draft.spec.target.clone(),
        template_name: draft.template.name.clone(),
        template_digest: digest(&template),
        template,
        parameters: BTreeMap::new(),
        tags: tags(environment),
        capabilities: limits::capabilities(&draft.body),
        protect: environment.protect,
        stack_policy: environment.protect.then(limits::protecting_policy),
        after: draft.spec.after.iter().map(|on| on.value.clone()).collect(),
        places: places(&draft.body, &literals, place),
    }
}

/// Where things stand: resources by their ids, other members of sections by their paths (`/Parameters/Name`), sections
/// themselves as `/Parameters`, and secrets among the properties of a resource by `Id/Property`.
fn places(
    body: &Template,
    literals: &[Literal],
    place: impl Fn(cloudformation::source::Span) -> String,
) -> BTreeMap<String, String> {
    let mut places: BTreeMap<String, String> =
        body.resources.iter().map(|(id, resource)| (id.clone(), place(resource.name_span))).collect();
    for section in body.root.as_map().unwrap_or_default() {
        places.insert(format!("/{}", section.key), place(section.key_span));
        if section.key != "Resources" {
            let members = section.value.as_map().unwrap_or_default().iter();
            places.extend(members.map(|member| (format!("/{}/{}", section.key, member.key), place(member.key_span))));
        }
    }
    for literal in literals {
        let mut steps = literal.pointer.split('/').skip(1);
        match (steps.next(), steps.next(), steps.next()) {
            (Some("Resources"), Some(id), Some("Properties")) => {
                let Some(properties) = body.resources.get(id).and_then(|resource| resource.properties.as_ref()) else {
                    continue;
                };
                let steps: Vec<&str> = steps.take_while(|step| !step.starts_with("Fn::")).collect();
                let span = span_of(properties, &steps);
                places.insert(format!("{id}/{}", steps.join("/")), place(span));
            }
            (Some("Parameters"), Some(name), _) => {
                let span = body.parameters.get(name).map(|parameter| parameter.name_span);
                span.into_iter().for_each(|span| _ = places.insert(literal.pointer.clone(), place(span)));
            }
            _ => {}
        }
    }
    places
}

/// Where the value at a path stands, or what is around it.
fn span_of(expr: &Expr, steps: &[&str]) -> cloudformation::source::Span {
    let Some((step, rest)) = steps.split_first() else { return expr.span };
    let step = step.replace("~1", "/").replace("~0", "~");
    match &expr.kind {
        ExprKind::Map(members) => match members.iter().find(|member| member.key == step) {
            Some(member) if rest.is_empty() => member.key_span,
            Some(member) => span_of(&member.value, rest),
            None => expr.span,
        },
        ExprKind::List(items) => {
            let item = step.parse::<usize>().ok().and_then(|at| items.get(at));
            item.map_or(expr.span, |item| span_of(item, rest))
        }
        _ => expr.span,
    }
}

/// The manifest describes every output, and describes nothing that the body never has. An output may depend on inputs.
fn check_outputs(draft: &Draft<'_>, workshop: &Workshop, problems: &mut Vec<Problem>) {
    let described = &draft.template.manifest.outputs;
    for (name, output) in draft.body.outputs.iter().filter(|(name, _)| !described.contains_key(*name)) {
        let message = format!("the manifest says nothing of the output `{name}`");
        let problem = workshop.problem_at(&draft.trace, output.name_span, "undescribed-output", message);
        problems.push(problem.help(format!("add it to the manifest's `outputs`: `{name}: what it is`")));
    }
    let body = &draft.template.file.text[draft.template.body_start..];
    for (name, described) in described.iter().filter(|(name, _)| !draft.body.outputs.contains_key(*name)) {
        // One that other inputs would bring is written somewhere in the body.
        if !body.contains(name.as_str()) {
            let message = format!("the template has no output `{name}`");
            problems
                .push(Problem::error("unknown-output", message, Some(described.at.clone())).label("described here"));
        }
    }
}

fn stack_name(environment: &Environment, stack: &str) -> String {
    format!("{}-{}-{stack}", environment.project, environment.name)
}

fn tags(environment: &Environment) -> BTreeMap<String, String> {
    let own = [environment.project.as_str(), environment.name.as_str(), "infra"];
    let own = RESERVED_TAGS.iter().zip(own).map(|(key, value)| ((*key).to_owned(), value.to_owned()));
    environment.tags.clone().into_iter().chain(own).collect()
}
