//! Plan and apply against a whole AWS, without files and command line: what stacks go through, and what is left of runs
//! that end badly.

use crate::on_every_backend;
use crate::support::backend::Backend;
use crate::support::wire::{Fault, Wire};
use infra::apply::{Context, Event, EventKind, Interrupt, Level, Outcome, Report, RootCause, apply, interrupt, settle};
use infra::aws::Aws;
use infra::aws::cloudformation::{ChangeSetKind, ChangeSetRequest, TemplateSource};
use infra::model::{Environment, Parameter, RenderedStack, Target, Written, digest};
use infra::observe;
use infra::plan::{Action, Options, Plan, Request, Scope, needs_template, plan, plan_destroy};
use infra::state::{LockedState, StateStore};
use jiff::Timestamp;
use local_aws::faults::ResourceFault;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

on_every_backend!(
    from_nothing_to_no_changes_to_one_change_to_nothing,
    a_stack_that_leaves_the_file_is_deleted,
    a_failure_is_explained_and_the_rest_goes_on,
    a_failed_update_is_rolled_back_and_remembered_as_it_was,
    a_change_set_that_does_more_than_the_plan_is_not_executed,
    what_turns_out_to_be_no_change_leaves_nothing_behind,
    protection_is_set_and_only_words_take_it_away,
    a_run_that_is_killed_anywhere_is_carried_on_by_the_next,
    an_interrupt_lets_what_runs_end_and_is_recorded,
    a_run_that_loses_its_lock_writes_nothing_any_more,
    a_stack_under_somebody_elses_review_is_left_to_them,
    a_secret_goes_to_cloudformation_and_nowhere_else,
    somebody_elses_operation_is_waited_for,
    a_stack_that_is_stuck_says_how_to_free_it,
);

/// An environment on a server, and somebody who works on it.
pub struct World {
    pub backend: Backend,
    pub environment: Environment,
    pub aws: Aws,
    pub wire: Wire,
    pub stacks: Vec<RenderedStack>,
    pub options: Options,
    /// Where images lie.
    pub project: std::path::PathBuf,
}

pub struct Ran {
    pub report: Report,
    pub events: Vec<Event>,
}

impl World {
    pub async fn new(backend: Backend, stacks: Vec<(&str, Json)>) -> World {
        let (aws, wire) = backend.connect().await;
        let mut environment = backend.environment();
        environment.apply.timeout = Duration::from_secs(120);
        let account = environment.account.clone();
        let stacks = stacks.into_iter().map(|(name, template)| stack(&account, name, &template)).collect();
        let (options, project) = (Options::default(), ".".into());
        World { backend, environment, aws, wire, stacks, options, project }
    }

    fn store(&self) -> StateStore {
        StateStore::new(&self.aws, &self.environment)
    }

    async fn lock(&self) -> LockedState {
        let mut request = self.backend.request("ada");
        request.timeout = Duration::from_secs(30);
        self.store().lock(request, |_| {}).await.expect("the emulator answers")
    }

    pub fn stack(&mut self, name: &str) -> &mut RenderedStack {
        self.stacks.iter_mut().find(|stack| stack.name == name).expect("a stack of this world")
    }

    fn set_template(&mut self, name: &str, template: &Json) {
        let fresh = stack(&self.environment.account, name, template);
        let old = self.stack(name);
        (old.template, old.template_digest) = (fresh.template, fresh.template_digest);
    }

