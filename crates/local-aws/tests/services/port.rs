use crate::support::{Client, Port, code, world};
use aws_sdk_s3::primitives::ByteStream;

#[tokio::test]
async fn every_service_answers_on_one_port() {
    let aws = world().await;
    let port = Port::open(&aws).await;
    let client = Client::on(&port);
    let caller = client.sts().get_caller_identity().send().await.expect("a caller");
    assert_eq!(caller.account(), Some("111122223333"));
    let tables = client.dynamodb().list_tables().send().await.expect("tables");
    assert!(tables.table_names().is_empty());
    let stacks = client.cloudformation().describe_stacks().send().await.expect("stacks");
    assert!(stacks.stacks().is_empty());
    let none = client.cloudformation().describe_stacks().stack_name("none").send().await;
    assert_eq!(code(none), "ValidationError");
    port.close().await;
}

#[tokio::test]
async fn large_bodies_pass_in_both_directions() {
    let aws = world().await;
    let port = Port::open(&aws).await;
    // Path style, for an address has no names below it.
    let config = Client::on(&port).s3().config().to_builder().force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    let location = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuWest1)
        .build();
    s3.create_bucket().bucket("data").create_bucket_configuration(location).send().await.expect("a bucket");
    let body: Vec<u8> = (0..2 << 20).map(|n: u32| (n % 251) as u8).collect();
    s3.put_object().bucket("data").key("k").body(ByteStream::from(body.clone())).send().await.expect("put");
    let head = s3.head_object().bucket("data").key("k").send().await.expect("a head");
    assert_eq!(head.content_length(), Some(2 << 20));
    let got = s3.get_object().bucket("data").key("k").send().await.expect("get").body.collect().await.expect("a body");
    assert!(got.into_bytes() == body);
    port.close().await;
}

#[tokio::test]
async fn clients_that_ask_before_they_send_are_told_to_go_on() {
    let aws = world().await;
    let port = Port::open(&aws).await;
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=111122223333/20261122/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=x\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let got = port.exchange(&[head.as_bytes(), form.as_bytes()]).await;
    assert!(got.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), "{got}");
    assert!(got.contains("<Account>111122223333</Account>"), "{got}");
}

#[tokio::test]
async fn unknown_services_are_named_in_their_protocol() {
    let aws = world().await;
    let send = async |headers: &[(&str, &str)], body: &'static str| {
        let mut request = http::Request::post("http://localhost/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = aws.exchange(request.body(body.into()).expect("a request")).await.expect("an answer");
        (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
    };
    let signed = |service: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential=x/20261122/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
        )
    };
    let (status, body) =
        send(&[("authorization", &signed("sqs")), ("x-amz-target", "AmazonSQS.SendMessage")], "{}").await;
    assert_eq!(status, 501);
    let error: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert!(error["message"].as_str().is_some_and(|m| m.contains("`sqs`") && m.contains("`SendMessage`")), "{body}");
    let (status, body) = send(&[("authorization", &signed("iam"))], "Action=GetUser&Version=2010-05-08").await;
    assert_eq!(status, 501);
    assert!(body.contains("<ErrorResponse") && body.contains("`iam`") && body.contains("`GetUser`"), "{body}");
    // An operation that a service of this world does not know.
    let (status, body) = send(&[("authorization", &signed("ssm")), ("x-amz-target", "AmazonSSM.Fly")], "{}").await;
    assert!((400..600).contains(&status) && body.contains("Fly"), "{status} {body}");
}
