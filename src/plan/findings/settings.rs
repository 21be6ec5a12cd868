//! Settings that guard something, each compared before and after. Which they are stands in [`super::table`].

use super::json::{Path, brief, flag, list, number, select, text};
use super::pair::Pair;
use super::risk::Context;
use super::table::SETTINGS;
use serde_json::Value as Json;

/// A setting of a type, and when a change of it is a loss.
pub(super) struct Setting {
    /// The type's name.
    pub of: &'static str,
    pub path: Path,
    pub guard: Guard,
    pub code: &'static str,
    /// What it means, as a sentence about the resource.
    pub meaning: &'static str,
}

/// When a change of a setting is a loss.
#[derive(Clone, Copy)]
pub(super) enum Guard {
    /// It was on, and no longer is.
    On,
    /// It becomes off; not to be said counts as on.
    NotOff,
    /// It becomes on.
    Off,
    /// The same, and nothing should be made so in the first place.
    NeverOn,
    /// It was said, and no longer is.
    Present,
    /// It was this, and becomes something else.
    Kept(&'static str),
    /// It becomes one of these.
    NotTo(&'static [&'static str]),
    /// The same, and nothing should be made so in the first place.
    Never(&'static [&'static str]),
    /// The number falls.
    NotLower,
    /// The number falls; not to be said is more than any number.
    NotLowerThanForever,
    /// The number rises.
    NotHigher,
    /// The list gets shorter.
    NotFewer,
    /// The list gets longer.
    NotMore,
    /// It moves towards the first of these.
    Ranked(&'static [&'static str]),
    /// The policy of a load balancer allows older versions of TLS.
    TlsPolicy,
}

pub(super) fn check(pair: &Pair, context: &mut Context) {
    for setting in SETTINGS.iter().filter(|setting| pair.is(setting.of)) {
        let before = if pair.is_new() { Vec::new() } else { select(&pair.before, setting.path) };
        let after = select(&pair.after, setting.path);
        let several = setting.path.contains(&"*");
        for (label, new) in &after {
            let old = before.iter().find(|(known, _)| known == label).map(|(_, value)| value);
            // A member of a list that is new by itself is looked at as a new resource would be.
            let is_new = pair.is_new() || (several && old.is_none());
            let old = old.unwrap_or(&Json::Null);
            if old != new && is_loss(setting.guard, old, new, is_new) {
                say(pair, setting, label, old, new, context);
            }
        }
        // A member that is gone takes its settings with it, but the map around them may be what was lost.
        if several && matches!(setting.guard, Guard::Present | Guard::NotLower | Guard::NotFewer) {
            let gone = |label: &str| !after.iter().any(|(known, _)| known == label);
            if let Some((label, old)) = before.iter().find(|(label, old)| gone(label) && !old.is_null())
                && after.is_empty()
            {
                say(pair, setting, label, old, &Json::Null, context);
            }
        }
    }
}

fn say(pair: &Pair, setting: &Setting, label: &str, old: &Json, new: &Json, context: &mut Context) {
    let values = match setting.guard {
        Guard::NotFewer | Guard::NotMore => format!("{} → {} of them", list(old).len(), list(new).len()),
        Guard::Present if new.is_null() => "taken away".to_owned(),
        Guard::TlsPolicy if new.is_null() => "the default, which allows TLS 1.0".to_owned(),
        _ => format!("{} → {}", brief(old), brief(new)),
    };
    context.say(pair, setting.code, label, format!("{}: {label} {values}", setting.meaning));
}

