//! The registry as container tools know it: the OCI distribution specification, version 1.1, as far as pushing and
//! pulling goes. <https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md>

use super::images::Put;
use super::token::{self, Refusal};
use super::{Problem, no_repository};
use crate::door::{Request, Response, host};
use crate::place::Place;
use crate::services::Services;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LINK, LOCATION, RANGE, WWW_AUTHENTICATE,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;

/// The largest manifest that is taken, in bytes.
const LARGEST_MANIFEST: usize = 4 << 20;
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const UPLOAD: HeaderName = HeaderName::from_static("docker-upload-uuid");
const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// What a path of the registry names.
enum Target<'p> {
    Base,
    Blob {
        name: &'p str,
        digest: &'p str,
    },
    /// The id is empty where an upload begins.
    Upload {
        name: &'p str,
        id: &'p str,
    },
    Manifest {
        name: &'p str,
        reference: &'p str,
    },
    Tags {
        name: &'p str,
    },
}

/// Lets the registry answer. `place` counts where the host names one; else the token's does.
pub(in crate::services) async fn answer(services: &Services, place: &Place, request: Request) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let opened = match token::read(header, services.clock.now()) {
        Ok(opened) => opened,
        Err(refusal) => return closed(&refusal, &request),
    };
    let names_place = host(&request).contains(".dkr.ecr.");
    let place = if names_place { place } else { &opened };
    let path = request.uri().path().to_owned();
    let Some(target) = target(&path) else {
        return error(StatusCode::NOT_FOUND, "UNSUPPORTED", &format!("{path} is no path of this registry"));
    };
    let mut response = match found(services, place, &request, target).await {
        Ok(response) | Err(response) => response,
    };
    response.headers_mut().insert(VERSION, HeaderValue::from_static("registry/2.0"));
    if *request.method() == Method::HEAD {
        *response.body_mut() = Bytes::new();
    }
    response
}

fn target(path: &str) -> Option<Target<'_>> {
    let path = path.strip_prefix("/v2")?;
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Target::Base);
    }
    if let Some(name) = path.strip_suffix("/tags/list") {
        return Some(Target::Tags { name });
    }
    if let Some((name, id)) = path.rsplit_once("/blobs/uploads") {
        return Some(Target::Upload { name, id: id.trim_matches('/') });
    }
    if let Some((name, digest)) = path.rsplit_once("/blobs/") {
        return Some(Target::Blob { name, digest });
    }
    path.rsplit_once("/manifests/").map(|(name, reference)| Target::Manifest { name, reference })
}

async fn found(
    services: &Services,
    place: &Place,
    request: &Request,
    target: Target<'_>,
) -> Result<Response, Response> {
    let name = match target {
        Target::Base => {
            return Ok(with(StatusCode::OK, Bytes::from_static(b"{}"), &[(CONTENT_TYPE, "application/json")]));
        }
        Target::Blob { name, .. }
        | Target::Upload { name, .. }
        | Target::Manifest { name, .. }
        | Target::Tags { name } => name,
    };
    let account = services.account(&place.account);
    let immutable =
        super::is_immutable(&account, place, name).await.map_err(|problem| refusal(place, name, problem))?;
    match (request.method(), target) {
        (&Method::GET | &Method::HEAD, Target::Blob { digest, .. }) => blob(services, place, name, digest, request),
        (_, Target::Upload { id, .. }) => upload(services, place, name, id, request).await,
        (&Method::GET | &Method::HEAD, Target::Manifest { reference, .. }) => {
            manifest(services, place, name, reference)
        }
        (&Method::PUT, Target::Manifest { reference, .. }) => {
            put_manifest(services, place, name, reference, immutable, request)
        }
        (&Method::GET, Target::Tags { .. }) => tags(services, place, name, request),
        _ => Err(error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")),
    }
}

fn blob(services: &Services, place: &Place, name: &str, digest: &str, request: &Request) -> Result<Response, Response> {
    let size = services.registry.look(place, name, |repository| repository.layers.get(digest).copied());
    let size = size.ok_or_else(|| error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry"))?;
    let headers = [(DIGEST, digest), (CONTENT_TYPE, "application/octet-stream"), (ACCEPT_RANGES, "bytes")];
    if *request.method() == Method::HEAD {
        let mut response = with(StatusCode::OK, Bytes::new(), &headers);
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size));
        return Ok(response);
    }
    let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
    let (start, end) = match range.map(|range| byte_range(range, size)) {
        None => (0, size),
        Some(Some(range)) => range,
        Some(None) => {
            let mut response =
                error(StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID", "The range is not in the blob.");
            insert(&mut response, CONTENT_RANGE, &format!("bytes */{size}"));
            return Err(response);
        }
    };
    let bytes = services.registry.content.read(digest, start, end - start).map_err(disk)?;
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = with(status, bytes, &headers);
    if range.is_some() {
        insert(&mut response, CONTENT_RANGE, &format!("bytes {start}-{}/{size}", end - 1));
    }
    Ok(response)
}

/// Start and end, exclusive, of `bytes=a-b`, `bytes=a-` or `bytes=-n`; `None` if nothing is in it.
fn byte_range(range: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (Some(first), Some(last)) => (first, last.saturating_add(1).min(size)),
        (Some(first), None) => (first, size),
        (None, Some(last)) => (size.saturating_sub(last), size),
        (None, None) => return None,
    };
    (start < end).then_some((start, end))
}

