//! A resource while it is made: who it is for, what is known of it so far, and the values that forms ask for.

use super::facts::balancer_zone;
use super::model::{self, Properties};
use super::{Owner, Resources};
use crate::ids::Ids;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloudformation::schema::{PropertyPath, ResourceType};
use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::Value as Json;
use sha2::Sha256;

/// A resource in the making.
pub(super) struct Draft<'d> {
    pub ids: &'d Ids,
    pub now: Timestamp,
    pub resources: &'d Resources,
    pub owner: &'d Owner,
    pub type_name: &'d str,
    pub known: &'static ResourceType,
    /// With the names that were made and the attributes as far as they are known.
    pub properties: Properties,
    /// What `Ref` will give, once it is known.
    pub physical_id: Option<String>,
}

impl Draft<'_> {
    /// Fills in a form; `None` if it asks for what is not known.
    pub fn fill(&self, form: &str) -> Option<String> {
        super::form::fill(form, self.ids, |name| self.value(name))
    }

    /// The text of a property or attribute, if it has one value.
    pub fn text(&self, path: &str) -> Option<String> {
        match model::get(&self.properties, &PropertyPath::new(path))? {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            Json::Bool(truth) => Some(truth.to_string()),
            _ => None,
        }
    }

    /// A value that a form names.
    pub fn value(&self, name: &str) -> Option<String> {
        let place = &self.owner.place;
        Some(match name {
            "partition" => place.partition().to_owned(),
            "region" => place.region.clone(),
            "account" => place.account.clone(),
            "suffix" => place.url_suffix().to_owned(),
            "stack" => self.owner.stack_name.clone(),
            "stack_id" => self.owner.stack_id.clone(),
            "stack_id_escaped" => self.owner.stack_id.replace(':', "%3A").replace('/', "%2F"),
            "logical" => self.owner.logical_id.clone(),
            "short_stack" => self.owner.stack_name.chars().take(5).collect(),
            "short_logical" => self.owner.logical_id.chars().take(5).collect(),
            "physical" => self.physical_id.clone()?,
            "last" => last_segment(self.physical_id.as_deref()?).to_owned(),
            "now_label" => self.now.strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string(),
            "now_seconds" => self.now.as_second().to_string(),
            _ => return self.special(name).or_else(|| self.text(name)).or_else(|| self.made(name)),
        })
    }

    /// An attribute that is not set yet and has a form.
    fn made(&self, path: &str) -> Option<String> {
        self.known
            .is_read_only(path)
            .then(|| super::facts::form(self.type_name, path))
            .flatten()
            .and_then(|form| self.fill(form))
    }

    /// Values that take more than a look at a property.
    fn special(&self, name: &str) -> Option<String> {
        let or = |path: &str, other: &str| self.text(path).unwrap_or_else(|| other.to_owned());
        Some(match name {
            "revision" => self.resources.next_revision(&self.owner.place, self.type_name, &self.family()).to_string(),
            "cluster" => last_segment(&or("Cluster", "default")).to_owned(),
            "function" => {
                function_name(&self.text("FunctionName").or_else(|| self.text("TargetFunctionArn"))?).to_owned()
            }
            "path" => or("Path", "/"),
            "bus" => match self.text("EventBusName").as_deref().map(last_segment) {
                None | Some("default") => String::new(),
                Some(bus) => format!("{bus}/"),
            },
            "event_bus" => last_segment(&self.text("EventBusName")?).to_owned(),
            "bare_name" => self.text("Name")?.trim_start_matches('/').to_owned(),
            "schedule_group" => or("GroupName", "default"),
            "oidc_host" => self.text("Url")?.trim_start_matches("https://").trim_end_matches('/').to_owned(),
            "web_acl_scope" => match self.text("Scope").as_deref() {
                Some("CLOUDFRONT") => "global".to_owned(),
                _ => "regional".to_owned(),
            },
            "policy_resource" => self.scalable_target()?,
            "gateway_kind" => if self.text("VpnGatewayId").is_some() { "VGW" } else { "IGW" }.to_owned(),
            "destination" => ["DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"]
                .iter()
                .find_map(|path| self.text(path))?,
            "balancer_kind" => match self.text("Type").as_deref() {
                Some("network") => "net",
                Some("gateway") => "gwy",
                _ => "app",
            }
            .to_owned(),
            "balancer_zone" => {
                let network = self.text("Type").as_deref() == Some("network");
                balancer_zone(&self.owner.place.region, network)?.to_owned()
            }
            "balancer_host" => {
                let internal = if self.text("Scheme").as_deref() == Some("internal") { "internal-" } else { "" };
                let (place, name) = (&self.owner.place, self.text("Name")?);
                let (region, suffix) = (&place.region, place.url_suffix());
                match self.text("Type").as_deref() {
                    Some("network") => format!("{name}-{}.elb.{region}.{suffix}", self.ids.hex(16)),
                    _ => format!("{internal}{name}-{}.{region}.elb.{suffix}", self.ids.digits(10)),
                }
            }
            // `app/<name>/<id>` of an ARN that ends so.
            "after_kind" => self.physical_id.as_deref()?.split_once('/')?.1.to_owned(),
            "balancer" => self.text("LoadBalancerArn")?.split_once("loadbalancer/")?.1.to_owned(),
            "listener" => self.text("ListenerArn")?.split_once("listener/")?.1.to_owned(),
            "database_port" => or("Port", if or("Engine", "").contains("postgres") { "5432" } else { "3306" }),
            "public_ip" => format!("203.0.113.{}", 1 + self.ids.below(254)),
            "private_ip" => format!("10.0.{}.{}", self.ids.below(256), 4 + self.ids.below(250)),
            "public_ip_dashed" => self.text("PublicIp")?.replace('.', "-"),
            "private_ip_dashed" => self.text("PrivateIp")?.replace('.', "-"),
            "fingerprint" => self.fingerprint(),
            _ => return None,
        })
    }

    /// Of a key pair: the SHA-256 of an ED25519 key in base64, the MD5 of an RSA key that was imported, or the SHA-1 of the
    /// private key that EC2 made. (EC2's API reference, `KeyPairInfo`, member `keyFingerprint`.)
    fn fingerprint(&self) -> String {
        let given = self.text("PublicKeyMaterial").unwrap_or_default();
        let mut parts = given.split_whitespace();
        let kind = parts.next().unwrap_or_default();
        let blob = parts.next().and_then(|text| STANDARD.decode(text).ok());
        let pairs =
            |digits: &str| digits.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":");
        let is_ed25519 = kind == "ssh-ed25519" || self.text("KeyType").as_deref() == Some("ed25519");
        match (is_ed25519, blob) {
            (true, Some(blob)) => STANDARD.encode(Sha256::digest(blob)),
            (true, None) => STANDARD.encode(Sha256::digest(self.ids.hex(64))),
            (false, Some(blob)) => {
                pairs(&Md5::digest(blob).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
            }
            (false, None) => pairs(&self.ids.hex(40)),
        }
    }

    /// What revisions are counted for.
    fn family(&self) -> String {
        let of = |path: &str| self.text(path);
        of("Family").or_else(|| of("LayerName")).or_else(|| of("FunctionName")).unwrap_or_default()
    }

    /// The resource that a scaling policy scales, as its ARN names it.
    fn scalable_target(&self) -> Option<String> {
        if let Some(target) = self.text("ScalingTargetId") {
            let mut parts = target.split('|');
            let resource = parts.next()?;
            let service = parts.nth(1)?;
            return Some(format!("{service}/{resource}"));
        }
        Some(format!("{}/{}", self.text("ServiceNamespace")?, self.text("ResourceId")?))
    }
}

/// What follows the last `:`, `/` or `|`.
pub(super) fn last_segment(text: &str) -> &str {
    text.rsplit([':', '/', '|']).next().unwrap_or(text)
}

/// The bare name of a function that is given by name or ARN, with or without a qualifier.
fn function_name(text: &str) -> &str {
    match text.split_once(":function:") {
        Some((_, rest)) => rest.split(':').next().unwrap_or(rest),
        None => text.split(':').next().unwrap_or(text),
    }
}
