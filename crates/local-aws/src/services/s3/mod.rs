//! S3: bucket names are one space for all accounts and regions, and only a bucket's own region serves it.
//!
//! winterbaume keeps objects; this decides whose bucket a request means, and holds what changes apart, for winterbaume
//! checks a condition and writes in two steps.

mod acl;
mod buckets;
mod error;
mod expiry;
mod keys;
mod listing;
mod system;
mod tags;
mod uploads;

use super::account::{Backend, PLACEHOLDER};
use super::rewrite::{replace, response};
use super::{Answered, Services};
use crate::door::{Request, Response};
use crate::place::Place;
pub(super) use buckets::Buckets;
use bytes::Bytes;
pub(crate) use error::answer as error;
use http::header::{ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, Method, StatusCode};
pub(super) use uploads::Uploads;
use winterbaume_core::MockRequest;

/// The bucket and the key, as the URL writes it, that a request is about; empty where it is about none.
pub(crate) fn target(request: &Request) -> (String, String) {
    let host = crate::door::host(request);
    let path = request.uri().path().strip_prefix('/').unwrap_or_default();
    let (bucket, key) = match buckets::of_host(&host) {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    (bucket.to_owned(), key.to_owned())
}

/// A request with its bucket in the path, wherever it was.
#[derive(Clone)]
struct Call {
    method: Method,
    /// Empty for calls that are about no bucket.
    bucket: String,
    /// As it is in the URL; empty for calls about the bucket.
    key: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

/// Lets S3 answer.
pub(super) async fn answer(services: &Services, place: &Place, request: Request) -> Answered {
    let mut call = Call::read(request);
    if let Some(refusal) = expiry::refusal(&call, services.clock.now()) {
        return Answered { changed: None, response: refusal };
    }
    call.keep_description();
    // A bucket is in a region, and a new one may be in another than the one that was asked.
    let region = if call.creates_bucket() { buckets::region_of(place, &call.body) } else { None };
    let owner = services.buckets.owner(&call.bucket).or(region.map(|region| Place::new(&place.account, &region)));
    let (bucket, is_head) = (call.bucket.clone(), call.method == Method::HEAD);
    let mut response = route(services, place, call).await;
    if !is_head {
        response = error::name_bucket(response, &bucket);
    }
    Answered { changed: owner, response }
}

async fn route(services: &Services, place: &Place, call: Call) -> Response {
    if call.bucket.is_empty() {
        return list_buckets(services, place);
    }
    if call.creates_bucket() {
        return create_bucket(services, place, call).await;
    }
    let owner = match services.buckets.owner(&call.bucket) {
        Some(owner) => owner,
        None => return call.refuse(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist"),
    };
    if owner.account != place.account {
        return call.refuse(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied");
    }
    let asks_location = call.method == Method::GET && call.has_parameter("location");
    if !place.region.is_empty() && owner.region != place.region && !asks_location {
        return call.redirect(&owner.region);
    }
    let account = services.account(&owner.account);
    let Some(backend) = account.backend("s3") else { return Response::default() };
    if let Some(answer) = acl::answer(backend, &owner, &call).await {
        return answer;
    }
    if let Some(answer) = listing::answer(backend, &owner, &call).await {
        return answer;
    }
    if matches!(call.method, Method::GET | Method::HEAD) {
        return call.pass(backend, &owner).await;
    }
    let _writing = account.s3_writing.lock().await;
    if let Some(refusal) = unmet_condition(backend, &owner, &call).await {
        return refusal;
    }
    let deletes_bucket = call.deletes_bucket();
    let bucket = call.bucket.clone();
    let tagged = call.tagged();
    let response = uploads::pass(services, backend, &owner, call).await;
    if deletes_bucket && response.status().is_success() {
        services.buckets.remove(&bucket);
    }
    if let Some(object) = tagged.filter(|_| response.status().is_success()) {
        tags::put(backend, &owner, &object, &object.headers).await;
    }
    response
}

/// The buckets of an account, whatever their regions.
fn list_buckets(services: &Services, place: &Place) -> Response {
    let mut listed = String::new();
    for (name, bucket) in services.buckets.of(&place.account) {
        listed.push_str(&format!(
            "<Bucket><Name>{name}</Name><CreationDate>{}</CreationDate><BucketRegion>{}</BucketRegion></Bucket>",
            bucket.created.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            bucket.place.region
        ));
    }
    error::xml(
        StatusCode::OK,
        format!(
            "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Buckets>{listed}</Buckets>\
             <Owner><ID>{}</ID></Owner></ListAllMyBucketsResult>",
            place.account
        ),
    )
}

async fn create_bucket(services: &Services, place: &Place, call: Call) -> Response {
    if !buckets::is_valid(&call.bucket) {
        return call.refuse(StatusCode::BAD_REQUEST, "InvalidBucketName", "The specified bucket is not valid.");
    }
    let Some(region) = buckets::region_of(place, &call.body) else {
        let asked = buckets::location_constraint(&call.body);
        let message = format!(
            "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
            asked.as_deref().unwrap_or("unspecified")
        );
        return call.refuse(StatusCode::BAD_REQUEST, "IllegalLocationConstraintException", &message);
    };
    let owner = Place::new(&place.account, &region);
    let account = services.account(&place.account);
    let Some(backend) = account.backend("s3") else { return Response::default() };
    let _writing = account.s3_writing.lock().await;
    match services.buckets.claim(&call.bucket, &owner, services.clock.now()) {
        None => {}
        // The one region where making a bucket again is no error.
        Some(before) if before == owner && region == "us-east-1" => return error::xml(StatusCode::OK, String::new()),
        Some(before) if before.account == owner.account => {
            return call.refuse(
                StatusCode::CONFLICT,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            );
        }
        Some(_) => {
            return call.refuse(
                StatusCode::CONFLICT,
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
                 Please select a different name and try again.",
            );
        }
    }
    let bucket = call.bucket.clone();
    let response = call.pass(backend, &owner).await;
    if !response.status().is_success() {
        services.buckets.remove(&bucket);
    }
    response
}

/// The refusal of a conditional write whose condition does not hold.
async fn unmet_condition(backend: &dyn Backend, owner: &Place, call: &Call) -> Option<Response> {
    let conditions = [call.headers.get(IF_MATCH), call.headers.get(IF_NONE_MATCH)];
    if call.key.is_empty() || conditions.iter().all(Option::is_none) {
        return None;
    }
    let [if_match, if_none_match] = conditions.map(|value| value.and_then(|value| value.to_str().ok()));
    let head = Call {
        method: Method::HEAD,
        bucket: call.bucket.clone(),
        key: call.key.clone(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let head = head.pass(backend, owner).await;
    let etag = head.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).filter(|_| head.status().is_success());
    let same = |asked: &str| asked == "*" || etag.is_some_and(|etag| etag.trim_matches('"') == asked.trim_matches('"'));
    match (if_match, etag) {
        (Some(_), None) => {
            return Some(call.refuse(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist."));
        }
        (Some(asked), Some(_)) if !same(asked) => return Some(call.precondition_failed("If-Match")),
        _ => {}
    }
    if_none_match.filter(|asked| etag.is_some() && same(asked)).map(|_| call.precondition_failed("If-None-Match"))
}

impl Call {
    fn read(request: Request) -> Self {
        let (bucket, key) = target(&request);
        let (parts, body) = request.into_parts();
        Call {
            method: parts.method,
            bucket,
            key,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
        }
    }

    fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The call without its body, if it puts an object with tags.
    fn tagged(&self) -> Option<Call> {
        let tagged = self.describes_object() && self.headers.contains_key("x-amz-tagging");
        tagged.then(|| Call { body: Bytes::new(), ..self.clone() })
    }

    fn has_parameter(&self, name: &str) -> bool {
        form_urlencoded::parse(self.query.as_bytes()).any(|(key, _)| key == name)
    }

    /// Whether it names what it is about: a subresource, such as `?policy`.
    fn has_subresource(&self) -> bool {
        form_urlencoded::parse(self.query.as_bytes()).any(|(key, _)| key != "x-id" && !key.starts_with("X-Amz-"))
    }

    fn creates_bucket(&self) -> bool {
        self.method == Method::PUT && self.key.is_empty() && !self.has_subresource()
    }

    fn deletes_bucket(&self) -> bool {
        self.method == Method::DELETE && self.key.is_empty() && !self.has_subresource()
    }

    /// The same object's first byte: winterbaume says of metadata only in answers that have a body.
    fn first_byte(&self) -> Call {
        Call {
            method: Method::GET,
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            query: self.query.clone(),
            headers: HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-0"))]),
            body: Bytes::new(),
        }
    }

    /// Lets winterbaume answer. What it answers about an object has all of its headers.
    async fn pass(self, backend: &dyn Backend, owner: &Place) -> Response {
        let (about_object, query) = (!self.key.is_empty(), self.query.clone());
        let puts = about_object && self.method == Method::PUT;
        let sent = if puts { system::checksums(&self.headers) } else { HeaderMap::new() };
        let asks_checksum = self.headers.get("x-amz-checksum-mode").is_some_and(|mode| mode == "ENABLED");
        let is_copy = self.headers.contains_key("x-amz-copy-source");
        let first_byte = (about_object && self.method == Method::HEAD).then(|| self.first_byte());
        let mut response = self.hand_over(backend, owner).await;
        if let Some(mut first) = first_byte.filter(|_| response.status().is_success()) {
            let mut answer = first.clone().hand_over(backend, owner).await;
            if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
                // There is none.
                first.headers.clear();
                answer = first.hand_over(backend, owner).await;
            }
            system::add_metadata(response.headers_mut(), answer.headers());
        }
        if about_object {
            system::show(response.headers_mut(), &query);
            // That of a whole object says nothing of a part of it.
            if !asks_checksum || response.status() == StatusCode::PARTIAL_CONTENT {
                system::hide_checksums(response.headers_mut());
            }
        }
        if response.status().is_success() && !is_copy {
            response.headers_mut().extend(sent);
        }
        response
    }

    async fn hand_over(self, backend: &dyn Backend, owner: &Place) -> Response {
        let reads_object = self.method == Method::GET && !self.key.is_empty();
        let slash = if self.key.is_empty() { "" } else { "/" };
        let query = keys::query(&self.query);
        // winterbaume reads a plus in a path as a space.
        let key = self.key.replace('+', "%2B");
        let uri = format!("https://s3.{}.amazonaws.com/{}{slash}{key}?{query}", owner.region, self.bucket);
        let is_head = self.method == Method::HEAD;
        let names_keys = keys::are_named(&self);
        let body = if names_keys { keys::inward(&self.body) } else { self.body };
        let request = MockRequest { method: self.method.to_string(), uri, headers: self.headers, body };
        let mut response = response(backend.handle(request).await);
        if !reads_object {
            *response.body_mut() = replace(response.body(), PLACEHOLDER, &owner.account);
        }
        if names_keys {
            *response.body_mut() = keys::outward(response.body());
        }
        if is_head && self.key.is_empty() {
            error::region_header(&mut response, &owner.region);
        }
        response
    }

    fn refuse(&self, status: StatusCode, code: &str, message: &str) -> Response {
        let mut response = error::answer(status, code, message, &format!("/{}/{}", self.bucket, self.key));
        if self.method == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        response
    }

    fn precondition_failed(&self, condition: &str) -> Response {
        let message = "At least one of the pre-conditions you specified did not hold";
        error::with_member(
            self.refuse(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message),
            "Condition",
            condition,
        )
    }

    fn redirect(&self, region: &str) -> Response {
        let message = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                       Please send all future requests to this endpoint.";
        let mut response = self.refuse(StatusCode::MOVED_PERMANENTLY, "PermanentRedirect", message);
        error::region_header(&mut response, region);
        response
    }
}
