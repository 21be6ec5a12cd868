//! Secrets Manager: secrets may be asked for by the ARN that their stack knows.
//!
//! The service draws the end of an ARN itself, and CloudFormation's `Ref` was drawn before. Both name the same secret:
//! what comes before the last six characters is its name, and unique.

use super::account::Backend;
use super::rewrite;
use crate::door::{Request, Response};
use crate::place::Place;
use bytes::Bytes;
use serde_json::{Value as Json, json};

/// Lets Secrets Manager answer; who asks by an ARN is answered with it.
pub(super) async fn answer(backend: &dyn Backend, place: &Place, request: Request) -> Response {
    let mut input = serde_json::from_slice::<Json>(request.body()).unwrap_or_default();
    let arn = input["SecretId"].as_str().filter(|id| id.starts_with("arn:")).map(str::to_owned);
    let Some((arn, name)) = arn.and_then(|arn| Some((arn.clone(), name(&arn)?.to_owned()))) else {
        return rewrite::answer(backend, place, "secretsmanager", request).await;
    };
    input["SecretId"] = json!(name);
    let (mut parts, _) = request.into_parts();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    let request = Request::from_parts(parts, Bytes::from(input.to_string()));
    let mut response = rewrite::answer(backend, place, "secretsmanager", request).await;
    if let Ok(mut output) = serde_json::from_slice::<Json>(response.body())
        && output.get("ARN").is_some()
    {
        output["ARN"] = json!(arn);
        *response.body_mut() = Bytes::from(output.to_string());
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
    }
    response
}

/// The name in `arn:<partition>:secretsmanager:<region>:<account>:secret:<name>-<6 characters>`; the end may be left out,
/// as on AWS.
pub(crate) fn name(arn: &str) -> Option<&str> {
    let (_, after) = arn.split_once(":secret:")?;
    let has_end = |end: &str| end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Some(after.rsplit_once('-').filter(|(_, end)| has_end(end)).map_or(after, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_in_arns() {
        let arn = |end: &str| format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{end}");
        for (end, expected) in [("shop/db-AbC123", "shop/db"), ("shop-db-x1y2z3", "shop-db"), ("shop/db", "shop/db")] {
            assert_eq!(name(&arn(end)), Some(expected));
        }
        assert_eq!(name("shop/db"), None);
    }
}
