//! A project as a value: stacks of a few kinds of resources, whose properties are given in every way that templates know.

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

pub const ACCOUNT: &str = "111122223333";
/// The bucket that holds the templates of nested stacks.
pub const TEMPLATES: &str = "nested-templates";
/// The parameters of SSM that somebody else keeps.
pub const SSM_NAMES: [&str; 2] = ["/elsewhere/a", "/elsewhere/b"];
/// Texts that properties, descriptions and outputs are given; some CloudFormation gives back as `?`.
pub const TEXTS: [&str; 8] = ["one", "two", "three words here", "Grüße", "日本語", "🚀 off", "a: b # c", "50 % {off}"];

/// The whole project, and what it reads that is not its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    pub stacks: Vec<Stack>,
    /// Tags of the environment.
    pub tags: BTreeMap<String, String>,
    /// The values in SSM that somebody else sets, by name.
    pub ssm: BTreeMap<String, String>,
    /// What the nested template's queue waits, in seconds.
    pub nested_delay: u16,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    pub name: String,
    pub description: Option<String>,
    pub parameters: BTreeMap<String, Parameter>,
    /// Condition → the parameter that it looks at, and the value that makes it hold.
    pub conditions: BTreeMap<String, (String, String)>,
    pub mapping: Option<String>,
    pub metadata: Option<String>,
    pub resources: BTreeMap<String, Resource>,
    pub outputs: BTreeMap<String, Text>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    Text(String),
    Number(u16),
    List(Vec<String>),
    /// The name of a parameter of SSM whose value is taken.
    Ssm(String),
    NoEcho(String),
    /// The output of another stack.
    Output(String, String),
}

/// How a property is given its text.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    Plain(String),
    Parameter(String),
    /// Condition, where it holds, where it does not.
    If(String, String, String),
    /// A text with a parameter in it.
    Sub(String, String),
    /// The reference of another resource of the stack.
    Resource(String),
    /// A dynamic reference to a parameter of SSM that somebody else keeps.
    Dynamic(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Queue,
    Topic,
    Parameter,
    Policy,
    LogGroup,
    Table,
    Secret,
    Nested,
}

pub const KINDS: [Kind; 8] =
    [Kind::Queue, Kind::Topic, Kind::Parameter, Kind::Policy, Kind::LogGroup, Kind::Table, Kind::Secret, Kind::Nested];

#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    pub kind: Kind,
    /// The name that the template gives it; CloudFormation makes one where there is none.
    pub name: Option<String>,
    pub text: Text,
    pub number: u16,
}

impl Text {
    /// The names of parameters, conditions and resources in it.
    pub fn uses(&self, name: &str) -> bool {
        match self {
            Text::Plain(_) | Text::Dynamic(_) => false,
            Text::Parameter(used) | Text::If(used, _, _) | Text::Sub(_, used) | Text::Resource(used) => used == name,
        }
    }

    pub fn rename(&mut self, from: &str, to: &str) {
        if let Text::Resource(used) = self
            && used == from
        {
            *used = to.to_owned();
        }
    }

    fn json(&self, parameters: &BTreeMap<String, Parameter>) -> Json {
        let as_text = |name: &str| match parameters.get(name) {
            Some(Parameter::List(_)) => json!({"Fn::Join": ["-", {"Ref": name}]}),
            _ => json!({"Ref": name}),
        };
        match self {
            Text::Plain(text) => json!(text),
            Text::Parameter(name) => as_text(name),
            Text::If(condition, yes, no) => json!({"Fn::If": [condition, yes, no]}),
            Text::Sub(text, name) => json!({"Fn::Sub": [format!("{text} ${{Value}}"), {"Value": as_text(name)}]}),
            Text::Resource(id) => json!({"Ref": id}),
            Text::Dynamic(name) => json!(format!("{{{{resolve:ssm:{name}}}}}")),
        }
    }
}

