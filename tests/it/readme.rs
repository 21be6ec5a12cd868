//! The commands of the README do what it says, in the order in which it shows them.

use crate::support::{project::Project, root};
use crate::system::storefront;

#[test]
fn the_commands_of_the_readme_work() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let commands: Vec<&str> = blocks
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("$ infra "))
        .map(|line| line.split('#').next().unwrap_or(line).trim())
        .collect();
    assert!(commands.len() >= 8, "{commands:?}");
    let project: Project = storefront();
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let ran = project.infra(&words).env("INFRA_ENV", "emulator").run();
        assert_eq!(ran.code, Some(0), "infra {command}:\n{}{}", ran.stdout, ran.stderr);
    }
}
