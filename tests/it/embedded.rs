//! The repository's own environments, whole, on the embedded AWS in virtual time: `dev`, `staging` and `prod` come up, need
//! nothing more, change where an input changes, and go. What ministack lacks (NAT gateways, web ACLs on load balancers,
//! auto scaling, OIDC providers) is in them.

use crate::support::root;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use infra::apply::{Context, Interrupt, Report, apply};
use infra::aws::{AccessKey, Aws, Connect};
use infra::catalog::Catalog;
use infra::model::{Environment, RenderedStack, Written};
use infra::observe;
use infra::plan::{Action, Options, Plan, Request, Scope, needs_template, plan, plan_destroy};
use infra::render::render;
use infra::state::{LockRequest, StateStore};
use jiff::Timestamp;
use local_aws::{LocalAws, Speed};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// An account on a world of its own, and the files of the repository, which may be edited.
struct Whole {
    world: LocalAws,
    aws: Aws,
    folder: TempDir,
    name: &'static str,
}

impl Whole {
    async fn new(name: &'static str) -> Whole {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("environments")).expect("a folder");
        for file in ["base", "dev", "staging", "prod"] {
            let file = format!("environments/{file}.yaml");
            std::fs::copy(root().join(&file), folder.path().join(&file)).expect("an environment of the repository");
        }
        let options = local_aws::Options { speed: Speed::REAL, ..local_aws::Options::default() };
        let world = LocalAws::open(options).await.expect("a world in memory");
        let environment = infra::environment::load(folder.path(), name).expect("a good environment").0;
        let aws = Aws::connect(Connect {
            region: environment.region.clone(),
            credentials: Some(AccessKey { id: environment.account.clone(), secret: "test".to_owned() }),
            http_client: Some(world.http_client()),
            ..Connect::default()
        })
        .await;
        let whole = Whole { world, aws, folder, name };
        whole.bootstrap().await;
        whole
    }

    fn files(&self) -> (Environment, Vec<RenderedStack>) {
        let environment = infra::environment::load(self.folder.path(), self.name).expect("a good environment").0;
        let stacks = render(&environment, &Catalog::open(self.folder.path())).expect("stacks");
        (environment, stacks)
    }

    fn edit(&self, from: &str, to: &str) {
        let path = self.folder.path().join(format!("environments/{}.yaml", self.name));
        let text = std::fs::read_to_string(&path).expect("its file");
        assert!(text.contains(from), "{from} is not in {}", path.display());
        std::fs::write(path, text.replace(from, to)).expect("its file");
    }

    async fn bootstrap(&self) {
        let (environment, _) = self.files();
        let wanted = infra::bootstrap::stack(&environment, &Catalog::open(self.folder.path())).expect("the stack");
        let cloudformation = self.aws.cloudformation(&wanted.target);
        let plan = infra::bootstrap::make_plan(&cloudformation, &environment, wanted).await.expect("a plan");
        let report = self.carried_out(&environment, &plan, false).await;
        assert!(!report.failed(), "{report:#?}");
    }

    async fn plan(&self, options: &Options, destroy: bool) -> Plan {
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
        if destroy { plan_destroy(&request) } else { plan(&request).expect("a plan") }
    }

    async fn apply(&self, plan: &Plan) -> Report {
        let (environment, _) = self.files();
        self.carried_out(&environment, plan, true).await
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

    /// Every resource of the stacks, with its stack's region.
    async fn resources(&self) -> Vec<(String, infra::aws::cloudformation::StackResource)> {
        let mut resources = Vec::new();
        for stack in self.files().1 {
            let cloudformation = self.aws.cloudformation(&stack.target);
            let found = cloudformation.resources(&stack.stack_name).await.unwrap_or_default();
            resources.extend(found.into_iter().map(|resource| (stack.target.region.clone(), resource)));
        }
        resources
    }

    /// What Cloud Control says of a resource.
    async fn live(&self, region: &str, type_name: &str, id: &str) -> Result<Json, String> {
        let account = &self.files().0.account;
        let scope = format!("{account}/20260101/{region}/cloudcontrolapi/aws4_request");
        let request = local_aws::Request::new(json!({"TypeName": type_name, "Identifier": id}).to_string().into());
        let (mut head, body) = request.into_parts();
        head.method = "POST".parse().expect("a method");
        head.uri = format!("https://cloudcontrolapi.{region}.amazonaws.com/").parse().expect("an address");
        for (name, value) in [
            ("x-amz-target", "CloudApiService.GetResource".to_owned()),
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")),
        ] {
            let name: http::HeaderName = name.parse().expect("a header");
            head.headers.insert(name, value.parse().expect("a header's value"));
        }
        let answer = self.world.exchange(http::Request::from_parts(head, body)).await.expect("an answer");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        if !answer.status().is_success() {
            return Err(text);
        }
        let answer: Json = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        let properties = answer["ResourceDescription"]["Properties"].as_str().unwrap_or_default();
        serde_json::from_str(properties).map_err(|error| format!("{error}: {text}"))
    }

    async fn sdk(&self, region: &str) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(Credentials::new(&self.files().0.account, "test", None, None, "test"))
            .http_client(self.world.http_client())
            .load()
            .await
    }