impl Parameter {
    fn json(&self) -> Json {
        match self {
            Parameter::Text(text) => json!({"Type": "String", "Default": text}),
            Parameter::Number(number) => json!({"Type": "Number", "Default": number}),
            Parameter::List(items) => json!({"Type": "CommaDelimitedList", "Default": items.join(",")}),
            Parameter::Ssm(name) => json!({"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}),
            Parameter::NoEcho(text) => json!({"Type": "String", "NoEcho": true, "Default": text}),
            Parameter::Output(..) => json!({"Type": "String"}),
        }
    }
}

impl Resource {
    fn json(&self, parameters: &BTreeMap<String, Parameter>) -> Json {
        let text = self.text.json(parameters);
        let (resource_type, name_key, mut properties) = match self.kind {
            Kind::Queue => ("AWS::SQS::Queue", "QueueName", json!({"DelaySeconds": self.number})),
            Kind::Topic => ("AWS::SNS::Topic", "TopicName", json!({"DisplayName": text})),
            Kind::Parameter => ("AWS::SSM::Parameter", "Name", json!({"Type": "String", "Value": text})),
            Kind::Policy => {
                let statement = json!([{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]);
                let document = json!({"Version": "2012-10-17", "Statement": statement});
                (
                    "AWS::IAM::ManagedPolicy",
                    "ManagedPolicyName",
                    json!({"Description": text, "PolicyDocument": document}),
                )
            }
            Kind::LogGroup => {
                let days = [1, 3, 5, 7, 14][usize::from(self.number) % 5];
                ("AWS::Logs::LogGroup", "LogGroupName", json!({"RetentionInDays": days}))
            }
            Kind::Table => {
                let key = if self.number.is_multiple_of(3) { "pk" } else { "id" };
                let properties = json!({
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                    "DeletionProtectionEnabled": false,
                });
                ("AWS::DynamoDB::Table", "TableName", properties)
            }
            Kind::Secret => ("AWS::SecretsManager::Secret", "Name", json!({"Description": text, "SecretString": "x"})),
            Kind::Nested => {
                let url = format!("https://{TEMPLATES}.s3.us-east-1.amazonaws.com/child.json");
                ("AWS::CloudFormation::Stack", "", json!({"TemplateURL": url, "Parameters": {"Value": text}}))
            }
        };
        if let Some(name) = &self.name
            && !name_key.is_empty()
        {
            let name = if self.kind == Kind::Parameter { format!("/shop/{name}") } else { name.clone() };
            properties[name_key] = json!(name);
        }
        json!({"Type": resource_type, "Properties": properties})
    }
}

impl Stack {
    pub fn new(name: &str) -> Stack {
        Stack {
            name: name.to_owned(),
            description: None,
            parameters: BTreeMap::new(),
            conditions: BTreeMap::new(),
            mapping: None,
            metadata: None,
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }

    /// Whether anything in the stack says this name of a parameter, a condition or a resource.
    pub fn uses(&self, name: &str) -> bool {
        self.resources.values().any(|resource| resource.text.uses(name))
            || self.outputs.values().any(|output| output.uses(name))
            || self.conditions.values().any(|(parameter, _)| parameter == name)
    }

    /// The file `templates/<name>.yaml`.
    pub fn file(&self) -> String {
        let mut needs = Map::new();
        for (name, parameter) in &self.parameters {
            if let Parameter::Output(stack, output) = parameter {
                needs.insert(name.clone(), json!(format!("{stack}.{output}")));
            }
        }
        let outputs: Map<String, Json> = self.outputs.keys().map(|name| (name.clone(), json!("An output."))).collect();
        let manifest = json!({"description": "A stack.", "inputs": {}, "needs": needs, "outputs": outputs});
        let mut body = Map::new();
        let mut section = |name: &str, entries: Map<String, Json>| {
            if !entries.is_empty() {
                body.insert(name.to_owned(), Json::Object(entries));
            }
        };
        section("Parameters", self.parameters.iter().map(|(name, one)| (name.clone(), one.json())).collect());
        let condition = |(parameter, value): &(String, String)| json!({"Fn::Equals": [{"Ref": parameter}, value]});
        section("Conditions", self.conditions.iter().map(|(name, one)| (name.clone(), condition(one))).collect());
        let resource = |one: &Resource| one.json(&self.parameters);
        section("Resources", self.resources.iter().map(|(name, one)| (name.clone(), resource(one))).collect());
        let output = |one: &Text| json!({"Value": one.json(&self.parameters)});
        section("Outputs", self.outputs.iter().map(|(name, one)| (name.clone(), output(one))).collect());
        if let Some(mapping) = &self.mapping {
            body.insert("Mappings".to_owned(), json!({"Sizes": {"small": {"Name": mapping}}}));
        }
        if let Some(metadata) = &self.metadata {
            body.insert("Metadata".to_owned(), json!({"Owner": metadata}));
        }
        if let Some(description) = &self.description {
            body.insert("Description".to_owned(), json!(description));
        }
        format!("{manifest}\n---\n{:#}\n", Json::Object(body))
    }
}

impl Project {
    /// The file `environments/dev.yaml`.
    pub fn environment(&self) -> String {
        let stacks: Map<String, Json> =
            self.stacks.iter().map(|stack| (stack.name.clone(), json!({"template": stack.name}))).collect();
        json!({"project": "shop", "account": ACCOUNT, "region": "us-east-1", "tags": self.tags, "stacks": stacks})
            .to_string()
    }

    /// Everything that it is, as text.
    pub fn text(&self) -> String {
        let stacks: String = self.stacks.iter().map(|stack| format!("# {}\n{}", stack.name, stack.file())).collect();
        format!("{}\n{stacks}ssm {:?}\nnested {}\n", self.environment(), self.ssm, self.nested_delay)
    }

    /// The template of every nested stack.
    pub fn nested(&self) -> String {
        json!({
            "Parameters": {"Value": {"Type": "String"}},
            "Resources": {
                "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": self.nested_delay}},
                "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Value"}}},
            },
            "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
        })
        .to_string()
    }
}
