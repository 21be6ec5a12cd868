//! The properties of resources: against the schema of their type, and the constraints that go beyond it.

use super::check::{Checker, Found, pointer};
use super::conditions::Assumed;
use super::constraints;
use super::facts::{Facts, Spot};
use super::finding::{Finding, did_you_mean, nearest};
use super::rules;
use crate::schema::{
    CUSTOM_RESOURCE, Constraint, Keyword, PropertyPath, ResourceType, Schema, constraints as constraints_of,
    provenance, resource_type, resource_type_names,
};
use crate::source::Span;
use crate::template::{Expr, Kind, Member, Resource, read_value};
use std::collections::HashSet;

/// Types that a transform turns into others before any schema counts.
pub const SERVERLESS: &str = "AWS::Serverless::";
/// Types of modules, whose schemas only the account knows.
pub const MODULE: &str = "::MODULE";

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (name, resource) in &facts.template.resources {
        let type_name = resource.resource_type.value.as_str();
        if type_name.starts_with(SERVERLESS) {
            if facts.template.transforms.is_empty() {
                let message = format!("Template format error: Unrecognized resource types: [{type_name}]");
                let path = format!("/Resources/{name}/Type");
                let remedy = "Add `Transform: AWS::Serverless-2016-10-31`.";
                let finding = Finding::new(rules::NEEDS_TRANSFORM, message, resource.resource_type.span, path);
                found.push(finding.with_remedy(remedy));
            }
            continue;
        }
        match resource_type(type_name) {
            Some(known) => check_resource(facts, name, resource, known, found),
            None => unknown_type(name, resource, found),
        }
    }
}

fn unknown_type(name: &str, resource: &Resource, found: &mut Vec<Finding>) {
    let type_name = resource.resource_type.value.as_str();
    // Only AWS's own public types are in the registry that is embedded; others belong to an account.
    if !type_name.starts_with("AWS::") || type_name.ends_with(MODULE) {
        return;
    }
    let message = format!("Template format error: Unrecognized resource types: [{type_name}]");
    let path = format!("/Resources/{name}/Type");
    let mut finding = Finding::new(rules::UNKNOWN_TYPE, message, resource.resource_type.span, path);
    finding.remedy = did_you_mean(type_name, resource_type_names());
    found.push(finding);
}

fn check_resource(
    facts: &Facts<'_>,
    name: &str,
    resource: &Resource,
    known: &'static ResourceType,
    found: &mut Vec<Finding>,
) {
    let nothing = Expr::new(Kind::Map(Vec::new()), resource.name_span);
    let properties = resource.properties.as_ref().unwrap_or(&nothing);
    if properties.as_map().is_none() {
        return;
    }
    let place = Place { name, type_name: &resource.resource_type.value };
    let assumed = facts.assumed_for(name);
    let mut checker = Checker::new(facts, known.schema());
    checker.check(properties, known.schema(), &assumed);
    let broken = checker.found;
    found.extend(broken.into_iter().map(|broken| place.finding(facts, broken)));
    read_only(known, properties, &place, found);
    tags(facts, known, properties, &place, &assumed, found);
    ended(known, resource, &place, found);
    for constraint in constraints_of(known.name()).into_iter().filter(|_| known.name() != CUSTOM_RESOURCE) {
        let elsewhere = facts.options.region.as_deref().is_some_and(|region| !is_home(region));
        if !(constraint.regional && elsewhere) {
            hold(facts, constraint, known, properties, &place, &assumed, found);
        }
    }
}

fn is_home(region: &str) -> bool {
    provenance().is_some_and(|provenance| provenance.region == region)
}

/// Where a resource stands and what it is.
pub struct Place<'p> {
    pub name: &'p str,
    pub type_name: &'p str,
}

impl Place<'_> {
    fn finding(&self, facts: &Facts<'_>, broken: Found) -> Finding {
        let below = pointer(&broken.path);
        let message = match broken.rule == rules::FUNCTION_TYPE {
            true => format!("{below}: {}", broken.message),
            false => format!(
                "Properties validation failed for resource {} with message: {below}: {}",
                self.name, broken.message
            ),
        };
        let message = message + &scenario(facts, &broken);
        let mut finding = Finding::new(broken.rule, message, broken.span, self.path(&broken.path));
        finding.remedy = broken.remedy;
        finding
    }

    pub fn path(&self, below: &[String]) -> String {
        below.iter().fold(format!("/Resources/{}/Properties", self.name), |path, part| path + "/" + part)
    }
}

