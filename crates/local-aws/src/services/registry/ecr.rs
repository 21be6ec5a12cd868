//! ECR's operations that are about images; all others are winterbaume's.

use super::images::Put;
use super::{Problem, Repository, no_repository, text};
use crate::door::{Request, Response, host};
use crate::place::Place;
use crate::services::account::Account;
use crate::services::{Services, rewrite};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloudformation::partition::without_dns_suffix;
use http::{HeaderValue, StatusCode};
use serde_json::{Value as Json, json};

/// An error's code and message.
type Error = (&'static str, String);

/// Lets ECR answer.
pub(in crate::services) async fn answer(services: &Services, place: &Place, request: Request) -> Response {
    let account = services.account(&place.account);
    let operation = crate::door::operation("ecr", &request);
    let input: Json = serde_json::from_slice(request.body()).unwrap_or_default();
    let door = Door::of(place, &request);
    let answered = match operation.as_str() {
        "GetAuthorizationToken" => Ok(authorization_token(services, place, &door)),
        "PutImage"
        | "BatchGetImage"
        | "DescribeImages"
        | "ListImages"
        | "BatchDeleteImage"
        | "BatchCheckLayerAvailability"
        | "InitiateLayerUpload"
        | "UploadLayerPart"
        | "CompleteLayerUpload"
        | "GetDownloadUrlForLayer"
        | "StartImageScan"
        | "DescribeImageScanFindings" => images(services, &account, place, &operation, &input, &door).await,
        "DeleteRepository" => return delete_repository(services, &account, place, &input, request, &door).await,
        _ => return pass(&account, place, request, &door).await,
    };
    match answered {
        Ok(output) => respond(StatusCode::OK, &output),
        Err((code, message)) => respond(StatusCode::BAD_REQUEST, &json!({ "__type": code, "message": message })),
    }
}

/// How the caller reaches the registry: by AWS's own host, or by the port that it asked on.
struct Door {
    aws: String,
    /// `localhost:4566`, if not by AWS's host.
    port: Option<String>,
}

impl Door {
    fn of(place: &Place, request: &Request) -> Self {
        let is_aws = without_dns_suffix(&host(request)).is_some();
        let header = || request.headers().get(http::header::HOST)?.to_str().ok();
        let authority = request.uri().authority().map(|authority| authority.as_str()).or_else(header);
        Door { aws: super::registry_host(place), port: authority.filter(|_| !is_aws).map(str::to_owned) }
    }

    fn endpoint(&self) -> String {
        match &self.port {
            Some(port) => format!("http://{port}"),
            None => format!("https://{}", self.aws),
        }
    }
}

/// Lets winterbaume answer; repositories' URIs lead to where the caller came from.
async fn pass(account: &Account, place: &Place, request: Request, door: &Door) -> Response {
    let Some(backend) = account.backend("ecr") else { return Response::default() };
    let mut response = rewrite::answer(backend, place, "ecr", request).await;
    if let Some(port) = &door.port {
        let body = String::from_utf8_lossy(response.body());
        let body = body.replace(&format!("\"{}/", door.aws), &format!("\"{port}/"));
        *response.body_mut() = Bytes::from(body);
    }
    response
}

fn authorization_token(services: &Services, place: &Place, door: &Door) -> Json {
    let expires = services.clock.now() + super::token::LIFETIME;
    json!({ "authorizationData": [{
        "authorizationToken": super::token::issue(place, expires),
        "expiresAt": expires.as_second(),
        "proxyEndpoint": door.endpoint(),
    }] })
}

async fn delete_repository(
    services: &Services,
    account: &Account,
    place: &Place,
    input: &Json,
    request: Request,
    door: &Door,
) -> Response {
    let name = text(input, "repositoryName");
    let has_images = services.registry.look(place, name, |repository| !repository.images.is_empty());
    if has_images && input["force"] != true {
        let message = format!(
            "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains images",
            place.account
        );
        return respond(
            StatusCode::BAD_REQUEST,
            &json!({ "__type": "RepositoryNotEmptyException", "message": message }),
        );
    }
    let response = pass(account, place, request, door).await;
    if response.status().is_success()
        && let Err(error) = services.registry.forget(&services.store, place, name)
    {
        return crate::services::unkept(&error);
    }
    response
}

async fn images(
    services: &Services,
    account: &Account,
    place: &Place,
    operation: &str,
    input: &Json,
    door: &Door,
) -> Result<Json, Error> {
    let name = text(input, "repositoryName");
    let immutable = super::is_immutable(account, place, name).await.map_err(|problem| error(place, name, problem))?;
    let registry = &services.registry;
    match operation {
        "PutImage" => put_image(services, place, name, input, immutable),
        "BatchGetImage" => Ok(registry.look(place, name, |repository| batch_get(repository, place, name, input))),
        "DescribeImages" => registry.look(place, name, |repository| describe(repository, place, name, input)),
        "ListImages" => registry.look(place, name, |repository| list(repository, input)),
        "BatchDeleteImage" => {
            let deleted = registry.edit(&services.store, place, name, |repository| Ok(batch_delete(repository, input)));
            deleted.map_err(|problem| error(place, name, problem))
        }
        "BatchCheckLayerAvailability" => Ok(registry.look(place, name, |repository| availability(repository, input))),
        "GetDownloadUrlForLayer" => {
            let digest = text(input, "layerDigest");
            if !registry.look(place, name, |repository| repository.layers.contains_key(digest)) {
                return Err(("LayersNotFoundException", format!("The layer {digest} does not exist in {name}")));
            }
            let url = format!("{}/v2/{name}/blobs/{digest}", door.endpoint());
            Ok(json!({ "downloadUrl": url, "layerDigest": digest }))
        }
        "StartImageScan" => super::scans::start(services, place, name, input),
        "DescribeImageScanFindings" => {
            let on_push = super::scans_on_push(account, place, name).await;
            super::scans::findings(services, place, name, input, on_push)
        }
        _ => upload(services, place, name, operation, input).await,
    }
}

fn put_image(services: &Services, place: &Place, name: &str, input: &Json, immutable: bool) -> Result<Json, Error> {
    let manifest = text(input, "imageManifest");
    let put = Put {
        tag: input["imageTag"].as_str(),
        digest: input["imageDigest"].as_str(),
        media_type: input["imageManifestMediaType"].as_str(),
        immutable,
        must_be_new: true,
    };
    let tag = put.tag;
    let pushed =
        super::put_manifest(services, place, name, manifest, put).map_err(|problem| error(place, name, problem))?;
    Ok(json!({ "image": {
        "registryId": place.account,
        "repositoryName": name,
        "imageId": { "imageDigest": pushed.digest, "imageTag": tag },
        "imageManifest": manifest,
        "imageManifestMediaType": pushed.media_type,
    } }))
}

/// What an `imageId` names: its digest, if it is there.
pub(super) fn find<'r>(repository: &'r Repository, id: &Json) -> Option<&'r str> {
    let digest = id["imageDigest"].as_str();
    let by_tag = id["imageTag"].as_str().map(|tag| repository.tags.get(tag).map(String::as_str));
    match (digest, by_tag) {
        (Some(digest), None) => repository.images.get_key_value(digest).map(|(digest, _)| digest.as_str()),
        (Some(digest), Some(tagged)) => tagged.filter(|tagged| *tagged == digest),
        (None, tagged) => tagged.flatten(),
    }
}

