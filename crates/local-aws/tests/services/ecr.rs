//! Images through ECR's API and through the registry's, which have to agree.

use crate::support::{Client, Port, code, open, world};
use aws_sdk_ecr::Client as Ecr;
use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier, ImageTagMutability, LayerAvailability};
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use local_aws::LocalAws;
use sha2::{Digest, Sha256};

const HOST: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";

/// A container tool.
struct Tool {
    aws: LocalAws,
    authorization: String,
}

impl Tool {
    async fn sign_in(aws: &LocalAws, ecr: &Ecr) -> Self {
        let token = ecr.get_authorization_token().send().await.expect("a token");
        let data = &token.authorization_data()[0];
        Tool { aws: aws.clone(), authorization: format!("Basic {}", data.authorization_token().expect("a token")) }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response<Bytes> {
        let mut request = http::Request::builder().method(method).uri(format!("https://{HOST}{path}"));
        request = request.header("authorization", &self.authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.aws.exchange(request.body(body.into()).expect("a request")).await.expect("an answer")
    }

    /// Pushes a blob in one go; gives its digest.
    async fn blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let response = self.send(Method::POST, &path, &[], bytes.to_vec()).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        digest
    }

    /// Pushes an image of one layer; gives its manifest.
    async fn image(&self, repository: &str, tag: &str, layer: &str) -> (Response<Bytes>, String) {
        let config = self.blob(repository, b"{}").await;
        let digest = self.blob(repository, layer.as_bytes()).await;
        let manifest = manifest(&config, &digest);
        let path = format!("/v2/{repository}/manifests/{tag}");
        let type_ = [("content-type", "application/vnd.oci.image.manifest.v1+json")];
        (self.send(Method::PUT, &path, &type_, manifest.clone()).await, manifest)
    }
}

fn manifest(config: &str, layer: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":5}}]}}"#
    )
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

fn header<'r>(response: &'r Response<Bytes>, name: &str) -> &'r str {
    response.headers().get(name).unwrap_or_else(|| panic!("no {name}: {response:?}")).to_str().expect("text")
}

fn error_code(response: &Response<Bytes>) -> String {
    let body: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
    body["errors"][0]["code"].as_str().expect("a code").to_owned()
}

async fn world_with(repository: &str, mutability: ImageTagMutability) -> (LocalAws, Ecr, Tool) {
    let aws = world().await;
    let ecr = Client::new(&aws).ecr();
    ecr.create_repository()
        .repository_name(repository)
        .image_tag_mutability(mutability)
        .send()
        .await
        .expect("a repository");
    let tool = Tool::sign_in(&aws, &ecr).await;
    (aws, ecr, tool)
}

fn tagged(tag: &str) -> ImageIdentifier {
    ImageIdentifier::builder().image_tag(tag).build()
}

