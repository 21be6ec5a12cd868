//! Stack policies: what an update may do to which resource. Without a policy everything is allowed; with one, what no
//! statement allows is denied, and what one denies stays denied.

use serde_json::Value as Json;

/// What an update does to a resource that a policy may deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Modify,
    Replace,
    Delete,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Action::Modify => "Update:Modify",
            Action::Replace => "Update:Replace",
            Action::Delete => "Update:Delete",
        }
    }
}

/// Why the policy denies an action; `None` if it does not. A policy that is no JSON was refused when it was set, and
/// denies nothing.
pub(super) fn denial(policy: &str, action: Action, logical_id: &str, type_name: &str) -> Option<String> {
    let policy: Json = serde_json::from_str(policy).ok()?;
    let statements: Vec<&Json> = match &policy["Statement"] {
        Json::Array(all) => all.iter().collect(),
        one @ Json::Object(_) => vec![one],
        _ => return None,
    };
    let applies = |statement: &Json| applies(statement, action, logical_id, type_name);
    let denying = statements.iter().position(|one| one["Effect"] == "Deny" && applies(one));
    let what = format!("[{}] for resource [{logical_id}]", action.as_str());
    match denying {
        Some(at) => Some(format!("Action denied by stack policy: Statement [#{}] does not allow {what}", at + 1)),
        None if statements.iter().any(|one| one["Effect"] == "Allow" && applies(one)) => None,
        None => Some(format!("Action denied by stack policy: no statement allows {what}")),
    }
}

fn applies(statement: &Json, action: Action, logical_id: &str, type_name: &str) -> bool {
    let resource = format!("LogicalResourceId/{logical_id}");
    let any = |patterns: &Json, text: &str| texts(patterns).iter().any(|pattern| matches(pattern, text));
    let acts = match statement.get("NotAction") {
        Some(not) => !any(not, action.as_str()),
        None => any(&statement["Action"], action.as_str()),
    };
    let meant = match statement.get("NotResource") {
        Some(not) => !any(not, &resource),
        None => any(&statement["Resource"], &resource),
    };
    acts && meant && conditions_hold(statement.get("Condition"), type_name)
}

/// Only `ResourceType` can be asked for, with `StringEquals` or `StringLike`.
fn conditions_hold(condition: Option<&Json>, type_name: &str) -> bool {
    let Some(Json::Object(operators)) = condition else { return true };
    operators.iter().all(|(operator, keys)| {
        let wanted = texts(&keys["ResourceType"]);
        let is = |pattern: &&str| match operator.as_str() {
            "StringEquals" | "StringNotEquals" => **pattern == *type_name,
            _ => matches(pattern, type_name),
        };
        let found = wanted.iter().any(is);
        if operator.contains("Not") { !found } else { found }
    })
}

fn texts(json: &Json) -> Vec<&str> {
    match json {
        Json::String(text) => vec![text],
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut here, mut star) = (0, 0, None);
    while here < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(one) if *one == '?' || *one == text[here] => (at, here) = (at + 1, here + 1),
            _ => match star {
                Some((back, from)) => {
                    (at, here) = (back + 1, from + 1);
                    star = Some((back, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn denied(policy: &Json, action: Action, id: &str, type_name: &str) -> bool {
        denial(&policy.to_string(), action, id, type_name).is_some()
    }

    #[test]
    fn what_is_not_allowed_is_denied() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*", "Resource": "*",
             "Condition": {"StringEquals": {"ResourceType": ["AWS::RDS::DBInstance"]}}},
            {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/Prod*"}]});
        assert!(!denied(&policy, Action::Modify, "Db", "AWS::RDS::DBInstance"));
        assert!(denied(&policy, Action::Replace, "Db", "AWS::RDS::DBInstance"));
        assert!(!denied(&policy, Action::Delete, "Topic", "AWS::SNS::Topic"));
        assert!(denied(&policy, Action::Modify, "ProdTopic", "AWS::SNS::Topic"));
        let nothing = json!({"Statement": {"Effect": "Allow", "Action": "Update:*", "Principal": "*",
            "NotResource": "LogicalResourceId/Topic"}});
        assert!(denied(&nothing, Action::Modify, "Topic", "AWS::SNS::Topic"));
        assert!(!denied(&nothing, Action::Modify, "Queue", "AWS::SQS::Queue"));
    }

    #[test]
    fn stars_match_anything() {
        assert!(matches("*", "") && matches("a*c?e", "abbbcde") && matches("Update:*", "Update:Modify"));
        assert!(!matches("a*c", "ab") && !matches("a", "ab") && !matches("?", ""));
    }
}
