//! What differs of one resource: what CloudFormation found and what was compared here, put together property by property.

use super::Look;
use crate::aws::cloudformation::{DetectedResource, DetectedStatus, StackResource};
use crate::drift::compare::{Compared, Declared, Difference, escaped, holds_reference, is_within as within, refers};
use crate::drift::document::{Ignored, IgnoredBy, PropertyDrift, PropertyKind, Source};
use crate::drift::known;
use crate::drift::meaning::{is_empty, normal, same};
use crate::model::sensitive;
use crate::plan::{Value, ValueChange, restore};
use cloudformation::sensitive::{HIDDEN, Properties};
use serde_json::Value as Json;
use std::collections::BTreeMap;

impl Look<'_> {
    pub(super) fn properties(
        &self,
        resource: &StackResource,
        expected: &Declared,
        detected: Option<&DetectedResource>,
        compared: Option<&(Compared, Source)>,
    ) -> Vec<PropertyDrift> {
        let source = compared.map_or(Source::CloudControl, |(_, source)| *source);
        let compared = compared.map(|(compared, _)| compared);
        let mut found: Vec<(Difference, PropertyKind, Vec<Source>)> = Vec::new();
        let known_type = Properties::of(&resource.resource_type);
        for difference in detected_differences(detected) {
            if !is_reference(&difference, expected) {
                found.push((difference, PropertyKind::Declared, vec![Source::CloudFormation]));
            }
        }
        let detected_it = detected.is_some_and(|found| found.status != DetectedStatus::NotChecked);
        for difference in compared.iter().flat_map(|compared| &compared.declared) {
            if let Some((_, _, sources)) = found.iter_mut().find(|(known, ..)| known.pointer == difference.pointer) {
                sources.push(source);
                continue;
            }
            // Where CloudFormation looked and found nothing missing, a property that is not read back is a gap in what the
            // service tells, not in the resource; but that a whole property is not set, the service itself told.
            let unset = source == Source::Service && difference.pointer.matches('/').count() == 1;
            if detected_it && difference.live.is_none() && difference.declared.is_some() && !unset {
                continue;
            }
            // CloudFormation names the same item of a list by another index.
            let covered = found.iter().any(|(known, ..)| {
                same_list(&known.pointer, &difference.pointer)
                    && known.live == difference.live
                    && known.declared == difference.declared
            });
            if !covered {
                found.push((difference.clone(), PropertyKind::Declared, vec![source]));
            }
        }
        for difference in compared.iter().flat_map(|compared| &compared.undeclared) {
            // What the resource is called is nobody's setting.
            if difference.live.as_ref().and_then(Json::as_str) == resource.physical_id.as_deref() {
                continue;
            }
            found.push((difference.clone(), PropertyKind::Undeclared, vec![source]));
        }
        found.sort_by(|(one, ..), (other, ..)| one.pointer.cmp(&other.pointer));
        found
            .into_iter()
            .map(|(difference, kind, sources)| {
                self.property(resource, (known_type, expected), difference, kind, sources)
            })
            .collect()
    }

    fn property(
        &self,
        resource: &StackResource,
        (known_type, expected): (Properties<'_>, &Declared),
        difference: Difference,
        kind: PropertyKind,
        sources: Vec<Source>,
    ) -> PropertyDrift {
        let Difference { pointer, declared, live } = difference;
        let path = path_text(&pointer);
        let secret = expected.sensitive.iter().any(|secret| within(&pointer, secret) || within(secret, &pointer))
            || is_beside_reference(&pointer, declared.as_ref(), expected)
            || holds_reference(declared.as_ref().unwrap_or(&Json::Null));
        let value = |value: Option<Json>| match value {
            None => Value::Absent,
            Some(_) if secret => Value::Sensitive,
            Some(value) => match hidden(known_type.hide_at(&expected.properties, &pointer, &value)) {
                Json::String(text) if text == HIDDEN => Value::Sensitive,
                value => Value::Known(value),
            },
        };
        let change = ValueChange::new(value(declared.clone()), value(live.clone()));
        let known = |by: IgnoredBy, because: &str| Ignored { by, because: because.to_owned() };
        let physical = resource.physical_id.as_deref().unwrap_or_default();
        let members: BTreeMap<&str, &Json> =
            expected.properties.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect();
        let ignored = self
            .owned
            .because(&resource.resource_type, physical, &pointer, &members)
            .map(|because| known(IgnoredBy::AutoScaling, because))
            .or_else(|| {
                let alarm = known::false_alarm(&resource.resource_type, &pointer, declared.as_ref(), live.as_ref())?;
                Some(known(IgnoredBy::KnownDifference, alarm))
            })
            .or_else(|| self.rules.ignored(&self.stack.name, &resource.logical_id, Some(&path)));
        PropertyDrift { path, pointer, kind, change, sources, ignored }
    }
}

/// A text of which somebody has seen that it is secret is so here, too.
fn hidden(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(sensitive::hide(&text).into_owned()),
        other => other,
    }
}

/// What a dynamic reference came to, as CloudFormation shows it in the actual properties: no difference.
fn is_reference(difference: &Difference, expected: &Declared) -> bool {
    let at_place = expected.properties.pointer(&difference.pointer);
    let alike =
        |declared: &Json| refers(declared) || difference.live.as_ref().is_some_and(|live| stands_for(declared, live));
    let by_value = difference.declared.as_ref().is_some_and(|declared| holds_reference(declared) && alike(declared));
    by_value || at_place.is_some_and(|declared| holds_reference(declared) && alike(declared))
}

