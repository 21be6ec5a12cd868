//! Images that AWS and others publish: names by their families' forms, ids drawn from region and name.

use super::Public;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// The release that everything here is of.
const DATE: &str = "20250610";

/// The image or the fact about one at a path below `/aws/service/`.
pub(super) fn find(region: &str, steps: &[&str]) -> Option<Public> {
    let image = |named: &str| Some(Public { value: id(region, named), image: true });
    match steps {
        ["ami-amazon-linux-latest", name] if amazon_linux().any(|known| known == *name) => image(name),
        ["ami-windows-latest", name] if is_windows(name) => image(name),
        ["ami-windows-latest", name, "image_id"] if is_windows(name) && name.contains("_Optimized") => image(name),
        ["ecs", "optimized-ami", family @ .., "recommended"] => Some(Public::text(ecs(region, family)?.to_string())),
        ["ecs", "optimized-ami", family @ .., "recommended", member] => member_of(&ecs(region, family)?, member),
        ["eks", "optimized-ami", version, family @ .., "recommended"] => {
            Some(Public::text(eks(region, version, family)?.to_string()))
        }
        ["eks", "optimized-ami", version, family @ .., "recommended", member] => {
            member_of(&eks(region, version, family)?, member)
        }
        ["bottlerocket", variant, architecture @ ("x86_64" | "arm64"), version, member] => {
            let variant = variant.strip_prefix("aws-").filter(|name| !name.is_empty())?;
            let known = ["k8s-", "ecs-", "dev"].iter().any(|start| variant.starts_with(start));
            match *member {
                "image_id" if known => image(&format!("bottlerocket-{variant}-{architecture}-{version}")),
                "image_version" if known && *version == "latest" => Some(Public::text("1.40.0-af533c31")),
                "image_version" if known => Some(Public::text(*version)),
                _ => None,
            }
        }
        ["canonical", "ubuntu", product, rest @ .., "ami-id"] if is_ubuntu(rest) => {
            image(&format!("ubuntu-{product}-{}", rest.join("-")))
        }
        ["debian", "release" | "daily", release, version, "amd64" | "arm64"]
            if matches!(
                *release,
                "10" | "11" | "12" | "13" | "buster" | "bullseye" | "bookworm" | "trixie" | "sid"
            ) =>
        {
            image(&format!("debian-{release}-{version}-{}", steps[steps.len() - 1]))
        }
        ["cloud9", "amis", name] if CLOUD9.contains(name) => image(&format!("cloud9-{name}")),
        ["ec2-macos", release, "x86_64_mac" | "arm64_mac", _, "image_id"] if MACOS.contains(release) => {
            image(&steps.join("-"))
        }
        ["freebsd", "amd64" | "arm64", _, _, version, "RELEASE" | "STABLE" | "CURRENT"]
            if version.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            image(&steps.join("-"))
        }
        ["suse", _, _, "x86_64" | "arm64", _] => image(&steps.join("-")),
        ["marketplace", product, _] if product.starts_with("prod-") => image(&steps.join("-")),
        ["storagegateway", "ami", _, "latest"] | ["datasync", "ami"] => image(&steps.join("-")),
        ["deeplearning", "ami", "x86_64" | "arm64", _, "latest", "ami-id"] => image(&steps.join("-")),
        _ => None,
    }
}

/// Names below `/aws/service/` that are listed.
pub(super) fn listed() -> Vec<String> {
    let mut names: Vec<String> = amazon_linux().map(|name| format!("ami-amazon-linux-latest/{name}")).collect();
    for year in WINDOWS {
        for kind in ["Full", "Core"] {
            names.push(format!("ami-windows-latest/Windows_Server-{year}-English-{kind}-Base"));
        }
    }
    for family in
        ["amazon-linux-2", "amazon-linux-2/arm64", "amazon-linux-2/gpu", "amazon-linux-2023", "amazon-linux-2023/arm64"]
    {
        names.push(format!("ecs/optimized-ami/{family}/recommended"));
        names.push(format!("ecs/optimized-ami/{family}/recommended/image_id"));
    }
    for variant in ["aws-ecs-2", "aws-k8s-1.33"] {
        for architecture in ["arm64", "x86_64"] {
            names.extend(
                ["image_id", "image_version"]
                    .map(|member| format!("bottlerocket/{variant}/{architecture}/latest/{member}")),
            );
        }
    }
    names.extend(CLOUD9.map(|name| format!("cloud9/amis/{name}")));
    names
}

/// `ami-` and 17 hexadecimal digits.
fn id(region: &str, named: &str) -> String {
    let digest = Sha256::digest(format!("{region}\0{named}"));
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("ami-0{}", &digits[..16])
}

