//! Worlds that begin in the middle: known states that are installed, and operations that a restart interrupts.

use super::*;
use crate::cloudformation::StackSeed;
use indexmap::IndexMap;

#[tokio::test(start_paused = true)]
async fn a_known_state_is_installed_and_updated() {
    let cloud = Cloud::new().await;
    let template = "
Parameters:
  Image: {Type: String}
  Ami: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /ami}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub '${Image}-${Ami}'}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue nowhere}}
Outputs: {Arn: {Value: !Ref Topic}}
";
    let given = |pairs: &[(&str, &str)]| -> IndexMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let seed = StackSeed {
        place: cloud.place.clone(),
        name: "s".to_owned(),
        template: template.to_owned(),
        parameters: given(&[("Image", "one")]),
        tags: IndexMap::new(),
        outputs: given(&[("Arn", "arn:known")]),
    };
    cloud.aws.install(seed.clone()).await.expect("installed");
    let stack = cloud.stack("s");
    assert_eq!((stack.status.as_str(), stack.outputs[0].value.as_str()), ("CREATE_COMPLETE", "arn:known"));
    let topic = stack.resources["Topic"].physical_id.clone();
    assert!(topic.starts_with("arn:aws:sns:eu-west-1:111122223333:s-Topic-"), "{topic}");
    assert_eq!(cloud.aws.install(seed).await.expect_err("taken").code, "AlreadyExistsException");
    let parameters = json!([{"ParameterKey": "Image", "ParameterValue": "two"}]);
    let new = template.replace("  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue nowhere}}\n", "");
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": new, "Parameters": parameters})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE", "{:#?}", cloud.events("s"));
    assert_eq!(cloud.stack("s").resources["Topic"].physical_id, topic);
}

/// Runs in a runtime of its own, which is gone afterwards with all that was going on in it.
fn in_a_process<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

async fn reopened(directory: &std::path::Path) -> Cloud {
    let options = Options {
        speed: Speed::REAL,
        seed: 7,
        epoch: Some(Timestamp::UNIX_EPOCH),
        directory: Some(directory.to_owned()),
    };
    let aws = LocalAws::open(options).await.expect("a world in a directory");
    Cloud { aws, place: Place::new("111122223333", "eu-west-1") }
}

#[test]
fn an_operation_survives_its_process() {
    let template = "
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Bad: {Type: AWS::SNS::Topic, DependsOn: Queue}
  Good: {Type: AWS::SNS::Topic, DependsOn: Queue}
";
    // At each of these seconds the process dies once.
    for dies in [[0, 5], [20, 90], [72, 74], [80, 95]] {
        let directory = tempfile::tempdir().expect("a directory");
        in_a_process(async {
            let cloud = reopened(directory.path()).await;
            cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": template})).await;
            tokio::time::sleep(Duration::from_secs(dies[0])).await;
            cloud.aws.world.store.flush(&cloud.aws.world).expect("written");
        });
        in_a_process(async {
            let cloud = reopened(directory.path()).await;
            tokio::time::sleep(Duration::from_secs(dies[1])).await;
            cloud.aws.world.store.flush(&cloud.aws.world).expect("written");
        });
        in_a_process(async {
            let cloud = reopened(directory.path()).await;
            assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
            let stack = cloud.stack("s");
            let mut owned: Vec<String> = stack.resources.values().map(|it| it.physical_id.clone()).collect();
            let mut live = cloud.live();
            owned.sort();
            live.sort();
            assert_eq!(owned, live, "nothing is made twice, nothing is lost");
            let begun = cloud.events("s").iter().filter(|event| *event == "Queue CREATE_IN_PROGRESS").count();
            assert_eq!(begun, 1);
            cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
            assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
        });
    }
}
