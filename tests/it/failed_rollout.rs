//! A roll-out that fails, from the command line: `infra apply` of a local environment whose containers do not stay, on an
//! embedded AWS in which a minute takes a second.

use crate::support::project::Project;
use crate::support::service::{SERVICE, image};
use infra::local::{Manner, Place};
use infra::model::ResourceSignals;
use local_aws::LocalAws;
use local_aws::faults::{FailureKind, RolloutFault};
use serde_json::Value;
use std::sync::mpsc;
use std::thread;

const SPEED: f64 = 60.0;

const ENVIRONMENT: &str = r#"project: small
account: "000000000000"
region: us-east-1
local: {speed: 60}

images:
  api: {archive: api.tar}

stacks:
  api-images: {template: ecr-repository, inputs: {name: api, retain: false}}
  api: {template: service, inputs: {count: 2, balanced: true}}
"#;

const APPLY: [&str; 4] = ["apply", "--env", "dev", "--yes"];

/// The project's AWS, held and served by this process as `infra local serve` does, so that a test can say what fails.
fn serve(project: &Project) -> LocalAws {
    let (place, (tell, told)) = (Place::of(project.path()), mpsc::channel());
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = place
                .open(Manner { speed: SPEED, signals: ResourceSignals::default() })
                .await
                .expect("nobody else has it");
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            place.announce(listener.local_addr().expect("an address")).expect("a file can be written");
            tell.send(world.clone()).expect("the test waits for it");
            world.serve(listener, std::future::pending()).await.expect("it serves until the test ends");
        });
    });
    told.recv().expect("a world")
}

/// Another image that fails in this way, and what the run said; its exit code was 1.
fn failing(project: &Project, world: &LocalAws, text: &str, fault: RolloutFault) -> String {
    image(project, text);
    let plan = project.infra(&["plan", "--env", "dev", "--format", "json"]).expect(0).json();
    let digest = plan["assets"][0]["after"].as_str().expect("a digest").to_owned();
    world.faults(|plan| plan.rollouts = vec![fault.with_image(&format!("*@{digest}"))]);
    project.infra(&APPLY).expect(1).whole()
}

#[track_caller]
fn assert_told(page: &str, parts: &[&str]) {
    // As it was before it was broken into lines.
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(flat.contains(part), "`{part}` is missing:\n{page}");
    }
}

fn running(project: &Project) -> Value {
    let status = project.infra(&["outputs", "--env", "dev", "--format", "json"]).expect(0).json();
    status["api"]["Definition"].clone()
}

#[test]
fn a_roll_out_that_fails_says_why_and_the_next_one_goes_through() {
    let project = Project::offline();
    project.write("environments/dev.yaml", ENVIRONMENT).write("templates/service.yaml", SERVICE);
    image(&project, "one");
    let world = serve(&project);
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    project.infra(&APPLY).expect(0);

    let log = ["starting on port 8000", "KeyError: 'TABLE_NAME'"];
    let page = failing(&project, &world, "exits", RolloutFault::exits("api", 3, &log));
    assert_told(
        &page,
        &[
            "api failed: Service (AWS::ECS::Service) failed: Error occurred during operation 'ECS Deployment Circuit Breaker",
            "templates/service.yaml:",
            "3 tasks stopped: Essential container in task exited; container app: exit code 3 (small-dev-api:2)",
            "last lines of app in /small/api: | starting on port 8000 | KeyError: 'TABLE_NAME'",
            "The stack is as it was before (UPDATE_ROLLBACK_COMPLETE).",
            "mend the cause, then: infra apply --env dev",
        ],
    );

    let unhealthy = RolloutFault::exits("api", 0, &[]).with_kind(FailureKind::Unhealthy);
    let page = failing(&project, &world, "unhealthy", unhealthy);
    assert_told(
        &page,
        &[
            "tasks stopped: Task failed ELB health checks in",
            "is unhealthy: Health checks failed with these codes: [503]",
        ],
    );

    let page =
        failing(&project, &world, "no image", RolloutFault::exits("api", 1, &[]).with_kind(FailureKind::CannotPull));
    assert_told(&page, &["CannotPullContainerError"]);

    // CloudFormation is content, and yet the old image runs.
    let hidden = RolloutFault::exits("api", 137, &["out of memory"]).reported_as_success();
    let page = failing(&project, &world, "hidden", hidden);
    assert_told(
        &page,
        &[
            "api failed: CloudFormation reports success, but service `api` runs small-dev-api:1, not small-dev-api:5",
            "deployment failed: tasks failed to start.",
            "container app: exit code 137 (small-dev-api:5)",
            "| out of memory",
        ],
    );
    let plan = project.infra(&["plan", "--env", "dev"]).expect(0).stdout;
    assert!(!page.contains("small-dev-api:2"), "only what failed this time:\n{page}");
    assert_told(
        &plan,
        &[
            "Apply asks ECS what api runs",
            "[rollout-unproven]",
            "No changes. small/dev matches its configuration, but whether api runs it is not known.",
        ],
    );
    let drift = project.infra(&["drift", "--env", "dev", "--stack", "api", "--detailed-exitcode"]).expect(2).stdout;
    assert_told(&drift, &["small-dev-api:1"]);
    assert_told(&project.infra(&APPLY).expect(1).whole(), &["runs small-dev-api:1, not small-dev-api:5"]);

    world.faults(|plan| plan.rollouts.clear());
    image(&project, "mended");
    project.infra(&APPLY).expect(0);
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
    assert!(running(&project).as_str().is_some_and(|it| it.ends_with("small-dev-api:6")), "{}", running(&project));
}
