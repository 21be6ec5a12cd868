use crate::support::{Client, Port, code, world};
use aws_sdk_s3::primitives::ByteStream;
use local_aws::LocalAws;
use local_aws::faults::{RequestFault, RequestFaultKind};
use std::time::Duration;

fn plan(aws: &LocalAws, fault: RequestFault) {
    aws.faults(|plan| plan.requests = vec![fault]);
}

async fn world_with_a_bucket() -> LocalAws {
    let aws = world().await;
    let client = Client::new(&aws).region("us-east-1").s3();
    client.create_bucket().bucket("data").send().await.expect("a bucket");
    aws
}

fn s3(aws: &LocalAws) -> aws_sdk_s3::Client {
    Client::new(aws).region("us-east-1").s3()
}

#[tokio::test]
async fn each_service_throttles_in_its_own_words() {
    let aws = world_with_a_bucket().await;
    plan(&aws, RequestFault::new("*", "*", RequestFaultKind::Throttled));
    let client = Client::new(&aws);
    assert_eq!(code(client.cloudformation().describe_stacks().send().await), "Throttling");
    assert_eq!(code(client.dynamodb().list_tables().send().await), "ThrottlingException");
    assert_eq!(code(s3(&aws).list_objects_v2().bucket("data").send().await), "SlowDown");
    let key = aws_sdk_dynamodb::types::AttributeValue::S("x".into());
    let get = client.dynamodb().get_item().table_name("t").key("k", key).send().await;
    assert!(get.expect_err("throttled").into_service_error().is_provisioned_throughput_exceeded_exception());
    // The SDK waits and tries again; one refusal does no harm.
    plan(&aws, RequestFault::new("s3", "ListObjectsV2", RequestFaultKind::Throttled).times(2));
    let config = s3(&aws).config().to_builder().retry_config(aws_sdk_s3::config::retry::RetryConfig::standard());
    let retrying = aws_sdk_s3::Client::from_conf(config.sleep_impl(Sleep).build());
    retrying.list_objects_v2().bucket("data").send().await.expect("at the third time");
}

#[derive(Debug)]
struct Sleep;

impl aws_sdk_s3::config::AsyncSleep for Sleep {
    fn sleep(&self, _: Duration) -> aws_sdk_s3::config::Sleep {
        aws_sdk_s3::config::Sleep::new(std::future::ready(()))
    }
}

#[tokio::test]
async fn failures_and_resets_before_do_nothing_and_a_reset_after_is_done() {
    let aws = world_with_a_bucket().await;
    let put = |key: &str| s3(&aws).put_object().bucket("data").key(key).body(ByteStream::from_static(b"x")).send();
    plan(&aws, RequestFault::new("s3", "PutObject", RequestFaultKind::Failed { status: 503 }));
    assert_eq!(code(put("failed").await), "ServiceUnavailable");
    plan(&aws, RequestFault::new("s3", "PutObject", RequestFaultKind::ResetBefore));
    assert!(matches!(put("before").await, Err(aws_sdk_s3::error::SdkError::DispatchFailure(_))));
    plan(&aws, RequestFault::new("s3", "PutObject", RequestFaultKind::ResetAfter));
    assert!(matches!(put("after").await, Err(aws_sdk_s3::error::SdkError::DispatchFailure(_))));
    let listed = s3(&aws).list_objects_v2().bucket("data").send().await.expect("a list");
    let keys: Vec<_> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, ["after"]);
}

#[tokio::test]
async fn a_port_resets_connections_too() {
    let aws = world().await;
    let port = Port::open(&aws).await;
    plan(&aws, RequestFault::new("sts", "*", RequestFaultKind::ResetAfter).times(1));
    let sts = Client::on(&port).sts();
    let error = sts.get_caller_identity().send().await.expect_err("reset");
    assert!(matches!(error, aws_sdk_sts::error::SdkError::DispatchFailure(_)), "{error:?}");
    sts.get_caller_identity().send().await.expect("the next one");
}

#[tokio::test(start_paused = true)]
async fn slow_answers_take_their_time() {
    let aws = world().await;
    plan(&aws, RequestFault::new("sts", "*", RequestFaultKind::Slow { milliseconds: 4000 }));
    let started = tokio::time::Instant::now();
    Client::new(&aws).sts().get_caller_identity().send().await.expect("in the end");
    assert!(started.elapsed() >= Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn lists_may_lag_behind() {
    let aws = world_with_a_bucket().await;
    plan(&aws, RequestFault::new("s3", "List*", RequestFaultKind::Stale { milliseconds: 2000 }));
    let client = s3(&aws);
    let count = async || client.list_objects_v2().bucket("data").send().await.expect("a list").contents().len();
    assert_eq!(count().await, 0);
    client.put_object().bucket("data").key("k").body(ByteStream::from_static(b"x")).send().await.expect("put");
    assert_eq!(count().await, 0);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(count().await, 1);
}
