//! What people read when AWS says no: by AWS's codes, each message whole.

#![allow(clippy::unwrap_used)] // every line of this file is a test's

use crate::support::cli::Ran;
use crate::support::memory::Memory;
use crate::support::project::Project;
use crate::support::shown;
use crate::support::wire::{Fault, Wire};
use infra::aws::{AccessKey, Aws, Connect, Notice};
use infra::error::Kind;
use infra::model::{StateLocation, Target};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const ACCOUNT: &str = "111122223333";

fn state() -> StateLocation {
    StateLocation {
        bucket: format!("infra-state-{ACCOUNT}-eu-west-1"),
        table: "infra-locks".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

fn target(role: Option<&str>) -> Target {
    Target { account: ACCOUNT.to_owned(), region: "eu-west-1".to_owned(), role: role.map(str::to_owned) }
}

async fn connect(wire: &Wire, notices: Arc<Mutex<Vec<Notice>>>) -> Aws {
    Aws::connect(Connect {
        endpoint_url: Some("http://aws.test".to_owned()),
        region: "eu-west-1".to_owned(),
        credentials: Some(AccessKey { id: "AKIAEXAMPLE".to_owned(), secret: "test".to_owned() }),
        http_client: Some(wire.client()),
        notify: Some(Arc::new(move |notice| notices.lock().expect("no panic").push(notice))),
        ..Connect::default()
    })
    .await
}

/// The message for one answer to DescribeStacks.
async fn to_describe_stack(status: u16, code: &'static str, message: &'static str) -> String {
    let wire = Wire::new(Memory::default().client());
    wire.on(move |_, _| Fault::query(status, code, message));
    let aws = connect(&wire, Arc::default()).await;
    shown(&aws.cloudformation(&target(None)).describe_stack("shop-dev-network").await.unwrap_err())
}

#[tokio::test(start_paused = true)]
async fn answers_of_cloudformation() {
    let denied = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: \
                  cloudformation:DescribeStacks because no identity-based policy allows the action";
    insta::assert_snapshot!(to_describe_stack(403, "AccessDenied", denied).await, @r"
    AccessDenied: AWS denied permission to look at stack `shop-dev-network` (eu-west-1)
      cloudformation:DescribeStacks answered AccessDenied: User: arn:aws:iam::111122223333:user/ann is not authorized to perform: cloudformation:DescribeStacks because no identity-based policy allows the action
    hint: allow `cloudformation:DescribeStacks` to the caller's role or user, and look for a denial in its boundary or the organization's policies
    ");
    insta::assert_snapshot!(to_describe_stack(403, "ExpiredToken", "The security token is expired").await, @r"
    Credentials: the AWS credentials have expired
    hint: sign in again (`aws sso login`, or however they were made), then run the same command: it carries on
    ");
    insta::assert_snapshot!(to_describe_stack(403, "InvalidClientTokenId", "The security token is invalid").await, @r"
    Credentials: AWS does not accept these credentials
      cloudformation:DescribeStacks answered InvalidClientTokenId: The security token is invalid
    hint: ask `aws sts get-caller-identity` with the same profile: it fails in the same way
    hint: create new access keys, or sign in again, or choose another profile with `--profile NAME`
    ");
    insta::assert_snapshot!(to_describe_stack(403, "RequestTimeTooSkewed", "The difference is too large").await, @r"
    Credentials: AWS refuses the request because this machine's clock is wrong
      cloudformation:DescribeStacks answered RequestTimeTooSkewed: The difference is too large
    hint: set the clock (for example by `timedatectl set-ntp true`), then run the command again
    ");
    let expired =
        "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z (20260101T002000Z - 5 min.)";
    insta::assert_snapshot!(to_describe_stack(403, "SignatureDoesNotMatch", expired).await, @r"
    Credentials: AWS refuses the request because this machine's clock is wrong
      cloudformation:DescribeStacks answered SignatureDoesNotMatch: Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z (20260101T002000Z - 5 min.)
    hint: set the clock (for example by `timedatectl set-ntp true`), then run the command again
    ");
    let early =
        "Signature not yet current: 20260101T002000Z is still later than 20260101T001000Z (20260101T000500Z + 5 min.)";
    assert!(to_describe_stack(403, "InvalidSignatureException", early).await.contains("clock is wrong"));
    let wrong = "The request signature we calculated does not match the signature you provided.";
    assert!(to_describe_stack(403, "SignatureDoesNotMatch", wrong).await.contains("does not accept these credentials"));
    insta::assert_snapshot!(to_describe_stack(400, "Throttling", "Rate exceeded").await, @r"
    Aws: could not look at stack `shop-dev-network` (eu-west-1): AWS kept asking for fewer calls
      cloudformation:DescribeStacks answered Throttling: Rate exceeded
    hint: lower `apply.concurrency` in the environment file, or run it again when the account is less busy
    ");
    insta::assert_snapshot!(to_describe_stack(400, "ValidationError", "1 validation error detected").await, @r"
    Aws: could not look at stack `shop-dev-network` (eu-west-1)
      cloudformation:DescribeStacks answered ValidationError: 1 validation error detected
    ");
    insta::assert_snapshot!(to_describe_stack(500, "InternalFailure", "(none)").await, @r"
    Aws: could not look at stack `shop-dev-network` (eu-west-1)
      cloudformation:DescribeStacks answered InternalFailure: (none)
    hint: run the same command again; if it stays so, look into the log of what answers at http://aws.test
    ");
    let wire = Wire::new(Memory::default().client());
    wire.on(|_, _| Fault::Answer(502, "<html>Bad gateway</html>".to_owned()));
    let aws = connect(&wire, Arc::default()).await;
    let error = aws.cloudformation(&target(None)).template("shop-dev-network").await.unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    Aws: could not read the template of stack `shop-dev-network` (eu-west-1)
      cloudformation:GetTemplate answered with HTTP status 502
    hint: run the same command again; if it stays so, look into the log of what answers at http://aws.test
    ");
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_blamed_on_whoever_answers() {
    let told = async |embedded: bool, endpoint_url: Option<&str>| {
        let wire = Wire::new(Memory::default().client());
        wire.on(|_, _| Fault::query(500, "InternalFailure", "No space left on device"));
        let aws = Aws::connect(Connect {
            endpoint_url: endpoint_url.map(str::to_owned),
            region: "eu-west-1".to_owned(),
            credentials: Some(AccessKey { id: "AKIAEXAMPLE".to_owned(), secret: "test".to_owned() }),
            http_client: Some(wire.client()),
            embedded,
            ..Connect::default()
        });
        let aws = aws.await;
        shown(&aws.cloudformation(&target(None)).describe_stack("shop-dev-network").await.unwrap_err())
    };
    assert!(told(false, None).await.contains("https://health.aws.amazon.com"));
    for endpoint in [None, Some("http://127.0.0.1:4566")] {
        let embedded = told(true, endpoint).await;
        assert!(
            embedded.contains("the embedded AWS is at fault, not AWS") && !embedded.contains("health"),
            "{embedded}"
        );
        assert!(embedded.contains("room") && !embedded.contains("reset"), "{embedded}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_of_the_state_bucket_and_the_lock_table() {
    let wire = Wire::new(Memory::default().client());
    let aws = connect(&wire, Arc::default()).await;
    wire.on(|_, _| Fault::s3(404, "NoSuchBucket"));
    insta::assert_snapshot!(shown(&aws.objects(&state()).get("shop/dev/state.json").await.unwrap_err()), @r"
    NotBootstrapped: could not read s3://infra-state-111122223333-eu-west-1/shop/dev/state.json: the bucket does not exist
      s3:GetObject answered NoSuchBucket: NoSuchBucket made up by a test
    hint: create the state bucket and the lock table with `infra bootstrap`
    ");
    wire.on(|_, _| Fault::s3(301, "PermanentRedirect"));
    insta::assert_snapshot!(shown(&aws.objects(&state()).get("shop/dev/state.json").await.unwrap_err()), @r"
    Aws: could not read s3://infra-state-111122223333-eu-west-1/shop/dev/state.json: the bucket is in another region
      s3:GetObject answered PermanentRedirect: PermanentRedirect made up by a test
    hint: say in the environment file where it is: `state: {region: …}`
    ");
    wire.on(|_, _| Fault::s3(403, "AccessDenied"));
    insta::assert_snapshot!(shown(&aws.objects(&state()).list("shop/dev/").await.unwrap_err()), @r"
    AccessDenied: AWS denied permission to list s3://infra-state-111122223333-eu-west-1/shop/dev/
      s3:ListObjectsV2 answered AccessDenied: AccessDenied made up by a test
    hint: allow `s3:ListBucket` to the caller's role or user, and look for a denial in its boundary or the organization's policies
    ");
    wire.on(|_, _| Fault::json(400, "ResourceNotFoundException"));
    insta::assert_snapshot!(shown(&aws.table(&state()).get("shop/dev").await.unwrap_err()), @r"
    NotBootstrapped: could not read the lock `shop/dev` in table `infra-locks`: the table does not exist
      dynamodb:GetItem answered ResourceNotFoundException: ResourceNotFoundException made up by a test
    hint: create the state bucket and the lock table with `infra bootstrap`
    ");
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_account_or_partition() {
    let backend = crate::support::backend::Backend::local_aws().await;
    let (aws, _) = backend.connect().await;
    let mut environment = backend.environment();
    aws.check_identity(&environment).await.unwrap();
    environment.region = "cn-north-1".to_owned();
    insta::assert_snapshot!(shown(&aws.check_identity(&environment).await.unwrap_err()), @r"
    WrongAccount: environment `dev` is in region cn-north-1 of partition `aws-cn`, the credentials are of `aws`
      the credentials are of arn:aws:iam::111122223333:root
    hint: choose credentials of that partition, or another region
    ");
    environment.account = "444455556666".to_owned();
    insta::assert_snapshot!(shown(&aws.check_identity(&environment).await.unwrap_err()), @r"
    WrongAccount: environment `dev` belongs to account 444455556666, the credentials to account 111122223333
      the credentials are of arn:aws:iam::111122223333:root
      the account is set in environments/dev.yaml
    hint: choose a profile of account 444455556666 with `--profile NAME` or AWS_PROFILE
    ");
}

/// Throttling is retried with growing pauses, and told of each time.
#[tokio::test(start_paused = true)]
async fn throttled_calls_are_made_again() {
    let wire = Wire::new(Memory::default().client());
    wire.on(|sent, nth| match sent.service.as_str() {
        "sts" if nth <= 4 => Fault::query(400, "Throttling", "Rate exceeded"),
        _ => Fault::None,
    });
    let notices = Arc::new(Mutex::new(Vec::new()));
    let aws = connect(&wire, notices.clone()).await;
    assert_eq!(aws.identity().await.unwrap().account, ACCOUNT);
    let throttled =
        |attempt| Notice::Throttled { service: "STS".to_owned(), operation: "GetCallerIdentity".to_owned(), attempt };
    assert_eq!(*notices.lock().unwrap(), (1..=4).map(throttled).collect::<Vec<_>>());
}

/// The session of an assumed role ends in mid-run: the role is assumed again, and the call made again.
#[tokio::test(start_paused = true)]
async fn expired_sessions_are_renewed() {
    let wire = Wire::new(Memory::default().client());
    let began = Instant::now();
    wire.on(move |sent, nth| match sent.operation.as_str() {
        "AssumeRole" => Fault::Answer(200, session(&format!("ASIA{nth}"))),
        "DescribeStacks" if began.elapsed() > Duration::from_secs(600) && nth == 2 => {
            Fault::query(403, "ExpiredToken", "The security token included in the request is expired")
        }
        _ => Fault::Answer(200, "<DescribeStacksResponse><DescribeStacksResult/></DescribeStacksResponse>".to_owned()),
    });
    let aws = connect(&wire, Arc::default()).await;
    let cloudformation = aws.cloudformation(&target(Some("arn:aws:iam::111122223333:role/deploy")));
    cloudformation.describe_stack("shop-dev-network").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    cloudformation.describe_stack("shop-dev-network").await.unwrap();
    let operations: Vec<_> = wire.calls().into_iter().map(|call| call.operation).collect();
    let expected = ["AssumeRole", "DescribeStacks", "DescribeStacks", "AssumeRole", "DescribeStacks"];
    assert_eq!(operations, expected);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_be_assumed() {
    let wire = Wire::new(Memory::default().client());
    wire.on(|_, _| Fault::query(403, "AccessDenied", "User ann is not authorized to perform: sts:AssumeRole"));
    let aws = connect(&wire, Arc::default()).await;
    let cloudformation = aws.cloudformation(&target(Some("arn:aws:iam::111122223333:role/deploy")));
    let error = cloudformation.describe_stack("shop-dev-network").await.unwrap_err();
    assert_eq!(error.kind, Kind::AccessDenied);
    insta::assert_snapshot!(shown(&error), @r"
    AccessDenied: AWS denied permission to assume the role `arn:aws:iam::111122223333:role/deploy`
      sts:AssumeRole answered AccessDenied: User ann is not authorized to perform: sts:AssumeRole
    hint: allow `sts:AssumeRole` to the caller's role or user, and look for a denial in its boundary or the organization's policies
    ");
}

fn session(access_key: &str) -> String {
    format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{access_key}</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
}

/// The whole binary, with nothing in its surroundings but what the test says.
fn lock_show(settings: &[(&str, &str)]) -> Ran {
    let project = Project::offline();
    project.write("environments/dev.yaml", "project: shop\naccount: \"111122223333\"\nregion: eu-west-1\nstacks: {}\n");
    let run = settings.iter().fold(project.infra(&["lock", "show", "--env", "dev"]), |run, (name, value)| {
        run.env(name, value.replace("HOME", &project.path().display().to_string()))
    });
    project.write("config", "[profile broken]\nrole_arn = arn:aws:iam::111122223333:role/deploy\n");
    run.run()
}

#[test]
fn no_credentials_and_no_profile() {
    insta::assert_snapshot!(lock_show(&[]).whole(), @r"
    ── stdout
    ── stderr
    error: no AWS credentials were found
      looked at: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile in ~/.aws/config and ~/.aws/credentials, a web identity token, the container's and the instance's role
    hint: sign in (`aws sso login --profile NAME`), or set AWS_PROFILE or pass `--profile NAME`
    hint: for an emulator any will do: AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    ── exit 1
    ");
    insta::assert_snapshot!(lock_show(&[("AWS_PROFILE", "nobody")]).whole(), @r"
    ── stdout
    ── stderr
    error: the AWS profile cannot be used
      the profile `nobody` is not there, or does not say where credentials come from
    hint: compare `--profile` or AWS_PROFILE with the sections of ~/.aws/config (`aws configure list-profiles`)
    ── exit 1
    ");
    // A profile named by the option comes before keys in variables.
    let project = Project::on_ministack();
    project.write("environments/dev.yaml", "project: shop\naccount: \"ACCOUNT\"\nregion: eu-west-1\nstacks: {}\n");
    let named = project.infra(&["lock", "show", "--env", "dev", "--profile", "nobody"]).expect(1);
    assert!(named.stderr.contains("the profile `nobody` is not there"), "{}", named.stderr);
    let broken = [("AWS_PROFILE", "broken"), ("AWS_CONFIG_FILE", "HOME/config")];
    insta::assert_snapshot!(lock_show(&broken).whole(), @r"
    ── stdout
    ── stderr
    error: the AWS profile cannot be used
      ProfileFile provider could not be built: invalid credential source in `broken`: profile must contain `source_profile` or `credential_source` but neither were defined
    hint: compare `--profile` or AWS_PROFILE with the sections of ~/.aws/config (`aws configure list-profiles`)
    ── exit 1
    ");
}

#[test]
fn an_endpoint_of_the_surroundings_that_refuses() {
    let endpoint = format!("http://127.0.0.1:{}", crate::support::ministack::free_port());
    let key = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    let began = std::time::Instant::now();
    let ran = lock_show(&[key[0], key[1], ("AWS_ENDPOINT_URL", &endpoint)]);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    insta::assert_snapshot!(ran.whole().replace(&endpoint, "ENDPOINT"), @r"
    ── stdout
    ── stderr
    error: no answer from ENDPOINT
      tried 3 times to find out whose credentials these are: connection refused
    hint: is the server at ENDPOINT running? It was chosen by `--endpoint-url`, AWS_ENDPOINT_URL or the profile
    ── exit 1
    ");
}
