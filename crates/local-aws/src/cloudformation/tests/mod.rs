//! Status paths and event sequences, in virtual time.

mod attributes;
mod carry_on;
mod change_sets;
mod contracts;
mod create;
mod delete;
mod facts;
mod laws;
mod left;
mod lives;
mod nested;
mod nested_change_sets;
mod requests;
mod rollout;
mod signals;
mod update;
mod validation;
mod written;

use super::api;
use super::model::Stack;
use crate::faults::{Action, ResourceFault};
use crate::place::Place;
use crate::query::Fault;
use crate::world::{LocalAws, Options};
use crate::{Clock, Speed};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// One account and region of a world whose resources take as long as on AWS, on a clock that does not.
struct Cloud {
    aws: LocalAws,
    place: Place,
}

impl Cloud {
    async fn new() -> Cloud {
        Cloud::seeded(7).await
    }

    async fn seeded(seed: u64) -> Cloud {
        Cloud::with(Options { seed, ..Options::default() }).await
    }

    async fn with(options: Options) -> Cloud {
        let options = Options { speed: Speed::REAL, epoch: Some(Timestamp::UNIX_EPOCH), ..options };
        let aws = LocalAws::open(options).await.expect("a world in memory");
        Cloud { aws, place: Place::new("111122223333", "eu-west-1") }
    }

    async fn call(&self, action: &str, input: Json) -> Result<Json, Fault> {
        api::carry_out(&self.aws.world, &self.place, action, input).await
    }

    /// A call that is accepted.
    async fn ok(&self, action: &str, input: Json) -> Json {
        match self.call(action, input).await {
            Ok(answer) => answer,
            Err(fault) => panic!("{action}: {}: {}", fault.code, fault.message),
        }
    }

    /// The message of a call that is refused.
    async fn refused(&self, action: &str, input: Json) -> String {
        match self.call(action, input).await {
            Ok(answer) => panic!("{action} is accepted: {answer}"),
            Err(fault) => fault.message,
        }
    }

    /// Plans that an action on a resource fails.
    fn fail(&self, id: &str, action: Action, times: Option<u32>) {
        let fault = ResourceFault::new("*", id, action, "planned");
        let fault = ResourceFault { times, ..fault };
        self.aws.world.faults.edit(|plan| plan.resources.push(fault));
    }

    fn heal(&self) {
        self.aws.world.faults.edit(|plan| plan.resources.clear());
    }

    fn clock(&self) -> &Clock {
        &self.aws.world.clock
    }

    /// The stack as the engine has it.
    fn stack(&self, name: &str) -> Stack {
        let stacks = self.aws.world.stacks.lock();
        let found = stacks.values().rev().find(|stack| stack.name == name || stack.id == name);
        found.cloned().unwrap_or_else(|| panic!("no stack {name}"))
    }

    /// Waits until nothing is being done to the stack; its status.
    async fn rest(&self, name: &str) -> String {
        tokio::time::timeout(Duration::from_secs(86_400), async {
            loop {
                let status = self.stack(name).status;
                if !status.ends_with("_IN_PROGRESS") || status == "REVIEW_IN_PROGRESS" {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        })
        .await
        .expect("the stack rests within a day")
    }

    /// Creates or updates, and waits.
    async fn deploy(&self, action: &str, name: &str, template: &str) -> String {
        self.ok(action, json!({ "StackName": name, "TemplateBody": template })).await;
        self.rest(name).await
    }

    /// `LogicalId STATUS (reason)` of every event from the `from`th on; the stack's own are called `stack`.
    fn events_from(&self, name: &str, from: usize) -> Vec<String> {
        let stack = self.stack(name);
        let line = |event: &super::model::Event| {
            let id = if event.logical_id == stack.name { "stack" } else { event.logical_id.as_str() };
            match &event.reason {
                Some(reason) => format!("{id} {} ({reason})", event.status),
                None => format!("{id} {}", event.status),
            }
        };
        stack.events.iter().skip(from).map(line).collect()
    }

    fn events(&self, name: &str) -> Vec<String> {
        self.events_from(name, 0)
    }

    /// The physical ids of all live resources.
    fn live(&self) -> Vec<String> {
        let state = serde_json::to_value(self.aws.world.resources.save()).expect("JSON");
        let live = state["live"].as_array().into_iter().flatten();
        live.map(|one| one["physical_id"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Makes a change set and waits until it is made; its status and reason.
    async fn change_set(&self, input: Json) -> (String, Option<String>, Json) {
        let made = self.ok("CreateChangeSet", input).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        let id = made["Id"].as_str().expect("an id").to_owned();
        let described =
            self.ok("DescribeChangeSet", json!({ "ChangeSetName": id, "IncludePropertyValues": true })).await;
        let reason = described["StatusReason"].as_str().map(str::to_owned);
        (described["Status"].as_str().unwrap_or_default().to_owned(), reason, described)
    }
}

/// A template of SSM parameters: `A: {Value: …}`.
fn parameters(resources: &[(&str, &str)]) -> String {
    let one = |(id, more): &(&str, &str)| {
        format!("  {id}:\n    Type: AWS::SSM::Parameter\n    Properties: {{Type: String, {more}}}\n")
    };
    format!("Resources:\n{}", resources.iter().map(one).collect::<String>())
}