fn ids(input: &Json) -> &[Json] {
    input["imageIds"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn not_found(id: &Json) -> Json {
    json!({ "imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found" })
}

fn batch_get(repository: &Repository, place: &Place, name: &str, input: &Json) -> Json {
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in ids(input) {
        match find(repository, id).and_then(|digest| Some((digest, repository.images.get(digest)?))) {
            Some((digest, image)) => images.push(json!({
                "registryId": place.account,
                "repositoryName": name,
                "imageId": { "imageDigest": digest, "imageTag": id["imageTag"] },
                "imageManifest": image.manifest,
                "imageManifestMediaType": image.media_type,
            })),
            None => failures.push(not_found(id)),
        }
    }
    json!({ "images": images, "failures": failures })
}

fn describe(repository: &Repository, place: &Place, name: &str, input: &Json) -> Result<Json, Error> {
    let mut digests = Vec::new();
    for id in ids(input) {
        let Some(digest) = find(repository, id) else {
            let message = format!(
                "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name \
                 '{name}' in the registry with id '{}'",
                id["imageDigest"].as_str().unwrap_or("null"),
                id["imageTag"].as_str().unwrap_or("null"),
                place.account
            );
            return Err(("ImageNotFoundException", message));
        };
        digests.push(digest);
    }
    if ids(input).is_empty() {
        digests = repository.images.keys().map(String::as_str).collect();
    }
    let wanted = text(&input["filter"], "tagStatus");
    digests.retain(|digest| has_status(!repository.tags_of(digest).is_empty(), wanted));
    let (page, next) = page(&digests, input)?;
    let details: Vec<Json> = page
        .iter()
        .filter_map(|digest| {
            let image = repository.images.get(*digest)?;
            let tags = repository.tags_of(digest);
            Some(json!({
                "registryId": place.account,
                "repositoryName": name,
                "imageDigest": digest,
                "imageTags": (!tags.is_empty()).then_some(tags),
                "imageSizeInBytes": image.size_bytes,
                "imagePushedAt": image.pushed.as_millisecond() as f64 / 1000.0,
                "imageManifestMediaType": image.media_type,
                "artifactMediaType": image.artifact_media_type,
            }))
        })
        .collect();
    Ok(json!({ "imageDetails": details, "nextToken": next }))
}

fn list(repository: &Repository, input: &Json) -> Result<Json, Error> {
    let wanted = text(&input["filter"], "tagStatus");
    let mut found = Vec::new();
    for digest in repository.images.keys() {
        let tags = repository.tags_of(digest);
        if !has_status(!tags.is_empty(), wanted) {
            continue;
        }
        if tags.is_empty() {
            found.push(json!({ "imageDigest": digest }));
        }
        found.extend(tags.into_iter().map(|tag| json!({ "imageDigest": digest, "imageTag": tag })));
    }
    let (page, next) = page(&found, input)?;
    Ok(json!({ "imageIds": page, "nextToken": next }))
}

fn has_status(is_tagged: bool, wanted: &str) -> bool {
    match wanted {
        "TAGGED" => is_tagged,
        "UNTAGGED" => !is_tagged,
        _ => true,
    }
}

/// A page of a list and the token of the next one: how many came before it.
fn page<'l, T>(all: &'l [T], input: &Json) -> Result<(&'l [T], Option<String>), Error> {
    let start = match input["nextToken"].as_str() {
        Some(token) => STANDARD
            .decode(token)
            .ok()
            .and_then(|token| String::from_utf8(token).ok()?.parse::<usize>().ok())
            .ok_or(("InvalidParameterException", "Invalid parameter at 'nextToken'".to_owned()))?,
        None => 0,
    };
    let most = input["maxResults"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(100);
    let start = start.min(all.len());
    let end = (start + most).min(all.len());
    Ok((&all[start..end], (end < all.len()).then(|| STANDARD.encode(end.to_string()))))
}

fn batch_delete(repository: &mut Repository, input: &Json) -> Json {
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for id in ids(input) {
        let Some(digest) = find(repository, id).map(str::to_owned) else {
            failures.push(not_found(id));
            continue;
        };
        let tag = id["imageTag"].as_str();
        let is_last = tag.is_none_or(|_| repository.tags_of(&digest).len() == 1);
        if is_last && let Some(index) = repository.index_of(&digest) {
            failures.push(json!({
                "imageId": id,
                "failureCode": "ImageReferencedByManifestList",
                "failureReason": format!("Requested image referenced by manifest list: [{index}]"),
            }));
            continue;
        }
        match tag {
            // The image stays as long as another tag names it.
            Some(tag) if !is_last => drop(repository.tags.remove(tag)),
            _ => repository.remove(&digest),
        }
        deleted.push(json!({ "imageDigest": digest, "imageTag": tag }));
    }
    json!({ "imageIds": deleted, "failures": failures })
}

fn availability(repository: &Repository, input: &Json) -> Json {
    let asked = input["layerDigests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let layers = asked.iter().filter_map(Json::as_str).map(|digest| match repository.layers.get(digest) {
        Some(size) => json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size }),
        None => json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }),
    });
    json!({ "layers": layers.collect::<Vec<_>>(), "failures": [] })
}

