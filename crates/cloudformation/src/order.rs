//! The order in which resources are created, updated and deleted: dependencies first, deletion in reverse.
//!
//! A resource depends on those it refers to (`Ref`, `Fn::GetAtt`, `Fn::Sub`) and those in `DependsOn`. The order is
//! deterministic: among those that are free to go, the one that the template names first.

use crate::template::{Expr, Function, Problem, Resource, SubPart, Template};
use std::collections::{BTreeSet, HashMap, HashSet};

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
            let own: HashSet<&str> = variables.iter().map(|variable| variable.key.as_str()).collect();
            for part in parts {
                if let SubPart::Name(name) = part
                    && !own.contains(name.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str) -> Result<(Vec<String>, Vec<Vec<String>>), String> {
        let template = Template::parse(text).expect("right");
        let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
        match Order::of(&template) {
            Ok(order) => {
                let reversed: Vec<&str> = order.deletion().into_iter().rev().collect();
                assert_eq!(reversed, order.creation);
                Ok((owned(order.creation.clone()), order.waves().into_iter().map(owned).collect()))
            }
            Err(problem) => Err(problem.message),
        }
    }

    #[test]
    fn dependencies_come_first() {
        let text = "
Parameters: {P: {Type: String}}
Resources:
  C: {Type: T, Properties: {X: !Sub ['${B.Arn}-${Own}-${P}-${AWS::Region}', {Own: A}]}}
  B: {Type: T, Properties: {X: [{Y: !If [Z, !Ref A, !GetAtt A.B]}]}}
  A: {Type: T}
  D: {Type: T, DependsOn: [A, Nobody]}
";
        let (creation, waves) = order(text).expect("no cycle");
        assert_eq!(creation, ["A", "B", "C", "D"]);
        assert_eq!(waves, [vec!["A"], vec!["B", "D"], vec!["C"]]);
    }

    #[test]
    fn cycles_are_named() {
        let text = "Resources: {A: {Type: T, DependsOn: B}, B: {Type: T, Properties: {X: !Ref A}}, C: {Type: T}}";
        assert_eq!(order(text), Err("Circular dependency between resources: [A, B]".to_owned()));
        let text = "Resources: {A: {Type: T, Properties: {X: !Ref A}}}";
        assert_eq!(order(text), Err("Circular dependency between resources: [A]".to_owned()));
    }

    #[test]
    fn long_chains_do_not_recurse() {
        let mut text = "Resources:\n  R0: {Type: T}\n".to_owned();
        for at in 1..5_000 {
            text.push_str(&format!("  R{at}: {{Type: T, DependsOn: R{}}}\n", at - 1));
        }
        assert_eq!(order(&text).map(|(creation, _)| creation.len()), Ok(5_000));
    }
}
