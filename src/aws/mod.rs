//! The only room that knows the AWS SDK: clients, credentials, retries, identity, and errors in words for people.
//!
//! What goes in and comes out is plain data. There is one seam: the HTTP client. Production talks through the network;
//! tests and benches hand in one of their own ([`Connect::http_client`]) that counts, delays or breaks calls.
//!
//! What always holds: every list is read to its end, every call has a deadline, throttled calls are made again after a
//! growing pause and reported, and credentials that end in mid-run are looked for anew at the next call.

mod clock;
mod cloudcontrol;
pub mod cloudformation;
mod cloudfront;
mod cloudtrail;
mod connect;
mod credentials;
mod dynamodb;
mod ecr;
mod ecs;
mod ecs_running;
mod elbv2;
mod endpoint;
mod error;
mod http;
mod identity;
mod logs;
mod nested;
mod pace;
mod packages;
mod patience;
mod plain;
mod pricing;
mod profile;
mod read_only;
mod roles;
mod route53;
mod s3;
mod services;
mod signed;
mod site;
mod ssm;
mod tagging;
mod template;
mod trust;

pub use cloudcontrol::{CloudControl, Reading};
pub use cloudfront::{CloudFront, Invalidation};
pub use cloudtrail::{CloudTrail, TrailEvent};
pub use connect::{AccessKey, Aws, Connect, Notice, Notify};
pub use dynamodb::{Condition, Item, ItemValue, Table, Write};
pub use ecr::{Ecr, EcrImage, EcrRepository, Scan, ScanFinding};
pub use ecs::{Container, ContainerExit, Ecs, RunningImage, ServiceDeployment, ServiceState, StoppedTask};
pub use ecs_running::RunningContainer;
pub use elbv2::{Elbv2, TargetHealth};
pub use error::{Failure, denied, failure};
pub use http::network;
pub use identity::Identity;
pub use logs::Logs;
pub use nested::NestedTemplates;
pub use pace::Pace;
pub use packages::{PackageBucket, PackageObject};
pub use plain::{Answer, Body, Broken, Chunks, Http, Request, STANDSTILL};
pub use pricing::Pricing;
pub use roles::{AskCode, MfaDevice};
pub use route53::{RecordSet, Route53};
pub use s3::{Object, ObjectKey, ObjectVersion, Objects, Precondition, Put};
pub use services::Services;
pub use site::{SiteBucket, SiteObject};
pub use ssm::Ssm;
pub use tagging::{TaggedResource, Tagging};
pub use template::template_key;

/// Results of this room: every error has a kind, and says what was being done.
pub type Result<T> = std::result::Result<T, crate::error::Error>;

/// A timestamp of the SDK's; times that do not fit (there are none in practice) become the epoch.
fn timestamp(time: &aws_smithy_types::DateTime) -> jiff::Timestamp {
    jiff::Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).unwrap_or(0)).unwrap_or_default()
}
