//! VPCs: subnets by their way out, a cell for each zone, and the cards that live in them.

use super::cards::{Card, id};
use super::relations::Relations;
use crate::diagram::scene::{Node, NodeKind};
use crate::inventory::{Resource, references};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// How a subnet reaches the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WayOut {
    Public,
    Nat,
    None,
}

impl WayOut {
    fn title(self) -> &'static str {
        match self {
            WayOut::Public => "Public subnets: open to the internet",
            WayOut::Nat => "Private subnets: out through NAT",
            WayOut::None => "Private subnets: no way out",
        }
    }
}

/// A frame for each VPC of a region, with all cards that are in it.
pub(super) fn vpcs(region: &str, relations: &Relations, cards: &[Card]) -> Vec<Node> {
    let vpcs = relations.of_type("AWS::EC2::VPC").filter(|vpc| vpc.region == region);
    vpcs.map(|vpc| frame(vpc, relations, cards)).collect()
}

fn frame(vpc: &Resource, relations: &Relations, cards: &[Card]) -> Node {
    let mut tiers: BTreeMap<WayOut, Vec<&Resource>> = BTreeMap::new();
    for subnet in relations.of_type("AWS::EC2::Subnet").filter(|one| relations.at(one, "/VpcId") == Some(vpc)) {
        tiers.entry(way_out(subnet, relations)).or_default().push(subnet);
    }
    let children = tiers.iter().map(|(way, subnets)| tier(vpc, *way, subnets, relations, cards)).collect();
    let title = format!("VPC {}", vpc.text("/CidrBlock").unwrap_or_default());
    let mut node = Node::frame(NodeKind::Vpc, id(vpc), title, children).of(&vpc.stack, &vpc.logical_id);
    let parts = relations.all.iter().filter(|one| {
        matches!(one.resource_type.as_str(), "AWS::EC2::InternetGateway" | "AWS::EC2::VPCGatewayAttachment")
            && one.stack == vpc.stack
    });
    node.resources.extend(parts.map(|one| (one.stack.clone(), one.logical_id.clone())));
    node
}

/// Cards above, cells of the zones below.
fn tier(vpc: &Resource, way: WayOut, subnets: &[&Resource], relations: &Relations, cards: &[Card]) -> Node {
    let in_tier = |resource: &Resource| {
        let first = places(resource, relations).into_iter().flat_map(references).next();
        first.and_then(|reference| relations.get(&reference)).is_some_and(|subnet| subnets.contains(&subnet))
    };
    let mut inside = Vec::new();
    for card in cards.iter().filter(|card| card.kind != NodeKind::Gateway) {
        let resource = relations.all.iter().find(|one| id(one) == card.node.id);
        if let Some(resource) = resource.filter(|one| in_tier(one)) {
            inside.push(guarded(card, resource, relations));
        }
    }
    let cells: Vec<Node> = subnets.iter().map(|subnet| cell(subnet, relations, cards)).collect();
    let name = format!("{}/{way:?}", id(vpc));
    let mut children = Vec::new();
    if !inside.is_empty() {
        children.push(Node::frame(NodeKind::Row, format!("{name}/cards"), "", inside));
    }
    children.push(Node::frame(NodeKind::Row, format!("{name}/zones"), "", cells));
    Node::frame(NodeKind::Tier, name, way.title(), children)
}

/// Where a resource's subnets stand: among its properties, or in the group of subnets that they name.
fn places<'a>(resource: &'a Resource, relations: &Relations<'a>) -> Vec<&'a Json> {
    let paths = [
        "/Subnets",
        "/SubnetIds",
        "/SubnetId",
        "/NetworkConfiguration/AwsvpcConfiguration/Subnets",
        "/VpcConfig/SubnetIds",
        "/ResourcesVpcConfig/SubnetIds",
    ];
    let groups = ["/DBSubnetGroupName", "/CacheSubnetGroupName", "/SubnetGroupName", "/ClusterSubnetGroupName"];
    let groups = groups.into_iter().filter_map(|path| relations.at(resource, path));
    let own = paths.into_iter().filter_map(|path| resource.at(path));
    own.chain(groups.filter_map(|group| group.at("/SubnetIds"))).collect()
}

