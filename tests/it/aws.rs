//! The room `aws` against an emulator and `infra local serve`: conversions, conditions, lists that have several pages.

use crate::on_every_server;
use crate::support::memory::Memory;
use crate::support::ministack::{self, Account};
use crate::support::project::Server;
use crate::support::wire::{Fault, Wire};
use infra::aws::cloudformation::{
    ChangeSet, ChangeSetKind, ChangeSetRequest, ChangeSetState, CloudFormation, MAX_INLINE_TEMPLATE_BYTES,
    TemplateSource,
};
use infra::aws::{AccessKey, Aws, Connect, Notice, Precondition, Put};
use infra::model::{StackStatus, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn options(account: &Account) -> Connect {
    Connect {
        endpoint_url: Some(account.endpoint.clone()),
        region: "us-east-1".to_owned(),
        credentials: Some(AccessKey { id: account.id.clone(), secret: "test".to_owned() }),
        ..Connect::default()
    }
}

fn home(account: &Account) -> Target {
    Target { account: account.id.clone(), region: "us-east-1".to_owned(), role: None }
}

fn request(template: &str) -> ChangeSetRequest {
    ChangeSetRequest {
        stack_name: "shop-dev-queue".to_owned(),
        name: "infra-1".to_owned(),
        kind: ChangeSetKind::Create,
        template: TemplateSource::Body(template.to_owned()),
        parameters: BTreeMap::new(),
        tags: BTreeMap::from([("Project".to_owned(), "shop".to_owned())]),
        capabilities: Vec::new(),
        description: "made by a test".to_owned(),
        reverts_drift: false,
        includes_nested: false,
        imports_existing: false,
        imports: Vec::new(),
    }
}

on_every_server!(
    async a_stack_from_change_set_to_deletion,
    objects_are_written_on_conditions,
    a_long_template_goes_through_the_bucket,
);

/// A change set of the queue's stack, once it is worked out.
async fn made(cloudformation: &CloudFormation, id: &str) -> ChangeSet {
    loop {
        let found = cloudformation.describe_change_set("shop-dev-queue", id).await.unwrap().unwrap();
        if found.state != ChangeSetState::Pending {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_stack_from_change_set_to_deletion(server: Server) {
    let account = server.account();
    let aws = Aws::connect(options(&account)).await;
    assert_eq!(aws.identity().await.unwrap().account, account.id);
    let cloudformation = aws.cloudformation(&home(&account));
    assert_eq!(cloudformation.describe_stack("shop-dev-queue").await.unwrap(), None);

    let template = r#"{"Resources":{"Queue":{"Type":"AWS::SQS::Queue"}},"Outputs":{"Name":{"Value":"x"}}}"#;
    let id = cloudformation.create_change_set(&request(template)).await.unwrap();
    let change_set = made(&cloudformation, &id).await;
    assert_eq!(change_set.state, ChangeSetState::Ready, "{change_set:?}");
    assert_eq!(change_set.changes.len(), 1);
    assert_eq!(change_set.changes[0].logical_id, "Queue");
    cloudformation.execute_change_set("shop-dev-queue", &id, "token-1").await.unwrap();
    let stack = loop {
        let stack = cloudformation.describe_stack("shop-dev-queue").await.unwrap().unwrap();
        if !stack.status.in_progress() && stack.status != StackStatus::ReviewInProgress {
            break stack;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(stack.status, StackStatus::CreateComplete);
    assert_eq!(stack.outputs["Name"], "x");
    assert_eq!(stack.tags["Project"], "shop");
    assert_eq!(cloudformation.template("shop-dev-queue").await.unwrap().as_deref(), Some(template));
    assert_eq!(cloudformation.resources("shop-dev-queue").await.unwrap()[0].logical_id, "Queue");
    let events = cloudformation.events("shop-dev-queue", None).await.unwrap();
    assert!(events[0].is_of_stack() && events[0].status == "CREATE_COMPLETE", "{events:?}");
    let newer = cloudformation.events("shop-dev-queue", Some(&events[1].event_id)).await.unwrap();
    assert_eq!(newer, events[..1]);

    let again = ChangeSetRequest { name: "infra-2".into(), kind: ChangeSetKind::Update, ..request(template) };
    let id = cloudformation.create_change_set(&again).await.unwrap();
    let empty = made(&cloudformation, &id).await;
    assert_eq!(empty.state, ChangeSetState::Empty, "{empty:?}");
    cloudformation.delete_change_set("shop-dev-queue", &id).await.unwrap();
    cloudformation.delete_change_set("shop-dev-queue", &id).await.unwrap();

    let left = cloudformation.list_change_sets("shop-dev-queue").await.unwrap();
    assert!(left.iter().all(|change_set| change_set.execution_status == "EXECUTE_COMPLETE"), "{left:?}");
    assert_eq!(cloudformation.list_change_sets("shop-dev-none").await.unwrap(), []);
    assert_eq!(cloudformation.stack_policy("shop-dev-queue").await.unwrap(), None);
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}"#;
    cloudformation.set_stack_policy("shop-dev-queue", policy).await.unwrap();
    assert_eq!(cloudformation.stack_policy("shop-dev-queue").await.unwrap().as_deref(), Some(policy));
    cloudformation.set_termination_protection("shop-dev-queue", true).await.unwrap();
    assert!(cloudformation.describe_stack("shop-dev-queue").await.unwrap().unwrap().termination_protection);
    cloudformation.delete_stack(&stack.stack_id, "token-2", &[]).await.unwrap_err();
    cloudformation.set_termination_protection("shop-dev-queue", false).await.unwrap();

    cloudformation.delete_stack(&stack.stack_id, "token-2", &[]).await.unwrap();
    let names = BTreeSet::from(["shop-dev-queue".to_owned()]);
    while !cloudformation.describe_stacks(&names, |_| false).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The embedded registry refuses an image without its layers, as ECR does.
#[tokio::test]
async fn what_failure_reports_look_at() {
    let account = ministack::account();
    crate::support::state::boto(&account, MAKE_SERVICE).await;
    let aws = Aws::connect(options(&account)).await;
    let target = home(&account);
    let logs = aws.logs(&target);
    assert_eq!(logs.newest_stream("/shop/api").await.unwrap().as_deref(), Some("api/1"));
    assert_eq!(logs.last_lines("/shop/api", "api/1", 2).await.unwrap(), ["line 3", "line 4"]);

    let ecr = aws.ecr(&target);
    let images = ecr.images("api").await.unwrap();
    assert_eq!(images.len(), 1, "{images:?}");
    assert!(ecr.has_image("api", &images[0].digest).await.unwrap());
    assert!(!ecr.has_image("api", &format!("sha256:{}", "0".repeat(64))).await.unwrap());
    assert!(!ecr.has_image("none", &images[0].digest).await.unwrap());
    assert_eq!(ecr.images("none").await.unwrap(), []);

    let ecs = aws.ecs(&target);
    let service = ecs.service("shop", "api").await.unwrap().unwrap();
    assert_eq!((service.name.as_str(), service.desired), ("api", 2));
    assert_eq!(service.deployments[0].status, "PRIMARY");
    assert_eq!(ecs.service("shop", "none").await.unwrap(), None);
    assert!(ecs.stopped_tasks("shop", "api").await.is_ok());
}

const MAKE_SERVICE: &str = "
client('logs').create_log_group(logGroupName='/shop/api')
client('logs').create_log_stream(logGroupName='/shop/api', logStreamName='api/1')
now = int(time.time() * 1000)
client('logs').put_log_events(logGroupName='/shop/api', logStreamName='api/1',
    logEvents=[{'timestamp': now + n, 'message': f'line {n}\\n'} for n in range(5)])
client('ecr').create_repository(repositoryName='api')
client('ecr').put_image(repositoryName='api', imageTag='v1', imageManifest=json.dumps({
    'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
    'config': {'mediaType': 'application/vnd.oci.image.config.v1+json', 'size': 2, 'digest': 'sha256:' + '1' * 64},
    'layers': []}))
client('ecs').create_cluster(clusterName='shop')
client('ecs').register_task_definition(family='api', containerDefinitions=[{'name': 'api', 'image': 'api:v1', 'memory': 64}])
client('ecs').create_service(cluster='shop', serviceName='api', taskDefinition='api', desiredCount=2)
";

async fn objects_are_written_on_conditions(server: Server) {
    let account = server.account();
    let aws = Aws::connect(options(&account)).await;
    let state = crate::support::state::make_bucket_and_table(&account).await;
    let objects = aws.objects(&state);
    assert_eq!(objects.get("a/b.json").await.unwrap(), None);
    let body = |text: &str| text.as_bytes().to_vec();
    let Put::Done { etag } = objects.put("a/b.json", body("1"), "text/plain", Precondition::Absent).await.unwrap()
    else {
        panic!("refused")
    };
    let put = async |text, condition| objects.put("a/b.json", body(text), "text/plain", condition).await.unwrap();
    assert_eq!(put("2", Precondition::Absent).await, Put::Refused);
    assert_ne!(put("2", Precondition::Unchanged(etag.clone())).await, Put::Refused);
    assert_eq!(put("3", Precondition::Unchanged(etag.clone())).await, Put::Refused);
    let nothing = objects.put("a/none", body("1"), "text/plain", Precondition::Unchanged(etag)).await.unwrap();
    assert_eq!(nothing, Put::Refused);
    assert_eq!(objects.get("a/b.json").await.unwrap().unwrap().body, b"2");
    let keys = objects.list("a/").await.unwrap();
    assert_eq!(keys.iter().map(|key| key.key.as_str()).collect::<Vec<_>>(), ["a/b.json"]);
    assert_eq!(objects.versions("a/b.json").await.unwrap().len(), 2);
}

async fn a_long_template_goes_through_the_bucket(server: Server) {
    let account = server.account();
    let aws = Aws::connect(options(&account)).await;
    let state = crate::support::state::make_bucket_and_table(&account).await;
    let padding = "x".repeat(MAX_INLINE_TEMPLATE_BYTES);
    let template =
        format!(r#"{{"Metadata":{{"Padding":"{padding}"}},"Resources":{{"Queue":{{"Type":"AWS::SQS::Queue"}}}}}}"#);
    let source = aws.objects(&state).template_source("shop/dev", &template).await.unwrap();
    assert!(matches!(source, TemplateSource::Url(_)), "{source:?}");
    let cloudformation = aws.cloudformation(&home(&account));
    cloudformation.create_change_set(&ChangeSetRequest { template: source, ..request("") }).await.unwrap();
    let change_set = made(&cloudformation, "infra-1").await;
    assert_eq!(change_set.changes.len(), 1);
    let short = aws.objects(&state).template_source("shop/dev", "{}").await.unwrap();
    assert_eq!(short, TemplateSource::Body("{}".to_owned()));
    assert!(aws.objects(&state).template_source("shop/dev", &"x".repeat(1_000_001)).await.is_err());
}

#[tokio::test]
async fn a_refused_connection_is_given_up_quickly() {
    let port = ministack::free_port();
    let account = Account { endpoint: format!("http://127.0.0.1:{port}"), id: "111122223333".to_owned() };
    let began = Instant::now();
    let error = Aws::connect(options(&account)).await.identity().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    insta::assert_snapshot!(crate::support::shown(&error).replace(&port.to_string(), "PORT"), @r"
    Unreachable: no answer from http://127.0.0.1:PORT
      tried 3 times to find out whose credentials these are: connection refused
    hint: is the server at http://127.0.0.1:PORT running? It was chosen by `--endpoint-url`, AWS_ENDPOINT_URL or the profile
    ");
}

#[tokio::test(start_paused = true)]
async fn a_silent_endpoint_is_given_up_within_half_a_minute_and_told_of() {
    let account = Account { endpoint: "http://aws.test".to_owned(), id: "111122223333".to_owned() };
    let wire = Wire::new(Memory::default().client());
    wire.on(|_, _| Fault::Silent);
    let began = tokio::time::Instant::now();
    let told = Arc::new(Mutex::new(Vec::new()));
    let notify = {
        let told = told.clone();
        Arc::new(move |notice: Notice| told.lock().unwrap().push((notice, began.elapsed().as_secs())))
    };
    let options = Connect { notify: Some(notify), http_client: Some(wire.client()), ..options(&account) };
    let error = Aws::connect(options).await.identity().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!(told.lock().unwrap()[0], (Notice::NoAnswer { endpoint: account.endpoint, seconds: 5 }, 5));
    insta::assert_snapshot!(crate::support::shown(&error), @r"
    Unreachable: no answer from http://aws.test
      tried 2 times to find out whose credentials these are: no answer within 13 s
    hint: is the server at http://aws.test running? It was chosen by `--endpoint-url`, AWS_ENDPOINT_URL or the profile
    ");
}
