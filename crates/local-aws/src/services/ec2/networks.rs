//! Networks, subnets, route tables and gateways.

use super::{Item, Listing, View, text};
use crate::resources::Live;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

pub(super) fn vpcs(view: &View<'_>) -> Listing {
    let item = |live: &Live| {
        let (id, block) = (live.physical_id.as_str(), text(live, "CidrBlock"));
        let more = view.all("AWS::EC2::VPCCidrBlock").filter(|more| text(more, "VpcId") == id);
        let blocks = std::iter::once(block).chain(more.map(|more| text(more, "CidrBlock"))).filter(|it| !it.is_empty());
        let blocks: Vec<Json> = blocks
            .map(|block| {
                let association = format!("vpc-cidr-assoc-0{}", derived(&format!("{id}{block}")));
                json!({ "cidrBlock": block, "associationId": association, "cidrBlockState": { "state": "associated" } })
            })
            .collect();
        let tenancy = Some(text(live, "InstanceTenancy")).filter(|it| !it.is_empty()).unwrap_or("default");
        let shown = json!({
            "vpcId": id,
            "ownerId": view.place.account,
            "state": "available",
            "cidrBlock": block,
            "cidrBlockAssociationSet": blocks,
            "dhcpOptionsId": "default",
            "instanceTenancy": tenancy,
            "isDefault": false,
        });
        let filters = [
            ("vpc-id", id),
            ("cidr", block),
            ("cidr-block-association.cidr-block", block),
            ("state", "available"),
            ("is-default", "false"),
            ("owner-id", &view.place.account),
        ];
        Item::new(shown, &filters).tagged(live)
    };
    let missing = ("VpcId", "vpcId", "InvalidVpcID.NotFound", "The vpc ID '{id}' does not exist");
    Listing { set: "vpcSet", items: view.all("AWS::EC2::VPC").map(item).collect(), by_id: Some(missing) }
}