async fn upload(
    services: &Services,
    place: &Place,
    name: &str,
    id: &str,
    request: &Request,
) -> Result<Response, Response> {
    let registry = &services.registry;
    let parameter = |wanted: &str| {
        let query = request.uri().query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == wanted).map(|(_, value)| value.into_owned())
    };
    if id.is_empty() {
        if *request.method() != Method::POST {
            return Err(error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported."));
        }
        if let (Some(digest), Some(from)) = (parameter("mount"), parameter("from")) {
            let size = registry.look(place, &from, |repository| repository.layers.get(&digest).copied());
            if let Some(size) = size {
                return enter(services, place, name, &digest, size);
            }
        }
        let id = services.ids.uuid();
        registry.content.begin(&id).map_err(disk)?;
        if let Some(digest) = parameter("digest") {
            registry.content.append(&id, request.body()).map_err(disk)?;
            return finish(services, place, name, &id, &digest).await;
        }
        return Ok(progress(StatusCode::ACCEPTED, name, &id, 0));
    }
    let offset = registry.content.offset(id);
    let offset =
        offset.ok_or_else(|| error(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"))?;
    match *request.method() {
        Method::GET | Method::HEAD => Ok(progress(StatusCode::NO_CONTENT, name, id, offset)),
        Method::DELETE => {
            registry.content.cancel(id);
            Ok(with(StatusCode::NO_CONTENT, Bytes::new(), &[]))
        }
        Method::PATCH | Method::PUT => {
            let begins = request.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).map(|range| {
                range.trim_start_matches("bytes ").split('-').next().and_then(|first| first.trim().parse::<u64>().ok())
            });
            if begins.is_some_and(|begins| begins != Some(offset)) {
                return Err(progress(StatusCode::RANGE_NOT_SATISFIABLE, name, id, offset));
            }
            registry.content.append(id, request.body()).map_err(disk)?;
            if *request.method() == Method::PATCH {
                return Ok(progress(StatusCode::ACCEPTED, name, id, offset + request.body().len() as u64));
            }
            let missing = || error(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "An upload ends with its digest.");
            let digest = parameter("digest").ok_or_else(missing)?;
            finish(services, place, name, id, &digest).await
        }
        _ => Err(error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")),
    }
}

async fn finish(services: &Services, place: &Place, name: &str, id: &str, asked: &str) -> Result<Response, Response> {
    let (digest, size) = services.registry.content.finish(id, asked).await.map_err(disk)?;
    if digest != asked {
        let message = format!("The blob's digest is {digest}, not {asked}.");
        return Err(error(StatusCode::BAD_REQUEST, "DIGEST_INVALID", &message));
    }
    enter(services, place, name, &digest, size)
}

/// Says that a repository has a blob.
fn enter(services: &Services, place: &Place, name: &str, digest: &str, size: u64) -> Result<Response, Response> {
    let kept = services.registry.edit(&services.store, place, name, |repository| {
        repository.layers.insert(digest.to_owned(), size);
        Ok(())
    });
    kept.map_err(|problem| refusal(place, name, problem))?;
    let location = format!("/v2/{name}/blobs/{digest}");
    Ok(with(StatusCode::CREATED, Bytes::new(), &[(LOCATION, &location), (DIGEST, digest)]))
}

/// How far an upload has come.
fn progress(status: StatusCode, name: &str, id: &str, offset: u64) -> Response {
    let location = format!("/v2/{name}/blobs/uploads/{id}");
    let range = format!("0-{}", offset.saturating_sub(1));
    with(status, Bytes::new(), &[(LOCATION, &location), (RANGE, &range), (UPLOAD, id)])
}

fn manifest(services: &Services, place: &Place, name: &str, reference: &str) -> Result<Response, Response> {
    let found = services.registry.look(place, name, |repository| {
        let digest = repository.resolve(reference)?;
        Some((digest.to_owned(), repository.images.get(digest)?.clone()))
    });
    let (digest, image) = found.ok_or_else(|| {
        let message = format!("Requested image not found: {reference}");
        error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &message)
    })?;
    let length = image.manifest.len();
    let mut response =
        with(StatusCode::OK, Bytes::from(image.manifest), &[(CONTENT_TYPE, &image.media_type), (DIGEST, &digest)]);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

fn put_manifest(
    services: &Services,
    place: &Place,
    name: &str,
    reference: &str,
    immutable: bool,
    request: &Request,
) -> Result<Response, Response> {
    let invalid = |why: &str| error(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", why);
    if request.body().len() > LARGEST_MANIFEST {
        return Err(error(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", "The manifest is larger than 4 MiB."));
    }
    let text = std::str::from_utf8(request.body()).map_err(|_| invalid("The manifest is not UTF-8."))?;
    let is_digest = reference.contains(':');
    let put = Put {
        tag: (!is_digest).then_some(reference),
        digest: is_digest.then_some(reference),
        media_type: request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()),
        immutable,
        must_be_new: false,
    };
    let pushed =
        super::put_manifest(services, place, name, text, put).map_err(|problem| refusal(place, name, problem))?;
    let location = format!("/v2/{name}/manifests/{}", pushed.digest);
    Ok(with(StatusCode::CREATED, Bytes::new(), &[(LOCATION, &location), (DIGEST, &pushed.digest)]))
}

fn tags(services: &Services, place: &Place, name: &str, request: &Request) -> Result<Response, Response> {
    let query = request.uri().query().unwrap_or_default();
    let parameter =
        |wanted: &str| form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == wanted).map(|(_, v)| v);
    let after = parameter("last").unwrap_or_default();
    let most = parameter("n").and_then(|n| n.parse::<usize>().ok()).unwrap_or(1000);
    let mut tags: Vec<String> = services.registry.look(place, name, |repository| {
        repository.tags.keys().filter(|tag| after.is_empty() || tag.as_str() > after.as_ref()).cloned().collect()
    });
    let has_more = tags.len() > most;
    tags.truncate(most);
    let body = json!({ "name": name, "tags": tags }).to_string();
    let mut response = with(StatusCode::OK, Bytes::from(body), &[(CONTENT_TYPE, "application/json")]);
    if let Some(last) = tags.last().filter(|_| has_more) {
        insert(&mut response, LINK, &format!("</v2/{name}/tags/list?n={most}&last={last}>; rel=\"next\""));
    }
    Ok(response)
}

/// What a registry says to who has no token, or none that counts.
fn closed(refusal: &Refusal, request: &Request) -> Response {
    let message = match refusal {
        Refusal::Missing => "no basic auth credentials",
        Refusal::Invalid => "Your Authorization Token is invalid.",
        Refusal::Expired => "Your authorization token has expired. Reauthenticate and try again.",
    };
    if *refusal == Refusal::Expired {
        return error(StatusCode::FORBIDDEN, "DENIED", message);
    }
    let mut response = error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message);
    let authority = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str()).or(authority).unwrap_or_default();
    insert(
        &mut response,
        WWW_AUTHENTICATE,
        &format!("Basic realm=\"http://{authority}/\",service=\"ecr.amazonaws.com\""),
    );
    response
}

/// What a registry says of a problem.
fn refusal(place: &Place, name: &str, problem: Problem) -> Response {
    let (status, code, message) = match problem {
        Problem::NoRepository => (StatusCode::NOT_FOUND, "NAME_UNKNOWN", no_repository(place, name)),
        Problem::TagExists { tag, .. } => (StatusCode::BAD_REQUEST, "TAG_INVALID", super::ecr::tag_exists(&tag, name)),
        Problem::NoLayers(digests) => (
            StatusCode::BAD_REQUEST,
            "MANIFEST_BLOB_UNKNOWN",
            format!("blobs unknown to registry: {}", digests.join(", ")),
        ),
        Problem::NoImages(digests) => (
            StatusCode::BAD_REQUEST,
            "MANIFEST_BLOB_UNKNOWN",
            format!("manifests unknown to registry: {}", digests.join(", ")),
        ),
        Problem::Digest { asked, found } => {
            (StatusCode::BAD_REQUEST, "DIGEST_INVALID", format!("The manifest's digest is {found}, not {asked}."))
        }
        Problem::Invalid(why) => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID", why),
        Problem::Exists { digest } => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID", format!("{digest} exists already")),
        Problem::Disk(why) => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", why),
    };
    error(status, code, &message)
}

fn disk(problem: std::io::Error) -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", &problem.to_string())
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "errors": [{ "code": code, "message": message }] }).to_string();
    with(status, Bytes::from(body), &[(CONTENT_TYPE, "application/json")])
}

fn with(status: StatusCode, body: Bytes, headers: &[(HeaderName, &str)]) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    headers.iter().for_each(|(name, value)| insert(&mut response, name.clone(), value));
    response
}

fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::byte_range;

    #[test]
    fn ranges_are_cut_to_the_blob() {
        assert_eq!(byte_range("bytes=2-4", 10), Some((2, 5)));
        assert_eq!(byte_range("bytes=8-99", 10), Some((8, 10)));
        assert_eq!(byte_range("bytes=8-", 10), Some((8, 10)));
        assert_eq!(byte_range("bytes=-3", 10), Some((7, 10)));
        for nothing in ["bytes=10-", "bytes=5-4", "bytes=-", "lines=1-2"] {
            assert_eq!(byte_range(nothing, 10), None, "{nothing}");
        }
    }
}
