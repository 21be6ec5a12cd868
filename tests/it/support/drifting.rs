//! Drift of the repository's environments on the embedded AWS: looks, what they say, and changes by hand.

use super::whole::Whole;
use super::wire::{Fault, Sent, Wire};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use infra::apply::Interrupt;
use infra::aws::{AccessKey, Aws, Connect};
use infra::drift::{Drift, Facts, Gathering, Status, gather, judge, who_changed};
use infra::error::Error;
use infra::plan::Options;
use infra::state::StateStore;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// The environment's drift, by a connection that cannot change anything.
pub async fn drift_of(whole: &Whole, only: &[String]) -> Drift {
    look(whole, whole.world.http_client(), only).await.expect("a look").1
}

/// What its drift is told by.
pub async fn facts_of(whole: &Whole, only: &[String]) -> Facts {
    look(whole, whole.world.http_client(), only).await.expect("a look").0
}

/// A look by a connection that cannot change anything, as `infra drift` takes it.
async fn look(whole: &Whole, http_client: SharedHttpClient, only: &[String]) -> Result<(Facts, Drift), Error> {
    let (environment, wanted) = whole.files();
    let aws = Aws::connect(Connect {
        region: environment.region.clone(),
        credentials: Some(AccessKey { id: environment.account.clone(), secret: "test".to_owned() }),
        http_client: Some(http_client),
        read_only: true,
        ..Connect::default()
    })
    .await;
    let snapshot = StateStore::new(&aws, &environment).read().await?;
    let state = snapshot.as_ref().map(|snapshot| &snapshot.state);
    let (events, _) = tokio::sync::mpsc::unbounded_channel();
    let never = Interrupt::never();
    let how = Gathering {
        aws: &aws,
        environment: &environment,
        wanted: &wanted,
        state,
        only,
        events: &events,
        interrupt: &never,
    };
    let facts = gather(how).await?;
    let mut drift = judge(&facts, &environment, state, Timestamp::now(), only.is_empty());
    who_changed(how, &mut drift).await;
    Ok((facts, drift))
}

/// Everything that is said of differences, for messages.
pub fn said(drift: &Drift) -> String {
    let mut lines = Vec::new();
    for stack in &drift.stacks {
        for change in &stack.changes {
            lines.push(format!("{}: {} {:?}", stack.stack, change.what, change.change));
        }
        for resource in &stack.resources {
            for property in &resource.properties {
                lines.push(format!(
                    "{}.{} {}: {:?} {} {:?} {:?} {:?}",
                    stack.stack,
                    resource.logical_id,
                    resource.resource_type,
                    property.kind,
                    property.path,
                    property.change,
                    property.sources,
                    property.ignored
                ));
            }
            if resource.status == Status::NotChecked {
                lines.push(format!("{}.{} not checked: {:?}", stack.stack, resource.logical_id, resource.reason));
            }
        }
        lines.extend(stack.unchecked.iter().map(|one| format!("{}: {one:?}", stack.stack)));
    }
    lines.extend(drift.unmanaged.iter().map(|one| format!("{one:?}")));
    lines.extend(drift.unchecked.iter().map(|one| format!("{one:?}")));
    lines.join("\n")
}

/// One of the repository's environments, applied from nothing.
pub async fn applied(name: &'static str) -> Whole {
    let whole = Whole::new(name).await;
    let made = whole.apply(&whole.plan(&Options::default(), false).await).await;
    assert!(!made.failed(), "{made:#?}");
    whole
}

/// Nothing at all: no drift, nothing that the templates leave open, nothing that would have to be explained, nothing that
/// nobody could look at.
pub fn assert_quiet(drift: &Drift) {
    let mut resources = drift.stacks.iter().flat_map(|stack| &stack.resources);
    let loud = resources.any(|resource| !resource.properties.is_empty());
    let changed = drift.summary.stacks_changed + drift.summary.unmanaged + drift.summary.deleted;
    assert!(changed == 0 && !loud, "{}", said(drift));
    assert!(drift.summary.resources > 0 && drift.is_complete(), "{:?}\n{}", drift.summary, said(drift));
}

/// Calls Cloud Control past `infra`, as somebody would by hand.
pub async fn control(whole: &Whole, region: &str, operation: &str, input: Json) -> Result<Json, String> {
    let account = &whole.account;
    let scope = format!("{account}/20260101/{region}/cloudcontrolapi/aws4_request");
    let request = http::Request::post(format!("https://cloudcontrolapi.{region}.amazonaws.com/"))
        .header("x-amz-target", format!("CloudApiService.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
        .body(input.to_string().into())
        .expect("a request");
    let answer = whole.world.exchange(request).await.expect("an answer");
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    if !answer.status().is_success() {
        return Err(text);
    }
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
}

/// A resource as Cloud Control tells it: its identifier and its properties. `id`: that identifier, or its physical id.
pub async fn described(whole: &Whole, region: &str, type_name: &str, id: &str) -> Result<(String, Json), String> {
    let answer = control(whole, region, "GetResource", json!({"TypeName": type_name, "Identifier": id})).await?;
    let described = &answer["ResourceDescription"];
    let properties = described["Properties"].as_str().unwrap_or_default();
    let identifier = described["Identifier"].as_str().unwrap_or_default().to_owned();
    Ok((identifier, serde_json::from_str(properties).map_err(|error| error.to_string())?))
}

/// A look whose calls are seen, and may fail.
pub async fn watched(whole: &Whole, rule: impl Fn(&Sent, usize) -> Fault + Send + Sync + 'static) -> (Drift, Wire) {
    try_watched(whole, rule).await.expect("a look")
}

/// The same, where it may come to nothing.
pub async fn try_watched(
    whole: &Whole,
    rule: impl Fn(&Sent, usize) -> Fault + Send + Sync + 'static,
) -> Result<(Drift, Wire), Error> {
    let wire = Wire::new(whole.world.http_client());
    wire.on(rule);
    let (_, drift) = look(whole, wire.client(), &[]).await?;
    Ok((drift, wire))
}