fn member_of(document: &Json, member: &str) -> Option<Public> {
    let value = match document.get(member)? {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(Public { value, image: member == "image_id" })
}

/// Every name of Amazon Linux that AWS publishes.
fn amazon_linux() -> impl Iterator<Item = String> {
    let mut names = Vec::new();
    for architecture in ["arm64", "x86_64"] {
        for kernel in ["6.1", "6.12", "6.18", "default"] {
            names.extend(["", "-minimal"].map(|size| format!("al2023-ami{size}-kernel-{kernel}-{architecture}")));
        }
        for kernel in ["", "-kernel-4.14", "-kernel-5.10", "-kernel-default"] {
            for disk in ["ebs", "gp2"] {
                names.extend(["", "-minimal"].map(|size| format!("amzn2-ami{size}{kernel}-hvm-{architecture}-{disk}")));
            }
        }
    }
    for virtualization in ["hvm", "pv"] {
        names.extend(["ebs", "s3"].map(|disk| format!("amzn-ami-{virtualization}-x86_64-{disk}")));
        names.extend(["ebs", "s3"].map(|disk| format!("amzn-ami-minimal-{virtualization}-x86_64-{disk}")));
    }
    names.push("amzn-ami-hvm-x86_64-gp2".to_owned());
    names.into_iter()
}

const WINDOWS: [&str; 4] = ["2016", "2019", "2022", "2025"];

/// `Windows_Server-<release>-<language>-<Full or Core>-<what is on it>`, perhaps with how it boots before it.
fn is_windows(name: &str) -> bool {
    let name = ["TPM-", "NitroTPM-", "UEFI-", "EC2LaunchV2-", "BIOS-"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    let Some(rest) = name.strip_prefix("Windows_Server-") else { return false };
    let parts: Vec<&str> = rest.splitn(4, '-').collect();
    let older = ["2012-R2_RTM", "2012-RTM", "2012-R2", "1709", "1803", "1809", "1903", "1909", "2004", "20H2"];
    match parts.as_slice() {
        [release, language, "Full" | "Core", on] => {
            (WINDOWS.contains(release) || older.contains(release))
                && language.starts_with(|c: char| c.is_ascii_uppercase())
                && !on.is_empty()
        }
        _ => older.iter().any(|release| rest.starts_with(&format!("{release}-"))),
    }
}

const CLOUD9: [&str; 5] = [
    "amazonlinux-1-x86_64",
    "amazonlinux-2-x86_64",
    "amazonlinux-2023-x86_64",
    "ubuntu-18.04-x86_64",
    "ubuntu-22.04-x86_64",
];

const MACOS: [&str; 7] = ["mojave", "catalina", "bigsur", "monterey", "ventura", "sonoma", "sequoia"];

/// `<release>[/<version of Kubernetes>]/stable/<current or a date>/<architecture>/hvm/<disk>`.
fn is_ubuntu(steps: &[&str]) -> bool {
    let releases = ["trusty", "xenial", "bionic", "focal", "jammy", "noble", "oracular", "plucky", "questing", "devel"];
    let is_release = |release: &str| {
        let numbered = release.split_once('.').is_some_and(|(year, month)| {
            year.len() == 2 && year.bytes().all(|c| c.is_ascii_digit()) && matches!(month, "04" | "10")
        });
        numbered || releases.contains(&release)
    };
    let tail = |steps: &[&str]| {
        matches!(
            steps,
            [
                "stable",
                _,
                "amd64" | "arm64" | "i386",
                "hvm" | "pv",
                "ebs-gp2" | "ebs-gp3" | "ebs-ssd" | "instance-store"
            ]
        )
    };
    match steps {
        [release, rest @ ..] if is_release(release) => tail(rest) || rest.len() == 6 && tail(&rest[1..]),
        _ => false,
    }
}

/// The document of an image that is optimised for ECS.
fn ecs(region: &str, family: &[&str]) -> Option<Json> {
    let (system, variant) = family.split_first()?;
    let known = ["arm64", "gpu", "inf", "inf2", "neuron", "kernel-5.10"];
    if !variant.iter().all(|one| known.contains(one)) || variant.len() > 2 {
        return None;
    }
    let architecture = if variant.contains(&"arm64") { "arm64" } else { "x86_64" };
    let (os, name) = match *system {
        "amazon-linux" if variant.is_empty() => {
            ("Amazon Linux", format!("amzn-ami-2018.03.{DATE}-amazon-ecs-optimized"))
        }
        "amazon-linux-2" => ("Amazon Linux 2", format!("amzn2-ami-ecs-hvm-2.0.{DATE}-{architecture}-ebs")),
        "amazon-linux-2023" => {
            ("Amazon Linux 2023", format!("al2023-ami-ecs-hvm-2023.0.{DATE}-kernel-6.1-{architecture}"))
        }
        _ => return None,
    };
    Some(json!({
        "ecs_agent_version": "1.94.0",
        "ecs_runtime_version": "Docker version 25.0.8",
        "image_id": id(region, &format!("ecs-{}", family.join("-"))),
        "image_name": name,
        "image_version": DATE,
        "os": os,
        "schema_version": 1,
    }))
}

/// The document of an image that is optimised for EKS.
fn eks(region: &str, version: &str, family: &[&str]) -> Option<Json> {
    let minor = version.strip_prefix("1.").and_then(|minor| minor.parse::<u32>().ok());
    minor.filter(|minor| (10..=40).contains(minor))?;
    let architecture = match family {
        ["amazon-linux-2" | "amazon-linux-2-gpu"] => "x86_64",
        ["amazon-linux-2-arm64"] => "arm64",
        ["amazon-linux-2023", architecture @ ("x86_64" | "arm64"), "standard" | "nvidia" | "neuron"] => architecture,
        _ => return None,
    };
    let kind = if family[0] == "amazon-linux-2023" { "-al2023" } else { "" };
    Some(json!({
        "schema_version": "2",
        "image_id": id(region, &format!("eks-{version}-{}", family.join("-"))),
        "image_name": format!("amazon-eks-node{kind}-{architecture}-{version}-v{DATE}"),
        "release_version": format!("{version}.0-{DATE}"),
    }))
}