/// Whether live properties are declared ones with something else in place of their dynamic references.
fn stands_for(declared: &Json, live: &Json) -> bool {
    match (normal(declared), normal(live)) {
        (declared, _) if refers(&declared) => true,
        (Json::Object(declared), Json::Object(live)) => {
            declared
                .iter()
                .all(|(name, one)| live.get(name).map_or_else(|| is_empty(one), |live| stands_for(one, live)))
                && live.iter().all(|(name, one)| declared.contains_key(name) || is_empty(one))
        }
        (Json::Array(declared), Json::Array(live)) => {
            declared.len() == live.len() && declared.iter().zip(&live).all(|(one, live)| stands_for(one, live))
        }
        (declared, live) => same(&declared, &live),
    }
}

/// An item that is in a list too many, where another item of the list is a dynamic reference: it may be what that came to.
fn is_beside_reference(pointer: &str, declared: Option<&Json>, expected: &Declared) -> bool {
    let Some((list, _)) = pointer.rsplit_once('/').filter(|_| declared.is_none()) else { return false };
    expected.properties.pointer(list).is_some_and(|list| list.is_array() && holds_reference(list))
}

/// Declared properties that neither comparison has (pointers).
pub(super) fn not_compared(
    own: Option<&Declared>,
    looked: Option<&DetectedResource>,
    compared: Option<&(Compared, Source)>,
) -> Vec<String> {
    let left = match compared {
        // Cloud Control reads everything that can be read.
        Some((compared, Source::CloudControl)) => return compared.not_comparable.clone(),
        Some((compared, _)) => compared.not_comparable.clone(),
        None => {
            let names = own.and_then(|own| own.properties.as_object()).into_iter().flatten();
            names.map(|(name, _)| format!("/{}", escaped(name))).collect()
        }
    };
    let expected = looked.and_then(|found| found.expected.as_ref());
    left.into_iter().filter(|pointer| expected.is_none_or(|all| all.pointer(pointer).is_none())).collect()
}

pub(super) fn declared_count(own: Option<&Declared>) -> usize {
    own.and_then(|own| own.properties.as_object()).map_or(0, |properties| properties.len())
}

/// What the template declares: as CloudFormation evaluated it where it told, else as it is evaluated here.
pub(super) fn expected(own: Option<&Declared>, detected: Option<&DetectedResource>) -> Option<Declared> {
    let told = detected.and_then(|found| found.expected.as_ref()).and_then(Json::as_object);
    let Some(told) = told else { return own.cloned() };
    let mut expected = Declared { properties: Json::Object(told.clone()), unknown: Vec::new(), sensitive: Vec::new() };
    if let Some(own) = own {
        // CloudFormation tells in ASCII.
        restore(&mut expected.properties, &own.properties);
        expected.sensitive.clone_from(&own.sensitive);
        // CloudFormation tells a dynamic reference as it is written, and what is live as it came to be; what is not known here
        // and not ASCII alone was another text than it tells.
        let unsure = |pointer: &String| {
            let in_ascii = expected.properties.pointer(pointer).and_then(Json::as_str);
            own.properties.pointer(pointer).is_some_and(refers) || in_ascii.is_some_and(|text| text.contains('?'))
        };
        let unsure: Vec<String> = own.unknown.iter().filter(|pointer| unsure(pointer)).cloned().collect();
        expected.unknown.extend(unsure);
        // CloudFormation leaves out what it cannot compare.
        let missing = own.properties.as_object().into_iter().flatten().filter(|(name, _)| !told.contains_key(*name));
        let missing: Vec<(String, Json)> = missing.map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, value) in missing {
            let pointer = format!("/{}", escaped(&name));
            expected.unknown.extend(own.unknown.iter().filter(|unknown| within(unknown, &pointer)).cloned());
            expected.properties[name] = value;
        }
        // A secret is compared by nobody but CloudFormation.
        expected.unknown.extend(own.sensitive.iter().cloned());
    }
    Some(expected)
}

/// What CloudFormation found, without what means the same.
fn detected_differences(detected: Option<&DetectedResource>) -> Vec<Difference> {
    let Some(found) = detected.filter(|found| found.status == DetectedStatus::Modified) else { return Vec::new() };
    let at = |document: &Option<Json>, pointer: &str| document.as_ref()?.pointer(pointer).cloned();
    let from_text = |text: &str| match text {
        "null" => None,
        text => Some(
            serde_json::from_str(text).ok().filter(|value: &Json| !value.is_string()).unwrap_or_else(|| text.into()),
        ),
    };
    let differences = found.differences.iter().map(|difference| {
        let pointer = difference.path.clone();
        let declared = at(&found.expected, &pointer).or_else(|| from_text(&difference.expected));
        let declared = declared.filter(|_| difference.expected != "null");
        // Lists of the actual properties are in an order of their own: only the difference itself is certain.
        let live = from_text(&difference.actual);
        Difference { pointer, declared, live }
    });
    differences
        .filter(|difference| {
            let normal = |value: &Option<Json>| value.as_ref().map_or(Json::Null, normal);
            let (declared, live) = (normal(&difference.declared), normal(&difference.live));
            !(same(&declared, &live) || (is_empty(&declared) && is_empty(&live)))
        })
        .collect()
}

/// Both are items of one list.
fn same_list(one: &str, other: &str) -> bool {
    let list = |pointer: &str| {
        let (list, index) = pointer.rsplit_once('/')?;
        index.parse::<usize>().ok().map(|_| list.to_owned())
    };
    list(one).is_some() && list(one) == list(other)
}

pub(super) fn shown_all(pointers: &[String]) -> Vec<String> {
    pointers.iter().map(|pointer| path_text(pointer)).collect()
}

/// `/Rules/0/Port` → `Rules[0].Port`.
pub fn path_text(pointer: &str) -> String {
    let mut path = String::new();
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if !path.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) && !segment.is_empty() {
            path += &format!("[{segment}]");
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path += &segment;
        }
    }
    path
}