    /// `plan` or `plan_destroy`, from what is there now.
    async fn planned(&self, make: impl Fn(&Request) -> infra::error::Result<Plan>) -> Plan {
        let facts = observe::look(&self.aws, &self.store(), &self.environment, &self.stacks)
            .await
            .expect("the emulator answers");
        let (events, _) = tokio::sync::mpsc::unbounded_channel();
        let mut deployed = facts.deployed;
        if settle(&self.aws, &deployed, &events, &self.environment.apply).await.expect("the emulator answers") {
            let state = facts.state.as_ref().map(|snapshot| &snapshot.state);
            deployed = observe::deployed(&self.aws, &self.environment, &self.stacks, state)
                .await
                .expect("the emulator answers");
        }
        let scope = Scope::from(&self.environment);
        let state = facts.state.as_ref().map(|snapshot| &snapshot.state);
        let request = Request {
            scope: &scope,
            wanted: &self.stacks,
            deployed: &deployed,
            state,
            options: &self.options,
            now: Timestamp::now(),
        };
        let mut with_templates = deployed.clone();
        let names = needs_template(&request);
        observe::fetch_templates(&self.aws, &mut with_templates, &names).await.expect("the emulator answers");
        make(&Request { deployed: &with_templates, ..request }).expect("the stacks can be planned")
    }

    pub async fn plan(&self) -> Plan {
        self.planned(plan).await
    }

    async fn run(&self, plan: &Plan, locked: &LockedState, interrupt: &Interrupt) -> Ran {
        let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
        let written = Written {
            at: Timestamp::now(),
            by: "arn:aws:iam::111122223333:user/ada".to_owned(),
            host: "laptop".to_owned(),
            version: "0.1.0".to_owned(),
            operation: "apply".to_owned(),
            git_commit: None,
            pipeline_url: None,
        };
        let context = Context {
            aws: &self.aws,
            state: Some(locked),
            events: &events,
            interrupt,
            settings: &self.environment.apply,
            written: &written,
            project: &self.project,
        };
        let report = apply(plan, context).await.expect("the plan has no refusals");
        drop(events);
        let mut all = Vec::new();
        while let Some(event) = told.recv().await {
            all.push(event);
        }
        Ran { report, events: all }
    }

    async fn apply_plan(&self, plan: &Plan) -> Ran {
        let locked = self.lock().await;
        let ran = self.run(plan, &locked, &Interrupt::never()).await;
        locked.release().await.expect("the emulator answers");
        ran
    }

    pub async fn apply(&self) -> Ran {
        self.apply_plan(&self.plan().await).await
    }

    async fn recorded(&self) -> BTreeMap<String, infra::model::StackRecord> {
        self.store()
            .read()
            .await
            .expect("the emulator answers")
            .map(|snapshot| snapshot.state.stacks)
            .unwrap_or_default()
    }

    /// The embedded AWS lets the resource fail, with ministack's words; ministack fails by itself.
    fn fail(&self, stack: &str, resource: &str) {
        let Some(world) = &self.backend.world else { return };
        let reason = "No export named nobody-exports-this found.";
        let fault =
            ResourceFault::new(&format!("shop-dev-{stack}"), resource, local_aws::faults::Action::Create, reason);
        world.faults(|faults| faults.resources = vec![fault]);
    }

    async fn status(&self, stack: &str) -> Option<String> {
        let target = target(&self.environment.account);
        let name = format!("shop-dev-{stack}");
        let found = self.aws.cloudformation(&target).describe_stack(&name).await.expect("the emulator answers");
        found.map(|stack| stack.status.to_string())
    }

    /// Change sets that were never executed. (The emulator lists executed ones too; CloudFormation does not.)
    async fn change_sets(&self, stack: &str) -> usize {
        let target = target(&self.environment.account);
        let name = format!("shop-dev-{stack}");
        let listed = self.aws.cloudformation(&target).list_change_sets(&name).await.expect("the emulator answers");
        listed.iter().filter(|change_set| change_set.execution_status != "EXECUTE_COMPLETE").count()
    }
}

fn target(account: &str) -> Target {
    Target { account: account.to_owned(), region: "us-east-1".to_owned(), role: None }
}

fn stack(account: &str, name: &str, template: &Json) -> RenderedStack {
    let template = template.to_string();
    let tags = [("Project", "shop"), ("Environment", "dev"), ("ManagedBy", "infra")];
    RenderedStack {
        name: name.to_owned(),
        stack_name: format!("shop-dev-{name}"),
        target: target(account),
        template_name: name.to_owned(),
        template_digest: digest(&template),
        template,
        parameters: BTreeMap::new(),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        capabilities: Vec::new(),
        protect: false,
        stack_policy: None,
        after: Vec::new(),
        places: BTreeMap::from([("Broken".to_owned(), format!("templates/{name}.yaml:7"))]),
    }
}

