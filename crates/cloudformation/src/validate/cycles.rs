//! Resources and conditions that need each other in a circle.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::template::{Expr, Function, SubPart, Template};

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let template = facts.template;
    let needs: Vec<Vec<usize>> = template.resources.keys().map(|name| needs(template, name)).collect();
    for circle in circles(&needs) {
        let members: Vec<_> = circle.iter().filter_map(|at| template.resources.get_index(*at)).collect();
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        let Some((name, first)) = members.first() else { continue };
        let message = format!("Circular dependency between resources: [{}]", names.join(", "));
        let mut finding =
            Finding::new(rules::CIRCULAR_DEPENDENCY, message, first.name_span, format!("/Resources/{name}"));
        finding.remedy = Some(
            "Take one reference out of the circle into a resource of its own, as a security group's rules can be."
                .to_owned(),
        );
        finding.related = members.get(1).map(|(_, second)| ("and this needs it in turn".to_owned(), second.name_span));
        found.push(finding);
    }
    let needs: Vec<Vec<usize>> =
        template.conditions.values().map(|condition| conditions_in(template, &condition.expr)).collect();
    for circle in circles(&needs) {
        let names: Vec<&str> =
            circle.iter().filter_map(|at| template.conditions.get_index(*at)).map(|(name, _)| name.as_str()).collect();
        let Some((name, first)) = circle.first().and_then(|at| template.conditions.get_index(*at)) else { continue };
        let message = format!("Template format error: Circular dependencies for conditions [{}]", names.join(", "));
        found.push(Finding::new(rules::CIRCULAR_CONDITION, message, first.name_span, format!("/Conditions/{name}")));
    }
}

/// The resources that a resource names.
fn needs(template: &Template, name: &str) -> Vec<usize> {
    let mut names: Vec<usize> = Vec::new();
    let mut add = |name: &str| names.extend(template.resources.get_index_of(name));
    let Some(resource) = template.resources.get(name) else { return names };
    resource.depends_on.iter().for_each(|other| add(&other.value));
    let parts = [&resource.properties, &resource.metadata, &resource.creation_policy, &resource.update_policy];
    for part in parts.into_iter().flatten() {
        part.walk(&mut |expr| match expr.as_call() {
            Some(Function::Ref(name)) => name.as_str().into_iter().for_each(&mut add),
            Some(Function::GetAtt { resource, .. }) => resource.as_str().into_iter().for_each(&mut add),
            Some(Function::Sub { parts, variables, .. }) => {
                for part in parts {
                    if let SubPart::Name(name) = part
                        && !variables.iter().any(|variable| variable.key == *name)
                    {
                        add(name.split('.').next().unwrap_or(name));
                    }
                }
            }
            _ => {}
        });
    }
    names
}

fn conditions_in(template: &Template, expr: &Expr) -> Vec<usize> {
    let mut names = Vec::new();
    expr.walk(&mut |expr| {
        if let Some(Function::Condition(name)) = expr.as_call() {
            names.extend(template.conditions.get_index_of(&name.value));
        }
    });
    names
}

/// Sets of nodes each of which leads to all others of its set (or to itself), by Kosaraju's two passes, without
/// recursion: a template may be as deep as it is long.
fn circles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut reversed = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        targets.iter().for_each(|to| reversed[*to].push(from));
    }
    let mut finished = Vec::new();
    let mut seen = vec![false; edges.len()];
    for start in 0..edges.len() {
        visit(start, edges, &mut seen, &mut finished);
    }
    let mut seen = vec![false; edges.len()];
    let mut circles = Vec::new();
    for start in finished.into_iter().rev() {
        let mut members = Vec::new();
        visit(start, &reversed, &mut seen, &mut members);
        members.sort_unstable();
        if members.len() > 1 || members.first().is_some_and(|only| edges[*only].contains(only)) {
            circles.push(members);
        }
    }
    circles.sort();
    circles
}

/// Adds all nodes reached from `start` and not seen yet, each after those it leads to.
fn visit(start: usize, edges: &[Vec<usize>], seen: &mut [bool], finished: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut stack = vec![(start, 0)];
    while let Some((node, next)) = stack.pop() {
        match edges[node].get(next) {
            None => finished.push(node),
            Some(target) => {
                stack.push((node, next + 1));
                if !std::mem::replace(&mut seen[*target], true) {
                    stack.push((*target, 0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::circles;

    #[test]
    fn circles_are_found_once_each() {
        assert!(circles(&[vec![1], vec![2], vec![]]).is_empty());
        assert_eq!(circles(&[vec![0]]), [[0]]);
        assert_eq!(circles(&[vec![1], vec![0], vec![0], vec![4], vec![3, 1]]), [[0, 1], [3, 4]]);
        let chain: Vec<Vec<usize>> = (0..100_000).map(|at| vec![(at + 1) % 100_000]).collect();
        assert_eq!(circles(&chain).len(), 1);
    }
}
