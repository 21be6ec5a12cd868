//! `DescribeAccountLimits` and `ListTypes`: what can be done here.

use super::page;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use cloudformation::schema::resource_type_names;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// The quotas that AWS starts every account with.
const LIMITS: [(&str, u32); 3] = [("StackLimit", 2000), ("StackOutputsLimit", 200), ("ConcurrentResourcesLimit", 2500)];

pub(super) async fn describe_account_limits(_: &Arc<World>, _: &Place, _: Json) -> Result<Json, Fault> {
    let limits: Vec<Json> = LIMITS.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    Ok(json!({ "AccountLimits": limits }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTypes {
    visibility: Option<String>,
    #[serde(rename = "Type")]
    kind: Option<String>,
    filters: Option<Filters>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filters {
    type_name_prefix: Option<String>,
}

/// The registered resource types. Nobody has private ones here, which is what AWS lists by default.
pub(super) async fn list_types(_: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: ListTypes = query::input(input)?;
    let public =
        input.visibility.as_deref() == Some("PUBLIC") && !matches!(input.kind.as_deref(), Some("MODULE" | "HOOK"));
    let prefix = input.filters.and_then(|filters| filters.type_name_prefix).unwrap_or_default();
    let names: Vec<&str> = resource_type_names().filter(|name| public && name.starts_with(&prefix)).collect();
    let size = input.max_results.map_or(page::PAGE, |size| (size as usize).clamp(1, page::PAGE));
    let (shown, next) = page::page(names, input.next_token.as_deref(), size, |name| (*name).to_owned())?;
    let shown: Vec<Json> = shown
        .into_iter()
        .map(|name| {
            json!({
                "Type": "RESOURCE",
                "TypeName": name,
                "TypeArn": format!(
                    "arn:{}:cloudformation:{}::type/resource/{}",
                    place.partition(), place.region, name.replace("::", "-")
                ),
            })
        })
        .collect();
    Ok(json!({ "TypeSummaries": shown, "NextToken": next }))
}