/// ` (where HasIndex is true and HasSortKey is false)`: the way in which the conditions must turn out for it to be wrong.
fn scenario(facts: &Facts<'_>, broken: &Found) -> String {
    let words = broken.scenario.as_ref().and_then(|scenario| facts.scenario(scenario));
    words.map_or_else(String::new, |words| format!(" (where {words})"))
}

/// Properties that only the service sets.
fn read_only(known: &ResourceType, properties: &Expr, place: &Place<'_>, found: &mut Vec<Finding>) {
    for path in known.read_only() {
        let segments: Vec<&str> = path.segments().collect();
        let mut here = vec![(properties, Vec::new())];
        let Some((last, parents)) = segments.split_last() else { continue };
        for segment in parents {
            here = here.into_iter().flat_map(|(value, at)| inner(value, segment, at)).collect();
        }
        for (value, at) in here {
            let Some(member) = value.as_map().into_iter().flatten().find(|member| member.key == *last) else {
                continue;
            };
            // Templates that have worked for years compute what the registry has come to call read-only.
            if member.value.as_call().is_some() {
                continue;
            }
            // What is required can be set, whatever else the registry says.
            if at.is_empty() && known.required().any(|name| name == *last) {
                continue;
            }
            let path: Vec<String> = at.iter().chain([&member.key]).cloned().collect();
            let message = format!(
                "Properties validation failed for resource {} with message: {}: read-only key [{last}] is not permitted",
                place.name,
                pointer(&path)
            );
            // The documentation lists those below other properties among what can be set.
            let rule = if parents.is_empty() { rules::READ_ONLY } else { rules::READ_ONLY_WITHIN };
            let finding = Finding::new(rule, message, member.key_span, place.path(&path));
            found.push(finding.with_remedy(format!("Remove `{last}`: {} sets it itself.", place.type_name)));
        }
    }
}

fn inner<'e>(value: &'e Expr, segment: &str, at: Vec<String>) -> Vec<(&'e Expr, Vec<String>)> {
    let below = |part: String| at.iter().cloned().chain([part]).collect::<Vec<String>>();
    match (segment, &value.kind) {
        ("*", Kind::List(items)) => {
            items.iter().enumerate().map(|(index, item)| (item, below(index.to_string()))).collect()
        }
        (_, Kind::Map(members)) => {
            members.iter().filter(|member| member.key == segment).map(|it| (&it.value, below(it.key.clone()))).collect()
        }
        _ => Vec::new(),
    }
}

/// Tags as every service wants them: keys once each, no longer than 128 characters, not AWS's own.
fn tags(
    facts: &Facts<'_>,
    known: &ResourceType,
    properties: &Expr,
    place: &Place<'_>,
    assumed: &Assumed,
    found: &mut Vec<Finding>,
) {
    let property = known.tagging().tag_property.clone().unwrap_or_else(|| PropertyPath::new("Tags"));
    if !known.tagging().taggable || property.top() != "Tags" || property.segments().len() != 1 {
        return;
    }
    for (tags, assumed) in facts.at(properties, &["Tags"], assumed) {
        let mut report = |message: String, span: Span, at: &str| {
            let path = place.path(&["Tags".to_owned(), at.to_owned()]);
            found.push(Finding::new(rules::TAGS, message, span, path));
        };
        let mut keys: HashSet<&str> = HashSet::new();
        let mut key = |key: &str, span: Span, at: &str| {
            if key.starts_with("aws:") {
                report(format!("The tag key {key} starts with `aws:`, which AWS keeps for itself"), span, at);
            } else if key.is_empty() || key.chars().count() > 128 {
                report(format!("The tag key {key} has not 1 to 128 characters"), span, at);
            }
        };
        let mut repeated = Vec::new();
        for (at, item) in tags.as_list().unwrap_or_default().iter().enumerate() {
            let always = facts.branches(item, &assumed).len() == 1;
            let Some(text) = item.get("Key").filter(|_| always).and_then(super::facts::text) else { continue };
            key(text, item.span, &at.to_string());
            if !super::facts::is_dynamic(text) && !keys.insert(text) {
                repeated.push((text, item.span, at));
            }
        }
        for member in tags.as_map().unwrap_or_default() {
            key(&member.key, member.key_span, &member.key);
        }
        for (text, span, at) in repeated {
            report(format!("The tag key {text} stands here a second time"), span, &at.to_string());
        }
    }
}

