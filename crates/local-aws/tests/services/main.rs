//! The services and the doors, through the SDK's own clients.

mod cloudwatch;
mod dynamodb;
mod ecr;
mod faults;
mod json;
mod persistence;
mod port;
mod s3;
mod sts;
mod support;
mod told;
