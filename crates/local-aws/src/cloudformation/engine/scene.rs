//! A definition, ready to be carried out: its template with macros and loops expanded, what it may look up, and the
//! values of its resources and outputs given what exists.

use super::walk::Node;
use crate::cloudformation::model::{Definition, Output, Stack, StackResource};
use crate::cloudformation::reading;
use crate::place::Place;
use crate::resources;
use crate::world::World;
use cloudformation::evaluate::{Environment, Evaluator, Facts, ParameterValue, Resources, Value};
use cloudformation::extensions;
use cloudformation::order::Order;
use cloudformation::schema::resource_type;
use cloudformation::template::{Expr, Function, Kind, Problem, SubPart, Template};
use indexmap::{IndexMap, IndexSet};
use serde_json::Value as Json;
use std::cell::RefCell;

/// A template with all that decides what it means.
pub(crate) struct Scene {
    pub template: Template,
    pub parameters: IndexMap<String, ParameterValue>,
    pub environment: Environment,
    pub facts: Facts,
    /// The resources that exist by their conditions, each after those it depends on.
    nodes: Vec<Node>,
}

/// A resource as the template wants it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cloudformation) struct Desired {
    pub resource_type: String,
    pub properties: Json,
    pub metadata: Option<Json>,
    pub deletion_policy: Option<String>,
    pub update_replace_policy: Option<String>,
    pub creation_policy: Option<Json>,
    pub update_policy: Option<Json>,
    pub depends_on: Vec<String>,
}

