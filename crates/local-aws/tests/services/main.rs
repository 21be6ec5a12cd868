//! The services and the doors, through the SDK's own clients.

mod dynamodb;
mod s3;
mod sts;
mod support;
