//! A form becomes an action and nested JSON.
//!
//! `A.B=c` is a structure, `A.member.1=c` and `A.1=c` are lists, `A.entry.1.key=…&A.entry.1.value=…` is a map.

use super::Fault;
use crate::door::Request;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Deeper than any AWS operation goes.
const DEEPEST: usize = 32;

/// Reads a request: its form, or its URL's query where there is no body.
///
/// # Errors
/// As [`read`].
pub fn read_request(request: &Request) -> Result<(String, Json), Fault> {
    read(form(request))
}

/// The action alone, without what it is asked with; empty where the request names none.
pub fn action(request: &Request) -> String {
    let mut pairs = form_urlencoded::parse(form(request));
    pairs.find(|(key, _)| key == "Action").map(|(_, action)| action.into_owned()).unwrap_or_default()
}

fn form(request: &Request) -> &[u8] {
    match request.body().is_empty() {
        true => request.uri().query().unwrap_or_default().as_bytes(),
        false => request.body(),
    }
}

/// Gives the action and its input; every scalar is a string.
///
/// An empty list arrives as an empty string, for the form does not tell them apart; [`super::input`] reads it as either.
///
/// # Errors
/// `MissingAction`, and `MalformedInput` where a key is used as a value and as a structure.
pub fn read(form: &[u8]) -> Result<(String, Json), Fault> {
    let mut action = None;
    let mut root = Node::default();
    for (key, value) in form_urlencoded::parse(form) {
        match key.as_ref() {
            "Action" => action = Some(value.into_owned()),
            "Version" => {}
            // What a presigned URL bears beside the operation.
            key if key.starts_with("X-Amz-") => {}
            key => root.put(key, value.into_owned())?,
        }
    }
    let action = action.filter(|action| !action.is_empty()).ok_or_else(|| {
        Fault::new("MissingAction", "The request is missing an action or a required parameter: Action.")
    })?;
    let input = match root.into_json() {
        Json::String(_) => Json::Object(Map::new()),
        input => input,
    };
    Ok((action, input))
}

/// What stands below a key: a value, or members by their names in the order of the form.
#[derive(Default)]
struct Node {
    value: Option<String>,
    order: Vec<String>,
    members: BTreeMap<String, Node>,
}

impl Node {
    fn put(&mut self, key: &str, value: String) -> Result<(), Fault> {
        if key.split('.').count() > DEEPEST {
            return Err(Fault::new("MalformedInput", format!("The parameter {key} is nested too deeply.")));
        }
        let mut node = self;
        for part in key.split('.') {
            if node.value.as_deref().is_some_and(|value| !value.is_empty()) {
                return Err(Fault::new(
                    "MalformedInput",
                    format!("Unexpected structure or value for parameter {key}."),
                ));
            }
            node.value = None;
            if !node.members.contains_key(part) {
                node.order.push(part.to_owned());
            }
            node = node.members.entry(part.to_owned()).or_default();
        }
        if !node.members.is_empty() && !value.is_empty() {
            return Err(Fault::new("MalformedInput", format!("Unexpected structure or value for parameter {key}.")));
        }
        node.value = Some(value);
        Ok(())
    }

    fn into_json(mut self) -> Json {
        if self.members.is_empty() {
            return Json::String(self.value.unwrap_or_default());
        }
        if self.is_list() {
            return Json::Array(self.into_items().into_iter().map(Node::into_json).collect());
        }
        if let [only] = self.order.as_slice()
            && (only == "member" || only == "entry")
            && self.members.get(only).is_some_and(Node::is_list)
        {
            let is_map = only == "entry";
            let items = self.members.remove(&self.order[0]).map(Node::into_items).unwrap_or_default();
            return if is_map { map(items) } else { Json::Array(items.into_iter().map(Node::into_json).collect()) };
        }
        let Node { order, mut members, .. } = self;
        let named = order.into_iter().filter_map(|name| members.remove(&name).map(|node| (name, node.into_json())));
        Json::Object(named.collect())
    }

    /// Whether its members are numbered.
    fn is_list(&self) -> bool {
        !self.order.is_empty() && self.order.iter().all(|name| index(name).is_some())
    }

    /// Its numbered members by number. Gaps close, as they do on AWS.
    fn into_items(self) -> Vec<Node> {
        let mut items: Vec<_> =
            self.members.into_iter().filter_map(|(name, node)| Some((index(&name)?, node))).collect();
        items.sort_by_key(|(index, _)| *index);
        items.into_iter().map(|(_, node)| node).collect()
    }
}

/// A list's index: decimal digits.
fn index(name: &str) -> Option<u32> {
    name.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.parse().ok()).flatten()
}

/// Items with `key` and `value` as an object.
fn map(items: Vec<Node>) -> Json {
    let pairs = items.into_iter().filter_map(|mut item| {
        let key = item.members.remove("key")?.value?;
        Some((key, item.members.remove("value").map_or(Json::Null, Node::into_json)))
    });
    Json::Object(pairs.collect())
}
