//! One account in virtual time, and a project's life in it: planned and applied by the product's own orchestration, and
//! held to the law after each edit.

use super::edit;
use super::project::{ACCOUNT, Project, TEMPLATES};
use crate::support::backend::Backend;
use crate::support::wire::Wire;
use infra::apply::{Context, Interrupt, Outcome, apply};
use infra::catalog::Catalog;
use infra::commands::changing::Grip;
use infra::commands::planning::{self, Aim};
use infra::commands::session::Account;
use infra::drift::{Gathering, gather, judge};
use infra::model::{Environment, RenderedStack, Written};
use infra::plan::{Action, ChangeAction, Options, Plan};
use infra::render::render;
use infra::state::{LockRequest, StateStore};
use jiff::Timestamp;
use local_aws::LocalAws;
use std::collections::BTreeMap;
use tempfile::TempDir;

/// How a project fared.
#[derive(Debug, Default)]
pub struct Fared {
    /// Edits that were planned and applied.
    pub applied: usize,
    /// Edits that a plan refused.
    pub refused: usize,
}

/// A project that is made by a seed, and edits that each have a seed of their own.
pub fn run(seed: u64, edits: &[u64]) -> Result<Fared, String> {
    infra::random::seed(seed);
    // Secrets are the process's: each life knows those of all lives, so that it goes the same way alone.
    edit::secrets().for_each(|secret| infra::model::sensitive::learn(&secret));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let mut project = edit::project(&mut fastrand::Rng::with_seed(seed));
        let life = Life::new(&project).await;
        let mut fared = Fared::default();
        let applied = life.step(&project, &mut fared).await;
        let mut applied = applied.map_err(|error| format!("first apply: {error}\n{}", project.text()))?;
        for edit_seed in edits {
            let next = edit::edit(&mut fastrand::Rng::with_seed(*edit_seed), &project);
            let held = life.step(&next, &mut fared).await;
            match held.map_err(|error| format!("edit {edit_seed}: {error}\n{}", difference(&project, &next)))? {
                true => (project, applied) = (next, true),
                // Somebody else's values moved all the same, once there is anything that could read them.
                false => {
                    (project.ssm, project.nested_delay) = (next.ssm, next.nested_delay);
                }
            }
        }
        if applied { Ok(fared) } else { Ok(Fared::default()) }
    })
}

/// What an edit changed, in the files and behind their back, with the whole file around it.
fn difference(before: &Project, after: &Project) -> String {
    similar::TextDiff::from_lines(before.text(), after.text()).unified_diff().context_radius(1000).to_string()
}

struct Life {
    world: LocalAws,
    account: Account,
    wire: Wire,
    folder: TempDir,
}

impl Life {
    async fn new(project: &Project) -> Life {
        let backend = Backend::local_aws().await;
        let (aws, wire) = backend.connect().await;
        let folder = TempDir::new().expect("a temporary folder");
        for directory in ["environments", "templates"] {
            std::fs::create_dir(folder.path().join(directory)).expect("a folder");
        }
        let world = backend.world.expect("the embedded AWS");
        write(&folder, project);
        let environment = infra::environment::load(folder.path(), "dev").expect("a good environment").0;
        let identity = aws.check_identity(&environment).await.expect("an identity");
        let store = StateStore::new(&aws, &environment);
        let life = Life { world, account: Account { aws, identity, store }, wire, folder };
        life.put(&format!("https://{TEMPLATES}.s3.us-east-1.amazonaws.com/"), "").await;
        life
    }

