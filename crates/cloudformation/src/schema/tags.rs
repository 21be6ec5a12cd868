//! Tags of resources: where a type keeps them, and whose they are.

use super::ResourceType;
use serde_json::{Map, Value};

impl ResourceType {
    /// The property that holds a resource's tags; `Tags` where the registry does not say.
    pub fn tags_at(&self) -> &str {
        self.tagging().tag_property.as_ref().map_or("Tags", |path| path.top())
    }

    /// Takes tags away that a resource has and did not declare: AWS's own, and those that its stack puts on all of its
    /// resources. `stack_tag`: the value of the stack's tag with a key. Tags are a list of `{Key, Value}` or a map.
    pub fn forget_stack_tags<'t>(
        &self,
        declared: &Map<String, Value>,
        live: &mut Map<String, Value>,
        stack_tag: impl Fn(&str) -> Option<&'t str>,
    ) {
        let declared = declared.get(self.tags_at());
        let is_declared = |key: &str| match declared {
            Some(Value::Array(tags)) => tags.iter().any(|tag| tag["Key"] == key),
            Some(Value::Object(tags)) => tags.contains_key(key),
            _ => false,
        };
        let is_stacks = |key: &str, value: &Value| {
            let same = || stack_tag(key).is_some_and(|own| value.as_str() == Some(own));
            !is_declared(key) && (key.starts_with("aws:") || same())
        };
        match live.get_mut(self.tags_at()) {
            Some(Value::Array(tags)) => {
                tags.retain(|tag| !tag["Key"].as_str().is_some_and(|key| is_stacks(key, &tag["Value"])));
            }
            Some(Value::Object(tags)) => tags.retain(|key, value| !is_stacks(key, value)),
            _ => {}
        }
    }
}
