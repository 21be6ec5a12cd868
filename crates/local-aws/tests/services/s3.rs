use crate::support::{Client, code, world};
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, MetadataDirective,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};

async fn bucket(client: &S3, name: &str) {
    let location = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    client.create_bucket().bucket(name).create_bucket_configuration(location).send().await.expect("a bucket");
}

fn body(text: &str) -> ByteStream {
    ByteStream::from(text.as_bytes().to_vec())
}

async fn read(client: &S3, key: &str) -> String {
    let object = client.get_object().bucket("data").key(key).send().await.expect("an object");
    let bytes = object.body.collect().await.expect("a body").into_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[tokio::test]
async fn a_state_is_saved_only_over_what_was_read() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    let put = |text: &str| client.put_object().bucket("data").key("a/state.json").body(body(text));
    let first = put("1").if_none_match("*").send().await.expect("a first save");
    assert_eq!(code(put("2").if_none_match("*").send().await), "PreconditionFailed");
    let etag = first.e_tag().expect("an ETag").to_owned();
    let second = put("2").if_match(&etag).send().await.expect("a second save");
    assert_eq!(code(put("3").if_match(&etag).send().await), "PreconditionFailed");
    assert_eq!(read(&client, "a/state.json").await, "2");
    // Of many at once exactly one gets through.
    let etag = second.e_tag().expect("an ETag").to_owned();
    let racers: Vec<_> = (0..8).map(|n| tokio::spawn(put(&format!("racer {n}")).if_match(&etag).send())).collect();
    let mut winners = 0;
    for racer in racers {
        winners += usize::from(racer.await.expect("no panic").is_ok());
    }
    assert_eq!(winners, 1);
    // AWS's answer to a condition on an object that is not there.
    let absent = client.put_object().bucket("data").key("none").body(body("x")).if_match(&etag).send().await;
    assert_eq!(code(absent), "NoSuchKey");
}

#[tokio::test]
async fn streamed_bodies_arrive_whole() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("big");
    let text = "0123456789abcdef".repeat(1 << 16);
    std::fs::write(&path, &text).expect("a file");
    let stream = ByteStream::from_path(&path).await.expect("a stream");
    client.put_object().bucket("data").key("big ü+%2F &=?.txt").body(stream).send().await.expect("an upload");
    assert!(read(&client, "big ü+%2F &=?.txt").await == text);
    let listed = client.list_objects_v2().bucket("data").send().await.expect("a list");
    assert_eq!(listed.contents()[0].key(), Some("big ü+%2F &=?.txt"));
    let part =
        client.get_object().bucket("data").key("big ü+%2F &=?.txt").range("bytes=16-19").send().await.expect("a part");
    assert_eq!(part.content_range(), Some("bytes 16-19/1048576"));
    assert_eq!(part.body.collect().await.expect("a body").into_bytes().as_ref(), b"0123");
}

#[tokio::test]
async fn lists_come_in_pages_and_by_folder() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    for n in 0..25 {
        client.put_object().bucket("data").key(format!("history/{n:02}")).body(body("x")).send().await.expect("put");
    }
    client.put_object().bucket("data").key("state").body(body("x")).send().await.expect("put");
    let mut pages = client.list_objects_v2().bucket("data").prefix("history/").max_keys(10).into_paginator().send();
    let (mut keys, mut count) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        count += 1;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
    }
    let expected: Vec<String> = (0..25).map(|n| format!("history/{n:02}")).collect();
    assert_eq!((keys, count), (expected, 3));
    let top = client.list_objects_v2().bucket("data").delimiter("/").send().await.expect("a list");
    assert_eq!(top.contents().len(), 1);
    assert_eq!(top.common_prefixes()[0].prefix(), Some("history/"));
}

