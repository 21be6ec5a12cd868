//! Attributes of a resource that follow from others which are made later: the blocks of a VPC or subnet, and those that
//! are associated with it.

use super::draft::Draft;
use super::live::State;
use crate::place::Place;
use crate::world::World;
use serde_json::{Value as Json, json};

/// Attributes of a resource of a stack as they are now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Followed {
    pub stack_id: String,
    pub logical_id: String,
    pub attributes: Vec<(&'static str, Json)>,
}

/// Types that others follow: the type, the type that follows, and the property that names it.
const FOLLOWED: &[(&str, &str, &str)] = &[
    ("AWS::EC2::SubnetCidrBlock", "AWS::EC2::Subnet", "SubnetId"),
    ("AWS::EC2::VPCCidrBlock", "AWS::EC2::VPC", "VpcId"),
];

const IPV6: &str = "Ipv6CidrBlocks";
const ASSOCIATIONS: &str = "CidrBlockAssociations";

/// The blocks that a VPC or subnet begins with.
pub(super) fn blocks(draft: &Draft<'_>, path: &str) -> Json {
    match path {
        IPV6 => draft.text("Ipv6CidrBlock").map_or_else(|| json!([]), |block| json!([block])),
        _ => json!([format!("vpc-cidr-assoc-0{}", draft.ids.hex(16))]),
    }
}

/// Brings what follows a resource up to date, after that was made, changed or deleted.
pub(crate) fn follow(world: &World, place: &Place, type_name: &str, properties: &Json) -> Option<Followed> {
    let (_, owner_type, names) = FOLLOWED.iter().find(|(name, ..)| *name == type_name)?;
    let owner = properties[*names].as_str()?;
    let mut state = world.resources.lock();
    let (blocks, associations) = associated(&state, place, type_name, names, owner);
    let live = state.get_mut(place, owner_type, owner)?;
    let own = live.properties.get("Ipv6CidrBlock").cloned();
    let all: Vec<Json> = own.into_iter().chain(blocks).collect();
    let mut now = vec![(IPV6, Json::Array(all))];
    if let Some(Json::Array(before)) = live.properties.get(ASSOCIATIONS) {
        // The first one is that of the VPC's own block.
        let all = before.first().cloned().into_iter().chain(associations).collect();
        now.push((ASSOCIATIONS, Json::Array(all)));
    }
    for (name, value) in &now {
        live.properties.insert((*name).to_owned(), value.clone());
    }
    Some(Followed { stack_id: live.stack_id.clone()?, logical_id: live.logical_id.clone()?, attributes: now })
}

/// The IPv6 blocks that are associated, and the ids of the associations of IPv4 blocks.
fn associated(state: &State, place: &Place, type_name: &str, names: &str, owner: &str) -> (Vec<Json>, Vec<Json>) {
    let (mut blocks, mut associations) = (Vec::new(), Vec::new());
    let of_owner =
        state.of_type(place, type_name).filter(|live| live.properties.get(names).and_then(Json::as_str) == Some(owner));
    for live in of_owner {
        match live.properties.get("Ipv6CidrBlock") {
            Some(block) => blocks.push(block.clone()),
            None => associations.extend(live.properties.get("Id").cloned()),
        }
    }
    (blocks, associations)
}
