//! Side by side with `cfn-lint`: nothing that its schema rules (E3xxx) find is missed, nothing it accepts is refused.
//!
//! `CFN_LINT=/path/to/cfn-lint cargo nextest run -p cloudformation --test cfn_lint --run-ignored only --no-capture`

#[path = "cfn_lint/mutants.rs"]
mod mutants;
#[path = "bad_edits/table.rs"]
mod table;

use cloudformation::validate::{Finding, Options, validate_text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An error of `cfn-lint`.
#[derive(Debug, Clone)]
struct Theirs {
    rule: String,
    path: Vec<String>,
    message: String,
}

fn good_templates() -> Vec<PathBuf> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What `cfn-lint` says of the files, by file name; errors only.
fn cfn_lint(files: &[PathBuf]) -> BTreeMap<String, Vec<Theirs>> {
    let program = std::env::var("CFN_LINT").expect("CFN_LINT must hold the path of cfn-lint 1.58.0");
    let output = Command::new(&program)
        .args(["--format", "json", "--regions", "us-east-1", "--template"])
        .args(files)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let matches: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut found: BTreeMap<String, Vec<Theirs>> = BTreeMap::new();
    for one in matches {
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let rule = text(&one["Rule"]["Id"]);
        if rule.starts_with('E') {
            let path = one["Location"]["Path"].as_array().into_iter().flatten().map(text).collect();
            let file = name(Path::new(&text(&one["Filename"])));
            found.entry(file).or_default().push(Theirs { rule, path, message: text(&one["Message"]) });
        }
    }
    found
}

fn ours(text: &str) -> Vec<Finding> {
    let mut found = validate_text(text, &Options::default());
    found.retain(Finding::is_error);
    found
}

/// Whether one of our errors is about the same: the same rule in the same resource, or any rule at a place that holds
/// theirs or lies in it.
fn covers(found: &[Finding], theirs: &Theirs) -> bool {
    let place = theirs.path.iter().filter(|part| !part.starts_with("Fn::")).cloned().collect::<Vec<_>>();
    found.iter().any(|finding| {
        let path: Vec<&str> =
            finding.path.split('/').filter(|part| !part.is_empty() && !part.starts_with("Fn::")).collect();
        let resource = place.get(1).map(String::as_str);
        // A circle is one finding here, and one for each of its members there.
        let in_circle =
            finding.rule.cfn_lint == Some("E3004") && resource.is_some_and(|it| finding.message.contains(it));
        let same_resource = path.get(1).copied() == resource || in_circle;
        let related = path.iter().zip(&place).all(|(one, two)| one == two);
        (same_resource && finding.rule.cfn_lint == Some(theirs.rule.as_str())) || (related && path.len() > 1)
    })
}

#[test]
#[ignore = "needs cfn-lint: set CFN_LINT to its path"]
fn nothing_that_cfn_lint_accepts_is_refused() {
    let mut templates = good_templates();
    let own = templates.len();
    if let Ok(directory) = std::env::var("INFRA_CONFORMANCE") {
        templates.extend(files(&Path::new(&directory).join("templates")));
    }
    let theirs = cfn_lint(&templates);
    let (mut accepted, mut refused, mut missed) = (0, Vec::new(), Vec::new());
    for file in &templates {
        let found = ours(&read(file));
        let errors = theirs.get(&name(file)).cloned().unwrap_or_default();
        if errors.is_empty() {
            accepted += 1;
            refused.extend(found.iter().map(|finding| format!("{}: {finding}", name(file))));
        }
        let schema_rules = errors.iter().filter(|error| error.rule.starts_with("E3"));
        // A type that only some account has registered is no error to us.
        let known = schema_rules.filter(|error| error.rule != "E3006" || error.message.contains("'AWS::"));
        missed.extend(known.filter(|error| !covers(&found, error)).map(|error| format!("{}: {error:?}", name(file))));
    }
    eprintln_counts(&format!(
        "{} templates ({own} own): cfn-lint accepts {accepted}, of which {} are refused here; {} of its schema errors are missed",
        templates.len(),
        refused.len(),
        missed.len()
    ));
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "needs cfn-lint: set CFN_LINT to its path"]
fn nothing_that_cfn_lint_finds_in_bad_edits_is_missed() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("edits");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory for edits");
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let mut files = Vec::new();
    for (at, edit) in table::EDITS.iter().enumerate() {
        let good = read(&templates.join(edit.template).with_extension("yaml"));
        let file = directory.join(format!("{at:03}.yaml"));
        std::fs::write(&file, good.replace(edit.good, edit.bad)).expect("an edit is written");
        files.push(file);
    }
    let theirs = cfn_lint(&files);
    let (mut errors, mut missed, mut same_rule) = (0, Vec::new(), 0);
    for (file, edit) in files.iter().zip(table::EDITS) {
        let found = ours(&read(file));
        let of_file = theirs.get(&name(file)).cloned().unwrap_or_default();
        for error in of_file.iter().filter(|error| error.rule.starts_with("E3")) {
            errors += 1;
            same_rule += usize::from(found.iter().any(|it| it.rule.cfn_lint == Some(error.rule.as_str())));
            if !covers(&found, error) {
                missed.push(format!("{} at {}: {error:?}", edit.rule, edit.path));
            }
        }
    }
    eprintln_counts(&format!(
        "{} bad edits: cfn-lint's schema rules find {errors} errors, {} of them are found here too, {same_rule} by the same rule; {} edits it accepts",
        table::EDITS.len(),
        errors - missed.len(),
        files.len() - theirs.len()
    ));
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "needs cfn-lint: set CFN_LINT to its path"]
fn nothing_that_cfn_lint_finds_in_mutants_is_missed() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory for mutants");
    let mut written = Vec::new();
    for file in good_templates() {
        let stem = name(&file);
        for (at, batch) in mutants::of(&read(&file)).into_iter().enumerate() {
            let file = directory.join(format!("{}-{at:03}.json", stem.trim_end_matches(".yaml")));
            std::fs::write(&file, &batch.text).expect("a batch is written");
            written.push((file, batch));
        }
    }
    let files: Vec<PathBuf> = written.iter().map(|(file, _)| file.clone()).collect();
    let theirs = cfn_lint(&files);
    let mut rules: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut missed, mut only_ours) = (Vec::new(), Vec::new());
    let (mut mutants, mut bad) = (0, 0);
    for (file, batch) in &written {
        let all = ours(&batch.text);
        let errors = theirs.get(&name(file)).cloned().unwrap_or_default();
        for (copy, what) in &batch.copies {
            mutants += 1;
            let prefix = format!("/Resources/{copy}/");
            let found: Vec<Finding> = all.iter().filter(|found| found.path.starts_with(&prefix)).cloned().collect();
            let of_copy = |error: &&Theirs| error.path.get(1) == Some(copy);
            bad += usize::from(errors.iter().any(|error| of_copy(&error)));
            for error in errors.iter().filter(of_copy).filter(|error| error.rule.starts_with("E3")) {
                let count = rules.entry(error.rule.clone()).or_default();
                count.0 += 1;
                match covers(&found, error) {
                    true => count.1 += 1,
                    false => missed.push(format!("{} ({what}): {error:?}", name(file))),
                }
            }
            if !errors.iter().any(|error| of_copy(&error)) {
                let said: BTreeSet<String> =
                    found.iter().map(|finding| format!("{finding} {}", finding.path)).collect();
                only_ours.extend(said.into_iter().map(|said| format!("{} ({what}): {said}", name(file))));
            }
        }
    }
    let total: usize = rules.values().map(|count| count.0).sum();
    let agreed: usize = rules.values().map(|count| count.1).sum();
    eprintln_counts(&format!(
        "{mutants} mutants, {bad} bad to cfn-lint: {agreed} of its {total} schema errors are found here too; by rule (theirs, here) {rules:?}; {} errors are found only here",
        only_ours.len()
    ));
    if let Ok(report) = std::env::var("MUTANT_REPORT") {
        let text = format!("MISSED\n{}\nONLY OURS\n{}\n", missed.join("\n"), only_ours.join("\n"));
        std::fs::write(report, text).expect("the report is written");
    }
    assert!(missed.is_empty(), "{} missed: {:#?}", missed.len(), &missed[..missed.len().min(40)]);
}

/// The counts are what these tests are run for.
#[allow(clippy::print_stderr)]
fn eprintln_counts(text: &str) {
    eprintln!("{text}");
}
