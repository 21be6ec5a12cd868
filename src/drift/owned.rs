//! Values that auto scaling sets: the template only says what they were at the beginning.

use super::compare::Declared;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What the scalable targets and scaling policies of an environment own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owned {
    /// `ecs:service:DesiredCount` and the like, with what it is of: `service/main/api`.
    targets: BTreeSet<(String, String)>,
    /// Groups of instances with a scaling policy, by name.
    groups: BTreeSet<String>,
}

const BECAUSE: &str = "auto scaling sets it";

impl Owned {
    /// Takes note of a resource of any stack of the environment.
    pub fn note(&mut self, resource_type: &str, declared: &Declared) {
        let text = |name: &str| declared.properties.get(name).and_then(Json::as_str).map(str::to_owned);
        match resource_type {
            "AWS::ApplicationAutoScaling::ScalableTarget" => {
                if let (Some(dimension), Some(of)) = (text("ScalableDimension"), text("ResourceId")) {
                    self.targets.insert((dimension, of));
                }
            }
            "AWS::AutoScaling::ScalingPolicy" | "AWS::AutoScaling::ScheduledAction" => {
                self.groups.extend(text("AutoScalingGroupName"));
            }
            _ => {}
        }
    }

    /// Why the property is not the template's to set, if so.
    pub fn because(
        &self,
        resource_type: &str,
        physical_id: &str,
        pointer: &str,
        properties: &BTreeMap<&str, &Json>,
    ) -> Option<&'static str> {
        let owned = match (resource_type, pointer) {
            ("AWS::ECS::Service", "/DesiredCount") => self.has("ecs:service:DesiredCount", |of| {
                // `service/<cluster>/<service>`, and the physical id ends the same way.
                of.strip_prefix("service/").is_some_and(|path| {
                    physical_id.ends_with(&format!(":service/{path}"))
                        || (physical_id == path.rsplit('/').next().unwrap_or(path))
                })
            }),
            ("AWS::DynamoDB::Table", _) if pointer.starts_with("/ProvisionedThroughput/") => {
                let table = format!("table/{physical_id}");
                self.has(&format!("dynamodb:table:{}", last(pointer)), |of| of == table)
            }
            ("AWS::DynamoDB::Table", _) if pointer.starts_with("/GlobalSecondaryIndexes/") => {
                let index = properties
                    .get("GlobalSecondaryIndexes")
                    .and_then(|all| all.get(pointer.split('/').nth(2)?.parse::<usize>().ok()?))
                    .and_then(|index| index.get("IndexName")?.as_str());
                let of_index = index.map(|index| format!("table/{physical_id}/index/{index}"));
                self.has(&format!("dynamodb:index:{}", last(pointer)), |of| Some(of) == of_index.as_deref())
            }
            ("AWS::AutoScaling::AutoScalingGroup", "/DesiredCapacity") => self.groups.contains(physical_id),
            ("AWS::Lambda::Alias", _) if pointer.starts_with("/ProvisionedConcurrencyConfig") => {
                let is_alias = |of: &str| {
                    of.strip_prefix("function:").is_some_and(|path| physical_id.ends_with(&format!(":{path}")))
                };
                self.has("lambda:function:ProvisionedConcurrency", is_alias)
            }
            _ => false,
        };
        owned.then_some(BECAUSE)
    }

    fn has(&self, dimension: &str, of: impl Fn(&str) -> bool) -> bool {
        self.targets.iter().any(|(known, resource)| known == dimension && of(resource))
    }
}

fn last(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn owned(resources: &[(&str, Json)]) -> Owned {
        let mut owned = Owned::default();
        for (resource_type, properties) in resources {
            let declared = Declared { properties: properties.clone(), unknown: Vec::new(), sensitive: Vec::new() };
            owned.note(resource_type, &declared);
        }
        owned
    }

    #[test]
    fn what_scaling_owns() {
        let target = |of: &str, dimension: &str| {
            ("AWS::ApplicationAutoScaling::ScalableTarget", json!({"ResourceId": of, "ScalableDimension": dimension}))
        };
        let owned = owned(&[
            target("service/main/api", "ecs:service:DesiredCount"),
            target("table/items", "dynamodb:table:ReadCapacityUnits"),
            target("table/items/index/by-day", "dynamodb:index:WriteCapacityUnits"),
            ("AWS::AutoScaling::ScalingPolicy", json!({"AutoScalingGroupName": "workers"})),
        ]);
        let indexes = json!([{"IndexName": "by-owner"}, {"IndexName": "by-day"}]);
        let properties = BTreeMap::from([("GlobalSecondaryIndexes", &indexes)]);
        let service = |name: &str| format!("arn:aws:ecs:us-east-1:111122223333:service/main/{name}");
        for (resource_type, id, pointer, expected) in [
            ("AWS::ECS::Service", service("api"), "/DesiredCount", true),
            ("AWS::ECS::Service", service("other-api"), "/DesiredCount", false),
            ("AWS::ECS::Service", service("api"), "/TaskDefinition", false),
            ("AWS::DynamoDB::Table", "items".to_owned(), "/ProvisionedThroughput/ReadCapacityUnits", true),
            ("AWS::DynamoDB::Table", "items".to_owned(), "/ProvisionedThroughput/WriteCapacityUnits", false),
            (
                "AWS::DynamoDB::Table",
                "items".to_owned(),
                "/GlobalSecondaryIndexes/1/ProvisionedThroughput/WriteCapacityUnits",
                true,
            ),
            (
                "AWS::DynamoDB::Table",
                "items".to_owned(),
                "/GlobalSecondaryIndexes/0/ProvisionedThroughput/WriteCapacityUnits",
                false,
            ),
            ("AWS::AutoScaling::AutoScalingGroup", "workers".to_owned(), "/DesiredCapacity", true),
            ("AWS::AutoScaling::AutoScalingGroup", "workers".to_owned(), "/MaxSize", false),
        ] {
            let found = owned.because(resource_type, &id, pointer, &properties).is_some();
            assert_eq!(found, expected, "{resource_type} {id} {pointer}");
        }
    }
}