    /// Whether the service itself knows it; none for what has no service here.
    async fn known_to_its_service(&self, region: &str, type_name: &str, id: &str) -> Option<bool> {
        let config = self.sdk(region).await;
        Some(match type_name {
            "AWS::S3::Bucket" => aws_sdk_s3::Client::new(&config).head_bucket().bucket(id).send().await.is_ok(),
            "AWS::DynamoDB::Table" => {
                aws_sdk_dynamodb::Client::new(&config).describe_table().table_name(id).send().await.is_ok()
            }
            "AWS::ECR::Repository" => {
                let ecr = aws_sdk_ecr::Client::new(&config);
                ecr.describe_repositories().repository_names(id).send().await.is_ok()
            }
            "AWS::Logs::LogGroup" => {
                let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
                let found = logs.describe_log_groups().log_group_name_prefix(id).send().await;
                found.is_ok_and(|found| found.log_groups().iter().any(|group| group.log_group_name() == Some(id)))
            }
            _ => return None,
        })
    }
}

fn working(plan: &Plan) -> Vec<(&str, Vec<&str>)> {
    let steps = plan.steps.iter().filter(|step| step.action != Action::Nothing);
    steps.map(|step| (step.stack.as_str(), step.changes.iter().map(|c| c.logical_id.as_str()).collect())).collect()
}

/// From nothing to nothing. `edit` is an input that changes, and what then changes in which stack.
async fn the_whole_way(name: &'static str, edit: (&str, &str), changes: (&str, &[&str])) {
    let whole = Whole::new(name).await;
    let stacks = whole.files().1.len();
    let made = whole.apply(&whole.plan(&Options::default(), false).await).await;
    assert!(!made.failed(), "{made:#?}");
    assert_eq!(made.stacks.len(), stacks);

    let resources = whole.resources().await;
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lost = Vec::new();
    for (region, resource) in &resources {
        let (kind, id) = (resource.resource_type.as_str(), resource.physical_id.as_deref().unwrap_or_default());
        if whole.known_to_its_service(region, kind, id).await.inspect(|_| *asked.entry(kind).or_default() += 1)
            == Some(false)
        {
            lost.push(format!("{kind} {id}: not known to its service"));
        }
        if let Err(error) = whole.live(region, kind, id).await
            && !error.contains("UnsupportedActionException")
        {
            lost.push(format!("{kind} {id}: {error}"));
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    assert!(resources.len() > 80 && asked.len() == 4, "{} resources; {asked:?}", resources.len());

    let again = whole.plan(&Options::default(), false).await;
    assert!(!again.has_work(), "{:?}", working(&again));

    whole.edit(edit.0, edit.1);
    let change = whole.plan(&Options::default(), false).await;
    assert_eq!(working(&change), [(changes.0, changes.1.to_vec())]);
    let changed = whole.apply(&change).await;
    assert!(!changed.failed(), "{changed:#?}");
    assert!(!whole.plan(&Options::default(), false).await.has_work());

    if name == "prod" {
        // What is protected does not go: the load balancer and the table refuse. It is opened first, as people would.
        whole.edit("protect: true", "protect: false");
        let opened = whole.apply(&whole.plan(&Options::default(), false).await).await;
        assert!(!opened.failed(), "{opened:#?}");
    }
    let words = Options { allow_destroy: true, ..Options::default() };
    let gone = whole.apply(&whole.plan(&words, true).await).await;
    assert!(!gone.failed(), "{gone:#?}");
    assert!(whole.resources().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn dev() {
    let edit = ("fastapi-a: {inputs: {count: {min: 1, max: 2}", "fastapi-a: {inputs: {count: {min: 1, max: 3}");
    the_whole_way("dev", edit, ("fastapi-a", &["ScalableTarget"])).await;
}

#[tokio::test(start_paused = true)]
async fn staging() {
    let edit = ("fastapi-b: {inputs: {count: {min: 2, max: 4}}}", "fastapi-b: {inputs: {count: {min: 2, max: 5}}}");
    the_whole_way("staging", edit, ("fastapi-b", &["ScalableTarget"])).await;
}

#[tokio::test(start_paused = true)]
async fn prod() {
    let service = |most| format!("fastapi-b: {{inputs: {{cpu: 512, memory: 1024, count: {{min: 3, max: {most}}}");
    the_whole_way("prod", (&service(12), &service(14)), ("fastapi-b", &["ScalableTarget"])).await;
}
