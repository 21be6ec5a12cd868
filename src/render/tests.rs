//! The project's own environments, and what is said about bad templates and inputs.

use super::*;
use crate::environment;
use crate::view::problem;
use std::path::Path;

fn drawn(problems: &[Problem]) -> String {
    anstream::adapter::strip_str(&problem::text(problems, 100)).to_string()
}

#[test]
fn the_projects_own_environments_render() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for listed in environment::list(root).unwrap().into_iter().filter(|listed| !listed.base) {
        let (environment, _) =
            environment::load(root, &listed.name).unwrap_or_else(|error| panic!("{}", drawn(&error.problems)));
        match render(&environment, &Catalog::embedded()) {
            Ok(stacks) => assert_eq!(stacks.len(), environment.stacks.len()),
            Err(error) => panic!("{}", drawn(&error.problems)),
        }
    }
}
