//! From a request to a definition: the template read, macros expanded, parameters given their values, and everything
//! refused that CloudFormation refuses at once, in its words.
//!
//! What a transform does not manage is no refusal: the request is accepted, and the operation (or change set) fails.

mod changes;
mod drift;
mod extensions;
mod incomplete;
mod limits;
mod macros;
mod named;
mod parameters;

pub(crate) use changes::{Changes, Origin, changes};
pub(crate) use parameters::Given;

use super::api::summary::Needs;
use super::engine::provider;
use super::engine::scene::{account_facts, environment};
use super::model::{Definition, Stack};
use super::reading;
use super::text;
use crate::place::Place;
use crate::query::Fault;
use crate::world::World;
use cloudformation::evaluate::{Evaluator, Facts};
use cloudformation::predict::{Deployment, predict};
use cloudformation::source;
use cloudformation::template::{Problem, Template};
use indexmap::{IndexMap, IndexSet};
use serde_json::Value as Json;
use std::sync::Arc;

/// What a request says a stack should be. `None` where an update keeps what there is.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub template_body: Option<String>,
    pub template_url: Option<String>,
    pub use_previous_template: bool,
    pub parameters: Vec<Given>,
    pub tags: Option<IndexMap<String, String>>,
    pub capabilities: Vec<String>,
    pub notification_arns: Option<Vec<String>>,
    pub role_arn: Option<String>,
    pub rollback_configuration: Option<Json>,
    /// The only types that the template may have: `AWS::EC2::*`, `Custom::Mine` …
    pub resource_types: Option<Vec<String>>,
    /// Whether macros have to be acknowledged: a change set shows what they make.
    pub acknowledge_macros: bool,
}

/// A definition that can be carried out, with its template as the engine reads it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub definition: Definition,
}

impl Request {
    /// What the properties of a nested stack ask for.
    pub(crate) fn nested(properties: &Json, capabilities: Vec<String>) -> Self {
        let text = |value: &Json| match value {
            Json::String(text) => text.clone(),
            Json::Array(items) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        };
        let parameters = properties["Parameters"].as_object().into_iter().flatten();
        let tags = properties["Tags"]
            .as_array()
            .map(|tags| tags.iter().map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect::<IndexMap<_, _>>());
        let arns = properties["NotificationARNs"].as_array();
        Request {
            template_url: properties["TemplateURL"].as_str().map(str::to_owned),
            parameters: parameters.map(|(key, value)| Given::value(key, &text(value))).collect(),
            tags,
            capabilities,
            notification_arns: arns.map(|arns| arns.iter().map(text).collect()),
            ..Request::default()
        }
    }
}

/// Prepares a request for the stack with this name and id. `previous`: what the stack is now.
///
/// # Errors
/// What CloudFormation refuses: `ValidationError`, `InsufficientCapabilitiesException`.
pub(crate) async fn prepare(
    world: &Arc<World>,
    place: &Place,
    (stack_name, stack_id): (&str, &str),
    request: Request,
    previous: Option<&Definition>,
) -> Result<Prepared, Fault> {
    let template = match (request.use_previous_template, previous) {
        (true, _) if request.template_body.is_some() || request.template_url.is_some() => {
            return Err(Fault::validation(
                "You cannot specify both usePreviousTemplate and Template Body/Template URL.",
            ));
        }
        (true, Some(previous)) => previous.template.clone(),
        (true, None) => return Err(Fault::validation("Either Template URL or Template Body must be specified.")),
        (false, _) => text::template(world, place, request.template_body, request.template_url.as_deref()).await?,
    };
    let read = read(&template)?;
    limits::check(&read)?;
    request.rollback_configuration.as_ref().map_or(Ok(()), limits::check_rollback)?;
    let macros_acknowledged = request.acknowledge_macros;
    acknowledged(&read, &request.capabilities, macros_acknowledged)?;
    let given = parameters::effective(&read, &request.parameters, previous.map(|previous| &previous.parameters))?;
    let resolved = parameters::looked_up(world, place, &read, &given).await?;
    let keep = |new: Option<Vec<String>>, old: fn(&Definition) -> &Vec<String>| {
        new.unwrap_or_else(|| previous.map(old).cloned().unwrap_or_default())
    };
    let mut definition = Definition {
        description: read.description.as_ref().map(|text| text.value.clone()),
        parameters: given,
        resolved,
        tags: request.tags.unwrap_or_else(|| previous.map(|previous| previous.tags.clone()).unwrap_or_default()),
        capabilities: request.capabilities,
        notification_arns: keep(request.notification_arns, |previous| &previous.notification_arns),
        role_arn: request.role_arn.or_else(|| previous.and_then(|previous| previous.role_arn.clone())),
        rollback_configuration: request
            .rollback_configuration
            .unwrap_or_else(|| previous.map(|it| it.rollback_configuration.clone()).unwrap_or_default()),
        template,
        processed: None,
        expanded: None,
        failure: None,
    };
    if macros_acknowledged && definition.capabilities.is_empty() {
        // An update that brings none shows those from before.
        definition.capabilities = previous.map(|previous| previous.capabilities.clone()).unwrap_or_default();
    }
    let stack = Stack { current: definition.clone(), ..Stack::new(place, stack_name, stack_id, world.clock.now()) };
    expand(world, &stack, read, request.resource_types.as_deref(), &mut definition).await?;
    Ok(Prepared { definition })
}