    /// Edits, plans, applies, and looks again. False where the plan refused the edit.
    async fn step(&self, project: &Project, fared: &mut Fared) -> Result<bool, String> {
        write(&self.folder, project);
        self.set_elsewhere(project).await;
        let environment = infra::environment::load(self.folder.path(), "dev").map_err(|error| format!("{error:?}"))?.0;
        let wanted = render(&environment, &Catalog::open(self.folder.path())).map_err(|error| format!("{error:?}"))?;
        let before = self.physical_ids(&wanted).await;
        let request = LockRequest::new("apply", "ada", "laptop");
        let state = self.account.store.lock(request, |_| {}).await.map_err(|error| error.to_string())?;
        let (events, _told) = tokio::sync::mpsc::unbounded_channel();
        let project_folder = self.folder.path();
        let grip =
            Grip { account: &self.account, state: &state, events: &events, project: project_folder, remembered: false };
        let options = Options::default();
        let plan = planning::under_lock(&grip, &environment, &wanted, &options, Aim::Reach).await;
        let plan = plan.map_err(|error| format!("no plan: {}", said(&error)))?;
        if let Some(refusal) = plan.refusals().next() {
            if before.is_empty() {
                return Err(format!("the first apply is refused: {refusal:?}"));
            }
            state.release().await.map_err(|error| error.to_string())?;
            fared.refused += 1;
            return Ok(false);
        }
        self.wire.tap("DescribeChangeSet");
        let never = Interrupt::never();
        let written = written();
        let context = Context {
            aws: &self.account.aws,
            state: Some(&state),
            events: &events,
            interrupt: &never,
            settings: &environment.apply,
            written: &written,
            project: project_folder,
        };
        let report = apply(&plan, context).await.map_err(|error| format!("no apply: {error:?}"))?;
        for stack in &report.stacks {
            if let Outcome::Failed(cause) = &stack.outcome {
                return Err(format!("{} failed: {cause:?}\nplanned: {:#?}", stack.stack, plan.step(&stack.stack)));
            }
        }
        let change_sets = change_sets(&self.wire.tapped());
        as_planned(&plan, &change_sets)?;
        as_happened(&plan, &before, &self.physical_ids(&wanted).await)?;
        let again = planning::under_lock(&grip, &environment, &wanted, &options, Aim::Reach).await;
        let again = again.map_err(|error| format!("no second plan: {}", said(&error)))?;
        state.release().await.map_err(|error| error.to_string())?;
        if again.has_work() {
            let left: Vec<_> = again.steps.iter().filter(|step| step.action != Action::Nothing || step.adopt).collect();
            return Err(format!("the plan after the apply is not empty: {left:#?}"));
        }
        self.no_drift(&environment, &wanted).await?;
        fared.applied += 1;
        Ok(true)
    }

    async fn no_drift(&self, environment: &Environment, wanted: &[RenderedStack]) -> Result<(), String> {
        let snapshot = self.account.store.read().await.map_err(|error| error.to_string())?;
        let state = snapshot.as_ref().map(|snapshot| &snapshot.state);
        let (events, _told) = tokio::sync::mpsc::unbounded_channel();
        let never = Interrupt::never();
        let aws = &self.account.aws;
        let how = Gathering { aws, environment, wanted, state, only: &[], events: &events, interrupt: &never };
        let facts = gather(how).await.map_err(|error| error.to_string())?;
        let drift = judge(&facts, environment, state, Timestamp::now(), true);
        match drift.has_drift() {
            true => Err(format!("drift after an apply: {}", crate::support::drifting::said(&drift))),
            false => Ok(()),
        }
    }

    /// Stack and logical id → physical id, of everything that is there.
    async fn physical_ids(&self, wanted: &[RenderedStack]) -> BTreeMap<(String, String), String> {
        let mut ids = BTreeMap::new();
        for stack in wanted {
            let cloudformation = self.account.aws.cloudformation(&stack.target);
            for resource in cloudformation.resources(&stack.stack_name).await.expect("resources") {
                if let Some(id) = resource.physical_id.filter(|_| resource.status != "DELETE_COMPLETE") {
                    ids.insert((stack.name.clone(), resource.logical_id), id);
                }
            }
        }
        ids
    }

    /// What the project reads and somebody else keeps.
    async fn set_elsewhere(&self, project: &Project) {
        for (name, value) in &project.ssm {
            let input = serde_json::json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
            let request = http::Request::post("https://ssm.us-east-1.amazonaws.com/")
                .header("x-amz-target", "AmazonSSM.PutParameter")
                .header("content-type", "application/x-amz-json-1.1")
                .header("authorization", authorization("ssm"))
                .body(input.to_string().into())
                .expect("a request");
            let answer = self.world.exchange(request).await.expect("an answer");
            assert!(answer.status().is_success(), "PutParameter: {answer:?}");
        }
        let child = format!("https://{TEMPLATES}.s3.us-east-1.amazonaws.com/child.json");
        self.put(&child, &project.nested()).await;
    }