fn queue(delay: u32) -> Json {
    json!({
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay}}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}, "Url": {"Value": {"Ref": "Queue"}}},
    })
}

/// Keeps what it is given in an SSM parameter.
fn keeper() -> Json {
    json!({
        "Parameters": {"Kept": {"Type": "String"}},
        "Resources": {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Kept"}}}},
        "Outputs": {"Name": {"Value": {"Ref": "Parameter"}}},
    })
}

/// What ministack cannot create: it asks for a value that is nowhere. It fails the resource for that; CloudFormation and
/// the embedded AWS fail the whole stack, before they begin with any resource.
fn broken(backend: &Backend) -> Json {
    let value = match backend.world {
        None => json!({"Fn::ImportValue": "nobody-exports-this"}),
        Some(_) => json!("made to fail"),
    };
    json!({"Resources": {"Broken": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}}})
}

/// `queue` ← `keeper` ← `last`; `alone` needs nobody.
async fn chain(backend: Backend) -> World {
    let stacks = vec![("last", keeper()), ("keeper", keeper()), ("queue", queue(1)), ("alone", queue(2))];
    let mut world = World::new(backend, stacks).await;
    let output = |stack: &str, key: &str| Parameter::Output { stack: stack.to_owned(), key: key.to_owned() };
    world.stack("keeper").parameters.insert("Kept".to_owned(), output("queue", "Arn"));
    world.stack("last").parameters.insert("Kept".to_owned(), output("keeper", "Name"));
    world
}

fn outcome<'a>(ran: &'a Ran, stack: &str) -> &'a Outcome {
    &ran.report.stacks.iter().find(|ended| ended.stack == stack).expect("the stack is in the report").outcome
}

fn cause<'a>(ran: &'a Ran, stack: &str) -> &'a RootCause {
    match outcome(ran, stack) {
        Outcome::Failed(cause) => cause,
        other => panic!("{stack}: {other:?}"),
    }
}

fn actions(plan: &Plan) -> Vec<(&str, Action)> {
    plan.steps.iter().map(|step| (step.stack.as_str(), step.action)).collect()
}

async fn from_nothing_to_no_changes_to_one_change_to_nothing(backend: Backend) {
    let mut world = chain(backend).await;
    let ran = world.apply().await;
    assert!(!ran.report.failed(), "{:?}", ran.report);
    let recorded = world.recorded().await;
    assert_eq!(recorded.len(), 4);
    assert_eq!(recorded["keeper"].parameters["Kept"], recorded["queue"].outputs["Arn"]);
    assert_eq!(recorded["last"].parameters["Kept"], recorded["keeper"].outputs["Name"]);

    let again = world.plan().await;
    assert!(!again.has_work(), "{:?}", actions(&again));

    world.set_template("queue", &queue(5));
    let change = world.plan().await;
    let working: Vec<&str> =
        change.steps.iter().filter(|step| step.action != Action::Nothing).map(|step| step.stack.as_str()).collect();
    assert_eq!(working[0], "queue");
    let ran = world.apply_plan(&change).await;
    assert!(!ran.report.failed(), "{:?}", ran.report);
    assert!(matches!(outcome(&ran, "queue"), Outcome::Done { .. }));
    assert!(matches!(outcome(&ran, "alone"), Outcome::Unchanged));
    assert!(!world.plan().await.has_work());

    let destroy = world.planned(|request| Ok(plan_destroy(request))).await;
    let ran = world.apply_plan(&destroy).await;
    assert!(!ran.report.failed(), "{:?}", ran.report);
    let order: Vec<&str> = ran.report.stacks.iter().map(|ended| ended.stack.as_str()).collect();
    let place = |stack| order.iter().position(|other| *other == stack).unwrap();
    assert!(place("last") < place("keeper") && place("keeper") < place("queue"), "{order:?}");
    for stack in ["last", "keeper", "queue", "alone"] {
        assert_eq!(world.status(stack).await, None, "{stack}");
    }
    assert!(world.recorded().await.is_empty());
}

