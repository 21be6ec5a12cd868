//! A bucket and a table in this process, behind the SDK's HTTP seam: what runs in virtual time needs a server that
//! takes none. Only what states and locks ask for: S3's GetObject, PutObject with conditions, lists; DynamoDB's GetItem,
//! PutItem and DeleteItem with `attribute_not_exists` and equalities; STS's GetCallerIdentity.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, Default)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Path → ETag and body.
    objects: BTreeMap<String, (String, Vec<u8>)>,
    /// Key → item, in DynamoDB's JSON.
    items: BTreeMap<String, Value>,
    writes: u64,
}

impl Memory {
    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

impl HttpClient for Memory {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Memory {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            let body = ByteStream::new(request.take_body()).collect().await.expect("a body in memory").into_bytes();
            let mut inner = inner.lock().expect("no test panics while it holds this");
            Ok(match request.headers().get("x-amz-target") {
                Some(target) => {
                    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
                    inner.dynamodb(&operation, &serde_json::from_slice(&body).expect("a JSON body"))
                }
                None if body.starts_with(b"Action=GetCallerIdentity") => respond(200, IDENTITY, &[]),
                None => inner.s3(&request, &body),
            })
        })
    }
}

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::111122223333:user/test</Arn><UserId>U</UserId><Account>111122223333</Account>\
    </GetCallerIdentityResult></GetCallerIdentityResponse>";

fn respond(status: u16, body: &str, headers: &[(&'static str, String)]) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body));
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.clone());
    }
    response
}

impl Inner {
    fn s3(&mut self, request: &HttpRequest, body: &[u8]) -> HttpResponse {
        let (path, query) = match request.uri().split_once('?') {
            Some((path, query)) => (path, query),
            None => (request.uri(), ""),
        };
        let path = path.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
        let error = |status, code| respond(status, &format!("<Error><Code>{code}</Code><Message/></Error>"), &[]);
        let found = self.objects.get(&path);
        match request.method() {
            "GET" if query.contains("list-type=2") => {
                let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap_or_default();
                let prefix = format!("{}/{}", path.trim_end_matches('/'), prefix.replace("%2F", "/"));
                let keys = self.objects.iter().filter(|(path, _)| path.starts_with(&prefix));
                let lines = keys.map(|(path, (_, body))| {
                    let key = path.split_once('/').unwrap_or_default().1;
                    let time = "<LastModified>2026-01-01T00:00:00Z</LastModified>";
                    format!("<Contents><Key>{key}</Key>{time}<Size>{}</Size></Contents>", body.len())
                });
                let lines: String = lines.collect();
                respond(
                    200,
                    &format!("<ListBucketResult><IsTruncated>false</IsTruncated>{lines}</ListBucketResult>"),
                    &[],
                )
            }
            "GET" if query.contains("versions") => respond(200, "<ListVersionsResult/>", &[]),
            "GET" => match found {
                None => error(404, "NoSuchKey"),
                Some((etag, body)) => {
                    let text = String::from_utf8_lossy(body).into_owned();
                    respond(200, &text, &[("etag", etag.clone())])
                }
            },
            "PUT" => {
                let headers = request.headers();
                if headers.get("if-none-match").is_some() && found.is_some() {
                    return error(412, "PreconditionFailed");
                }
                if let Some(wanted) = headers.get("if-match") {
                    match found {
                        None => return error(404, "NoSuchKey"),
                        Some((etag, _)) if etag != wanted => return error(412, "PreconditionFailed"),
                        Some(_) => {}
                    }
                }
                let chunked = headers.get("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked"));
                let body = if chunked { unchunk(body) } else { body.to_vec() };
                self.writes += 1;
                let etag = format!("\"etag-{}\"", self.writes);
                self.objects.insert(path, (etag.clone(), body));
                respond(200, "", &[("etag", etag)])
            }
            method => panic!("the bucket in memory knows no {method} {path}?{query}"),
        }
    }

    fn dynamodb(&mut self, operation: &str, body: &Value) -> HttpResponse {
        let key = |keys: &Value| keys["LockID"]["S"].as_str().expect("a key").to_owned();
        let (id, new) = match operation {
            "GetItem" => {
                let found = self.items.get(&key(&body["Key"]));
                let answer = found.map_or_else(|| json!({}), |item| json!({"Item": item}));
                return respond(200, &answer.to_string(), &[]);
            }
            "PutItem" => (key(&body["Item"]), Some(body["Item"].clone())),
            "DeleteItem" => (key(&body["Key"]), None),
            _ => panic!("the table in memory knows no {operation}"),
        };
        if !holds(self.items.get(&id), body) {
            let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
            return respond(
                400,
                &json!({"__type": code, "message": "The conditional request failed"}).to_string(),
                &[],
            );
        }
        match new {
            Some(item) => self.items.insert(id, item),
            None => self.items.remove(&id),
        };
        respond(200, "{}", &[])
    }
}

fn holds(item: Option<&Value>, body: &Value) -> bool {
    let Some(condition) = body["ConditionExpression"].as_str() else { return true };
    if condition.starts_with("attribute_not_exists") {
        return item.is_none();
    }
    item.is_some_and(|item| {
        condition.split(" AND ").all(|part| {
            let (name, value) = part.split_once(" = ").expect("an equality");
            let name = body["ExpressionAttributeNames"][name].as_str().expect("a name");
            item[name] == body["ExpressionAttributeValues"][value]
        })
    })
}

/// The payload of an `aws-chunked` body (Amazon S3 API reference, "Transferring payload in multiple chunks").
fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    loop {
        let end = body.windows(2).position(|pair| pair == b"\r\n").expect("a chunk's head");
        let head = std::str::from_utf8(&body[..end]).expect("a chunk's head is text");
        let length = usize::from_str_radix(head.split(';').next().unwrap_or_default(), 16).expect("a chunk's length");
        if length == 0 {
            return payload;
        }
        payload.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[end + 4 + length..];
    }
}
