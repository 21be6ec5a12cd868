//! The services beside CloudFormation that hold real data.

/// Every service, one set for each account.
#[derive(Default)]
pub struct Services {}
