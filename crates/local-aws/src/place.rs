//! Where something is: an account and a region.

use cloudformation::partition::Partition;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The account of requests whose access key does not name one.
pub const DEFAULT_ACCOUNT: &str = "000000000000";

/// An account and a region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    pub region: String,
}

impl Place {
    pub fn new(account: &str, region: &str) -> Self {
        Place { account: account.to_owned(), region: region.to_owned() }
    }

    /// `aws`, `aws-cn`, `aws-us-gov` …, by the region.
    pub fn partition(&self) -> &'static str {
        Partition::of_region(&self.region).id
    }

    /// The domain that this partition's endpoints end with.
    pub fn url_suffix(&self) -> &'static str {
        Partition::of_region(&self.region).dns_suffix
    }

    /// The ARN of a regional resource of this place.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_follow_regions() {
        let arn = |region: &str| Place::new("111122223333", region).arn("sns", "topic");
        assert_eq!(arn("eu-west-1"), "arn:aws:sns:eu-west-1:111122223333:topic");
        assert_eq!(arn("cn-north-1"), "arn:aws-cn:sns:cn-north-1:111122223333:topic");
        assert_eq!(arn("us-isob-east-1"), "arn:aws-iso-b:sns:us-isob-east-1:111122223333:topic");
        assert_eq!(Place::new("111122223333", "eusc-de-east-1").url_suffix(), "amazonaws.eu");
        assert_eq!(arn("us-gov-west-1"), "arn:aws-us-gov:sns:us-gov-west-1:111122223333:topic");
    }
}
