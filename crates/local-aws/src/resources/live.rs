//! The resources that exist, whoever made them: by place, type and what tells them apart there, mostly the physical id.

use super::Failure;
use super::facts::form;
use super::model::Properties;
use crate::cloudcontrol::ResourceRequest;
use crate::place::Place;
use cloudformation::schema::{ResourceType, resource_type};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A resource that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    pub place: Place,
    #[serde(rename = "type")]
    pub type_name: String,
    pub physical_id: String,
    /// As the service holds them, with what it set itself.
    pub properties: Properties,
    /// What the service behind it held after the last change that was made through the resource.
    pub observed: Option<Properties>,
    /// The stack that it belongs to; `None` for what was made otherwise.
    pub stack_id: Option<String>,
    pub logical_id: Option<String>,
}

/// All resources of a world.
#[derive(Debug, Default)]
pub struct Resources {
    state: Mutex<State>,
}

/// What is kept of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// In the order of their keys; a list when it is saved.
    #[serde(with = "as_list")]
    pub(super) live: BTreeMap<Key, Live>,
    /// The last revision of each family: task definitions, versions of functions and layers.
    revisions: BTreeMap<String, u64>,
    /// Cloud Control's requests, by token.
    #[serde(default)]
    pub(crate) requests: BTreeMap<String, ResourceRequest>,
}

pub(super) type Key = (Place, String, String);

impl Resources {
    /// Not to be held across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of everything, to be saved.
    pub fn save(&self) -> State {
        self.lock().clone()
    }

    /// Puts back what was saved.
    pub fn restore(&self, state: State) {
        *self.lock() = state;
    }

    /// The number that comes after the last one of a family.
    pub(super) fn next_revision(&self, place: &Place, type_name: &str, family: &str) -> u64 {
        let mut state = self.lock();
        let revision = state.revisions.entry(format!("{place}/{type_name}/{family}")).or_default();
        *revision += 1;
        *revision
    }

    /// The numbers up to this one are taken.
    pub(super) fn at_least_revision(&self, place: &Place, type_name: &str, family: &str, taken: u64) {
        if taken > 0 {
            let mut state = self.lock();
            let revision = state.revisions.entry(format!("{place}/{type_name}/{family}")).or_default();
            *revision = taken.max(*revision);
        }
    }
}

impl State {
    /// By its [`handle`].
    pub fn get(&self, place: &Place, type_name: &str, handle: &str) -> Option<&Live> {
        self.live.get(&key(place, type_name, handle))
    }

    pub(crate) fn get_mut(&mut self, place: &Place, type_name: &str, handle: &str) -> Option<&mut Live> {
        self.live.get_mut(&key(place, type_name, handle))
    }

    pub(crate) fn insert(&mut self, live: Live) {
        self.live.insert(live.key(), live);
    }

    pub(crate) fn remove(&mut self, place: &Place, type_name: &str, handle: &str) -> Option<Live> {
        self.live.remove(&key(place, type_name, handle))
    }

    /// A resource by its handle or its identifier, or by a physical id that no other resource of its type has.
    pub(super) fn named(&self, place: &Place, known: &ResourceType, type_name: &str, name: &str) -> Option<&Live> {
        let same = |live: &&Live| live.place == *place && live.type_name == type_name;
        let by_identifier = || self.live.values().filter(same).find(|live| live.identifier(known) == name);
        let by_physical_id = || {
            let mut found = self.live.values().filter(same).filter(|live| live.physical_id == name);
            found.next().filter(|_| found.next().is_none())
        };
        self.get(place, type_name, name).or_else(by_identifier).or_else(by_physical_id)
    }

