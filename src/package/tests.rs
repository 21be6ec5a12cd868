//! Folders that are packed, wherever they lie and whoever has checked them out.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use super::contents::{self, IGNORE_FILE};
use super::*;
use crate::error::Error;
use crate::files;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

fn project(files: &[(&str, &str)]) -> TempDir {
    let project = TempDir::new().unwrap();
    for (name, text) in files {
        let path = project.path().join("functions/emailer").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    project
}

fn recipe(runtime: &str) -> Recipe {
    let folder = "functions/emailer".to_owned();
    Recipe { folder, runtime: runtime.parse().unwrap(), architecture: Default::default(), install: true }
}

async fn pack(project: &TempDir, recipe: &Recipe) -> Result<Built, Error> {
    build(project.path(), "emailer", recipe, &(Arc::new(|_| {}) as Tell)).await
}

/// Names, modes and times of an archive's files.
fn listed(built: &Built) -> Vec<(String, u32, String)> {
    let mut archive = zip::ZipArchive::new(fs::File::open(&built.path).unwrap()).unwrap();
    let files = archive.len();
    let one = |index| {
        let file = archive.by_index(index).unwrap();
        (
            file.name().unwrap().into_owned(),
            file.unix_mode().unwrap() & 0o777,
            file.last_modified().unwrap().to_string(),
        )
    };
    (0..files).map(one).collect()
}

const CODE: [(&str, &str); 4] = [
    ("handler.py", "def handle(event, context):\n    return 'hello'\n"),
    ("lib/words.py", "HELLO = 'hello'\n"),
    ("bin/tool", "#!/bin/sh\n"),
    ("lib/__pycache__/words.cpython-313.pyc", "compiled"),
];

#[tokio::test]
async fn the_same_sources_give_the_same_bytes() {
    let (first, second) = (project(&CODE), project(&CODE));
    let at = |project: &TempDir, name: &str| project.path().join("functions/emailer").join(name);
    for (project, mode, tool, days) in [(&first, 0o600, 0o700, 1), (&second, 0o666, 0o777, 900)] {
        for (name, _) in CODE {
            let file = fs::File::open(at(project, name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
            let mode = if name == "bin/tool" { tool } else { mode };
            fs::set_permissions(at(project, name), Permissions::from_mode(mode)).unwrap();
        }
    }
    fs::write(at(&second, ".env"), "TOKEN=secret").unwrap();
    let (one, other) =
        (pack(&first, &recipe("python3.13")).await.unwrap(), pack(&second, &recipe("python3.13")).await.unwrap());
    assert_eq!((one.packed, one.source), (other.packed, other.source));
    assert_eq!(fs::read(&one.path).unwrap(), fs::read(&other.path).unwrap());
    let time = "1980-01-01 00:00:00".to_owned();
    let file = |name: &str, mode| (name.to_owned(), mode, time.clone());
    assert_eq!(listed(&one), [file("bin/tool", 0o755), file("handler.py", 0o644), file("lib/words.py", 0o644)]);
    // What these bytes are follows from the sources and this program alone. Should another version of the compressor give
    // others, every function of every project changes once: say so in the changelog.
    assert_eq!(
        one.packed.digest.to_string(),
        "sha256:8622ceb32c6589789a73f626d5cb5515563311947dac5dba476b59a4805d319b"
    );
}

#[tokio::test]
async fn what_was_packed_once_is_not_packed_again() {
    let project = project(&CODE);
    let first = pack(&project, &recipe("python3.13")).await.unwrap();
    let again = pack(&project, &recipe("python3.13")).await.unwrap();
    assert_eq!((first.reused, again.reused, &again.path), (false, true, &first.path));
    // What is left out does not count; contents, names and the runtime do.
    fs::write(project.path().join("functions/emailer/lib/__pycache__/new.pyc"), "x").unwrap();
    assert!(pack(&project, &recipe("python3.13")).await.unwrap().reused);
    assert_ne!(pack(&project, &recipe("python3.12")).await.unwrap().source, first.source);
    fs::write(project.path().join("functions/emailer/lib/words.py"), "HELLO = 'hi'\n").unwrap();
    let changed = pack(&project, &recipe("python3.13")).await.unwrap();
    assert!(!changed.reused && changed.packed.digest != first.packed.digest, "{changed:?}");
    let left: Vec<String> = fs::read_dir(folder(project.path()))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".zip"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing half made stays");
    assert_eq!(fs::read_to_string(project.path().join(files::OWN_FOLDER).join(".gitignore")).unwrap(), "*\n");
}

#[tokio::test]
async fn a_folder_says_itself_what_is_no_code() {
    let project = project(&CODE);
    let ignore = "# not at run time\ntests\nlib\n!lib/words.py\n";
    let at = |name: &str| project.path().join("functions/emailer").join(name);
    fs::write(at(IGNORE_FILE), ignore).unwrap();
    fs::create_dir(at("tests")).unwrap();
    fs::write(at("tests/test_handler.py"), "").unwrap();
    fs::write(at("lib/other.py"), "").unwrap();
    let names = |entries: contents::Entries| entries.into_keys().collect::<Vec<_>>();
    assert_eq!(names(contents::of_sources(&at(""), true).unwrap()), ["bin/tool", "handler.py", "lib/words.py"]);
    fs::write(at(IGNORE_FILE), "lib\n[a\n").unwrap();
    let wrong = contents::of_sources(&at(""), true).unwrap_err();
    assert!(wrong.message.ends_with(".packageignore:2: `[a` is no pattern"), "{wrong}");
    fs::remove_file(at(IGNORE_FILE)).unwrap();

    std::os::unix::fs::symlink(at("lib"), at("again")).unwrap();
    let names = names(contents::of_sources(&at(""), true).unwrap());
    assert!(names.contains(&"again/words.py".to_owned()), "a link within the folder is what it leads to: {names:?}");
    std::os::unix::fs::symlink("/etc/hostname", at("host")).unwrap();
    let out = contents::of_sources(&at(""), true).unwrap_err();
    assert!(out.message.ends_with("host leads out of the folder"), "{out}");
    fs::remove_file(at("host")).unwrap();
    std::os::unix::fs::symlink(at(""), at("lib/up")).unwrap();
    assert!(contents::of_sources(&at(""), true).unwrap_err().message.contains("leads to a folder that it is in"));
}

#[tokio::test]
async fn what_cannot_be_packed_is_told() {
    let refused = async |files: &[(&str, &str)], runtime: &str| {
        let project = project(files);
        pack(&project, &recipe(runtime)).await.unwrap_err()
    };
    let empty = refused(&[(".gitignore", "*")], "python3.13").await;
    assert!(empty.message.contains("has no code"), "{empty}");
    let project = TempDir::new().unwrap();
    let missing = pack(&project, &recipe("python3.13")).await.unwrap_err();
    assert_eq!(missing.message, "the folder `functions/emailer` of the package `emailer` does not exist");
    fs::create_dir_all(project.path().join("environments")).unwrap();
    fs::write(project.path().join("environments/dev.yaml"), "").unwrap();
    let whole = Recipe { folder: ".".to_owned(), install: false, ..recipe("python3.13") };
    let error = pack(&project, &whole).await.unwrap_err();
    assert!(error.message.ends_with("holds `environments/dev.yaml`, an environment of the project"), "{error}");
    fs::write(project.path().join(IGNORE_FILE), "environments\n").unwrap();
    fs::create_dir(project.path().join("functions")).unwrap();
    fs::write(project.path().join("functions/app.py"), "").unwrap();
    assert!(pack(&project, &whole).await.is_ok());
    let plan = "{\"format_version\": \"1\", \"infra_version\": \"0\"}";
    fs::write(project.path().join("functions/plan.json"), plan).unwrap();
    let error = pack(&project, &whole).await.unwrap_err();
    assert!(error.message.ends_with("plan.json is a saved plan, and no code"), "{error}");
    let outside = Recipe { folder: "..".to_owned(), ..recipe("python3.13") };
    assert!(pack(&project, &outside).await.unwrap_err().message.contains("lies outside of the project"));
    let unlocked = refused(&[("package.json", r#"{"dependencies": {"x": "1"}}"#)], "nodejs22.x").await;
    assert!(unlocked.message.contains("has dependencies and no lock file"), "{unlocked}");
}

#[test]
fn what_is_too_large_says_where_it_lies() {
    let project = project(&CODE);
    let entries = contents::of_sources(&project.path().join("functions/emailer"), true).unwrap();
    let bytes: u64 = entries.values().map(|entry| entry.bytes).sum();
    assert!(archive::check("emailer", &entries, bytes + 1).is_ok());
    let error = archive::check("emailer", &entries, bytes).unwrap_err();
    assert!(error.message.starts_with("the package `emailer` is too large:"), "{error}");
    assert!(error.details[0].starts_with("handler.py: "), "{error:?}");
    assert_eq!(LIMIT_BYTES, 250 * 1024 * 1024);
}

/// A package that lies in the folder: nothing is fetched.
#[tokio::test]
async fn a_dependency_of_npm_comes_along() {
    let manifest = r#"{"name": "emailer", "version": "1.0.0", "dependencies": {"greet": "file:vendor/greet"}}"#;
    let lock = r#"{
      "name": "emailer", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
      "packages": {
        "": {"name": "emailer", "version": "1.0.0", "dependencies": {"greet": "file:vendor/greet"}},
        "node_modules/greet": {"resolved": "vendor/greet", "link": true},
        "vendor/greet": {"version": "2.0.0"}
      }
    }"#;
    let greet = r#"{"name": "greet", "version": "2.0.0", "scripts": {"install": "touch ../../ran"}}"#;
    let files = [
        ("index.js", "exports.handler = async () => require('greet')('lambda');\n"),
        ("package.json", manifest),
        ("package-lock.json", lock),
        ("vendor/greet/package.json", greet),
        ("vendor/greet/index.js", "module.exports = (name) => `hello ${name}`;\n"),
        (IGNORE_FILE, "vendor\n"),
        ("node_modules/stale/index.js", "old"),
    ];
    let (first, second) = (project(&files), project(&files));
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell: Tell = Arc::new({
        let told = told.clone();
        move |progress| told.lock().unwrap().push(progress)
    });
    let built = build(first.path(), "emailer", &recipe("nodejs22.x"), &tell).await.unwrap();
    assert_eq!(told.lock().unwrap()[0], Progress::Started { with: "npm ci".to_owned() });
    let names: Vec<String> = listed(&built).into_iter().map(|(name, ..)| name).collect();
    let expected = [
        "index.js",
        "node_modules/greet/index.js",
        "node_modules/greet/package.json",
        "package-lock.json",
        "package.json",
    ];
    assert_eq!(names, expected);
    assert_eq!(pack(&second, &recipe("nodejs22.x")).await.unwrap().packed, built.packed);
    let said = run(&built, "node", &["-e", "require('./index.js').handler().then(console.log)"]);
    assert_eq!(said, "hello lambda\n");
    assert!(!first.path().join("functions/emailer/ran").exists(), "no script of a dependency is run");

    // What the installation reads counts, although it is left out of the code.
    fs::write(first.path().join("functions/emailer/vendor/greet/index.js"), "module.exports = () => 'bye';\n").unwrap();
    assert_ne!(pack(&first, &recipe("nodejs22.x")).await.unwrap().packed, built.packed);

    let more = manifest.replace("vendor/greet\"}", "vendor/greet\", \"absent\": \"file:vendor/absent\"}");
    fs::write(first.path().join("functions/emailer/package.json"), more).unwrap();
    let refused = pack(&first, &recipe("nodejs22.x")).await.unwrap_err();
    assert!(refused.message.contains("npm ci ended with exit status"), "{refused}");
    assert!(refused.details.iter().any(|line| line.contains("absent")), "npm's own words: {refused:?}");
}

/// What a program prints in the unpacked archive.
fn run(built: &Built, program: &str, arguments: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    zip::ZipArchive::new(fs::File::open(&built.path).unwrap()).unwrap().extract(folder.path()).unwrap();
    let output = std::process::Command::new(program).args(arguments).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A wheel by hand: an archive with metadata beside the code.
fn wheel(path: &Path) {
    use std::io::Write;
    let mut wheel = zip::ZipWriter::new(fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("greet/__init__.py", "def greet(name):\n    return f'hello {name}'\n"),
        ("greet-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greet\nVersion: 2.0\n"),
        (
            "greet-2.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        ("greet-2.0.dist-info/entry_points.txt", "[console_scripts]\ngreet = greet:greet\n"),
        ("greet-2.0.dist-info/RECORD", ""),
    ] {
        wheel.start_file(name, options).unwrap();
        wheel.write_all(text.as_bytes()).unwrap();
    }
    wheel.finish().unwrap();
}

/// A wheel that lies in the folder: nothing is fetched.
#[tokio::test]
async fn a_dependency_of_pip_comes_along() {
    let with_wheel = || {
        let project = project(&[
            ("handler.py", "from greet import greet\n\ndef handle(event, context):\n    return greet('lambda')\n"),
            (IGNORE_FILE, "vendor\n"),
        ]);
        let folder = project.path().join("functions/emailer");
        fs::create_dir(folder.join("vendor")).unwrap();
        let path = folder.join("vendor/greet-2.0-py3-none-any.whl");
        wheel(&path);
        let hash = archive::read(&path).unwrap().digest.hex();
        let text = format!("./vendor/greet-2.0-py3-none-any.whl \\\n    --hash=sha256:{hash}\n");
        fs::write(folder.join("requirements.txt"), text).unwrap();
        project
    };
    let (first, second) = (with_wheel(), with_wheel());
    let built = pack(&first, &recipe("python3.13")).await.unwrap();
    let names: Vec<String> = listed(&built).into_iter().map(|(name, ..)| name).collect();
    let info = ["METADATA", "WHEEL", "entry_points.txt"].map(|name| format!("greet-2.0.dist-info/{name}"));
    let expected = [&info[..], &["greet/__init__.py", "handler.py", "requirements.txt"].map(str::to_owned)].concat();
    assert_eq!(names, expected);
    assert_eq!(pack(&second, &recipe("python3.13")).await.unwrap().packed, built.packed);
    let said = run(&built, "python3", &["-c", "import handler; print(handler.handle({}, None))"]);
    assert_eq!(said, "hello lambda\n");

    let requirements = second.path().join("functions/emailer/requirements.txt");
    let text = fs::read_to_string(&requirements).unwrap();
    fs::write(&requirements, text.replace("--hash=sha256:", "--hash=sha256:00").replace("\n\n", "\n")).unwrap();
    let refused = pack(&second, &recipe("python3.13")).await.unwrap_err();
    assert!(refused.message.contains("pip install ended with exit status"), "{refused}");
    assert!(refused.details.iter().any(|line| line.to_lowercase().contains("hash")), "pip's own words: {refused:?}");
}
