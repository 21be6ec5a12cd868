//! What a template's rules may ask about the resources that its parameters name (`Fn::ValueOf`, `Fn::ValueOfAll`): the
//! attributes that AWS knows of networks, subnets and security groups. (User guide, "Rule-specific intrinsic functions",
//! "Supported attributes".)

use crate::place::Place;
use crate::world::World;
use cloudformation::evaluate::ParameterValue;
use cloudformation::template::{ParameterType, Template};
use indexmap::IndexMap;
use serde_json::Value as Json;

/// The type of a parameter, that of what it names, and the attributes that can be asked for beside `Tags.…`.
const TYPES: [(&str, &str, &[&str]); 3] = [
    ("AWS::EC2::VPC::Id", "AWS::EC2::VPC", &["DefaultNetworkAcl", "DefaultSecurityGroup"]),
    ("AWS::EC2::Subnet::Id", "AWS::EC2::Subnet", &["AvailabilityZone", "VpcId"]),
    ("AWS::EC2::SecurityGroup::Id", "AWS::EC2::SecurityGroup", &[]),
];

/// Physical id → attribute → value, for what the parameters of a template with rules name. What is not in this world is
/// left out, and nobody judges it.
pub(super) fn named(
    world: &World,
    place: &Place,
    template: &Template,
    values: &IndexMap<String, ParameterValue>,
) -> IndexMap<String, IndexMap<String, String>> {
    let mut found = IndexMap::new();
    if template.rules.is_empty() {
        return found;
    }
    let state = world.resources.lock();
    for (name, parameter) in &template.parameters {
        let (ParameterType::Aws(kind) | ParameterType::ListOfAws(kind)) = &parameter.parameter_type else { continue };
        let Some((_, type_name, attributes)) = TYPES.iter().find(|(parameter, ..)| parameter == kind) else { continue };
        let Some(ParameterValue::Known(ids)) = values.get(name) else { continue };
        for id in ids.split(',').map(str::trim) {
            let Some(live) = state.of_type(place, type_name).find(|live| live.physical_id == id) else { continue };
            let value = |attribute: &&str| {
                let value = live.properties.get(*attribute)?;
                Some(((*attribute).to_owned(), value.as_str()?.to_owned()))
            };
            let tag = |tag: &Json| Some((format!("Tags.{}", tag["Key"].as_str()?), tag["Value"].as_str()?.to_owned()));
            let tags = live.properties.get("Tags").and_then(Json::as_array).into_iter().flatten().filter_map(tag);
            found.insert(id.to_owned(), attributes.iter().filter_map(value).chain(tags).collect());
        }
    }
    found
}
