//! What a rule over the schema cannot tell: how identifiers and attributes of a type look, and how names are made.
//!
//! Sources: "Return values" of each type in the CloudFormation template reference, the services' API references for the
//! forms of ARNs and ids, and answers recorded from AWS (names of S3 buckets, SSM parameters and Lambda functions;
//! queue URLs; topics).

mod arns;
mod forms;
mod moving;
mod names;

pub(super) use arns::arn_prefix;
pub(super) use forms::{form, formed};
pub(super) use moving::{Move, is_last_change, moving};
pub(super) use names::{NameRule, USUAL, name_rule};

/// The hosted zones of load balancers ("Elastic Load Balancing endpoints and quotas" in the AWS general reference):
/// region, zone of application and classic load balancers, zone of network load balancers.
const BALANCER_ZONES: &[(&str, &str, &str)] = &[
    ("ap-northeast-1", "Z14GRHDCWA56QT", "Z31USIVHYNEOWT"),
    ("ap-northeast-2", "ZWKZPGTI48KDX", "ZIBE1TIR4HY56"),
    ("ap-south-1", "ZP97RAFLXTNZK", "ZVDDRBQ08TROA"),
    ("ap-southeast-1", "Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"),
    ("ap-southeast-2", "Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"),
    ("ca-central-1", "ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"),
    ("eu-central-1", "Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
    ("eu-north-1", "Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"),
    ("eu-west-1", "Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    ("eu-west-2", "ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"),
    ("eu-west-3", "Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"),
    ("sa-east-1", "Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"),
    ("us-east-1", "Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    ("us-east-2", "Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    ("us-west-1", "Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    ("us-west-2", "Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
];

/// The zone of a load balancer's name; `None` for a region that is not listed.
pub(super) fn balancer_zone(region: &str, network: bool) -> Option<&'static str> {
    let (_, application_zone, network_zone) = BALANCER_ZONES.iter().find(|(name, ..)| *name == region)?;
    Some(if network { network_zone } else { application_zone })
}

/// The hosted zones of regional names of API Gateway ("Amazon API Gateway endpoints and quotas" in the AWS general
/// reference).
const API_ZONES: &[(&str, &str)] = &[
    ("ap-northeast-1", "Z1YSHQZHG15GKL"),
    ("ap-northeast-2", "Z20JF4UZKIW1U8"),
    ("ap-south-1", "Z3VO1THU9YC4UR"),
    ("ap-southeast-1", "ZL327KTPIQFUL"),
    ("ap-southeast-2", "Z2RPCDW04V8134"),
    ("ca-central-1", "Z19DQILCV0OWEC"),
    ("eu-central-1", "Z1U9ULNL0V5AJ3"),
    ("eu-north-1", "Z3UWIKFBOOGXPP"),
    ("eu-west-1", "ZLY8HYME6SFDD"),
    ("eu-west-2", "ZJ5UAJN8Y3Z2Q"),
    ("eu-west-3", "Z3KY65QIEKYHQQ"),
    ("sa-east-1", "ZCMLWB8V5SYIT"),
    ("us-east-1", "Z1UJRXOUMOOFQ8"),
    ("us-east-2", "ZOJJZC49E0EPZ"),
    ("us-west-1", "Z2MUQ32089INYE"),
    ("us-west-2", "Z2OJLYMUO9EFXC"),
];

/// The zone of the regional names of API Gateway; `None` for a region that is not listed.
pub(super) fn api_zone(region: &str) -> Option<&'static str> {
    API_ZONES.iter().find(|(name, _)| *name == region).map(|(_, zone)| *zone)
}

/// Whether a dot stands before the region in the names of S3's website endpoints; in the older regions a dash does
/// ("Amazon S3 website endpoints" in the AWS general reference).
pub(super) fn website_has_dot(region: &str) -> bool {
    const DASH: [&str; 9] = [
        "ap-northeast-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "eu-west-1",
        "sa-east-1",
        "us-east-1",
        "us-gov-west-1",
        "us-west-1",
        "us-west-2",
    ];
    !DASH.contains(&region)
}
