//! What AWS really answered, against what this crate says. The recordings are not part of the repository:
//! `INFRA_CONFORMANCE` names their directory, and `cargo test -p cloudformation --test conformance -- --ignored` runs
//! these tests. Without the variable they fail rather than pass without having looked.

use cloudformation::template::Template;
use std::fs;
use std::path::PathBuf;

fn recordings(kind: &str) -> PathBuf {
    let root = std::env::var_os("INFRA_CONFORMANCE").expect("INFRA_CONFORMANCE must name the directory of recordings");
    PathBuf::from(root).join(kind)
}

#[test]
#[ignore = "needs the recordings: set INFRA_CONFORMANCE"]
fn templates_are_read_and_round_trip() {
    let mut names: Vec<PathBuf> = fs::read_dir(recordings("templates"))
        .expect("a directory of templates")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    let mut with_problems = 0;
    for path in &names {
        let text = fs::read_to_string(path).expect("a text");
        let (template, problems) = match Template::read(&text) {
            Ok(read) => read,
            Err(problem) => panic!("{}: {problem}", path.display()),
        };
        if !problems.is_empty() {
            with_problems += 1;
            println!("{}: {problems:#?}", path.display());
        }
        let written = template.to_json();
        let (again, more) = Template::read(&written.to_string()).expect("JSON is read");
        assert_eq!(more.len(), problems.len(), "{}", path.display());
        assert_eq!(again.to_json(), written, "{}", path.display());
    }
    println!("{} templates read and written again, {with_problems} of them with problems", names.len());
}
