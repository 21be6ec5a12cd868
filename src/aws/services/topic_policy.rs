//! The policy of a topic: the registry has no way to read it, SNS has.

use super::ask;
use crate::aws::Result;
use crate::aws::error::Call;
use crate::aws::signed::Signed;
use serde_json::{Value as Json, json};

/// Of several topics, the first whose policy is not the declared one speaks for all. None where nobody knows which they are,
/// or none of them is left.
pub(super) async fn read(sns: &Signed, declared: &Json) -> Result<Option<Json>> {
    let mut found: Option<Json> = None;
    let mut topics: Vec<&str> = Vec::new();
    for topic in declared["Topics"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        let call = || Call::new("sns", "GetTopicAttributes", format!("look at the policy of `{topic}`"));
        let form = [("Action", "GetTopicAttributes"), ("Version", "2010-03-31"), ("TopicArn", topic)];
        let Some(answer) = ask(sns, &form, &["NotFound"], call).await? else { continue };
        topics.push(topic);
        let entries = answer["GetTopicAttributesResult"]["Attributes"].as_array().cloned().unwrap_or_default();
        let policy = entries.into_iter().find(|entry| entry["key"] == "Policy").map(|mut entry| entry["value"].take());
        let policy = policy.and_then(|text| serde_json::from_str(text.as_str()?).ok()).unwrap_or(Json::Null);
        if found.as_ref().is_none_or(|found| *found == declared["PolicyDocument"]) {
            found = Some(policy);
        }
    }
    Ok(found.map(|policy| json!({ "Topics": topics, "PolicyDocument": policy })))
}
