use crate::support::{ACCOUNT, Client, OTHER_ACCOUNT, code, world};

#[tokio::test]
async fn an_access_key_of_twelve_digits_is_the_account() {
    let aws = world().await;
    let caller = Client::new(&aws).sts().get_caller_identity().send().await.expect("a caller");
    assert_eq!(caller.account(), Some(ACCOUNT));
    assert_eq!(caller.arn(), Some("arn:aws:iam::111122223333:root"));
    let caller = Client::of(&aws, "AKIAIOSFODNN7EXAMPLE").sts().get_caller_identity().send().await.expect("a caller");
    assert_eq!(caller.account(), Some("000000000000"));
}

#[tokio::test]
async fn who_does_not_sign_is_not_heard() {
    let aws = world().await;
    for (uri, action) in [("https://sts.amazonaws.com/", "GetCallerIdentity"), ("http://127.0.0.1:4566/", "ListStacks")]
    {
        let request = http::Request::post(uri)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("Action={action}&Version=2010-05-15").into())
            .expect("a request");
        let answer = aws.exchange(request).await.expect("an answer");
        let told = String::from_utf8_lossy(answer.body()).into_owned();
        assert_eq!(answer.status().as_u16(), 403, "{told}");
        assert!(told.contains("<Code>MissingAuthenticationToken</Code>"), "{told}");
        assert!(told.contains("Request is missing Authentication Token"), "{told}");
    }
}

#[tokio::test]
async fn a_role_leads_into_its_account() {
    let aws = world().await;
    let sts = Client::new(&aws).sts();
    let role = format!("arn:aws:iam::{OTHER_ACCOUNT}:role/path/deploy");
    let assumed = sts.assume_role().role_arn(&role).role_session_name("ci").send().await.expect("credentials");
    let key = assumed.credentials().expect("credentials").access_key_id().to_owned();
    assert!(key.starts_with("ASIA"));
    let there = Client::of(&aws, &key);
    let caller = there.sts().get_caller_identity().send().await.expect("a caller");
    assert_eq!(caller.account(), Some(OTHER_ACCOUNT));
    assert_eq!(caller.arn(), Some("arn:aws:sts::444455556666:assumed-role/deploy/ci"));
    // What the role makes belongs to its account.
    there.s3().create_bucket().bucket("theirs").create_bucket_configuration(location()).send().await.expect("a bucket");
    let own = Client::new(&aws).s3().list_buckets().send().await.expect("buckets");
    assert!(own.buckets().is_empty());
    let theirs = there.s3().list_buckets().send().await.expect("buckets");
    assert_eq!(theirs.buckets().len(), 1);
}

fn location() -> aws_sdk_s3::types::CreateBucketConfiguration {
    aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuWest1)
        .build()
}

#[tokio::test]
async fn what_is_no_role_cannot_be_assumed() {
    let aws = world().await;
    let sts = Client::new(&aws).sts();
    let user = sts.assume_role().role_arn("arn:aws:iam::444455556666:user/x").role_session_name("ci").send().await;
    assert_eq!(code(user), "ValidationError");
    let short =
        sts.assume_role().role_arn("arn:aws:iam::444455556666:role/x").role_session_name("ci").duration_seconds(60);
    assert_eq!(code(short.send().await), "ValidationError");
    // An operation that is not there is named.
    let error = sts.get_federation_token().name("x").send().await.expect_err("not there");
    assert!(format!("{error:?}").contains("GetFederationToken"), "{error:?}");
}
