//! What the repository's own environments are made from beside their files: the example image and the site.

use super::{project::Project, root};
use std::path::Path;

/// The repository's own environments in a folder of their own, and no AWS: a fresh clone.
pub fn clone() -> Project {
    let project = Project::offline();
    for name in ["base", "dev", "staging", "prod", "local"] {
        let file = format!("environments/{name}.yaml");
        let text = std::fs::read_to_string(root().join(&file)).expect("an environment of the repository");
        project.write(&file, &text);
    }
    assets(&project);
    project
}

/// Copies them into a project that has the environments already.
pub fn assets(project: &Project) {
    let to = project.path().join("apps");
    std::fs::create_dir_all(&to).expect("a folder");
    std::fs::copy(root().join("apps/example-image.tar"), to.join("example-image.tar")).expect("the example image");
    folder(&root().join("apps/site/public"), &to.join("site/public"));
}

fn folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the site") {
        let path = entry.expect("an entry").path();
        let place = to.join(path.file_name().expect("a name"));
        match path.is_dir() {
            true => folder(&path, &place),
            false => std::fs::copy(&path, &place).map(drop).expect("a file"),
        }
    }
}
