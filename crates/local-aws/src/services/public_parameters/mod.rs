//! Parameter Store's public parameters: what AWS keeps under `/aws/service/` in every account and region.
//!
//! Values have the form that AWS gives them; ids of images are drawn from region and name, the same every time. Names
//! that are in no family of AWS's are left to the service, which knows none of them and refuses them as AWS does.
//! Source: "Working with public parameters" of the Systems Manager User Guide, and the guides of the services that
//! publish there.

mod images;
mod infrastructure;

use super::account::Backend;
use super::rewrite;
use crate::door::{Request, Response};
use crate::place::Place;
use bytes::Bytes;
use serde_json::{Value as Json, json};

/// Where public parameters begin.
const ROOT: &str = "/aws/service/";

/// Entries of a page, if nobody says how many: the most that the API allows.
const PAGE: u64 = 10;

/// What a public parameter holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Public {
    value: String,
    /// Whether the value is the id of an image, which the API tells.
    image: bool,
}

impl Public {
    fn text(value: impl Into<String>) -> Self {
        Public { value: value.into(), image: false }
    }
}

/// The public parameter of a region by its full name.
fn find(region: &str, name: &str) -> Option<Public> {
    let steps: Vec<&str> = name.strip_prefix(ROOT)?.split('/').collect();
    match steps.as_slice() {
        ["global-infrastructure", steps @ ..] => infrastructure::find(steps),
        ["aws-for-fluent-bit", tag] => fluent_bit(region, tag),
        ["powertools", language, architecture @ ("x86_64" | "arm64"), runtime, "latest"] => {
            powertools(region, language, architecture, runtime)
        }
        steps => images::find(region, steps),
    }
}

/// AWS's image of Fluent Bit, in the account that it has in most regions.
fn fluent_bit(region: &str, tag: &str) -> Option<Public> {
    let version = |tag: &str| tag.split('.').count() == 3 && tag.split('.').all(|part| part.parse::<u32>().is_ok());
    let known = matches!(tag, "latest" | "stable" | "windowsservercore-latest" | "windowsservercore-stable");
    let uri = format!("906394416424.dkr.ecr.{region}.amazonaws.com/aws-for-fluent-bit:{tag}");
    (known || version(tag.strip_prefix("debug-").unwrap_or(tag))).then(|| Public::text(uri))
}

/// The layers of Powertools for AWS Lambda.
fn powertools(region: &str, language: &str, architecture: &str, runtime: &str) -> Option<Public> {
    let (account, layer) = match language {
        "python" if runtime.starts_with("python3.") => {
            let runtime = runtime.replace('.', "");
            ("017000801446", format!("AWSLambdaPowertoolsPythonV3-{runtime}-{architecture}"))
        }
        "typescript" if runtime == "generic" => ("094274105915", "AWSLambdaPowertoolsTypeScriptV2".to_owned()),
        _ => return None,
    };
    Some(Public::text(format!("arn:aws:lambda:{region}:{account}:layer:{layer}:18")))
}

/// Names that [`find`] has a value for and that are listed: of families without an end, those in common use.
fn listed() -> impl Iterator<Item = String> {
    let others = ["aws-for-fluent-bit/latest", "aws-for-fluent-bit/stable"].map(str::to_owned);
    images::listed().into_iter().chain(others).chain(infrastructure::listed()).map(|name| format!("{ROOT}{name}"))
}

