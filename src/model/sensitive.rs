//! Secrets that this run has met: whoever reads or is given one says so here, and nothing that is printed or written below
//! the project shows it any more. What is sensitive, `cloudformation::sensitive` decides; this remembers the texts.
//!
//! They are the process's, not a value that is handed on: the sentence of AWS that quotes a password, or a line that a
//! builder prints, reaches people by ways that know of no template.

use cloudformation::sensitive::{
    HIDDEN, Literal, Properties, Template, has_reference, is_name, is_secret_output, text,
};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

/// The longest first, so that none is cut by a shorter one inside of it.
static MET: RwLock<BTreeSet<Met>> = RwLock::new(BTreeSet::new());

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    length: std::cmp::Reverse<usize>,
    text: String,
}

/// Names that stand in the open, whatever else is called so: of stacks, images, packages.
static OPEN: RwLock<BTreeSet<String>> = RwLock::new(BTreeSet::new());

/// Shorter texts stand in too much that is none of them; they are hidden where they stand only.
const SHORTEST: usize = 6;
/// A single word of a language is hidden everywhere from this length on.
const LONGEST_WORD: usize = 12;

/// What CloudFormation shows instead of a NoEcho parameter's value.
pub const MASKED: &str = "****";

/// Takes note of a name that is no secret, also where an input that is called one has it: `secret: api-secret` names a stack.
pub fn open(name: &str) {
    OPEN.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    MET.write().unwrap_or_else(PoisonError::into_inner).retain(|met| met.text != name);
}

/// Takes note of a secret.
pub fn learn(secret: &str) {
    let secret = secret.trim();
    if let Ok(document @ (Json::Object(_) | Json::Array(_))) = serde_json::from_str::<Json>(secret) {
        let mut named = Vec::new();
        leaves(&document, false, &mut named);
        if named.is_empty() {
            leaves(&document, true, &mut named);
        }
        named.into_iter().for_each(add);
    }
    if secret.lines().count() > 1 {
        secret.lines().map(str::trim).filter(|line| line.len() >= 16 && !line.starts_with("-----")).for_each(add);
    }
    add(secret);
}

/// Takes note of the secrets that stand in a template (JSON).
pub fn learn_template(template: &str) {
    if let Ok(template) = serde_json::from_str::<Json>(template) {
        learn_literals(&Template(&template).literals());
    }
}

pub fn learn_literals(literals: &[Literal]) {
    literals.iter().for_each(|literal| learn(&literal.text));
}

/// Takes note of a value under a name that says that it is secret, and of such inside of it.
pub fn learn_named(name: &str, value: &Json) {
    let all = Json::Object([(name.to_owned(), value.clone())].into_iter().collect());
    learn_literals(&Properties::of_nothing().literals(&all));
}

/// Takes note of the secrets in a file's lines (`password: …`), before anybody has understood it.
pub fn learn_source(source: &str) {
    // A template's manifest says in sentences what its inputs and outputs are.
    let body = source.split_once("\n---\n").map_or(source, |(_, body)| body);
    text::secrets_of_settings(body).iter().for_each(|secret| learn(secret));
}

/// Takes note of the password in an address.
pub fn learn_url(url: &str) {
    let _ = text::urls(url, &mut |secret| learn(secret));
}

/// Takes note of what a stack has: the secrets of its template, the parameters that hold one and the outputs that give one.
pub fn learn_stack(template: Option<&str>, parameters: &BTreeMap<String, String>, outputs: &BTreeMap<String, String>) {
    let template: Option<Json> = template.and_then(|template| serde_json::from_str(template).ok());
    if let Some(template) = &template {
        learn_literals(&Template(template).literals());
    }
    parameters.iter().filter(|(name, value)| is_secret(name, value)).for_each(|(_, value)| learn(value));
    let gives = |name: &str| template.as_ref().is_some_and(|template| is_secret_output(template, name));
    outputs.iter().filter(|(name, _)| gives(name)).for_each(|(_, value)| learn(value));
}

