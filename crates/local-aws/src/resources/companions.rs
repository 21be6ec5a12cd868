//! What a service makes for a resource in another service: secrets for passwords that it manages itself.

use super::Failure;
use super::backed::Backing;
use super::model::{self, Properties};
use crate::services::secrets;
use cloudformation::schema::PropertyPath;
use serde_json::{Value as Json, json};

/// Type, attribute with the ARN of the secret, property with the user's name.
///
/// Source: "Password management with AWS Secrets Manager" in the user guides of RDS and Redshift, and "Connections for
/// API targets" in that of EventBridge.
const SECRETS: &[(&str, &str, &str)] = &[
    ("AWS::Events::Connection", "SecretArn", "AuthorizationType"),
    ("AWS::RDS::DBCluster", "MasterUserSecret/SecretArn", "MasterUsername"),
    ("AWS::RDS::DBInstance", "MasterUserSecret/SecretArn", "MasterUsername"),
    ("AWS::Redshift::Cluster", "MasterPasswordSecretArn", "MasterUsername"),
    ("AWS::RedshiftServerless::Namespace", "Namespace/AdminPasswordSecretArn", "AdminUsername"),
];

/// Makes what the resource has now and had not before, and deletes what it has no more.
///
/// # Errors
/// What the other service refuses.
pub(super) async fn update(backing: &Backing<'_>, before: &Properties, after: &Properties) -> Result<(), Failure> {
    let (old, new) = (secret(backing.type_name, before), secret(backing.type_name, after));
    if old == new {
        return Ok(());
    }
    if let Some((name, _)) = old {
        let input = json!({ "SecretId": name, "ForceDeleteWithoutRecovery": true });
        backing.remove("secretsmanager", "DeleteSecret", input).await?;
    }
    if let Some((name, user)) = new {
        let value = json!({ "username": user, "password": backing.world.ids.alphanumeric(32) });
        let token = backing.world.ids.uuid();
        let input = json!({ "Name": name, "ClientRequestToken": token, "SecretString": value.to_string() });
        backing.ask("secretsmanager", "CreateSecret", input).await?;
    }
    Ok(())
}

/// The name of the secret and that of the user in it.
fn secret<'p>(type_name: &str, properties: &'p Properties) -> Option<(&'p str, &'p str)> {
    let (_, path, user) = SECRETS.iter().find(|(name, ..)| *name == type_name)?;
    let arn = model::get(properties, &PropertyPath::new(path))?.as_str()?;
    let user = properties.get(*user).and_then(Json::as_str).unwrap_or("admin");
    Some((secrets::name(arn)?, user))
}
