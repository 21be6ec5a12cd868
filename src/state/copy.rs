//! The last known state on this machine, `.infra/cache/<project>/<environment>.json`: what `plan --offline` stands on.
//!
//! What always holds: nothing but offline plans reads it, so that a lost, old or broken copy costs a message and never
//! a wrong apply; it is replaced as a whole; a template counts only if its text has the digest that stands beside it; no
//! secret is in it: a template that holds one is kept without it.

use super::format::{self, FORMAT_VERSION};
use super::locked::withhold;
use crate::aws::Result;
use crate::error::{Error, Kind};
use crate::files;
use crate::model::{Deployed, Environment, RenderedStack, StackRecord, State, digest, sensitive};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A state as this machine last read or saved it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocalCopy {
    format_version: u32,
    pub copied_at: Timestamp,
    /// None where nothing had been applied yet.
    pub state: Option<State>,
    /// By digest, as far as this machine has met them.
    templates: BTreeMap<String, String>,
    /// Digest of a template that holds secrets → digest of what is kept of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    withheld: BTreeMap<String, String>,
}

impl LocalCopy {
    /// The copy that was kept.
    ///
    /// # Errors
    /// `State` where there is none, or one that this version cannot read; both say what makes one.
    pub fn read(folder: &Path, environment: &Environment) -> Result<LocalCopy> {
        let path = path(folder, environment);
        let place = path.display().to_string();
        let (project, name) = (&environment.project, &environment.name);
        let anew = format!("`infra plan --env {name}` or an apply, with credentials, makes it anew");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::new(
                    Kind::State,
                    format!("this machine has no copy of the state of {project}/{name}"),
                )
                .detail(format!("it would be {place}"))
                .hint(format!("`infra plan --env {name}` or an apply, with credentials, makes one")));
            }
            Err(error) => {
                return Err(Error::new(Kind::State, format!("{place} cannot be read")).caused_by(error).hint(anew));
            }
        };
        let mut copy: LocalCopy =
            format::from_bytes(&bytes).map_err(|unreadable| unreadable.explain(&place).hint(anew.as_str()))?;
        if let Some(state) = &copy.state {
            format::check_owner(state, project, name, &place)?;
        }
        copy.templates.retain(|named, text| digest(text) == *named);
        Ok(copy)
    }

    /// The copy that was kept; none where there is none.
    ///
    /// # Errors
    /// `State` for one that this version cannot read.
    pub fn find(folder: &Path, environment: &Environment) -> Result<Option<LocalCopy>> {
        match path(folder, environment).exists() {
            true => LocalCopy::read(folder, environment).map(Some),
            false => Ok(None),
        }
    }

    /// Replaces the copy. Of `texts`, and of the templates that the copy has already, those stay that `state` names.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn keep<'a>(
        folder: &Path,
        environment: &Environment,
        state: Option<&State>,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> io::Result<()> {
        let (mut templates, mut withheld) =
            LocalCopy::read(folder, environment).map(|copy| (copy.templates, copy.withheld)).unwrap_or_default();
        for text in texts {
            let kept = sensitive::template(text);
            if kept != text {
                withheld.insert(digest(text), digest(&kept));
            }
            templates.insert(digest(&kept), kept.into_owned());
        }
        let records = state.into_iter().flat_map(|state| state.stacks.values());
        let named: BTreeSet<&str> = records.flat_map(digests).collect();
        withheld.retain(|digest, _| named.contains(digest.as_str()));
        templates.retain(|digest, _| named.contains(digest.as_str()) || withheld.values().any(|kept| kept == digest));
        let mut state = state.cloned();
        state.iter_mut().flat_map(|state| state.stacks.values_mut()).for_each(withhold);
        let copy =
            LocalCopy { format_version: FORMAT_VERSION, copied_at: Timestamp::now(), state, templates, withheld };
        let bytes = format::to_bytes(&copy).map_err(io::Error::other)?;
        files::own_folder(folder)?;
        replace(&path(folder, environment), &bytes)
    }

    /// The stacks as they are to be compared with what is kept: one whose present template is kept without its secrets is
    /// looked at without those of the new one, too. The names of those stacks come along.
    pub fn comparable(&self, wanted: &[RenderedStack]) -> (Vec<RenderedStack>, Vec<String>) {
        let mut without = Vec::new();
        let one = |stack: &RenderedStack| {
            let record = self.state.as_ref().and_then(|state| state.stacks.get(&stack.name));
            let mut stack = stack.clone();
            if record.is_some_and(|record| {
                record.template_digest != stack.template_digest && self.withheld.contains_key(&record.template_digest)
            }) {
                stack.template = sensitive::template(&stack.template).into_owned();
                without.push(stack.name.clone());
            }
            stack
        };
        let wanted = wanted.iter().map(one).collect();
        (wanted, without)
    }

    /// The stacks as the state remembers them. What it does not remember is taken to be as wanted: whether they are
    /// protected from deletion.
    ///
    /// # Errors
    /// `State` for stacks that change or go and whose present template this machine has never met.
    pub fn deployed(&self, environment: &Environment, wanted: &[RenderedStack]) -> Result<BTreeMap<String, Deployed>> {
        let mut unknown = Vec::new();
        let mut deployed = BTreeMap::new();
        for (name, record) in self.state.iter().flat_map(|state| &state.stacks) {
            let wanted = wanted.iter().find(|stack| stack.name == *name);
            let same = wanted.filter(|wanted| digests(record).any(|digest| digest == wanted.template_digest));
            let own = same.filter(|wanted| wanted.template_digest == record.template_digest);
            let kept = |digest| self.withheld.get(digest).map_or(digest, String::as_str);
            let template = own.map(|wanted| &wanted.template);
            let template = template.or_else(|| digests(record).find_map(|digest| self.templates.get(kept(digest))));
            let template = template.or(same.map(|wanted| &wanted.template));
            let Some(template) = template else {
                unknown.push(format!("`{name}`"));
                continue;
            };
            let protected = wanted.map_or(environment.protect, |wanted| wanted.protect);
            deployed.insert(name.clone(), remembered(record, template, protected));
        }
        if unknown.is_empty() {
            return Ok(deployed);
        }
        let (noun, pronoun) = if unknown.len() == 1 { ("stack", "its") } else { ("stacks", "their") };
        Err(Error::new(
            Kind::State,
            format!(
                "{noun} {} cannot be planned offline: {pronoun} present template is not on this machine",
                unknown.join(", ")
            ),
        )
        .hint(format!(
            "run `infra plan --env {}` once with credentials, which fetches what is missing",
            environment.name
        )))
    }
}

