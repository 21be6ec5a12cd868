//! Dynamic references: `{{resolve:ssm:…}}`, `{{resolve:secretsmanager:…}}`. CloudFormation keeps and shows properties as
//! they are written; only the provider gets what they resolve to.

use super::stage::Ended;
use crate::place::Place;
use crate::world::World;
use cloudformation::evaluate::dynamic::{Target, references};
use serde_json::{Value as Json, json};

/// A value with all dynamic references resolved.
///
/// # Errors
/// The parameter or secret is not there.
pub(crate) async fn resolved(world: &World, place: &Place, value: &Json) -> Result<Json, Ended> {
    // Almost no value has any: looking costs less than copying.
    if !has_references(value) {
        return Ok(value.clone());
    }
    let mut value = value.clone();
    let mut todo: Vec<&mut Json> = vec![&mut value];
    while let Some(next) = todo.pop() {
        match next {
            Json::String(text) => *text = resolve(world, place, text).await?,
            Json::Array(items) => todo.extend(items.iter_mut()),
            Json::Object(members) => todo.extend(members.values_mut()),
            _ => {}
        }
    }
    Ok(value)
}

fn has_references(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains("{{resolve:"),
        Json::Array(items) => items.iter().any(has_references),
        Json::Object(members) => members.values().any(has_references),
        _ => false,
    }
}

async fn resolve(world: &World, place: &Place, text: &str) -> Result<String, Ended> {
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for found in references(text) {
        result.push_str(&text[end..found.start]);
        result.push_str(&look_up(world, place, &found.target).await?);
        end = found.end;
    }
    result.push_str(&text[end..]);
    Ok(result)
}

async fn look_up(world: &World, place: &Place, target: &Target) -> Result<String, Ended> {
    match target {
        Target::Ssm { name, version } | Target::SsmSecure { name, version } => {
            let name = version.as_ref().map_or_else(|| name.clone(), |version| format!("{name}:{version}"));
            let missing =
                || Ended::failed(format!("Unable to fetch parameters [{name}] from parameter store for this account."));
            parameter(world, place, &name).await.ok_or_else(missing)
        }
        Target::SecretsManager { secret_id, json_key, version_stage, version_id } => {
            let mut input = json!({ "SecretId": secret_id });
            let more = [("VersionStage", version_stage), ("VersionId", version_id)];
            for (key, value) in more.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))) {
                input[key] = json!(value);
            }
            let found = world.services.json(place, "secretsmanager", "GetSecretValue", &input).await;
            let found = found.map_err(|error| Ended::failed(error.message))?;
            let text = found["SecretString"].as_str().unwrap_or_default();
            let Some(key) = json_key else { return Ok(text.to_owned()) };
            let missing =
                || Ended::failed(format!("Could not find a value associated with JSONKey in SecretString: {key}"));
            let secret: Json = serde_json::from_str(text)
                .map_err(|_| Ended::failed(format!("Could not parse SecretString JSON of the secret {secret_id}")))?;
            match secret.get(key).ok_or_else(missing)? {
                Json::String(text) => Ok(text.clone()),
                other => Ok(other.to_string()),
            }
        }
    }
}

/// The value of an SSM parameter; `None` if there is none.
async fn parameter(world: &World, place: &Place, name: &str) -> Option<String> {
    Some(typed_parameter(world, place, name).await?.0)
}

/// The value of an SSM parameter and its type (`String`, `StringList`, `SecureString`); `None` if there is none.
pub(crate) async fn typed_parameter(world: &World, place: &Place, name: &str) -> Option<(String, String)> {
    let input = json!({ "Name": name, "WithDecryption": true });
    let found = world.services.json(place, "ssm", "GetParameter", &input).await.ok()?;
    let member = |name: &str| found["Parameter"][name].as_str().map(str::to_owned);
    Some((member("Value")?, member("Type")?))
}
