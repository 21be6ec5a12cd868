//! What a rule over the schema cannot tell: how identifiers and attributes of a type look, and how names are made.
//!
//! Sources: "Return values" of each type in the CloudFormation template reference, the services' API references for the
//! forms of ARNs and ids, and answers recorded from AWS (names of S3 buckets, SSM parameters and Lambda functions;
//! queue URLs; topics).

mod forms;
mod names;

pub(super) use forms::form;
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
