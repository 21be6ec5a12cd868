//! Policy documents of IAM, statement by statement: who may do what on what, on which conditions; and whether one
//! statement holds all that another one does.
//!
//! Coverage is decided on the texts: a pattern covers another if it matches it with the other's wildcards taken as
//! letters. That may call something a gain that is none (two statements that cover a third only together), never the
//! other way round.

use super::json::{list, texts};
use serde_json::Value as Json;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub allows: bool,
    /// `AWS:arn…`, `Service:ecs.amazonaws.com`, `*`; empty where the document has none.
    pub principals: Vec<String>,
    pub actions: Vec<String>,
    /// Empty in trust policies.
    pub resources: Vec<String>,
    /// NotPrincipal, NotAction, NotResource: the lists say what is left out.
    pub without: [bool; 3],
    /// Operator and key → values.
    pub conditions: BTreeMap<(String, String), Vec<String>>,
}

/// The statements of a document, which may be written as text; none for what is not known yet.
pub(super) fn statements(document: &Json) -> Option<Vec<Statement>> {
    match document {
        Json::Null => Some(Vec::new()),
        Json::String(text) => statements(&serde_json::from_str::<Json>(text).ok().filter(Json::is_object)?),
        Json::Object(_) => Some(list(&document["Statement"]).iter().map(Statement::read).collect()),
        _ => None,
    }
}

impl Statement {
    fn read(json: &Json) -> Statement {
        let either = |plain: &str, not: &str| match json.get(not) {
            Some(value) => (value.clone(), true),
            None => (json.get(plain).cloned().unwrap_or(Json::Null), false),
        };
        let (principal, no_principal) = either("Principal", "NotPrincipal");
        let (action, no_action) = either("Action", "NotAction");
        let (resource, no_resource) = either("Resource", "NotResource");
        let mut conditions = BTreeMap::new();
        for (operator, keys) in json["Condition"].as_object().into_iter().flatten() {
            for (key, values) in keys.as_object().into_iter().flatten() {
                let mut values = texts(values);
                values.sort();
                conditions.insert((operator.clone(), key.to_lowercase()), values);
            }
        }
        Statement {
            allows: json["Effect"] == "Allow",
            principals: principals(&principal),
            actions: texts(&action),
            resources: texts(&resource),
            without: [no_principal, no_action, no_resource],
            conditions,
        }
    }

    pub fn is_plain(&self) -> bool {
        self.without == [false; 3]
    }

    /// Whether this statement holds for a principal, an action and a resource, wherever `other` does.
    pub fn covers(&self, other: &Statement, principal: &str, action: &str, resource: &str) -> bool {
        let lists = if self.is_plain() && other.is_plain() {
            any_covers(&self.principals, principal)
                && self.actions.iter().any(|broad| matches(&broad.to_lowercase(), &action.to_lowercase()))
                && any_covers(&self.resources, resource)
        } else {
            self.without == other.without
                && self.principals == other.principals
                && self.actions == other.actions
                && self.resources == other.resources
        };
        lists && self.is_no_stricter_than(other)
    }

    /// Each condition of this statement is one of the other's too.
    pub fn is_no_stricter_than(&self, other: &Statement) -> bool {
        self.conditions.iter().all(|((operator, key), values)| {
            let Some(others) = other.conditions.get(&(operator.clone(), key.clone())) else { return false };
            if operator.contains("Not") {
                return values.iter().all(|value| others.contains(value));
            }
            let like = operator.contains("Like") || operator.contains("Arn");
            others
                .iter()
                .all(|value| values.contains(value) || (like && values.iter().any(|broad| matches(broad, value))))
        })
    }

    /// Every principal × action × resource of the statement; for lists of exceptions the statement as a whole.
    pub fn grants(&self) -> Vec<(&str, &str, &str)> {
        fn or_empty(list: &[String]) -> Vec<&str> {
            if list.is_empty() { vec![""] } else { list.iter().map(String::as_str).collect() }
        }
        let mut grants = Vec::new();
        for principal in or_empty(&self.principals) {
            for action in or_empty(&self.actions) {
                for resource in or_empty(&self.resources) {
                    grants.push((principal, action, resource));
                }
            }
        }
        grants
    }

