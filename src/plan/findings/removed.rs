//! Resources that are missed once they are gone, though they hold no data.

use super::json::{at, text};
use super::kinds;
use super::pair::Pair;
use super::risk::Context;
use crate::plan::document::{ChangeAction, Finding, FindingSeverity, StackStep};

/// Type, kind of finding, what its removal means.
const MISSED: &[(&str, &str, &str)] = &[
    ("AWS::ApplicationAutoScaling::ScalableTarget", "redundancy-lowered", "the service no longer grows with its load"),
    (
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "redundancy-lowered",
        "the service no longer grows with this measure",
    ),
    ("AWS::Backup::BackupPlan", "backup-lost", "no further backups are made"),
    ("AWS::Backup::BackupSelection", "backup-lost", "what it chose is no longer backed up"),
    (
        "AWS::CertificateManager::Certificate",
        "downtime",
        "whatever still uses the certificate cannot be reached over TLS",
    ),
    ("AWS::CloudFront::Distribution", "downtime", "the site is gone from the internet"),
    ("AWS::CloudFront::ResponseHeadersPolicy", "hardening-lost", "answers lose the headers that protect browsers"),
    ("AWS::CloudTrail::Trail", "logging-lost", "calls to AWS are no longer recorded"),
    ("AWS::CloudWatch::Alarm", "alarm-removed", "nobody is told any more"),
    ("AWS::CloudWatch::CompositeAlarm", "alarm-removed", "nobody is told any more"),
    (
        "AWS::EC2::EIP",
        "downtime",
        "the address is given back and cannot be had again: others may have allowed it by name",
    ),
    ("AWS::EC2::FlowLog", "logging-lost", "traffic of the network is no longer recorded"),
    ("AWS::EC2::NatGateway", "redundancy-lowered", "one way out of the private subnets less"),
    ("AWS::EC2::Route", "downtime", "what was reached by this route no longer is"),
    ("AWS::EC2::Subnet", "redundancy-lowered", "one subnet less to run in"),
    ("AWS::EC2::VPCEndpoint", "public-address", "calls to the service leave by the internet, or fail"),
    ("AWS::ECS::Service", "downtime", "its tasks stop"),
    ("AWS::ElasticLoadBalancingV2::Listener", "downtime", "nothing answers on its port any more"),
    (
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "downtime",
        "requests that it matched are answered by another rule, or not at all",
    ),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "downtime", "nothing answers at its address any more"),
    ("AWS::GuardDuty::Detector", "logging-lost", "attacks are no longer looked for"),
    ("AWS::Route53::RecordSet", "downtime", "the name no longer leads anywhere"),
    ("AWS::SNS::Subscription", "alarm-removed", "its endpoint is told nothing any more"),
    ("AWS::SecretsManager::RotationSchedule", "encryption-lost", "the secret stays the same for ever"),
    ("AWS::WAFv2::LoggingConfiguration", "logging-lost", "what the firewall does is no longer recorded"),
    ("AWS::WAFv2::WebACL", "firewall-lost", "requests are no longer filtered"),
    ("AWS::WAFv2::WebACLAssociation", "firewall-lost", "requests reach the resource unfiltered"),
];

pub(super) fn check(pair: &Pair, context: &mut Context) {
    if pair.is("AWS::Route53::RecordSet") && text(at(&pair.before, &["Type"])).as_deref() == Some("CAA") {
        context.say(pair, "tls-weakened", "", "is removed: any authority may issue certificates for the name");
        return;
    }
    if let Some((_, code, meaning)) = MISSED.iter().find(|(name, ..)| pair.is(name)) {
        context.say(pair, code, "", format!("is removed: {meaning}"));
    }
}

/// What a stack takes with it that others lean on.
pub(super) fn with_stack(step: &StackStep) -> Vec<Finding> {
    let gone = step.changes.iter().filter(|change| change.action == ChangeAction::Remove);
    gone.filter_map(|change| {
        let (_, code, meaning) = MISSED.iter().find(|(name, ..)| *name == change.resource_type)?;
        let severity = kinds::kind(code).map_or(FindingSeverity::Warning, |kind| kind.gravity.severity());
        Some(Finding {
            severity,
            code: (*code).to_owned(),
            stack: step.stack.clone(),
            logical_id: Some(change.logical_id.clone()),
            path: None,
            place: None,
            message: format!("goes with its stack: {meaning}"),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_and_kind_exists() {
        for (name, code, _) in MISSED {
            assert!(cloudformation::schema::resource_type(name).is_some(), "{name}");
            assert!(kinds::kind(code).is_some(), "{code}");
        }
        for setting in super::super::table::SETTINGS {
            assert!(kinds::kind(setting.code).is_some(), "{}", setting.code);
            let of = cloudformation::schema::resource_type(setting.of).unwrap_or_else(|| panic!("{}", setting.of));
            assert!(of.property(setting.path[0]).is_some(), "{} has no {}", setting.of, setting.path[0]);
        }
    }
}
