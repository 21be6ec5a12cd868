//! What a load balancer thinks of its targets. One call, signed here (ADR 16).

use super::Result;
use super::credentials::Renewing;
use super::endpoint::Endpoint;
use super::error::Call;
use super::plain::Http;
use super::signed::{Message, Signed, element};

const VERSION: &str = "2015-12-01";

/// Elastic Load Balancing in one region, with the credentials of one account.
#[derive(Clone)]
pub struct Elbv2 {
    signed: Signed,
}

/// One target of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// An address or an instance's id.
    pub id: String,
    pub port: String,
    /// `initial`, `healthy`, `unhealthy`, `draining` …
    pub state: String,
    /// `Target.ResponseCodeMismatch` …
    pub reason: Option<String>,
    /// The load balancer's words.
    pub description: Option<String>,
}

impl Elbv2 {
    pub(super) fn new(way: (Http, Renewing), endpoint: Endpoint) -> Elbv2 {
        Elbv2 { signed: Signed::new(way, endpoint, "elasticloadbalancing") }
    }

    /// The targets of a target group, by its ARN.
    pub async fn targets(&self, group: &str) -> Result<Vec<TargetHealth>> {
        let what = format!("look at the targets of `{}`", group.rsplit('/').nth(1).unwrap_or(group));
        let call = || Call::new("elasticloadbalancing", "DescribeTargetHealth", &what);
        let group = group.replace(':', "%3A").replace('/', "%2F");
        let body = format!("Action=DescribeTargetHealth&Version={VERSION}&TargetGroupArn={group}");
        let content_type = "application/x-www-form-urlencoded";
        let message = Message { method: "POST", path: "/", content_type, body: &body };
        Ok(targets(&self.signed.call(&message, call).await?))
    }
}

fn targets(answer: &str) -> Vec<TargetHealth> {
    let text = |xml: &str, name: &str| element(xml, name).map(str::to_owned);
    let members = answer.split("<member>").skip(1);
    members
        .map(|member| TargetHealth {
            id: text(member, "Id").unwrap_or_default(),
            port: text(member, "Port").unwrap_or_default(),
            state: text(member, "State").unwrap_or_default(),
            reason: text(member, "Reason"),
            description: text(member, "Description"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_as_the_api_reference_has_it() {
        let answer = "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>\
            <member><HealthCheckPort>80</HealthCheckPort><TargetHealth><State>healthy</State></TargetHealth>\
            <Target><Port>80</Port><Id>10.0.0.7</Id></Target></member>\
            <member><TargetHealth><Reason>Target.Timeout</Reason><State>unhealthy</State>\
            <Description>Request timed out</Description></TargetHealth><Target><Port>80</Port><Id>10.0.0.8</Id></Target></member>\
            </TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>";
        let found = targets(answer);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].id.as_str(), found[0].state.as_str(), found[0].reason.clone()),
            ("10.0.0.7", "healthy", None)
        );
        assert_eq!(found[1].description.as_deref(), Some("Request timed out"));
        assert_eq!(targets("<DescribeTargetHealthResponse/>"), []);
    }
}