#[tokio::test]
async fn versions_are_kept_and_found() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client
        .put_bucket_versioning()
        .bucket("data")
        .versioning_configuration(versioning)
        .send()
        .await
        .expect("versioning");
    let got = client.get_bucket_versioning().bucket("data").send().await.expect("versioning");
    assert_eq!(got.status(), Some(&BucketVersioningStatus::Enabled));
    let first = client.put_object().bucket("data").key("k").body(body("1")).send().await.expect("put");
    client.put_object().bucket("data").key("k").body(body("2")).send().await.expect("put");
    client.delete_object().bucket("data").key("k").send().await.expect("delete");
    assert_eq!(code(client.get_object().bucket("data").key("k").send().await), "NoSuchKey");
    let old = client.get_object().bucket("data").key("k").version_id(first.version_id().expect("an id")).send().await;
    assert_eq!(old.expect("the first").body.collect().await.expect("a body").into_bytes().as_ref(), b"1");
    let versions = client.list_object_versions().bucket("data").send().await.expect("versions");
    assert_eq!((versions.versions().len(), versions.delete_markers().len()), (2, 1));
    assert_eq!(code(client.delete_bucket().bucket("data").send().await), "BucketNotEmpty");
    for (key, id) in versions
        .versions()
        .iter()
        .map(|v| (v.key(), v.version_id()))
        .chain(versions.delete_markers().iter().map(|m| (m.key(), m.version_id())))
    {
        client
            .delete_object()
            .bucket("data")
            .set_key(key.map(Into::into))
            .set_version_id(id.map(Into::into))
            .send()
            .await
            .expect("delete");
    }
    client.delete_bucket().bucket("data").send().await.expect("empty now");
    assert_eq!(code(client.list_objects_v2().bucket("data").send().await), "NoSuchBucket");
}

#[tokio::test]
async fn a_bucket_keeps_its_settings() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    assert_eq!(code(client.get_bucket_policy().bucket("data").send().await), "NoSuchBucketPolicy");
    assert_eq!(
        code(client.get_public_access_block().bucket("data").send().await),
        "NoSuchPublicAccessBlockConfiguration"
    );
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    client.put_bucket_policy().bucket("data").policy(policy).send().await.expect("a policy");
    assert_eq!(client.get_bucket_policy().bucket("data").send().await.expect("a policy").policy(), Some(policy));
    let block = PublicAccessBlockConfiguration::builder().block_public_acls(true).restrict_public_buckets(true).build();
    client
        .put_public_access_block()
        .bucket("data")
        .public_access_block_configuration(block)
        .send()
        .await
        .expect("a block");
    let block = client.get_public_access_block().bucket("data").send().await.expect("a block");
    let block = block.public_access_block_configuration().expect("a block");
    assert_eq!((block.block_public_acls(), block.block_public_policy()), (Some(true), Some(false)));
    let by_default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .build()
        .expect("a default");
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(by_default).build();
    let encryption = ServerSideEncryptionConfiguration::builder().rules(rule).build().expect("rules");
    client
        .put_bucket_encryption()
        .bucket("data")
        .server_side_encryption_configuration(encryption)
        .send()
        .await
        .expect("encryption");
    let got = client.get_bucket_encryption().bucket("data").send().await.expect("encryption");
    let rules = got.server_side_encryption_configuration().expect("rules").rules();
    assert_eq!(
        rules[0].apply_server_side_encryption_by_default().expect("a default").sse_algorithm(),
        &ServerSideEncryption::AwsKms
    );
}

#[tokio::test]
async fn names_are_one_space_and_regions_are_kept_apart() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    let head = client.head_bucket().bucket("data").send().await.expect("mine");
    assert_eq!(head.bucket_region(), Some("eu-west-1"));
    let create = |client: S3| async move { client.create_bucket().bucket("data").send().await };
    let elsewhere = Client::new(&aws).region("us-east-1").s3();
    assert_eq!(code(create(elsewhere.clone()).await), "BucketAlreadyOwnedByYou");
    assert_eq!(code(elsewhere.get_object().bucket("data").key("k").send().await), "PermanentRedirect");
    let stranger = Client::of(&aws, "444455556666").region("us-east-1").s3();
    assert_eq!(code(create(stranger).await), "BucketAlreadyExists");
    let stranger = Client::of(&aws, "444455556666").s3();
    assert_eq!(code(stranger.get_object().bucket("data").key("k").send().await), "AccessDenied");
    let head = stranger.head_bucket().bucket("data").send().await.expect_err("not theirs");
    assert_eq!(head.raw_response().expect("a response").status().as_u16(), 403);
    let head = client.head_bucket().bucket("none").send().await.expect_err("not there").into_service_error();
    assert!(head.is_not_found(), "{head:?}");
}

#[tokio::test]
async fn links_without_a_region_lead_to_the_bucket() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    client.put_object().bucket("data").key("k").body(body("x")).send().await.expect("put");
    let get = async |uri: &str| {
        let request = http::Request::get(uri).body(Default::default()).expect("a request");
        let response = aws.exchange(request).await.expect("an answer");
        (response.status().as_u16(), response.into_body())
    };
    // Signature version 2, as boto3 still makes links.
    let signed = get("http://localhost:4566/data/k?AWSAccessKeyId=111122223333&Signature=x&Expires=32503680000").await;
    assert_eq!((signed.0, signed.1.as_ref()), (200, b"x".as_slice()));
    assert_eq!(get("http://localhost:4566/data/k").await.0, 403);
    assert_eq!(get("http://localhost:4566/none/k").await.0, 404);
}

