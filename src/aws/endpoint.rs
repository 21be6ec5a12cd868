//! Where services answer: by region and partition, with FIPS and dual stack, unless an address stands in for AWS.
//!
//! The one place that puts hosts together; the SDK's own clients find theirs by the same rules. Source: the endpoint rule sets
//! that the SDKs carry for each service.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use cloudformation::partition::Partition;

/// What was configured about endpoints: `AWS_ENDPOINT_URL…`, `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` and the
/// same keys of the profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Endpoints {
    /// Stands in for all services.
    stand_in: Option<String>,
    /// Stand in for one service each, by its id.
    services: Vec<(&'static str, String)>,
    fips: bool,
    dual_stack: bool,
}

/// Where a request goes, and for which region it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub url: String,
    pub region: String,
}

/// Service ids of the services whose hosts are put together here.
const CLOUDFRONT: &str = "CloudFront";
const EC2: &str = "EC2";
const ECR: &str = "ECR";
const ELASTIC_LOAD_BALANCING: &str = "Elastic Load Balancing v2";
const ROUTE_53: &str = "Route 53";
const S3: &str = "S3";
const SNS: &str = "SNS";
const SSM: &str = "SSM";

impl Endpoints {
    pub(super) fn of(config: &SdkConfig) -> Endpoints {
        let configured = |service: &'static str| {
            let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
            let url = config.service_config()?.load_config(key.build().ok()?)?;
            Some((service, url))
        };
        Endpoints {
            stand_in: config.endpoint_url().map(str::to_owned),
            services: [CLOUDFRONT, EC2, ECR, ELASTIC_LOAD_BALANCING, ROUTE_53, S3, SNS, SSM]
                .into_iter()
                .filter_map(configured)
                .collect(),
            fips: config.use_fips().unwrap_or(false),
            dual_stack: config.use_dual_stack().unwrap_or(false),
        }
    }

    pub(super) fn ec2(&self, region: &str) -> Endpoint {
        self.regional(EC2, "ec2", region)
    }

    pub(super) fn load_balancing(&self, region: &str) -> Endpoint {
        self.regional(ELASTIC_LOAD_BALANCING, "elasticloadbalancing", region)
    }

    pub(super) fn sns(&self, region: &str) -> Endpoint {
        self.regional(SNS, "sns", region)
    }

    pub(super) fn ssm(&self, region: &str) -> Endpoint {
        self.regional(SSM, "ssm", region)
    }

    /// CloudFront has one endpoint in each partition.
    pub(super) fn cloudfront(&self, region: &str) -> Endpoint {
        let partition = Partition::of_region(region);
        let fips = if self.fips { "-fips" } else { "" };
        let host = match (partition.id, self.dual_stack) {
            ("aws", true) => format!("cloudfront{fips}.global.api.aws"),
            ("aws-cn", false) => format!("cloudfront{fips}.{}.{}", partition.global_region, partition.dns_suffix),
            (_, true) => format!("cloudfront{fips}.{}", partition.dual_stack_dns_suffix),
            (_, false) => format!("cloudfront{fips}.{}", partition.dns_suffix),
        };
        self.endpoint(CLOUDFRONT, host, partition.global_region)
    }

    /// Route 53 has one endpoint in each partition.
    pub(super) fn route53(&self, region: &str) -> Endpoint {
        let partition = Partition::of_region(region);
        let fips = if self.fips { "-fips" } else { "" };
        let host = match (partition.id, self.dual_stack) {
            ("aws", true) => format!("route53{fips}.global.api.aws"),
            ("aws-us-gov", _) => "route53.us-gov.amazonaws.com".to_owned(),
            (_, _) => format!("route53{fips}.{}", partition.dns_suffix),
        };
        self.endpoint(ROUTE_53, host, partition.global_region)
    }

    /// The address of an object: what CloudFormation reads as `TemplateURL`.
    pub(super) fn object(&self, region: &str, bucket: &str, key: &str) -> String {
        if let Some(url) = self.stand_in(S3) {
            return format!("{}/{bucket}/{key}", url.trim_end_matches('/'));
        }
        let service = if self.fips { "s3-fips" } else { "s3" };
        let dual_stack = if self.dual_stack { "dualstack." } else { "" };
        let suffix = Partition::of_region(region).dns_suffix;
        format!("https://{bucket}.{service}.{dual_stack}{region}.{suffix}/{key}")
    }

    /// Where the registry that images call `host` is reached, if not there (ECR user guide, "Registry endpoints").
    pub(super) fn registry(&self, host: &str, account: &str, region: &str) -> Option<String> {
        if let Some(url) = self.stand_in(ECR) {
            return Some(url.to_owned());
        }
        let partition = Partition::of_region(region);
        let is_named_plainly = host == format!("{account}.dkr.ecr.{region}.{}", partition.dns_suffix);
        match (self.fips, self.dual_stack) {
            (true, false) if is_named_plainly => {
                Some(format!("https://{account}.dkr.ecr-fips.{region}.{}", partition.dns_suffix))
            }
            (fips, true) if is_named_plainly && partition.id == "aws" => {
                Some(format!("https://{account}.dkr-ecr{}.{region}.on.aws", if fips { "-fips" } else { "" }))
            }
            _ => None,
        }
    }

    fn regional(&self, service: &'static str, prefix: &str, region: &str) -> Endpoint {
        let partition = Partition::of_region(region);
        // All of GovCloud's endpoints of these services are FIPS endpoints.
        let plain = partition.id == "aws-us-gov" && !self.dual_stack;
        let fips = if self.fips && !plain { "-fips" } else { "" };
        let suffix = if self.dual_stack { partition.dual_stack_dns_suffix } else { partition.dns_suffix };
        self.endpoint(service, format!("{prefix}{fips}.{region}.{suffix}"), region)
    }

    fn endpoint(&self, service: &str, host: String, region: &str) -> Endpoint {
        let url = self.stand_in(service).map_or_else(|| format!("https://{host}"), str::to_owned);
        Endpoint { url, region: region.to_owned() }
    }

    fn stand_in(&self, service: &str) -> Option<&str> {
        let of_service = self.services.iter().find(|(id, _)| *id == service).map(|(_, url)| url.as_str());
        of_service.or(self.stand_in.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(fips: bool, dual_stack: bool) -> Endpoints {
        Endpoints { fips, dual_stack, ..Endpoints::default() }
    }

    #[test]
    fn hosts_follow_the_partition() {
        let plain = endpoints(false, false);
        for (region, ec2, cloudfront) in [
            ("eu-west-1", "https://ec2.eu-west-1.amazonaws.com", "https://cloudfront.amazonaws.com"),
            (
                "cn-north-1",
                "https://ec2.cn-north-1.amazonaws.com.cn",
                "https://cloudfront.cn-northwest-1.amazonaws.com.cn",
            ),
            ("us-isob-east-1", "https://ec2.us-isob-east-1.sc2s.sgov.gov", "https://cloudfront.sc2s.sgov.gov"),
            ("eusc-de-east-1", "https://ec2.eusc-de-east-1.amazonaws.eu", "https://cloudfront.amazonaws.eu"),
        ] {
            assert_eq!(plain.ec2(region).url, ec2);
            assert_eq!(plain.cloudfront(region).url, cloudfront);
        }
        assert_eq!(plain.cloudfront("cn-north-1").region, "cn-northwest-1");
        assert_eq!(plain.object("us-iso-east-1", "b", "k.json"), "https://b.s3.us-iso-east-1.c2s.ic.gov/k.json");
    }

    #[test]
    fn fips_and_dual_stack() {
        let (fips, dual, both) = (endpoints(true, false), endpoints(false, true), endpoints(true, true));
        assert_eq!(fips.sns("us-east-1").url, "https://sns-fips.us-east-1.amazonaws.com");
        assert_eq!(dual.sns("us-east-1").url, "https://sns.us-east-1.api.aws");
        assert_eq!(both.sns("us-east-1").url, "https://sns-fips.us-east-1.api.aws");
        let balancing = fips.load_balancing("us-gov-west-1");
        assert_eq!(balancing.url, "https://elasticloadbalancing.us-gov-west-1.amazonaws.com");
        assert_eq!(fips.cloudfront("eu-west-1").url, "https://cloudfront-fips.amazonaws.com");
        assert_eq!(dual.cloudfront("eu-west-1").url, "https://cloudfront.global.api.aws");
        assert_eq!(fips.object("us-east-2", "b", "k"), "https://b.s3-fips.us-east-2.amazonaws.com/k");
        assert_eq!(dual.object("us-east-2", "b", "k"), "https://b.s3.dualstack.us-east-2.amazonaws.com/k");
        assert_eq!(both.object("us-east-2", "b", "k"), "https://b.s3-fips.dualstack.us-east-2.amazonaws.com/k");
    }

    #[test]
    fn registries() {
        let host = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
        let at = |endpoints: Endpoints| endpoints.registry(host, "111122223333", "us-east-1");
        assert_eq!(at(endpoints(false, false)), None);
        let fips = "https://111122223333.dkr.ecr-fips.us-east-1.amazonaws.com";
        assert_eq!(at(endpoints(true, false)).as_deref(), Some(fips));
        let dual_stack = "https://111122223333.dkr-ecr.us-east-1.on.aws";
        assert_eq!(at(endpoints(false, true)).as_deref(), Some(dual_stack));
    }

    #[test]
    fn an_address_stands_in_for_one_service_or_for_all() {
        let all = Endpoints { stand_in: Some("http://localhost:4566/".to_owned()), ..endpoints(true, true) };
        assert_eq!(
            all.ec2("eu-west-1"),
            Endpoint { url: "http://localhost:4566/".to_owned(), region: "eu-west-1".to_owned() }
        );
        assert_eq!(all.object("eu-west-1", "b", "k"), "http://localhost:4566/b/k");
        let one = Endpoints { services: vec![(SNS, "http://localhost:1".to_owned())], ..endpoints(false, false) };
        assert_eq!(one.sns("eu-west-1").url, "http://localhost:1");
        assert_eq!(one.ec2("eu-west-1").url, "https://ec2.eu-west-1.amazonaws.com");
    }
}