/// Takes note of what the dynamic references in declared properties came to, as the live ones show it.
pub fn learn_resolved(declared: &Json, live: &Json) {
    match (declared, live) {
        (Json::String(declared), Json::String(live)) if has_reference(declared) && declared != live => {
            let before = declared.split("{{resolve:").next().unwrap_or_default();
            let after = declared.rsplit("}}").next().unwrap_or_default();
            let inner = live.strip_prefix(before).and_then(|live| live.strip_suffix(after));
            learn(inner.unwrap_or(live));
        }
        (Json::Object(declared), Json::Object(live)) => {
            declared
                .iter()
                .filter_map(|(name, one)| Some((one, live.get(name)?)))
                .for_each(|(one, live)| learn_resolved(one, live));
        }
        (Json::Array(declared), Json::Array(live)) => {
            declared.iter().zip(live).for_each(|(one, live)| learn_resolved(one, live));
        }
        _ => {}
    }
}

/// Whether a value is secret by its name, or holds what is.
pub fn is_secret(name: &str, value: &str) -> bool {
    (is_name(name) && !text::is_open(value)) || holds(value)
}

/// The value, or the words that stand for one that nobody may see.
pub fn shown(name: &str, value: &str) -> String {
    match is_name(name) && !text::is_open(value) {
        true => HIDDEN.to_owned(),
        false => hide(value).into_owned(),
    }
}

/// Outputs as they may be shown and remembered, by what the stack's template says of them.
pub fn outputs(template: &str, outputs: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let template: Json = serde_json::from_str(template).unwrap_or_default();
    let one = |(name, value): (&String, &String)| {
        let hidden = (is_secret_output(&template, name) && !text::is_open(value)) || holds(value);
        (name.clone(), if hidden { HIDDEN.to_owned() } else { value.clone() })
    };
    outputs.iter().map(one).collect()
}

/// A template (JSON) without its secrets; borrowed where it has none.
pub fn template(template: &str) -> Cow<'_, str> {
    let Ok(parsed) = serde_json::from_str::<Json>(template) else { return hide(template) };
    let hidden = Template(&parsed).hide();
    match hidden == parsed {
        true => hide(template),
        false => Cow::Owned(hide(&hidden.to_string()).into_owned()),
    }
}

/// Whether a text holds a secret that was met.
pub fn holds(text: &str) -> bool {
    matches!(hide(text), Cow::Owned(_))
}

/// The text without the secrets that were met, and without passwords in addresses.
pub fn hide(text: &str) -> Cow<'_, str> {
    let met = MET.read().unwrap_or_else(PoisonError::into_inner);
    let mut hidden = text::hide_urls(text);
    for Met { text: secret, .. } in met.iter() {
        if let Some(replaced) = replaced(&hidden, secret) {
            hidden = Cow::Owned(replaced);
        }
    }
    hidden
}

fn add(secret: &str) {
    let named = || OPEN.read().unwrap_or_else(PoisonError::into_inner).contains(secret);
    if text::is_open(secret) || !is_telling(secret) || named() {
        return;
    }
    let in_json = Json::from(secret).to_string();
    let in_json = in_json[1..in_json.len() - 1].to_owned();
    let twice = Json::from(in_json.as_str()).to_string();
    let twice = twice[1..twice.len() - 1].to_owned();
    let mut met = MET.write().unwrap_or_else(PoisonError::into_inner);
    for text in [secret.to_owned(), in_json, twice] {
        met.insert(Met { length: std::cmp::Reverse(text.len()), text });
    }
}

/// Whether a text can be told from the words around it. `postgres` and `required` are words that stand in the open, too.
fn is_telling(secret: &str) -> bool {
    let lower = secret.chars().skip(1).all(char::is_lowercase);
    let is_word = secret.chars().all(char::is_alphabetic) && (lower || secret.chars().all(char::is_uppercase));
    secret.len() >= SHORTEST && !(is_word && secret.len() < LONGEST_WORD)
}

