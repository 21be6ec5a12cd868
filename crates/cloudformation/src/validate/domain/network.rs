//! Networks: subnets in their VPC, beside each other, with one route table each.

use super::{Subject, plain};
use crate::template::{Expr, Function};
use crate::validate::conditions::Assumed;
use crate::validate::facts::{Facts, Spot};
use crate::validate::finding::Finding;
use crate::validate::rules;
use ipnet::IpNet;
use std::collections::HashMap;

/// Properties that give a VPC addresses that are not known before the deployment.
const DYNAMIC: [&str; 4] = ["Ipv4IpamPoolId", "Ipv6IpamPoolId", "Ipv6Pool", "AmazonProvidedIpv6CidrBlock"];

/// Subnets outside of the VPC that is in the same template.
pub fn check_resource(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    if matches!(subject.resource_type, "AWS::EC2::Subnet" | "AWS::EC2::VPC") {
        size(subject, found);
    }
    if subject.resource_type != "AWS::EC2::Subnet" {
        return;
    }
    for vpc in subject.at("VpcId") {
        let Some(blocks) = vpc_of(subject.facts, vpc.value).and_then(|name| blocks(subject.facts, &name)) else {
            continue;
        };
        for Spot { value, path, .. } in subject.spots(subject.properties, "CidrBlock", &vpc.assumed) {
            let Some(net) = network(subject.facts, value) else { continue };
            if !blocks.is_empty() && !blocks.iter().any(|block| block.contains(&net)) {
                let names: Vec<String> = blocks.iter().map(IpNet::to_string).collect();
                let message = format!("{net} is not in the VPC's {}", names.join(", "));
                found.push(subject.finding(rules::SUBNET_OUTSIDE, message, value.span, &path));
            }
        }
    }
}

/// The VPC that a value names: itself, or by way of what is in it (`!GetAtt Private.VpcId`).
fn vpc_of(facts: &Facts<'_>, value: &Expr) -> Option<String> {
    let mut value = value.clone();
    // No template needs more steps than it has resources; one that leads in a circle ends here.
    for _ in 0..=facts.template.resources.len() {
        let name = facts.referred(&value)?.to_owned();
        let resource = facts.template.resources.get(&name)?;
        if resource.resource_type.value == "AWS::EC2::VPC" {
            return Some(name);
        }
        let Function::GetAtt { attribute, .. } = value.as_call()? else { return None };
        attribute.as_str().filter(|attribute| *attribute == "VpcId")?;
        value = resource.properties.as_ref()?.get("VpcId")?.clone();
    }
    None
}

/// The IPv4 networks of a VPC, or `None` if they are not all known.
fn blocks(facts: &Facts<'_>, vpc: &str) -> Option<Vec<IpNet>> {
    let mut blocks = Vec::new();
    for subject in facts.template.resources.keys().filter_map(|name| Subject::new(facts, name)) {
        let adds = subject.resource_type == "AWS::EC2::VPCCidrBlock"
            && subject.at("VpcId").iter().any(|spot| vpc_of(facts, spot.value).as_deref() == Some(vpc));
        if !adds && subject.name != vpc {
            continue;
        }
        if DYNAMIC.iter().any(|name| subject.properties.get(name).is_some()) {
            return None;
        }
        for spot in subject.at("CidrBlock") {
            blocks.push(network(facts, spot.value)?);
        }
    }
    Some(blocks)
}

fn network(facts: &Facts<'_>, value: &Expr) -> Option<IpNet> {
    facts.known_text(value)?.parse::<IpNet>().ok()
}

/// EC2 takes IPv4 networks from /16 to /28, for a VPC as for a subnet.
fn size(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for Spot { value, path, .. } in subject.at("CidrBlock") {
        let Some(IpNet::V4(net)) = network(subject.facts, value) else { continue };
        if !(16..=28).contains(&net.prefix_len()) {
            let message = format!("The CIDR '{net}' is invalid: a network must be between a /16 and a /28");
            found.push(subject.finding(rules::NETWORK_SIZE, message, value.span, &path));
        }
    }
}