async fn upload(services: &Services, place: &Place, name: &str, operation: &str, input: &Json) -> Result<Json, Error> {
    let disk = |error: std::io::Error| ("ServerException", error.to_string());
    let content = &services.registry.content;
    if operation == "InitiateLayerUpload" {
        let id = services.ids.uuid();
        content.begin(&id).map_err(disk)?;
        return Ok(json!({ "uploadId": id, "partSize": 20_971_520 }));
    }
    let id = text(input, "uploadId");
    let unknown = || {
        let message = format!("The upload with id '{id}' does not exist in the repository with name '{name}'");
        ("UploadNotFoundException", message)
    };
    let offset = content.offset(id).ok_or_else(unknown)?;
    if operation == "UploadLayerPart" {
        if input["partFirstByte"].as_u64() != Some(offset) {
            let message = format!("The part does not begin at byte {offset}, where the last one ended");
            return Err(("InvalidLayerPartException", message));
        }
        let part = STANDARD.decode(text(input, "layerPartBlob"));
        let part = part.map_err(|error| ("InvalidParameterException", error.to_string()))?;
        content.append(id, &part).map_err(disk)?;
        let last = (offset + part.len() as u64).saturating_sub(1);
        return Ok(
            json!({ "registryId": place.account, "repositoryName": name, "uploadId": id, "lastByteReceived": last }),
        );
    }
    let asked = input["layerDigests"][0].as_str().unwrap_or_default();
    let (found, size) = content.finish(id, asked).await.map_err(disk)?;
    if found != asked {
        return Err(("InvalidLayerException", format!("The layer's digest is {found}, not {asked}")));
    }
    let kept = services.registry.edit(&services.store, place, name, |repository| {
        repository.layers.insert(found.clone(), size);
        Ok(())
    });
    kept.map_err(|problem| error(place, name, problem))?;
    Ok(json!({ "registryId": place.account, "repositoryName": name, "uploadId": id, "layerDigest": found }))
}

