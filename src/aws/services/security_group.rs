//! The rules of a security group, as EC2 tells them.

use super::ask;
use crate::aws::Result;
use crate::aws::error::Call;
use crate::aws::signed::Signed;
use serde_json::{Map, Value as Json, json};

pub(super) async fn read(ec2: &Signed, id: &str) -> Result<Option<Json>> {
    let call = || Call::new("ec2", "DescribeSecurityGroups", format!("look at the security group `{id}`"));
    let form = [("Action", "DescribeSecurityGroups"), ("Version", "2016-11-15"), ("GroupId.1", id)];
    let answer = ask(ec2, &form, &["InvalidGroup.NotFound", "InvalidGroupId.NotFound"], call).await?;
    Ok(answer.and_then(|answer| Some(properties(answer["securityGroupInfo"].get(0)?))))
}

fn properties(group: &Json) -> Json {
    json!({
        "SecurityGroupIngress": rules(&group["ipPermissions"], "Source"),
        "SecurityGroupEgress": rules(&group["ipPermissionsEgress"], "Destination"),
    })
}

/// One rule for each range of addresses, prefix list and group of a permission. `side`: how a rule calls the other side.
fn rules(permissions: &Json, side: &str) -> Json {
    let mut rules = Vec::new();
    for permission in permissions.as_array().into_iter().flatten() {
        let names = [("ipProtocol", "IpProtocol"), ("fromPort", "FromPort"), ("toPort", "ToPort")];
        let base: Map<String, Json> = taken(permission, &names);
        for (list, names) in [
            ("ipRanges", [("cidrIp", "CidrIp".to_owned()), ("", String::new())]),
            ("ipv6Ranges", [("cidrIpv6", "CidrIpv6".to_owned()), ("", String::new())]),
            ("prefixListIds", [("prefixListId", format!("{side}PrefixListId")), ("", String::new())]),
            (
                "groups",
                [("groupId", format!("{side}SecurityGroupId")), ("userId", format!("{side}SecurityGroupOwnerId"))],
            ),
        ] {
            let names: Vec<(&str, &str)> = names.iter().map(|(from, to)| (*from, to.as_str())).collect();
            for item in permission[list].as_array().into_iter().flatten() {
                let mut rule = base.clone();
                rule.extend(taken(item, &names));
                rule.extend(taken(item, &[("description", "Description")]));
                rules.push(Json::Object(rule));
            }
        }
    }
    rules.into()
}

/// Members under other names, without those that are not there.
fn taken(from: &Json, names: &[(&str, &str)]) -> Map<String, Json> {
    let found = names.iter().filter_map(|(name, new)| Some(((*new).to_owned(), from.get(*name)?.clone())));
    found.filter(|(_, value)| !value.is_null()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;

    /// After the example of DescribeSecurityGroups in EC2's API reference.
    #[test]
    fn permissions_become_rules() {
        let answer = xml::read(
            "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId><ipPermissions><item>\
             <ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups><item><userId>111122223333</userId>\
             <groupId>sg-2</groupId></item></groups><ipRanges><item><cidrIp>203.0.113.0/24</cidrIp><description>office\
             </description></item><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges><prefixListIds/></item></ipPermissions>\
             <ipPermissionsEgress/></item></securityGroupInfo></DescribeSecurityGroupsResponse>",
        );
        let rule =
            |name: &str, value: &str| json!({"IpProtocol": "tcp", "FromPort": "22", "ToPort": "22", name: value});
        let mut office = rule("CidrIp", "203.0.113.0/24");
        office["Description"] = json!("office");
        let mut group = rule("SourceSecurityGroupId", "sg-2");
        group["SourceSecurityGroupOwnerId"] = json!("111122223333");
        let expected = json!({
            "SecurityGroupIngress": [office, rule("CidrIp", "10.0.0.0/8"), group],
            "SecurityGroupEgress": [],
        });
        assert_eq!(properties(&answer["securityGroupInfo"][0]), expected);
    }
}
