//! One resource's declared properties against its live ones, leaf by leaf. Pure.
//!
//! Written apart from the comparison of the embedded AWS on purpose: one judges the other.

use super::known;
use super::meaning::{is_empty, normal, same};
use cloudformation::items::{Pairing, has_key, share_key};
use cloudformation::schema::ResourceType;
use cloudformation::sensitive::has_reference;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// A leaf that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// A JSON pointer into the properties; indexes of lists are those of the declared ones.
    pub pointer: String,
    /// None: not declared (an item that is there too many, a property that the template says nothing of).
    pub declared: Option<Json>,
    /// None: not there.
    pub live: Option<Json>,
}

/// What a comparison gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// The template says otherwise.
    pub declared: Vec<Difference>,
    /// The template says nothing, and AWS would not have set it by itself, as far as is known.
    pub undeclared: Vec<Difference>,
    /// Declared properties that nobody can read back or whose declared value is not known (pointers).
    pub not_comparable: Vec<String>,
}

/// Properties with parts whose value nobody knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    pub properties: Json,
    /// Pointers to parts that could not be evaluated.
    pub unknown: Vec<String>,
    /// Pointers to parts that nobody may see.
    pub sensitive: Vec<String>,
}

/// A text with a dynamic reference.
pub(super) fn refers(value: &Json) -> bool {
    value.as_str().is_some_and(has_reference)
}

/// The same, somewhere in it.
pub(super) fn holds_reference(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.iter().any(holds_reference),
        Json::Object(map) => map.values().any(holds_reference),
        value => refers(value),
    }
}

/// Whether `pointer` is `top` or below it.
pub(super) fn is_within(pointer: &str, top: &str) -> bool {
    pointer.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Compares what can be read back. `stack_tags`: tags that the stack puts on its resources are none of the resource's own.
pub fn compare(
    known: &ResourceType,
    declared: &Declared,
    live: &Json,
    stack_tags: &BTreeMap<String, String>,
) -> Compared {
    let mut walk = Walk { known, unknown: &declared.unknown, found: Compared::default() };
    if let (Json::Object(expected), Json::Object(mut live)) = (normal(&declared.properties), normal(live)) {
        known.forget_stack_tags(&expected, &mut live, |key| stack_tags.get(key).map(String::as_str));
        walk.members(&expected, &live, "");
        walk.undeclared(&expected, &live);
    }
    let mut found = walk.found;
    found.declared.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    found.undeclared.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    found
}

/// As [`compare`], for a reading of some properties only: those in it are compared, null standing for one that is not set, and
/// all others cannot be.
pub fn compare_some(
    known: &ResourceType,
    declared: &Declared,
    live: &Json,
    tags: &BTreeMap<String, String>,
) -> Compared {
    let names = declared.properties.as_object().into_iter().flatten().map(|(name, _)| name);
    let (asked, others): (Vec<_>, Vec<_>) = names.partition(|name| live.get(name.as_str()).is_some());
    let properties = asked.into_iter().map(|name| (name.clone(), declared.properties[name].clone())).collect();
    let mut compared = compare(known, &Declared { properties, ..declared.clone() }, live, tags);
    compared.not_comparable.extend(others.into_iter().map(|name| format!("/{}", escaped(name))));
    compared
}

struct Walk<'w> {
    known: &'w ResourceType,
    unknown: &'w [String],
    found: Compared,
}

