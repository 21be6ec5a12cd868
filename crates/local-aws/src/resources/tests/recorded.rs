//! Properties that AWS took, as recorded: none of them is refused here. Read where `INFRA_CONFORMANCE` points.

use super::*;
use std::path::Path;

/// Recorded resources that are looked at, of which some are repeated.
const LEAST_LOOKED_AT: usize = 100;

#[test]
fn what_aws_took_is_not_refused() {
    let Some(root) = std::env::var_os("INFRA_CONFORMANCE") else { return };
    let (mut looked_at, mut refused) = (0, Vec::new());
    for folder in ["change-sets", "behaviours"] {
        for entry in std::fs::read_dir(Path::new(&root).join(folder)).expect("recordings") {
            let path = entry.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("a recording");
            let recorded: Json = serde_json::from_str(&without_placeholders(&text)).expect("JSON");
            walk(&recorded, &mut |event| {
                let taken = event["ResourceStatus"].as_str().is_some_and(|status| status.ends_with("E_COMPLETE"));
                let (Some(name), true) = (event["ResourceType"].as_str(), taken) else { return };
                let properties = &event["ResourceProperties"];
                if !properties.is_object() || cloudformation::schema::resource_type(name).is_none() {
                    return;
                }
                looked_at += 1;
                if let Err(failure) = check(name, properties) {
                    refused.push(format!("{}: {name}: {}", path.display(), failure.reason));
                }
            });
        }
    }
    assert!(refused.is_empty(), "{} of {looked_at}: {refused:#?}", refused.len());
    assert!(looked_at >= LEAST_LOOKED_AT, "{looked_at}");
}

/// The recorder put `<name:1>` for what differs between runs: as plain words they could be names.
fn without_placeholders(text: &str) -> String {
    let known = text.replace("<partition>", "aws").replace("<region>", "us-east-1");
    let mut plain = String::with_capacity(known.len());
    let mut rest = known.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        let word = after.split_once('>').filter(|(word, _)| word.len() < 40 && !word.contains([' ', '"', '\\']));
        rest = match word {
            Some((word, after)) => {
                plain.extend(word.chars().filter(char::is_ascii_alphanumeric));
                after
            }
            None => after,
        };
    }
    plain + rest
}

fn walk(value: &Json, each: &mut impl FnMut(&Json)) {
    match value {
        Json::Object(members) => {
            each(value);
            members.values().for_each(|value| walk(value, each));
        }
        Json::Array(items) => items.iter().for_each(|value| walk(value, each)),
        _ => {}
    }
}