#[tokio::test]
async fn what_headers_say_of_an_object_stays_with_it() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    client
        .put_object()
        .bucket("data")
        .key("index.html")
        .body(body("<html>"))
        .content_type("text/html")
        .cache_control("public, max-age=60")
        .content_encoding("identity")
        .content_disposition("inline; filename=\"index.html\"")
        .content_language("en")
        .expires(aws_sdk_s3::primitives::DateTime::from_secs(1792567680))
        .website_redirect_location("/elsewhere")
        .metadata("colour", "green")
        .send()
        .await
        .expect("put");
    let object = client.get_object().bucket("data").key("index.html").send().await.expect("an object");
    let head = client.head_object().bucket("data").key("index.html").send().await.expect("its headers");
    assert_eq!(
        (object.cache_control(), head.cache_control()),
        (Some("public, max-age=60"), Some("public, max-age=60"))
    );
    assert_eq!((object.content_encoding(), head.content_encoding()), (Some("identity"), Some("identity")));
    assert_eq!(object.content_disposition(), Some("inline; filename=\"index.html\""));
    assert_eq!((object.content_language(), head.content_type()), (Some("en"), Some("text/html")));
    assert_eq!(object.expires_string(), Some("Wed, 21 Oct 2026 07:28:00 GMT"));
    assert_eq!(head.website_redirect_location(), Some("/elsewhere"));
    // And nothing that only the wrapper knows.
    for metadata in [object.metadata(), head.metadata()] {
        let names: Vec<_> = metadata.into_iter().flatten().collect();
        assert_eq!(names, [(&"colour".to_owned(), &"green".to_owned())]);
    }
    let asked = client.get_object().bucket("data").key("index.html").response_cache_control("no-store").send().await;
    assert_eq!(asked.expect("an object").cache_control(), Some("no-store"));
    // An object without a byte has headers, too.
    let empty = client.put_object().bucket("data").key("empty").body(body("")).cache_control("no-cache").send().await;
    empty.expect("put");
    let head = client.head_object().bucket("data").key("empty").send().await.expect("its headers");
    assert_eq!((head.cache_control(), head.content_length()), (Some("no-cache"), Some(0)));
}

#[tokio::test]
async fn a_copy_is_described_as_its_source_or_anew() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    let put = client.put_object().bucket("data").key("a").body(body("a")).content_type("text/css");
    put.cache_control("max-age=1").metadata("colour", "green").send().await.expect("put");
    let copy = |to: &str| client.copy_object().bucket("data").copy_source("data/a").key(to);
    copy("b").cache_control("max-age=2").metadata("colour", "red").send().await.expect("a copy");
    copy("c").metadata_directive(MetadataDirective::Replace).cache_control("max-age=3").send().await.expect("a copy");
    let described = async |key: &str| {
        let head = client.head_object().bucket("data").key(key).send().await.expect("its headers");
        let colour = head.metadata().and_then(|metadata| metadata.get("colour")).cloned();
        (head.cache_control().map(str::to_owned), head.content_type().map(str::to_owned), colour)
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(described("b").await, (text("max-age=1"), text("text/css"), text("green")));
    assert_eq!(described("c").await, (text("max-age=3"), text("binary/octet-stream"), None));
}

/// The bytes of an object, and what is said of it.
async fn whole(client: &S3, key: &str) -> (Vec<u8>, aws_sdk_s3::operation::head_object::HeadObjectOutput) {
    let object = client.get_object().bucket("data").key(key).send().await.expect("an object");
    let bytes = object.body.collect().await.expect("a body").into_bytes().to_vec();
    (bytes, client.head_object().bucket("data").key(key).send().await.expect("its headers"))
}

