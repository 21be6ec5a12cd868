//! Dynamic references: `{{resolve:ssm:name}}` in the text of a value.
//!
//! CloudFormation resolves them while it deploys and compares and shows them as written, so an evaluation leaves them
//! alone; these are for who deploys, or wants to know what a template reads.

/// A dynamic reference with its place (bytes) in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicReference {
    pub start: usize,
    pub end: usize,
    pub target: Target,
}

/// What a dynamic reference reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Ssm {
        name: String,
        version: Option<String>,
    },
    SsmSecure {
        name: String,
        version: Option<String>,
    },
    SecretsManager {
        secret_id: String,
        /// A key of the secret's JSON; `None` is the whole secret.
        json_key: Option<String>,
        version_stage: Option<String>,
        version_id: Option<String>,
    },
}

/// All dynamic references of a text, first to last. What looks like one but names no known service is text.
pub fn references(text: &str) -> Vec<DynamicReference> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("{{resolve:") {
        let start = from + at;
        let Some(length) = text[start..].find("}}") else { break };
        let end = start + length + 2;
        match target(&text[start + "{{resolve:".len()..end - 2]) {
            Some(target) => {
                found.push(DynamicReference { start, end, target });
                from = end;
            }
            None => from = start + 2,
        }
    }
    found
}

fn target(inner: &str) -> Option<Target> {
    let (service, rest) = inner.split_once(':')?;
    let filled = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    match service {
        "ssm" | "ssm-secure" => {
            let (name, version) = match rest.rsplit_once(':') {
                Some((name, version)) if version.bytes().all(|b| b.is_ascii_digit()) && !version.is_empty() => {
                    (name, Some(version.to_owned()))
                }
                _ => (rest, None),
            };
            let name = filled(Some(name))?;
            Some(match service {
                "ssm" => Target::Ssm { name, version },
                _ => Target::SsmSecure { name, version },
            })
        }
        "secretsmanager" => {
            // A secret may be named by its ARN, which has six colons of its own.
            let (secret_id, rest) = match rest.strip_prefix("arn:") {
                Some(tail) => {
                    let ends = tail.match_indices(':').nth(5).map_or(tail.len(), |(at, _)| at);
                    (format!("arn:{}", &tail[..ends]), tail.get(ends + 1..).unwrap_or_default())
                }
                None => match rest.split_once(':') {
                    Some((id, rest)) => (id.to_owned(), rest),
                    None => (rest.to_owned(), ""),
                },
            };
            let mut parts = rest.split(':');
            // `SecretString` is the only part of a secret there is.
            parts.next().filter(|part| part.is_empty() || *part == "SecretString")?;
            let secret_id = filled(Some(&secret_id))?;
            let json_key = filled(parts.next());
            let version_stage = filled(parts.next());
            let version_id = filled(parts.next());
            Some(Target::SecretsManager { secret_id, json_key, version_stage, version_id })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_form() {
        let only = |text: &str| references(text).into_iter().next().map(|found| found.target);
        let ssm = |name: &str, version: Option<&str>| {
            Some(Target::Ssm { name: name.to_owned(), version: version.map(str::to_owned) })
        };
        assert_eq!(only("{{resolve:ssm:/a/b}}"), ssm("/a/b", None));
        assert_eq!(only("x{{resolve:ssm:/a/b:3}}y"), ssm("/a/b", Some("3")));
        assert_eq!(
            only("{{resolve:ssm-secure:p:1}}"),
            Some(Target::SsmSecure { name: "p".to_owned(), version: Some("1".to_owned()) })
        );
        let secret = |id: &str, key: Option<&str>, stage: Option<&str>, version: Option<&str>| {
            Some(Target::SecretsManager {
                secret_id: id.to_owned(),
                json_key: key.map(str::to_owned),
                version_stage: stage.map(str::to_owned),
                version_id: version.map(str::to_owned),
            })
        };
        assert_eq!(only("{{resolve:secretsmanager:s}}"), secret("s", None, None, None));
        assert_eq!(
            only("{{resolve:secretsmanager:s:SecretString:k:AWSCURRENT:}}"),
            secret("s", Some("k"), Some("AWSCURRENT"), None)
        );
        let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-AbCdEf";
        assert_eq!(
            only(&format!("{{{{resolve:secretsmanager:{arn}:SecretString:k}}}}")),
            secret(arn, Some("k"), None, None)
        );
        assert_eq!(only(&format!("{{{{resolve:secretsmanager:{arn}}}}}")), secret(arn, None, None, None));
        for text in ["{{resolve:s3:x}}", "{{resolve:ssm:}}", "{{resolve:ssm:x", "{{resolve:secretsmanager:s:Other}}"] {
            assert_eq!(references(text), [], "{text}");
        }
    }

    #[test]
    fn a_text_may_hold_several() {
        let text = "{{resolve:ssm:a}}-{{resolve:nope:b}}-{{resolve:ssm:c:2}}";
        let found = references(text);
        assert_eq!(found.len(), 2);
        assert_eq!(&text[found[1].start..found[1].end], "{{resolve:ssm:c:2}}");
    }
}