#[tokio::test]
async fn what_is_pushed_is_what_ecr_tells_and_what_is_pulled() {
    let (_aws, ecr, tool) = world_with("team/app", ImageTagMutability::Mutable).await;
    let described = ecr.describe_repositories().send().await.expect("repositories");
    let uri = described.repositories()[0].repository_uri().expect("a URI");
    assert_eq!(uri, format!("{HOST}/team/app"));
    let (pushed, manifest) = tool.image("team/app", "v1", "layer").await;
    assert_eq!(pushed.status(), StatusCode::CREATED);
    let image = digest(manifest.as_bytes());
    assert_eq!(header(&pushed, "docker-content-digest"), image);

    let images = ecr.describe_images().repository_name("team/app").send().await.expect("images");
    let detail = &images.image_details()[0];
    assert_eq!(detail.image_digest(), Some(image.as_str()));
    assert_eq!(detail.image_tags(), ["v1"]);
    assert_eq!(detail.image_size_in_bytes(), Some(7));
    let got = ecr.batch_get_image().repository_name("team/app").image_ids(tagged("v1")).image_ids(tagged("v2"));
    let got = got.send().await.expect("images");
    assert_eq!(got.images()[0].image_manifest(), Some(manifest.as_str()));
    assert_eq!(got.failures()[0].failure_code(), Some(&ImageFailureCode::ImageNotFound));
    let layers = ecr.batch_check_layer_availability().repository_name("team/app");
    let layers = layers.layer_digests(digest(b"layer")).layer_digests(digest(b"other")).send().await.expect("layers");
    let found: Vec<_> = layers.layers().iter().map(|layer| layer.layer_availability().cloned()).collect();
    assert_eq!(found, [Some(LayerAvailability::Available), Some(LayerAvailability::Unavailable)]);

    for reference in ["v1", image.as_str()] {
        let pulled = tool.send(Method::GET, &format!("/v2/team/app/manifests/{reference}"), &[], "").await;
        assert_eq!(pulled.body().as_ref(), manifest.as_bytes());
        assert_eq!(header(&pulled, "content-type"), "application/vnd.oci.image.manifest.v1+json");
    }
    let head = tool.send(Method::HEAD, "/v2/team/app/manifests/v1", &[], "").await;
    assert_eq!((header(&head, "docker-content-digest"), head.body().len()), (image.as_str(), 0));
    let layer = tool
        .send(Method::GET, &format!("/v2/team/app/blobs/{}", digest(b"layer")), &[("range", "bytes=1-3")], "")
        .await;
    assert_eq!((layer.status(), layer.body().as_ref()), (StatusCode::PARTIAL_CONTENT, b"aye".as_slice()));
    let tags = tool.send(Method::GET, "/v2/team/app/tags/list", &[], "").await;
    assert_eq!(tags.body().as_ref(), br#"{"name":"team/app","tags":["v1"]}"#);
}

#[tokio::test]
async fn what_ecr_is_given_the_registry_serves() {
    let (_aws, ecr, tool) = world_with("app", ImageTagMutability::Mutable).await;
    for bytes in [b"{}".as_slice(), b"layer"] {
        let upload = ecr.initiate_layer_upload().repository_name("app").send().await.expect("an upload");
        let id = upload.upload_id().expect("an id");
        let part = ecr.upload_layer_part().repository_name("app").upload_id(id).part_first_byte(0);
        part.part_last_byte(bytes.len() as i64 - 1).layer_part_blob(bytes.into()).send().await.expect("a part");
        let done =
            ecr.complete_layer_upload().repository_name("app").upload_id(id).layer_digests(digest(bytes)).send().await;
        assert_eq!(done.expect("a layer").layer_digest(), Some(digest(bytes).as_str()));
    }
    let manifest = manifest(&digest(b"{}"), &digest(b"layer"));
    let put = || ecr.put_image().repository_name("app").image_tag("v1").image_manifest(&manifest).send();
    put().await.expect("an image");
    assert_eq!(code(put().await), "ImageAlreadyExistsException");
    let pulled = tool.send(Method::GET, "/v2/app/manifests/v1", &[], "").await;
    assert_eq!(pulled.body().as_ref(), manifest.as_bytes());
    let absent = manifest.replace(&digest(b"layer"), &digest(b"absent"));
    let put = ecr.put_image().repository_name("app").image_manifest(absent).send().await;
    assert_eq!(code(put), "LayersNotFoundException");
}

#[tokio::test]
async fn an_upload_in_chunks_goes_on_where_it_was() {
    let (_aws, _ecr, tool) = world_with("app", ImageTagMutability::Mutable).await;
    let begun = tool.send(Method::POST, "/v2/app/blobs/uploads/", &[], "").await;
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let location = header(&begun, "location").to_owned();
    let sent = tool.send(Method::PATCH, &location, &[("content-range", "0-3")], "abcd").await;
    assert_eq!((sent.status(), header(&sent, "range")), (StatusCode::ACCEPTED, "0-3"));
    let wrong = tool.send(Method::PATCH, &location, &[("content-range", "9-10")], "xy").await;
    assert_eq!((wrong.status(), header(&wrong, "range")), (StatusCode::RANGE_NOT_SATISFIABLE, "0-3"));
    let status = tool.send(Method::GET, &location, &[], "").await;
    assert_eq!((status.status(), header(&status, "range")), (StatusCode::NO_CONTENT, "0-3"));
    tool.send(Method::PATCH, &location, &[], "ef").await;
    let done = tool.send(Method::PUT, &format!("{location}?digest={}", digest(b"abcdefg")), &[], "g").await;
    assert_eq!(done.status(), StatusCode::CREATED);
    let blob = tool.send(Method::GET, &format!("/v2/app/blobs/{}", digest(b"abcdefg")), &[], "").await;
    assert_eq!(blob.body().as_ref(), b"abcdefg");
    let gone = tool.send(Method::GET, &location, &[], "").await;
    assert_eq!((gone.status(), error_code(&gone)), (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN".into()));
    // What does not have its digest is not kept.
    let path = format!("/v2/app/blobs/uploads/?digest={}", digest(b"other"));
    let bad = tool.send(Method::POST, &path, &[], "bytes").await;
    assert_eq!((bad.status(), error_code(&bad)), (StatusCode::BAD_REQUEST, "DIGEST_INVALID".into()));
    let head = tool.send(Method::HEAD, &format!("/v2/app/blobs/{}", digest(b"bytes")), &[], "").await;
    assert_eq!(head.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn layers_are_mounted_from_another_repository() {
    let (_aws, ecr, tool) = world_with("base", ImageTagMutability::Mutable).await;
    ecr.create_repository().repository_name("app").send().await.expect("a repository");
    let layer = tool.blob("base", b"layer").await;
    let mounted = tool.send(Method::POST, &format!("/v2/app/blobs/uploads/?mount={layer}&from=base"), &[], "").await;
    assert_eq!((mounted.status(), header(&mounted, "docker-content-digest")), (StatusCode::CREATED, layer.as_str()));
    let head = tool.send(Method::HEAD, &format!("/v2/app/blobs/{layer}"), &[], "").await;
    assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, "5"));
    let none =
        tool.send(Method::POST, &format!("/v2/app/blobs/uploads/?mount={}&from=base", digest(b"x")), &[], "").await;
    assert_eq!(none.status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn immutable_tags_stay_where_they_are() {
    let (_aws, ecr, tool) = world_with("app", ImageTagMutability::Immutable).await;
    let (first, manifest) = tool.image("app", "v1", "one").await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let (again, _) = tool.image("app", "v1", "one").await;
    assert_eq!(again.status(), StatusCode::CREATED);
    let (moved, other) = tool.image("app", "v1", "two").await;
    assert_eq!((moved.status(), error_code(&moved)), (StatusCode::BAD_REQUEST, "TAG_INVALID".into()));
    let put = ecr.put_image().repository_name("app").image_tag("v1").image_manifest(other).send().await;
    assert_eq!(code(put), "ImageTagAlreadyExistsException");
    let images = ecr.describe_images().repository_name("app").image_ids(tagged("v1")).send().await.expect("images");
    assert_eq!(images.image_details()[0].image_digest(), Some(digest(manifest.as_bytes()).as_str()));
}

#[tokio::test]
async fn images_outlive_their_tags_and_go_with_their_repository() {
    let (_aws, ecr, tool) = world_with("app", ImageTagMutability::Mutable).await;
    let (_, first) = tool.image("app", "latest", "one").await;
    tool.image("app", "latest", "two").await;
    let mut untagged = 0;
    let mut pages = ecr.describe_images().repository_name("app").max_results(1).into_paginator().send();
    while let Some(page) = pages.next().await {
        untagged += page.expect("a page").image_details().iter().filter(|image| image.image_tags().is_empty()).count();
    }
    assert_eq!(untagged, 1);
    assert_eq!(
        code(ecr.describe_images().repository_name("app").image_ids(tagged("none")).send().await),
        "ImageNotFoundException"
    );
    let id = ImageIdentifier::builder().image_digest(digest(first.as_bytes())).build();
    let deleted = ecr.batch_delete_image().repository_name("app").image_ids(id).send().await.expect("deleted");
    assert_eq!((deleted.image_ids().len(), deleted.failures().len()), (1, 0));
    let listed = ecr.list_images().repository_name("app").send().await.expect("images");
    assert_eq!(listed.image_ids().len(), 1);
    assert_eq!(code(ecr.delete_repository().repository_name("app").send().await), "RepositoryNotEmptyException");
    ecr.delete_repository().repository_name("app").force(true).send().await.expect("deleted");
    let gone = tool.send(Method::GET, "/v2/app/manifests/latest", &[], "").await;
    assert_eq!((gone.status(), error_code(&gone)), (StatusCode::NOT_FOUND, "NAME_UNKNOWN".into()));
    assert_eq!(code(ecr.list_images().repository_name("app").send().await), "RepositoryNotFoundException");
    ecr.create_repository().repository_name("app").send().await.expect("anew");
    assert!(ecr.list_images().repository_name("app").send().await.expect("images").image_ids().is_empty());
}

#[tokio::test]
async fn the_registry_opens_with_a_token_only() {
    let (aws, _ecr, mut tool) = world_with("app", ImageTagMutability::Mutable).await;
    assert_eq!(tool.send(Method::GET, "/v2/", &[], "").await.status(), StatusCode::OK);
    tool.authorization = "Basic QVdTOng=".into();
    let closed = tool.send(Method::GET, "/v2/", &[], "").await;
    assert_eq!(closed.status(), StatusCode::UNAUTHORIZED);
    assert!(header(&closed, "www-authenticate").starts_with("Basic realm="));
    let request = http::Request::get(format!("https://{HOST}/v2/app/tags/list")).body(Bytes::new()).expect("a request");
    assert_eq!(aws.exchange(request).await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn on_a_port_the_token_says_whose_registry_it_is_and_layers_pass_in_pieces() {
    let directory = tempfile::tempdir().expect("a directory");
    let layer: Vec<u8> = (0..9 << 20).map(|n: u32| (n % 253) as u8).collect();
    let digest = digest(&layer);
    {
        let aws = open(directory.path()).await;
        let port = Port::open(&aws).await;
        let ecr = Client::on(&port).ecr();
        let created = ecr.create_repository().repository_name("app").send().await.expect("a repository");
        let uri = created.repository().and_then(|repository| repository.repository_uri()).expect("a URI").to_owned();
        assert_eq!(uri, format!("127.0.0.1:{}/app", port.number));
        let token = ecr.get_authorization_token().send().await.expect("a token");
        let data = &token.authorization_data()[0];
        assert_eq!(data.proxy_endpoint(), Some(format!("http://127.0.0.1:{}", port.number).as_str()));
        let authorization = format!("authorization: Basic {}", data.authorization_token().expect("a token"));
        let head = |line: &str, length: usize| {
            format!(
                "{line} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{authorization}\r\ncontent-length: {length}\r\n\r\n"
            )
        };
        let begun = port.exchange(&[head("POST /v2/app/blobs/uploads/", 0).as_bytes()]).await;
        let location = begun.lines().find_map(|line| line.strip_prefix("location: ")).expect("a location").to_owned();
        let put = head(&format!("PUT {location}?digest={digest}"), layer.len());
        let done = port.exchange(&[put.as_bytes(), &layer]).await;
        assert!(done.starts_with("HTTP/1.1 201"), "{done}");
        let got = port.exchange_bytes(&[head(&format!("GET /v2/app/blobs/{digest}"), 0).as_bytes()]).await;
        assert!(got.starts_with(b"HTTP/1.1 200"));
        assert!(got.ends_with(&layer) && got.len() < layer.len() + 1000, "{} bytes", got.len());
        port.close().await;
    }
    // It is there still when the directory is opened again.
    let aws = open(directory.path()).await;
    let tool = Tool::sign_in(&aws, &Client::new(&aws).ecr()).await;
    let head = tool.send(Method::HEAD, &format!("/v2/app/blobs/{digest}"), &[], "").await;
    assert_eq!(header(&head, "content-length"), layer.len().to_string());
}
