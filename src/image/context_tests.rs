//! What counts in the digest of a context, and what does not.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

/// A project with one context, `app`.
struct Project {
    folder: tempfile::TempDir,
    recipe: Recipe,
}

impl Project {
    fn new() -> Project {
        let recipe = Recipe {
            context: "app".to_owned(),
            dockerfile: None,
            target: None,
            arguments: BTreeMap::new(),
            platforms: vec![Platform::linux_amd64()],
            secrets: BTreeMap::new(),
        };
        let project = Project { folder: tempfile::tempdir().unwrap(), recipe };
        project.write("app/Dockerfile", "FROM python:3.13 AS build\nCOPY . .\n");
        project.write("app/src/main.py", "print(1)");
        project
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn read(&self) -> Result<Context, Error> {
        Context::read(self.folder.path(), &self.recipe)
    }

    fn digest(&self) -> Digest {
        self.read().unwrap().digest
    }

    fn refused(&self) -> String {
        let error = self.read().expect_err("this context should be refused");
        error.problems.first().map_or(error.message, |problem| problem.message.clone())
    }
}

/// Every digest is another one.
#[derive(Default)]
struct Seen(Vec<Digest>);

impl Seen {
    #[track_caller]
    fn another(&mut self, project: &Project) {
        let digest = project.digest();
        assert!(!self.0.contains(&digest));
        self.0.push(digest);
    }
}

#[test]
fn times_and_places_do_not_count() {
    let (one, two) = (Project::new(), Project::new());
    assert_eq!(one.digest(), two.digest());
    let file = File::options().write(true).open(two.path("app/src/main.py")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    two.write("outside.txt", "not of the context");
    assert_eq!(one.digest(), two.digest());
}

#[test]
fn contents_names_modes_and_links_count() {
    let project = Project::new();
    let mut seen = Seen::default();
    seen.another(&project);
    project.write("app/src/main.py", "print(2)");
    seen.another(&project);
    fs::rename(project.path("app/src/main.py"), project.path("app/src/other.py")).unwrap();
    seen.another(&project);
    fs::set_permissions(project.path("app/src/other.py"), fs::Permissions::from_mode(0o755)).unwrap();
    seen.another(&project);
    symlink("other.py", project.path("app/src/link.py")).unwrap();
    seen.another(&project);
    fs::remove_file(project.path("app/src/link.py")).unwrap();
    symlink("/nowhere", project.path("app/src/link.py")).unwrap();
    seen.another(&project);
    fs::create_dir(project.path("app/empty")).unwrap();
    seen.another(&project);
    project.write("app/Dockerfile", "FROM python:3.12 AS build\nCOPY . .\n");
    seen.another(&project);
}

#[test]
fn the_recipe_counts_and_secrets_do_not_show() {
    let mut project = Project::new();
    let mut seen = Seen::default();
    seen.another(&project);
    project.recipe.arguments.insert("A".to_owned(), "BC".to_owned());
    seen.another(&project);
    project.recipe.arguments = BTreeMap::from([("AB".to_owned(), "C".to_owned())]);
    seen.another(&project);
    project.recipe.target = Some("build".to_owned());
    seen.another(&project);
    project.recipe.platforms = vec!["linux/arm64".parse().unwrap()];
    seen.another(&project);
    project.recipe.secrets.insert("token".to_owned(), SecretSource::Variable("TOKEN".to_owned()));
    seen.another(&project);
    let with = project.digest();
    project.recipe.secrets.insert("token".to_owned(), SecretSource::File("token.txt".to_owned()));
    assert_eq!(project.digest(), with);
}

#[test]
fn what_is_ignored_does_not_count() {
    let project = Project::new();
    project.write("app/.dockerignore", "**/*.pyc\nbuild\n!build/keep/**\n.dockerignore\n");
    let before = project.read().unwrap();
    project.write("app/src/main.pyc", "x");
    project.write("app/build/out/a", "x");
    assert_eq!(project.digest(), before.digest);
    project.write("app/build/keep/a", "x");
    let after = project.read().unwrap();
    assert_ne!(after.digest, before.digest);
    // The file, its folder, and the excluded folder that holds them.
    assert_eq!(after.files, before.files + 3);
    assert_eq!(after.ignore_path, Some(project.path("app/.dockerignore").canonicalize().unwrap()));
}

#[test]
fn a_dockerfile_may_have_patterns_of_its_own() {
    let mut project = Project::new();
    project.recipe.dockerfile = Some("docker/prod.Dockerfile".to_owned());
    project.write("app/docker/prod.Dockerfile", "FROM scratch\n");
    project.write("app/.dockerignore", "*");
    assert_eq!(project.read().unwrap().files, 0);
    project.write("app/docker/prod.Dockerfile.dockerignore", "docker");
    // .dockerignore, Dockerfile, src, src/main.py.
    assert_eq!(project.read().unwrap().files, 4);
}

#[test]
fn contexts_that_are_refused() {
    let mut project = Project::new();
    project.write("app/.dockerignore", "a\n[b\n");
    assert_eq!(project.refused(), "`[b` is no pattern");
    project.write("app/.dockerignore", "");
    project.recipe.target = Some("biuld".to_owned());
    assert_eq!(project.refused(), "app/Dockerfile has no stage `biuld`");
    project.recipe.target = None;
    project.recipe.dockerfile = Some("Dockerfile.dev".to_owned());
    assert_eq!(project.refused(), "the Dockerfile `Dockerfile.dev` does not exist");
    project.recipe.dockerfile = None;
    project.recipe.context = "gone".to_owned();
    assert_eq!(project.refused(), "the context `gone` does not exist");
    project.recipe.context = "app/Dockerfile".to_owned();
    assert_eq!(project.refused(), "the context `app/Dockerfile` is no folder");
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), project.path("linked")).unwrap();
    for context in ["..", "linked"] {
        project.recipe.context = context.to_owned();
        assert!(project.refused().contains("lies outside of the project"), "{context}");
    }
}

#[test]
fn builds_are_no_part_of_a_context() {
    let mut project = Project::new();
    project.recipe.context = ".".to_owned();
    project.recipe.dockerfile = Some("app/Dockerfile".to_owned());
    project.write(".infra/images/app/x", "x");
    assert!(project.refused().contains("holds `.infra`, where infra keeps builds"));
    project.write(".dockerignore", ".infra\n");
    assert!(project.read().is_ok());
}