async fn a_stack_that_leaves_the_file_is_deleted(backend: Backend) {
    let mut world = chain(backend).await;
    assert!(!world.apply().await.report.failed());
    world.stacks.retain(|stack| stack.name != "last");
    let plan = world.plan().await;
    assert_eq!(plan.step("last").unwrap().action, Action::Delete);
    assert!(!world.apply_plan(&plan).await.report.failed());
    assert_eq!(world.status("last").await, None);
    assert!(!world.recorded().await.contains_key("last"));
    assert!(!world.plan().await.has_work());
}

async fn a_failure_is_explained_and_the_rest_goes_on(backend: Backend) {
    let mut world = chain(backend).await;
    world.set_template("keeper", &broken(&world.backend));
    world.fail("keeper", "Broken");
    world.stack("keeper").parameters.clear();
    world.stack("keeper").after = vec!["queue".to_owned()];
    let last = Parameter::Value("x".to_owned());
    world.stack("last").parameters.insert("Kept".to_owned(), last);
    world.stack("last").after = vec!["keeper".to_owned()];
    let ran = world.apply().await;
    let why = cause(&ran, "keeper");
    let resource = why.resource.as_ref().unwrap_or_else(|| panic!("{why:?}"));
    assert_eq!((resource.logical_id.as_str(), resource.place.as_deref()), ("Broken", Some("templates/keeper.yaml:7")));
    assert!(resource.reason.contains("nobody-exports-this"), "{resource:?}");
    assert_eq!(why.status.as_deref(), Some("ROLLBACK_COMPLETE"));
    assert!(matches!(outcome(&ran, "last"), Outcome::Skipped { because } if because == &["keeper"]));
    assert!(outcome(&ran, "queue").is_good() && outcome(&ran, "alone").is_good());

    // Mended: what the failed creation left is deleted, which is said, and created.
    world.set_template("keeper", &keeper());
    world.stack("keeper").parameters.insert("Kept".to_owned(), Parameter::Value("y".to_owned()));
    let plan = world.plan().await;
    assert_eq!(plan.step("keeper").unwrap().action, Action::Recreate);
    let ran = world.apply_plan(&plan).await;
    assert!(!ran.report.failed(), "{:?}", ran.report);
    let says =
        |event: &Event| matches!(&event.kind, EventKind::Note { message } if message.contains("is deleted first"));
    assert!(ran.events.iter().any(says));
    assert!(!world.plan().await.has_work());
}

async fn a_failed_update_is_rolled_back_and_remembered_as_it_was(backend: Backend) {
    let mut world = World::new(backend, vec![("queue", queue(1))]).await;
    assert!(!world.apply().await.report.failed());
    let before = world.recorded().await;
    let mut template = queue(1);
    template["Resources"]["Broken"] = broken(&world.backend)["Resources"]["Broken"].clone();
    world.fail("queue", "Broken");
    world.set_template("queue", &template);
    let ran = world.apply().await;
    assert_eq!(cause(&ran, "queue").status.as_deref(), Some("UPDATE_ROLLBACK_COMPLETE"));
    let after = world.recorded().await;
    assert_eq!(after["queue"].template_digest, before["queue"].template_digest);
    assert_ne!(after["queue"].fingerprint, before["queue"].fingerprint);
    world.set_template("queue", &queue(1));
    assert!(!world.plan().await.has_work(), "the stack is what it was, and known to be");
}

