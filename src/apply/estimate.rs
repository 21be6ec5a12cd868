//! How long a stack may take, roughly: what decides which of the stacks that could start goes first.

use crate::plan::{Change, ChangeAction, StackStep};

/// Average seconds until a resource is made, of those that take their time (the forecast table of `rain`, the AWS
/// CloudFormation team's own tool).
const SLOW: [(&str, u64); 7] = [
    ("AWS::RDS::DBInstance", 595),
    ("AWS::EKS::Cluster", 544),
    ("AWS::CloudFront::Distribution", 266),
    ("AWS::ECS::Service", 119),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", 116),
    ("AWS::EC2::NatGateway", 106),
    ("AWS::SQS::Queue", 72),
];
/// Of any other resource: CloudFormation makes several at a time.
const QUICK: u64 = 2;

/// The slowest resource, and a little for each of the others.
pub(super) fn seconds(step: &StackStep) -> u64 {
    let slowest = step.changes.iter().map(of_one).max().unwrap_or(0);
    let many = step.resources.max(step.changes.len()) as u64;
    slowest + QUICK * many + 1
}

fn of_one(change: &Change) -> u64 {
    let slow = SLOW.iter().find(|(name, _)| *name == change.resource_type).map_or(0, |(_, seconds)| *seconds);
    match change.action {
        ChangeAction::Import | ChangeAction::MayModify => 0,
        ChangeAction::Add | ChangeAction::Replace | ChangeAction::MayReplace | ChangeAction::Remove => slow,
        // In place most are quick; a service rolls out all the same.
        ChangeAction::Modify => slow / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Target;
    use crate::plan::Action;

    fn step(types: &[&str]) -> StackStep {
        let target = Target { account: "111122223333".to_owned(), region: "us-east-1".to_owned(), role: None };
        let mut step = StackStep::new("s", "p-e-s", &target, Action::Create);
        step.changes = types
            .iter()
            .enumerate()
            .map(|(index, name)| Change {
                logical_id: format!("R{index}"),
                resource_type: (*name).to_owned(),
                physical_id: None,
                action: ChangeAction::Add,
                properties: Vec::new(),
                because: Vec::new(),
                removal: None,
                place: None,
                taken_from: None,
                taken_by: None,
            })
            .collect();
        step.resources = types.len();
        step
    }

    #[test]
    fn one_slow_resource_outweighs_many_quick_ones() {
        let many = ["AWS::SSM::Parameter"; 40];
        assert!(seconds(&step(&["AWS::CloudFront::Distribution"])) > seconds(&step(&many)));
        assert!(seconds(&step(&many)) > seconds(&step(&many[..3])));
        assert!(seconds(&step(&["AWS::EC2::NatGateway", "AWS::EC2::EIP"])) < seconds(&step(&["AWS::EKS::Cluster"])));
    }
}
