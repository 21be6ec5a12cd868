//! The walk through properties: every text is hidden or shown by where it stands and what is in it.

use super::HIDDEN;
use super::names::{Says, says};
use super::place::{Hides, Kind};
use super::text::{hide_with, is_open};
use crate::schema::{ResourceType, resource_type};
use serde_json::{Map, Value as Json};

/// A secret that stands there as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// Where, as a JSON pointer.
    pub pointer: String,
    pub text: String,
}

/// Decides for the properties of one resource type.
#[derive(Debug, Clone, Copy)]
pub struct Properties<'p> {
    schema: Option<&'p ResourceType>,
    type_name: &'p str,
}

/// Members that name what another member of the same map is the value of: `{Name: DB_PASSWORD, Value: …}`.
const NAMING: [&str; 9] =
    ["Name", "name", "Key", "key", "OptionName", "ParameterName", "ParameterKey", "VariableName", "HeaderName"];
const VALUES: [&str; 9] = [
    "Value",
    "value",
    "Values",
    "ParameterValue",
    "HeaderValue",
    "StringValue",
    "DefaultValue",
    "Default",
    "OptionValue",
];
/// Types of such pairs whose value names where the secret is (CodeBuild's environment variables).
const BY_REFERENCE: [&str; 2] = ["SECRETS_MANAGER", "PARAMETER_STORE"];

impl<'p> Properties<'p> {
    pub fn of(type_name: &'p str) -> Properties<'p> {
        Properties { schema: resource_type(type_name), type_name }
    }

    /// A document of no resource: names alone decide.
    pub fn of_nothing() -> Properties<'static> {
        Properties { schema: None, type_name: "" }
    }

    /// The properties with everything hidden that nobody may see. Functions stay, but for the texts in them.
    pub fn hide(self, properties: &Json) -> Json {
        self.hide_with(properties, &mut |_| {})
    }

    /// What is shown of `value`, which stands at `pointer` of `properties`.
    pub fn hide_at(self, properties: &Json, pointer: &str, value: &Json) -> Json {
        let mut walk = Walk { kind: self.kind(), found: &mut |_, _| {} };
        let mut hides = Hides::Inside;
        let mut here = Some(properties);
        let mut path = String::new();
        let steps: Vec<String> =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        for (at, step) in steps.iter().enumerate() {
            let last = at + 1 == steps.len();
            let below = here.and_then(|here| match here {
                Json::Object(map) => map.get(step),
                Json::Array(items) => items.get(step.parse::<usize>().ok()?),
                _ => None,
            });
            path = joined(&path, step);
            match here {
                Some(Json::Array(_)) => {}
                Some(Json::Object(map)) => {
                    hides =
                        walk.member(map, step, &path, if last { value } else { below.unwrap_or(&Json::Null) }, hides);
                }
                _ if step.bytes().all(|byte| byte.is_ascii_digit()) => {}
                _ => hides = walk.kind.member(step, &path, value, hides),
            }
            here = below;
        }
        walk.value(value, pointer, &path, hides)
    }

    /// The secrets that stand in the properties as they are.
    pub fn literals(self, properties: &Json) -> Vec<Literal> {
        let mut literals = Vec::new();
        let found = &mut |pointer: &str, text: &str| {
            literals.push(Literal { pointer: pointer.to_owned(), text: text.to_owned() });
        };
        Walk { kind: self.kind(), found }.value(properties, "", "", Hides::Inside);
        literals
    }

    pub(super) fn hide_with(self, properties: &Json, found: &mut dyn FnMut(&str)) -> Json {
        let found = &mut |_: &str, text: &str| found(text);
        Walk { kind: self.kind(), found }.value(properties, "", "", Hides::Inside)
    }

    fn kind(self) -> Kind<'p> {
        Kind { schema: self.schema, type_name: self.type_name }
    }
}

struct Walk<'w, 'f> {
    kind: Kind<'w>,
    /// Is called with the place and the text of every secret.
    found: &'f mut dyn FnMut(&str, &str),
}

impl Walk<'_, '_> {
    fn value(&mut self, value: &Json, pointer: &str, path: &str, hides: Hides) -> Json {
        match value {
            Json::String(text) => Json::String(self.text(text, pointer, hides)),
            Json::Number(number) if hides == Hides::All => {
                (self.found)(pointer, &number.to_string());
                Json::String(HIDDEN.to_owned())
            }
            Json::Array(items) => {
                let hides = if hides == Hides::Text { Hides::Inside } else { hides };
                let one = |(at, item)| self.value(item, &format!("{pointer}/{at}"), &joined(path, "*"), hides);
                items.iter().enumerate().map(one).collect()
            }
            Json::Object(map) => match function(map) {
                Some((name, argument)) => self.call(name, argument, pointer, path, hides),
                None => {
                    let hides = if hides == Hides::Text { Hides::Inside } else { hides };
                    let one = |(name, value): (&String, &Json)| {
                        let path = joined(path, name);
                        let hides = self.member(map, name, &path, value, hides);
                        (name.clone(), self.value(value, &format!("{pointer}/{}", escaped(name)), &path, hides))
                    };
                    Json::Object(map.iter().map(one).collect())
                }
            },
            other => other.clone(),
        }
    }

