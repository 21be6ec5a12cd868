//! DynamoDB: what winterbaume leaves out. Tables may be named by their ARNs, and a failed condition tells, where it is
//! asked to, which item stood in the way.

use super::account::Account;
use super::rewrite;
use crate::door::{Request, Response};
use crate::place::Place;
use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

/// Lets DynamoDB answer.
pub(super) async fn answer(account: &Account, place: &Place, request: Request) -> Response {
    let Some(backend) = account.backend("dynamodb") else { return Response::default() };
    let operation = crate::door::operation("dynamodb", &request);
    let Ok(mut input) = serde_json::from_slice::<Json>(request.body()) else {
        return rewrite::answer(backend, place, "dynamodb", request).await;
    };
    name_tables(&mut input);
    let request = with_body(request, &input);
    if !matches!(operation.as_str(), "PutItem" | "UpdateItem" | "DeleteItem") {
        return rewrite::answer(backend, place, "dynamodb", request).await;
    }
    // winterbaume checks a condition and writes at once, but what it checked is read afterwards.
    let _writing = account.dynamodb_writing.lock().await;
    let headers = request.headers().clone();
    let mut response = rewrite::answer(backend, place, "dynamodb", request).await;
    let tells_item = input["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
    if response.status().is_success() || !tells_item {
        return response;
    }
    let mut error: Json = serde_json::from_slice(response.body()).unwrap_or_default();
    let code = error["__type"].as_str().unwrap_or_default();
    if !code.ends_with("ConditionalCheckFailedException") || !error["Item"].is_null() {
        return response;
    }
    let call = async |operation: &str, input: Json| {
        let mut request = Request::new(Bytes::from(input.to_string()));
        *request.headers_mut() = headers.clone();
        let target = format!("DynamoDB_20120810.{operation}");
        request.headers_mut().insert("x-amz-target", http::HeaderValue::from_str(&target).ok()?);
        let response = rewrite::answer(backend, place, "dynamodb", request).await;
        serde_json::from_slice::<Json>(response.body()).ok()
    };
    let table = &input["TableName"];
    let key = match operation.as_str() {
        "PutItem" => match call("DescribeTable", json!({ "TableName": table })).await {
            Some(described) => key_of(&described, &input["Item"]),
            None => return response,
        },
        _ => input["Key"].clone(),
    };
    let found = call("GetItem", json!({ "TableName": table, "Key": key, "ConsistentRead": true })).await;
    if let Some(item) = found.and_then(|found| found.get("Item").cloned()) {
        error["Item"] = item;
        *response.body_mut() = Bytes::from(error.to_string());
    }
    response
}

fn with_body(request: Request, input: &Json) -> Request {
    let (mut parts, _) = request.into_parts();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Request::from_parts(parts, Bytes::from(input.to_string()))
}

/// The members of an item that its table's key is made of.
fn key_of(described: &Json, item: &Json) -> Json {
    let schema = described["Table"]["KeySchema"].as_array().cloned().unwrap_or_default();
    let names = schema.iter().filter_map(|element| element["AttributeName"].as_str());
    Json::Object(names.map(|name| (name.to_owned(), item[name].clone())).collect())
}

/// Puts names in place of tables' ARNs.
fn name_tables(input: &mut Json) {
    let Json::Object(members) = input else { return };
    if let Some(Json::String(table)) = members.get_mut("TableName") {
        *table = table_name(table).to_owned();
    }
    // Of batches, keyed by table.
    if let Some(Json::Object(tables)) = members.get_mut("RequestItems") {
        let named: Map<_, _> =
            std::mem::take(tables).into_iter().map(|(table, item)| (table_name(&table).to_owned(), item)).collect();
        *tables = named;
    }
    // Of transactions: `[{"Put": {"TableName": …}}]`.
    if let Some(Json::Array(items)) = members.get_mut("TransactItems") {
        items.iter_mut().filter_map(Json::as_object_mut).for_each(|item| item.values_mut().for_each(name_tables));
    }
}

fn table_name(table: &str) -> &str {
    let is_arn = table.starts_with("arn:");
    table.split_once(":table/").filter(|_| is_arn).map_or(table, |(_, name)| name)
}