/// Of the template that a stack has, then of one that means the same.
fn digests(record: &StackRecord) -> impl Iterator<Item = &str> {
    let equivalent = record.equivalent.iter().map(|equivalent| equivalent.template_digest.as_str());
    std::iter::once(record.template_digest.as_str()).chain(equivalent)
}

fn remembered(record: &StackRecord, template: &str, protected: bool) -> Deployed {
    let mut parameters = record.parameters.clone();
    // The state leaves secrets out, CloudFormation lists all that the template declares.
    for name in declared_parameters(template) {
        parameters.entry(name).or_insert_with(|| sensitive::MASKED.to_owned());
    }
    Deployed {
        stack_name: record.stack_name.clone(),
        stack_id: record.fingerprint.stack_id.clone(),
        target: record.target.clone(),
        status: record.fingerprint.status,
        status_reason: None,
        template: Some(template.to_owned()),
        resources: None,
        parameters,
        resolved: record.resolved.clone(),
        outputs: record.outputs.clone(),
        tags: record.tags.clone(),
        capabilities: Vec::new(),
        termination_protection: protected,
        drifted_at: None,
        created_at: record.fingerprint.changed_at,
        changed_at: record.fingerprint.changed_at,
    }
}

fn declared_parameters(template: &str) -> Vec<String> {
    let template: serde_json::Value = serde_json::from_str(template).unwrap_or_default();
    let declared = template.get("Parameters").and_then(|section| section.as_object());
    declared.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn path(folder: &Path, environment: &Environment) -> PathBuf {
    folder.join(files::OWN_FOLDER).join("cache").join(&environment.project).join(format!("{}.json", environment.name))
}

/// A reader meets the old text or the new one, never a part. For its owner's eyes: outputs are nobody else's business.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", crate::random::uuid()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| file.write_all(bytes));
    let result = written.and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // What is left of it is in nobody's way; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sensitive::MASKED;
    use serde_json::json;
    use tempfile::TempDir;

    const OLD: &str = r#"{"Parameters":{"Password":{"Type":"String","NoEcho":true}},"Resources":{}}"#;
    const NEW: &str = r#"{"Resources":{}}"#;

    fn project() -> (TempDir, Environment) {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("environments")).unwrap();
        let file = "project: shop\naccount: \"111122223333\"\nregion: eu-west-1\nstacks: {}\n";
        fs::write(folder.path().join("environments/dev.yaml"), file).unwrap();
        let (environment, _) = crate::environment::load(folder.path(), "dev").unwrap();
        (folder, environment)
    }

    fn target() -> serde_json::Value {
        json!({"account": "111122223333", "region": "eu-west-1"})
    }

    fn state(template: &str) -> State {
        let at = "2026-01-02T03:04:05Z";
        let written = json!({"at": at, "by": "arn", "host": "laptop", "version": "0.1.0", "operation": "apply"});
        let record = json!({
            "stack_name": "shop-dev-data", "target": target(), "template_name": "data",
            "fingerprint": {"stack_id": "arn:stack", "changed_at": at, "status": "UPDATE_COMPLETE"},
            "template_digest": digest(template), "parameters": {"Size": "2"}, "outputs": {"Name": "n"},
            "tags": {}, "images": {}, "waits_on": [], "applied": written,
        });
        serde_json::from_value(json!({
            "format_version": 1, "lineage": "l", "serial": 7, "project": "shop", "environment": "dev",
            "written": written, "stacks": {"data": record},
        }))
        .unwrap()
    }

    fn wanted(template: &str) -> RenderedStack {
        serde_json::from_value(json!({
            "name": "data", "stack_name": "shop-dev-data", "target": target(), "template_name": "data",
            "template": template, "template_digest": digest(template), "parameters": {}, "tags": {},
            "capabilities": [], "protect": true, "stack_policy": null, "after": [], "places": {},
        }))
        .unwrap()
    }

    #[test]
    fn a_stack_is_what_the_state_remembers() {
        let (folder, environment) = project();
        LocalCopy::keep(folder.path(), &environment, Some(&state(OLD)), [OLD, NEW]).unwrap();
        let copy = LocalCopy::read(folder.path(), &environment).unwrap();
        assert_eq!(copy.state, Some(state(OLD)));
        assert_eq!(copy.templates.values().collect::<Vec<_>>(), [OLD], "what no stack has is not kept");

        let deployed = copy.deployed(&environment, &[wanted(NEW)]).unwrap();
        let stack = &deployed["data"];
        assert_eq!(stack.template.as_deref(), Some(OLD));
        assert_eq!(stack.fingerprint(), state(OLD).stacks["data"].fingerprint);
        let secret = ("Password".to_owned(), MASKED.to_owned());
        assert_eq!(stack.parameters, BTreeMap::from([secret, ("Size".to_owned(), "2".to_owned())]));
        assert!(stack.termination_protection, "as wanted");
        let gone = copy.deployed(&environment, &[]).unwrap();
        assert!(!gone["data"].termination_protection, "as the environment says");
    }

    #[test]
    fn templates_outlive_a_save_that_does_not_bring_them() {
        let (folder, environment) = project();
        LocalCopy::keep(folder.path(), &environment, Some(&state(OLD)), [OLD]).unwrap();
        LocalCopy::keep(folder.path(), &environment, Some(&state(OLD)), []).unwrap();
        let copy = LocalCopy::read(folder.path(), &environment).unwrap();
        assert!(copy.deployed(&environment, &[]).is_ok());
        LocalCopy::keep(folder.path(), &environment, Some(&state(NEW)), []).unwrap();
        assert!(LocalCopy::read(folder.path(), &environment).unwrap().templates.is_empty());
    }

    #[test]
    fn a_template_that_is_needed_and_unknown_is_told() {
        let (folder, environment) = project();
        LocalCopy::keep(folder.path(), &environment, Some(&state(OLD)), []).unwrap();
        let copy = LocalCopy::read(folder.path(), &environment).unwrap();
        assert!(copy.deployed(&environment, &[wanted(OLD)]).is_ok(), "the wanted one is the present one");
        for wanted in [vec![wanted(NEW)], vec![]] {
            let error = copy.deployed(&environment, &wanted).unwrap_err();
            assert!(error.message.contains("stack `data` cannot be planned offline"), "{error}");
            assert!(error.hints[0].contains("infra plan --env dev"), "{:?}", error.hints);
        }
    }

    #[test]
    fn broken_newer_and_edited_copies() {
        let (folder, environment) = project();
        let path = path(folder.path(), &environment);
        let read = || LocalCopy::read(folder.path(), &environment);
        let message = || read().unwrap_err().message;
        let edit = |text: &str, from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            fs::write(&path, text.replace(from, to)).unwrap();
        };
        assert!(message().contains("no copy of the state of shop/dev"));

        LocalCopy::keep(folder.path(), &environment, Some(&state(OLD)), [OLD]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        edit(&text, r#"\"Resources\":{}"#, r#"\"Resources\":{ }"#);
        assert!(read().unwrap().templates.is_empty(), "a template that is not what its digest says");
        edit(&text, r#""project": "shop""#, r#""project": "other""#);
        assert!(message().contains("is the state of other/dev"));
        fs::write(&path, r#"{"format_version": 99}"#).unwrap();
        assert!(message().contains("newer infra"));
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(message().contains("cannot be read as a state"));
        LocalCopy::keep(folder.path(), &environment, None, []).unwrap();
        assert_eq!(read().unwrap().state, None, "the next save mends it");
    }

    #[test]
    fn the_folder_holds_the_copy_alone_and_git_does_not_see_it() {
        let (folder, environment) = project();
        for _ in 0..2 {
            LocalCopy::keep(folder.path(), &environment, Some(&state(OLD)), [OLD]).unwrap();
        }
        let names = fs::read_dir(folder.path().join(".infra/cache/shop")).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["dev.json"]);
        assert_eq!(fs::read_to_string(folder.path().join(".infra/.gitignore")).unwrap(), "*\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path(folder.path(), &environment)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
