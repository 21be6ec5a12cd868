//! Every resource of some stacks as Cloud Control shows it: the live one, not what its stack says.

use super::ministack::Account;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const RECORD_SET: &str = "AWS::Route53::RecordSet";

/// `"<stack>/<logical id>": {"type", "id", "found", "facts"}` of the stacks in a region whose names begin with `prefix`.
/// Resources of a type that the registry cannot read have no facts, and count as found.
pub fn resources(account: &Account, region: &'static str, prefix: &str) -> BTreeMap<String, Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region))
            .endpoint_url(&account.endpoint)
            .credentials_provider(Credentials::new(&account.id, "test", None, None, "test"))
            .http_client(infra::aws::network())
            .load()
            .await;
        let cloudformation = aws_sdk_cloudformation::Client::new(&config);
        let cloudcontrol = aws_sdk_cloudcontrol::Client::new(&config);
        let stacks = cloudformation.describe_stacks().into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        let stacks = stacks.await.expect("the stacks");
        let names = stacks.iter().filter_map(|stack| stack.stack_name()).filter(|name| name.starts_with(prefix));
        // A stack calls a record set by its domain name, which others of that name (A, AAAA) have too.
        let records = cloudcontrol.list_resources().type_name(RECORD_SET).into_paginator().items().send();
        let records = records.collect::<Result<Vec<_>, _>>().await.expect("record sets");
        let mut records: Vec<&str> = records.iter().filter_map(|record| record.identifier()).collect();
        let mut found = BTreeMap::new();
        for stack in names {
            let resources = cloudformation.list_stack_resources().stack_name(stack).into_paginator().items().send();
            for resource in resources.collect::<Result<Vec<_>, _>>().await.expect("its resources") {
                let type_name = resource.resource_type().unwrap_or_default();
                let id = resource.physical_resource_id().unwrap_or_default();
                let of_name = |record: &&str| record.split('|').next() == Some(id);
                let identifier = match records.iter().position(of_name).filter(|_| type_name == RECORD_SET) {
                    Some(record) => records.swap_remove(record),
                    None => id,
                };
                let live = cloudcontrol.get_resource().type_name(type_name).identifier(identifier).send().await;
                let (is_there, facts, error) = match live {
                    Ok(live) => {
                        let text = live.resource_description().and_then(|it| it.properties()).unwrap_or_default();
                        (true, serde_json::from_str(text).expect("properties are JSON"), Value::Null)
                    }
                    Err(error) => {
                        let error = error.into_service_error();
                        (error.is_unsupported_action_exception(), Value::Null, json!(error.to_string()))
                    }
                };
                found.insert(
                    format!("{stack}/{}", resource.logical_resource_id().unwrap_or_default()),
                    json!({"type": type_name, "id": id, "found": is_there, "facts": facts, "error": error}),
                );
            }
        }
        found
    })
}
