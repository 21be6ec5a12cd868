use crate::support::{Client, OTHER_ACCOUNT, code, open};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use local_aws::{LocalAws, Options};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// S3 in the region where a bucket needs no location.
fn s3(aws: &LocalAws) -> aws_sdk_s3::Client {
    Client::new(aws).region("us-east-1").s3()
}

async fn put(client: &aws_sdk_s3::Client, key: &str, text: &str) -> Option<String> {
    let body = ByteStream::from(text.as_bytes().to_vec());
    let put = client.put_object().bucket("data").key(key).body(body).send().await.expect("put");
    put.version_id().map(str::to_owned)
}

async fn get(client: &aws_sdk_s3::Client, key: &str, version: Option<&str>) -> String {
    let get = client.get_object().bucket("data").key(key).set_version_id(version.map(Into::into));
    let body = get.send().await.expect("get").body.collect().await.expect("a body").into_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

#[tokio::test]
async fn services_outlive_their_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let (first, key);
    {
        let aws = open(directory.path()).await;
        let client = s3(&aws);
        client.create_bucket().bucket("data").send().await.expect("a bucket");
        put(&client, "plain", "before versions").await;
        put(&client, "plain", "replaced").await;
        let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        client
            .put_bucket_versioning()
            .bucket("data")
            .versioning_configuration(versioning)
            .send()
            .await
            .expect("versions");
        first = put(&client, "history", "1").await;
        put(&client, "history", "2").await;
        put(&client, "gone", "x").await;
        client.delete_object().bucket("data").key("gone").send().await.expect("deleted");
        let role = format!("arn:aws:iam::{OTHER_ACCOUNT}:role/deploy");
        let assumed = Client::new(&aws).sts().assume_role().role_arn(role).role_session_name("s").send().await;
        key = assumed.expect("a role").credentials().expect("credentials").access_key_id().to_owned();
        let theirs = Client::of(&aws, &key).dynamodb();
        crate::dynamodb::table(&theirs).await;
        theirs
            .put_item()
            .table_name("lock")
            .item("LockID", AttributeValue::S("a".into()))
            .send()
            .await
            .expect("an item");
    }
    let aws = open(directory.path()).await;
    let client = s3(&aws);
    assert_eq!(get(&client, "plain", None).await, "replaced");
    assert_eq!(get(&client, "history", None).await, "2");
    assert_eq!(get(&client, "history", first.as_deref()).await, "1");
    assert_eq!(code(client.get_object().bucket("data").key("gone").send().await), "NoSuchKey");
    let versions = client.list_object_versions().bucket("data").send().await.expect("versions");
    assert_eq!((versions.versions().len(), versions.delete_markers().len()), (4, 1));
    // Whose a bucket is, and whose a role's key is, is known still.
    let stranger = Client::of(&aws, OTHER_ACCOUNT).region("us-east-1").s3();
    assert_eq!(code(stranger.create_bucket().bucket("data").send().await), "BucketAlreadyExists");
    let theirs = Client::of(&aws, &key);
    let caller = theirs.sts().get_caller_identity().send().await.expect("a caller");
    assert_eq!(caller.account(), Some(OTHER_ACCOUNT));
    let item =
        theirs.dynamodb().get_item().table_name("lock").key("LockID", AttributeValue::S("a".into())).send().await;
    assert!(item.expect("a read").item().is_some());
}

#[tokio::test]
async fn bodies_that_nobody_speaks_of_are_removed() {
    let directory = tempfile::tempdir().expect("a directory");
    let aws = open(directory.path()).await;
    let client = s3(&aws);
    client.create_bucket().bucket("data").send().await.expect("a bucket");
    for n in 0..5 {
        put(&client, "k", &n.to_string()).await;
    }
    assert_eq!(files(&directory.path().join("objects")), 1);
    client.delete_object().bucket("data").key("k").send().await.expect("deleted");
    assert_eq!(files(&directory.path().join("objects")), 0);
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn a_directory_is_one_worlds() {
    let directory = tempfile::tempdir().expect("a directory");
    let aws = open(directory.path()).await;
    let options = Options { directory: Some(directory.path().to_owned()), ..Options::default() };
    let error = LocalAws::open(options).await.err().expect("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    assert!(LocalAws::reset(directory.path()).is_err());
    s3(&aws).create_bucket().bucket("data").send().await.expect("a bucket");
    drop(aws);
    LocalAws::reset(directory.path()).expect("nobody has it open");
    let aws = open(directory.path()).await;
    assert!(s3(&aws).list_buckets().send().await.expect("buckets").buckets().is_empty());
}

/// Not a test of its own: what `killed_at_any_moment` kills. It says what was acknowledged.
#[tokio::test]
#[ignore = "a part of killed_at_any_moment"]
async fn writer() {
    let Some(directory) = std::env::var_os("LOCAL_AWS_WRITES_TO") else { return };
    let aws = open(Path::new(&directory)).await;
    let client = s3(&aws);
    let _ = client.create_bucket().bucket("data").send().await;
    for n in 0.. {
        put(&client, "same", &n.to_string()).await;
        put(&client, &format!("key {}", n % 7), &n.to_string()).await;
        writeln!(std::io::stderr(), "acknowledged {n}").expect("written");
    }
}

#[tokio::test]
async fn killed_at_any_moment_it_opens_again_with_all_that_was_acknowledged() {
    let directory = tempfile::tempdir().expect("a directory");
    for round in 0..6 {
        let mut writer = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "persistence::writer", "--ignored", "--nocapture"])
            .env("LOCAL_AWS_WRITES_TO", directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(writer.stderr.take().expect("its words")).lines();
        let mut last = None;
        let enough = 5 + round * 7;
        for line in &mut lines {
            last = line.expect("a line").strip_prefix("acknowledged ").and_then(|n| n.parse::<u64>().ok()).or(last);
            if last.is_some_and(|n| n >= enough) {
                break;
            }
        }
        writer.kill().expect("killed");
        for line in lines.map_while(Result::ok) {
            last = line.strip_prefix("acknowledged ").and_then(|n| n.parse().ok()).or(last);
        }
        writer.wait().expect("an end");
        let last = last.expect("something was acknowledged");
        let client = s3(&open(directory.path()).await);
        let same: u64 = get(&client, "same", None).await.parse().expect("a number");
        assert!(same >= last, "{last} was acknowledged, {same} is there");
        for n in last.saturating_sub(6)..=last {
            let found: u64 = get(&client, &format!("key {}", n % 7), None).await.parse().expect("a number");
            assert!(found >= n, "{n} was acknowledged, {found} is there");
        }
    }
}

#[tokio::test]
#[ignore = "measures; run it by hand"]
async fn cost() {
    let directory = tempfile::tempdir().expect("a directory");
    for aws in [crate::support::world().await, open(directory.path()).await] {
        let client = s3(&aws);
        client.create_bucket().bucket("data").send().await.expect("a bucket");
        let started = std::time::Instant::now();
        for n in 0..220 {
            put(&client, &format!("history/{n}"), &"x".repeat(10_000)).await;
        }
        eprintln!("220 writes: {:?}", started.elapsed());
    }
}