impl Walk<'_> {
    fn members(&mut self, expected: &Map<String, Json>, live: &Map<String, Json>, path: &str) {
        for (name, value) in expected {
            let path = format!("{path}/{}", escaped(name));
            if !self.is_comparable(&path) || refers(value) {
                self.found.not_comparable.push(path);
                continue;
            }
            match live.get(name).filter(|live| !live.is_null()) {
                Some(live) => self.value(value, live, &path),
                // What is declared as AWS's own choice may be left out by the service.
                None if is_empty(value) || self.is_default(&path, value) => {}
                None if self.only_write_only(&path[1..], value) => self.found.not_comparable.push(path),
                None => self.differ(path, Some(value), None),
            }
        }
        // The members of a map are its own: one more is a difference.
        if self.is_free(path) {
            for (name, value) in live.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                self.differ(format!("{path}/{}", escaped(name)), None, Some(value));
            }
        }
    }

    fn value(&mut self, expected: &Json, live: &Json, path: &str) {
        if refers(expected) || (expected.is_string() && self.unknown.iter().any(|unknown| unknown == path)) {
            self.found.not_comparable.push(path.to_owned());
            return;
        }
        match (expected, live) {
            // One of several choices, with nothing further to say: `Allow: {}` and `Block: {}`.
            (Json::Object(one), Json::Object(other)) if is_other_choice(one, other) => {
                self.differ(path.to_owned(), Some(expected), Some(live));
            }
            (Json::Object(expected), Json::Object(live)) => self.members(expected, live, path),
            (Json::Array(expected), Json::Array(live)) => self.items(expected, live, path),
            _ if same(expected, live) => {}
            _ if holds_reference(expected) || self.unknown.iter().any(|unknown| is_within(unknown, path)) => {
                self.found.not_comparable.push(path.to_owned());
            }
            _ => self.differ(path.to_owned(), Some(expected), Some(live)),
        }
    }

    /// Equal items are taken away first, those that share a key are compared with each other, what is then left of both is
    /// compared in order.
    fn items(&mut self, expected: &[Json], live: &[Json], path: &str) {
        if !self.is_set(path, expected) {
            for (at, item) in expected.iter().enumerate() {
                let path = format!("{path}/{at}");
                match live.get(at) {
                    Some(live) => self.value(item, live, &path),
                    None if refers(item) => self.found.not_comparable.push(path),
                    None => self.differ(path, Some(item), None),
                }
            }
            for (at, item) in live.iter().enumerate().skip(expected.len()) {
                self.differ(format!("{path}/{at}"), None, Some(item));
            }
            return;
        }
        let mut pairing = Pairing::of(expected, live);
        // What a dynamic reference came to nobody knows: it takes what no other item is.
        pairing.pair(|one, other| !holds_reference(one) && self.holds(one, other, path));
        pairing.pair(|one, other| share_key(one, other, same));
        pairing.pair(|one, other| holds_reference(one) && self.holds(one, other, path));
        let unkeyed = |item: &Json| item.is_object() && !has_key(item);
        pairing.pair(|one, other| unkeyed(one) && unkeyed(other));
        for ((at, one), (_, other)) in pairing.pairs {
            self.value(one, other, &format!("{path}/{at}"));
        }
        for (at, item) in pairing.left {
            self.differ(format!("{path}/{at}"), Some(item), None);
        }
        for (at, item) in pairing.right {
            // It has no place among the declared ones.
            self.differ(format!("{path}/{}", at.max(expected.len())), None, Some(item));
        }
    }

    /// Whether a live item is all that a declared one says.
    fn holds(&self, expected: &Json, live: &Json, path: &str) -> bool {
        let mut inner = Walk { known: self.known, unknown: &[], found: Compared::default() };
        inner.value(expected, live, &format!("{path}/*"));
        inner.found.declared.is_empty()
    }

    /// Properties of the top that the template says nothing of.
    fn undeclared(&mut self, expected: &Map<String, Json>, live: &Map<String, Json>) {
        for (name, value) in live.iter().filter(|(name, _)| !expected.contains_key(*name)) {
            let path = format!("/{}", escaped(name));
            let may_be_set = self.known.property(name).is_some()
                && !self.known.is_read_only(name)
                && !self.known.is_write_only(name)
                && !self.known.create_only().iter().any(|path| path.top() == name)
                && !self.known.primary_identifier().iter().any(|path| path.top() == name);
            let by_itself = is_empty(value)
                || (*value == Json::Bool(false) && !known::is_aws_default(self.known.name(), name, &Json::Bool(true)))
                || self.is_default(&path, value)
                || known::is_aws_default(self.known.name(), name, value)
                || self.only_read_only(name, value);
            if may_be_set && !by_itself {
                self.found.undeclared.push(Difference { pointer: path, declared: None, live: Some(value.clone()) });
            }
        }
    }

    /// Nothing of it but what the service sets (`Endpoint/Address`).
    fn only_read_only(&self, path: &str, value: &Json) -> bool {
        match value {
            Json::Object(map) => {
                let of_service = |(name, value): (&String, &Json)| {
                    let path = format!("{path}/{name}");
                    self.known.is_read_only(&path) || self.only_read_only(&path, value)
                };
                let nothing = |(name, value): (&String, &Json)| {
                    is_empty(value) || self.is_default(&format!("{path}/{name}"), value)
                };
                map.iter().any(of_service) && map.iter().all(|member| of_service(member) || nothing(member))
            }
            _ => false,
        }
    }

    /// Nothing of it but what can be set and not read back (`Code/ZipFile`).
    fn only_write_only(&self, path: &str, value: &Json) -> bool {
        match value {
            Json::Object(map) if !map.is_empty() => map.iter().all(|(name, value)| {
                let path = format!("{path}/{name}");
                self.known.is_write_only(&path) || self.only_write_only(&path, value)
            }),
            _ => false,
        }
    }

    fn is_comparable(&self, path: &str) -> bool {
        let property = &path[1..];
        !self.known.is_write_only(property) && !self.unknown.iter().any(|unknown| unknown == path)
    }

    /// Whether the value is what the schema says that AWS takes if nothing is said.
    fn is_default(&self, path: &str, value: &Json) -> bool {
        self.known
            .property(&path[usize::from(path.starts_with('/'))..])
            .is_some_and(|property| property.default().is_some_and(|default| same(&normal(default), value)))
    }

    /// Whether the schema does not name the members of the object at `path`.
    fn is_free(&self, path: &str) -> bool {
        !path.is_empty() && self.known.property(&path[1..]).is_none_or(|property| !property.schema.names_members())
    }

    /// Whether the order of a list means nothing: the schema says so, its items have keys, or it is known.
    fn is_set(&self, path: &str, items: &[Json]) -> bool {
        let unordered = self.known.property(&path[1..]).is_some_and(|property| property.unordered());
        unordered
            || (!items.is_empty() && items.iter().all(|item| item.get("Key").is_some()))
            || known::is_set(self.known.name(), &path[1..])
    }

    fn differ(&mut self, pointer: String, declared: Option<&Json>, live: Option<&Json>) {
        let (declared, live) = (declared.cloned(), live.cloned());
        self.found.declared.push(Difference { pointer, declared, live });
    }
}

