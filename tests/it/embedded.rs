//! The repository's own environments, whole, on the embedded AWS in virtual time: `dev`, `staging` and `prod` come up, need
//! nothing more, change where an input changes, and go. What ministack lacks (NAT gateways, web ACLs on load balancers,
//! auto scaling, OIDC providers) is in them.

use crate::support::drifting::described;
use crate::support::whole::Whole;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use infra::plan::{Action, Options, Plan};
use std::collections::BTreeMap;

impl Whole {
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
        // Record sets have an identifier that is not their physical id.
        if kind != "AWS::Route53::RecordSet"
            && let Err(error) = described(&whole, region, kind, id).await
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
