//! What is in an account of `infra local serve`, and changes made there by hand.

use super::ministack::Account;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_s3::primitives::ByteStream;
use infra::aws::{AccessKey, Aws, Connect, Reading};
use infra::model::Target;
use serde_json::Value;

const REGION: &str = "us-east-1";

/// An account, looked at from the side.
pub struct Live {
    runtime: tokio::runtime::Runtime,
    pub account: Account,
    aws: Aws,
    target: Target,
}

impl Live {
    pub fn new(account: &Account) -> Live {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connect = Connect {
            endpoint_url: Some(account.endpoint.clone()),
            region: REGION.to_owned(),
            credentials: Some(AccessKey { id: account.id.clone(), secret: "test".to_owned() }),
            ..Connect::default()
        };
        let aws = runtime.block_on(Aws::connect(connect));
        let target = Target { account: account.id.clone(), region: REGION.to_owned(), role: None };
        Live { runtime, account: account.clone(), aws, target }
    }

    /// The properties of a resource; none where there is none of this type and identifier.
    pub fn read(&self, type_name: &str, identifier: &str) -> Option<Value> {
        let cloudcontrol = self.aws.cloud_control(&self.target);
        match self.runtime.block_on(cloudcontrol.read(type_name, identifier)).expect("an answer") {
            Reading::Found(properties) => Some(properties),
            Reading::Gone => None,
            Reading::Unsupported(reason) => panic!("{type_name}: {reason}"),
        }
    }

    /// What a resource is called in its stack; none where the stack does not have it.
    pub fn physical_id(&self, stack_name: &str, logical_id: &str) -> Option<String> {
        let cloudformation = self.aws.cloudformation(&self.target);
        let resources = self.runtime.block_on(cloudformation.resources(stack_name)).expect("an answer");
        let found = resources.into_iter().find(|resource| resource.logical_id == logical_id)?;
        found.physical_id.filter(|_| found.status != "DELETE_COMPLETE")
    }

    /// The events of a stack, the oldest first: `Queue DELETE_SKIPPED`.
    pub fn events(&self, stack_name: &str) -> Vec<String> {
        let cloudformation = self.aws.cloudformation(&self.target);
        let events = self.runtime.block_on(cloudformation.events(stack_name, None)).expect("an answer");
        events.iter().rev().map(|event| format!("{} {}", event.logical_id, event.status)).collect()
    }

    pub fn put_object(&self, bucket: &str, key: &str, body: &'static [u8]) {
        let put = self.s3().put_object().bucket(bucket).key(key).body(ByteStream::from_static(body));
        self.runtime.block_on(async { put.send().await }).expect("an object");
    }

    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let get = self.s3().get_object().bucket(bucket).key(key);
        let answer = self.runtime.block_on(async { Some(get.send().await.ok()?.body.collect().await) });
        Some(answer?.expect("its body").into_bytes().to_vec())
    }

    pub fn remove_bucket(&self, bucket: &str) {
        let site = self.aws.site_bucket(&self.target, bucket);
        self.runtime.block_on(site.empty()).expect("emptied");
        let client = self.s3();
        self.runtime.block_on(async { client.delete_bucket().bucket(bucket).send().await }).expect("deleted");
    }

    /// Makes a resource by hand, through Cloud Control.
    pub fn create(&self, type_name: &str, properties: &Value) {
        let request = self.control().create_resource().type_name(type_name).desired_state(properties.to_string());
        self.runtime.block_on(async { request.send().await }).expect("it is made");
    }

    /// Changes a resource by hand, through Cloud Control, by a patch of RFC 6902.
    pub fn patch(&self, type_name: &str, identifier: &str, patch: &Value) {
        let request = self.control().update_resource().type_name(type_name).identifier(identifier);
        let request = request.patch_document(patch.to_string());
        self.runtime.block_on(async { request.send().await }).expect("it is changed");
        // It is changed in the background.
        let done = || {
            self.read(type_name, identifier).is_some_and(|now| {
                patch.as_array().into_iter().flatten().all(|one| {
                    let path = one["path"].as_str().unwrap_or_default();
                    now.pointer(path) == Some(&one["value"])
                })
            })
        };
        for _ in 0..600 {
            if done() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{type_name} {identifier} stays as it is");
    }

    fn control(&self) -> aws_sdk_cloudcontrol::Client {
        let config = aws_sdk_cloudcontrol::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&self.account.endpoint)
            .credentials_provider(Credentials::new(&self.account.id, "test", None, None, "test"))
            .http_client(infra::aws::network());
        aws_sdk_cloudcontrol::Client::from_conf(config.build())
    }

    /// A stack that waits for the review of a change set of this name.
    pub fn review(&self, stack_name: &str, change_set: &str, description: &str) {
        use infra::aws::cloudformation::{ChangeSetKind, ChangeSetRequest, TemplateSource};
        let template = r#"{"Resources":{"Handle":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}"#;
        let request = ChangeSetRequest {
            stack_name: stack_name.to_owned(),
            name: change_set.to_owned(),
            kind: ChangeSetKind::Create,
            template: TemplateSource::Body(template.to_owned()),
            parameters: Default::default(),
            tags: Default::default(),
            capabilities: Vec::new(),
            description: description.to_owned(),
            reverts_drift: false,
            includes_nested: false,
            imports_existing: false,
            imports: Vec::new(),
        };
        let made = self.aws.cloudformation(&self.target);
        self.runtime.block_on(made.create_change_set(&request)).expect("a change set");
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&self.account.endpoint)
            .force_path_style(true)
            .credentials_provider(Credentials::new(&self.account.id, "test", None, None, "test"))
            .http_client(infra::aws::network());
        aws_sdk_s3::Client::from_conf(config.build())
    }
}
