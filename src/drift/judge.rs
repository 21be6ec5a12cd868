//! From facts to the answer. Asks nobody.

mod properties;

use super::compare::{Compared, Declared, compare, compare_some};
use super::declared::{as_sent, declared};
use super::document::{
    Drift, PropertyDrift, PropertyKind, ResourceDrift, Source, StackCondition, StackDrift, Status, Unchecked,
};
use super::facts::{Facts, ResourceFacts, StackFacts};
use super::ignore::Rules;
use super::owned::Owned;
use super::tagged::unmanaged;
use crate::aws::Reading;
use crate::aws::cloudformation::{DetectedResource, DetectedStatus};
use crate::model::{Environment, State, sensitive};
use crate::plan::{Value, ValueChange};
use cloudformation::schema::resource_type;
use jiff::Timestamp;
pub use properties::path_text;
use properties::{declared_count, expected, not_compared, shown_all};
use std::collections::{BTreeMap, BTreeSet};

/// What differs.
pub fn judge(
    facts: &Facts,
    environment: &Environment,
    state: Option<&State>,
    now: Timestamp,
    everything: bool,
) -> Drift {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let rules = Rules::new(&environment.drift_ignores, today);
    let declared: Vec<Option<BTreeMap<String, Declared>>> = facts.stacks.iter().map(of_template).collect();
    let mut owned = Owned::default();
    for (stack, declared) in facts.stacks.iter().zip(&declared) {
        for resource in stack.resources.iter().flatten() {
            let declared = declared.as_ref().and_then(|all| all.get(&resource.resource.logical_id));
            if let Some(declared) = declared {
                owned.note(&resource.resource.resource_type, declared);
            }
        }
    }
    let deaf = is_deaf(facts);
    let stacks = facts
        .stacks
        .iter()
        .zip(&declared)
        .filter_map(|(stack, declared)| {
            let look = Look { stack, declared: declared.as_ref(), owned: &owned, rules: &rules, deaf };
            look.judge(environment)
        })
        .collect();
    let unchecked = facts.tagged.iter().filter_map(|(place, tagged)| {
        let what = format!("tagged resources in {}", place.region);
        Some(Unchecked { what, reason: tagged.as_ref().err()?.clone() })
    });
    Drift {
        format_version: Drift::FORMAT_VERSION.to_owned(),
        infra_version: env!("CARGO_PKG_VERSION").to_owned(),
        checked_at: now,
        project: environment.project.clone(),
        environment: environment.name.clone(),
        account: environment.account.clone(),
        region: environment.region.clone(),
        serial: state.map(|state| state.serial),
        summary: Default::default(),
        stacks,
        unmanaged: unmanaged(facts),
        unchecked: unchecked.collect(),
        stray_ignores: rules.strays(everything),
    }
    .summed()
}

/// Whether Cloud Control knows nothing of what is there: it finds no resource at all, not even those that others see. What it
/// does not find is not gone then (emulators keep resources of their own there).
fn is_deaf(facts: &Facts) -> bool {
    let of_stack = |stack: &'_ StackFacts| -> (bool, bool) {
        let resources = || stack.resources.iter().flatten();
        let finds = resources().any(|facts| facts.properties().is_some());
        let misses = resources().any(|facts| {
            let detected = stack.detected.resources.get(&facts.resource.logical_id).map(|found| found.status);
            let seen = matches!(detected, Some(DetectedStatus::InSync | DetectedStatus::Modified)) || facts.is_seen();
            matches!(facts.live, Some(Ok(Reading::Gone))) && facts.sure && seen
        });
        (finds, misses)
    };
    let all: Vec<(bool, bool)> = facts.stacks.iter().map(of_stack).collect();
    !all.iter().any(|(finds, _)| *finds) && all.iter().any(|(_, misses)| *misses)
}

fn of_template(stack: &StackFacts) -> Option<BTreeMap<String, Declared>> {
    let resources = stack.resources.iter().flatten().map(|facts| (facts.resource.logical_id.as_str(), facts)).collect();
    declared(&as_sent(stack.deployed.as_ref()?, stack.record.as_ref(), stack.wanted.as_ref()), &resources)
}

/// One stack with what it is judged by.
pub(super) struct Look<'a> {
    pub(super) stack: &'a StackFacts,
    declared: Option<&'a BTreeMap<String, Declared>>,
    owned: &'a Owned,
    pub(super) rules: &'a Rules<'a>,
    /// See [`is_deaf`].
    deaf: bool,
}