async fn a_change_set_that_does_more_than_the_plan_is_not_executed(backend: Backend) {
    let mut world = World::new(backend, vec![("queue", queue(1)), ("fresh", queue(1))]).await;
    world.stacks.retain(|stack| stack.name == "queue");
    assert!(!world.apply().await.report.failed());
    world.set_template("queue", &queue(7));
    let fresh = stack(&world.environment.account, "fresh", &queue(1));
    world.stacks.push(fresh);
    let mut plan = world.plan().await;
    for step in &mut plan.steps {
        step.changes.clear();
    }
    let ran = world.apply_plan(&plan).await;
    for stack in ["queue", "fresh"] {
        let why = cause(&ran, stack);
        assert!(why.message.contains("what the plan did not show"), "{why:?}");
        assert!(why.details[0].starts_with("Queue (AWS::SQS::Queue) would be"), "{why:?}");
        assert_eq!(world.change_sets(stack).await, 0);
    }
    assert_eq!(world.status("queue").await.as_deref(), Some("CREATE_COMPLETE"));
    assert_eq!(world.status("fresh").await, None, "the empty stack went with its change set");
}

async fn what_turns_out_to_be_no_change_leaves_nothing_behind(backend: Backend) {
    let mut world = World::new(backend, vec![("queue", queue(1))]).await;
    assert!(!world.apply().await.report.failed());
    let mut template = queue(1);
    template["Description"] = json!("The same in other words.");
    world.set_template("queue", &template);
    let plan = world.plan().await;
    assert_eq!(plan.steps[0].action, Action::Update);
    let ran = world.apply_plan(&plan).await;
    assert!(!ran.report.failed(), "{:?}", ran.report);
    assert_eq!(world.change_sets("queue").await, 0);
    assert!(!world.plan().await.has_work(), "and it is remembered");
}

async fn protection_is_set_and_only_words_take_it_away(backend: Backend) {
    let mut world = World::new(backend, vec![("queue", queue(1))]).await;
    world.stack("queue").protect = true;
    assert!(!world.apply().await.report.failed());
    let target = target(&world.environment.account);
    let cloudformation = world.aws.cloudformation(&target);
    let found = cloudformation.describe_stack("shop-dev-queue").await.unwrap().unwrap();
    assert!(found.termination_protection);
    assert!(!world.plan().await.has_work());

    let refused = world.planned(|request| Ok(plan_destroy(request))).await;
    assert!(refused.refusals().count() > 0);
    world.options.allow_destroy = true;
    let allowed = world.planned(|request| Ok(plan_destroy(request))).await;
    assert_eq!(allowed.refusals().count(), 0);
    assert!(!world.apply_plan(&allowed).await.report.failed());
    assert_eq!(world.status("queue").await, None);
}

/// Ends a run for good at the moment when `operation` has had its effect for the `nth` time: nothing of it goes on, and
/// its lock is not given back. `operation` is all or the end of what the wire calls it.
async fn killed_at(world: &World, operation: &'static str, nth: usize) {
    let plan = world.plan().await;
    let locked = world.lock().await;
    let (kill, mut killed) = tokio::sync::mpsc::unbounded_channel();
    world.wire.forget();
    world.wire.on(move |sent, count| {
        if sent.operation.ends_with(operation) && !sent.operation.starts_with("GET") && count == nth {
            let _ = kill.send(());
            return Fault::CutAfterEffect;
        }
        Fault::None
    });
    let never = Interrupt::never();
    tokio::select! {
        biased;
        _ = killed.recv() => tokio::time::sleep(Duration::from_millis(100)).await,
        ran = world.run(&plan, &locked, &never) => panic!("it ended before: {:?}", ran.report),
    }
    world.wire.on(|_, _| Fault::None);
    drop(locked);
}

async fn a_run_that_is_killed_anywhere_is_carried_on_by_the_next(backend: Backend) {
    for (operation, nth) in [
        ("CreateChangeSet", 1),
        ("ExecuteChangeSet", 1),
        ("ExecuteChangeSet", 2),
        ("DescribeStackEvents", 3),
        ("/history/1.json", 1),
        ("/state.json", 2),
    ] {
        let world = chain(backend.another().await).await;
        killed_at(&world, operation, nth).await;
        let ran = world.apply().await;
        assert!(!ran.report.failed(), "{operation} {nth}: {:?}", ran.report);
        assert_eq!(world.recorded().await.len(), 4, "{operation} {nth}");
        assert!(!world.plan().await.has_work(), "{operation} {nth}");
        for stack in ["queue", "keeper", "last", "alone"] {
            assert_eq!(world.change_sets(stack).await, 0, "{operation} {nth} {stack}");
        }
    }
}