/// Seventeen hexadecimal digits but one that always come out of the same text: ids of what no stack made itself.
fn derived(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn subnets(view: &View<'_>) -> Listing {
    let zones = view.place.availability_zones();
    let item = |live: &Live| {
        let (id, vpc, block) = (live.physical_id.as_str(), text(live, "VpcId"), text(live, "CidrBlock"));
        let zone = Some(text(live, "AvailabilityZone")).filter(|zone| !zone.is_empty());
        let zone = zone.or(zones.first().map(String::as_str)).unwrap_or_default();
        let bits: u32 = block.split_once('/').and_then(|(_, bits)| bits.parse().ok()).unwrap_or(32);
        // AWS keeps five addresses of each subnet.
        let free = 2_u64.pow(32_u32.saturating_sub(bits)).saturating_sub(5);
        let shown = json!({
            "subnetId": id,
            "subnetArn": view.place.arn("ec2", &format!("subnet/{id}")),
            "vpcId": vpc,
            "ownerId": view.place.account,
            "state": "available",
            "cidrBlock": block,
            "availabilityZone": zone,
            "availableIpAddressCount": free,
            "defaultForAz": false,
            "mapPublicIpOnLaunch": live.properties.get("MapPublicIpOnLaunch").is_some_and(|maps| *maps == true),
            "assignIpv6AddressOnCreation": false,
            "ipv6CidrBlockAssociationSet": [],
        });
        let filters = [
            ("subnet-id", id),
            ("vpc-id", vpc),
            ("cidr-block", block),
            ("availability-zone", zone),
            ("state", "available"),
            ("default-for-az", "false"),
            ("owner-id", &view.place.account),
        ];
        Item::new(shown, &filters).tagged(live)
    };
    let missing = ("SubnetId", "subnetId", "InvalidSubnetID.NotFound", "The subnet ID '{id}' does not exist");
    Listing { set: "subnetSet", items: view.all("AWS::EC2::Subnet").map(item).collect(), by_id: Some(missing) }
}

/// The tables that stacks made, and the one that every VPC has from the beginning.
pub(super) fn route_tables(view: &View<'_>) -> Listing {
    let main = |vpc: &Live| {
        let id = format!("rtb-0{}", derived(&vpc.physical_id));
        let association = json!({
            "routeTableAssociationId": format!("rtbassoc-0{}", derived(&id)),
            "routeTableId": id,
            "main": true,
            "associationState": { "state": "associated" },
        });
        let item = table(view, &id, &vpc.physical_id, vec![association], Vec::new());
        item.with("association.main", vec!["true".to_owned()])
    };
    let made = |live: &Live| {
        let id = live.physical_id.as_str();
        let of_table = |type_name: &'static str| view.all(type_name).filter(|it| text(it, "RouteTableId") == id);
        let subnets: Vec<String> =
            of_table("AWS::EC2::SubnetRouteTableAssociation").map(|it| text(it, "SubnetId").to_owned()).collect();
        let associations = of_table("AWS::EC2::SubnetRouteTableAssociation")
            .map(|it| {
                json!({
                    "routeTableAssociationId": it.physical_id,
                    "routeTableId": id,
                    "subnetId": text(it, "SubnetId"),
                    "main": false,
                    "associationState": { "state": "associated" },
                })
            })
            .collect();
        let routes = of_table("AWS::EC2::Route").map(route).collect();
        let item = table(view, id, text(live, "VpcId"), associations, routes);
        item.with("association.subnet-id", subnets).with("association.main", vec!["false".to_owned()]).tagged(live)
    };
    let items = view.all("AWS::EC2::VPC").map(main).chain(view.all("AWS::EC2::RouteTable").map(made)).collect();
    let missing =
        ("RouteTableId", "routeTableId", "InvalidRouteTableID.NotFound", "The routeTable ID '{id}' does not exist");
    Listing { set: "routeTableSet", items, by_id: Some(missing) }
}

fn table(view: &View<'_>, id: &str, vpc: &str, associations: Vec<Json>, routes: Vec<Json>) -> Item {
    let home = view.all("AWS::EC2::VPC").find(|live| live.physical_id == vpc);
    let local = home.map(|home| {
        json!({
            "destinationCidrBlock": text(home, "CidrBlock"),
            "gatewayId": "local",
            "state": "active",
            "origin": "CreateRouteTable",
        })
    });
    let shown = json!({
        "routeTableId": id,
        "vpcId": vpc,
        "ownerId": view.place.account,
        "associationSet": associations,
        "propagatingVgwSet": [],
        "routeSet": local.into_iter().chain(routes).collect::<Vec<_>>(),
        "tagSet": [],
    });
    Item::new(shown, &[("route-table-id", id), ("vpc-id", vpc), ("owner-id", &view.place.account)])
}

/// A route: members of the API have the names of the properties, in lower case.
fn route(live: &Live) -> Json {
    let mut shown = json!({ "state": "active", "origin": "CreateRoute" });
    for (name, member) in [
        ("DestinationCidrBlock", "destinationCidrBlock"),
        ("DestinationIpv6CidrBlock", "destinationIpv6CidrBlock"),
        ("DestinationPrefixListId", "destinationPrefixListId"),
        ("GatewayId", "gatewayId"),
        ("NatGatewayId", "natGatewayId"),
        ("TransitGatewayId", "transitGatewayId"),
        ("VpcPeeringConnectionId", "vpcPeeringConnectionId"),
        ("NetworkInterfaceId", "networkInterfaceId"),
        ("InstanceId", "instanceId"),
        ("EgressOnlyInternetGatewayId", "egressOnlyInternetGatewayId"),
    ] {
        if let Some(value) = live.properties.get(name).filter(|value| value.is_string()) {
            shown[member] = value.clone();
        }
    }
    shown
}

/// The VPCs that a gateway is attached to; `name`: the property of an attachment that names such a gateway.
fn attached(view: &View<'_>, name: &str, id: &str) -> Vec<String> {
    let of_gateway = view.all("AWS::EC2::VPCGatewayAttachment").filter(|live| text(live, name) == id);
    of_gateway.map(|live| text(live, "VpcId").to_owned()).collect()
}

pub(super) fn internet_gateways(view: &View<'_>) -> Listing {
    let item = |live: &Live| {
        let id = live.physical_id.as_str();
        let vpcs = attached(view, "InternetGatewayId", id);
        let attachments: Vec<Json> = vpcs.iter().map(|vpc| json!({ "vpcId": vpc, "state": "available" })).collect();
        let shown = json!({ "internetGatewayId": id, "ownerId": view.place.account, "attachmentSet": attachments });
        let item = Item::new(shown, &[("internet-gateway-id", id), ("attachment.state", "available")]);
        item.with("attachment.vpc-id", vpcs).tagged(live)
    };
    let missing = (
        "InternetGatewayId",
        "internetGatewayId",
        "InvalidInternetGatewayID.NotFound",
        "The internetGateway ID '{id}' does not exist",
    );
    let items = view.all("AWS::EC2::InternetGateway").map(item).collect();
    Listing { set: "internetGatewaySet", items, by_id: Some(missing) }
}

pub(super) fn vpn_gateways(view: &View<'_>) -> Listing {
    let item = |live: &Live| {
        let id = live.physical_id.as_str();
        let vpcs = attached(view, "VpnGatewayId", id);
        let attachments: Vec<Json> = vpcs.iter().map(|vpc| json!({ "vpcId": vpc, "state": "attached" })).collect();
        let shown =
            json!({ "vpnGatewayId": id, "state": "available", "type": text(live, "Type"), "attachments": attachments });
        let item = Item::new(
            shown,
            &[
                ("vpn-gateway-id", id),
                ("state", "available"),
                ("attachment.state", "attached"),
                ("type", text(live, "Type")),
            ],
        );
        item.with("attachment.vpc-id", vpcs).tagged(live)
    };
    let missing =
        ("VpnGatewayId", "vpnGatewayId", "InvalidVpnGatewayID.NotFound", "The vpnGateway ID '{id}' does not exist");
    Listing { set: "vpnGatewaySet", items: view.all("AWS::EC2::VPNGateway").map(item).collect(), by_id: Some(missing) }
}

pub(super) fn nat_gateways(view: &View<'_>) -> Listing {
    let item = |live: &Live| {
        let (id, subnet) = (live.physical_id.as_str(), text(live, "SubnetId"));
        let home = view.all("AWS::EC2::Subnet").find(|it| it.physical_id == subnet);
        let vpc = home.map(|home| text(home, "VpcId")).unwrap_or_default();
        let kind = Some(text(live, "ConnectivityType")).filter(|kind| !kind.is_empty()).unwrap_or("public");
        let addresses = live.properties.get("AllocationId").map(|id| json!([{ "allocationId": id }]));
        let shown = json!({
            "natGatewayId": id,
            "subnetId": subnet,
            "vpcId": vpc,
            "state": "available",
            "connectivityType": kind,
            "natGatewayAddressSet": addresses.unwrap_or_else(|| json!([])),
        });
        Item::new(shown, &[("nat-gateway-id", id), ("subnet-id", subnet), ("vpc-id", vpc), ("state", "available")])
            .tagged(live)
    };
    let missing = ("NatGatewayId", "natGatewayId", "NatGatewayNotFound", "The Nat Gateway {id} was not found");
    Listing { set: "natGatewaySet", items: view.all("AWS::EC2::NatGateway").map(item).collect(), by_id: Some(missing) }
}
