//! One of the repository's environments, whole, on an embedded AWS of its own: planned and applied in this process.

use super::root;
use super::wire::Wire;
use infra::apply::{Context, Interrupt, Report, apply};
use infra::aws::{AccessKey, Aws, Connect};
use infra::catalog::Catalog;
use infra::model::{Environment, RenderedStack, Written};
use infra::observe;
use infra::plan::{Options, Plan, Request, Scope, needs_template, plan, plan_destroy};
use infra::rehearsal::{move_nothing, name_assets};
use infra::render::render;
use infra::state::{LockRequest, StateStore};
use jiff::Timestamp;
use local_aws::{LocalAws, Speed};
use tempfile::TempDir;

/// An account on a world of its own, and the files of the repository, which may be edited.
pub struct Whole {
    pub world: LocalAws,
    pub aws: Aws,
    /// Between the two.
    pub wire: Wire,
    pub account: String,
    folder: TempDir,
    name: &'static str,
}

impl Whole {
    pub async fn new(name: &'static str) -> Whole {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("environments")).expect("a folder");
        for file in ["base", "dev", "staging", "prod"] {
            let file = format!("environments/{file}.yaml");
            std::fs::copy(root().join(&file), folder.path().join(&file)).expect("an environment of the repository");
        }
        let options = local_aws::Options { speed: Speed::REAL, ..local_aws::Options::default() };
        let world = LocalAws::open(options).await.expect("a world in memory");
        let wire = Wire::new(world.http_client());
        let environment = infra::environment::load(folder.path(), name).expect("a good environment").0;
        let aws = Aws::connect(Connect {
            region: environment.region.clone(),
            credentials: Some(AccessKey { id: environment.account.clone(), secret: "test".to_owned() }),
            http_client: Some(wire.client()),
            ..Connect::default()
        })
        .await;
        let whole = Whole { world, aws, wire, account: environment.account, folder, name };
        whole.bootstrap().await;
        whole
    }

    fn environment(&self) -> Environment {
        infra::environment::load(self.folder.path(), self.name).expect("a good environment").0
    }

    pub fn files(&self) -> (Environment, Vec<RenderedStack>) {
        let environment = self.environment();
        let mut stacks = render(&environment, &Catalog::open(self.folder.path())).expect("stacks");
        name_assets(&mut stacks, None);
        (environment, stacks)
    }

    pub fn edit(&self, from: &str, to: &str) {
        let path = self.folder.path().join(format!("environments/{}.yaml", self.name));
        let text = std::fs::read_to_string(&path).expect("its file");
        assert!(text.contains(from), "{from} is not in {}", path.display());
        std::fs::write(path, text.replace(from, to)).expect("its file");
    }

    /// Gives a value of its file anew; the answer is what the file was.
    pub fn set(&self, path: &[&str], value: &serde_json::Value) -> String {
        let file = self.folder.path().join(format!("environments/{}.yaml", self.name));
        let before = std::fs::read_to_string(&file).expect("its file");
        let text = infra::drift::set(&before, path, value).unwrap_or_else(|| panic!("no place for {path:?}"));
        std::fs::write(file, text).expect("its file");
        before
    }

    /// Writes its file.
    pub fn write(&self, text: &str) {
        let file = self.folder.path().join(format!("environments/{}.yaml", self.name));
        std::fs::write(file, text).expect("its file");
    }

    async fn bootstrap(&self) {
        let (environment, _) = self.files();
        let wanted = infra::bootstrap::stack(&environment, &Catalog::open(self.folder.path())).expect("the stack");
        let cloudformation = self.aws.cloudformation(&wanted.target);
        let plan = infra::bootstrap::make_plan(&cloudformation, &environment, wanted).await.expect("a plan");
        let report = self.carried_out(&environment, &plan, false).await;
        assert!(!report.failed(), "{report:#?}");
    }

    pub async fn plan(&self, options: &Options, destroy: bool) -> Plan {
        let (environment, wanted) = self.files();
        let store = StateStore::new(&self.aws, &environment);
        let mut facts = observe::look(&self.aws, &store, &environment, &wanted).await.expect("facts");
        let (scope, now) = (Scope::from(&environment), Timestamp::now());
        let state = facts.state.as_ref().map(|snapshot| &snapshot.state);
        let deployed = facts.deployed.clone();
        let request = Request { scope: &scope, wanted: &wanted, deployed: &deployed, state, options, now };
        let needed = match destroy {
            true => deployed.keys().cloned().collect(),
            false => needs_template(&request),
        };
        observe::fetch_templates(&self.aws, &mut facts.deployed, &needed).await.expect("templates");
        let request = Request { deployed: &facts.deployed, ..request };
        let mut made = if destroy { plan_destroy(&request) } else { plan(&request).expect("a plan") };
        // Images are on their way in `releases`.
        move_nothing(&mut made);
        made
    }

    pub async fn apply(&self, plan: &Plan) -> Report {
        self.carried_out(&self.environment(), plan, true).await
    }

    async fn carried_out(&self, environment: &Environment, plan: &Plan, locked: bool) -> Report {
        let written = Written {
            at: Timestamp::now(),
            by: "arn:aws:iam::111122223333:user/ada".to_owned(),
            host: "laptop".to_owned(),
            version: "0.1.0".to_owned(),
            operation: "apply".to_owned(),
            git_commit: None,
            pipeline_url: None,
        };
        let (events, _) = tokio::sync::mpsc::unbounded_channel();
        let state = match locked {
            true => {
                let request = LockRequest::new("apply", &written.by, &written.host);
                Some(StateStore::new(&self.aws, environment).lock(request, |_| {}).await.expect("the lock"))
            }
            false => None,
        };
        let never = Interrupt::never();
        let context = Context {
            aws: &self.aws,
            state: state.as_ref(),
            events: &events,
            interrupt: &never,
            settings: &environment.apply,
            written: &written,
            project: self.folder.path(),
        };
        let report = apply(plan, context).await.expect("a plan without refusals");
        if let Some(state) = state {
            state.release().await.expect("the lock is given back");
        }
        report
    }
}
