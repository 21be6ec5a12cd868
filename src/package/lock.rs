//! What a folder's own files say of its dependencies: whether there are any, and that a lock file names each of them with
//! its digest. Without one, the same folder would give other code tomorrow.

use crate::error::{Error, Kind};
use crate::files;
use crate::model::Runtime;
use regex::Regex;
use serde_json::Value as Json;
use std::path::Path;
use std::sync::LazyLock;

const LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// What has to be done before the folder can be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Install {
    /// It depends on nothing.
    Nothing,
    /// `pip install -r requirements.txt`
    Pip,
    /// `npm ci`, for which these are needed: files and folders, relative to the folder.
    Npm { inputs: Vec<String> },
}

pub const REQUIREMENTS: &str = "requirements.txt";

const NPM_LOCKS: [&str; 2] = ["npm-shrinkwrap.json", "package-lock.json"];

/// Files that name Python dependencies without fixing them for pip.
const LOOSE: [&str; 5] = ["requirements.in", "Pipfile", "uv.lock", "poetry.lock", "pdm.lock"];

/// Judges a folder.
///
/// # Errors
/// Dependencies are named and not fixed, or fixed outside of the folder.
pub fn judge(folder: &Path, name: &str, runtime: Runtime) -> Result<Install, Error> {
    match runtime {
        Runtime::Python { .. } => python(folder, name),
        Runtime::Node { .. } => node(folder, name),
    }
}

fn python(folder: &Path, name: &str) -> Result<Install, Error> {
    let compile = |input: &str| format!("uv pip compile --generate-hashes {input} -o {REQUIREMENTS}");
    let Some(text) = read(folder, REQUIREMENTS)? else {
        let loose = LOOSE.into_iter().find(|file| folder.join(file).is_file());
        let project = read(folder, "pyproject.toml")?.filter(|text| DEPENDENCIES.is_match(text));
        let Some(file) = loose.or(project.map(|_| "pyproject.toml")) else { return Ok(Install::Nothing) };
        return Err(Error::new(
            Kind::Configuration,
            format!("the package `{name}` has dependencies and no lock file: {file} is there, {REQUIREMENTS} is not"),
        )
        .detail(format!("in {}", folder.display()))
        .hint(format!("{}; or `pip-compile --generate-hashes {file}`", compile(file)))
        .hint("or `install: false`, where the folder is complete as it is"));
    };
    let requirements = requirements(&text);
    if requirements.is_empty() {
        return Ok(Install::Nothing);
    }
    match requirements.iter().find(|(_, line)| !line.starts_with('-') && !line.contains("--hash=")) {
        Some((number, line)) => Err(Error::new(
            Kind::Configuration,
            format!("{REQUIREMENTS} of the package `{name}` does not fix what it names"),
        )
        .detail(format!("{}:{number}: `{line}` has no --hash", folder.join(REQUIREMENTS).display()))
        .hint(format!("write what is needed into requirements.in, then: {}", compile("requirements.in")))),
        None => Ok(Install::Pip),
    }
}