async fn an_interrupt_lets_what_runs_end_and_is_recorded(backend: Backend) {
    let world = chain(backend).await;
    let plan = world.plan().await;
    let locked = world.lock().await;
    let (interrupter, interrupted) = interrupt();
    world.wire.on(move |sent, _| {
        if sent.operation == "ExecuteChangeSet" {
            interrupter.raise(Level::Finish);
        }
        Fault::None
    });
    let ran = world.run(&plan, &locked, &interrupted).await;
    locked.release().await.unwrap();
    assert!(ran.report.interrupted);
    assert!(matches!(outcome(&ran, "last"), Outcome::Stopped { .. }));
    assert!(ran.events.iter().any(|event| matches!(event.kind, EventKind::Interrupted { .. })));
    let done: Vec<&str> =
        ran.report.stacks.iter().filter(|ended| ended.outcome.is_good()).map(|ended| ended.stack.as_str()).collect();
    let mut recorded: Vec<String> = world.recorded().await.into_keys().collect();
    recorded.sort();
    let mut done: Vec<String> = done.into_iter().map(str::to_owned).collect();
    done.sort();
    assert_eq!(recorded, done, "what ended well is recorded, and nothing else");
    assert!(!done.is_empty());
}

async fn a_run_that_loses_its_lock_writes_nothing_any_more(backend: Backend) {
    let world = chain(backend).await;
    let plan = world.plan().await;
    let locked = world.lock().await;
    let (aws, _) = world.backend.connect().await;
    let other = StateStore::new(&aws, &world.environment);
    let holder = other.holder().await.unwrap().unwrap();
    let broken = other.break_lock(&holder.info.id);
    world.wire.on(|sent, _| match sent.operation.as_str() {
        "DescribeChangeSet" => Fault::Slow(Duration::from_millis(1500)),
        _ => Fault::None,
    });
    let never = Interrupt::never();
    let (ran, _) = tokio::join!(world.run(&plan, &locked, &never), broken);
    assert!(ran.report.lock_lost.is_some(), "{:?}", ran.report);
    assert!(ran.report.stacks.iter().all(|ended| matches!(ended.outcome, Outcome::Stopped { .. })), "{:?}", ran.report);
    assert_eq!(world.wire.count("ExecuteChangeSet"), 0);
    assert!(world.recorded().await.is_empty());
}

async fn a_stack_under_somebody_elses_review_is_left_to_them(backend: Backend) {
    let world = World::new(backend, vec![("queue", queue(1))]).await;
    let cloudformation = world.aws.cloudformation(&target(&world.environment.account));
    let theirs = ChangeSetRequest {
        stack_name: "shop-dev-queue".to_owned(),
        name: "by-hand".to_owned(),
        kind: ChangeSetKind::Create,
        template: TemplateSource::Body(queue(3).to_string()),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        capabilities: Vec::new(),
        description: "by hand".to_owned(),
        reverts_drift: false,
        includes_nested: false,
        imports_existing: false,
        imports: Vec::new(),
    };
    cloudformation.create_change_set(&theirs).await.unwrap();
    match observe::look(&world.aws, &world.store(), &world.environment, &world.stacks).await {
        Err(why) => assert!(why.details[0].contains("by-hand") && why.hints[0].contains("delete-stack"), "{why:?}"),
        // ministack does not list the change sets of a stack under review: apply finds out.
        Ok(_) => {
            assert!(world.backend.world.is_none());
            let plan = world.plan().await;
            let ran = world.apply_plan(&plan).await;
            let why = cause(&ran, "queue");
            assert!(why.message.contains("by-hand") && why.hints[0].contains("delete-stack"), "{why:?}");
        }
    }
    assert_eq!(world.status("queue").await.as_deref(), Some("REVIEW_IN_PROGRESS"));
    assert_eq!(world.change_sets("queue").await, 1);
}

