//! What a request asks for, by its protocol.

use super::Request;
use http::Method;

/// The operation's name; empty where the request does not say.
pub(crate) fn operation(service: &str, request: &Request) -> String {
    if let Some(target) = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()) {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    if let Some((_, operation)) = request.uri().path().split_once("/operation/") {
        return operation.to_owned();
    }
    match service {
        "s3" => of_s3(request),
        "registry" => of_registry(request).to_owned(),
        _ => crate::query::action(request),
    }
}

/// Whether an operation may change something. What is not known to be a read may.
pub(crate) fn writes(service: &str, operation: &str, request: &Request) -> bool {
    match service {
        "s3" | "registry" | "route53" => !matches!(*request.method(), Method::GET | Method::HEAD),
        _ => {
            let reads = [
                "Describe",
                "Get",
                "List",
                "BatchGet",
                "Query",
                "Scan",
                "Filter",
                "Validate",
                "Estimate",
                "BatchCheck",
                "Lookup",
            ];
            !reads.iter().any(|read| operation.starts_with(read))
        }
    }
}

/// The subresources that this crate's users have to do with, and how operations call them.
const SUBRESOURCES: [(&str, &str); 16] = [
    ("policy", "BucketPolicy"),
    ("versioning", "BucketVersioning"),
    ("encryption", "BucketEncryption"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("location", "BucketLocation"),
    ("tagging", "BucketTagging"),
    ("acl", "BucketAcl"),
    ("cors", "BucketCors"),
    ("logging", "BucketLogging"),
    ("notification", "BucketNotificationConfiguration"),
    ("replication", "BucketReplication"),
    ("website", "BucketWebsite"),
    ("accelerate", "BucketAccelerateConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
];

fn of_s3(request: &Request) -> String {
    let query = request.uri().query().unwrap_or_default();
    let has = |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name);
    if let Some((_, operation)) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "x-id") {
        return operation.into_owned();
    }
    let (bucket, key) = crate::services::s3::target(request);
    let method = request.method();
    let verb = match *method {
        Method::PUT => "Put",
        Method::DELETE => "Delete",
        _ => "Get",
    };
    if let Some((_, name)) = SUBRESOURCES.iter().find(|(parameter, _)| has(parameter)) {
        let name = if key.is_empty() { (*name).to_owned() } else { name.replacen("Bucket", "Object", 1) };
        return format!("{verb}{name}");
    }
    let name = match (method, bucket.is_empty(), key.is_empty()) {
        (&Method::GET, true, _) => "ListBuckets",
        (&Method::GET, _, true) if has("versions") => "ListObjectVersions",
        (&Method::GET, _, true) if has("uploads") => "ListMultipartUploads",
        (&Method::GET, _, true) if has("list-type") => "ListObjectsV2",
        (&Method::GET, _, true) => "ListObjects",
        (&Method::GET, ..) if has("uploadId") => "ListParts",
        (&Method::GET, ..) => "GetObject",
        (&Method::HEAD, _, true) => "HeadBucket",
        (&Method::HEAD, ..) => "HeadObject",
        (&Method::PUT, _, true) => "CreateBucket",
        (&Method::PUT, ..) if has("uploadId") => "UploadPart",
        (&Method::PUT, ..) if request.headers().contains_key("x-amz-copy-source") => "CopyObject",
        (&Method::PUT, ..) => "PutObject",
        (&Method::DELETE, _, true) => "DeleteBucket",
        (&Method::DELETE, ..) if has("uploadId") => "AbortMultipartUpload",
        (&Method::DELETE, ..) => "DeleteObject",
        (&Method::POST, _, true) if has("delete") => "DeleteObjects",
        (&Method::POST, ..) if has("uploads") => "CreateMultipartUpload",
        (&Method::POST, ..) if has("uploadId") => "CompleteMultipartUpload",
        _ => "",
    };
    name.to_owned()
}

/// Names after the endpoints of the OCI distribution specification.
fn of_registry(request: &Request) -> &'static str {
    let path = request.uri().path();
    let upload = path.contains("/blobs/uploads/");
    match *request.method() {
        Method::POST if upload => "StartUpload",
        Method::PATCH if upload => "UploadChunk",
        Method::PUT if upload => "CompleteUpload",
        Method::GET if upload => "GetUpload",
        Method::DELETE if upload => "CancelUpload",
        Method::GET if path.contains("/blobs/") => "GetBlob",
        Method::HEAD if path.contains("/blobs/") => "HeadBlob",
        Method::GET if path.contains("/manifests/") => "GetManifest",
        Method::HEAD if path.contains("/manifests/") => "HeadManifest",
        Method::PUT if path.contains("/manifests/") => "PutManifest",
        Method::DELETE if path.contains("/manifests/") => "DeleteManifest",
        Method::GET if path.ends_with("/tags/list") => "ListTags",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn requests_of_s3_are_named() {
        let cases = [
            ("PUT", "/b/k", "PutObject"),
            ("GET", "/b/k?x-id=GetObject", "GetObject"),
            ("GET", "/b?list-type=2&prefix=a", "ListObjectsV2"),
            ("GET", "/b/?versions", "ListObjectVersions"),
            ("GET", "/b?policy", "GetBucketPolicy"),
            ("PUT", "/b?publicAccessBlock", "PutPublicAccessBlock"),
            ("PUT", "/b/k?tagging", "PutObjectTagging"),
            ("HEAD", "/b", "HeadBucket"),
            ("POST", "/b?delete", "DeleteObjects"),
            ("PUT", "/b", "CreateBucket"),
            ("GET", "/", "ListBuckets"),
        ];
        for (method, path, name) in cases {
            let request =
                http::Request::builder().method(method).uri(format!("http://localhost{path}")).body(Bytes::new());
            let request = request.expect("a request");
            assert_eq!(operation("s3", &request), name, "{method} {path}");
        }
    }
}