/// What ECR says of a problem.
fn error(place: &Place, name: &str, problem: Problem) -> Error {
    let registry = &place.account;
    match problem {
        Problem::NoRepository => ("RepositoryNotFoundException", no_repository(place, name)),
        Problem::Exists { digest } => (
            "ImageAlreadyExistsException",
            format!(
                "Image with digest '{digest}' already exists in the repository with name '{name}' in registry with id '{registry}'"
            ),
        ),
        Problem::TagExists { tag, .. } => ("ImageTagAlreadyExistsException", tag_exists(&tag, name)),
        Problem::NoLayers(digests) => (
            "LayersNotFoundException",
            format!(
                "Layers with digests '{}' required for pushing image into repository with name '{name}' in the registry \
                 with id '{registry}' do not exist",
                digests.join(", ")
            ),
        ),
        Problem::NoImages(digests) => (
            "ReferencedImagesNotFoundException",
            format!(
                "Images with digests '{}' required for pushing image into repository with name '{name}' in the registry \
                 with id '{registry}' do not exist",
                digests.join(", ")
            ),
        ),
        Problem::Digest { asked, found } => {
            ("ImageDigestDoesNotMatchException", format!("The image's digest is '{found}', not '{asked}'"))
        }
        Problem::Invalid(why) => ("InvalidParameterException", format!("Invalid image manifest provided: {why}")),
        Problem::Disk(why) => ("ServerException", why),
    }
}

/// What is said of a tag that may not move.
pub(super) fn tag_exists(tag: &str, name: &str) -> String {
    format!(
        "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the tag is immutable."
    )
}

fn respond(status: StatusCode, output: &Json) -> Response {
    let mut response = Response::new(Bytes::from(without_nulls(output).to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

/// Members that are not there are not written.
fn without_nulls(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            Json::Object(there.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}