impl Scene {
    /// Reads a definition of a stack.
    ///
    /// # Errors
    /// What is wrong with it, in CloudFormation's words. (It was found right when it was accepted; what it looks up
    /// may have changed since.)
    pub(crate) fn new(stack: &Stack, definition: &Definition, mut facts: Facts) -> Result<Scene, String> {
        let text = definition.processed.as_ref().unwrap_or(&definition.template);
        let (template, problems) = reading::read(text).map_err(|problem| problem.message)?;
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem.message);
        }
        for (name, value) in &definition.resolved {
            if let Some(ParameterValue::Known(looked_up)) = definition.parameters.get(name) {
                facts.ssm.insert(looked_up.clone(), value.clone());
            }
        }
        let environment = environment(stack, definition);
        let parameters = definition.parameters.clone();
        let template = match template.has_language_extensions() {
            false => template,
            true => extensions::expand(&template, &parameters, &environment, &facts)
                .map_err(|problems| first_message(&problems))?,
        };
        let mut scene = Scene { template, parameters, environment, facts, nodes: Vec::new() };
        scene.nodes = scene.find_nodes()?;
        Ok(scene)
    }

    fn evaluator(&self) -> Evaluator<'_> {
        Evaluator::new(&self.template, &self.parameters, &self.environment, &self.facts)
    }

    pub(in crate::cloudformation) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn find_nodes(&self) -> Result<Vec<Node>, String> {
        let order = Order::of(&self.template).map_err(|problem| problem.message)?;
        let evaluator = self.evaluator();
        let exists = |id: &str| evaluator.exists(id) != Some(false);
        let needs = |id: &str| {
            let all = order.dependencies.get(id).into_iter().flatten().filter(|need| exists(need));
            all.map(|need| (*need).to_owned()).collect()
        };
        let there = order.creation.iter().filter(|id| exists(id));
        Ok(there.map(|id| Node { id: (*id).to_owned(), after: needs(id) }).collect())
    }

    /// A resource as it should be, now that all it refers to exists.
    ///
    /// # Errors
    /// A value cannot be told; the reason as CloudFormation gives it.
    pub(super) fn desired(&self, id: &str, stack: &Stack) -> Result<Desired, String> {
        let resource = self.template.resources.get(id).ok_or_else(|| format!("{id} is not in the template"))?;
        let evaluator = self.evaluator();
        let live = Live { scene: self, stack, missing: RefCell::default() };
        let value = |expr: &Option<Expr>, part: &str| -> Result<Option<Json>, String> {
            let Some(expr) = expr else { return Ok(None) };
            let value = evaluator.evaluate(expr, &live, &format!("/Resources/{id}/{part}")).value;
            let origin = format!("/Resources/{id}/{part}");
            let value = live.known(value, || self.unresolved(&evaluator, expr, &live, &origin));
            value.map(|value| value.filter(|json| !json.is_null()))
        };
        let text = |expr: &Option<Expr>, part: &str| {
            value(expr, part).map(|json| json.and_then(|json| json.as_str().map(str::to_owned)))
        };
        let type_name = resource.resource_type.value.clone();
        let properties = value(&resource.properties, "Properties")?.unwrap_or_else(|| Json::Object(Default::default()));
        let deletion_policy = text(&resource.deletion_policy, "DeletionPolicy")?;
        let node = self.nodes.iter().find(|node| node.id == id);
        let depends_on = node.map(|node| node.after.clone()).unwrap_or_default();
        Ok(Desired {
            properties,
            metadata: value(&resource.metadata, "Metadata")?,
            deletion_policy,
            update_replace_policy: text(&resource.update_replace_policy, "UpdateReplacePolicy")?,
            creation_policy: value(&resource.creation_policy, "CreationPolicy")?,
            update_policy: value(&resource.update_policy, "UpdatePolicy")?,
            depends_on,
            resource_type: type_name,
        })
    }

    /// The outputs, now that all resources exist.
    ///
    /// # Errors
    /// A value cannot be told.
    pub(in crate::cloudformation) fn outputs(&self, stack: &Stack) -> Result<Vec<Output>, String> {
        let evaluator = self.evaluator();
        let live = Live { scene: self, stack, missing: RefCell::default() };
        let mut outputs = Vec::new();
        for (key, output) in &self.template.outputs {
            if output.condition.as_ref().is_some_and(|name| evaluator.condition(&name.value) == Some(false)) {
                continue;
            }
            let text = |expr: &Expr, part: &str| -> Result<Option<String>, String> {
                let path = format!("/Outputs/{key}/{part}");
                let value = evaluator.evaluate(expr, &live, &path).value.into_text_scalars();
                let value = live.known(value, || self.unresolved(&evaluator, expr, &live, &path))?;
                Ok(value.map(|json| match json {
                    Json::String(text) => text,
                    other => other.to_string(),
                }))
            };
            let Some(value) = text(&output.value, "Value")? else { continue };
            let export = output.export.as_ref().map(|export| text(export, "Export/Name")).transpose()?.flatten();
            let description = output.description.as_ref().map(|text| text.value.clone());
            outputs.push(Output { key: key.clone(), value, description, export });
        }
        Ok(outputs)
    }

    /// Why a value is not known: the innermost function whose arguments are, and which gives nothing all the same.
    fn unresolved(&self, evaluator: &Evaluator<'_>, expr: &Expr, live: &Live<'_>, path: &str) -> String {
        let unknown = |expr: &Expr| !evaluator.evaluate(expr, live, path).value.reveal().is_known();
        let (mut here, mut path) = (expr, path.to_owned());
        loop {
            let inner = match &here.kind {
                Kind::Literal(_) => None,
                Kind::List(items) => {
                    items.iter().enumerate().find(|(_, item)| unknown(item)).map(|(at, item)| (at.to_string(), item))
                }
                Kind::Map(members) => {
                    let member = members.iter().find(|member| unknown(&member.value));
                    member.map(|member| (member.key.clone(), &member.value))
                }
                Kind::Call(function) => {
                    let argument = function.arguments().into_iter().find(|argument| unknown(argument));
                    argument.map(|argument| (function.name().to_owned(), argument))
                }
            };
            match inner {
                Some((step, next)) => {
                    path = format!("{path}/{step}");
                    here = next;
                }
                None => break,
            }
        }
        match here.as_call() {
            Some(function) => format!("[Error] {path}/{name}: {name} gives no value.", name = function.name()),
            None => format!("[Error] {path}: the value cannot be resolved."),
        }
    }

    /// The names of exports that the template imports.
    pub(in crate::cloudformation) fn imports(&self) -> IndexSet<String> {
        let evaluator = self.evaluator();
        let mut names = IndexSet::new();
        for expr in self.exprs(&evaluator) {
            expr.1.walk(&mut |expr| {
                if let Some(Function::ImportValue(name)) = expr.as_call() {
                    names.extend(evaluator.evaluate(name, &NoResources, "/Resources").value.as_text());
                }
            });
        }
        names
    }

    /// What can be known to fail before anything is done: imports of what nobody exports, attributes that a type does
    /// not have. Values of what is not used (`Fn::If`) count too.
    pub(super) fn preflight(&self) -> Result<(), String> {
        if let Some(name) = self.imports().into_iter().find(|name| !self.facts.exports.contains_key(name)) {
            return Err(format!("No export named {name} found"));
        }
        let evaluator = self.evaluator();
        for (path, expr) in self.exprs(&evaluator) {
            if let Some(message) = self.unsupported(expr, &path) {
                return Err(message);
            }
        }
        Ok(())
    }

    /// Everything that is evaluated for what exists by its condition, with its path.
    fn exprs<'s>(&'s self, evaluator: &Evaluator<'_>) -> Vec<(String, &'s Expr)> {
        let mut found = Vec::new();
        for (id, resource) in &self.template.resources {
            if evaluator.exists(id) != Some(false) {
                found.extend(resource.properties.iter().map(|expr| (format!("/Resources/{id}/Properties"), expr)));
            }
        }
        for (key, output) in &self.template.outputs {
            let holds = |name: &str| evaluator.condition(name) != Some(false);
            if output.condition.as_ref().is_none_or(|name| holds(&name.value)) {
                found.push((format!("/Outputs/{key}/Value"), &output.value));
                found.extend(output.export.iter().map(|export| (format!("/Outputs/{key}/Export/Name"), export)));
            }
        }
        found
    }

    /// The first `Fn::GetAtt` of an attribute that there is not.
    fn unsupported(&self, expr: &Expr, path: &str) -> Option<String> {
        match &expr.kind {
            Kind::Literal(_) => None,
            Kind::List(items) => {
                items.iter().enumerate().find_map(|(at, item)| self.unsupported(item, &format!("{path}/{at}")))
            }
            Kind::Map(members) => {
                members.iter().find_map(|member| self.unsupported(&member.value, &format!("{path}/{}", member.key)))
            }
            Kind::Call(function) => {
                let path = format!("{path}/{}", function.name());
                let wrong = |resource: &str, attribute: &str| {
                    let type_name = &self.template.resources.get(resource)?.resource_type.value;
                    let known = resource_type(type_name)?.has_attribute(attribute);
                    (!known && !attribute.starts_with("Outputs.")).then(|| {
                        format!("[Error] {path}: Resource type {type_name} does not support attribute {{{attribute}}}")
                    })
                };
                let here = match function.as_ref() {
                    Function::GetAtt { resource, attribute } => {
                        resource.as_str().zip(attribute.as_str()).and_then(|(id, name)| wrong(id, name))
                    }
                    Function::Sub { parts, variables, .. } => parts.iter().find_map(|part| match part {
                        SubPart::Name(name) if !variables.iter().any(|variable| variable.key == *name) => {
                            name.split_once('.').and_then(|(id, name)| wrong(id, name))
                        }
                        _ => None,
                    }),
                    _ => None,
                };
                here.or_else(|| function.arguments().into_iter().find_map(|arg| self.unsupported(arg, &path)))
            }
        }
    }
}

