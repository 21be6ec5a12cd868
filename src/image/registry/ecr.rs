//! ECR's registries: where each is by its name, and how it is reached.

use super::{Credentials, Registry};
use crate::aws::Aws;
use crate::model::Target;

/// The account and region of a registry of ECR's, by its host
/// (`<account>.dkr.ecr.<region>.amazonaws.com`, ECR user guide, "Private registry").
pub fn place(host: &str) -> Option<(String, String)> {
    let mut parts = host.split('.');
    let account = parts.next().filter(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))?;
    let is_ecr = parts.next() == Some("dkr") && matches!(parts.next(), Some("ecr" | "ecr-fips"));
    let region = parts.next().filter(|_| is_ecr)?;
    (parts.next() == Some("amazonaws")).then(|| (account.to_owned(), region.to_owned()))
}

/// The registry that is called `host`, with the credentials of a place. What stands in for AWS stands in for it, too.
pub fn registry(aws: &Aws, target: &Target, host: &str) -> Registry {
    let credentials = Credentials::Ecr(aws.ecr(target));
    match aws.endpoint_url() {
        Some(url) => Registry::at(aws.http(), url, host, credentials),
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
        for other in ["public.ecr.aws", "localhost:5000", "1.dkr.ecr.eu-west-1.amazonaws.com", "ghcr.io"] {
            assert_eq!(place(other), None, "{other}");
        }
    }
}
