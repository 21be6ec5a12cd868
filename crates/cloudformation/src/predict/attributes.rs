//! The attributes of one resource, evaluated.

use super::change::{Attribute, Context};
use crate::evaluate::{Evaluator, Reads, Resources, Value};
use crate::template::{Expr, Resource};
use indexmap::IndexMap;

/// The attributes of a resource with what they were made of. Numbers and booleans are text, as CloudFormation keeps
/// them.
#[derive(Debug, Clone, Default)]
pub(super) struct Attributes {
    pub values: IndexMap<Attribute, Value>,
    /// Paths start with the attribute: `/Properties/Tags/0`.
    pub reads: Reads,
}

impl Attributes {
    pub(super) fn of(resource: &Resource, id: &str, evaluator: &Evaluator<'_>, resources: &dyn Resources) -> Self {
        let parts: [(Attribute, &Option<Expr>); 6] = [
            (Attribute::Properties, &resource.properties),
            (Attribute::Metadata, &resource.metadata),
            (Attribute::CreationPolicy, &resource.creation_policy),
            (Attribute::UpdatePolicy, &resource.update_policy),
            (Attribute::UpdateReplacePolicy, &resource.update_replace_policy),
            (Attribute::DeletionPolicy, &resource.deletion_policy),
        ];
        let mut found = Attributes::default();
        for (attribute, expr) in parts {
            let name = attribute.as_str();
            let Some(expr) = expr else { continue };
            let evaluated = evaluator.evaluate(expr, resources, &format!("/Resources/{id}/{name}"));
            if evaluated.value == Value::NoValue {
                continue;
            }
            found.values.insert(attribute, evaluated.value.into_text_scalars());
            found.reads.extend(evaluated.reads.below(&format!("/{name}")));
        }
        found.values.entry(Attribute::Properties).or_insert_with(|| Value::Map(IndexMap::new()));
        found
    }

    pub(super) fn properties(&self) -> &Value {
        const NONE: &Value = &Value::Null;
        self.values.get(&Attribute::Properties).unwrap_or(NONE)
    }

    /// The text of a policy, as `Retain`.
    pub(super) fn policy(&self, attribute: Attribute) -> Option<String> {
        self.values.get(&attribute).and_then(Value::as_text)
    }

    pub(super) fn into_context(mut self) -> Context {
        let order = [
            Attribute::Properties,
            Attribute::Metadata,
            Attribute::CreationPolicy,
            Attribute::UpdatePolicy,
            Attribute::UpdateReplacePolicy,
            Attribute::DeletionPolicy,
        ];
        let mut take = |attribute: Attribute| Some((attribute.as_str(), self.values.swap_remove(&attribute)?));
        order.into_iter().filter_map(&mut take).collect()
    }
}
