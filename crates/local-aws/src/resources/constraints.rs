//! What services refuse of values that their schemas take: bounds that cross, networks that do not fit, priorities that
//! are taken, schedules that are none, runtimes that are gone, storage that would shrink. The messages are those that users
//! report, and the services' API references have the codes (`InvalidSubnet.Range`, `InvalidSubnet.Conflict`,
//! `PriorityInUse`).

use super::live::State;
use super::model::Properties;
use super::request::{Refusal, Request};
use crate::place::Place;
use crate::world::World;
use cloudformation::{lambda, schedule, storage};
use serde_json::Value as Json;
use std::net::Ipv4Addr;

/// Refuses properties that the service of the type would refuse.
pub(super) fn refusal(request: &Request<'_>) -> Option<Refusal> {
    let Request { world, place, type_name, before, properties } = *request;
    match type_name {
        "AWS::ApplicationAutoScaling::ScalableTarget" => scalable_target(properties),
        "AWS::AutoScaling::AutoScalingGroup" => group(properties),
        "AWS::EC2::Subnet" if before.is_none() => subnet(&world.resources.lock(), place, properties),
        "AWS::EC2::VPC" if before.is_none() => vpc(properties),
        "AWS::ElasticLoadBalancingV2::ListenerRule" => priority(&world.resources.lock(), place, before, properties),
        "AWS::Events::Rule" => rule(properties),
        "AWS::Lambda::Function" => runtime(world, before, properties),
        "AWS::Scheduler::Schedule" => timed(properties),
        _ => smaller(type_name, before, properties),
    }
}

fn invalid(service: &'static str, message: impl Into<String>) -> Option<Refusal> {
    Some(Refusal::invalid(service, message))
}

fn text<'p>(properties: &'p Properties, name: &str) -> Option<&'p str> {
    properties.get(name).and_then(Json::as_str)
}

/// A number, which templates may write as a text.
fn number(properties: &Properties, name: &str) -> Option<i64> {
    match properties.get(name)? {
        Json::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

fn scalable_target(properties: &Properties) -> Option<Refusal> {
    let (min, max) = (number(properties, "MinCapacity")?, number(properties, "MaxCapacity")?);
    if max < min {
        return invalid("ApplicationAutoScaling", "Maximum capacity cannot be less than minimum capacity");
    }
    let actions = properties.get("ScheduledActions").and_then(Json::as_array).into_iter().flatten();
    let wrong = actions.filter_map(|action| action["Schedule"].as_str());
    let wrong = wrong.into_iter().find(|schedule| schedule::problem_with_times(schedule).is_some())?;
    invalid("ApplicationAutoScaling", format!("Schedule expression {wrong} is not valid"))
}

fn group(properties: &Properties) -> Option<Refusal> {
    let (min, max) = (number(properties, "MinSize")?, number(properties, "MaxSize")?);
    if max < min {
        let message = format!("Max bound, {max}, must be greater than or equal to min bound, {min}");
        return invalid("AutoScaling", message);
    }
    let desired = number(properties, "DesiredCapacity").filter(|desired| !(min..=max).contains(desired))?;
    let message = format!("Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}");
    invalid("AutoScaling", message)
}

/// A block of IPv4 addresses: the first, and how many bits all have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    first: u32,
    bits: u32,
}

impl Block {
    /// Host bits are cleared, as EC2 does.
    fn read(text: &str) -> Option<Block> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits): (Ipv4Addr, u32) = (address.parse().ok()?, bits.parse().ok()?);
        let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
        Some(Block { first: u32::from(address) & mask, bits })
    }

    fn contains(self, other: Block) -> bool {
        let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
        self.bits <= other.bits && other.first & mask == self.first
    }

    fn overlaps(self, other: Block) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// Whether EC2 makes networks and subnets of this size.
    fn has_a_size(self) -> bool {
        (16..=28).contains(&self.bits)
    }
}

fn wrong_block(text: &str) -> Option<Refusal> {
    invalid("Ec2", format!("The CIDR '{text}' is invalid."))
}

