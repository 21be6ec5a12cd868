//! Creating, changing and deleting resources of any registered type.

use super::backed::{self, Backing};
use super::draft::Draft;
use super::live::{Live, handle};
use super::model::{self, Properties};
use super::request::Request;
use super::{
    Failure, Made, Owner, attributes, check, code, companions, constraints, custom, followers, guard, identity, moves,
    read, references, settings,
};
use crate::place::Place;
use crate::services::Standing;
use crate::world::World;
use cloudformation::schema::{CUSTOM_RESOURCE, ResourceType, Type, resource_type};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// How often a service is looked at while it rolls out.
const LOOK: Duration = Duration::from_secs(5);

/// The physical id that a resource gets, before it is made. Draws from the seed: what is to be resumed keeps the answer.
pub(crate) fn name(world: &World, owner: &Owner, type_name: &str, properties: &Json) -> String {
    match draft(world, owner, type_name, &given(type_name, properties)) {
        Some(mut draft) => identity::make(&mut draft),
        None => format!("{}-{}-{}", owner.stack_name, owner.logical_id, world.ids.alphanumeric(12)),
    }
}

/// Makes a resource, with the physical id that it was promised if there is one.
///
/// # Errors
/// `InvalidRequest` if the schema refuses the properties, `AlreadyExists` if the name is taken, or what the service says.
pub(crate) async fn create(
    world: &World,
    owner: &Owner,
    type_name: &str,
    properties: &Json,
    physical_id: Option<&str>,
) -> Result<Made, Failure> {
    let properties = &given(type_name, properties);
    check::check(type_name, properties)?;
    refuse_custom(world, &owner.place, check::known(type_name)?, type_name, properties)?;
    guard::may_create(world, type_name, properties)?;
    may_be(world, &owner.place, type_name, None, properties).await?;
    let mut draft = draft(world, owner, type_name, properties).ok_or_else(|| check::unknown(type_name))?;
    let physical_id = match physical_id {
        Some(physical_id) => {
            identity::recall(&mut draft, physical_id);
            physical_id.to_owned()
        }
        None => identity::make(&mut draft),
    };
    stack_tags(&mut draft);
    attributes::complete(&mut draft);
    let live = Live {
        place: owner.place.clone(),
        type_name: type_name.to_owned(),
        physical_id: physical_id.clone(),
        properties: draft.properties.clone(),
        observed: None,
        stack_id: Some(owner.stack_id.clone()).filter(|id| !id.is_empty()),
        logical_id: Some(owner.logical_id.clone()).filter(|_| !owner.stack_id.is_empty()),
    };
    {
        // The name is taken before the service is asked: nobody else can get it meanwhile.
        let mut state = world.resources.lock();
        state.free(&live)?;
        settings::share(&mut state, &live);
        state.insert(live.clone());
    }
    let backing = Backing { world, place: &owner.place, type_name, physical_id: &physical_id };
    let made = async {
        companions::update(&backing, &Properties::new(), &draft.properties).await?;
        backed::create(&backing, &draft.properties).await
    };
    if let Err(failure) = made.await {
        world.resources.lock().remove(&owner.place, type_name, &live.handle());
        return Err(failure);
    }
    read::note(&backing).await;
    followers::follow(world, &owner.place, type_name, &Json::Object(live.properties));
    Ok(Made { physical_id, attributes: attributes::readable(&draft) })
}

/// Changes a resource in place. What `before` and `after` have in common stays as it is, whoever changed it.
///
/// # Errors
/// `NotFound` if it is gone, `InvalidRequest` if the schema refuses the properties, or what the service says.
pub(crate) async fn update(
    world: &World,
    owner: &Owner,
    type_name: &str,
    physical_id: &str,
    before: &Json,
    after: &Json,
) -> Result<Made, Failure> {
    let known = check::known(type_name)?;
    refuse_custom(world, &owner.place, known, type_name, after)?;
    let after = settable(known, after);
    let place = &owner.place;
    let handle = handle(type_name, physical_id, before);
    let live = read::current(world, place, type_name, &handle).await.ok_or_else(|| gone(type_name, physical_id))?;
    check::check(type_name, &Json::Object(with_unreadable(known, &live.properties, before, &after)))?;
    let physical_id = live.physical_id.as_str();
    let mut properties = live.properties.clone();
    change(&mut properties, &model::typed(known, &settable(known, before)), &model::typed(known, &after));
    let mut draft =
        draft(world, owner, type_name, &Json::Object(properties)).ok_or_else(|| check::unknown(type_name))?;
    identity::recall(&mut draft, physical_id);
    moves::apply(&mut draft, &live.properties);
    stack_tags(&mut draft);
    attributes::complete(&mut draft);
    let (was, is) = (Json::Object(live.properties.clone()), Json::Object(draft.properties.clone()));
    may_be(world, place, type_name, Some(&was), &is).await?;
    let backing = Backing { world, place, type_name, physical_id };
    backed::update(&backing, &live.properties, &draft.properties).await?;
    companions::update(&backing, &live.properties, &draft.properties).await?;
    {
        let mut state = world.resources.lock();
        let mut live = state.remove(place, type_name, &live.handle()).ok_or_else(|| gone(type_name, physical_id))?;
        live.properties = draft.properties.clone();
        settings::share(&mut state, &live);
        state.insert(live);
    }
    read::note(&backing).await;
    followers::follow(world, place, type_name, &Json::Object(draft.properties.clone()));
    Ok(Made { physical_id: physical_id.to_owned(), attributes: attributes::readable(&draft) })
}

