//! What an evaluation needs to know besides the template.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

/// The value given to a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterValue {
    Known(String),
    /// To be known later, as the output of a stack that is not applied yet.
    Unknown,
}

impl From<&str> for ParameterValue {
    fn from(text: &str) -> Self {
        ParameterValue::Known(text.to_owned())
    }
}

impl From<String> for ParameterValue {
    fn from(text: String) -> Self {
        ParameterValue::Known(text)
    }
}

/// Where a stack stands: the values of the pseudo parameters. What is `None` is known after the deployment only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    pub account_id: Option<String>,
    pub region: Option<String>,
    pub partition: Option<String>,
    pub url_suffix: Option<String>,
    pub stack_name: Option<String>,
    pub stack_id: Option<String>,
    pub notification_arns: Vec<String>,
    /// The names of the availability zones of this region for `Fn::GetAZs`, in order; empty: not known.
    pub availability_zones: Vec<String>,
}

impl Default for Environment {
    /// Nothing is known but the partition `aws`.
    fn default() -> Self {
        Environment {
            account_id: None,
            region: None,
            partition: Some("aws".to_owned()),
            url_suffix: Some("amazonaws.com".to_owned()),
            stack_name: None,
            stack_id: None,
            notification_arns: Vec::new(),
            availability_zones: Vec::new(),
        }
    }
}

/// What is known of the account beside the template. All of it is optional: what is missing is unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Values of SSM parameters by name.
    #[serde(deserialize_with = "or_empty")]
    pub ssm: IndexMap<String, String>,
    /// Values of exports by name.
    #[serde(deserialize_with = "or_empty")]
    pub exports: IndexMap<String, String>,
    /// Outputs of other stacks for `Fn::GetStackOutput`: stack name → output → value.
    #[serde(deserialize_with = "or_empty")]
    pub stack_outputs: IndexMap<String, IndexMap<String, String>>,
    /// What the parameters of types such as `AWS::EC2::VPC::Id` name, for `Fn::ValueOf`: physical id → attribute
    /// (`VpcId`, `Tags.Name`) → value.
    #[serde(deserialize_with = "or_empty")]
    pub named: IndexMap<String, IndexMap<String, String>>,
    /// The stack's own resources by logical id.
    #[serde(deserialize_with = "or_empty")]
    pub resources: IndexMap<String, LiveResource>,
}

/// A resource that exists.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LiveResource {
    #[serde(alias = "PhysicalResourceId")]
    pub physical_id: Option<String>,
    /// What `Fn::GetAtt` gives, by attribute name (`Endpoint.Port` is one name).
    #[serde(alias = "Attributes", deserialize_with = "or_empty")]
    pub attributes: IndexMap<String, Json>,
}

/// Null means the same as nothing.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
