//! What a request is for: the service, the account and the region, from its signature, else from its host.

use super::Request;
use crate::place::{DEFAULT_ACCOUNT, Place};
use crate::world::World;
use cloudformation::partition::without_dns_suffix;

/// Where a request that bears no region goes.
const DEFAULT_REGION: &str = "us-east-1";

/// What a request is for. The region is empty where a request to S3 does not say it: its bucket does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The signing name: `s3`, `cloudformation`, `logs` …; `registry` for a container registry's API.
    pub service: String,
    pub place: Place,
    /// Who signed; `None`: nobody.
    pub access_key: Option<String>,
}

/// Finds it.
pub(super) fn find(world: &World, request: &Request) -> Route {
    let host = host(request);
    if let Some(signed) = signature(request) {
        let account = world.sessions.account(&signed.access_key);
        // A signature without a region is good for a bucket wherever it is.
        let anywhere = signed.region.is_empty() && signed.service != "s3";
        let region = if anywhere { DEFAULT_REGION } else { &signed.region };
        return Route {
            place: Place::new(&account, region),
            service: signed.service,
            access_key: Some(signed.access_key),
        };
    }
    let (service, account, region) = unsigned(request, &host);
    let account = account.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
    Route { service, place: Place::new(&account, &region), access_key: None }
}

/// The host without its port, in lower case.
pub(crate) fn host(request: &Request) -> String {
    let header = || request.headers().get(http::header::HOST)?.to_str().ok();
    let host = request.uri().host().or_else(header).unwrap_or_default();
    let without_port = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    without_port.to_ascii_lowercase()
}

struct Signature {
    access_key: String,
    region: String,
    service: String,
}

/// The credential scope of a signed or presigned request.
fn signature(request: &Request) -> Option<Signature> {
    let header = request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(header) = header.filter(|header| header.starts_with("AWS4-")) {
        let scope = header.split_once("Credential=")?.1.split(',').next()?;
        return scope_of(scope);
    }
    let query = request.uri().query()?;
    let parameter = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    match parameter("X-Amz-Credential") {
        Some(scope) => scope_of(&scope),
        // Signature version 2, which only S3 still takes.
        None => parameter("AWSAccessKeyId").filter(|_| query.contains("Signature=")).map(|access_key| Signature {
            access_key,
            region: String::new(),
            service: "s3".to_owned(),
        }),
    }
}

/// `key/date/region/service/aws4_request`; without the region where a signature is for several.
fn scope_of(scope: &str) -> Option<Signature> {
    let parts: Vec<&str> = scope.trim().split('/').collect();
    let (access_key, region, service) = match parts.as_slice() {
        [key, _, region, service, _] => (key, *region, service),
        [key, _, service, _] => (key, "", service),
        _ => return None,
    };
    Some(Signature { access_key: (*access_key).to_owned(), region: region.to_owned(), service: (*service).to_owned() })
}

/// Service, account and region of a request that nobody signed.
fn unsigned(request: &Request, host: &str) -> (String, Option<String>, String) {
    let labels: Vec<&str> = host.split('.').collect();
    let is_account = |label: &str| label.len() == 12 && label.bytes().all(|byte| byte.is_ascii_digit());
    if let [account, "dkr", "ecr" | "ecr-fips", region, ..] = labels.as_slice()
        && is_account(account)
    {
        return ("registry".to_owned(), Some((*account).to_owned()), (*region).to_owned());
    }
    if request.uri().path() == "/v2" || request.uri().path().starts_with("/v2/") {
        return ("registry".to_owned(), None, DEFAULT_REGION.to_owned());
    }
    let region = |label: Option<&&str>| {
        label.filter(|label| label.contains('-')).map_or(DEFAULT_REGION, |label| label).to_owned()
    };
    if without_dns_suffix(host).is_some() {
        let bucket_ends = labels.iter().rposition(|label| matches!(*label, "s3" | "s3-fips"));
        let (service, at) = bucket_ends.map_or((labels[0], 0), |at| ("s3", at));
        let service = service.strip_suffix("-fips").unwrap_or(service);
        let at = if labels.get(at + 1) == Some(&"dualstack") { at + 1 } else { at };
        return (service.to_owned(), None, region(labels.get(at + 1)));
    }
    // The calls of STS that come before there are credentials, at an endpoint that serves everything.
    let is_form = request
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let (service, region) = if is_form { ("sts", DEFAULT_REGION) } else { ("s3", "") };
    (service.to_owned(), None, region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::LocalAws;
    use bytes::Bytes;

    async fn route(request: http::request::Builder) -> (String, String) {
        let aws = LocalAws::open(Default::default()).await.expect("a world");
        let route = find(&aws.world, &request.body(Bytes::new()).expect("a request"));
        (route.service, route.place.to_string())
    }

    #[tokio::test]
    async fn signatures_lead() {
        let header = |key: &str, scope: &str| {
            http::Request::post("http://localhost:4566/").header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={key}/20261122/{scope}, SignedHeaders=host"),
            )
        };
        let cloudformation = route(header("111122223333", "eu-west-1/cloudformation/aws4_request")).await;
        assert_eq!(cloudformation, ("cloudformation".into(), "111122223333/eu-west-1".into()));
        let unknown_key = route(header("AKIAIOSFODNN7EXAMPLE", "us-east-2/s3/aws4_request")).await;
        assert_eq!(unknown_key, ("s3".into(), "000000000000/us-east-2".into()));
        let presigned =
            "https://b.s3.amazonaws.com/k?X-Amz-Credential=111122223333%2F20261122%2Fus-west-2%2Fs3%2Faws4_request";
        assert_eq!(route(http::Request::get(presigned)).await, ("s3".into(), "111122223333/us-west-2".into()));
        let old = "http://localhost/b/k?AWSAccessKeyId=111122223333&Signature=x&Expires=1";
        assert_eq!(route(http::Request::get(old)).await, ("s3".into(), "111122223333/".into()));
    }

    #[tokio::test]
    async fn hosts_lead_where_nobody_signed() {
        for (uri, service, place) in [
            ("https://sts.eu-west-1.amazonaws.com/", "sts", "000000000000/eu-west-1"),
            ("https://sts.amazonaws.com/", "sts", "000000000000/us-east-1"),
            ("https://sts-fips.us-east-2.amazonaws.com/", "sts", "000000000000/us-east-2"),
            ("https://b.s3-fips.dualstack.us-east-2.amazonaws.com/k", "s3", "000000000000/us-east-2"),
            ("https://b.s3.us-isob-east-1.sc2s.sgov.gov/k", "s3", "000000000000/us-isob-east-1"),
            ("https://b.c.s3.eu-west-1.amazonaws.com/k", "s3", "000000000000/eu-west-1"),
            ("http://127.0.0.1:4566/b/k", "s3", "000000000000/"),
            ("http://localhost:4566/v2/", "registry", "000000000000/us-east-1"),
            (
                "http://111122223333.dkr.ecr.eu-west-1.localhost:4566/v2/a/tags/list",
                "registry",
                "111122223333/eu-west-1",
            ),
        ] {
            assert_eq!(route(http::Request::get(uri)).await, (service.into(), place.into()), "{uri}");
        }
        let form =
            http::Request::post("http://localhost:4566/").header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(route(form).await.0, "sts");
    }
}
