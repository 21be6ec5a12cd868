//! One event of every type, for the tests of the displays.

use crate::apply::{
    AssetOutcome, Event, EventKind, FailedResource, Outcome, ResourceEvent, RootCause, ServiceProgress, StackOutcome,
};
use crate::model::LockInfo;
use crate::plan::Action;
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) fn events() -> Vec<Event> {
    let holder = LockInfo {
        id: "0192".to_owned(),
        operation: "apply".to_owned(),
        who: "arn:aws:iam::111122223333:user/ada".to_owned(),
        host: "ci-7".to_owned(),
        created: at(-600),
        version: "0.1.0".to_owned(),
        pipeline_url: Some("https://ci.example/7".to_owned()),
    };
    let resource = |status: &str, reason: Option<&str>| {
        EventKind::Resource(ResourceEvent {
            logical_id: "Vpc".to_owned(),
            resource_type: "AWS::EC2::VPC".to_owned(),
            physical_id: Some("vpc-1".to_owned()),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            at: at(5),
            done: 1,
            total: 18,
        })
    };
    let own = EventKind::Resource(ResourceEvent {
        logical_id: "storefront-prod-network".to_owned(),
        resource_type: "AWS::CloudFormation::Stack".to_owned(),
        physical_id: Some("arn:aws:cloudformation:us-east-1:1:stack/storefront-prod-network/1".to_owned()),
        status: "ROLLBACK_IN_PROGRESS".to_owned(),
        reason: Some("The following resource(s) failed to create: [Vpc].".to_owned()),
        at: at(6),
        done: 1,
        total: 18,
    });
    let failed = FailedResource {
        logical_id: "Vpc".to_owned(),
        resource_type: "AWS::EC2::VPC".to_owned(),
        physical_id: None,
        status: "CREATE_FAILED".to_owned(),
        reason: "The maximum number of VPCs has been reached.".to_owned(),
        place: Some("templates/network.yaml:12".to_owned()),
    };
    let cause = RootCause {
        message: "Vpc could not be created".to_owned(),
        resource: Some(failed.clone()),
        also: vec![failed],
        details: vec!["a fact".to_owned()],
        status: Some("ROLLBACK_COMPLETE".to_owned()),
        rolled_back: Some("everything that was created was deleted again; an empty stack is left".to_owned()),
        hints: vec!["aws service-quotas list-service-quotas --service-code vpc".to_owned()],
    };
    let finished = |outcome| {
        EventKind::StackFinished(StackOutcome {
            stack: "network".to_owned(),
            stack_name: "storefront-prod-network".to_owned(),
            action: Action::Create,
            outcome,
            elapsed_seconds: 92.5,
        })
    };
    let outputs = BTreeMap::from([("VpcId".to_owned(), "vpc-1".to_owned())]);
    let whole = |kind| Event { timestamp: at(0), stack: None, kind };
    let of_stack = |kind| Event { timestamp: at(0), stack: Some("network".to_owned()), kind };
    vec![
        whole(EventKind::RunStarted {
            operation: "apply".to_owned(),
            project: "storefront".to_owned(),
            environment: "prod".to_owned(),
            stacks: 3,
        }),
        whole(EventKind::LockWaiting { holder: holder.clone(), waited_seconds: 0, timeout_seconds: 300 }),
        whole(EventKind::LockTakenOver { from: holder }),
        whole(EventKind::LockTaken { id: "0193".to_owned() }),
        of_stack(EventKind::StackStarted { action: Action::Create, resources: 18, estimate_seconds: Some(90) }),
        of_stack(EventKind::StackStarted { action: Action::Delete, resources: 1, estimate_seconds: None }),
        of_stack(EventKind::StackBusy { status: "UPDATE_IN_PROGRESS".to_owned() }),
        of_stack(EventKind::ChangeSetCreated { name: "infra-1".to_owned() }),
        of_stack(EventKind::ChangeSetExecuted { name: "infra-1".to_owned(), changes: 18 }),
        of_stack(resource("CREATE_IN_PROGRESS", None)),
        of_stack(resource("CREATE_COMPLETE", None)),
        of_stack(resource("CREATE_FAILED", Some("The maximum number of VPCs has been reached."))),
        of_stack(own),
        of_stack(EventKind::ServiceDeployment(deployment())),
        of_stack(EventKind::ResourceChecked { logical_id: "Vpc".to_owned(), done: 3, total: 18 }),
        of_stack(EventKind::Throttled {
            service: "CloudFormation".to_owned(),
            operation: "DescribeStacks".to_owned(),
            attempt: 3,
        }),
        of_stack(finished(Outcome::Unchanged)),
        of_stack(finished(Outcome::Done { outputs })),
        of_stack(finished(Outcome::Failed(Box::new(cause)))),
        of_stack(finished(Outcome::Skipped { because: vec!["dns".to_owned(), "data".to_owned()] })),
        of_stack(finished(Outcome::Stopped { because: "the run ended before its turn".to_owned() })),
        whole(EventKind::ImageBuilding { image: "api".to_owned(), builder: "docker buildx".to_owned() }),
        whole(EventKind::ImageOutput { image: "api".to_owned(), line: "STEP 1/4: FROM scratch".to_owned() }),
        whole(EventKind::ImageBuilt {
            image: "api".to_owned(),
            digest: format!("sha256:{}", "1a2b".repeat(16)),
            bytes: 48_000_000,
            elapsed_seconds: 31.5,
        }),
        whole(EventKind::ImagePushed {
            image: "api".to_owned(),
            repository: "111122223333.dkr.ecr.us-east-1.amazonaws.com/shop/dev/api".to_owned(),
            digest: format!("sha256:{}", "1a2b".repeat(16)),
            uploaded_bytes: 1_200_000,
            already_there: false,
        }),
        whole(EventKind::PackageBuilding { package: "emailer".to_owned(), with: "npm ci".to_owned() }),
        whole(EventKind::PackageOutput { package: "emailer".to_owned(), line: "added 3 packages in 400ms".to_owned() }),
        whole(EventKind::PackageBuilt {
            package: "emailer".to_owned(),
            digest: format!("sha256:{}", "3c4d".repeat(16)),
            bytes: 480_000,
            elapsed_seconds: 2.5,
        }),
        whole(EventKind::PackageUploaded {
            package: "emailer".to_owned(),
            bucket: "infra-state-111122223333-us-east-1".to_owned(),
            key: format!("storefront/prod/packages/{}.zip", "3c4d".repeat(16)),
            digest: format!("sha256:{}", "3c4d".repeat(16)),
            uploaded_bytes: 480_000,
            already_there: false,
        }),
        whole(EventKind::SiteUploaded {
            site: "site".to_owned(),
            bucket: "storefront-site".to_owned(),
            uploaded: 3,
            uploaded_bytes: 61_440,
            removed: 1,
            invalidation: Some("I2J0I21PCUYOIK".to_owned()),
        }),
        of_stack(EventKind::AssetFinished(AssetOutcome {
            asset: "image api".to_owned(),
            stack: "api-images".to_owned(),
            outcome: Outcome::Failed(Box::new(RootCause {
                message: "the registry says no".to_owned(),
                ..RootCause::default()
            })),
            elapsed_seconds: 2.0,
        })),
        whole(EventKind::ImageScanned {
            image: "api".to_owned(),
            digest: format!("sha256:{}", "1a2b".repeat(16)),
            findings: BTreeMap::from([("high".to_owned(), 2), ("low".to_owned(), 5)]),
            stopped_by: 2,
        }),
        whole(EventKind::StateSaved { serial: 42 }),
        whole(EventKind::Interrupted { running: vec!["network".to_owned()] }),
        whole(EventKind::CredentialsExpired { since_seconds: 65 }),
        whole(EventKind::ImageProgress { image: "api".to_owned(), done_bytes: 31_457_280, total_bytes: 314_572_800 }),
        of_stack(EventKind::Note { message: "a sentence".to_owned() }),
        whole(EventKind::RunFinished { succeeded: false, elapsed_seconds: 130.0 }),
    ]
}

pub(super) fn deployment() -> ServiceProgress {
    ServiceProgress {
        logical_id: "Service".to_owned(),
        cluster: "storefront-prod".to_owned(),
        service: "api".to_owned(),
        deployment: "ecs-svc/1234567890123456789".to_owned(),
        task_definition: "storefront-prod-api:8".to_owned(),
        rollout_state: "IN_PROGRESS".to_owned(),
        reason: Some("ECS deployment ecs-svc/1234567890123456789 in progress.".to_owned()),
        desired: 2,
        running: 1,
        pending: 1,
        failed_tasks: 3,
        unhealthy_targets: 1,
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + seconds).unwrap_or_default()
}