/// Where a stack stands.
pub(crate) fn environment(stack: &Stack, definition: &Definition) -> Environment {
    let place = &stack.place;
    Environment {
        account_id: Some(place.account.clone()),
        region: Some(place.region.clone()),
        partition: Some(place.partition().to_owned()),
        url_suffix: Some(place.url_suffix().to_owned()),
        stack_name: Some(stack.name.clone()),
        stack_id: Some(stack.id.clone()),
        notification_arns: definition.notification_arns.clone(),
        availability_zones: place.availability_zones(),
    }
}

/// Exports and outputs of all other stacks of a place. Takes the lock of the stacks.
pub(crate) fn account_facts(world: &World, place: &Place) -> Facts {
    let mut facts = Facts::default();
    for stack in world.stacks.lock().values() {
        if stack.place != *place || stack.status == "DELETE_COMPLETE" {
            continue;
        }
        for output in &stack.outputs {
            facts.exports.extend(output.export.iter().map(|name| (name.clone(), output.value.clone())));
        }
        let outputs = stack.outputs.iter().map(|output| (output.key.clone(), output.value.clone()));
        facts.stack_outputs.insert(stack.name.clone(), outputs.collect());
    }
    facts
}

fn first_message(problems: &[Problem]) -> String {
    problems.first().map(|problem| problem.message.clone()).unwrap_or_default()
}