/// Reads a template, or says the first thing that is wrong with it.
fn read(text: &str) -> Result<Template, Fault> {
    match reading::read(text) {
        Ok((template, problems)) => problems.first().map_or(Ok(template), |problem| Err(refused(problem))),
        Err(problem) => Err(refused(&problem)),
    }
}

fn refused(problem: &Problem) -> Fault {
    Fault::validation(problem.message.clone())
}

/// Whether all capabilities that the template needs were given.
fn acknowledged(template: &Template, given: &[String], macros: bool) -> Result<(), Fault> {
    let needs = Needs::of(template).capabilities().unwrap_or_default();
    let has = |name: &str| given.iter().any(|one| one == name);
    let satisfied = |need: &&str| match *need {
        "CAPABILITY_IAM" => has("CAPABILITY_IAM") || has("CAPABILITY_NAMED_IAM"),
        "CAPABILITY_AUTO_EXPAND" => !macros || has("CAPABILITY_AUTO_EXPAND"),
        other => has(other),
    };
    let missing: Vec<&str> = needs.into_iter().filter(|need| !satisfied(need)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => {
            let message = format!("Requires capabilities : [{}]", missing.join(", "));
            Err(Fault::new("InsufficientCapabilitiesException", message))
        }
    }
}

/// Runs macros and checks what they make, with all that is known before a deployment.
async fn expand(
    world: &Arc<World>,
    stack: &Stack,
    read: Template,
    allowed: Option<&[String]>,
    definition: &mut Definition,
) -> Result<(), Fault> {
    let template = match macros::expand(world, stack, &read).await {
        Ok(None) => read,
        Ok(Some(expanded)) => {
            let text = expanded.to_string();
            let template = self::read(&text)?;
            definition.processed = Some(text.clone());
            definition.expanded = Some(text);
            template
        }
        Err(failure) => {
            definition.failure = Some(failure);
            return Ok(());
        }
    };
    recognised(&template)?;
    limits::check_types(&template, allowed)?;
    let named = named::named(world, &stack.place, &template, &definition.parameters);
    let facts = Facts { named, ..account_facts(world, &stack.place) };
    let deployment = deployment(template, definition, stack, facts);
    if deployment.template.has_language_extensions() {
        let expanded = cloudformation::extensions::expand(
            &deployment.template,
            &deployment.parameters,
            &deployment.environment,
            &deployment.facts,
        );
        match expanded {
            Ok(expanded) => {
                let (environment, facts) = (&deployment.environment, &deployment.facts);
                let evaluator = Evaluator::new(&expanded, &deployment.parameters, environment, facts);
                definition.processed = Some(extensions::processed(&expanded, &evaluator).to_string());
            }
            Err(problems) => {
                definition.failure = problems.first().map(|problem| problem.message.clone());
                return Ok(());
            }
        }
    }
    match predict(None, Some(&deployment)) {
        Ok(_) => Ok(()),
        Err(problems) => problems.first().map_or(Ok(()), |problem| Err(refused(problem))),
    }
}

/// A definition as the predictor wants it. The stack's own resources are not known to it.
fn deployment(
    template: Template,
    definition: &Definition,
    stack: &Stack,
    mut facts: cloudformation::evaluate::Facts,
) -> Deployment {
    for (name, value) in &definition.resolved {
        if let Some(cloudformation::evaluate::ParameterValue::Known(key)) = definition.parameters.get(name) {
            facts.ssm.insert(key.clone(), value.clone());
        }
    }
    Deployment {
        template,
        parameters: definition.parameters.clone(),
        environment: environment(stack, definition),
        facts,
        imports: IndexMap::new(),
        tags: definition.tags.clone(),
    }
}

/// Whether all types are known.
///
/// # Errors
/// `ValidationError` with all that are not.
pub(crate) fn recognised(template: &Template) -> Result<(), Fault> {
    let names = template.resources.values().map(|resource| resource.resource_type.value.as_str());
    let unknown: IndexSet<&str> = names.filter(|name| !provider::is_known(name)).collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => {
            let names: Vec<&str> = unknown.into_iter().collect();
            let message = format!("Template format error: Unrecognized resource types: [{}]", names.join(", "));
            Err(Fault::validation(message))
        }
    }
}

/// A text, JSON or YAML, as JSON with functions in their long form; `None` if it is neither.
fn as_json(text: &str) -> Option<Json> {
    let node = source::parse_as(text, source::Limits::default(), source::Dialect::TEMPLATE).ok()?;
    Some(Template::from_node(node).0.to_json())
}
