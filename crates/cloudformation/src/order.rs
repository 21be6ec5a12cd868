//! The order in which resources are created, updated and deleted: dependencies first, deletion in reverse.
//!
//! A resource depends on those it refers to (`Ref`, `Fn::GetAtt`, `Fn::Sub`) and those in `DependsOn`. The order is
//! deterministic: among those that are free to go, the one that the template names first.

use crate::template::{Expr, Function, Problem, Resource, SubPart, Template};
use std::collections::{BTreeSet, HashMap};

/// The resources of a template in dependency order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order<'t> {
    /// Each after all it depends on: the order of creation and update.
    pub creation: Vec<&'t str>,
    /// What each resource depends on directly, in the order of the template.
    pub dependencies: HashMap<&'t str, Vec<&'t str>>,
}

impl<'t> Order<'t> {
    /// The order of all resources, conditions disregarded.
    ///
    /// # Errors
    /// A cycle, in CloudFormation's words.
    pub fn of(template: &'t Template) -> Result<Self, Box<Problem>> {
        let dependencies: HashMap<&str, Vec<&str>> =
            template.resources.iter().map(|(id, resource)| (id.as_str(), dependencies(template, resource))).collect();
        let (creation, cyclic) = topological(template.resources.keys().map(String::as_str), &dependencies);
        match cyclic.first().and_then(|id| template.resources.get(*id)) {
            None => Ok(Order { creation, dependencies }),
            Some(first) => {
                let message = format!("Circular dependency between resources: [{}]", cyclic.join(", "));
                Err(Box::new(Problem::new(message, first.name_span, "/Resources")))
            }
        }
    }

    /// Dependents first.
    pub fn deletion(&self) -> Vec<&'t str> {
        self.creation.iter().rev().copied().collect()
    }

    /// The resources in waves: those of one wave need nothing of each other, and only earlier waves.
    pub fn waves(&self) -> Vec<Vec<&'t str>> {
        let mut depth: HashMap<&str, usize> = HashMap::new();
        let mut waves: Vec<Vec<&str>> = Vec::new();
        for id in &self.creation {
            let needs = self.dependencies.get(id).into_iter().flatten();
            let wave = needs.filter_map(|need| depth.get(need)).map(|wave| wave + 1).max().unwrap_or(0);
            depth.insert(id, wave);
            if waves.len() <= wave {
                waves.resize(wave + 1, Vec::new());
            }
            waves[wave].push(id);
        }
        waves
    }
}

/// The logical ids that an expression refers to: resources, but also parameters and what does not exist.
pub fn references<'e>(expr: &'e Expr) -> BTreeSet<&'e str> {
    let mut found = BTreeSet::new();
    expr.walk(&mut |expr: &'e Expr| match expr.as_call() {
        Some(Function::Ref(name)) => found.extend(name.as_str()),
        Some(Function::GetAtt { resource, .. }) => found.extend(resource.as_str()),
        Some(Function::Sub { parts, variables, .. }) => {
            for part in parts {
                if let SubPart::Name(name) = part
                    && !variables.iter().any(|variable| variable.key == *name)
                {
                    found.insert(name.split_once('.').map_or(name.as_str(), |(resource, _)| resource));
                }
            }
        }
        _ => {}
    });
    found
}

fn dependencies<'t>(template: &'t Template, resource: &'t Resource) -> Vec<&'t str> {
    let attributes = [
        &resource.properties,
        &resource.metadata,
        &resource.creation_policy,
        &resource.update_policy,
        &resource.deletion_policy,
        &resource.update_replace_policy,
    ];
    let mut names: BTreeSet<&str> = attributes.into_iter().flatten().flat_map(references).collect();
    names.extend(resource.depends_on.iter().map(|text| text.value.as_str()));
    // A resource that refers to itself is a cycle of one.
    let mut found: Vec<usize> = names.into_iter().filter_map(|name| template.resources.get_index_of(name)).collect();
    found.sort_unstable();
    found.into_iter().filter_map(|at| template.resources.get_index(at)).map(|(name, _)| name.as_str()).collect()
}

/// Names so that each comes after those it depends on, and the names that are on a cycle or depend on one. Unknown
/// dependencies are ignored. Linear, and without recursion.
pub(crate) fn topological<'n>(
    names: impl Iterator<Item = &'n str>,
    dependencies: &HashMap<&'n str, Vec<&'n str>>,
) -> (Vec<&'n str>, Vec<&'n str>) {
    let names: Vec<&str> = names.collect();
    let index: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut waits_for = vec![0_usize; names.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for (at, name) in names.iter().enumerate() {
        let needs: BTreeSet<usize> =
            dependencies.get(name).into_iter().flatten().filter_map(|need| index.get(need).copied()).collect();
        waits_for[at] = needs.len();
        for need in needs {
            dependents[need].push(at);
        }
    }
    let mut free: BTreeSet<usize> = (0..names.len()).filter(|at| waits_for[*at] == 0).collect();
    let mut ordered = Vec::with_capacity(names.len());
    while let Some(at) = free.pop_first() {
        ordered.push(names[at]);
        for dependent in &dependents[at] {
            waits_for[*dependent] -= 1;
            if waits_for[*dependent] == 0 {
                free.insert(*dependent);
            }
        }
    }
    let cyclic = (0..names.len()).filter(|at| waits_for[*at] > 0).map(|at| names[at]).collect();
    (ordered, cyclic)
}
