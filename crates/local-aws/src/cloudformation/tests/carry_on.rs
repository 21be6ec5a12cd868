//! Worlds that begin in the middle: operations that a restart interrupts.

use super::*;

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
        ..Options::default()
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