#[tokio::test]
async fn uploads_in_parts_keep_what_was_said_of_the_object() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    for versioned in [false, true] {
        if versioned {
            let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            let put = client.put_bucket_versioning().bucket("data").versioning_configuration(versioning);
            put.send().await.expect("versioning");
        }
        let key = format!("big-{versioned}");
        let begun = client.create_multipart_upload().bucket("data").key(&key).cache_control("no-store");
        let begun = begun.content_type("text/css").metadata("who", "me").tagging("a=b&c=d%20e").send().await;
        let id = begun.expect("an upload").upload_id.expect("its id");
        let part = |number: i32, text: &str| {
            client.upload_part().bucket("data").key(&key).upload_id(&id).part_number(number).body(body(text)).send()
        };
        let long = "one ".repeat(5 * 1024 * 1024 / 4);
        let (one, two) = (part(1, &long).await.expect("a part"), part(2, "two").await.expect("a part"));
        let etags = [one.e_tag, two.e_tag];
        let done = complete(&client, &key, &id, &etags).await;
        let (bytes, head) = whole(&client, &key).await;
        assert_eq!(bytes.len(), long.len() + 3);
        assert!(bytes.starts_with(b"one one ") && bytes.ends_with(b"one two"));
        assert_eq!((head.content_type(), head.cache_control()), (Some("text/css"), Some("no-store")));
        assert_eq!(head.metadata().and_then(|all| all.get("who")).map(String::as_str), Some("me"));
        assert_eq!(head.metadata().map(|all| all.len()), Some(1), "{head:?}");
        assert_eq!(head.e_tag(), done.e_tag());
        assert_eq!(head.version_id(), done.version_id());
        let tags = client.get_object_tagging().bucket("data").key(&key).send().await.expect("tags");
        let mut tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
        tags.sort_unstable();
        assert_eq!(tags, [("a", "b"), ("c", "d e")]);
        let versions = client.list_object_versions().bucket("data").prefix(&key).send().await.expect("versions");
        assert_eq!(versions.versions().len(), 1, "{versions:?}");
    }
}

async fn complete(
    client: &S3,
    key: &str,
    id: &str,
    etags: &[Option<String>],
) -> aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput {
    use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
    let parts = etags.iter().zip(1..).map(|(etag, n)| CompletedPart::builder().part_number(n).set_e_tag(etag.clone()));
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.map(|part| part.build()).collect()));
    let call = client.complete_multipart_upload().bucket("data").key(key).upload_id(id);
    call.multipart_upload(parts.build()).send().await.expect("an object")
}

#[tokio::test]
async fn a_part_may_be_a_range_of_another_object() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    let (half, long) = (5 * 1024 * 1024, "0123456789".repeat(1024 * 1024));
    client.put_object().bucket("data").key("from").body(body(&long)).send().await.expect("put");
    let begun = client.create_multipart_upload().bucket("data").key("to").send().await.expect("an upload");
    let id = begun.upload_id.expect("its id");
    let mut etags = Vec::new();
    for (number, range) in [(1, format!("bytes=0-{}", half - 1)), (2, format!("bytes={half}-{}", half + 4))] {
        let part = client.upload_part_copy().bucket("data").key("to").upload_id(&id).part_number(number);
        let part = part.copy_source("data/from").copy_source_range(range).send().await.expect("a part");
        etags.push(part.copy_part_result.and_then(|result| result.e_tag));
    }
    complete(&client, "to", &id, &etags).await;
    let (bytes, head) = whole(&client, "to").await;
    assert_eq!(bytes, long.as_bytes()[..half + 5]);
    assert_eq!(head.content_length(), Some(half as i64 + 5));
}

#[tokio::test]
async fn parts_are_not_too_small() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    let begun = client.create_multipart_upload().bucket("data").key("k").send().await.expect("an upload");
    let id = begun.upload_id.expect("its id");
    let mut parts = aws_sdk_s3::types::CompletedMultipartUpload::builder();
    for number in 1..=2 {
        let part = client.upload_part().bucket("data").key("k").upload_id(&id).part_number(number).body(body("small"));
        let etag = part.send().await.expect("a part").e_tag;
        let part = aws_sdk_s3::types::CompletedPart::builder().part_number(number).set_e_tag(etag).build();
        parts = parts.parts(part);
    }
    let call = client.complete_multipart_upload().bucket("data").key("k").upload_id(&id);
    assert_eq!(code(call.multipart_upload(parts.build()).send().await), "EntityTooSmall");
}