/// Whether both have one member, a structure, and not the same one.
fn is_other_choice(one: &Map<String, Json>, other: &Map<String, Json>) -> bool {
    let only = |map: &Map<String, Json>| match map.iter().next() {
        Some((name, Json::Object(_))) if map.len() == 1 => Some(name.clone()),
        _ => None,
    };
    matches!((only(one), only(other)), (Some(one), Some(other)) if one != other)
}

/// A member's name inside a JSON pointer.
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;
    use serde_json::json;

    fn compared(type_name: &str, declared: Json, live: Json) -> Compared {
        let declared = Declared { properties: declared, unknown: Vec::new(), sensitive: Vec::new() };
        let tags = BTreeMap::from([("owner".to_owned(), "web".to_owned())]);
        compare(resource_type(type_name).unwrap(), &declared, &live, &tags)
    }

    fn pointers(differences: &[Difference]) -> Vec<&str> {
        differences.iter().map(|difference| difference.pointer.as_str()).collect()
    }

    #[test]
    fn rules_of_a_group_are_a_set() {
        let rule = |port: u64| json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"});
        let group = |rules: Json| json!({"GroupDescription": "x", "SecurityGroupIngress": rules});
        let declared = || group(json!([rule(80), rule(443)]));
        let of = |live: Json| compared("AWS::EC2::SecurityGroup", declared(), group(live));
        assert_eq!(of(json!([rule(443), rule(80)])), Compared::default());
        let more = of(json!([rule(22), rule(443), rule(80)]));
        assert_eq!(pointers(&more.declared), ["/SecurityGroupIngress/2"]);
        assert_eq!(more.declared[0].live.as_ref().unwrap()["FromPort"], 22);
    }

    #[test]
    fn tags_of_the_stack_and_of_aws_are_not_the_resources_own() {
        let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
        let declared = json!({"Tags": [tag("Name", "a")]});
        let live = |owner: &str| json!({"Tags": [tag("aws:cloudformation:stack-name", "s"), tag("owner", owner), tag("Name", "a")]});
        assert_eq!(compared("AWS::SNS::Topic", declared.clone(), live("web")), Compared::default());
        assert_eq!(pointers(&compared("AWS::SNS::Topic", declared, live("me")).declared), ["/Tags/1"]);
    }

    #[test]
    fn one_of_several_choices() {
        let acl = |action: &str| json!({"Scope": "REGIONAL", "DefaultAction": {action: {}}});
        let found = compared("AWS::WAFv2::WebACL", acl("Allow"), acl("Block"));
        assert_eq!(pointers(&found.declared), ["/DefaultAction"]);
        assert_eq!(compared("AWS::WAFv2::WebACL", acl("Block"), acl("Block")), Compared::default());
    }

    #[test]
    fn what_is_on_by_itself_and_was_switched_off() {
        let live = |on: bool| json!({"AlarmName": "a", "ActionsEnabled": on});
        let found = compared("AWS::CloudWatch::Alarm", json!({"AlarmName": "a"}), live(false));
        assert_eq!(pointers(&found.undeclared), ["/ActionsEnabled"]);
        assert_eq!(compared("AWS::CloudWatch::Alarm", json!({"AlarmName": "a"}), live(true)), Compared::default());
    }

    #[test]
    fn what_the_template_leaves_open() {
        let declared = json!({"DisplayName": "a"});
        let live = json!({"DisplayName": "a", "TopicName": "given-by-aws", "TopicArn": "arn", "SignatureVersion": "2",
            "FifoTopic": false, "Subscription": []});
        let found = compared("AWS::SNS::Topic", declared, live);
        assert_eq!(found.declared, []);
        assert_eq!(pointers(&found.undeclared), ["/SignatureVersion"], "no name, no ARN, nothing empty");
    }

    #[test]
    fn what_cannot_be_read_back_or_is_not_known() {
        let known = resource_type("AWS::Lambda::Function").unwrap();
        let declared = Declared {
            properties: json!({"Code": {"ZipFile": "x"}, "Role": null, "Handler": "a.b"}),
            unknown: vec!["/Role".to_owned()],
            sensitive: Vec::new(),
        };
        let found = compare(known, &declared, &json!({"Role": "arn", "Handler": "a.c"}), &BTreeMap::new());
        assert_eq!(found.not_comparable, ["/Code", "/Role"]);
        assert_eq!(pointers(&found.declared), ["/Handler"]);
    }
}
