//! Resources that carry the environment's tags and belong to none of its stacks.

use super::document::Unmanaged;
use super::facts::Facts;
use crate::aws::TaggedResource;
use crate::plan::STACK;
use std::collections::BTreeSet;

/// What services make for a resource and tag like it: part of it, not somebody's own (as ECS does with tasks and their
/// network interfaces, if tags are to be propagated). Old revisions of task definitions stay listed.
const PARTS: [&str; 7] = [
    ":task/",
    ":task-definition/",
    ":task-set/",
    ":service-deployment/",
    ":service-revision/",
    ":network-interface/",
    ":container-instance/",
];

/// The name in the ARN of a stack.
fn stack_name(arn: &str) -> Option<&str> {
    let path = arn.splitn(6, ':').nth(5).filter(|_| arn.contains(":cloudformation:"))?;
    path.strip_prefix("stack/")?.split('/').next()
}

pub fn unmanaged(facts: &Facts) -> Vec<Unmanaged> {
    let stacks: BTreeSet<&str> =
        facts.stacks.iter().filter_map(|stack| Some(stack.deployed.as_ref()?.stack_id.as_str())).collect();
    // A stack whose resources are not known is no ground to call anything a stray.
    let complete = facts.stacks.iter().all(|stack| stack.deployed.is_none() || stack.resources.is_some());
    if !complete {
        return Vec::new();
    }
    let resources = || facts.stacks.iter().flat_map(|stack| stack.resources.iter().flatten());
    let physical: BTreeSet<&str> = resources().filter_map(|facts| facts.resource.physical_id.as_deref()).collect();
    // What the stacks' resources are called in ARNs, where that is not their physical id.
    let arns: BTreeSet<String> = resources()
        .filter_map(|facts| facts.properties()?.as_object())
        .flat_map(|properties| properties.values().filter_map(|value| value.as_str()))
        .filter(|text| text.starts_with("arn:"))
        .map(|text| text.strip_suffix(":*").unwrap_or(text).to_owned())
        .collect();
    // Nested stacks are called by their parents: `<parent>-<logical id>-…`.
    let nested: BTreeSet<String> = resources()
        .filter(|facts| facts.resource.resource_type == STACK)
        .filter_map(|facts| Some(format!("{}-", stack_name(facts.resource.physical_id.as_deref()?)?)))
        .collect();
    let is_nested = |name: &str| nested.iter().any(|prefix| format!("{name}-").starts_with(prefix));
    let belongs = |resource: &TaggedResource| {
        // Log groups are called by all that is in them, too.
        let arn = resource.arn.strip_suffix(":*").unwrap_or(&resource.arn);
        let name = arn.rsplit(['/', ':']).next().unwrap_or(arn);
        let below_type = arn.splitn(6, ':').nth(5).and_then(|path| path.split_once(['/', ':'])).map(|(_, rest)| rest);
        let of_stack = || {
            let (stack, id) = (
                resource.tags.get("aws:cloudformation:stack-id")?,
                resource.tags.get("aws:cloudformation:logical-id")?,
            );
            let stack = facts.stacks.iter().find(|it| it.deployed.as_ref().is_some_and(|it| it.stack_id == *stack))?;
            let mut resources = stack.resources.iter().flatten();
            resources.find(|facts| facts.resource.logical_id == *id)
        };
        stacks.contains(arn)
            || physical.contains(arn)
            || arns.contains(arn)
            || physical.contains(name)
            || below_type.is_some_and(|path| physical.contains(path))
            || physical.iter().any(|id| id.ends_with(&format!("/{name}")) || id.starts_with(&format!("{name}|")))
            || PARTS.iter().any(|part| arn.contains(part))
            || of_stack().is_some()
            || resource.tags.get("aws:cloudformation:stack-name").is_some_and(|name| is_nested(name))
            || stack_name(&resource.arn).is_some_and(is_nested)
    };
    let mut found: Vec<Unmanaged> = Vec::new();
    for (place, tagged) in &facts.tagged {
        for resource in tagged.iter().flatten().filter(|resource| !belongs(resource)) {
            // Those of the whole world (roles, distributions) are told by every region that asks.
            if found.iter().any(|known| known.arn == resource.arn) {
                continue;
            }
            found.push(Unmanaged {
                arn: resource.arn.clone(),
                region: place.region.clone(),
                left_by: resource.tags.get("aws:cloudformation:stack-name").cloned(),
            });
        }
    }
    found.sort_by(|one, other| one.arn.cmp(&other.arn));
    found
}