fn vpc(properties: &Properties) -> Option<Refusal> {
    let written = text(properties, "CidrBlock")?;
    let right = Block::read(written).is_some_and(Block::has_a_size);
    if right { None } else { wrong_block(written) }
}

fn subnet(state: &State, place: &Place, properties: &Properties) -> Option<Refusal> {
    let (written, vpc) = (text(properties, "CidrBlock")?, text(properties, "VpcId")?);
    let Some(block) = Block::read(written).filter(|block| block.has_a_size()) else { return wrong_block(written) };
    let of_vpc = |type_name: &'static str| {
        let all = state.of_type(place, type_name).filter(move |live| text(&live.properties, "VpcId") == Some(vpc));
        all.filter_map(|live| Block::read(text(&live.properties, "CidrBlock")?))
    };
    let home = state.get(place, "AWS::EC2::VPC", vpc)?;
    // The addresses of a network out of a pool are not known.
    let first = text(&home.properties, "CidrBlock").and_then(Block::read)?;
    if !first.contains(block) && !of_vpc("AWS::EC2::VPCCidrBlock").any(|more| more.contains(block)) {
        return wrong_block(written);
    }
    let taken = of_vpc("AWS::EC2::Subnet").any(|other| other.overlaps(block));
    let message = || format!("The CIDR '{written}' conflicts with another subnet");
    taken.then(|| Refusal::taken("Ec2", message()))
}

fn smaller(type_name: &str, before: Option<&Properties>, properties: &Properties) -> Option<Refusal> {
    let found = storage::shrinkage(type_name, before?, properties)?;
    invalid(found.service, found.message)
}

fn priority(state: &State, place: &Place, before: Option<&Properties>, properties: &Properties) -> Option<Refusal> {
    let (listener, wanted) = (text(properties, "ListenerArn")?, number(properties, "Priority")?);
    if before.and_then(|before| number(before, "Priority")) == Some(wanted) {
        return None;
    }
    let mut rules = state.of_type(place, "AWS::ElasticLoadBalancingV2::ListenerRule").map(|live| &live.properties);
    let taken =
        rules.any(|rule| text(rule, "ListenerArn") == Some(listener) && number(rule, "Priority") == Some(wanted));
    let message = || format!("Priority '{wanted}' is currently in use");
    taken.then(|| Refusal::taken("ElasticLoadBalancingV2", message()))
}

fn rule(properties: &Properties) -> Option<Refusal> {
    schedule::problem(text(properties, "ScheduleExpression").filter(|text| !text.is_empty())?)?;
    invalid("EventBridge", "Parameter ScheduleExpression is not valid.")
}

fn timed(properties: &Properties) -> Option<Refusal> {
    let written = text(properties, "ScheduleExpression")?;
    schedule::problem_with_times(written)?;
    invalid("Scheduler", format!("Invalid Schedule Expression {written}."))
}

fn runtime(world: &World, before: Option<&Properties>, properties: &Properties) -> Option<Refusal> {
    let runtime = text(properties, "Runtime")?;
    if before.and_then(|before| text(before, "Runtime")) == Some(runtime) {
        return None;
    }
    let today = world.clock.now().strftime("%Y-%m-%d").to_string();
    lambda::refused_since(runtime).filter(|since| **since <= *today)?;
    invalid(
        "Lambda",
        format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We \
             recommend you use a supported runtime while creating or updating functions."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_contain_and_overlap() {
        let block = |text: &str| Block::read(text).unwrap_or_else(|| panic!("{text}"));
        assert!(block("10.0.0.0/16").contains(block("10.0.255.0/24")));
        assert!(!block("10.0.0.0/16").contains(block("10.1.0.0/24")));
        assert!(!block("10.0.0.0/24").contains(block("10.0.0.0/16")));
        assert!(block("10.0.0.0/24").overlaps(block("10.0.0.0/16")));
        assert_eq!(block("10.0.0.7/24"), block("10.0.0.0/24"));
        assert!(block("0.0.0.0/0").contains(block("10.0.0.0/8")));
        for wrong in ["10.0.0.0", "10.0.0.0/33", "x/8", "fd00::/64"] {
            assert_eq!(Block::read(wrong), None, "{wrong}");
        }
    }
}
