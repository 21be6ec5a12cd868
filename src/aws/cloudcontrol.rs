//! Cloud Control: resources as they are, whatever their type.

use super::Result;
use super::error::{Call, Explain};
use super::failure;
use aws_sdk_cloudcontrol::Client;
use serde_json::Value as Json;

#[derive(Clone)]
pub struct CloudControl {
    client: Client,
}

/// What a look at a resource gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Its properties, with those that only the service sets.
    Found(Json),
    /// There is none of this type and identifier.
    Gone,
    /// Cloud Control cannot read this type. Its words.
    Unsupported(String),
}

impl CloudControl {
    pub(super) fn new(client: Client) -> CloudControl {
        CloudControl { client }
    }

    /// The resource as it is. `identifier`: the parts of its primary identifier, joined by `|`.
    pub async fn read(&self, type_name: &str, identifier: &str) -> Result<Reading> {
        // Cloud Control's permissions are CloudFormation's.
        let call = || Call::new("cloudformation", "GetResource", format!("read {type_name} `{identifier}`"));
        let request = self.client.get_resource().type_name(type_name).identifier(identifier);
        let answer = match request.send().await.explain(call) {
            Ok(answer) => answer,
            Err(error) => {
                let Some(failure) = failure(&error) else { return Err(error) };
                return match failure.code.as_str() {
                    "ResourceNotFoundException" => Ok(Reading::Gone),
                    "TypeNotFoundException" | "UnsupportedActionException" => {
                        Ok(Reading::Unsupported(failure.message.clone()))
                    }
                    _ => Err(error),
                };
            }
        };
        let properties = answer.resource_description.and_then(|description| description.properties);
        let properties = properties.and_then(|text| serde_json::from_str(&text).ok());
        Ok(properties.map_or_else(|| Reading::Unsupported("no properties were given".to_owned()), Reading::Found))
    }
}
