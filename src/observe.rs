//! The facts in the account: what is there of the stacks that are wanted or remembered, in as few calls as possible.