/// What references give, from the stack as it is.
struct Live<'s> {
    scene: &'s Scene,
    stack: &'s Stack,
    /// The first attribute that a resource does not have.
    missing: RefCell<Option<String>>,
}

impl Live<'_> {
    /// A value that is to be used now.
    fn known(&self, value: Value, why: impl FnOnce() -> String) -> Result<Option<Json>, String> {
        if value == Value::NoValue {
            return Ok(None);
        }
        let value = value.reveal();
        if value.is_known() {
            return Ok(Some(value.to_json()));
        }
        let missing = self.missing.borrow_mut().take();
        Err(missing.unwrap_or_else(why))
    }

    fn resource(&self, id: &str) -> Option<&StackResource> {
        self.stack.resources.get(id).filter(|resource| !resource.physical_id.is_empty())
    }
}

impl Resources for Live<'_> {
    fn reference(&self, id: &str) -> Option<Value> {
        self.scene.nodes.iter().find(|node| node.id == id)?;
        let found = self.resource(id).map(|resource| {
            let reference = resources::reference(&resource.resource_type, &resource.physical_id, &resource.attributes);
            Value::from_json(&reference)
        });
        Some(found.unwrap_or(Value::Unknown))
    }

    fn attribute(&self, id: &str, attribute: &str) -> Option<Value> {
        self.scene.nodes.iter().find(|node| node.id == id)?;
        let found = self.resource(id).and_then(|resource| attribute_of(resource, attribute));
        if found.is_none() {
            let message = format!("Attribute '{attribute}' of resource {id} has no value.");
            self.missing.borrow_mut().get_or_insert(message);
        }
        Some(found.as_ref().map_or(Value::Unknown, Value::from_json))
    }
}

/// What `Fn::GetAtt` gives: an attribute, a part of one, or the property of that name.
fn attribute_of(resource: &StackResource, attribute: &str) -> Option<Json> {
    if let Some(value) = resource.attributes.get(attribute) {
        return Some(value.clone());
    }
    let (first, rest) = attribute.split_once('.').unwrap_or((attribute, ""));
    let into = |value: &Json| {
        rest.split('.').filter(|step| !step.is_empty()).try_fold(value.clone(), |value, step| value.get(step).cloned())
    };
    resource.attributes.get(first).and_then(into).or_else(|| resource.properties.get(first).and_then(into))
}

/// Names of exports may not depend on resources.
struct NoResources;

impl Resources for NoResources {
    fn reference(&self, _: &str) -> Option<Value> {
        Some(Value::Unknown)
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        Some(Value::Unknown)
    }
}
