//! By which identifier Cloud Control knows a resource of a stack.
//!
//! CloudFormation's physical id is what `Ref` gives, Cloud Control's is made of the parts of the type's primary identifier,
//! joined by `|`. Often they are the same; else the parts are put together from what the template declares.

use crate::aws::cloudformation::StackResource;
use cloudformation::schema::resource_type;
use serde_json::Value as Json;

/// An identifier, and whether it names this resource and no other for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    pub text: String,
    pub sure: bool,
}

/// None for a type that Cloud Control does not read, and where a part is not known.
pub fn identifier(resource: &StackResource, declared: Option<&Json>) -> Option<Identifier> {
    let known = resource_type(&resource.resource_type).filter(|known| known.has_handler("read"))?;
    let physical = resource.physical_id.as_deref()?;
    let parts = known.primary_identifier();
    if parts.len() < 2 || physical.split('|').count() == parts.len() {
        return Some(Identifier { text: physical.to_owned(), sure: true });
    }
    let mut by_service = 0;
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        let declared = part.segments().try_fold(declared?, |value, segment| value.get(segment));
        match declared {
            Some(Json::String(text)) => texts.push(text.clone()),
            Some(Json::Number(number)) => texts.push(number.to_string()),
            // What is left out and need not be there is empty.
            _ if !known.is_read_only(&part.dotted()) => texts.push(String::new()),
            // What the service gives is what the stack calls the resource, as long as it is one part only.
            _ => {
                by_service += 1;
                texts.push(physical.to_owned());
            }
        }
    }
    (by_service < 2).then(|| Identifier { text: texts.join("|"), sure: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn identifiers() {
        let of = |resource_type: &str, physical: &str, declared: Json| {
            let resource = StackResource {
                logical_id: "It".to_owned(),
                physical_id: Some(physical.to_owned()),
                resource_type: resource_type.to_owned(),
                status: "CREATE_COMPLETE".to_owned(),
                reason: None,
            };
            identifier(&resource, Some(&declared)).map(|found| (found.text, found.sure))
        };
        let some = |text: &str, sure| Some((text.to_owned(), sure));
        assert_eq!(of("AWS::S3::Bucket", "logs", json!({})), some("logs", true));
        assert_eq!(of("AWS::ECS::Service", "arn:service", json!({"Cluster": "main"})), some("arn:service|main", false));
        assert_eq!(of("AWS::WAFv2::WebACL", "a|b|REGIONAL", json!({})), some("a|b|REGIONAL", true));
        assert_eq!(
            of("AWS::EC2::Route", "rtb-1|0.0.0.0/0", json!({"RouteTableId": "rtb-1"})),
            some("rtb-1|0.0.0.0/0", true)
        );
        assert_eq!(of("AWS::EC2::EIP", "203.0.113.7", json!({})), None, "two parts that only the service knows");
        let alias = json!({"Name": "example.com", "HostedZoneId": "Z1", "Type": "AAAA"});
        assert_eq!(of("AWS::Route53::RecordSet", "example.com", alias), some("example.com|Z1|AAAA|", false));
    }
}
