//! Who calls, and whether that is who the environment wants: asked before anything else.

use super::error::{Call, Explain};
use super::{Aws, Result};
use crate::error::{Error, Kind};
use crate::model::Environment;
use cloudformation::partition::Partition;

/// The caller, as STS knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    pub arn: String,
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
}

impl Aws {
    /// One call (`sts:GetCallerIdentity`, which needs no permission).
    pub async fn identity(&self) -> Result<Identity> {
        let call = || Call::new("sts", "GetCallerIdentity", "find out whose credentials these are");
        let caller = self.sts().get_caller_identity().send().await.explain(call)?;
        let arn = caller.arn.unwrap_or_default();
        let partition = arn.split(':').nth(1).filter(|text| !text.is_empty()).unwrap_or("aws").to_owned();
        Ok(Identity { account: caller.account.unwrap_or_default(), arn, partition })
    }

    /// The caller, if the environment is theirs.
    ///
    /// # Errors
    /// [`Kind::WrongAccount`] where the credentials are of another account or partition than the environment's, or a
    /// stack of another account names no role to assume there.
    pub async fn check_identity(&self, environment: &Environment) -> Result<Identity> {
        let identity = self.identity().await?;
        check(&identity, environment)?;
        Ok(identity)
    }
}

fn check(identity: &Identity, environment: &Environment) -> Result<()> {
    let Environment { name, account, region, .. } = environment;
    if identity.account != *account {
        return Err(Error::new(
            Kind::WrongAccount,
            format!(
                "environment `{name}` belongs to account {account}, the credentials to account {}",
                identity.account
            ),
        )
        .detail(format!("the credentials are of {}", identity.arn))
        .detail(format!("the account is set in {}", environment.at.file.name))
        .hint(format!("choose a profile of account {account} with `--profile NAME` or AWS_PROFILE")));
    }
    let partition = Partition::of_region(region).id;
    if identity.partition != partition {
        return Err(Error::new(
            Kind::WrongAccount,
            format!(
                "environment `{name}` is in region {region} of partition `{partition}`, the credentials are of `{}`",
                identity.partition
            ),
        )
        .detail(format!("the credentials are of {}", identity.arn))
        .hint("choose credentials of that partition, or another region"));
    }
    for (stack, spec) in &environment.stacks {
        if spec.target.account != *account && spec.target.role.is_none() {
            return Err(Error::new(
                Kind::WrongAccount,
                format!("stack `{stack}` lives in account {}, where nobody can go without a role", spec.target.account),
            )
            .detail(format!("{}", spec.at))
            .hint(format!(
                "name a role to assume there: `role: arn:{partition}:iam::{}:role/…`",
                spec.target.account
            )));
        }
    }
    Ok(())
}