    /// ` where StringEquals aws:SourceAccount is 111122223333`, or nothing.
    pub fn where_text(&self) -> String {
        let said =
            self.conditions.iter().map(|((operator, key), values)| format!("{operator} {key} {}", values.join(", ")));
        let said: Vec<String> = said.collect();
        if said.is_empty() { String::new() } else { format!(" where {}", said.join(" and ")) }
    }
}

fn principals(json: &Json) -> Vec<String> {
    match json {
        Json::Object(kinds) => kinds
            .iter()
            .flat_map(|(kind, names)| texts(names).into_iter().map(move |name| format!("{kind}:{name}")))
            .map(|name| if name == "AWS:*" { "*".to_owned() } else { name })
            .collect(),
        other => texts(other),
    }
}

/// A list that is not there holds for everything of its kind, on both sides.
fn any_covers(patterns: &[String], text: &str) -> bool {
    (patterns.is_empty() && text.is_empty()) || patterns.iter().any(|broad| matches(broad, text))
}

/// Whether a pattern with `*` and `?` matches everything that another one does.
pub(super) fn matches(broad: &str, narrow: &str) -> bool {
    let (broad, narrow): (Vec<char>, Vec<char>) = (broad.chars().collect(), narrow.chars().collect());
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < narrow.len() {
        let here = broad.get(at);
        if here == Some(&'*') {
            star = Some((at, read));
            at += 1;
        } else if here == Some(&narrow[read]) || (here == Some(&'?') && narrow[read] != '*') {
            at += 1;
            read += 1;
        } else if let Some((star_at, star_read)) = star {
            at = star_at + 1;
            read = star_read + 1;
            star = Some((star_at, star_read + 1));
        } else {
            return false;
        }
    }
    broad[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns() {
        for (broad, narrow, expected) in [
            ("*", "s3:Get*", true),
            ("s3:*", "s3:GetObject", true),
            ("s3:Get*", "s3:*", false),
            ("arn:*:table/a*", "arn:aws:dynamodb:::table/abc*", true),
            ("a?c", "abc", true),
            ("a?c", "a*c", false),
            ("s3:GetObject", "s3:GetObjectVersion", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
        ] {
            assert_eq!(matches(broad, narrow), expected, "{broad} {narrow}");
        }
    }

    fn one(json: Json) -> Statement {
        statements(&json!({"Statement": json})).unwrap().remove(0)
    }

    #[test]
    fn conditions_make_a_statement_stricter() {
        let free = one(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}));
        let bound = one(json!({"Effect": "Allow", "Action": "S3:GetObject", "Resource": "arn:x",
            "Condition": {"StringEquals": {"aws:SourceAccount": ["1", "2"]}}}));
        let tighter = one(json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:x",
            "Condition": {"StringEquals": {"AWS:SourceAccount": "1"}, "Bool": {"aws:SecureTransport": "true"}}}));
        assert!(free.covers(&bound, "", "S3:GetObject", "arn:x"), "actions are case-insensitive");
        assert!(!bound.covers(&free, "", "s3:*", "*"));
        assert!(bound.is_no_stricter_than(&tighter) && !tighter.is_no_stricter_than(&bound));
    }

    #[test]
    fn what_is_not_known_is_not_compared() {
        assert_eq!(statements(&json!("(known after apply)")), None);
        assert_eq!(statements(&Json::Null), Some(Vec::new()));
        let text = json!({"Statement": {"Effect": "Deny", "Principal": {"AWS": "*"}, "NotAction": "s3:Get*", "Resource": "*"}});
        let read = statements(&json!(text.to_string())).unwrap();
        assert_eq!((read[0].principals.clone(), read[0].without), (vec!["*".to_owned()], [false, true, false]));
    }
}