/// Whether the service of a type takes properties: what they refer to is there, and their values go together.
///
/// # Errors
/// What the service says.
async fn may_be(
    world: &World,
    place: &Place,
    type_name: &str,
    before: Option<&Json>,
    properties: &Json,
) -> Result<(), Failure> {
    let (before, properties) = (before.map(model::object), model::object(properties));
    let request = Request { world, place, type_name, before: before.as_ref(), properties: &properties };
    let refusal = match constraints::refusal(&request).or_else(|| references::refusal(&request)) {
        Some(refusal) => Some(refusal),
        None => code::refusal(&request).await,
    };
    refusal.map_or(Ok(()), |refusal| Err(refusal.failure(world)))
}

/// Makes a resource that exists its stack's.
pub(crate) fn adopt(world: &World, owner: &Owner, type_name: &str, physical_id: &str, properties: &Json) {
    let handle = handle(type_name, physical_id, properties);
    if let Some(live) = world.resources.lock().get_mut(&owner.place, type_name, &handle) {
        live.stack_id = Some(owner.stack_id.clone());
        live.logical_id = Some(owner.logical_id.clone());
    }
}

/// Makes a resource nobody's: its stack leaves it behind.
pub(crate) fn release(world: &World, place: &Place, type_name: &str, physical_id: &str, properties: &Json) {
    let handle = handle(type_name, physical_id, properties);
    if let Some(live) = world.resources.lock().get_mut(place, type_name, &handle) {
        (live.stack_id, live.logical_id) = (None, None);
    }
}

/// Deletes a resource. One that is gone already is no error.
///
/// # Errors
/// What the service says of a resource that is in use or protected.
pub(crate) async fn delete(
    world: &World,
    owner: &Owner,
    type_name: &str,
    physical_id: &str,
    properties: &Json,
) -> Result<(), Failure> {
    let place = &owner.place;
    let handle = handle(type_name, physical_id, properties);
    let Some(live) = read::current(world, place, type_name, &handle).await else { return Ok(()) };
    guard::may_delete(world, &live)?;
    // What decides about a deletion but cannot be read back (`EmptyOnDelete`) stands in the template alone.
    let mut known = model::object(properties);
    known.extend(live.properties.clone());
    let backing = Backing { world, place, type_name, physical_id: &live.physical_id };
    backed::delete(&backing, &known).await?;
    companions::update(&backing, &live.properties, &Properties::new()).await?;
    world.resources.lock().remove(place, type_name, &live.handle());
    followers::follow(world, place, type_name, &Json::Object(live.properties));
    Ok(())
}

/// What a change takes that deploys nothing.
const CALL: Duration = Duration::from_secs(3);
/// How long CloudFormation waits for a service to become stable.
const STABLE_WITHIN: Duration = Duration::from_secs(3 * 60 * 60);

/// Waits until a resource of a type that has a life of its own (services of ECS) is as it was asked to be. `None`: types
/// of which nothing but their usual duration is known.
///
/// # Errors
/// It will not be.
pub(crate) async fn stabilize(
    world: &World,
    place: &Place,
    type_name: &str,
    physical_id: &str,
) -> Option<Result<(), Failure>> {
    if type_name == "AWS::IAM::Policy" {
        let state = world.resources.lock();
        return guard::of_nobody(state.get(place, type_name, physical_id)?).err().map(Err);
    }
    if type_name != "AWS::ECS::Service" {
        return None;
    }
    let standing = async {
        world.clock.take(CALL).await;
        loop {
            match world.services.standing(place, physical_id).await {
                Standing::Waiting(next) => {
                    let now = world.clock.now();
                    let until = next.map(|next| Duration::try_from(next.duration_since(now)).unwrap_or_default());
                    // Others may change it meanwhile.
                    let look = world.clock.scaled(LOOK);
                    tokio::time::sleep(until.unwrap_or(look).min(look).max(Duration::from_millis(1))).await;
                }
                ended => return ended,
            }
        }
    };
    let token = || world.request_ids.uuid();
    let failure = |reason: &str, code: &str| {
        let token = token();
        let reason = format!(
            "Resource handler returned message: \"{reason}\" (RequestToken: {token}, HandlerErrorCode: {code})"
        );
        Failure::new(code, reason)
    };
    let stood = tokio::select! {
        biased;
        stood = standing => Some(stood),
        () = world.clock.take(STABLE_WITHIN) => None,
    };
    Some(match stood {
        Some(Standing::GivenUp) => {
            let reason = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.";
            Err(failure(reason, "GeneralServiceException"))
        }
        Some(Standing::Gone) => Err(gone(type_name, physical_id)),
        Some(Standing::Steady | Standing::Waiting(_)) => Ok(()),
        None => Err(failure("Exceeded attempts to wait", "NotStabilized")),
    })
}

