//! Values that forms name and that take more than a look at one property.

use super::draft::{Draft, last_segment};
use super::facts::{api_zone, balancer_zone, website_has_dot};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::Value as Json;
use sha2::Sha256;

impl Draft<'_> {
    /// A value by its name in a form; `None` if it is none of these, or asks for what is not known.
    pub(super) fn special(&self, name: &str) -> Option<String> {
        self.of_resource(name).or_else(|| self.of_network(name)).or_else(|| self.of_service(name))
    }

    /// What follows from properties of the resource.
    fn of_resource(&self, name: &str) -> Option<String> {
        let or = |path: &str, other: &str| self.text(path).unwrap_or_else(|| other.to_owned());
        Some(match name {
            "revision" => self.resources.next_revision(&self.owner.place, self.type_name, &self.family()).to_string(),
            // A type of the registry, and a version of it, as their ARNs have them: `My-Shop-Queue/00000002`.
            "extension" => self.extension()?.replace("::", "-"),
            "extension_version" => {
                let version = self.resources.next_revision(&self.owner.place, self.type_name, &self.extension()?);
                format!("{version:08}")
            }
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
            // `app/<name>/<id>` of an ARN that ends so.
            "after_kind" => self.physical_id.as_deref()?.split_once('/')?.1.to_owned(),
            "balancer" => self.text("LoadBalancerArn")?.split_once("loadbalancer/")?.1.to_owned(),
            "listener" => self.text("ListenerArn")?.split_once("listener/")?.1.to_owned(),
            "database_port" => or("Port", if or("Engine", "").contains("postgres") { "5432" } else { "3306" }),
            "fingerprint" => self.fingerprint(),
            _ => return None,
        })
    }

    /// Addresses, names of hosts, and where things are.
    fn of_network(&self, name: &str) -> Option<String> {
        let place = &self.owner.place;
        let (region, suffix) = (&place.region, place.url_suffix());
        let old_region = region == "us-east-1";
        Some(match name {
            "region_short" => place.region_short(),
            "zone" => self.zone()?,
            "subnet_zone" => self.zone_of_subnet()?,
            "zone_id" => self.zone_id()?,
            "vpc" => self.vpc().unwrap_or_else(|| format!("vpc-0{}", self.ids.hex(16))),
            // Of a range that is for tests of networks (RFC 2544).
            "public_ip" => {
                format!("198.{}.{}.{}", 18 + self.ids.below(2), self.ids.below(256), 1 + self.ids.below(254))
            }
            "private_ip" => self.private_ip()?,
            "public_dns" => {
                let address = self.text("PublicIp").or_else(|| self.special("public_ip"))?.replace('.', "-");
                let zone = if old_region { "compute-1".to_owned() } else { format!("{region}.compute") };
                format!("ec2-{address}.{zone}.{suffix}")
            }
            "private_dns" => {
                let address = self.text("PrivateIp").or_else(|| self.private_ip())?.replace('.', "-");
                let zone = if old_region { "ec2".to_owned() } else { format!("{region}.compute") };
                format!("ip-{address}.{zone}.internal")
            }
            "ipv6_block" => {
                let group = |least: u64| format!("{:x}", least + self.ids.below(0x1_0000 - least));
                let asked = self.text("AmazonProvidedIpv6CidrBlock").as_deref() == Some("true");
                let size = format!("{:x}00", 1 + self.ids.below(0xff));
                asked.then(|| format!("2600:1f18:{}:{size}::/56", group(0x1000)))?
            }
            "ipv6_address" => self.ipv6_address()?,
            "balancer_host" => {
                let internal = if self.text("Scheme").as_deref() == Some("internal") { "internal-" } else { "" };
                let name = self.text("Name")?;
                match self.text("Type").as_deref() {
                    Some("network") => format!("{name}-{}.elb.{region}.{suffix}", self.ids.hex(16)),
                    _ => format!("{internal}{name}-{}.{region}.elb.{suffix}", self.ids.digits(10)),
                }
            }
            "classic_host" => {
                let internal = if self.text("Scheme").as_deref() == Some("internal") { "internal-" } else { "" };
                let name = self.text("LoadBalancerName")?;
                format!("{internal}{name}-{}.{region}.elb.{suffix}", self.ids.digits(10))
            }
            "website_host" => {
                format!("s3-website{}{region}.{suffix}", if website_has_dot(region) { '.' } else { '-' })
            }
            "api_zone" => api_zone(region).map_or_else(|| format!("Z{}", self.ids.upper(13)), str::to_owned),
            "api_scheme" => match self.text("ProtocolType").as_deref() {
                Some("WEBSOCKET") => "wss",
                _ => "https",
            }
            .to_owned(),
            "mq_amqp" => {
                let id = self.physical_id.as_deref()?;
                match self.text("EngineType")?.to_uppercase().as_str() {
                    "RABBITMQ" => format!("amqps://{id}.mq.{region}.{suffix}:5671"),
                    _ => format!("amqp+ssl://{id}-1.mq.{region}.{suffix}:5671"),
                }
            }
            _ => return None,
        })
    }

    /// What single services call their things.
    fn of_service(&self, name: &str) -> Option<String> {
        let or = |path: &str, other: &str| self.text(path).unwrap_or_else(|| other.to_owned());
        let place = &self.owner.place;
        let secret = |name: String| place.arn("secretsmanager", &format!("secret:{name}-{}", self.ids.alphanumeric(6)));
        Some(match name {
            "access_kind" => if self.text("PrincipalArn")?.contains(":user/") { "user" } else { "role" }.to_owned(),
            "cache_port" => or("Port", if or("Engine", "redis") == "memcached" { "11211" } else { "6379" }),
            "certificate" => {
                let body = self.ids.alphanumeric(64);
                STANDARD.encode(format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"))
            }
            "eks_key" => self.properties.get("EncryptionConfig")?.pointer("/0/Provider/KeyArn")?.as_str()?.to_owned(),
            "cluster_secret" => secret(format!("rds!cluster-{}", self.ids.uuid())),
            "instance_secret" => secret(format!("rds!db-{}", self.ids.uuid())),
            "redshift_secret" => {
                secret(format!("redshift!{}-{}", self.text("ClusterIdentifier")?, or("MasterUsername", "admin")))
            }
            "serverless_secret" => {
                secret(format!("redshift!{}-{}", self.text("NamespaceName")?, or("AdminUsername", "admin")))
            }
            "discoverer" => {
                self.text("SourceArn")?.split_once(":event-bus/").map(|(_, bus)| format!("events-event-bus-{bus}"))?
            }
            "glue_registry" => {
                let of_arn = || self.text("Registry.Arn").map(|arn| last_segment(&arn).to_owned());
                self.text("Registry.Name").or_else(of_arn).unwrap_or_else(|| "default-registry".to_owned())
            }
            "glue_name" => {
                let named = |input: &str| self.text(&format!("{input}.Name")).filter(|name| !name.is_empty());
                GLUE_INPUTS.iter().find_map(|input| named(input)).unwrap_or_else(|| {
                    let (stack, logical) = (&self.owner.stack_name, &self.owner.logical_id);
                    format!("{stack}-{logical}-{}", self.ids.alphanumeric(12)).to_lowercase()
                })
            }
            "linked_role" => {
                let service = self.text("AWSServiceName")?;
                let service = service.split('.').next()?;
                let (first, rest) = service.split_at_checked(1)?;
                let end = self.text("CustomSuffix").map(|end| format!("_{end}")).unwrap_or_default();
                format!("AWSServiceRoleFor{}{rest}{end}", first.to_uppercase())
            }
            "recipe" => {
                let arn = self.text("ImageRecipeArn").or_else(|| self.text("ContainerRecipeArn"))?;
                arn.split_once('/')?.1.to_owned()
            }
            "rule_destination" => if self.properties.contains_key("VpcProperties") { "vpc" } else { "http" }.to_owned(),
            "media_output" => self.text("Name").unwrap_or_else(|| self.owner.logical_id.clone()),
            "lattice_name" => self.text("Name").unwrap_or_else(|| self.owner.logical_id.to_lowercase()),
            "security_type" => or("Type", "saml"),
            "resolver_direction" => match self.text("Direction").as_deref() {
                Some("OUTBOUND") => "rslvr-out",
                _ => "rslvr-in",
            }
            .to_owned(),
            "rule_group_kind" => or("Type", "STATEFUL").to_lowercase(),
            "web_acl_region" => match self.text("Scope").as_deref() {
                Some("CLOUDFRONT") => "us-east-1".to_owned(),
                _ => place.region.clone(),
            },
            "short_lower_name" => self.text("Name")?.to_lowercase().chars().take(20).collect(),
            // 63 characters.
            "access_point_alias" => {
                let name: String = self.text("Name")?.to_lowercase().chars().take(20).collect();
                format!("{name}-{}-s3alias", self.ids.lower(54 - name.len()))
            }
            "outpost_of_bucket" => self.text("Bucket")?.split_once("/bucket/")?.0.to_owned(),
            "standard" => self.text("StandardsArn")?.split_once('/')?.1.to_owned(),
            "machine_of_alias" => {
                let routed = self
                    .properties
                    .get("RoutingConfiguration")
                    .and_then(|all| all.pointer("/0/StateMachineVersionArn"));
                let routed = routed.and_then(Json::as_str).map(str::to_owned);
                let version = routed.or_else(|| self.text("DeploymentPreference.StateMachineVersionArn"))?;
                version.rsplit_once(':')?.0.to_owned()
            }
            "xray_name" => or("GroupName", "default"),
            "sampling_rule" => self.text("SamplingRule.RuleName").or_else(|| self.text("RuleName"))?,
            "sns_topic" => {
                let topic = self.text("SnsTopicName")?;
                if topic.starts_with("arn:") { topic } else { place.arn("sns", &topic) }
            }
            _ => return self.text(name.strip_prefix("lower_")?).map(|text| text.to_lowercase().replace(' ', "-")),
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
        REVISED.iter().filter_map(|path| self.text(path)).collect::<Vec<_>>().join("/")
    }

    /// The name of the type of the registry that a resource is a version of.
    fn extension(&self) -> Option<String> {
        self.text("TypeName").or_else(|| self.text("ModuleName"))
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

/// Properties that say whose revisions are counted; a type has one or two of them.
const REVISED: [&str; 10] = [
    "ApplicationId",
    "BotId",
    "ConfigurationProfileId",
    "EnvironmentId",
    "Family",
    "FunctionName",
    "ImageName",
    "JobDefinitionName",
    "LayerName",
    "StateMachineArn",
];

/// Properties of Glue that hold the name of what they describe.
const GLUE_INPUTS: [&str; 7] = [
    "ConnectionInput",
    "CsvClassifier",
    "DatabaseInput",
    "GrokClassifier",
    "JsonClassifier",
    "TableInput",
    "XMLClassifier",
];

/// The bare name of a function that is given by name or ARN, with or without a qualifier.
fn function_name(text: &str) -> &str {
    match text.split_once(":function:") {
        Some((_, rest)) => rest.split(':').next().unwrap_or(rest),
        None => text.split(':').next().unwrap_or(text),
    }
}
