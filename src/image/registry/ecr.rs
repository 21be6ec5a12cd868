//! ECR's registries: where each is by its name, and how it is reached.

use super::{Credentials, Registry};
use crate::aws::Aws;
use crate::model::Target;
use cloudformation::partition::without_dns_suffix;

/// The account and region of a registry of ECR's, by its host
/// (`<account>.dkr.ecr.<region>.amazonaws.com`, ECR user guide, "Registry endpoints").
pub fn place(host: &str) -> Option<(String, String)> {
    let rest = without_dns_suffix(host).or_else(|| host.strip_suffix(".on.aws"))?;
    let (account, region) = match rest.split('.').collect::<Vec<_>>()[..] {
        [account, "dkr", "ecr" | "ecr-fips", region] => (account, region),
        [account, "dkr-ecr" | "dkr-ecr-fips", region] => (account, region),
        _ => return None,
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then(|| (account.to_owned(), region.to_owned()))
}

/// The registry that is called `host`, with the credentials of a place, by the endpoint that was chosen for ECR. What stands
/// in for AWS stands in for it, too.
pub fn registry(aws: &Aws, target: &Target, host: &str) -> Registry {
    let credentials = Credentials::Ecr(aws.ecr(target));
    let (account, region) = place(host).unwrap_or_else(|| (target.account.clone(), target.region.clone()));
    match aws.registry_url(host, &account, &region) {
        Some(url) => Registry::at(aws.http(), &url, host, credentials),
        None => Registry::new(aws.http(), host, credentials),
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn registries_of_ecr_are_known_by_their_names() {
        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
        let there = Some(("111122223333".to_owned(), "eu-west-1".to_owned()));
        assert_eq!(place(host), there);
        assert_eq!(place(&format!("{host}.cn")), there);
        for region in ["us-iso-east-1.c2s.ic.gov", "us-isob-east-1.sc2s.sgov.gov", "eusc-de-east-1.amazonaws.eu"] {
            assert!(place(&format!("111122223333.dkr.ecr.{region}")).is_some(), "{region}");
        }
        for other in ["dkr.ecr-fips.eu-west-1.amazonaws.com", "dkr-ecr.eu-west-1.on.aws"] {
            assert_eq!(place(&format!("111122223333.{other}")), there, "{other}");
        }
        for other in ["public.ecr.aws", "localhost:5000", "1.dkr.ecr.eu-west-1.amazonaws.com", "ghcr.io"] {
            assert_eq!(place(other), None, "{other}");
        }
    }
}
