//! SNS's attributes of topics, over the topics and policies that stacks and Cloud Control made: `GetTopicAttributes`, and
//! `SetTopicAttributes` for what a resource keeps too. Nothing is published here.

use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::{self, Fault};
use crate::resources::{self, Live, Owner, State};
use crate::world::World;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
const TOPIC: &str = "AWS::SNS::Topic";
const POLICY: &str = "AWS::SNS::TopicPolicy";
/// Attributes that are properties of the same name.
const PROPERTIES: [&str; 4] = ["DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    #[serde(default)]
    topic_arn: String,
    #[serde(default)]
    attribute_name: String,
    attribute_value: Option<String>,
}

pub(crate) async fn answer(world: &World, place: &Place, request: &Request) -> Response {
    let answered = async {
        let (action, input) = query::read_request(request)?;
        let input: Input = query::input(input)?;
        let result = match action.as_str() {
            "GetTopicAttributes" => attributes(world, place, &input)?,
            "SetTopicAttributes" => set(world, place, input).await?,
            _ => {
                let message = format!("The operation {action} of SNS is not part of this local AWS.");
                return Err(Fault::new("InvalidAction", message));
            }
        };
        Ok(query::answer(&action, NAMESPACE, &result))
    };
    answered.await.unwrap_or_else(|fault: Fault| fault.answer(NAMESPACE))
}

fn attributes(world: &World, place: &Place, input: &Input) -> Result<Json, Fault> {
    let state = world.resources.lock();
    let topic = topic(&state, place, &input.topic_arn)?;
    let policy = policy_of(&state, place, &input.topic_arn).map(|live| document(&live.properties["PolicyDocument"]));
    let mut attributes = Map::new();
    attributes.insert("TopicArn".to_owned(), json!(input.topic_arn));
    attributes.insert("Owner".to_owned(), json!(place.account));
    let policy = policy.unwrap_or_else(|| usual_policy(place, &input.topic_arn).to_string());
    attributes.insert("Policy".to_owned(), Json::String(policy));
    let given = PROPERTIES.iter().filter_map(|name| Some((*name, topic.properties.get(*name)?)));
    attributes.extend(given.map(|(name, value)| (name.to_owned(), value.clone())));
    Ok(json!({ "Attributes": query::entries(&attributes) }))
}

async fn set(world: &World, place: &Place, input: Input) -> Result<Json, Fault> {
    let Input { topic_arn, attribute_name: name, attribute_value } = input;
    let value = attribute_value.unwrap_or_default();
    let invalid = |reason: String| Fault::new("InvalidParameter", format!("Invalid parameter: {reason}"));
    let policy = match name.as_str() {
        "Policy" => {
            let policy: Json =
                serde_json::from_str(&value).map_err(|error| invalid(format!("Policy Error: {error}")))?;
            policy
        }
        name if PROPERTIES.contains(&name) => {
            let mut state = world.resources.lock();
            topic(&state, place, &topic_arn)?;
            if let Some(live) = state.get_mut(place, TOPIC, &topic_arn) {
                live.properties.insert(name.to_owned(), Json::String(value));
            }
            return Ok(Json::Null);
        }
        _ => return Err(invalid("AttributeName".to_owned())),
    };
    let held = {
        let state = world.resources.lock();
        topic(&state, place, &topic_arn)?;
        policy_of(&state, place, &topic_arn).map(|live| live.handle().into_owned())
    };
    match held {
        Some(handle) => {
            if let Some(live) = world.resources.lock().get_mut(place, POLICY, &handle) {
                live.properties.insert("PolicyDocument".to_owned(), policy);
            }
        }
        None => {
            let owner = Owner {
                place: place.clone(),
                stack_name: String::new(),
                stack_id: String::new(),
                logical_id: "TopicPolicy".to_owned(),
                tags: IndexMap::new(),
            };
            let properties = json!({ "Topics": [topic_arn], "PolicyDocument": policy });
            let made = resources::create(world, &owner, POLICY, &properties, None).await;
            made.map_err(|failure| invalid(failure.reason))?;
        }
    }
    Ok(Json::Null)
}

fn topic<'s>(state: &'s State, place: &Place, arn: &str) -> Result<&'s Live, Fault> {
    let found = state.get(place, TOPIC, arn);
    found.ok_or_else(|| Fault::new("NotFound", "Topic does not exist").with_status(404))
}

/// The policy that was put on a topic.
fn policy_of<'s>(state: &'s State, place: &'s Place, arn: &str) -> Option<&'s Live> {
    let names = |live: &&Live| {
        live.properties.get("Topics").and_then(Json::as_array).is_some_and(|all| all.contains(&json!(arn)))
    };
    state.of_type(place, POLICY).find(names)
}

fn document(policy: &Json) -> String {
    policy.as_str().map_or_else(|| policy.to_string(), str::to_owned)
}

/// What SNS puts on a topic that nobody gave a policy.
fn usual_policy(place: &Place, arn: &str) -> Json {
    let actions = ["Publish", "RemovePermission", "SetTopicAttributes", "DeleteTopic", "ListSubscriptionsByTopic"];
    let actions = actions.into_iter().chain(["GetTopicAttributes", "AddPermission", "Subscribe"]);
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": actions.map(|action| format!("SNS:{action}")).collect::<Vec<_>>(),
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": place.account}},
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LocalAws, Options};
    use bytes::Bytes;

    async fn ask(aws: &LocalAws, place: &Place, form: &str) -> (u16, String) {
        let request = http::Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(Bytes::from(form.to_owned())).expect("a request");
        let response = answer(&aws.world, place, &request).await;
        (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
    }

    #[tokio::test]
    async fn a_topic_has_the_policy_that_was_put_on_it() {
        let aws = LocalAws::open(Options::default()).await.expect("a world");
        let place = Place::new("111122223333", "eu-west-1");
        let arn = "arn:aws:sns:eu-west-1:111122223333:alarms";
        let get = format!("Action=GetTopicAttributes&TopicArn={arn}");
        assert_eq!(ask(&aws, &place, &get).await.0, 404);
        let owner = Owner {
            place: place.clone(),
            stack_name: "shop".to_owned(),
            stack_id: "s".to_owned(),
            logical_id: "Topic".to_owned(),
            tags: IndexMap::new(),
        };
        let named = json!({"TopicName": "alarms"});
        resources::create(&aws.world, &owner, TOPIC, &named, None).await.expect("a topic");
        assert!(ask(&aws, &place, &get).await.1.contains("__default_policy_ID"));
        let set = |policy: &str| {
            format!("Action=SetTopicAttributes&TopicArn={arn}&AttributeName=Policy&AttributeValue={policy}")
        };
        assert_eq!(ask(&aws, &place, &set("nonsense")).await.0, 400);
        for id in ["one", "two"] {
            assert_eq!(ask(&aws, &place, &set(&format!("{{\"Id\":\"{id}\",\"Statement\":[]}}"))).await.0, 200);
            let told = ask(&aws, &place, &get).await.1;
            assert!(told.contains(id) && !told.contains("__default"), "{told}");
        }
    }
}