fn is_loss(guard: Guard, old: &Json, new: &Json, is_new: bool) -> bool {
    if is_new {
        return match guard {
            Guard::NeverOn => flag(new) == Some(true),
            Guard::Never(bad) => text(new).is_some_and(|new| bad.contains(&new.as_str())),
            _ => false,
        };
    }
    match guard {
        Guard::On => flag(old) == Some(true) && flag(new) != Some(true),
        Guard::NotOff => flag(old) != Some(false) && flag(new) == Some(false),
        Guard::Off | Guard::NeverOn => flag(old) != Some(true) && flag(new) == Some(true),
        Guard::Present => !is_empty(old) && is_empty(new),
        Guard::Kept(good) => text(old).as_deref() == Some(good) && text(new).as_deref() != Some(good),
        Guard::NotTo(bad) | Guard::Never(bad) => text(new).is_some_and(|new| bad.contains(&new.as_str())),
        Guard::NotLower => {
            matches!((number(old), number(new)), (Some(old), Some(new)) if new < old)
                || (number(old).is_some() && new.is_null())
        }
        Guard::NotLowerThanForever => match (number(old), number(new)) {
            (Some(old), Some(new)) => new < old,
            (None, Some(_)) => old.is_null(),
            _ => false,
        },
        Guard::NotHigher => matches!((number(old), number(new)), (Some(old), Some(new)) if new > old),
        Guard::NotFewer => is_list(old) && (is_list(new) || new.is_null()) && list(new).len() < list(old).len(),
        Guard::NotMore => (is_list(old) || old.is_null()) && is_list(new) && list(new).len() > list(old).len(),
        Guard::Ranked(order) => {
            let place = |value: &Json| text(value).and_then(|value| order.iter().position(|one| *one == value));
            match (place(old), place(new)) {
                (Some(old), Some(new)) => new < old,
                (Some(old), None) => new.is_null() && old > 0,
                _ => false,
            }
        }
        Guard::TlsPolicy => least_tls(old) > least_tls(new),
    }
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        _ => false,
    }
}

fn is_list(value: &Json) -> bool {
    value.is_array()
}

/// The oldest version of TLS 1 that a security policy of Elastic Load Balancing accepts, by the policy's name; 0 for
/// those that say none, the default among them. (Source: "Security policies for your Application Load Balancer", Elastic
/// Load Balancing's user guide.)
fn least_tls(policy: &Json) -> u8 {
    let Some(name) = text(policy) else { return 0 };
    let has = |part: &str| name.contains(part);
    match () {
        () if has("TLS13-1-3") => 3,
        () if has("TLS13-1-2") || has("TLS-1-2") || has("FS-1-2") => 2,
        () if has("TLS13-1-1") || has("TLS-1-1") || has("FS-1-1") => 1,
        () => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn losses_and_gains() {
        let cases: &[(Guard, Json, Json, bool)] = &[
            (Guard::On, json!(true), json!(false), true),
            (Guard::On, json!("true"), Json::Null, true),
            (Guard::On, json!(false), json!(true), false),
            (Guard::NotOff, Json::Null, json!(false), true),
            (Guard::Off, Json::Null, json!("true"), true),
            (Guard::Present, json!("key"), Json::Null, true),
            (Guard::Present, json!("key"), json!("other"), false),
            (Guard::Kept("ALL"), json!("ALL"), json!("REJECT"), true),
            (Guard::NotLower, json!(30), json!("7"), true),
            (Guard::NotLower, json!(7), json!(30), false),
            (Guard::NotLowerThanForever, Json::Null, json!(7), true),
            (Guard::NotLowerThanForever, json!(7), Json::Null, false),
            (Guard::NotFewer, json!(["a", "b"]), json!(["a"]), true),
            (Guard::Ranked(&["weak", "strong"]), json!("strong"), json!("weak"), true),
            (Guard::Ranked(&["weak", "strong"]), json!("weak"), json!("strong"), false),
            (Guard::TlsPolicy, json!("ELBSecurityPolicy-TLS13-1-2-2021-06"), json!("ELBSecurityPolicy-2016-08"), true),
            (
                Guard::TlsPolicy,
                json!("ELBSecurityPolicy-TLS13-1-2-2021-06"),
                json!("ELBSecurityPolicy-TLS13-1-3-2021-06"),
                false,
            ),
        ];
        for (index, (guard, old, new, loss)) in cases.iter().enumerate() {
            assert_eq!(is_loss(*guard, old, new, false), *loss, "case {index}: {old} → {new}");
        }
        assert!(is_loss(Guard::NeverOn, &Json::Null, &json!(true), true));
        assert!(!is_loss(Guard::Off, &Json::Null, &json!(true), true));
    }
}