/// The texts of a document: those under a secret's name, or all of them that are not about something.
fn leaves<'j>(value: &'j Json, all: bool, found: &mut Vec<&'j str>) {
    match value {
        Json::Object(map) => {
            for (name, value) in map {
                match value {
                    Json::String(text) if all || is_name(name) => found.push(text),
                    Json::String(_) => {}
                    other => leaves(other, all || is_name(name), found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| match item {
            Json::String(text) if all => found.push(text),
            other => leaves(other, all, found),
        }),
        _ => {}
    }
}

/// Letters around it make a plain name another one: `shop-token` is not in `shop-tokens`.
fn replaced(text: &str, secret: &str) -> Option<String> {
    if secret.contains(char::is_whitespace) {
        return replaced_loosely(text, secret);
    }
    if !text.contains(secret) {
        return None;
    }
    let plain = secret.chars().all(|c| c.is_lowercase() || matches!(c, '-' | '_' | '/' | '.'));
    let is_part = |c: Option<char>| plain && c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut any = false;
    for (at, _) in text.match_indices(secret) {
        let end = at + secret.len();
        if is_part(text[..at].chars().next_back()) || is_part(text[end..].chars().next()) {
            continue;
        }
        any = true;
        out.push_str(&text[from..at]);
        out.push_str(HIDDEN);
        from = end;
    }
    out.push_str(&text[from..]);
    any.then_some(out)
}

/// Spaces in a secret may have become line breaks.
fn replaced_loosely(text: &str, secret: &str) -> Option<String> {
    let words: Vec<&str> = secret.split_whitespace().collect();
    let (first, rest) = words.split_first()?;
    let mut out = String::new();
    let mut from = 0;
    for (at, _) in text.match_indices(first) {
        if at < from {
            continue;
        }
        let after = rest.iter().try_fold(&text[at + first.len()..], |text, word| {
            let trimmed = text.trim_start();
            (trimmed.len() < text.len()).then(|| trimmed.strip_prefix(word)).flatten()
        });
        if let Some(after) = after {
            out.push_str(&text[from..at]);
            out.push_str(HIDDEN);
            from = text.len() - after.len();
        }
    }
    out.push_str(&text[from..]);
    (from > 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_met_is_hidden_wherever_it_stands() {
        learn("zk4-Met-Canary");
        learn(r#"{"username": "zk4-user-name", "password": "zk4 \"quoted\" pass"}"#);
        learn("zk4 staple of words");
        assert_eq!(hide("AWS says: `zk4-Met-Canary` is wrong"), "AWS says: `(sensitive)` is wrong");
        assert_eq!(hide("a zk4-user-name"), "a zk4-user-name");
        assert_eq!(hide(&json!({"m": "is zk4 \"quoted\" pass"}).to_string()), r#"{"m":"is (sensitive)"}"#);
        assert_eq!(hide("it is zk4 staple\n  of words, it is"), "it is (sensitive), it is");
        assert!(matches!(hide("nothing to see"), Cow::Borrowed(_)));
        assert_eq!(hide("no answer from http://u:pw@127.0.0.1:1"), "no answer from http://u:(sensitive)@127.0.0.1:1");
    }

    #[test]
    fn words_are_not_hidden_everywhere() {
        for word in ["required", "postgres", "Enabled", "abc", "12345", "arn:aws:s3:::x", "${Other}"] {
            learn(word);
            assert_eq!(hide(word), word);
        }
        learn("zkfive/plain-name");
        assert_eq!(hide("zkfive/plain-names and zkfive/plain-name"), "zkfive/plain-names and (sensitive)");
    }

    #[test]
    fn names_in_the_open_are_no_secrets() {
        learn("zk7-stack-secret");
        open("zk7-stack-secret");
        learn("zk7-stack-secret");
        assert_eq!(hide("zk7-stack-secret: update"), "zk7-stack-secret: update");
    }

    #[test]
    fn what_references_came_to() {
        let declared =
            json!({"A": "x-{{resolve:ssm:/a}}-y", "B": ["{{resolve:secretsmanager:s}}"], "C": "zk6-plain-one"});
        learn_resolved(&declared, &json!({"A": "x-zk6-inner-1-y", "B": ["zk6-whole-2"], "C": "zk6-plain-one"}));
        assert_eq!(hide("zk6-inner-1 zk6-whole-2 zk6-plain-one"), "(sensitive) (sensitive) zk6-plain-one");
    }

    #[test]
    fn outputs_are_remembered_without_secrets() {
        let template = json!({"Outputs": {"Key": {"Value": {"Fn::GetAtt": ["K", "SecretAccessKey"]}}, "Id": {"Value": {"Ref": "K"}}},
            "Resources": {"K": {"Type": "AWS::IAM::AccessKey"}}});
        let live = BTreeMap::from([("Key".to_owned(), "k".to_owned()), ("Id".to_owned(), "i".to_owned())]);
        let shown = outputs(&template.to_string(), &live);
        assert_eq!([&shown["Key"], &shown["Id"]], ["(sensitive)", "i"]);
    }
}