fn ended(known: &ResourceType, resource: &Resource, place: &Place<'_>, found: &mut Vec<Finding>) {
    if let Some(lifecycle) = known.lifecycle().filter(|lifecycle| lifecycle.status == "shutdown") {
        let on = lifecycle.date.as_deref().map(|date| format!(" on {date}")).unwrap_or_default();
        let message = format!("{} belongs to a service that was shut down{on}", place.type_name);
        let path = format!("/Resources/{}/Type", place.name);
        found.push(Finding::new(rules::LIFECYCLE_END, message, resource.resource_type.span, path));
    }
}

/// Holds the properties against a constraint at each of its places.
fn hold(
    facts: &Facts<'_>,
    constraint: &'static Constraint,
    known: &ResourceType,
    properties: &Expr,
    place: &Place<'_>,
    assumed: &Assumed,
    found: &mut Vec<Finding>,
) {
    let (rule, sentence) = constraints::rule(constraint.rule());
    let outer = assumed;
    for segments in constraint.places(known.name()) {
        for Spot { value, assumed, path: above } in facts.spots(properties, &segments, assumed) {
            let embedded = constraint.embedded_json.then(|| embedded_json(value)).flatten();
            let lowered = lowercase(constraint, value);
            let subject = embedded.as_ref().or(lowered.as_ref()).unwrap_or(value);
            let literal = constraint.literal || embedded.is_some();
            let mut checker = Checker::new(facts, &constraint.schema).literal(literal);
            checker.check(subject, &constraint.schema, &assumed);
            let mut said: HashSet<(usize, usize)> = HashSet::new();
            let on_the_way = assumed.beyond(outer);
            for mut broken in checker.found {
                broken.scenario = Some(on_the_way.and(&broken.scenario.take().unwrap_or_default()));
                let span = if embedded.is_some() { value.span } else { broken.span };
                if !said.insert((span.start.offset, span.end.offset)) || forgiven(place.type_name, &broken) {
                    continue;
                }
                let other = broken.resource.as_deref().map(|name| Place { name, type_name: "" });
                let above = if other.is_some() { &[][..] } else { &above[..] };
                let path: Vec<String> = above.iter().chain(&broken.path).cloned().collect();
                let place = other.as_ref().unwrap_or(place);
                let scenario = scenario(facts, &broken);
                let message = format!("{sentence} ({}: {}){scenario}", pointer(&broken.path), broken.message);
                let mut finding = Finding::new(rule, message, span, place.path(&path));
                finding.remedy = broken.remedy.or_else(|| choices(&constraint.schema, value));
                found.push(finding);
            }
        }
    }
}

/// The policy of a bucket may hold two statements with one Sid: S3 takes it.
fn forgiven(type_name: &str, broken: &Found) -> bool {
    type_name == "AWS::S3::BucketPolicy"
        && broken.rule == rules::UNIQUE
        && broken.path.first().is_some_and(|first| first == "Statement")
}

/// For a constraint that lists values: the nearest of them.
fn choices(schema: &Schema, value: &Expr) -> Option<String> {
    let text = value.as_str()?;
    let names = schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::Enum(names) => Some(names),
        _ => None,
    })?;
    nearest(text, names.iter().filter_map(|name| name.as_str())).map(|name| format!("Did you mean `{name}`?"))
}

fn embedded_json(value: &Expr) -> Option<Expr> {
    let text = value.as_str().filter(|text| text.trim_start().starts_with('{'))?;
    let node = crate::source::parse(text, crate::source::Limits::default()).ok()?;
    Some(read_value(&node, "", &mut Vec::new()))
}

/// The value with the texts of some of its members in lower case.
fn lowercase(constraint: &Constraint, value: &Expr) -> Option<Expr> {
    let members = value.as_map()?;
    let concerned = |member: &Member| constraint.lowercase().any(|name| name == member.key);
    if !members.iter().any(concerned) {
        return None;
    }
    let mut members = members.to_vec();
    for member in members.iter_mut().filter(|member| concerned(member)) {
        if let Kind::Literal(scalar) = &mut member.value.kind {
            scalar.text = scalar.text.to_lowercase();
        }
    }
    Some(Expr::new(Kind::Map(members), value.span))
}
