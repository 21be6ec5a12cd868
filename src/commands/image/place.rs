//! From a name that a person typed to a repository that can be spoken to.

use crate::aws::Aws;
use crate::error::{Error, Kind};
use crate::image::registry::{Credentials, Reference, Registry, Repository, is_repository, signed_in};
use crate::model::{Environment, Target};

/// A repository and what is known of it.
pub struct Place {
    pub repository: Repository,
    pub immutable_tags: bool,
}

/// The account and region of a registry of ECR's, by its host
/// (`<account>.dkr.ecr.<region>.amazonaws.com`, ECR user guide, "Private registry").
fn of_ecr(host: &str) -> Option<(String, String)> {
    let mut parts = host.split('.');
    let account = parts.next().filter(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))?;
    let is_ecr = parts.next() == Some("dkr") && matches!(parts.next(), Some("ecr" | "ecr-fips"));
    let region = parts.next().filter(|_| is_ecr)?;
    (parts.next() == Some("amazonaws")).then(|| (account.to_owned(), region.to_owned()))
}

/// The region that a reference's registry is in, if it is ECR's.
pub fn region(text: &str) -> Option<String> {
    of_ecr(text.split('/').next().unwrap_or(text)).map(|(_, region)| region)
}

/// The home of an environment.
pub fn home(environment: &Environment) -> Target {
    Target { account: environment.account.clone(), region: environment.region.clone(), role: None }
}

/// The repository of a name in the environment's account.
///
/// # Errors
/// There is none.
pub async fn by_name(aws: &Aws, environment: &Environment, name: &str) -> Result<Place, Error> {
    if !is_repository(name) {
        return Err(Error::new(Kind::Usage, format!("`{name}` is no name of a repository"))
            .hint("write the name of a repository of ECR's, or host/repository"));
    }
    in_ecr(aws, &home(environment), name).await
}

/// The repository of a reference, in whatever registry it is.
pub async fn by_reference(aws: &Aws, environment: Option<&Environment>, at: &Reference) -> Result<Place, Error> {
    let Some((account, region)) = of_ecr(&at.host) else {
        let registry = Registry::new(aws.http(), &at.host, signed_in(&at.host)?);
        return Ok(Place { repository: registry.repository(&at.repository), immutable_tags: false });
    };
    // The role that the environment's stacks in that account are made with is the way into it.
    let mut targets = environment.into_iter().flat_map(|environment| environment.stacks.values());
    let role = targets.find(|stack| stack.target.account == account).and_then(|stack| stack.target.role.clone());
    in_ecr(aws, &Target { account, region, role }, &at.repository).await
}

async fn in_ecr(aws: &Aws, target: &Target, name: &str) -> Result<Place, Error> {
    let ecr = aws.ecr(target);
    let found = ecr.repository(name).await?.ok_or_else(|| {
        let message = format!("account {} has no repository `{name}` in {}", target.account, target.region);
        Error::new(Kind::Other, message)
            .hint("create it first: in an environment it is a stack of template `ecr-repository`")
    })?;
    let (host, path) = found.uri.split_once('/').unwrap_or((&found.uri, name));
    let credentials = Credentials::Ecr(ecr);
    let registry = match aws.endpoint_url() {
        // A stand-in for AWS answers for its registry too.
        Some(url) => Registry::at(aws.http(), url, host, credentials),
        None => Registry::new(aws.http(), host, credentials),
    };
    Ok(Place { repository: registry.repository(path), immutable_tags: found.immutable_tags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_of_ecr_are_known_by_their_names() {
        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
        assert_eq!(of_ecr(host), Some(("111122223333".to_owned(), "eu-west-1".to_owned())));
        assert_eq!(region(&format!("{host}.cn/shop/api")).as_deref(), Some("eu-west-1"));
        for other in ["public.ecr.aws", "localhost:5000", "1.dkr.ecr.eu-west-1.amazonaws.com", "ghcr.io"] {
            assert_eq!(of_ecr(other), None, "{other}");
        }
    }
}
