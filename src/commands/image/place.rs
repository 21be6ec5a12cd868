//! From a name that a person typed to a repository that can be spoken to.

use crate::aws::Aws;
use crate::error::{Error, Kind};
use crate::image::registry::{Reference, Registry, Repository, ecr, is_repository, signed_in};
use crate::model::{Environment, Target};

/// A repository and what is known of it.
pub struct Place {
    pub repository: Repository,
    pub immutable_tags: bool,
}

/// The region that a reference's registry is in, if it is ECR's.
pub fn region(text: &str) -> Option<String> {
    ecr::place(text.split('/').next().unwrap_or(text)).map(|(_, region)| region)
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
    let Some((account, region)) = ecr::place(&at.host) else {
        let registry = Registry::new(aws.http(), &at.host, signed_in(&at.host)?);
        return Ok(Place { repository: registry.repository(&at.repository), immutable_tags: false });
    };
    // The role that the environment's stacks in that account are made with is the way into it.
    let mut targets = environment.into_iter().flat_map(|environment| environment.stacks.values());
    let role = targets.find(|stack| stack.target.account == account).and_then(|stack| stack.target.role.clone());
    in_ecr(aws, &Target { account, region, role }, &at.repository).await
}

async fn in_ecr(aws: &Aws, target: &Target, name: &str) -> Result<Place, Error> {
    let found = aws.ecr(target).repository(name).await?.ok_or_else(|| {
        let message = format!("account {} has no repository `{name}` in {}", target.account, target.region);
        Error::new(Kind::Other, message)
            .hint("create it first: in an environment it is a stack of template `ecr-repository`")
    })?;
    let (host, path) = found.uri.split_once('/').unwrap_or((&found.uri, name));
    let repository = ecr::registry(aws, target, host).repository(path);
    Ok(Place { repository, immutable_tags: found.immutable_tags })
}
