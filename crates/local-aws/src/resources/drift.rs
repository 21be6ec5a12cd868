//! What drift detection finds: declared properties against live ones, leaf by leaf.
//!
//! Only what the template gives is compared, and of that only what can be read back. Numbers and booleans are compared
//! as text, documents by what they say, lists without an order as sets. A property of the recorded answers: differences
//! are sorted by path, and both maps hold the declared properties alone (the code of a function is in neither).

use super::model::{self, Properties};
use cloudformation::items::{Pairing, has_key, share_key};
use cloudformation::schema::{ResourceType, resource_type};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

/// What was found of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// `IN_SYNC`, `MODIFIED`, `DELETED`, or `NOT_CHECKED` for types that CloudFormation does not look at.
    pub status: &'static str,
    /// The declared properties that can be compared.
    pub expected: Json,
    /// The same properties as they are; `None` if the resource is gone or was not looked at.
    pub actual: Option<Json>,
    /// Sorted by path.
    pub differences: Vec<Difference>,
}

/// A leaf that is not as it was declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// `/Environment/Variables/PORT`
    pub path: String,
    /// `ADD` (an item of a list that was not declared), `REMOVE` (a declared value that is gone) or `NOT_EQUAL`.
    pub kind: &'static str,
    /// Texts as they are, everything else as JSON text; `null` where there is none.
    pub expected: String,
    pub actual: String,
}

impl Difference {
    /// As `DescribeStackResourceDrifts` gives it.
    pub fn to_json(&self) -> Json {
        json!({
            "PropertyPath": self.path,
            "ExpectedValue": self.expected,
            "ActualValue": self.actual,
            "DifferenceType": self.kind,
        })
    }
}

/// Whether CloudFormation looks for drift in resources of a type: those that its registry can read. (The user guide's
/// table "Resource type support" lists the same types.) Nested stacks are looked at by themselves only.
pub fn is_checked(type_name: &str) -> bool {
    type_name != "AWS::CloudFormation::Stack" && resource_type(type_name).is_some_and(|known| known.has_handler("read"))
}

/// Compares declared properties with live ones (`None`: the resource is gone). Tags that the stack itself puts on its
/// resources are no drift.
pub fn compare(
    type_name: &str,
    declared: &Json,
    live: Option<&Json>,
    stack_tags: &IndexMap<String, String>,
) -> Comparison {
    let Some(known) = resource_type(type_name).filter(|_| is_checked(type_name)) else {
        return Comparison { status: "NOT_CHECKED", expected: declared.clone(), actual: None, differences: Vec::new() };
    };
    let mut expected = model::typed(known, &model::object(declared));
    known.write_only().iter().for_each(|path| model::remove(&mut expected, path));
    let Some(live) = live else {
        let expected = Json::Object(expected);
        return Comparison { status: "DELETED", expected, actual: None, differences: Vec::new() };
    };
    let mut live = model::typed(known, &model::object(live));
    known.forget_stack_tags(&expected, &mut live, |key| stack_tags.get(key).map(String::as_str));
    let mut walk = Walk { known, differences: Vec::new() };
    let actual = walk.members(&expected, &live, "");
    let mut differences = walk.differences;
    differences.sort_by(|one, other| one.path.cmp(&other.path));
    Comparison {
        status: if differences.is_empty() { "IN_SYNC" } else { "MODIFIED" },
        expected: Json::Object(expected),
        actual: Some(Json::Object(actual)),
        differences,
    }
}

struct Walk<'w> {
    known: &'w ResourceType,
    differences: Vec<Difference>,
}

