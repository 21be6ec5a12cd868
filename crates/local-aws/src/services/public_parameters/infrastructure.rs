//! `/aws/service/global-infrastructure/`: regions, their zones, and the services in them.
//!
//! `infrastructure.tsv` was made from the data of moto, an emulator (Apache-2.0), which has them from the public parameters: a line for each region (code, name, partition,
//! domain, country, subdivision, zones) and for each service (code, name, the regions that have it as bits of a
//! hexadecimal number, the first region's bit last).

use super::Public;
use std::sync::LazyLock;

static TABLE: &str = include_str!("infrastructure.tsv");

struct Region {
    code: &'static str,
    /// Name, partition, domain, country and subdivision, as [`FACTS`] calls them.
    facts: Vec<&'static str>,
    zones: Vec<&'static str>,
}

struct Service {
    code: &'static str,
    name: &'static str,
    regions: u64,
}

const FACTS: [&str; 5] = ["longName", "partition", "domain", "geolocationCountry", "geolocationRegion"];

static REGIONS: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let fields = |line: &'static str| line.split('\t').collect::<Vec<&'static str>>();
    let region = |fields: Vec<&'static str>| match fields.as_slice() {
        ["region", code, facts @ .., zones] => {
            Some(Region { code, facts: facts.to_vec(), zones: zones.split(',').collect() })
        }
        _ => None,
    };
    TABLE.lines().map(fields).filter_map(region).collect()
});

static SERVICES: LazyLock<Vec<Service>> = LazyLock::new(|| {
    let service = |line: &'static str| match line.split('\t').collect::<Vec<&'static str>>().as_slice() {
        ["service", code, name, regions] => {
            Some(Service { code, name, regions: u64::from_str_radix(regions, 16).unwrap_or_default() })
        }
        _ => None,
    };
    TABLE.lines().filter_map(service).collect()
});

fn region(code: &str) -> Option<(usize, &'static Region)> {
    REGIONS.iter().enumerate().find(|(_, region)| region.code == code)
}

fn service(code: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.code == code)
}

impl Service {
    fn is_in(&self, region: usize) -> bool {
        self.regions >> region & 1 == 1
    }
}

/// The parameter at a path below `/aws/service/global-infrastructure/`.
pub(super) fn find(steps: &[&str]) -> Option<Public> {
    let itself = |code: &str| Public::text(code);
    match steps {
        ["regions", code] => region(code).map(|_| itself(code)),
        ["regions", code, "availability-zones", zone] => region(code)?.1.zones.contains(zone).then(|| itself(zone)),
        ["regions", code, "services", name] => service(name)?.is_in(region(code)?.0).then(|| itself(name)),
        ["regions", code, fact] => {
            let at = FACTS.iter().position(|known| known == fact)?;
            region(code)?.1.facts.get(at).map(|value| itself(value))
        }
        ["availability-zones", zone] => REGIONS.iter().any(|region| region.zones.contains(zone)).then(|| itself(zone)),
        ["availability-zones", zone, "parent-region"] => {
            REGIONS.iter().find(|region| region.zones.contains(zone)).map(|region| itself(region.code))
        }
        ["services", name] => service(name).map(|_| itself(name)),
        ["services", name, "longName"] => service(name).map(|service| itself(service.name)),
        ["services", name, "regions", code] => service(name)?.is_in(region(code)?.0).then(|| itself(code)),
        _ => None,
    }
}

/// Every name below `/aws/service/`.
pub(super) fn listed() -> Vec<String> {
    let mut names = Vec::new();
    for (at, region) in REGIONS.iter().enumerate() {
        names.push(format!("regions/{}", region.code));
        names.extend(FACTS.iter().map(|fact| format!("regions/{}/{fact}", region.code)));
        names.extend(region.zones.iter().map(|zone| format!("regions/{}/availability-zones/{zone}", region.code)));
        let here = SERVICES.iter().filter(|service| service.is_in(at));
        names.extend(here.map(|service| format!("regions/{}/services/{}", region.code, service.code)));
        names.extend(region.zones.iter().map(|zone| format!("availability-zones/{zone}")));
    }
    for service in SERVICES.iter() {
        names.push(format!("services/{}", service.code));
        names.push(format!("services/{}/longName", service.code));
        let regions = REGIONS.iter().enumerate().filter(|(at, _)| service.is_in(*at));
        names.extend(regions.map(|(_, region)| format!("services/{}/regions/{}", service.code, region.code)));
    }
    names.iter().map(|name| format!("global-infrastructure/{name}")).collect()
}