async fn a_secret_goes_to_cloudformation_and_nowhere_else(backend: Backend) {
    let template = |name: &str| {
        json!({
            "Parameters": {"Token": {"Type": "String", "NoEcho": true}},
            "Resources": {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {
                "Type": "String", "Value": {"Ref": "Token"}, "Description": name,
            }}},
        })
    };
    let mut world = World::new(backend, vec![("secretive", template("one"))]).await;
    world.stack("secretive").parameters.insert("Token".to_owned(), Parameter::Value("hunter2".to_owned()));
    let ran = world.apply().await;
    assert!(!ran.report.failed(), "{:?}", ran.report);
    assert!(!world.plan().await.has_work());
    let entry = world.store().entry(1).await.unwrap();
    assert!(!format!("{entry:?} {:?}", world.recorded().await).contains("hunter2"));

    // What was kept of it is enough to apply it again: the stack keeps its secret.
    world.stacks = world.store().recorded_stacks(entry).await.unwrap();
    world.set_template("secretive", &template("two"));
    let ran = world.apply().await;
    assert!(!ran.report.failed(), "{:?}", ran.report);
    assert!(!world.plan().await.has_work());
}

/// An answer of DescribeStacks: one stack, in this status.
fn described(world: &World, stack_id: &str, status: &str) -> Fault {
    let name = &world.stacks[0].stack_name;
    let stack = format!(
        "<StackName>{name}</StackName><StackId>{stack_id}</StackId><StackStatus>{status}</StackStatus>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime>"
    );
    Fault::Answer(
        200,
        format!(
            "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult>\
             <Stacks><member>{stack}</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        ),
    )
}

async fn somebody_elses_operation_is_waited_for(backend: Backend) {
    let mut world = World::new(backend, vec![("queue", queue(1))]).await;
    assert!(!world.apply().await.report.failed());
    let stack_id = world.recorded().await["queue"].fingerprint.stack_id.clone();
    world.set_template("queue", &queue(4));
    let plan = world.plan().await;
    world.wire.forget();
    let busy = described(&world, &stack_id, "UPDATE_IN_PROGRESS");
    world.wire.on(move |sent, count| match sent.operation.as_str() {
        "DescribeStacks" if count <= 2 => busy.clone(),
        _ => Fault::None,
    });
    let ran = world.apply_plan(&plan).await;
    assert!(matches!(outcome(&ran, "queue"), Outcome::Done { .. }), "{:?}", ran.report);
    let busy = |event: &Event| matches!(&event.kind, EventKind::StackBusy { status } if status == "UPDATE_IN_PROGRESS");
    assert_eq!(ran.events.iter().filter(|event| busy(event)).count(), 1);
    assert!(!world.plan().await.has_work());
}

async fn a_stack_that_is_stuck_says_how_to_free_it(backend: Backend) {
    let mut world = World::new(backend, vec![("queue", queue(1))]).await;
    assert!(!world.apply().await.report.failed());
    let stack_id = world.recorded().await["queue"].fingerprint.stack_id.clone();
    world.set_template("queue", &queue(4));
    let plan = world.plan().await;
    let stuck = described(&world, &stack_id, "UPDATE_ROLLBACK_FAILED");
    world.wire.on(move |sent, _| match sent.operation.as_str() {
        "DescribeStacks" => stuck.clone(),
        _ => Fault::None,
    });
    let ran = world.apply_plan(&plan).await;
    let why = cause(&ran, "queue");
    assert!(
        why.hints[0].contains("aws cloudformation continue-update-rollback --stack-name shop-dev-queue"),
        "{why:?}"
    );
    assert_eq!(world.wire.count("ExecuteChangeSet"), 1, "of the first apply only");
}