#[tokio::test]
async fn lists_with_a_delimiter_give_every_name_once() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    for key in ["a/1", "a/2", "a/3", "b", "c/d/1", "c/e", "ü/x", "z & <y>/1"] {
        client.put_object().bucket("data").key(key).body(body("x")).send().await.expect("put");
    }
    for size in [1, 2, 3, 100] {
        let (mut token, mut names, mut pages) = (None, Vec::new(), 0);
        loop {
            let call = client.list_objects_v2().bucket("data").delimiter("/").max_keys(size);
            let page = call.set_continuation_token(token).send().await.expect("a page");
            let keys = page.contents().iter().filter_map(|object| object.key()).map(str::to_owned);
            let prefixes = page.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).map(str::to_owned);
            let here: Vec<String> = keys.chain(prefixes).collect();
            assert_eq!(page.key_count(), i32::try_from(here.len()).ok());
            names.extend(here);
            pages += 1;
            assert!(pages < 20, "{names:?}");
            token = page.next_continuation_token().map(str::to_owned);
            if page.is_truncated() != Some(true) {
                break;
            }
        }
        names.sort_unstable();
        assert_eq!(names, ["a/", "b", "c/", "z & <y>/", "ü/"], "{size} at a time");
        let (mut marker, mut old) = (None, Vec::new());
        loop {
            let page = client.list_objects().bucket("data").delimiter("/").max_keys(size).set_marker(marker);
            let page = page.send().await.expect("a page");
            old.extend(page.contents().iter().filter_map(|object| object.key()).map(str::to_owned));
            old.extend(page.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).map(str::to_owned));
            assert!(old.len() < 20, "{old:?}");
            marker = page.next_marker().map(str::to_owned);
            if page.is_truncated() != Some(true) {
                break;
            }
        }
        old.sort_unstable();
        assert_eq!(old, names);
    }
    let inner = client.list_objects_v2().bucket("data").delimiter("/").prefix("c/").send().await.expect("a page");
    assert_eq!(inner.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).collect::<Vec<_>>(), ["c/d/"]);
    let versions = client.list_object_versions().bucket("data").delimiter("/").send().await.expect("a page");
    assert_eq!(versions.common_prefixes().len(), 4);
    assert_eq!(versions.versions().len(), 1);
}

#[tokio::test]
async fn checksums_that_were_sent_come_back() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    let sha256 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    let put = client.put_object().bucket("data").key("k").body(body("abc")).checksum_sha256(sha256);
    assert_eq!(put.send().await.expect("put").checksum_sha256(), Some(sha256));
    let mode = aws_sdk_s3::types::ChecksumMode::Enabled;
    let head = client.head_object().bucket("data").key("k").checksum_mode(mode).send().await.expect("there");
    assert_eq!(head.checksum_sha256(), Some(sha256));
    assert_eq!(head.metadata().map(|all| all.len()).unwrap_or_default(), 0);
    assert_eq!(read(&client, "k").await, "abc");
}

#[tokio::test]
async fn a_presigned_url_ends() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    client.put_object().bucket("data").key("k").body(body("x")).send().await.expect("put");
    let url = |date: &str| {
        format!(
            "https://data.s3.eu-west-1.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=111122223333%2F\
             20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date={date}&X-Amz-Expires=60&X-Amz-SignedHeaders=host&\
             X-Amz-Signature=x"
        )
    };
    let get = async |url: String| {
        let request = http::Request::get(url).body(Default::default()).expect("a request");
        let answer = aws.exchange(request).await.expect("an answer");
        (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
    };
    assert_eq!(get(url("29991231T235959Z")).await.0, 200);
    let (status, told) = get(url("20200101T000000Z")).await;
    assert_eq!(status, 403);
    for part in ["<Code>AccessDenied</Code>", "Request has expired", "<Expires>2020-01-01T00:01:00Z</Expires>"] {
        assert!(told.contains(part), "{told}");
    }
}

#[tokio::test]
async fn tags_come_with_an_object_and_lists_of_access_are_the_owners() {
    let aws = world().await;
    let client = Client::new(&aws).s3();
    bucket(&client, "data").await;
    client.put_object().bucket("data").key("k").body(body("x")).tagging("a=b").send().await.expect("put");
    let tags = client.get_object_tagging().bucket("data").key("k").send().await.expect("tags");
    assert_eq!(tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect::<Vec<_>>(), [("a", "b")]);
    let acl = client.get_bucket_acl().bucket("data").send().await.expect("a list");
    let owner = acl.owner().and_then(|owner| owner.id()).expect("an owner");
    let grants: Vec<_> = acl.grants().iter().map(|g| (g.grantee().and_then(|g| g.id()), g.permission())).collect();
    assert_eq!(grants, [(Some(owner), Some(&aws_sdk_s3::types::Permission::FullControl))]);
    client.get_object_acl().bucket("data").key("k").send().await.expect("a list");
    assert_eq!(code(client.get_object_acl().bucket("data").key("none").send().await), "NoSuchKey");
}
