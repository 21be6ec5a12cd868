//! Where a resource is in a network: its subnet, and what follows from it: VPC, zone, and addresses inside of its range.

use super::draft::Draft;
use super::model::Properties;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Addresses that nobody gets at the start of a subnet: network, router, name server, and one for later.
const RESERVED: u32 = 4;
/// The range of default VPCs, for what names no subnet.
const DEFAULT_RANGE: &str = "172.31.0.0/16";
/// Properties that hold the address of an interface.
const ADDRESSES: [&str; 4] = ["PrivateIp", "PrivateIpAddress", "PrimaryPrivateIpAddress", "IpAddress"];

impl Draft<'_> {
    /// The properties of another resource of this place.
    fn neighbour(&self, type_name: &str, id: &str) -> Option<Properties> {
        let state = self.resources.lock();
        state.get(&self.owner.place, type_name, id).map(|live| live.properties.clone())
    }

    fn at(&self, pointer: &str) -> Option<&str> {
        let (first, rest) = pointer.trim_start_matches('/').split_once('/').unwrap_or((pointer, ""));
        let value = self.properties.get(first.trim_start_matches('/'))?;
        if rest.is_empty() { value.as_str() } else { value.pointer(&format!("/{rest}"))?.as_str() }
    }

    /// The subnet that the resource is in, if it is one of this world.
    fn subnet(&self) -> Option<Properties> {
        let named =
            ["/SubnetId", "/SubnetIds/0", "/NetworkInterfaces/0/SubnetId", "/Subnets/0", "/VpcSettings/SubnetIds/0"];
        self.neighbour("AWS::EC2::Subnet", named.iter().find_map(|pointer| self.at(pointer))?)
    }

    /// The VPC that the resource is in, through its subnet.
    pub(super) fn vpc(&self) -> Option<String> {
        self.subnet()?.get("VpcId")?.as_str().map(str::to_owned)
    }

    /// The zone that the resource is in: its subnet's, or else the first one of the region.
    pub(super) fn zone(&self) -> Option<String> {
        let placed = self.at("/Placement/AvailabilityZone").map(str::to_owned);
        placed.or_else(|| self.zone_named_by(&self.subnet()?)).or_else(|| self.first_zone())
    }

    /// The zone of a subnet, if that is one of this world; the first one of the region otherwise.
    pub(super) fn zone_of(&self, subnet: &str) -> Option<String> {
        let subnet = self.neighbour("AWS::EC2::Subnet", subnet);
        subnet.and_then(|subnet| self.zone_named_by(&subnet)).or_else(|| self.first_zone())
    }

    fn first_zone(&self) -> Option<String> {
        self.owner.place.availability_zones().into_iter().next()
    }

    /// The zone that a subnet names, by name or by id.
    fn zone_named_by(&self, subnet: &Properties) -> Option<String> {
        let text = |name: &str| subnet.get(name).and_then(Json::as_str);
        let by_id = |id: &str| self.owner.place.zones().into_iter().find(|zone| zone.id == id).map(|zone| zone.name);
        text("AvailabilityZone").map(str::to_owned).or_else(|| by_id(text("AvailabilityZoneId")?))
    }

    /// A zone for a subnet that names none: those of one VPC take turns.
    pub(super) fn zone_of_subnet(&self) -> Option<String> {
        let zones = self.owner.place.zones();
        if let Some(id) = self.at("/AvailabilityZoneId") {
            return zones.into_iter().find(|zone| zone.id == id).map(|zone| zone.name);
        }
        let vpc = self.at("/VpcId");
        let state = self.resources.lock();
        let subnets = state.of_type(&self.owner.place, "AWS::EC2::Subnet");
        let before = subnets.filter(|live| live.properties.get("VpcId").and_then(Json::as_str) == vpc).count();
        zones.get(before % zones.len().max(1)).map(|zone| zone.name.clone())
    }

    /// The id of a zone that is named: `use1-az1`.
    pub(super) fn zone_id(&self) -> Option<String> {
        let name = self.text("AvailabilityZone")?;
        self.owner.place.zones().into_iter().find(|zone| zone.name == name).map(|zone| zone.id)
    }

    /// The address that the template gives an interface, or one of its subnet that nobody has.
    pub(super) fn private_ip(&self) -> Option<String> {
        let primary = self.properties.get("PrivateIpAddresses").and_then(Json::as_array).into_iter().flatten();
        let primary = primary.filter(|one| one["Primary"] == true || one["Primary"] == "true");
        let primary = primary.filter_map(|one| one["PrivateIpAddress"].as_str()).next();
        let interface = self.at("/NetworkInterfaces/0/NetworkInterfaceId");
        let of_interface = interface.and_then(|id| {
            let interface = self.neighbour("AWS::EC2::NetworkInterface", id)?;
            interface.get("PrimaryPrivateIpAddress")?.as_str().map(str::to_owned)
        });
        let given = self.at("/PrivateIpAddress").or(primary).or(self.at("/NetworkInterfaces/0/PrivateIpAddress"));
        given.map(str::to_owned).or(of_interface).or_else(|| self.free_addresses(1).into_iter().next())
    }

    /// An address of the subnet's IPv6 block.
    pub(super) fn ipv6_address(&self) -> Option<String> {
        let subnet = self.subnet()?;
        let block = subnet.get("Ipv6CidrBlock")?.as_str()?;
        let groups: Vec<String> = (0..4).map(|_| format!("{:x}", 1 + self.ids.below(0xffff))).collect();
        Some(format!("{}:{}", block.split_once("::")?.0, groups.join(":")))
    }

    /// The further addresses of an interface: those of the template, and as many as it asks for.
    pub(super) fn secondary_ips(&self) -> Vec<String> {
        let listed = self.properties.get("PrivateIpAddresses").and_then(Json::as_array).into_iter().flatten();
        let listed = listed.filter(|one| one["Primary"] != true && one["Primary"] != "true");
        let mut addresses: Vec<String> =
            listed.filter_map(|one| one["PrivateIpAddress"].as_str()).map(str::to_owned).collect();
        let wanted = self.properties.get("SecondaryPrivateIpAddressCount").and_then(Json::as_u64).unwrap_or(0);
        addresses.extend(self.free_addresses(usize::try_from(wanted).unwrap_or(0)));
        addresses
    }

    /// Addresses of the resource's subnet that nobody has; fewer where there are not so many.
    pub(super) fn free_addresses(&self, wanted: usize) -> Vec<String> {
        let block = self.subnet().and_then(|subnet| subnet.get("CidrBlock")?.as_str().map(str::to_owned));
        let Some((first, count)) = range(block.as_deref().unwrap_or(DEFAULT_RANGE)) else { return Vec::new() };
        let mut taken = self.taken();
        let room = count.saturating_sub(RESERVED + 1);
        let start = u32::try_from(self.ids.below(u64::from(room.max(1)))).unwrap_or(0);
        let mut found = Vec::new();
        for step in 0..room {
            if found.len() == wanted {
                break;
            }
            let address = Ipv4Addr::from(first + RESERVED + (start + step) % room).to_string();
            if taken.insert(address.clone()) {
                found.push(address);
            }
        }
        found
    }

    /// The addresses that resources of this place, and the draft itself, have.
    fn taken(&self) -> BTreeSet<String> {
        let state = self.resources.lock();
        let all = state.of_place(&self.owner.place).map(|live| &live.properties).chain([&self.properties]);
        let mut taken = BTreeSet::new();
        for properties in all {
            taken.extend(ADDRESSES.iter().filter_map(|name| properties.get(*name)?.as_str().map(str::to_owned)));
            let more = properties.get("SecondaryPrivateIpAddresses").and_then(Json::as_array).into_iter().flatten();
            taken.extend(more.filter_map(Json::as_str).map(str::to_owned));
        }
        taken
    }
}

/// The first address of a block, and how many it has.
fn range(block: &str) -> Option<(u32, u32)> {
    let (address, length) = block.split_once('/')?;
    let length: u32 = length.parse().ok().filter(|length| (1..=32).contains(length))?;
    let count = 1_u32 << (32 - length);
    let address = u32::from(address.parse::<Ipv4Addr>().ok()?);
    Some((address & !(count - 1), count))
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn blocks_are_ranges() {
        assert_eq!(range("10.0.0.0/24"), Some((0x0a00_0000, 256)));
        assert_eq!(range("10.0.0.77/28"), Some((0x0a00_0040, 16)));
        assert_eq!(range("10.0.0.0/0"), None);
        assert_eq!(range("2600::/56"), None);
    }
}
