//! Attributes that keep their value while their resource is changed in place.
//!
//! CloudFormation calls every reader of a changed resource's attribute possibly changed. Most of them never are, and a
//! plan that names them all hides what matters. Should one of these rules be wrong for some attribute, the change set
//! tells, and apply stops before it is executed.

use super::document::Change;
use cloudformation::schema::{ResourceType, resource_type};

/// Whether the attribute is the same after the change as before it.
pub(super) fn stays(change: &Change, attribute: &str) -> bool {
    let in_place = change.action.is_in_place();
    let is_changed = change.properties.iter().any(|property| top(&property.path) == top(attribute));
    in_place
        && !is_changed
        && !is_custom(&change.resource_type)
        && (is_identity(attribute) || resource_type(&change.resource_type).is_some_and(|of| is_fixed(of, attribute)))
}

/// What a custom resource gives is for its maker to say, and what a nested stack gives for its template.
fn is_custom(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::")
        || matches!(resource_type, "AWS::CloudFormation::CustomResource" | "AWS::CloudFormation::Stack")
}

/// Ids and ARNs are given once.
fn is_identity(attribute: &str) -> bool {
    let last = attribute.rsplit('.').next().unwrap_or(attribute);
    matches!(last, "Arn" | "Id" | "Name") || last.ends_with("Arn") || last.ends_with("ARN")
}

/// What identifies the resource, what can only be set when it is made, and what was set and is not among the changes.
fn is_fixed(of: &ResourceType, attribute: &str) -> bool {
    let named = |path: &cloudformation::schema::PropertyPath| path.dotted() == attribute;
    of.primary_identifier().iter().any(named)
        || of.create_only().iter().any(named)
        || (of.property(attribute).is_some() && !of.is_read_only(attribute))
}

fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{ChangeAction, PropertyChange, Recreation, Value, ValueChange};

    fn changed(resource_type: &str, action: ChangeAction, property: &str) -> Change {
        let value = ValueChange::new(Value::text("old"), Value::text("new"));
        Change {
            logical_id: "Thing".to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: None,
            action,
            properties: vec![PropertyChange {
                path: property.to_owned(),
                change: value,
                recreation: Recreation::Never,
            }],
            because: Vec::new(),
            removal: None,
            place: None,
            taken_from: None,
            taken_by: None,
        }
    }

    #[test]
    fn what_stays_and_what_may_change() {
        let modify = ChangeAction::Modify;
        for (resource_type, property, attribute, expected) in [
            ("AWS::ECS::Service", "TaskDefinition", "Name", true),
            ("AWS::ECS::Service", "TaskDefinition", "ServiceArn", true),
            ("AWS::SNS::Topic", "DisplayName", "TopicName", true),
            ("AWS::SNS::Topic", "DisplayName", "DisplayName", false),
            ("AWS::EC2::LaunchTemplate", "LaunchTemplateData.ImageId", "LatestVersionNumber", false),
            ("AWS::EC2::Instance", "InstanceType", "PublicDnsName", false),
            ("AWS::RDS::DBInstance", "Port", "Endpoint.Port", false),
            ("Custom::Anything", "Input", "Result", false),
            ("AWS::CloudFormation::Stack", "Parameters", "Outputs.TopicArn", false),
        ] {
            let change = changed(resource_type, modify, property);
            assert_eq!(stays(&change, attribute), expected, "{resource_type} {attribute}");
        }
        assert!(!stays(&changed("AWS::ECS::Service", ChangeAction::MayReplace, "LaunchType"), "Name"));
    }
}
