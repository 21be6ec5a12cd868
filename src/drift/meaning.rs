//! Whether two values mean the same: numbers as text, documents as text or as objects, policies by what they allow, lists
//! without an order as sets.

use serde_json::{Map, Value as Json};

/// The value as it is compared: documents in texts are read, policies are brought into one form.
pub fn normal(value: &Json) -> Json {
    match value {
        Json::String(text) if looks_like_document(text) => match serde_json::from_str::<Json>(text) {
            Ok(document) => normal(&document),
            Err(_) => value.clone(),
        },
        Json::Object(map) if is_policy(map) => policy(map),
        Json::Object(map) => Json::Object(map.iter().map(|(key, value)| (key.clone(), normal(value))).collect()),
        Json::Array(items) => Json::Array(items.iter().map(normal).collect()),
        other => other.clone(),
    }
}

/// Whether two values mean the same, but for the order of lists.
pub fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            let covers = |one: &Map<String, Json>, other: &Map<String, Json>| {
                one.iter().all(|(key, value)| match other.get(key) {
                    Some(found) => same(value, found),
                    None => is_empty(value),
                })
            };
            covers(one, other) && covers(other, one)
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Null, other) | (other, Json::Null) => is_empty(other),
        (one, other) => one == other || scalar(one).is_some_and(|one| scalar(other) == Some(one)),
    }
}

/// Nothing is in it: what a service may as well leave out.
pub fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.values().all(is_empty),
        _ => false,
    }
}

/// Scalars as text: `80`, `"80"` and `80.0` are one.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => match text.parse::<f64>() {
            Ok(number) if is_plain_number(text) => Some(number.to_string()),
            _ => Some(text.clone()),
        },
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => Some(number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())),
        _ => None,
    }
}

/// Digits that lose nothing as a number: no account id with a leading zero, no exponent, no more than fifteen.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    !leading_zero && digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn looks_like_document(text: &str) -> bool {
    matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['))
}

/// An IAM policy, or what has its form.
fn is_policy(map: &Map<String, Json>) -> bool {
    map.contains_key("Statement") && map.keys().all(|key| matches!(key.as_str(), "Version" | "Id" | "Statement"))
}

/// One form for all that mean the same (IAM's grammar of policies): single values as lists of one, lists sorted, actions
/// without regard to case, the root of an account as its id, statements sorted.
fn policy(map: &Map<String, Json>) -> Json {
    let mut normal = Map::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "Statement" => {
                let mut statements: Vec<Json> = listed(value).iter().map(statement).collect();
                statements.sort_by_key(Json::to_string);
                Json::Array(statements)
            }
            _ => value.clone(),
        };
        normal.insert(key.clone(), value);
    }
    normal.sort_keys();
    Json::Object(normal)
}

fn statement(statement: &Json) -> Json {
    let Json::Object(map) = statement else { return statement.clone() };
    let mut normal = Map::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "Action" | "NotAction" => texts(value, |text| text.to_ascii_lowercase()),
            "Resource" | "NotResource" => texts(value, str::to_owned),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            _ => value.clone(),
        };
        normal.insert(key.clone(), value);
    }
    // No Sid is as good as an empty one.
    if normal.get("Sid").is_some_and(is_empty) {
        normal.remove("Sid");
    }
    normal.sort_keys();
    Json::Object(normal)
}

fn principal(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut normal: Map<String, Json> =
                map.iter().map(|(kind, ids)| (kind.clone(), texts(ids, account_root))).collect();
            normal.sort_keys();
            Json::Object(normal)
        }
        // `*` is everybody, as `{"AWS": "*"}` is.
        Json::String(text) => serde_json::json!({ "AWS": [text] }),
        other => other.clone(),
    }
}

/// `arn:aws:iam::111122223333:root` → `111122223333`: IAM takes and gives either.
fn account_root(text: &str) -> String {
    let id = text.strip_suffix(":root").and_then(|arn| arn.rsplit(':').next());
    match id {
        Some(id) if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) => id.to_owned(),
        _ => text.to_owned(),
    }
}

fn condition(value: &Json) -> Json {
    let Json::Object(operators) = value else { return value.clone() };
    let mut normal = Map::new();
    for (operator, keys) in operators {
        let keys = match keys {
            Json::Object(keys) => {
                let mut keys: Map<String, Json> =
                    keys.iter().map(|(key, values)| (key.clone(), texts(values, str::to_owned))).collect();
                keys.sort_keys();
                Json::Object(keys)
            }
            other => other.clone(),
        };
        normal.insert(operator.clone(), keys);
    }
    normal.sort_keys();
    Json::Object(normal)
}

/// A list of texts, sorted, each once.
fn texts(value: &Json, form: impl Fn(&str) -> String) -> Json {
    let mut texts: Vec<String> =
        listed(value).iter().map(|item| form(&scalar(item).unwrap_or_else(|| item.to_string()))).collect();
    texts.sort();
    texts.dedup();
    texts.into()
}

fn listed(value: &Json) -> &[Json] {
    match value {
        Json::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mean_the_same(one: Json, other: Json) -> bool {
        same(&normal(&one), &normal(&other))
    }

    #[test]
    fn scalars() {
        for (one, other, expected) in [
            (json!(80), json!("80"), true),
            (json!(80), json!(80.0), true),
            (json!("0.50"), json!(0.5), true),
            (json!(true), json!("true"), true),
            (json!("012345678901"), json!("12345678901"), false),
            (json!("1e3"), json!("1000"), false),
            (json!("a"), json!("A"), false),
            (json!([]), Json::Null, true),
            (json!({"A": []}), json!({}), true),
            (json!({"A": false}), json!({}), false),
            (json!("123456789012345678"), json!("123456789012345679"), false),
        ] {
            assert_eq!(mean_the_same(one.clone(), other.clone()), expected, "{one} {other}");
        }
    }

    fn allow(action: Json, principal: Json) -> Json {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Principal": principal,
            "Resource": "*"}})
    }

    #[test]
    fn policies_by_what_they_allow() {
        let one = allow(json!("s3:GetObject"), json!({"AWS": "arn:aws:iam::111122223333:root"}));
        let other = allow(json!(["s3:getobject"]), json!({"AWS": ["111122223333"]}));
        assert!(mean_the_same(one.clone(), other.clone()));
        assert!(mean_the_same(one.clone(), Json::String(other.to_string())), "as text");
        let two = |first: &Json, second: &Json| json!({"Version": "2012-10-17", "Statement": [first["Statement"], second["Statement"]]});
        let third = allow(json!(["s3:PutObject", "s3:DeleteObject"]), json!("*"));
        let turned = allow(json!(["s3:DeleteObject", "s3:PutObject"]), json!({"AWS": "*"}));
        assert!(mean_the_same(two(&one, &third), two(&turned, &other)));
        assert!(!mean_the_same(one.clone(), third), "another action");
        assert!(!mean_the_same(one, allow(json!("s3:GetObject"), json!("*"))), "another principal");
    }

    #[test]
    fn what_an_application_calls_a_statement_keeps_its_order() {
        let list = |first: &str, second: &str| json!({"Rules": [first, second]});
        assert!(!mean_the_same(list("a", "b"), list("b", "a")));
    }
}