impl Walk<'_> {
    /// Compares the members that are expected; gives what is of them.
    fn members(&mut self, expected: &Properties, live: &Properties, path: &str) -> Properties {
        let mut actual = Map::new();
        for (name, value) in expected {
            let path = format!("{path}/{name}");
            match live.get(name) {
                Some(live) => {
                    let found = self.value(value, live, &path);
                    actual.insert(name.clone(), found);
                }
                // What was declared empty may be left out by the service.
                None if is_empty(value) => {}
                None => self.differ(path, "REMOVE", Some(value), None),
            }
        }
        // The members of a document or a map are its own: one more is a difference.
        let free = self.is_free(path);
        for (name, value) in live.iter().filter(|(name, _)| free && !expected.contains_key(*name)) {
            self.differ(format!("{path}/{name}"), "ADD", None, Some(value));
            actual.insert(name.clone(), value.clone());
        }
        actual
    }

    /// Whether the schema does not name the members of the object at `path`.
    fn is_free(&self, path: &str) -> bool {
        !path.is_empty() && self.known.property(path).is_none_or(|property| !property.schema.names_members())
    }

    fn value(&mut self, expected: &Json, live: &Json, path: &str) -> Json {
        match (expected, live) {
            (Json::Object(expected), Json::Object(live)) => Json::Object(self.members(expected, live, path)),
            (Json::Array(expected), Json::Array(live)) => Json::Array(self.items(expected, live, path)),
            // A document may be given as text and come back as an object, or the other way round.
            (Json::String(text), Json::Object(_) | Json::Array(_)) => match serde_json::from_str::<Json>(text) {
                Ok(document) => self.value(&document, live, path),
                Err(_) => self.unequal(expected, live, path),
            },
            (Json::Object(_) | Json::Array(_), Json::String(text)) => match serde_json::from_str::<Json>(text) {
                Ok(document) => self.value(expected, &document, path),
                Err(_) => self.unequal(expected, live, path),
            },
            _ if same(expected, live) => live.clone(),
            _ => self.unequal(expected, live, path),
        }
    }

    fn unequal(&mut self, expected: &Json, live: &Json, path: &str) -> Json {
        self.differ(path.to_owned(), "NOT_EQUAL", Some(expected), Some(live));
        live.clone()
    }

    /// Compares two lists. Equal items are taken away first, those that share a key are compared with each other, what
    /// is then left of both is compared in order.
    fn items(&mut self, expected: &[Json], live: &[Json], path: &str) -> Vec<Json> {
        if !self.is_set(path, expected) {
            return self.ordered(expected, live, path);
        }
        let mut pairing = Pairing::of(expected, live);
        pairing.pair(|one, other| self.holds(one, other, path));
        pairing.pair(|one, other| share_key(one, other, same));
        pairing.pair(|one, other| !has_key(one) && !has_key(other));
        let mut actual: Vec<(usize, Json)> = Vec::new();
        for ((at, one), (place, other)) in pairing.pairs {
            let value = self.value(one, other, &format!("{path}/{at}"));
            actual.push((place, value));
        }
        for (at, item) in pairing.left {
            self.differ(format!("{path}/{at}"), "REMOVE", Some(item), None);
        }
        for (at, item) in pairing.right {
            self.differ(format!("{path}/{at}"), "ADD", None, Some(item));
            actual.push((at, item.clone()));
        }
        actual.sort_by_key(|(at, _)| *at);
        actual.into_iter().map(|(_, item)| item).collect()
    }

    fn ordered(&mut self, expected: &[Json], live: &[Json], path: &str) -> Vec<Json> {
        let mut actual = Vec::with_capacity(live.len());
        for (at, item) in live.iter().enumerate() {
            let path = format!("{path}/{at}");
            match expected.get(at) {
                Some(expected) => actual.push(self.value(expected, item, &path)),
                None => {
                    self.differ(path, "ADD", None, Some(item));
                    actual.push(item.clone());
                }
            }
        }
        for (at, item) in expected.iter().enumerate().skip(live.len()) {
            self.differ(format!("{path}/{at}"), "REMOVE", Some(item), None);
        }
        actual
    }

    /// Whether the order of a list means nothing: the schema says so, or its items have keys.
    fn is_set(&self, path: &str, items: &[Json]) -> bool {
        let unordered = self.known.property(path).is_some_and(|property| property.unordered());
        unordered || (!items.is_empty() && items.iter().all(|item| item.get("Key").is_some()))
    }

    /// Whether a live item is all that a declared one says.
    fn holds(&self, expected: &Json, live: &Json, path: &str) -> bool {
        let mut inner = Walk { known: self.known, differences: Vec::new() };
        inner.value(expected, live, &format!("{path}/*"));
        inner.differences.is_empty()
    }

    fn differ(&mut self, path: String, kind: &'static str, expected: Option<&Json>, actual: Option<&Json>) {
        let (expected, actual) = (shown(expected), shown(actual));
        self.differences.push(Difference { path, kind, expected, actual });
    }
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

/// Scalars as text: `80` is `"80"`.
fn same(one: &Json, other: &Json) -> bool {
    one == other || (is_scalar(one) && is_scalar(other) && shown(Some(one)) == shown(Some(other)))
}

fn is_scalar(value: &Json) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

