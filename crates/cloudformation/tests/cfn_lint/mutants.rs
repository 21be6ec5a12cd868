//! Templates with one thing wrong, made from good ones by rule: every property in turn is renamed, removed, given a
//! value of another kind, a text that is too long, too short or not allowed, a number out of range, an item twice.

use cloudformation::template::Template;
use serde_json::{Map, Value as Json, json};

/// A template with many bad copies of its resources: each tool reads it once.
pub struct Batch {
    pub text: String,
    /// What is wrong with which copy, by logical id.
    pub copies: Vec<(String, String)>,
}

/// Copies in one template: with the good resources that they refer to, under the quota of 500.
const COPIES: usize = 250;

/// All mutants of a template's resources, as JSON templates.
pub fn of(text: &str) -> Vec<Batch> {
    let template = Template::parse(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let good = template.to_json();
    let mut copies = Vec::new();
    for (name, resource) in good["Resources"].as_object().into_iter().flatten() {
        let mut places = Vec::new();
        if let Some(properties) = resource.get("Properties") {
            collect(properties, "/Properties", &mut places);
        }
        for place in places {
            for (what, change) in changes(resource, &place) {
                let mut bad = resource.clone();
                change(&mut bad);
                copies.push((format!("{name}M{:04}", copies.len()), format!("{what} at {name}{place}"), bad));
            }
        }
    }
    let batch = |copies: &[(String, String, Json)]| {
        let mut text = good.clone();
        for (name, _, resource) in copies {
            text["Resources"][name] = resource.clone();
        }
        let copies = copies.iter().map(|(name, what, _)| (name.clone(), what.clone())).collect();
        Batch { text: text.to_string(), copies }
    };
    copies.chunks(COPIES).map(batch).collect()
}

/// The pointers of all values below `value` that are no function's arguments.
fn collect(value: &Json, pointer: &str, places: &mut Vec<String>) {
    match value {
        Json::Object(members) if is_function(members) => {}
        Json::Object(members) => {
            for (key, inner) in members {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                places.push(pointer.clone());
                collect(inner, &pointer, places);
            }
        }
        Json::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                let pointer = format!("{pointer}/{at}");
                places.push(pointer.clone());
                collect(inner, &pointer, places);
            }
        }
        _ => {}
    }
}

fn is_function(members: &Map<String, Json>) -> bool {
    members.keys().any(|key| key == "Ref" || key.starts_with("Fn::"))
}

type Change = Box<dyn Fn(&mut Json)>;

fn changes(good: &Json, place: &str) -> Vec<(&'static str, Change)> {
    let Some(value) = good.pointer(place) else { return Vec::new() };
    let set = |with: Json| -> Change {
        let place = place.to_owned();
        Box::new(move |bad| {
            if let Some(slot) = bad.pointer_mut(&place) {
                *slot = with.clone();
            }
        })
    };
    let mut changes: Vec<(&'static str, Change)> = Vec::new();
    let (parent, key) = place.rsplit_once('/').unwrap_or_default();
    let key = key.replace("~1", "/").replace("~0", "~");
    if good.pointer(parent).is_some_and(Json::is_object) {
        let (parent, key) = (parent.to_owned(), key.clone());
        let (other, name) = (parent.clone(), key.clone());
        changes.push(("renamed", Box::new(move |bad| rename(bad, &parent, &key))));
        changes.push(("removed", Box::new(move |bad| remove(bad, &other, &name))));
    }
    match value {
        Json::Object(members) if is_function(members) => {
            changes.push(("a map for a function", set(json!({"Nonsense": "x"}))));
            changes.push(("a list for a function", set(json!(["x", "y"]))));
        }
        Json::Object(_) => {
            changes.push(("a text for a map", set(json!("text"))));
            changes.push(("a list for a map", set(json!(["x"]))));
            changes.push(("an empty map", set(json!({}))));
        }
        Json::Array(items) => {
            changes.push(("a text for a list", set(json!("text"))));
            changes.push(("an empty list", set(json!([]))));
            if let Some(first) = items.first() {
                let twice: Vec<Json> = [first.clone()].into_iter().chain(items.iter().cloned()).collect();
                changes.push(("an item twice", set(json!(twice))));
                changes.push(("many items", set(json!(vec![first.clone(); 300]))));
            }
        }
        Json::String(_) => {
            changes.push(("a wrong text", set(json!("no such ~value~"))));
            changes.push(("an empty text", set(json!(""))));
            changes.push(("a long text", set(json!("x".repeat(9000)))));
            changes.push(("a map for a text", set(json!({"Nonsense": "x"}))));
            changes.push(("a list for a text", set(json!(["x"]))));
        }
        Json::Number(_) => {
            changes.push(("a negative number", set(json!(-7))));
            changes.push(("a huge number", set(json!(99_999_999))));
            changes.push(("zero", set(json!(0))));
            changes.push(("a text for a number", set(json!("many"))));
            changes.push(("a list for a number", set(json!([1]))));
        }
        Json::Bool(_) => {
            changes.push(("a text for a boolean", set(json!("perhaps"))));
            changes.push(("a number for a boolean", set(json!(5))));
        }
        Json::Null => {}
    }
    changes
}

fn rename(bad: &mut Json, parent: &str, key: &str) {
    if let Some(Json::Object(members)) = bad.pointer_mut(parent)
        && let Some(value) = members.remove(key)
    {
        members.insert(format!("{key}x"), value);
    }
}

fn remove(bad: &mut Json, parent: &str, key: &str) {
    if let Some(Json::Object(members)) = bad.pointer_mut(parent) {
        members.remove(key);
    }
}
