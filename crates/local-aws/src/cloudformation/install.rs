//! Installing a known state: a stack as it is after its creation, without creating it. What a rehearsal starts from.

use super::engine::events::stack_event;
use super::engine::scene::{Scene, account_facts};
use super::engine::{begun, provider};
use super::model::{Definition, Output, Stack};
use crate::place::Place;
use crate::query::Fault;
use crate::resources::{self, Owner};
use crate::world::{LocalAws, World};
use cloudformation::evaluate::ParameterValue;
use cloudformation::template::Template;
use indexmap::IndexMap;
use serde_json::json;

/// A stack as somebody knows it.
#[derive(Debug, Clone)]
pub struct StackSeed {
    pub place: Place,
    pub name: String,
    pub template: String,
    /// By name; defaults stand for those that are missing.
    pub parameters: IndexMap<String, String>,
    pub tags: IndexMap<String, String>,
    /// The values that the outputs have, whatever the template would make of them.
    pub outputs: IndexMap<String, String>,
}

impl LocalAws {
    /// Puts a stack into the world that is `CREATE_COMPLETE`: its resources exist, under ids and with attributes that
    /// the world makes up; its outputs are those given. What a value refers to outside the stack and is not there
    /// (exports, SSM parameters) is made up too. Gives the stack's id.
    ///
    /// # Errors
    /// The template is none, has macros, or the name is taken.
    pub async fn install(&self, seed: StackSeed) -> Result<String, Fault> {
        let world = &self.world;
        if world.stacks.id_of(&seed.place, &seed.name).is_some() {
            return Err(Fault::new("AlreadyExistsException", format!("Stack [{}] already exists", seed.name)));
        }
        let id = seed.place.arn("cloudformation", &format!("stack/{}/{}", seed.name, world.ids.uuid()));
        let mut stack = Stack::new(&seed.place, &seed.name, &id, world.clock.now());
        stack.current = definition(world, &seed).await?;
        let scene = Scene::new(&stack, &stack.current, account_facts(world, &seed.place)).map_err(Fault::validation)?;
        if let Some(of) = scene.template.macros().next() {
            return Err(Fault::validation(format!("No transform named {} found.", of.name.value)));
        }
        for node in scene.nodes() {
            let desired = scene.likely(&node.id, &stack);
            let mut record = begun(&node.id, desired.resource_type.clone(), world.clock.now());
            desired.describe(&mut record);
            "CREATE_COMPLETE".clone_into(&mut record.status);
            if provider::is_live(&record.resource_type) {
                let owner = owner(&seed, &id, &node.id);
                let made = resources::create(world, &owner, &record.resource_type, &record.properties, None).await;
                match made {
                    Ok(made) => {
                        resources::stand(world, &seed.place, &record.resource_type, &made.physical_id);
                        (record.physical_id, record.attributes) = (made.physical_id, made.attributes);
                    }
                    // A value that is made up may not be one that the schema takes.
                    Err(_) => {
                        record.physical_id = resources::name(world, &owner, &record.resource_type, &record.properties);
                    }
                }
            } else {
                record.physical_id = format!("{}-{}-{}", seed.name, node.id, world.ids.upper(12));
            }
            stack.resources.insert(node.id.clone(), record);
        }
        stack.outputs = outputs(&scene, &stack, &seed.outputs);
        stack.imports = scene.imports().into_iter().collect();
        stack_event(world, &mut stack, "CREATE_COMPLETE", None);
        world.add_stack(stack);
        Ok(id)
    }
}

fn owner(seed: &StackSeed, stack_id: &str, logical_id: &str) -> Owner {
    Owner {
        place: seed.place.clone(),
        stack_name: seed.name.clone(),
        stack_id: stack_id.to_owned(),
        logical_id: logical_id.to_owned(),
        tags: seed.tags.clone(),
    }
}

async fn definition(world: &World, seed: &StackSeed) -> Result<Definition, Fault> {
    let (template, _) = Template::read(&seed.template).map_err(|problem| Fault::validation(problem.message))?;
    let mut parameters = IndexMap::new();
    let mut resolved = IndexMap::new();
    for (name, parameter) in &template.parameters {
        let default = || parameter.default.as_ref().map(|default| default.value.clone());
        let Some(value) = seed.parameters.get(name).cloned().or_else(default) else { continue };
        if parameter.parameter_type.is_ssm() {
            resolved.insert(name.clone(), held(world, &seed.place, &value).await);
        }
        parameters.insert(name.clone(), ParameterValue::Known(value));
    }
    Ok(Definition {
        template: seed.template.clone(),
        description: template.description.map(|text| text.value),
        parameters,
        resolved,
        tags: seed.tags.clone(),
        capabilities: ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"].map(str::to_owned).into(),
        ..Definition::default()
    })
}

/// The value of an SSM parameter, which is there from now on.
async fn held(world: &World, place: &Place, name: &str) -> String {
    if let Some(value) = super::engine::dynamic::parameter(world, place, name).await {
        return value;
    }
    let value = format!("value-of-{}", name.trim_matches('/').replace('/', "-"));
    let input = json!({ "Name": name, "Value": value, "Type": "String" });
    // If SSM takes no such name, updates will say so.
    let _ = world.services.json(place, "ssm", "PutParameter", &input).await;
    value
}

fn outputs(scene: &Scene, stack: &Stack, given: &IndexMap<String, String>) -> Vec<Output> {
    let evaluated = scene.outputs(stack).unwrap_or_default();
    let of = |key: &str| evaluated.iter().find(|output| output.key == key);
    let told = given.iter().map(|(key, value)| {
        let output = of(key);
        Output {
            key: key.clone(),
            value: value.clone(),
            description: output.and_then(|output| output.description.clone()),
            export: output.and_then(|output| output.export.clone()),
        }
    });
    let untold = evaluated.iter().filter(|output| !given.contains_key(&output.key)).cloned();
    told.chain(untold).collect()
}
