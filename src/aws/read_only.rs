//! A connection that cannot change anything: requests that are not known to be reads never leave.
//!
//! It stands in the HTTP client, below every service's client, so that nothing above it can forget to ask. What it lets
//! through is a list of what reads, not of what writes: an operation that nobody thought of is refused.

use crate::error::{Error, Kind};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use percent_encoding::percent_decode_str;

/// Operations that read although their names begin otherwise. `DetectStackDrift` looks at resources and notes what it saw
/// with the stack; `AssumeRole` changes nothing but the caller.
const READS: [(&str, &str); 8] = [
    ("cloudformation", "DetectStackDrift"),
    ("cloudformation", "DetectStackResourceDrift"),
    ("cloudtrail", "LookupEvents"),
    ("sts", "AssumeRole"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("dynamodb", "Query"),
    ("dynamodb", "BatchGetItem"),
    ("ecr", "BatchGetImage"),
];
const PREFIXES: [&str; 3] = ["Describe", "Get", "List"];

/// Lets reads through to the client behind it.
#[derive(Debug, Clone)]
pub(super) struct ReadOnly {
    inner: SharedHttpClient,
}

impl ReadOnly {
    pub(super) fn client(inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(ReadOnly { inner })
    }
}

impl HttpClient for ReadOnly {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(ReadOnlyConnector { inner: self.inner.http_connector(settings, components) })
    }
}

#[derive(Debug)]
struct ReadOnlyConnector {
    inner: SharedHttpConnector,
}

impl HttpConnector for ReadOnlyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match refused(&request) {
            None => self.inner.call(request),
            Some(operation) => {
                let error = Error::new(Kind::Aws, format!("{operation} was not sent: this command only reads"))
                    .detail("it asked for something that is not known to be a read, which is a mistake in infra");
                HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())))
            }
        }
    }
}

/// What a request would do, if it is not known to be a read.
fn refused(request: &HttpRequest) -> Option<String> {
    if matches!(request.method(), "GET" | "HEAD") {
        return None;
    }
    let (service, operation) = (service(request), operation(request)?);
    let reads = READS.contains(&(service, operation.as_str()))
        || (service != "s3" && PREFIXES.iter().any(|prefix| operation.starts_with(prefix)));
    (!reads).then(|| format!("{service}:{operation}"))
}

/// From the scope of the signature (`…/us-east-1/cloudformation/aws4_request`); STS is asked without one by web identities.
fn service(request: &HttpRequest) -> &str {
    let scope = request.headers().get("authorization").and_then(|text| text.split('/').nth(3));
    scope.unwrap_or_else(|| if request.uri().contains("sts.") { "sts" } else { "unsigned" })
}

/// Where the services' protocols put it: a header, the path of RPC, a form; else the method.
fn operation(request: &HttpRequest) -> Option<String> {
    if let Some(target) = request.headers().get("x-amz-target") {
        return Some(target.rsplit('.').next().unwrap_or(target).to_owned());
    }
    if let Some((_, operation)) = request.uri().split_once("/operation/") {
        return Some(operation.split('?').next().unwrap_or(operation).to_owned());
    }
    let body = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let action = action.map(|action| percent_decode_str(action).decode_utf8_lossy().into_owned());
    Some(action.unwrap_or_else(|| request.method().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn request(method: &str, service: &str, target: Option<&str>, body: &str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).unwrap();
        request.set_uri("https://aws.example/").unwrap();
        let scope = format!("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/{service}/aws4_request, Signature=0");
        request.headers_mut().insert("authorization", scope);
        if let Some(target) = target {
            request.headers_mut().insert("x-amz-target", target.to_owned());
        }
        request
    }

    #[test]
    fn only_what_is_known_to_read_gets_through() {
        for (method, service, target, body, passes) in [
            ("POST", "cloudformation", None, "Action=DescribeStacks&Version=1", true),
            ("POST", "cloudformation", None, "Action=DetectStackDrift&StackName=x", true),
            ("POST", "cloudformation", None, "Action=CreateChangeSet&StackName=Describe", false),
            ("POST", "cloudformation", None, "StackName=x&Action=DeleteStack", false),
            ("POST", "cloudcontrolapi", Some("CloudApiService.GetResource"), "{}", true),
            ("POST", "cloudcontrolapi", Some("CloudApiService.UpdateResource"), "{}", false),
            ("POST", "cloudtrail", Some("com.amazonaws.CloudTrail_20131101.LookupEvents"), "{}", true),
            ("POST", "cloudtrail", Some("com.amazonaws.CloudTrail_20131101.StopLogging"), "{}", false),
            ("POST", "ecs", Some("AmazonEC2ContainerServiceV20141113.ListTasks"), "{}", true),
            ("POST", "ecs", Some("AmazonEC2ContainerServiceV20141113.StopTask"), "{}", false),
            ("POST", "dynamodb", Some("DynamoDB_20120810.GetItem"), "{}", true),
            ("POST", "dynamodb", Some("DynamoDB_20120810.PutItem"), "{}", false),
            ("POST", "sts", None, "Action=AssumeRole&Version=1", true),
            ("GET", "s3", None, "", true),
            ("HEAD", "s3", None, "", true),
            ("PUT", "s3", None, "", false),
            ("DELETE", "s3", None, "", false),
            ("POST", "s3", Some("S3.GetEverything"), "", false),
            ("POST", "unheard-of", Some("Of.FrobnicateAll"), "{}", false),
        ] {
            let request = request(method, service, target, body);
            assert_eq!(refused(&request).is_none(), passes, "{method} {service} {target:?} {body}");
        }
    }
}