/// Subnets that overlap, subnets with two route tables, endpoints with one private name.
pub fn check_together(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let mut subnets: HashMap<String, Vec<(IpNet, Assumed, &str)>> = HashMap::new();
    let mut tables: HashMap<String, Vec<(Assumed, &str)>> = HashMap::new();
    let mut endpoints: HashMap<String, Vec<(Assumed, &str)>> = HashMap::new();
    for subject in facts.template.resources.keys().filter_map(|name| Subject::new(facts, name)) {
        match subject.resource_type {
            "AWS::EC2::Subnet" => overlaps(&subject, &mut subnets, found),
            "AWS::EC2::SubnetRouteTableAssociation" => {
                for subnet in subject.at("SubnetId") {
                    let key = subnet.value.to_json().to_string();
                    if let Some(other) = met(facts, &mut tables, key, &subnet.assumed, subject.name) {
                        let message = format!("The subnet has a route table already, by {other}");
                        let finding =
                            subject.finding(rules::ROUTE_TABLE_ASSOCIATION, message, subnet.value.span, &subnet.path);
                        found.push(finding);
                    }
                }
            }
            "AWS::EC2::VPCEndpoint" => {
                let literal = |name: &str| subject.properties.get(name).and_then(plain);
                if literal("VpcEndpointType") != Some("Interface") || literal("PrivateDnsEnabled") != Some("true") {
                    continue;
                }
                let part = |name: &str| Some(subject.properties.get(name)?.to_json().to_string());
                let (Some(vpc), Some(service)) = (part("VpcId"), part("ServiceName")) else { continue };
                let key = format!("{vpc} {service}");
                if let Some(other) = met(facts, &mut endpoints, key, &subject.assumed, subject.name) {
                    let message = format!("{other} has the private name of this service in the VPC already");
                    found.push(subject.finding(rules::PRIVATE_DNS, message, subject.properties.span, &[]));
                }
            }
            _ => {}
        }
    }
}

/// Remembers a resource under `key` and gives one remembered before that can exist together with it.
fn met<'s>(
    facts: &Facts<'_>,
    seen: &mut HashMap<String, Vec<(Assumed, &'s str)>>,
    key: String,
    assumed: &Assumed,
    name: &'s str,
) -> Option<&'s str> {
    let others = seen.entry(key).or_default();
    let together = |(other, _): &&(Assumed, &str)| facts.conditions.possible(&other.and(assumed));
    let met = others.iter().find(together).map(|(_, other)| *other);
    others.push((assumed.clone(), name));
    met
}

fn overlaps<'s>(
    subject: &Subject<'s, '_>,
    subnets: &mut HashMap<String, Vec<(IpNet, Assumed, &'s str)>>,
    found: &mut Vec<Finding>,
) {
    for vpc in subject.at("VpcId") {
        let key = vpc_of(subject.facts, vpc.value).unwrap_or_else(|| vpc.value.to_json().to_string());
        let others = subnets.entry(key).or_default();
        for place in ["CidrBlock", "Ipv6CidrBlock"] {
            for Spot { value, path, assumed } in subject.spots(subject.properties, place, &vpc.assumed) {
                let Some(net) = network(subject.facts, value) else { continue };
                for (other, other_assumed, name) in others.iter() {
                    let overlap = net.contains(other) || other.contains(&net);
                    if overlap && subject.facts.conditions.possible(&assumed.and(other_assumed)) {
                        let message = format!("{net} overlaps with {other} of {name}");
                        found.push(subject.finding(rules::SUBNET_OVERLAP, message, value.span, &path));
                        break;
                    }
                }
                others.push((net, assumed, subject.name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::{Options, validate_text};

    fn errors(subnets: &str) -> Vec<String> {
        let text =
            format!("Resources:\n  Net: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.0.0.0/16}}}}\n{subnets}");
        let found = validate_text(&text, &Options::default());
        found.iter().filter(|finding| finding.is_error()).map(|finding| finding.message.clone()).collect()
    }

    #[test]
    fn the_vpc_of_a_subnet_may_be_named_by_another_subnet() {
        let subnet = |name: &str, vpc: &str, block: &str| {
            format!("  {name}: {{Type: AWS::EC2::Subnet, Properties: {{VpcId: !{vpc}, CidrBlock: {block}}}}}\n")
        };
        let private = subnet("Private", "Ref Net", "10.0.128.0/19");
        let beside = |block: &str| errors(&(private.clone() + &subnet("Public", "GetAtt Private.VpcId", block)));
        assert_eq!(beside("10.0.0.0/19"), [""; 0]);
        assert_eq!(beside("10.1.0.0/19"), ["10.1.0.0/19 is not in the VPC's 10.0.0.0/16"]);
        assert_eq!(beside("10.0.128.0/20"), ["10.0.128.0/20 overlaps with 10.0.128.0/19 of Private"]);
        let circle = subnet("A", "GetAtt B.VpcId", "10.0.0.0/24") + &subnet("B", "GetAtt A.VpcId", "10.0.1.0/24");
        assert!(errors(&circle).iter().all(|message| message.contains("ircular")), "{:?}", errors(&circle));
    }
}
