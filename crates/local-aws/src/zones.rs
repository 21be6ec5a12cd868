//! Availability zones of regions, as an account sees them.
//!
//! Sources: "AWS Availability Zones" and "Regions and Availability Zones" in the AWS regions reference. Which letter
//! stands for which zone differs between accounts; here letters and ids have the same order.

use crate::place::Place;

/// A zone of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The region and a letter: `us-east-1a`.
    pub name: String,
    /// The same in all accounts: `use1-az1`.
    pub id: String,
}

/// Letters and numbers of the zones of regions that have not just the three `a`, `b` and `c`. New accounts see two
/// zones in us-west-1, and neither the second zone of ap-northeast-1 nor the third ones of ca-central-1 and cn-north-1.
const ODD: &[(&str, &[(char, u8)])] = &[
    ("ap-northeast-1", &[('a', 4), ('c', 1), ('d', 2)]),
    ("ap-northeast-2", &[('a', 1), ('b', 2), ('c', 3), ('d', 4)]),
    ("ca-central-1", &[('a', 1), ('b', 2), ('d', 4)]),
    ("cn-north-1", &[('a', 1), ('b', 2), ('d', 4)]),
    ("us-east-1", &[('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5), ('f', 6)]),
    ("us-west-1", &[('a', 1), ('c', 3)]),
    ("us-west-2", &[('a', 1), ('b', 2), ('c', 3), ('d', 4)]),
];

const USUAL: &[(char, u8)] = &[('a', 1), ('b', 2), ('c', 3)];

impl Place {
    /// The zones of the region, by name. Each has a subnet in the default VPC, so `Fn::GetAZs` gives all of them.
    pub fn zones(&self) -> Vec<Zone> {
        let odd = ODD.iter().find(|(region, _)| *region == self.region).map(|(_, zones)| *zones);
        let short = short(&self.region);
        let zone = |(letter, number): &(char, u8)| Zone {
            name: format!("{}{letter}", self.region),
            id: format!("{short}-az{number}"),
        };
        odd.unwrap_or(USUAL).iter().map(zone).collect()
    }

    /// The region as names of hosts and ids of zones abbreviate it: `use1`.
    pub(crate) fn region_short(&self) -> String {
        short(&self.region)
    }

    /// The names of the zones.
    pub fn availability_zones(&self) -> Vec<String> {
        self.zones().into_iter().map(|zone| zone.name).collect()
    }
}

/// A region as ids of zones begin: `use1` for `us-east-1`, `apne1` for `ap-northeast-1`, `usgw1` for `us-gov-west-1`.
fn short(region: &str) -> String {
    let mut parts = region.split('-');
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part {
            "northeast" => short.push_str("ne"),
            "northwest" => short.push_str("nw"),
            "southeast" => short.push_str("se"),
            "southwest" => short.push_str("sw"),
            _ => short.extend(part.chars().next()),
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_the_region() {
        let zones = |region: &str| {
            let zones = Place::new("111122223333", region).zones();
            zones.into_iter().map(|zone| format!("{} {}", zone.name, zone.id)).collect::<Vec<_>>()
        };
        assert_eq!(zones("us-east-1").len(), 6);
        assert_eq!(zones("us-east-1")[5], "us-east-1f use1-az6");
        assert_eq!(zones("us-west-1"), ["us-west-1a usw1-az1", "us-west-1c usw1-az3"]);
        assert_eq!(
            zones("eu-central-1"),
            ["eu-central-1a euc1-az1", "eu-central-1b euc1-az2", "eu-central-1c euc1-az3"]
        );
        assert_eq!(zones("ap-northeast-1")[1], "ap-northeast-1c apne1-az1");
        assert_eq!(zones("us-gov-west-1")[0], "us-gov-west-1a usgw1-az1");
        assert_eq!(zones("ap-southeast-2")[2], "ap-southeast-2c apse2-az3");
    }
}