    /// What is hidden of a member of a map.
    fn member(&self, map: &Map<String, Json>, name: &str, path: &str, value: &Json, around: Hides) -> Hides {
        if VALUES.contains(&name) {
            let named = NAMING.iter().find_map(|naming| map.get(*naming)?.as_str());
            let by_reference = map.get("Type").and_then(Json::as_str).is_some_and(|of| BY_REFERENCE.contains(&of));
            match named.map(says).filter(|_| !by_reference) {
                Some(Says::Secret) => return Hides::All,
                Some(Says::Text) => return Hides::Text,
                _ => {}
            }
        }
        self.kind.member(name, path, value, around)
    }

    fn text(&mut self, text: &str, pointer: &str, hides: Hides) -> String {
        let hidden = match hides {
            Hides::All => !is_open(text),
            Hides::Text => {
                !is_open(text) && text.len() >= 8 && text.contains(|c: char| !c.is_ascii_uppercase() && c != '_')
            }
            Hides::Inside => false,
        };
        if hidden {
            (self.found)(pointer, text);
            return HIDDEN.to_owned();
        }
        hide_with(text, &mut |secret| (self.found)(pointer, secret)).into_owned()
    }

    /// A function of a template: the texts in its arguments.
    fn call(&mut self, name: &str, argument: &Json, pointer: &str, path: &str, hides: Hides) -> Json {
        let below = format!("{pointer}/{name}");
        let hidden = match (name, argument) {
            ("Fn::Sub" | "Fn::Base64", _) | ("Fn::Transform", _) => self.value(argument, &below, path, hides),
            ("Fn::Join", Json::Array(parts)) if parts.len() == 2 => {
                match self.join(&parts[0], &parts[1], pointer, hides) {
                    Some(hidden) => return hidden,
                    None => argument.clone(),
                }
            }
            ("Fn::If" | "Fn::Select", Json::Array(parts)) => {
                let one = |(at, part): (usize, &Json)| match at {
                    0 => part.clone(),
                    at => self.value(part, &format!("{below}/{at}"), path, hides),
                };
                Json::Array(parts.iter().enumerate().map(one).collect())
            }
            ("Fn::Split", Json::Array(parts)) if parts.len() == 2 => {
                Json::Array(vec![parts[0].clone(), self.value(&parts[1], &format!("{below}/1"), path, hides)])
            }
            _ => argument.clone(),
        };
        Json::Object([(name.to_owned(), hidden)].into_iter().collect())
    }

    /// A secret may be put together of several texts: none of them is shown then.
    fn join(&mut self, delimiter: &Json, parts: &Json, pointer: &str, hides: Hides) -> Option<Json> {
        let parts = parts.as_array()?;
        let text = |part: &Json| part.as_str().map_or_else(|| "${x}".to_owned(), str::to_owned);
        let whole = parts.iter().map(text).collect::<Vec<_>>().join(delimiter.as_str().unwrap_or_default());
        let shown = self.text(&whole, pointer, hides);
        (shown != whole).then(|| Json::String(HIDDEN.to_owned()))
    }
}

