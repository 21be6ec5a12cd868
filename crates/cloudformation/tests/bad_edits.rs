//! Good templates with one bad edit each: what is found, and where.
//!
//! The same edits are held against `cfn-lint` by `cfn_lint.rs`.

use cloudformation::validate::{Finding, Options, validate_text};

#[path = "bad_edits/table.rs"]
mod table;
use table::EDITS;

fn template(name: &str) -> String {
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates").join(name).with_extension("yaml");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn found(text: &str) -> Vec<Finding> {
    validate_text(text, &Options::default())
}

#[test]
fn good_templates_have_no_findings() {
    for name in ["service", "site", "compute"] {
        let found = found(&template(name));
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn every_bad_edit_is_found_where_it_is() {
    assert!(EDITS.len() >= 60);
    let mut wrong = Vec::new();
    for edit in EDITS {
        let good = template(edit.template);
        assert_eq!(good.matches(edit.good).count(), 1, "{:?} must stand once in {}", edit.good, edit.template);
        let bad = good.replace(edit.good, edit.bad);
        let line = 1 + good.split(edit.good).next().map_or(0, |before| before.matches('\n').count());
        let last = line + edit.bad.matches('\n').count();
        let found = found(&bad);
        let hit = found.iter().find(|finding| finding.rule.id == edit.rule && finding.path == edit.path);
        match hit {
            None => {
                wrong.push(format!("{edit:?}: {:?}", found.iter().map(|it| (it.rule.id, &it.path)).collect::<Vec<_>>()))
            }
            // What is missing is found at what it is missing from, which starts before the edit.
            Some(hit) if hit.span.start.line > last => wrong.push(format!("{edit:?}: at {:?}", hit.span)),
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), EDITS.len());
}

/// The texts that a user reads, for one edit of each kind.
#[test]
fn findings_say_what_is_wrong_and_what_to_do() {
    let mut said = String::new();
    let mut seen = std::collections::BTreeSet::new();
    for edit in EDITS.iter().filter(|edit| seen.insert(edit.rule)) {
        let bad = template(edit.template).replace(edit.good, edit.bad);
        for finding in found(&bad).iter().filter(|finding| finding.rule.id == edit.rule).take(1) {
            said += &format!("{}: {}\n", finding.rule.id, finding.message);
            said += &finding.remedy.as_ref().map(|remedy| format!("    {remedy}\n")).unwrap_or_default();
        }
    }
    insta::assert_snapshot!(said);
}