fn shown(value: Option<&Json>) -> String {
    match value {
        None => "null".to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(type_name: &str, declared: &Json, live: &Json) -> Vec<(String, &'static str, String, String)> {
        let tags = IndexMap::from([("owner".to_owned(), "web".to_owned())]);
        let compared = compare(type_name, declared, Some(live), &tags);
        assert_eq!(compared.status == "IN_SYNC", compared.differences.is_empty());
        compared.differences.into_iter().map(|it| (it.path, it.kind, it.expected, it.actual)).collect()
    }

    fn one(path: &str, kind: &'static str, expected: &str, actual: &str) -> (String, &'static str, String, String) {
        (path.to_owned(), kind, expected.to_owned(), actual.to_owned())
    }

    /// As recorded from AWS: `api.test_drift_detection`.
    #[test]
    fn a_changed_function() {
        let function = |runtime: &str, text: &str, url: &str| {
            json!({
                "Code": {"ZipFile": "def handler"},
                "Description": text,
                "Environment": {"Variables": {"ENDPOINT_URL": url}},
                "Handler": "index.handler",
                "Runtime": runtime,
            })
        };
        let declared = function("python3.9", "one", "aws.amazon.com");
        let mut live = function("python3.8", "two", "localhost");
        live["MemorySize"] = json!(128);
        let compared = compare("AWS::Lambda::Function", &declared, Some(&live), &IndexMap::new());
        assert_eq!(compared.status, "MODIFIED");
        assert_eq!(
            compared.differences.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(),
            ["/Description", "/Environment/Variables/ENDPOINT_URL", "/Runtime"]
        );
        assert_eq!(compared.differences[2].to_json()["DifferenceType"], "NOT_EQUAL");
        assert_eq!(compared.expected.get("Code"), None);
        assert_eq!(compared.actual.as_ref().and_then(|actual| actual.get("MemorySize")), None);
    }

    #[test]
    fn lists_without_an_order_are_sets() {
        let rule = |port: u64| json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"});
        let declared = json!({"GroupDescription": "x", "SecurityGroupIngress": [rule(80), rule(443)]});
        let group = "AWS::EC2::SecurityGroup";
        let live = |rules: Json| json!({"GroupDescription": "x", "SecurityGroupIngress": rules});
        assert_eq!(found(group, &declared, &live(json!([rule(443), rule(80)]))), []);
        let more = found(group, &declared, &live(json!([rule(443), rule(22), rule(80)])));
        assert_eq!(more.len(), 1);
        assert_eq!((more[0].0.as_str(), more[0].1), ("/SecurityGroupIngress/1", "ADD"));
        let less = found(group, &declared, &live(json!([rule(443)])));
        assert_eq!((less[0].0.as_str(), less[0].1), ("/SecurityGroupIngress/0", "REMOVE"));
        let changed = found(group, &declared, &live(json!([rule(443), rule(81)])));
        assert_eq!(changed[0], one("/SecurityGroupIngress/0/FromPort", "NOT_EQUAL", "80", "81"));
    }

    #[test]
    fn tags_of_the_stack_are_no_drift() {
        let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
        let declared = json!({"Tags": [tag("a", "1")]});
        let live = json!({"Tags": [tag("owner", "web"), tag("aws:cloudformation:stack-name", "s"), tag("a", "1")]});
        assert_eq!(found("AWS::SNS::Topic", &declared, &live), []);
        let live = json!({"Tags": [tag("owner", "somebody"), tag("a", "2")]});
        let expected = [
            one("/Tags/0", "ADD", "null", r#"{"Key":"owner","Value":"somebody"}"#),
            one("/Tags/0/Value", "NOT_EQUAL", "1", "2"),
        ];
        assert_eq!(found("AWS::SNS::Topic", &declared, &live), expected);
    }

    #[test]
    fn documents_are_compared_by_what_they_say() {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject"}]});
        let declared = json!({"Bucket": "b", "PolicyDocument": policy.to_string()});
        assert_eq!(found("AWS::S3::BucketPolicy", &declared, &json!({"Bucket": "b", "PolicyDocument": policy})), []);
        let numbers = json!({"DelaySeconds": "5", "FifoQueue": "true"});
        assert_eq!(found("AWS::SQS::Queue", &numbers, &json!({"DelaySeconds": 5, "FifoQueue": true})), []);
    }

    #[test]
    fn what_is_gone_or_not_looked_at_is_said() {
        let tags = IndexMap::new();
        assert_eq!(compare("AWS::SNS::Topic", &json!({}), None, &tags).status, "DELETED");
        assert_eq!(compare("AWS::CloudFormation::WaitCondition", &json!({}), None, &tags).status, "NOT_CHECKED");
        let gone = found("AWS::SNS::Topic", &json!({"DisplayName": "x"}), &json!({}));
        assert_eq!(gone, [one("/DisplayName", "REMOVE", "x", "null")]);
    }
}