/// A function's name and argument.
fn function(map: &Map<String, Json>) -> Option<(&str, &Json)> {
    let mut members = map.iter();
    let ((name, argument), None) = (members.next()?, members.next()) else { return None };
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

/// As the registry writes paths.
fn joined(path: &str, step: &str) -> String {
    let step = if step.bytes().all(|byte| byte.is_ascii_digit()) { "*" } else { step };
    if path.is_empty() { step.to_owned() } else { format!("{path}/{step}") }
}

fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hidden(type_name: &str, properties: Json) -> Json {
        Properties::of(type_name).hide(&properties)
    }

    #[test]
    fn by_name_by_registry_and_by_what_is_inside() {
        let properties = json!({
            "MasterUserPassword": "hunter22", "MasterUsername": "app", "ManageMasterUserPassword": true, "Port": 5432,
        });
        assert_eq!(
            hidden("AWS::RDS::DBInstance", properties),
            json!({"MasterUserPassword": "(sensitive)", "MasterUsername": "app", "ManageMasterUserPassword": true, "Port": 5432})
        );
        // Write-only by the registry, and no name that says so.
        let keytab = hidden("AWS::ApiGateway::ApiKey", json!({"Name": "k", "Value": "abcdefgh"}));
        assert_eq!(keytab, json!({"Name": "k", "Value": "(sensitive)"}));
        let license = hidden("AWS::Grafana::Workspace", json!({"Name": "g"}));
        assert_eq!(license, json!({"Name": "g"}));
        assert_eq!(
            hidden(
                "AWS::Lambda::Function",
                json!({"Environment": {"Variables": {"DB_PASSWORD": "x1", "LEVEL": "info",
                "DATABASE_URL": "postgres://a:hunter2@h/d"}}, "Code": {"ZipFile": "token = '1'\nprint(1)"}})
            ),
            json!({"Environment": {"Variables": {"DB_PASSWORD": "(sensitive)", "LEVEL": "info",
                "DATABASE_URL": "postgres://a:(sensitive)@h/d"}}, "Code": {"ZipFile": "token = '(sensitive)'\nprint(1)"}})
        );
    }

    #[test]
    fn pairs_of_names_and_values() {
        let containers = json!({"ContainerDefinitions": [{
            "Environment": [{"Name": "DB_PASSWORD", "Value": "hunter2"}, {"Name": "LEVEL", "Value": "info"}],
            "Secrets": [{"Name": "TOKEN", "ValueFrom": "shop/token"}],
        }]});
        let shown = hidden("AWS::ECS::TaskDefinition", containers.clone());
        assert_eq!(
            shown["ContainerDefinitions"][0],
            json!({"Environment": [{"Name": "DB_PASSWORD", "Value": "(sensitive)"}, {"Name": "LEVEL", "Value": "info"}],
                "Secrets": [{"Name": "TOKEN", "ValueFrom": "shop/token"}]})
        );
        let at = |pointer: &str, value: Json| {
            Properties::of("AWS::ECS::TaskDefinition").hide_at(&containers, pointer, &value)
        };
        assert_eq!(at("/ContainerDefinitions/0/Environment/0/Value", json!("x")), "(sensitive)");
        assert_eq!(at("/ContainerDefinitions/0/Environment/1/Value", json!("x")), "x");
        assert_eq!(
            at("/ContainerDefinitions/0/Environment/9", json!({"Name": "A_TOKEN", "Value": "x"}))["Value"],
            "(sensitive)"
        );
        let build = json!({"Environment": {"EnvironmentVariables": [
            {"Name": "A_TOKEN", "Type": "SECRETS_MANAGER", "Value": "shop:token"}, {"Name": "B_TOKEN", "Value": "x"}]}});
        let build = hidden("AWS::CodeBuild::Project", build);
        let variables = &build["Environment"]["EnvironmentVariables"];
        assert_eq!([&variables[0]["Value"], &variables[1]["Value"]], ["shop:token", "(sensitive)"]);
    }

    #[test]
    fn functions_of_templates() {
        let of =
            |value: Json| hidden("AWS::SecretsManager::Secret", json!({"SecretString": value}))["SecretString"].clone();
        assert_eq!(of(json!({"Ref": "Password"})), json!({"Ref": "Password"}));
        assert_eq!(of(json!({"Fn::Sub": "${A}${B}"})), json!({"Fn::Sub": "${A}${B}"}));
        assert_eq!(
            of(json!({"Fn::Sub": "{\"p\": \"hunter2\", \"u\": \"${User}\"}"})),
            json!({"Fn::Sub": "(sensitive)"})
        );
        assert_eq!(of(json!({"Fn::Join": ["", ["hun", {"Ref": "A"}]]})), "(sensitive)");
        assert_eq!(
            of(json!({"Fn::If": ["C", "hunter2", {"Ref": "A"}]})),
            json!({"Fn::If": ["C", "(sensitive)", {"Ref": "A"}]})
        );
        let reference =
            json!({"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "S"}, ":SecretString:password}}"]]});
        assert_eq!(of(reference.clone()), reference);
        let sub = json!({"Fn::Sub": "{{resolve:secretsmanager:${S}:SecretString:password}}"});
        assert_eq!(of(sub.clone()), sub);
        let url = json!({"Fn::Join": ["", ["postgres://a:", "hunter2", "@", {"Ref": "Host"}]]});
        assert_eq!(hidden("AWS::SNS::Topic", json!({"DisplayName": url})), json!({"DisplayName": "(sensitive)"}));
    }

    #[test]
    fn literals_have_their_places() {
        let found = Properties::of("AWS::SecretsManager::Secret").literals(
            &json!({"Name": "n", "SecretString": "{\"token\": \"s3cr3t\"}", "Tags": [{"Key": "token", "Value": "t1"}]}),
        );
        let places: Vec<&str> = found.iter().map(|literal| literal.pointer.as_str()).collect();
        assert_eq!(places, ["/SecretString", "/Tags/0/Value"]);
        let none =
            json!({"SecretString": "{{resolve:ssm-secure:x:1}}", "GenerateSecretString": {"PasswordLength": 32}});
        assert_eq!(Properties::of("AWS::SecretsManager::Secret").literals(&none), []);
    }
}