/// Lets Parameter Store answer, with the public parameters among the account's own.
pub(super) async fn answer(backend: &dyn Backend, place: &Place, operation: &str, request: Request) -> Response {
    let input = serde_json::from_slice::<Json>(request.body()).unwrap_or_default();
    match operation {
        "GetParameter" => match input["Name"].as_str().and_then(|name| described(place, name)) {
            Some(parameter) => json_response(&json!({ "Parameter": parameter })),
            None => rewrite::answer(backend, place, "ssm", request).await,
        },
        "GetParameters" => {
            let names: Vec<&str> = input["Names"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            let (public, own): (Vec<_>, Vec<_>) =
                names.into_iter().map(|name| (name, described(place, name))).partition(|(_, found)| found.is_some());
            if public.is_empty() {
                return rewrite::answer(backend, place, "ssm", request).await;
            }
            let mut found: Vec<Json> = public.into_iter().filter_map(|(_, found)| found).collect();
            let mut invalid = json!([]);
            if !own.is_empty() {
                let mut asked = input.clone();
                asked["Names"] = own.iter().map(|(name, _)| *name).collect();
                let response = rewrite::answer(backend, place, "ssm", with_body(request, &asked)).await;
                if !response.status().is_success() {
                    return response;
                }
                let output = serde_json::from_slice::<Json>(response.body()).unwrap_or_default();
                found.extend(output["Parameters"].as_array().into_iter().flatten().cloned());
                invalid = output["InvalidParameters"].clone();
            }
            json_response(&json!({ "Parameters": found, "InvalidParameters": invalid }))
        }
        "GetParametersByPath" => match input["Path"].as_str().filter(|path| is_public(path)) {
            Some(path) => json_response(&by_path(place, path, &input)),
            None => rewrite::answer(backend, place, "ssm", request).await,
        },
        _ => rewrite::answer(backend, place, "ssm", request).await,
    }
}

fn is_public(path: &str) -> bool {
    format!("{}/", path.trim_end_matches('/')).starts_with(ROOT)
}

/// A page of what stands under a path: all of it, or the next level alone.
fn by_path(place: &Place, path: &str, input: &Json) -> Json {
    let prefix = format!("{}/", path.trim_end_matches('/'));
    let recursive = input["Recursive"].as_bool() == Some(true);
    let under = |name: &String| {
        name.strip_prefix(&prefix).is_some_and(|rest| !rest.is_empty() && (recursive || !rest.contains('/')))
    };
    let number = |value: &Json| value.as_str().and_then(|text| text.parse::<usize>().ok()).unwrap_or_default();
    let (start, most) = (number(&input["NextToken"]), input["MaxResults"].as_u64().unwrap_or(PAGE).clamp(1, PAGE));
    let mut names = listed().filter(under).skip(start);
    let page: Vec<Json> = names.by_ref().take(most as usize).filter_map(|name| described(place, &name)).collect();
    let mut output = json!({ "Parameters": page });
    if names.next().is_some() {
        output["NextToken"] = json!((start + page_length(&output)).to_string());
    }
    output
}

fn page_length(output: &Json) -> usize {
    output["Parameters"].as_array().map_or(0, Vec::len)
}

/// A public parameter as the API tells it. `asked` is a name or an ARN, perhaps with a version behind it.
fn described(place: &Place, asked: &str) -> Option<Json> {
    let name = asked.find(":parameter/").map_or(asked, |at| &asked[at + ":parameter".len()..]);
    let (name, selector) = name.split_once(':').map_or((name, None), |(name, version)| (name, Some(version)));
    let Public { value, image } = find(&place.region, name)?;
    let mut parameter = json!({
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": 1_704_067_200.0,
        "ARN": format!("arn:{}:ssm:{}::parameter{name}", place.partition(), place.region),
        "DataType": if image { "aws:ec2:image" } else { "text" },
    });
    if let Some(selector) = selector {
        // Versions before the latest are not kept here.
        selector.parse::<u64>().ok().filter(|version| *version > 0)?;
        parameter["Selector"] = json!(format!(":{selector}"));
    }
    Some(parameter)
}

fn with_body(request: Request, body: &Json) -> Request {
    let (mut parts, _) = request.into_parts();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Request::from_parts(parts, Bytes::from(body.to_string()))
}

fn json_response(body: &Json) -> Response {
    let mut response = Response::new(Bytes::from(body.to_string()));
    let kind = http::HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        find("us-east-1", &format!("{ROOT}{name}")).map(|public| public.value)
    }

    #[test]
    fn families_have_values_of_their_forms() {
        let images = [
            "ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
            "ami-amazon-linux-latest/al2023-ami-minimal-kernel-6.12-x86_64",
            "ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2",
            "ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-arm64-gp2",
            "ami-amazon-linux-latest/amzn-ami-hvm-x86_64-gp2",
            "ami-windows-latest/Windows_Server-2022-English-Full-Base",
            "ami-windows-latest/Windows_Server-2019-English-Full-SQL_2019_Standard",
            "ami-windows-latest/TPM-Windows_Server-2022-English-Full-Base",
            "ami-windows-latest/Windows_Server-2019-English-Full-ECS_Optimized/image_id",
            "ami-windows-latest/Windows_Server-2022-English-Core-EKS_Optimized-1.30/image_id",
            "ecs/optimized-ami/amazon-linux-2/recommended/image_id",
            "ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id",
            "ecs/optimized-ami/amazon-linux-2/kernel-5.10/gpu/recommended/image_id",
            "eks/optimized-ami/1.30/amazon-linux-2/recommended/image_id",
            "eks/optimized-ami/1.31/amazon-linux-2023/arm64/standard/recommended/image_id",
            "bottlerocket/aws-k8s-1.30/x86_64/latest/image_id",
            "bottlerocket/aws-ecs-2-nvidia/arm64/latest/image_id",
            "canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
            "canonical/ubuntu/server/noble/stable/20240423/arm64/hvm/ebs-gp3/ami-id",
            "canonical/ubuntu/eks-pro/22.04/1.29/stable/current/amd64/hvm/ebs-gp2/ami-id",
            "debian/release/12/latest/amd64",
            "debian/release/bookworm/latest/arm64",
            "cloud9/amis/amazonlinux-2023-x86_64",
            "ec2-macos/sonoma/arm64_mac/latest/image_id",
            "freebsd/arm64/base/ufs/14.1/RELEASE",
            "suse/sles/15-sp6/x86_64/latest",
            "marketplace/prod-abcdefghijklm/latest",
            "storagegateway/ami/FILE_S3/latest",
            "deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id",
        ];
        for name in images {
            let found = find("us-east-1", &format!("{ROOT}{name}")).unwrap_or_else(|| panic!("{name}"));
            let digits = found.value.strip_prefix("ami-").unwrap_or_else(|| panic!("{name}: {}", found.value));
            assert!(digits.len() == 17 && digits.bytes().all(|c| c.is_ascii_hexdigit()), "{name}: {}", found.value);
            assert!(found.image, "{name}");
            assert_ne!(find("eu-west-1", &format!("{ROOT}{name}")), Some(found), "{name}: another image elsewhere");
        }
        let texts = [
            ("bottlerocket/aws-ecs-2/x86_64/latest/image_version", "1."),
            ("ecs/optimized-ami/amazon-linux-2/recommended/image_name", "amzn2-ami-ecs-hvm-"),
            ("eks/optimized-ami/1.30/amazon-linux-2/recommended/release_version", "1.30."),
            ("global-infrastructure/regions/eu-west-1", "eu-west-1"),
            ("global-infrastructure/regions/us-east-1/longName", "US East (N. Virginia)"),
            ("global-infrastructure/regions/us-east-1/services/lambda", "lambda"),
            ("global-infrastructure/services/xray/regions/us-east-1", "us-east-1"),
            ("global-infrastructure/services/lambda/longName", "AWS Lambda"),
            ("aws-for-fluent-bit/stable", "906394416424.dkr.ecr.us-east-1.amazonaws.com/aws-for-fluent-bit:stable"),
            ("powertools/python/arm64/python3.13/latest", "arn:aws:lambda:us-east-1:017000801446:layer:"),
        ];
        for (name, start) in texts {
            let found = value(name).unwrap_or_else(|| panic!("{name}"));
            assert!(found.starts_with(start), "{name}: {found}");
        }
    }

    #[test]
    fn documents_hold_what_their_members_hold() {
        for name in
            ["ecs/optimized-ami/amazon-linux-2023/recommended", "eks/optimized-ami/1.30/amazon-linux-2-gpu/recommended"]
        {
            let document: Json = serde_json::from_str(&value(name).unwrap_or_default()).expect("a document");
            assert_eq!(document["image_id"].as_str().map(str::to_owned), value(&format!("{name}/image_id")));
        }
    }

    #[test]
    fn names_of_no_family_have_no_value() {
        for name in [
            "ami-amazon-linux-latest/al2023-ami-kernel-9.9-arm64",
            "ami-amazon-linux-latest/nonsense",
            "ami-windows-latest/Windows_Server-1987-English-Full-Base",
            "ecs/optimized-ami/amazon-linux-9/recommended",
            "eks/optimized-ami/0.1/amazon-linux-2/recommended/image_id",
            "global-infrastructure/regions/moon-1",
            "nonsense/x",
            "",
        ] {
            assert_eq!(value(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_listed_can_be_asked_for() {
        for name in listed() {
            assert!(find("us-east-1", &name).is_some(), "{name}");
        }
    }
}