    /// The resources of a type in a place, by physical id.
    pub fn of_type<'s>(&'s self, place: &'s Place, type_name: &'s str) -> impl Iterator<Item = &'s Live> {
        self.live.values().filter(move |live| live.place == *place && live.type_name == type_name)
    }

    /// The resources of a type in an account, wherever: of services that have no regions.
    pub fn of_account<'s>(&'s self, account: &'s str, type_name: &'s str) -> impl Iterator<Item = &'s Live> {
        self.live.values().filter(move |live| live.place.account == account && live.type_name == type_name)
    }

    /// Every resource, to be changed.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Live> {
        self.live.values_mut()
    }

    /// Every resource of a place.
    pub fn of_place<'s>(&'s self, place: &'s Place) -> impl Iterator<Item = &'s Live> {
        self.live.values().filter(move |live| live.place == *place)
    }

    /// Refuses a resource whose place is taken.
    pub(super) fn free(&self, wanted: &Live) -> Result<(), Failure> {
        let Live { place, type_name, physical_id, .. } = wanted;
        let taken = self.live.values().find(|live| {
            live.type_name == *type_name
                && live.handle() == wanted.handle()
                && shares_names(&live.place, place, type_name)
        });
        let Some(taken) = taken else { return Ok(()) };
        let reason = match taken.stack_id.as_deref().filter(|_| taken.place.account == place.account) {
            Some(stack) => format!("{physical_id} already exists in stack {stack}"),
            None => format!("Resource of type '{type_name}' with identifier '{physical_id}' already exists."),
        };
        Err(Failure::new("AlreadyExists", reason))
    }
}

/// Whether one name can be used only once in both places: bucket names are unique in the world, those of IAM and
/// CloudFront in an account.
fn shares_names(one: &Place, other: &Place, type_name: &str) -> bool {
    match type_name {
        "AWS::S3::Bucket" => one.partition() == other.partition(),
        _ if type_name.starts_with("AWS::IAM::") || type_name.starts_with("AWS::CloudFront::") => {
            one.account == other.account
        }
        _ => one == other,
    }
}

impl Live {
    /// See [`handle`].
    pub fn handle(&self) -> Cow<'_, str> {
        handle_of(&self.type_name, &self.physical_id, |path| {
            super::model::get(&self.properties, &cloudformation::schema::PropertyPath::new(path))
        })
    }

    fn key(&self) -> Key {
        key(&self.place, &self.type_name, &self.handle())
    }

    /// What Cloud Control calls the resource: the parts of its primary identifier, joined.
    pub fn identifier(&self, known: &ResourceType) -> String {
        let part = |path: &cloudformation::schema::PropertyPath| match super::model::get(&self.properties, path) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        known.primary_identifier().iter().map(part).collect::<Vec<_>>().join("|")
    }
}

/// What tells a resource from the others of its place and type, by what its template or anybody else declares: the parts
/// of its primary identifier that must be declared, and the physical id for the rest. Record sets are called by their
/// domain name, which those of other types (A, AAAA) and zones have too: theirs is
/// `<name>|<zone>|<type>|<set identifier>`.
pub(crate) fn handle<'p>(type_name: &str, physical_id: &'p str, properties: &Json) -> Cow<'p, str> {
    handle_of(type_name, physical_id, |path| properties.pointer(&format!("/{}", path.replace('.', "/"))))
}

fn handle_of<'p, 'j>(type_name: &str, physical_id: &'p str, part: impl Fn(&str) -> Option<&'j Json>) -> Cow<'p, str> {
    let text = |path: &str| match part(path) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    if type_name == "AWS::Route53::RecordSet" {
        if physical_id.contains('|') {
            return Cow::Borrowed(physical_id);
        }
        let zone = Some(text("HostedZoneId")).filter(|id| !id.is_empty()).unwrap_or_else(|| text("HostedZoneName"));
        return Cow::Owned(format!("{physical_id}|{zone}|{}|{}", text("Type"), text("SetIdentifier")));
    }
    let Some(known) = resource_type(type_name).filter(|known| is_part(known)) else {
        return Cow::Borrowed(physical_id);
    };
    let mut parts: Vec<String> = Vec::new();
    let mut rest = Some(physical_id.to_owned());
    for path in known.primary_identifier() {
        let dotted = path.dotted();
        match known.required().any(|name| name == dotted) && !known.is_read_only(&dotted) {
            true => parts.push(text(&dotted)),
            false => parts.extend(rest.take()),
        }
    }
    Cow::Owned(parts.join("|"))
}

/// Whether the physical id of a type is not the whole of its primary identifier.
fn is_part(known: &ResourceType) -> bool {
    known.primary_identifier().len() > 1
        && (cloudformation::schema::reference(known.name()).is_some() || form(known.name(), "").is_some())
}

fn key(place: &Place, type_name: &str, handle: &str) -> Key {
    (place.clone(), type_name.to_owned(), handle.to_owned())
}

/// A map whose keys are in its values.
mod as_list {
    use super::{Key, Live};
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(live: &BTreeMap<Key, Live>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(live.values())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Key, Live>, D::Error> {
        let list = Vec::<Live>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|live| (live.key(), live)).collect())
    }
}
