//! AWS's partitions: which one a region belongs to, and the domains of its endpoints.
//!
//! The one place that knows them. Source: `partitions.json` of the SDKs (aws.partition of the endpoint rules), November 2026.

/// A group of regions with accounts, names and endpoints of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// As ARNs have it: `aws`, `aws-cn`.
    pub id: &'static str,
    /// What endpoints end with, and what `AWS::URLSuffix` gives.
    pub dns_suffix: &'static str,
    /// What endpoints that answer over IPv6, too, end with.
    pub dual_stack_dns_suffix: &'static str,
    /// Where requests to services without a region are signed for.
    pub global_region: &'static str,
    /// What the names of its regions begin with; a word and a number follow.
    prefixes: &'static [&'static str],
}

impl Partition {
    /// The partition of a region. Regions that nobody has heard of belong to `aws`, as for the SDKs.
    pub fn of_region(region: &str) -> &'static Partition {
        let of_global = region.strip_suffix("-global");
        PARTITIONS
            .iter()
            .find(|partition| {
                of_global == Some(partition.id) || partition.prefixes.iter().any(|prefix| is_one(prefix, region))
            })
            .unwrap_or(&PARTITIONS[0])
    }

    /// The partition that ARNs call so.
    pub fn of_id(id: &str) -> Option<&'static Partition> {
        PARTITIONS.iter().find(|partition| partition.id == id)
    }
}

/// A host without the domain of its partition (`sns.eu-west-1` of `sns.eu-west-1.amazonaws.com`); none where the host is not
/// AWS's.
pub fn without_dns_suffix(host: &str) -> Option<&str> {
    let suffixes = PARTITIONS.iter().flat_map(|partition| [partition.dns_suffix, partition.dual_stack_dns_suffix]);
    suffixes.filter_map(|suffix| host.strip_suffix(suffix)?.strip_suffix('.')).min_by_key(|rest| rest.len())
}

/// Whether a name consists of a prefix, a word and a number (the `regionRegex` of the partitions).
fn is_one(prefix: &str, region: &str) -> bool {
    let rest = region.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
    let Some((word, number)) = rest.and_then(|rest| rest.split_once('-')) else { return false };
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word(word) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

static PARTITIONS: [Partition; 8] = [
    Partition {
        id: "aws",
        dns_suffix: "amazonaws.com",
        dual_stack_dns_suffix: "api.aws",
        global_region: "us-east-1",
        prefixes: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
    },
    Partition {
        id: "aws-cn",
        dns_suffix: "amazonaws.com.cn",
        dual_stack_dns_suffix: "api.amazonwebservices.com.cn",
        global_region: "cn-northwest-1",
        prefixes: &["cn"],
    },
    Partition {
        id: "aws-eusc",
        dns_suffix: "amazonaws.eu",
        dual_stack_dns_suffix: "api.amazonwebservices.eu",
        global_region: "eusc-de-east-1",
        prefixes: &["eusc-de"],
    },
    Partition {
        id: "aws-iso",
        dns_suffix: "c2s.ic.gov",
        dual_stack_dns_suffix: "api.aws.ic.gov",
        global_region: "us-iso-east-1",
        prefixes: &["us-iso"],
    },
    Partition {
        id: "aws-iso-b",
        dns_suffix: "sc2s.sgov.gov",
        dual_stack_dns_suffix: "api.aws.scloud",
        global_region: "us-isob-east-1",
        prefixes: &["us-isob"],
    },
    Partition {
        id: "aws-iso-e",
        dns_suffix: "cloud.adc-e.uk",
        dual_stack_dns_suffix: "api.cloud-aws.adc-e.uk",
        global_region: "eu-isoe-west-1",
        prefixes: &["eu-isoe"],
    },
    Partition {
        id: "aws-iso-f",
        dns_suffix: "csp.hci.ic.gov",
        dual_stack_dns_suffix: "api.aws.hci.ic.gov",
        global_region: "us-isof-south-1",
        prefixes: &["us-isof"],
    },
    Partition {
        id: "aws-us-gov",
        dns_suffix: "amazonaws.com",
        dual_stack_dns_suffix: "api.aws",
        global_region: "us-gov-west-1",
        prefixes: &["us-gov"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_partitions() {
        for (region, id, suffix) in [
            ("eu-west-1", "aws", "amazonaws.com"),
            ("mx-central-1", "aws", "amazonaws.com"),
            ("me-west-1", "aws", "amazonaws.com"),
            ("aws-global", "aws", "amazonaws.com"),
            ("nowhere-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("aws-cn-global", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-east-1", "aws-us-gov", "amazonaws.com"),
            ("us-iso-west-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-west-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
            ("us-isof-north-7", "aws-iso-f", "csp.hci.ic.gov"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ] {
            let partition = Partition::of_region(region);
            assert_eq!((partition.id, partition.dns_suffix), (id, suffix), "{region}");
        }
    }

    #[test]
    fn hosts_lose_their_domains() {
        for (host, rest) in [
            ("sns.eu-west-1.amazonaws.com", Some("sns.eu-west-1")),
            ("sns.cn-north-1.amazonaws.com.cn", Some("sns.cn-north-1")),
            ("sns.cn-north-1.api.amazonwebservices.com.cn", Some("sns.cn-north-1")),
            ("ec2.eu-west-1.api.aws", Some("ec2.eu-west-1")),
            ("b.s3.us-isob-east-1.sc2s.sgov.gov", Some("b.s3.us-isob-east-1")),
            ("s3.eusc-de-east-1.amazonaws.eu", Some("s3.eusc-de-east-1")),
            ("amazonaws.com", None),
            ("evilamazonaws.com", None),
            ("sns.eu-west-1.amazonaws.com.example.com", None),
        ] {
            assert_eq!(without_dns_suffix(host), rest, "{host}");
        }
    }
}