    async fn put(&self, url: &str, body: &str) {
        let request = http::Request::put(url)
            .header("authorization", authorization("s3"))
            .body(body.to_owned().into())
            .expect("a request");
        let answer = self.world.exchange(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{url}: {answer:?}");
    }
}

/// An error with its details.
fn said(error: &anyhow::Error) -> String {
    let details = error.downcast_ref::<infra::error::Error>().map(|error| error.details.join("; "));
    format!("{error:#}: {}", details.unwrap_or_default())
}

fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

fn write(folder: &TempDir, project: &Project) {
    let environment = folder.path().join("environments/dev.yaml");
    std::fs::write(environment, project.environment()).expect("a file can be written");
    for stack in &project.stacks {
        let template = folder.path().join(format!("templates/{}.yaml", stack.name));
        std::fs::write(template, stack.file()).expect("a file can be written");
    }
}

fn written() -> Written {
    Written {
        at: Timestamp::now(),
        by: "ada".to_owned(),
        host: "laptop".to_owned(),
        version: "0.1.0".to_owned(),
        operation: "apply".to_owned(),
        git_commit: None,
        pipeline_url: None,
    }
}

/// What a change set says of one resource: `Add`, `Modify`, `Modify True` …
type Said = BTreeMap<String, String>;

/// The name of each stack → what its last change set said, read off the answers to DescribeChangeSet.
fn change_sets(answers: &[String]) -> BTreeMap<String, Said> {
    let mut sets: BTreeMap<String, Said> = BTreeMap::new();
    for answer in answers {
        let Some(stack) = between(answer, "<StackName>", "</StackName>") else { continue };
        let said = answer.split("<ResourceChange>").skip(1).filter_map(|change| {
            let id = between(change, "<LogicalResourceId>", "<")?;
            let action = between(change, "<Action>", "<")?;
            let replacement = between(change, "<Replacement>", "<").filter(|_| action == "Modify");
            let said = replacement.map_or(action.to_owned(), |replacement| format!("{action} {replacement}"));
            Some((id.to_owned(), said))
        });
        sets.insert(stack.to_owned(), said.collect());
    }
    sets
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let from = text.find(start)? + start.len();
    Some(&text[from..from + text[from..].find(end)?])
}

/// Every change that the plan is certain of is in the change set, as the plan has it. (What the change set has beyond the
/// plan stops the apply by itself.)
fn as_planned(plan: &Plan, change_sets: &BTreeMap<String, Said>) -> Result<(), String> {
    for step in plan.steps.iter().filter(|step| matches!(step.action, Action::Create | Action::Update)) {
        let nothing = Said::new();
        let said = change_sets.get(&step.stack_name).unwrap_or(&nothing);
        for change in &step.changes {
            let found = match change.logical_id.split_once('.') {
                None => said.get(&change.logical_id),
                // Inside of a nested stack, whose change set is its own; it is not looked for two stacks down.
                Some((nested, id)) => {
                    let prefix = format!("{}-{nested}-", step.stack_name);
                    let within = change_sets.iter().find(|(stack, _)| stack.starts_with(&prefix));
                    within.and_then(|(_, said)| said.get(id))
                }
            };
            let found = found.map(String::as_str);
            let agrees = match change.action {
                ChangeAction::Add => found == Some("Add"),
                ChangeAction::Remove => found == Some("Remove"),
                ChangeAction::Import => found == Some("Import"),
                ChangeAction::Replace => matches!(found, Some("Modify True" | "Modify Conditional")),
                ChangeAction::Modify => matches!(found, Some("Modify False" | "Modify Conditional")),
                ChangeAction::MayModify | ChangeAction::MayReplace => true,
            };
            if !agrees {
                return Err(format!("the plan says {change:#?}\nof stack {}, the change set {found:?}", step.stack));
            }
        }
    }
    Ok(())
}

/// What the plan replaces is another resource afterwards; what it does not replace is the same.
fn as_happened(
    plan: &Plan,
    before: &BTreeMap<(String, String), String>,
    after: &BTreeMap<(String, String), String>,
) -> Result<(), String> {
    for (key, id) in before {
        let (stack, logical_id) = key;
        let change = plan.step(stack).and_then(|step| step.changes.iter().find(|one| one.logical_id == *logical_id));
        let now = after.get(key);
        let happened = match change.map(|change| change.action) {
            Some(ChangeAction::Replace) => now.is_some_and(|now| now != id),
            Some(ChangeAction::Remove) => now.is_none(),
            Some(ChangeAction::MayReplace) => now.is_some(),
            _ => now == Some(id),
        };
        if !happened {
            return Err(format!("{stack}.{logical_id} was {id} and is {now:?}; planned: {change:#?}"));
        }
    }
    Ok(())
}
