//! A rule of a load balancer's listener.

use super::ask;
use crate::aws::Result;
use crate::aws::error::Call;
use crate::aws::signed::Signed;
use serde_json::{Value as Json, json};

pub(super) async fn read(balancers: &Signed, arn: &str) -> Result<Option<Json>> {
    let call = || Call::new("elasticloadbalancing", "DescribeRules", format!("look at the rule `{arn}`"));
    let form = [("Action", "DescribeRules"), ("Version", "2015-12-01"), ("RuleArns.member.1", arn)];
    let answer = ask(balancers, &form, &["RuleNotFound"], call).await?;
    let rule = answer.and_then(|answer| answer["DescribeRulesResult"]["Rules"].get(0).cloned());
    // The same names as in templates.
    Ok(rule.map(|rule| {
        json!({
            "Actions": rule["Actions"], "Conditions": rule["Conditions"], "Priority": rule["Priority"],
        })
    }))
}