impl Look<'_> {
    fn judge(&self, environment: &Environment) -> Option<StackDrift> {
        let stack = self.stack;
        let record = stack.record.as_ref();
        let target = record.map(|record| &record.target).or(stack.wanted.as_ref().map(|wanted| &wanted.target))?;
        let stack_name = record.map(|it| &it.stack_name).or(stack.wanted.as_ref().map(|it| &it.stack_name))?;
        let mut drift = StackDrift {
            stack: stack.name.clone(),
            stack_name: stack_name.clone(),
            target: target.clone(),
            condition: StackCondition::Unchanged,
            changes: Vec::new(),
            resources: Vec::new(),
            unchecked: Vec::new(),
        };
        let Some(deployed) = &stack.deployed else {
            drift.condition = match record {
                Some(_) if self.rules.ignored_of_stack(&stack.name, "deleted").is_none() => StackCondition::Deleted,
                Some(_) => StackCondition::Unchanged,
                None => StackCondition::NotApplied,
            };
            return Some(drift);
        };
        (drift.condition, drift.changes) = self.of_stack(deployed, environment);
        let unchecked = |what: &str, reason: &str| Unchecked { what: what.to_owned(), reason: reason.to_owned() };
        drift.unchecked.extend(stack.problem.as_ref().map(|reason| unchecked("the stack", reason)));
        if let Some(Err(reason)) = &stack.policy {
            drift.unchecked.push(unchecked("stack policy", reason));
        }
        for (service, running) in &stack.running {
            if let Err(reason) = running {
                drift.unchecked.push(unchecked(&format!("running images of {service}"), reason));
            }
        }
        drift.resources = stack.resources.iter().flatten().map(|facts| self.of_resource(facts)).collect();
        // Where every resource was compared all the same, nothing hangs on CloudFormation's own detection.
        if let Some(reason) = &stack.detected.problem
            && drift.resources.iter().any(|resource| resource.status == Status::NotChecked)
        {
            drift.unchecked.push(unchecked("CloudFormation's drift detection", reason));
        }
        Some(drift)
    }

    fn of_resource(&self, facts: &ResourceFacts) -> ResourceDrift {
        let resource = &facts.resource;
        let detected = self.stack.detected.resources.get(&resource.logical_id);
        let detected = detected.filter(|found| found.physical_id == resource.physical_id);
        let mut drift = ResourceDrift {
            logical_id: resource.logical_id.clone(),
            resource_type: resource.resource_type.clone(),
            physical_id: resource.physical_id.clone(),
            status: Status::NotChecked,
            reason: None,
            sources: Vec::new(),
            properties: Vec::new(),
            not_comparable: Vec::new(),
            changed: None,
            place: self.stack.wanted.as_ref().and_then(|it| it.places.get(&resource.logical_id)).cloned(),
        };
        let own = self.declared.and_then(|all| all.get(&resource.logical_id));
        let expected = expected(own, detected);
        let actual = detected.and_then(|found| found.actual.as_ref());
        for declared in expected.iter().chain(own).map(|declared| &declared.properties) {
            let live = [facts.properties(), facts.by_service(), actual];
            live.into_iter().flatten().for_each(|live| sensitive::learn_resolved(declared, live));
        }
        let compared = self.compared(facts, expected.as_ref());
        let looked = detected.is_some_and(|found| found.status != DetectedStatus::NotChecked);
        drift.sources.extend(looked.then_some(Source::CloudFormation));
        drift.sources.extend(compared.as_ref().map(|(_, source)| *source));
        if let Some(gone) = self.gone(facts, detected) {
            drift.sources = vec![gone];
            match self.rules.ignored(&self.stack.name, &resource.logical_id, None) {
                Some(ignored) => {
                    drift.status = Status::InSync;
                    drift.reason = Some(format!("it is gone, which is ignored: {}", ignored.because));
                }
                None => drift.status = Status::Deleted,
            }
            return drift;
        }
        if let Some(expected) = &expected {
            drift.properties = self.properties(resource, expected, detected, compared.as_ref());
        }
        let left = not_compared(own, detected.filter(|_| looked), compared.as_ref());
        // That it is there is not all that there is to know.
        let nothing_compared = compared.is_none() && left.len() == declared_count(own) && !left.is_empty();
        drift.not_comparable = shown_all(&left);
        if let Some(more) = self.images(facts) {
            drift.properties.extend(more);
            if !drift.properties.is_empty() && !drift.sources.contains(&Source::Ecs) {
                drift.sources.push(Source::Ecs);
            }
        }
        drift.status = if drift.confirmed().next().is_some() {
            Status::Modified
        } else if drift.sources.iter().any(|source| *source != Source::Ecs) && !nothing_compared {
            Status::InSync
        } else {
            drift.reason = Some(self.why_not(facts, detected));
            Status::NotChecked
        };
        drift
    }

    /// The comparison of what Cloud Control read, or else the service itself.
    fn compared(&self, facts: &ResourceFacts, expected: Option<&Declared>) -> Option<(Compared, Source)> {
        let known = resource_type(&facts.resource.resource_type)?;
        let tags = &self.stack.deployed.as_ref()?.tags;
        Some(match facts.properties() {
            Some(live) => (compare(known, expected?, live, tags), Source::CloudControl),
            None => (compare_some(known, expected?, facts.by_service()?, tags), Source::Service),
        })
    }

    /// Who says for certain that it is gone.
    fn gone(&self, facts: &ResourceFacts, detected: Option<&DetectedResource>) -> Option<Source> {
        match (detected.map(|found| found.status), &facts.live, &facts.by_service) {
            (Some(DetectedStatus::Deleted), ..) => Some(Source::CloudFormation),
            (None | Some(DetectedStatus::NotChecked), _, Some(Ok(Reading::Gone))) => Some(Source::Service),
            (None | Some(DetectedStatus::NotChecked), Some(Ok(Reading::Gone)), None) if facts.sure && !self.deaf => {
                Some(Source::CloudControl)
            }
            _ => None,
        }
    }

    /// Containers that run another image than their task definition says.
    fn images(&self, facts: &ResourceFacts) -> Option<Vec<PropertyDrift>> {
        let running = self.stack.running.get(&facts.resource.logical_id)?.as_ref().ok()?;
        let definitions = self.declared?.iter().filter(|(id, _)| {
            let of_type = |facts: &&ResourceFacts| facts.resource.resource_type == "AWS::ECS::TaskDefinition";
            self.stack.resources.iter().flatten().filter(of_type).any(|facts| facts.resource.logical_id == **id)
        });
        let mut images: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for container in
            definitions.filter_map(|(_, it)| it.properties.get("ContainerDefinitions")?.as_array()).flatten()
        {
            if let (Some(name), Some(image)) = (container["Name"].as_str(), container["Image"].as_str()) {
                images.entry(name).or_default().insert(image);
            }
        }
        let mut drifts: Vec<PropertyDrift> = Vec::new();
        for container in running {
            let Some(declared) = images.get(container.name.as_str()) else { continue };
            let pointer = format!("/running/{}", container.name);
            if declared.contains(container.image.as_str()) || drifts.iter().any(|drift| drift.pointer == pointer) {
                continue;
            }
            let before = declared.iter().next().map_or(Value::Absent, |image| Value::text(*image));
            let path = format!("running image of {}", container.name);
            let ignored = self.rules.ignored(&self.stack.name, &facts.resource.logical_id, Some(&path));
            drifts.push(PropertyDrift {
                path,
                pointer,
                kind: PropertyKind::Declared,
                change: ValueChange::new(before, Value::text(&container.image)),
                sources: vec![Source::Ecs],
                ignored,
            });
        }
        (!drifts.is_empty()).then_some(drifts)
    }

    fn why_not(&self, facts: &ResourceFacts, detected: Option<&DetectedResource>) -> String {
        let by_cloudformation = match (&self.stack.detected.problem, detected.and_then(|it| it.reason.as_deref())) {
            (_, Some(reason)) => reason.to_owned(),
            (Some(problem), None) => problem.clone(),
            (None, None) if detected.is_some_and(|found| found.status != DetectedStatus::NotChecked) => {
                "CloudFormation sees that it is there and compares nothing of it".to_owned()
            }
            (None, None) => "CloudFormation does not check this type".to_owned(),
        };
        let by_cloud_control = match &facts.live {
            None => "Cloud Control cannot read it".to_owned(),
            Some(Err(problem)) => problem.clone(),
            Some(Ok(Reading::Gone)) => "Cloud Control does not find it".to_owned(),
            Some(Ok(Reading::Unsupported(words))) => words.clone(),
            Some(Ok(Reading::Found(_))) => "its template can only be evaluated by CloudFormation".to_owned(),
        };
        let by_service = match &facts.by_service {
            Some(Err(problem)) => format!("; {problem}"),
            _ => String::new(),
        };
        format!("{by_cloudformation}; {by_cloud_control}{by_service}")
    }
}
