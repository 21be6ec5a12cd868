//! Resources as their own services describe them, for the few types and properties here: where Cloud Control gives no answer (ADR 29).

mod ecs;
mod listener_rule;
mod s3;
mod security_group;
mod topic_policy;
mod xml;

use super::cloudcontrol::Reading;
use super::credentials::Renewing;
use super::endpoint::Endpoints;
use super::error::Call;
use super::plain::Http;
use super::signed::{Message, Signed};
use super::{Result, failure};
use serde_json::Value as Json;

/// The services of one account and region.
#[derive(Clone)]
pub struct Services {
    ec2: Signed,
    balancers: Signed,
    sns: Signed,
    s3: aws_sdk_s3::Client,
    ecs: aws_sdk_ecs::Client,
}

impl Services {
    pub(super) fn new(
        way: (Http, Renewing),
        endpoints: &Endpoints,
        region: &str,
        (s3, ecs): (aws_sdk_s3::Client, aws_sdk_ecs::Client),
    ) -> Services {
        let signed = |endpoint, service| Signed::new(way.clone(), endpoint, service);
        Services {
            ec2: signed(endpoints.ec2(region), "ec2"),
            balancers: signed(endpoints.load_balancing(region), "elasticloadbalancing"),
            sns: signed(endpoints.sns(region), "sns"),
            s3,
            ecs,
        }
    }

    /// What the service says of a resource: of the properties in the answer, and of no others; null stands for one that is
    /// not set. `declared`: what its template says. None for types that are asked for nowhere here.
    pub async fn read(&self, resource_type: &str, physical_id: &str, declared: &Json) -> Option<Result<Reading>> {
        let reading = match resource_type {
            "AWS::EC2::SecurityGroup" => security_group::read(&self.ec2, physical_id).await,
            "AWS::ECS::Service" => ecs::service(&self.ecs, physical_id).await,
            "AWS::ElasticLoadBalancingV2::ListenerRule" => listener_rule::read(&self.balancers, physical_id).await,
            "AWS::S3::Bucket" => s3::bucket(&self.s3, physical_id).await,
            "AWS::SNS::TopicPolicy" => topic_policy::read(&self.sns, declared).await,
            _ => return None,
        };
        Some(reading.map(|found| found.map_or(Reading::Gone, Reading::Found)))
    }
}

/// Calls an operation of a service that takes forms and answers in XML. None where it answers with one of the `absent` codes.
async fn ask(
    service: &Signed,
    form: &[(&str, &str)],
    absent: &[&str],
    call: impl Fn() -> Call,
) -> Result<Option<Json>> {
    let pairs = form.iter().map(|(name, value)| {
        let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        format!("{name}={value}")
    });
    let body = pairs.collect::<Vec<_>>().join("&");
    let content_type = "application/x-www-form-urlencoded";
    match service.call(&Message { method: "POST", path: "/", content_type, body: &body }, call).await {
        Ok(answer) => Ok(Some(xml::read(&answer))),
        Err(error) if failure(&error).is_some_and(|failure| absent.contains(&failure.code.as_str())) => Ok(None),
        Err(error) => Err(error),
    }
}
