//! What SSM parameters hold. One operation, signed here (ADR 16).

use super::Result;
use super::credentials::Renewing;
use super::endpoint::Endpoint;
use super::error::Call;
use super::plain::Http;
use super::signed::Signed;
use crate::model::SsmValue;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// Names that GetParameters takes in one call (API reference).
const BATCH: usize = 10;

/// Systems Manager's parameters in one region, with the credentials of one account.
#[derive(Clone)]
pub struct Ssm {
    signed: Signed,
}

impl Ssm {
    pub(super) fn new(way: (Http, Renewing), endpoint: Endpoint) -> Ssm {
        Ssm { signed: Signed::new(way, endpoint, "ssm") }
    }

    /// What parameters hold, by the names (or ARNs) that were asked for; those that do not exist are left out. One call for
    /// each ten names.
    ///
    /// # Errors
    /// Those of the calls.
    pub async fn parameters(&self, names: &BTreeSet<String>) -> Result<BTreeMap<String, SsmValue>> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut found = BTreeMap::new();
        for batch in names.chunks(BATCH) {
            let call = || Call::new("ssm", "GetParameters", format!("look up the SSM parameters {}", batch.join(", ")));
            let answer = self.signed.json("AmazonSSM.GetParameters", &json!({ "Names": batch }), call).await?;
            for parameter in answer["Parameters"].as_array().into_iter().flatten() {
                found.extend(
                    batch.iter().filter(|name| is(parameter, name)).map(|name| ((*name).to_owned(), value(parameter))),
                );
            }
        }
        Ok(found)
    }
}

/// Whether an answer is about a name: with the version or label that was asked for, or by its ARN.
fn is(parameter: &Json, name: &str) -> bool {
    let text = |member: &str| parameter[member].as_str().unwrap_or_default();
    [text("Name"), text("ARN")].iter().any(|own| *own == name || format!("{own}{}", text("Selector")) == name)
}

fn value(parameter: &Json) -> SsmValue {
    match parameter["Type"].as_str() {
        Some("SecureString") => SsmValue::Secure,
        _ => SsmValue::Text(parameter["Value"].as_str().unwrap_or_default().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_by_the_name_that_was_asked_for() {
        let arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/name";
        let parameter = json!({"Name": "/shop/name", "ARN": arn, "Type": "String", "Value": "v", "Selector": ":3"});
        for (name, expected) in [("/shop/name", true), ("/shop/name:3", true), (arn, true), ("/shop/names", false)] {
            assert_eq!(is(&parameter, name), expected, "{name}");
        }
        assert_eq!(value(&parameter), SsmValue::Text("v".to_owned()));
        assert_eq!(value(&json!({"Type": "SecureString", "Value": "AQ=="})), SsmValue::Secure);
    }
}