fn draft<'d>(world: &'d World, owner: &'d Owner, type_name: &'d str, properties: &Json) -> Option<Draft<'d>> {
    let known = resource_type(type_name)?;
    if type_name == "AWS::ECS::TaskDefinition"
        && let Some(family) = properties["Family"].as_str()
    {
        // Revisions that were registered through ECS count, too.
        let last = world.services.last_revision(&owner.place, family);
        world.resources.at_least_revision(&owner.place, type_name, family, last);
    }
    Some(Draft {
        ids: &world.ids,
        now: world.clock.now(),
        resources: &world.resources,
        owner,
        type_name,
        known,
        properties: model::typed(known, &model::object(properties)),
        physical_id: None,
    })
}

/// What a template sets of a resource. CloudFormation ignores values of read-only properties
/// (aws-cloudformation/cloudformation-resource-schema#102).
fn given(type_name: &str, properties: &Json) -> Json {
    match (resource_type(type_name), properties) {
        (Some(known), Json::Object(_)) => Json::Object(settable(known, properties)),
        _ => properties.clone(),
    }
}

/// Properties without those that only the service sets: live ones may be handed back as they were read.
fn settable(known: &ResourceType, properties: &Json) -> Properties {
    let mut settable = model::object(properties);
    let required: Vec<&str> = known.required().collect();
    let service_set = known.read_only().iter().filter(|path| !required.contains(&path.top()));
    service_set.for_each(|path| model::remove(&mut settable, path));
    settable
}

/// The properties with those that were set once and cannot be read back, whole or in part, so that neither side names them.
fn with_unreadable(known: &ResourceType, live: &Properties, before: &Json, after: &Properties) -> Properties {
    let mut whole = after.clone();
    let is_hidden = |name: &str| known.write_only().iter().any(|path| path.top() == name);
    for (name, value) in live.iter().filter(|(name, _)| is_hidden(name)) {
        if before.get(name).is_none() && !whole.contains_key(name) {
            whole.insert(name.clone(), value.clone());
        }
    }
    whole
}

/// Sets what `after` has differently from `before`, and takes away what it has no more.
fn change(live: &mut Properties, before: &Properties, after: &Properties) {
    for (name, value) in after {
        if before.get(name) != Some(value) || !live.contains_key(name) {
            live.insert(name.clone(), value.clone());
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        live.remove(name);
    }
}

/// Puts the stack's tags on a resource whose type takes them, those of the template first.
fn stack_tags(draft: &mut Draft<'_>) {
    let tagging = draft.known.tagging();
    let Some(path) = tagging.tag_property.clone().filter(|path| tagging.taggable && path.segments().len() == 1) else {
        return;
    };
    let is_list = draft.known.property(path.top()).is_some_and(|property| property.types().contains(Type::Array));
    let mut tags = model::get(&draft.properties, &path).cloned();
    for (key, value) in &draft.owner.tags {
        match &mut tags {
            Some(Json::Array(list)) => {
                if !list.iter().any(|tag| tag["Key"] == json!(key)) {
                    list.push(json!({"Key": key, "Value": value}));
                }
            }
            Some(Json::Object(map)) => {
                map.entry(key.clone()).or_insert_with(|| json!(value));
            }
            Some(_) => {}
            None if is_list => tags = Some(json!([{"Key": key, "Value": value}])),
            None => tags = Some(json!({key.as_str(): value})),
        }
    }
    if let Some(tags) = tags {
        model::set(&mut draft.properties, &path, tags);
    }
}

/// A custom resource is made by its author, who is not here.
fn refuse_custom(
    world: &World,
    place: &Place,
    known: &ResourceType,
    type_name: &str,
    properties: &Json,
) -> Result<(), Failure> {
    match known.name() == CUSTOM_RESOURCE {
        true => Err(custom::refusal(world, place, type_name, properties)),
        false => Ok(()),
    }
}

fn gone(type_name: &str, physical_id: &str) -> Failure {
    let reason = format!("Resource of type '{type_name}' with identifier '{physical_id}' was not found.");
    Failure::new("NotFound", reason)
}
