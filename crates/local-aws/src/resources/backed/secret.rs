//! `AWS::SecretsManager::Secret`.
//!
//! The service draws the end of a secret's ARN itself; here the physical id is drawn before the secret is made. The service
//! finds it by either ([`crate::services::secrets`]).

use super::{Backing, Change};
use crate::resources::Failure;
use crate::resources::model::Properties;
use crate::services::secrets;
use serde_json::{Value as Json, json};

const SERVICE: &str = "secretsmanager";
/// Characters that a generated secret is drawn from, those of GetRandomPassword.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

pub(super) async fn create(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    let mut input = json!({ "Name": name(backing), "ClientRequestToken": backing.world.ids.uuid() });
    for member in ["Description", "KmsKeyId", "Tags"] {
        if let Some(value) = properties.get(member) {
            input[member] = value.clone();
        }
    }
    let text = properties.get("SecretString").and_then(Json::as_str).map(str::to_owned);
    input["SecretString"] = match (text, properties.get("GenerateSecretString")) {
        (Some(text), _) => json!(text),
        (None, Some(wish)) => json!(generate(backing, wish)?),
        (None, None) => Json::Null,
    };
    if input["SecretString"].is_null() {
        input.as_object_mut().map(|input| input.remove("SecretString"));
    }
    backing.ask(SERVICE, "CreateSecret", input).await.map(|_| ())
}

pub(super) async fn update(backing: &Backing<'_>, change: &Change<'_>) -> Result<(), Failure> {
    let mut input = json!({ "SecretId": name(backing), "ClientRequestToken": backing.world.ids.uuid() });
    let mut changes = false;
    for member in ["Description", "KmsKeyId", "SecretString"] {
        if let Some(value) = change.of(member) {
            input[member] = value.cloned().unwrap_or(json!(""));
            changes = true;
        }
    }
    if let Some(Some(wish)) = change.of("GenerateSecretString") {
        input["SecretString"] = json!(generate(backing, wish)?);
        changes = true;
    }
    if changes {
        backing.ask(SERVICE, "UpdateSecret", input).await?;
    }
    let (set, gone) = change.tags();
    if !gone.is_empty() {
        backing.ask(SERVICE, "UntagResource", json!({ "SecretId": name(backing), "TagKeys": gone })).await?;
    }
    if !set.is_empty() {
        backing.ask(SERVICE, "TagResource", json!({ "SecretId": name(backing), "Tags": set })).await?;
    }
    Ok(())
}

pub(super) async fn delete(backing: &Backing<'_>) -> Result<(), Failure> {
    let input = json!({ "SecretId": name(backing), "ForceDeleteWithoutRecovery": true });
    backing.remove(SERVICE, "DeleteSecret", input).await
}

pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    let found = backing.call(SERVICE, "DescribeSecret", json!({ "SecretId": name(backing) })).await.ok()?;
    if found.get("DeletedDate").is_some_and(|date| !date.is_null()) {
        return None;
    }
    let mut observed = Properties::new();
    for member in ["Name", "Description", "KmsKeyId"] {
        if let Some(value) = found.get(member).filter(|value| value.as_str().is_some_and(|text| !text.is_empty())) {
            observed.insert(member.to_owned(), value.clone());
        }
    }
    let tags = super::tags(&found["Tags"], "Key", "Value");
    if let Some(tags) = tags.filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty())) {
        observed.insert("Tags".to_owned(), tags);
    }
    Some(observed)
}

fn name<'b>(backing: &'b Backing<'_>) -> &'b str {
    secrets::name(backing.physical_id).unwrap_or(backing.physical_id)
}

/// What `GenerateSecretString` asks for.
fn generate(backing: &Backing<'_>, wish: &Json) -> Result<String, Failure> {
    let excluded = wish["ExcludeCharacters"].as_str().unwrap_or_default();
    let asks = |member: &str| wish[member] == true;
    let mut classes: Vec<String> = Vec::new();
    let mut class = |member: &str, characters: &str| {
        let kept: String = characters.chars().filter(|character| !excluded.contains(*character)).collect();
        if !asks(member) && !kept.is_empty() {
            classes.push(kept);
        }
    };
    class("ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz");
    class("ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    class("ExcludeNumbers", "0123456789");
    class("ExcludePunctuation", PUNCTUATION);
    if asks("IncludeSpace") {
        classes.push(" ".to_owned());
    }
    let length = usize::try_from(wish["PasswordLength"].as_u64().unwrap_or(32)).unwrap_or(32);
    if classes.is_empty() || length < classes.len() {
        let message = "The password length is too small for the character types that it must have.";
        return Err(Failure::handler(backing.world, "SecretsManager", message, 400, "InvalidRequest"));
    }
    let ids = &backing.world.ids;
    let pick = |from: &str| {
        let characters: Vec<char> = from.chars().collect();
        characters[usize::try_from(ids.below(characters.len() as u64)).unwrap_or(0)]
    };
    let all = classes.concat();
    // One of each class, then any; a place is drawn for each.
    let mut password: Vec<char> = Vec::with_capacity(length);
    for at in 0..length {
        let character = classes.get(at).map_or_else(|| pick(&all), |class| pick(class));
        let place = usize::try_from(ids.below(password.len() as u64 + 1)).unwrap_or(0);
        password.insert(place, character);
    }
    let password: String = password.into_iter().collect();
    match (wish["SecretStringTemplate"].as_str(), wish["GenerateStringKey"].as_str()) {
        (Some(template), Some(key)) => {
            let refuse = |_| {
                let message = "Could not parse SecretStringTemplate JSON.";
                Failure::handler(backing.world, "SecretsManager", message, 400, "InvalidRequest")
            };
            let mut document: serde_json::Map<String, Json> = serde_json::from_str(template).map_err(refuse)?;
            document.insert(key.to_owned(), json!(password));
            Ok(Json::Object(document).to_string())
        }
        _ => Ok(password),
    }
}