/// A card within its security group.
fn guarded(card: &Card, resource: &Resource, relations: &Relations) -> Node {
    let paths = [
        "/SecurityGroups",
        "/NetworkConfiguration/AwsvpcConfiguration/SecurityGroups",
        "/SecurityGroupIds",
        "/VPCSecurityGroups",
        "/VpcSecurityGroupIds",
        "/VpcConfig/SecurityGroupIds",
    ];
    let groups: Vec<&Resource> =
        paths.into_iter().filter_map(|path| resource.at(path)).flat_map(|value| relations.within(value)).collect();
    let Some(group) = groups.first() else { return card.node.clone() };
    let title = format!("Security group: {}", admits(group, relations));
    let name = format!("{}/{}", id(resource), group.logical_id);
    Node::frame(NodeKind::SecurityGroup, name, title, vec![card.node.clone()]).of(&group.stack, &group.logical_id)
}

/// Ports, and from where.
fn admits(group: &Resource, relations: &Relations) -> String {
    let rules = group.list("/SecurityGroupIngress");
    let mut ports: Vec<(String, Vec<String>)> = Vec::new();
    for rule in rules {
        let of = |key: &str| rule.get(key).and_then(crate::inventory::text);
        let from = match rule.get("SourceSecurityGroupId").map(|value| relations.within(value)) {
            Some(groups) => groups.first().map_or_else(|| "a group".to_owned(), |one| one.stack.clone()),
            None if of("SourcePrefixListId").is_some() => "a prefix list".to_owned(),
            None => match of("CidrIp").as_deref() {
                Some("0.0.0.0/0") => "anywhere".to_owned(),
                Some(range) => range.to_owned(),
                None => "elsewhere".to_owned(),
            },
        };
        let port = of("FromPort").unwrap_or_else(|| "all".to_owned());
        match ports.iter_mut().find(|(known, _)| *known == from) {
            Some((_, known)) => known.push(port),
            None => ports.push((from, vec![port])),
        }
    }
    let said: Vec<String> =
        ports.into_iter().map(|(from, ports)| format!("{} from {from}", ports.join(", "))).collect();
    if said.is_empty() { "admits nothing".to_owned() } else { said.join("; ") }
}

/// A subnet in its zone, with the gateway that stands in it.
fn cell(subnet: &Resource, relations: &Relations, cards: &[Card]) -> Node {
    let zone = subnet.text("/AvailabilityZone").unwrap_or_else(|| subnet.logical_id.clone());
    let mut label = zone;
    if let Some(first) = label.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let mut node = Node::new(NodeKind::Subnet, id(subnet), label).of(&subnet.stack, &subnet.logical_id);
    node.details.extend(subnet.text("/CidrBlock"));
    let gateways = cards.iter().filter(|card| card.kind == NodeKind::Gateway);
    for gateway in gateways {
        let resource = relations.all.iter().find(|one| id(one) == gateway.node.id);
        if resource.is_some_and(|one| relations.at(one, "/SubnetId") == Some(subnet)) {
            node.details.push(gateway.node.label.clone());
            node.resources.extend(gateway.node.resources.iter().cloned());
        }
    }
    node
}

fn way_out(subnet: &Resource, relations: &Relations) -> WayOut {
    let associations = relations.of_type("AWS::EC2::SubnetRouteTableAssociation");
    let own = associations.filter(|one| relations.at(one, "/SubnetId") == Some(subnet));
    let tables: Vec<&Resource> = own.filter_map(|one| relations.at(one, "/RouteTableId")).collect();
    let routes: Vec<&Resource> = relations
        .of_type("AWS::EC2::Route")
        .filter(|route| route.text("/DestinationCidrBlock").as_deref() == Some("0.0.0.0/0"))
        .filter(|route| relations.at(route, "/RouteTableId").is_some_and(|table| tables.contains(&table)))
        .collect();
    if routes.iter().any(|route| route.at("/GatewayId").is_some()) {
        WayOut::Public
    } else if routes.iter().any(|route| route.at("/NatGatewayId").is_some()) {
        WayOut::Nat
    } else {
        WayOut::None
    }
}
