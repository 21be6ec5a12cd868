//! The code of functions and layers: an object in S3, or an image in ECR, which Lambda fetches when the function is made.

use super::request::{Refusal, Request};
use crate::place::Place;
use crate::world::World;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

/// Refuses a function or layer whose code is not there. Code that stays as it is was fetched before.
pub(super) async fn refusal(request: &Request<'_>) -> Option<Refusal> {
    let Request { world, place, before, .. } = *request;
    let name = match request.type_name {
        "AWS::Lambda::Function" => "Code",
        "AWS::Lambda::LayerVersion" => "Content",
        _ => return None,
    };
    let code = request.properties.get(name).filter(|code| before.and_then(|before| before.get(name)) != Some(*code))?;
    if world.partial {
        return None;
    }
    let message = match (code["S3Bucket"].as_str(), code["S3Key"].as_str(), code["ImageUri"].as_str()) {
        (Some(bucket), Some(key), _) => object(world, place, bucket, key, code["S3ObjectVersion"].as_str()).await,
        (_, _, Some(uri)) => image(world, place, uri).await,
        _ => None,
    };
    message.map(|message| Refusal::invalid("Lambda", message))
}

/// Why an object cannot be fetched.
async fn object(world: &World, place: &Place, bucket: &str, key: &str, version: Option<&str>) -> Option<String> {
    let problem = |code: &str, message: &str| {
        Some(format!("Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"))
    };
    let escaped: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    // Slashes separate, and a space is no plus in a path.
    let escaped = escaped.replace("%2F", "/").replace('+', "%20");
    let version = version.map(|version| format!("?versionId={version}")).unwrap_or_default();
    let request = http::Request::builder()
        .method(Method::HEAD)
        .uri(format!("https://s3.{}.amazonaws.com/{bucket}/{escaped}{version}", place.region))
        .body(Bytes::new());
    let response = world.services.call(place, "s3", request.ok()?).await?;
    match response.status() {
        status if status.is_success() => None,
        StatusCode::NOT_FOUND if !world.services.has_bucket(bucket) => {
            problem("NoSuchBucket", "The specified bucket does not exist")
        }
        StatusCode::MOVED_PERMANENTLY => {
            let region = response.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
            let region = region.unwrap_or_default();
            let message =
                format!("The bucket is in this region: {region}. Please use this region to retry the request");
            problem("PermanentRedirect", &message)
        }
        StatusCode::NOT_FOUND if !version.is_empty() => {
            problem("NoSuchVersion", "The specified version does not exist.")
        }
        StatusCode::NOT_FOUND => problem("NoSuchKey", "The specified key does not exist."),
        // A bucket of another account, whose policy nobody reads here.
        _ => None,
    }
}

/// Why an image cannot be fetched; one of another registry is not looked for.
async fn image(world: &World, place: &Place, uri: &str) -> Option<String> {
    let registry = format!("{}.dkr.ecr.{}.{}/", place.account, place.region, place.url_suffix());
    let rest = uri.strip_prefix(&registry)?;
    let (name, id) = match rest.split_once('@') {
        Some((name, digest)) => (name.split(':').next()?, json!({ "imageDigest": digest })),
        None => {
            let (name, tag) = rest.split_once(':').unwrap_or((rest, "latest"));
            (name, json!({ "imageTag": tag }))
        }
    };
    let input = json!({ "repositoryName": name, "imageIds": [id] });
    let found: Result<Json, _> = world.services.json(place, "ecr", "DescribeImages", &input).await;
    let error = found.err()?;
    match error.code.ends_with("NotFoundException") {
        true => Some(format!("Source image {uri} does not exist. Provide a valid source image.")),
        false => None,
    }
}
