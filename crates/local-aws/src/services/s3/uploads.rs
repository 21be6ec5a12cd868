//! Uploads in parts. winterbaume keeps the parts, but drops what the upload's beginning said of the object, and takes the
//! whole source for a part that copies a range of it. So that description is kept here until the object is there, which
//! then gets it by a copy onto itself; and the bytes of a copied part are read here and go in as any part's.
//!
//! Uploads that are not completed are gone when the world is closed, here as in winterbaume.

use super::{Call, error, tags};
use crate::door::Response;
use crate::place::Place;
use crate::services::Services;
use crate::services::account::Backend;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, RANGE};
use http::{HeaderMap, Method, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

const COPY_SOURCE: &str = "x-amz-copy-source";
const VERSION: &str = "x-amz-version-id";

/// What the objects of uploads that are under way will be described as, by the uploads' ids.
#[derive(Default)]
pub(in crate::services) struct Uploads(Mutex<BTreeMap<String, HeaderMap>>);

impl Uploads {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, HeaderMap>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets winterbaume answer a call that may be about an upload.
pub(super) async fn pass(services: &Services, backend: &dyn Backend, owner: &Place, call: Call) -> Response {
    let upload = call.parameter("uploadId");
    match (&call.method, upload) {
        (&Method::POST, None) if call.has_parameter("uploads") => {
            let said = call.headers.clone();
            let response = call.pass(backend, owner).await;
            let body = String::from_utf8_lossy(response.body());
            if let Some(id) = between(&body, "<UploadId>", "</UploadId>").filter(|_| response.status().is_success()) {
                services.uploads.lock().insert(id.to_owned(), said);
            }
            response
        }
        (&Method::PUT, Some(_)) if call.headers.contains_key(COPY_SOURCE) => {
            copy_part(services, backend, owner, call).await
        }
        (&Method::POST, Some(id)) => complete(services, backend, owner, call, &id).await,
        (&Method::DELETE, Some(id)) => {
            services.uploads.lock().remove(&id);
            call.pass(backend, owner).await
        }
        _ => call.pass(backend, owner).await,
    }
}

/// Completes an upload, and describes the object as its beginning said.
async fn complete(services: &Services, backend: &dyn Backend, owner: &Place, call: Call, id: &str) -> Response {
    let (bucket, key) = (call.bucket.clone(), call.key.clone());
    if let Some(refusal) = too_small(backend, owner, &call, id).await {
        return refusal;
    }
    let response = call.pass(backend, owner).await;
    // A refusal may come with status 200.
    let is_done = response.status().is_success() && memchr::memmem::find(response.body(), b"<Error>").is_none();
    let said = if is_done { services.uploads.lock().remove(id) } else { None };
    let Some(said) = said else { return response };
    let about = |method, query: String, headers| Call {
        method,
        bucket: bucket.clone(),
        key: key.clone(),
        query,
        headers,
        body: Bytes::new(),
    };
    let mut response = response;
    let mut copy = about(Method::PUT, String::new(), said.clone());
    if copy.says_more_than_its_type() {
        copy.headers.remove(http::header::CONTENT_LENGTH);
        let source = HeaderValue::from_str(&format!("/{bucket}/{key}"));
        let Ok(source) = source else { return response };
        copy.headers.insert(COPY_SOURCE, source);
        copy.headers.insert("x-amz-metadata-directive", HeaderValue::from_static("REPLACE"));
        copy.keep_description();
        let copied = copy.pass(backend, owner).await;
        if !copied.status().is_success() {
            return copied;
        }
        // In a bucket with versions the copy is one more; only it stays.
        if let (Some(new), Some(old)) = (copied.headers().get(VERSION), response.headers().get(VERSION)) {
            let old = old.to_str().unwrap_or_default().to_owned();
            let (new, name) = (new.clone(), HeaderName::from_static(VERSION));
            let _ = about(Method::DELETE, format!("versionId={old}"), HeaderMap::new()).pass(backend, owner).await;
            response.headers_mut().insert(name, new);
        }
    }
    tags::put(backend, owner, &about(Method::PUT, String::new(), HeaderMap::new()), &said).await;
    response
}

/// All parts but the last have at least this many bytes. (Amazon S3 User Guide, "Amazon S3 multipart upload limits".)
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// The refusal of an upload with a part that is too small.
async fn too_small(backend: &dyn Backend, owner: &Place, call: &Call, id: &str) -> Option<Response> {
    let wanted = String::from_utf8_lossy(&call.body).into_owned();
    let numbers: Vec<&str> = wanted.split("<PartNumber>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    let (_, all_but_last) = numbers.split_last()?;
    let query = format!("uploadId={}", form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>());
    let list = Call { method: Method::GET, query, headers: HeaderMap::new(), body: Bytes::new(), ..call.clone() };
    let listed = list.pass(backend, owner).await;
    let listed = String::from_utf8_lossy(listed.body()).into_owned();
    for part in listed.split("<Part>").skip(1) {
        let of = |name: &str| between(part, &format!("<{name}>"), &format!("</{name}>")).unwrap_or_default();
        let size: u64 = of("Size").parse().unwrap_or(SMALLEST_PART);
        if size >= SMALLEST_PART || !all_but_last.iter().any(|number| number.trim() == of("PartNumber")) {
            continue;
        }
        let message = "Your proposed upload is smaller than the minimum allowed size";
        let mut refusal = call.refuse(StatusCode::BAD_REQUEST, "EntityTooSmall", message);
        for (name, text) in [
            ("ProposedSize", size.to_string()),
            ("MinSizeAllowed", SMALLEST_PART.to_string()),
            ("PartNumber", of("PartNumber").to_owned()),
        ] {
            refusal = error::with_member(refusal, name, &text);
        }
        return Some(refusal);
    }
    None
}

/// Uploads a part whose bytes are those of another object, or a range of them.
async fn copy_part(services: &Services, backend: &dyn Backend, owner: &Place, mut call: Call) -> Response {
    let text = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let source = text(COPY_SOURCE).unwrap_or_default();
    let range = text("x-amz-copy-source-range");
    let (path, version) = source.split_once("?versionId=").map_or((source.as_str(), None), |(a, b)| (a, Some(b)));
    let Some((bucket, key)) = path.trim_start_matches('/').split_once('/') else {
        let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
        return call.refuse(StatusCode::BAD_REQUEST, "InvalidArgument", message);
    };
    let Some(place) = services.buckets.owner(bucket) else {
        return call.refuse(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist");
    };
    if place.account != owner.account {
        return call.refuse(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied");
    }
    let headers = range.as_ref().and_then(|range| HeaderValue::from_str(range).ok());
    let read = Call {
        method: Method::GET,
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        query: version.map(|version| format!("versionId={version}")).unwrap_or_default(),
        headers: headers.map(|range| (RANGE, range)).into_iter().collect(),
        body: Bytes::new(),
    };
    let read = read.pass(backend, &place).await;
    if !read.status().is_success() {
        return read;
    }
    let given: Vec<HeaderName> =
        call.headers.keys().filter(|name| name.as_str().starts_with(COPY_SOURCE)).cloned().collect();
    given.iter().for_each(|name| drop(call.headers.remove(name)));
    call.headers.remove(CONTENT_TYPE);
    call.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(read.body().len()));
    call.body = read.into_body();
    let part = call.pass(backend, owner).await;
    let Some(etag) = part.headers().get(ETAG).and_then(|etag| etag.to_str().ok()) else { return part };
    let modified = services.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z");
    error::xml(
        StatusCode::OK,
        format!(
            "<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LastModified>{modified}</LastModified>\
             <ETag>{}</ETag></CopyPartResult>",
            crate::query::escape(etag)
        ),
    )
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    Some(text.split_once(from)?.1.split_once(to)?.0)
}
