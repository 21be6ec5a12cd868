//! Custom resources: `Custom::…` is made by a function of its author's, or by whoever listens to a topic. Neither runs
//! here, so that all are refused; a service token that leads nowhere is refused in the words that AWS has for it.
//!
//! On AWS nobody's silence would be told only after an hour. Here it is told at once, because nobody can ever answer.

use super::Failure;
use crate::place::Place;
use crate::world::World;
use serde_json::Value as Json;

/// Why a custom resource cannot be made or changed.
pub(super) fn refusal(world: &World, place: &Place, type_name: &str, properties: &Json) -> Failure {
    let Some(token) = properties["ServiceToken"].as_str() else {
        return Failure::new(
            "InvalidRequest",
            "Property validation failure: [The property {/ServiceToken} is required]",
        );
    };
    let request = world.ids.uuid();
    let parts: Vec<&str> = token.splitn(6, ':').collect();
    let (service, at, rest) = match parts.as_slice() {
        ["arn", _, service @ ("lambda" | "sns"), region, account, rest] => {
            (*service, Place::new(account, region), *rest)
        }
        _ => return Failure::new("InvalidRequest", "Invalid service token."),
    };
    let exists = |type_name: &str, id: &str| {
        let state = world.resources.lock();
        state.of_type(&at, type_name).any(|live| live.physical_id == id)
    };
    if service == "sns" && at.region != place.region {
        // The issues of mozilla/cloudformation-cross-account-outputs quote this (#5).
        let told = "Invalid parameter: TopicArn (Service: AmazonSNS; Status Code: 400; Error Code: InvalidParameter;";
        return Failure::new("InvalidRequest", format!("{told} Request ID: {request})"));
    }
    if service == "sns" && !exists("AWS::SNS::Topic", token) {
        let told = "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound;";
        return Failure::new("NotFound", format!("{told} Request ID: {request})"));
    }
    let function = rest.strip_prefix("function:").and_then(|rest| rest.split(':').next());
    if service == "lambda" && !function.is_some_and(|name| exists("AWS::Lambda::Function", name)) {
        let told = format!(
            "Function not found: {token} (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException;"
        );
        return Failure::new("NotFound", format!("{told} Request ID: {request})"));
    }
    let reason = format!(
        "{type_name} is made by whoever answers its ServiceToken {token}, and this AWS runs no functions and delivers no \
         messages: nobody will. Leave it out where the stack is rehearsed, with a condition."
    );
    Failure::new("GeneralServiceException", reason)
}
