//! What AWS offers in a region: zones, images, services behind endpoints.

use super::{Item, Listing, View, texts};
use crate::zones::Zone;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

pub(super) fn zones(view: &View<'_>) -> Listing {
    let region = &view.place.region;
    let zone = |Zone { name, id }: Zone| {
        let shown = json!({
            "zoneName": name,
            "zoneState": "available",
            "regionName": region,
            "zoneId": id,
            "groupName": format!("{region}-zg-1"),
            "networkBorderGroup": region,
            "optInStatus": "opt-in-not-required",
            "zoneType": "availability-zone",
            "messageSet": [],
        });
        let filters = [
            ("zone-name", name.as_str()),
            ("zone-id", id.as_str()),
            ("state", "available"),
            ("region-name", region),
            ("zone-type", "availability-zone"),
            ("opt-in-status", "opt-in-not-required"),
        ];
        Item::new(shown, &filters)
    };
    let items = view.place.zones().into_iter().map(zone).collect();
    let missing = ("ZoneName", "zoneName", "InvalidParameterValue", "Invalid availability zone: [{id}]");
    Listing { set: "availabilityZoneInfo", items, by_id: Some(missing) }
}

/// Images are AWS's and others', and none of them is here: each search finds one that fits, always the same.
pub(super) fn images(view: &View<'_>, input: &Json) -> Listing {
    let filters = input["Filter"].as_array().cloned().unwrap_or_default();
    let of = |name: &str| {
        let filter = filters.iter().find(|filter| filter["Name"] == name)?;
        texts(&filter["Value"]).into_iter().next()
    };
    let owner = texts(&input["Owner"]).into_iter().next().unwrap_or_else(|| "amazon".to_owned());
    let name = of("name").map(|name| name.replace(['*', '?'], "0"));
    let digest = Sha256::digest(format!("{}{owner}{}", view.place.region, Json::Array(filters.clone())));
    let found = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut ids = texts(&input["ImageId"]);
    if ids.is_empty() {
        ids.push(format!("ami-0{found}"));
    }
    let item = |id: String| {
        let shown = json!({
            "imageId": id,
            "imageState": "available",
            "imageOwnerId": if owner.bytes().all(|byte| byte.is_ascii_digit()) { owner.as_str() } else { "137112412989" },
            "imageOwnerAlias": "amazon",
            "isPublic": true,
            "name": name,
            "creationDate": view.now.strftime("%Y-%m-%dT00:00:00.000Z").to_string(),
            "architecture": of("architecture").unwrap_or_else(|| "x86_64".to_owned()),
            "imageType": "machine",
            "rootDeviceType": of("root-device-type").unwrap_or_else(|| "ebs".to_owned()),
            "rootDeviceName": "/dev/xvda",
            "virtualizationType": of("virtualization-type").unwrap_or_else(|| "hvm".to_owned()),
            "hypervisor": "xen",
            "blockDeviceMapping": [],
        });
        // It was made to fit.
        let filters = filters.iter().map(|filter| {
            let name = filter["Name"].as_str().unwrap_or_default();
            (name.to_owned(), texts(&filter["Value"]).into_iter().map(|text| text.replace(['*', '?'], "0")).collect())
        });
        Item { shown, filters: filters.collect() }
    };
    Listing { set: "imagesSet", items: ids.into_iter().map(item).collect(), by_id: None }
}

/// The services that an interface endpoint may be for: those that are asked for by name are in every zone.
pub(super) fn endpoint_services(view: &View<'_>, input: &Json) -> Listing {
    let zones = view.place.availability_zones();
    let mut names = texts(&input["ServiceName"]);
    for filter in input["Filter"].as_array().into_iter().flatten().filter(|filter| filter["Name"] == "service-name") {
        names.extend(texts(&filter["Value"]));
    }
    let item = |name: String| {
        let shown = json!({
            "serviceName": name,
            "serviceType": [{ "serviceType": "Interface" }],
            "availabilityZoneSet": zones,
            "owner": "amazon",
            "vpcEndpointPolicySupported": true,
            "acceptanceRequired": false,
            "managesVpcEndpoints": false,
        });
        Item::new(shown, &[("service-name", &name), ("owner", "amazon"), ("service-type", "Interface")])
    };
    Listing { set: "serviceDetailSet", items: names.into_iter().map(item).collect(), by_id: None }
}
