//! Which operation is answered how.

use super::model::{Members, Region};
use super::simulate::Simulation;
use super::{clusters, definitions, services, tasks};
use crate::door::{Request, Response};
use crate::faults::Faults;
use crate::place::Place;
use crate::services::{Services, rewrite, unkept};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::{Value as Json, json};

/// An answer's members, or an error's code and message.
pub(super) type Answered = Result<Json, (&'static str, String)>;

/// An operation that is carried out.
pub(super) struct Call<'c, 's> {
    pub simulation: &'c mut Simulation<'s>,
    pub faults: &'c Faults,
    pub input: &'c Json,
}

/// Lets ECS answer.
pub(in crate::services) async fn answer(services: &Services, place: &Place, request: Request) -> Response {
    services.catch_up(place).await;
    let operation = crate::door::operation("ecs", &request);
    let input: Json = serde_json::from_slice(request.body()).unwrap_or_default();
    let answered = services.simulate(place, |simulation| {
        let mut call = Call { simulation, faults: &services.faults, input: &input };
        own(&operation, &mut call)
    });
    let Some(answered) = answered else {
        let account = services.account(&place.account);
        let Some(backend) = account.backend("ecs") else { return Response::default() };
        return rewrite::answer(backend, place, "ecs", request).await;
    };
    // What has no duration in this world has happened by the time that anybody asks.
    services.catch_up(place).await;
    if crate::door::writes("ecs", &operation, &request)
        && let Err(error) = services.keep_ecs(place)
    {
        return unkept(&error);
    }
    match answered {
        Ok(output) => respond(StatusCode::OK, &output),
        Err((code, message)) => respond(StatusCode::BAD_REQUEST, &json!({ "__type": code, "message": message })),
    }
}

/// `None` for operations that are winterbaume's.
fn own(operation: &str, call: &mut Call<'_, '_>) -> Option<Answered> {
    Some(match operation {
        "CreateCluster" => clusters::create(call),
        "UpdateCluster" | "UpdateClusterSettings" | "PutClusterCapacityProviders" => clusters::update(call),
        "DeleteCluster" => clusters::delete(call),
        "DescribeClusters" => clusters::describe(call),
        "ListClusters" => clusters::list(call),
        "RegisterTaskDefinition" => definitions::register(call),
        "DeregisterTaskDefinition" => definitions::deregister(call),
        "DescribeTaskDefinition" => definitions::describe(call),
        "ListTaskDefinitions" => definitions::list(call),
        "ListTaskDefinitionFamilies" => definitions::families(call),
        "CreateService" => services::create(call),
        "UpdateService" => services::update(call),
        "DeleteService" => services::delete(call),
        "DescribeServices" => services::describe(call),
        "ListServices" => services::list(call),
        "ListTasks" => tasks::list(call),
        "DescribeTasks" => tasks::describe(call),
        "StopTask" => tasks::stop(call),
        "RunTask" | "StartTask" => Err((
            "UnsupportedFeatureException",
            format!("{operation} is not part of this local AWS: it runs no containers, only services are simulated."),
        )),
        "TagResource" => {
            let (arn, tags) = (call.text("resourceArn").to_owned(), call.input["tags"].clone());
            call.region().tag(&arn, &tags);
            Ok(json!({}))
        }
        "UntagResource" => {
            let (arn, keys) = (call.text("resourceArn").to_owned(), call.texts("tagKeys"));
            call.region().tags.entry(arn).or_default().retain(|key, _| !keys.contains(key));
            Ok(json!({}))
        }
        "ListTagsForResource" => {
            let arn = call.text("resourceArn").to_owned();
            Ok(json!({ "tags": call.region().tag_list(&arn) }))
        }
        _ => return None,
    })
}

impl Call<'_, '_> {
    pub fn region(&mut self) -> &mut Region {
        self.simulation.region
    }

    pub fn place(&self) -> &Place {
        self.simulation.place
    }

    pub fn text(&self, member: &str) -> &str {
        self.input[member].as_str().unwrap_or_default()
    }

    /// A list of texts.
    pub fn texts(&self, member: &str) -> Vec<String> {
        let list = self.input[member].as_array().into_iter().flatten();
        list.filter_map(Json::as_str).map(str::to_owned).collect()
    }

    /// The name of the cluster that a request is about.
    pub fn cluster(&self) -> String {
        let cluster = super::model::last(self.text("cluster"));
        if cluster.is_empty() { "default" } else { cluster }.to_owned()
    }

    /// As [`Call::cluster`], if there is one.
    pub fn known_cluster(&mut self) -> Result<String, (&'static str, String)> {
        let cluster = self.cluster();
        match self.region().clusters.get(&cluster).is_some_and(|it| it.active) {
            true => Ok(cluster),
            false => Err(("ClusterNotFoundException", "Cluster not found.".to_owned())),
        }
    }

    /// The request's members without some.
    pub fn settings(&self, without: &[&str]) -> Members {
        let members = self.input.as_object().cloned().unwrap_or_default();
        members.into_iter().filter(|(name, value)| !without.contains(&name.as_str()) && !value.is_null()).collect()
    }

    pub fn includes_tags(&self) -> bool {
        self.texts("include").iter().any(|include| include == "TAGS")
    }

    /// The part of a list that a request asks for, and where the next one begins.
    pub fn page(&self, member: &str, all: Vec<String>) -> Json {
        let size = self.input["maxResults"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(100).max(1);
        let start: usize = self.text("nextToken").parse().unwrap_or(0);
        let page: Vec<&String> = all.iter().skip(start).take(size).collect();
        let mut answer = json!({ member: page });
        if start + size < all.len() {
            answer["nextToken"] = json!((start + size).to_string());
        }
        answer
    }
}

fn respond(status: StatusCode, body: &Json) -> Response {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}