#[allow(clippy::unwrap_used, reason = "a constant pattern, used by tests")]
static DEPENDENCIES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?m)^\s*dependencies\s*=\s*\[\s*["']|^\[tool\.poetry\.dependencies\]"#).unwrap());

/// What a requirements file asks for, with the number of the line where each begins (pip's documentation, "Requirements
/// File Format"): a backslash joins lines, `#` after white space begins a comment. Options for the whole file are left out.
fn requirements(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let comment = line.find('#').filter(|at| *at == 0 || line[..*at].ends_with([' ', '\t']));
        let line = comment.map_or(line, |at| &line[..at]).trim();
        let (number, mut whole) = open.take().unwrap_or((index + 1, String::new()));
        let (part, more) = match line.strip_suffix('\\') {
            Some(part) => (part.trim_end(), true),
            None => (line, false),
        };
        if !whole.is_empty() && !part.is_empty() {
            whole.push(' ');
        }
        whole.push_str(part);
        if more {
            open = Some((number, whole));
        } else if !whole.is_empty() {
            found.push((number, whole));
        }
    }
    found.extend(open.filter(|(_, whole)| !whole.is_empty()));
    let asks =
        |line: &str| !line.starts_with("--") || line.starts_with("--requirement") || line.starts_with("--editable");
    found.retain(|(_, line)| asks(line));
    found
}

fn node(folder: &Path, name: &str) -> Result<Install, Error> {
    let Some(manifest) = json(folder, "package.json")? else { return Ok(Install::Nothing) };
    let named = ["dependencies", "optionalDependencies"]
        .into_iter()
        .any(|key| manifest[key].as_object().is_some_and(|named| !named.is_empty()));
    if !named {
        return Ok(Install::Nothing);
    }
    let Some(lock) = NPM_LOCKS.into_iter().find(|file| folder.join(file).is_file()) else {
        return Err(Error::new(
            Kind::Configuration,
            format!("the package `{name}` has dependencies and no lock file: package-lock.json is missing"),
        )
        .detail(format!("in {}", folder.display()))
        .hint("npm install --package-lock-only")
        .hint("or `install: false`, where the folder is complete as it is"));
    };
    let mut inputs = vec!["package.json".to_owned(), lock.to_owned()];
    let locked = json(folder, lock)?.unwrap_or_default();
    for (path, entry) in locked["packages"].as_object().into_iter().flatten() {
        let installed = path.starts_with("node_modules/") || path.contains("/node_modules/");
        if let Some(from) = entry["resolved"].as_str().filter(|_| is_unfixed(entry)) {
            let message =
                format!("the package `{name}` takes {path} from {from}, and nothing says what is to come from there");
            return Err(Error::new(Kind::Configuration, message)
                .detail(format!("{lock} has no `integrity` for it, in {}", folder.display()))
                .hint("lock it anew from a registry that is reached by https: npm install --package-lock-only"));
        }
        let file = entry["resolved"].as_str().and_then(|resolved| resolved.strip_prefix("file:"));
        let local = file.or((!installed && !path.is_empty()).then_some(path));
        if let Some(outside) = local.filter(|path| path.split('/').any(|part| part == "..") || path.starts_with('/')) {
            let message = format!("the package `{name}` depends on {outside}, which lies outside of its folder");
            return Err(Error::new(Kind::Configuration, message)
                .detail(format!("{lock} says so, in {}", folder.display()))
                .hint(
                    "make the folder that holds both the package's folder: functions of one folder can share a package",
                ));
        }
        inputs.extend(local.map(str::to_owned));
    }
    inputs.sort();
    inputs.dedup();
    Ok(Install::Npm { inputs })
}

/// Whether whoever stands on the way can hand over something else: it comes from the network, no digest says what it is, and
/// nothing but the address does (a commit of git does, over ssh or https).
fn is_unfixed(entry: &Json) -> bool {
    let resolved = entry["resolved"].as_str().unwrap_or_default().to_ascii_lowercase();
    let fixed = entry["integrity"].as_str().is_some_and(|integrity| !integrity.trim().is_empty());
    let open = ["http://", "git://", "git+http://", "ftp://"].iter().any(|scheme| resolved.starts_with(scheme));
    let unnamed = resolved.starts_with("https://") && !resolved.contains("codeload.github.com");
    !fixed && (open || unnamed)
}

fn read(folder: &Path, name: &str) -> Result<Option<String>, Error> {
    let path = folder.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let file = files::read(&path, &path.display().to_string(), LIMIT_BYTES);
    file.map(|file| Some(file.text.clone())).map_err(|problem| Error::problems(vec![problem]))
}

fn json(folder: &Path, name: &str) -> Result<Option<Json>, Error> {
    let Some(text) = read(folder, name)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::new(Kind::Configuration, format!("{} is no JSON: {error}", folder.join(name).display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "--hash=sha256:00";

    fn of(files: &[(&str, &str)], runtime: &str) -> Result<Install, Error> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        judge(folder.path(), "emailer", runtime.parse().unwrap())
    }

    #[test]
    fn nothing_to_install() {
        for files in
            [&[][..], &[("pyproject.toml", "[tool.ruff]\nline-length = 100\n")], &[("requirements.txt", "# none\n")]]
        {
            assert_eq!(of(files, "python3.13").unwrap(), Install::Nothing, "{files:?}");
        }
        for manifest in ["{}", r#"{"type": "module", "devDependencies": {"vitest": "1"}}"#] {
            assert_eq!(of(&[("package.json", manifest)], "nodejs22.x").unwrap(), Install::Nothing);
        }
    }

    #[test]
    fn what_is_not_fixed_is_refused_with_the_command_that_fixes_it() {
        let loose =
            of(&[("pyproject.toml", "[project]\ndependencies = [\n  \"idna\",\n]\n")], "python3.13").unwrap_err();
        assert!(loose.message.contains("pyproject.toml is there, requirements.txt is not"), "{loose}");
        assert!(loose.hints[0].starts_with("uv pip compile --generate-hashes pyproject.toml"), "{loose:?}");
        let text = format!("--index-url https://pypi.example\nidna==3.10 \\\n    {HASH}\nsix>=1  # later\n");
        let unhashed = of(&[("requirements.txt", &text)], "python3.13").unwrap_err();
        assert!(unhashed.details[0].ends_with("requirements.txt:4: `six>=1` has no --hash"), "{unhashed:?}");
        let manifest = r#"{"dependencies": {"left-pad": "1"}}"#;
        let unlocked = of(&[("package.json", manifest)], "nodejs22.x").unwrap_err();
        assert!(unlocked.message.contains("package-lock.json is missing"), "{unlocked}");
        let outside = r#"{"packages": {"": {}, "../shared": {}, "node_modules/shared": {"link": true}}}"#;
        let outside = of(&[("package.json", manifest), ("package-lock.json", outside)], "nodejs22.x").unwrap_err();
        assert!(outside.message.contains("depends on ../shared"), "{outside}");
        for from in ["http://…/six.tgz", "https://…/six.tgz", "git://…/six.git#1"] {
            let lock = format!(r#"{{"packages": {{"": {{}}, "node_modules/six": {{"resolved": "{from}"}}}}}}"#);
            let open = of(&[("package.json", manifest), ("package-lock.json", &lock)], "nodejs22.x").unwrap_err();
            assert!(open.message.contains(&format!("takes node_modules/six from {from}")), "{open}");
        }
        assert!(of(&[("package.json", "{")], "nodejs22.x").unwrap_err().message.contains("is no JSON"));
    }

    #[test]
    fn what_npm_needs() {
        let manifest = r#"{"dependencies": {"greet": "file:vendor/greet", "wave": "file:wave.tgz"}}"#;
        let lock = r#"{"packages": {"": {}, "vendor/greet": {}, "node_modules/greet": {"resolved": "vendor/greet", "link": true},
            "node_modules/wave": {"resolved": "file:wave.tgz"},
            "node_modules/six": {"resolved": "https://…/six.tgz", "integrity": "sha512-x"},
            "node_modules/old": {"resolved": "http://…/old.tgz", "integrity": "sha512-x"},
            "node_modules/own": {"resolved": "git+ssh://git@example.com/own.git#0123456789abcdef"}}}"#;
        let install = of(&[("package.json", manifest), ("package-lock.json", lock)], "nodejs22.x").unwrap();
        let inputs = ["package-lock.json", "package.json", "vendor/greet", "wave.tgz"].map(str::to_owned).to_vec();
        assert_eq!(install, Install::Npm { inputs });
        let text = format!("idna==3.10 {HASH}\n-r more.txt\n");
        assert_eq!(of(&[("requirements.txt", &text)], "python3.13").unwrap(), Install::Pip);
    }
}
