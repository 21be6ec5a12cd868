//! Security groups with their rules, those of a template and those that it adds beside.

use super::{Item, Listing, View, text};
use crate::resources::Live;
use serde_json::{Value as Json, json};

pub(super) fn security_groups(view: &View<'_>) -> Listing {
    let made = |live: &Live| {
        let named = text(live, "GroupId");
        let id = if named.is_empty() { live.physical_id.as_str() } else { named };
        let rules = |list: &str, type_name: &'static str| -> Vec<Json> {
            let own = live.properties.get(list).and_then(Json::as_array).into_iter().flatten().map(permission);
            let beside = view.all(type_name).filter(|rule| text(rule, "GroupId") == id);
            let beside = beside.map(|rule| permission(&Json::Object(rule.properties.clone())));
            own.chain(beside).collect()
        };
        let ingress = rules("SecurityGroupIngress", "AWS::EC2::SecurityGroupIngress");
        let mut egress = rules("SecurityGroupEgress", "AWS::EC2::SecurityGroupEgress");
        if egress.is_empty() {
            egress.push(anywhere());
        }
        let shown = json!({
            "ownerId": view.place.account,
            "groupId": id,
            "groupName": text(live, "GroupName"),
            "groupDescription": text(live, "GroupDescription"),
            "vpcId": text(live, "VpcId"),
            "ipPermissions": ingress,
            "ipPermissionsEgress": egress,
        });
        let filters = [
            ("group-id", id),
            ("group-name", text(live, "GroupName")),
            ("description", text(live, "GroupDescription")),
            ("vpc-id", text(live, "VpcId")),
            ("owner-id", &view.place.account),
        ];
        Item::new(shown, &filters).tagged(live)
    };
    // Every VPC has one from the beginning.
    let default = |vpc: &Live| {
        let (id, vpc_id) = (text(vpc, "DefaultSecurityGroup"), vpc.physical_id.as_str());
        let shown = json!({
            "ownerId": view.place.account,
            "groupId": id,
            "groupName": "default",
            "groupDescription": "default VPC security group",
            "vpcId": vpc_id,
            "ipPermissions": [{ "ipProtocol": "-1", "groups": [{ "groupId": id, "userId": view.place.account }] }],
            "ipPermissionsEgress": [anywhere()],
            "tagSet": [],
        });
        Item::new(shown, &[("group-id", id), ("group-name", "default"), ("vpc-id", vpc_id)])
    };
    let items = view.all("AWS::EC2::SecurityGroup").map(made).chain(view.all("AWS::EC2::VPC").map(default)).collect();
    let missing = ("GroupId", "groupId", "InvalidGroup.NotFound", "The security group '{id}' does not exist");
    Listing { set: "securityGroupInfo", items, by_id: Some(missing) }
}

fn anywhere() -> Json {
    json!({ "ipProtocol": "-1", "ipRanges": [{ "cidrIp": "0.0.0.0/0" }] })
}

/// A rule of a template as EC2 shows it.
fn permission(rule: &Json) -> Json {
    let mut shown = json!({ "ipProtocol": rule["IpProtocol"] });
    for (name, member) in [("FromPort", "fromPort"), ("ToPort", "toPort")] {
        if !rule[name].is_null() {
            shown[member] = rule[name].clone();
        }
    }
    let source = |names: [&str; 2]| names.iter().find_map(|name| rule[*name].as_str());
    for (value, list, member) in [
        (rule["CidrIp"].as_str(), "ipRanges", "cidrIp"),
        (rule["CidrIpv6"].as_str(), "ipv6Ranges", "cidrIpv6"),
        (source(["SourcePrefixListId", "DestinationPrefixListId"]), "prefixListIds", "prefixListId"),
        (source(["SourceSecurityGroupId", "DestinationSecurityGroupId"]), "groups", "groupId"),
    ] {
        if let Some(value) = value {
            shown[list] = json!([{ (member): value, "description": rule["Description"] }]);
        }
    }
    shown
}
