use crate::support::{Client, code, world};
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ReturnValue,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub async fn table(client: &DynamoDb) {
    let key = KeySchemaElement::builder().attribute_name("LockID").key_type(KeyType::Hash).build().expect("a key");
    let attribute = AttributeDefinition::builder().attribute_name("LockID").attribute_type(ScalarAttributeType::S);
    client
        .create_table()
        .table_name("lock")
        .key_schema(key)
        .attribute_definitions(attribute.build().expect("an attribute"))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .expect("a table");
}

#[tokio::test]
async fn a_lock_is_taken_once_and_its_holder_is_told() {
    let aws = world().await;
    let client = Client::new(&aws).dynamodb();
    table(&client).await;
    let take = |holder: &str| {
        client
            .put_item()
            .table_name("lock")
            .item("LockID", text("a/b"))
            .item("Info", text(holder))
            .item("Beat", AttributeValue::N("1".into()))
            .condition_expression("attribute_not_exists(LockID)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
    };
    let racers: Vec<_> = futures_join((0..8).map(|n| take(&format!("holder {n}"))).collect()).await;
    let winners: Vec<usize> = (0..8).filter(|n| racers[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{racers:?}");
    for refused in racers.into_iter().filter_map(Result::err) {
        let SdkError::ServiceError(refused) = refused else { panic!("{refused:?}") };
        let PutItemError::ConditionalCheckFailedException(failed) = refused.into_err() else { panic!("another error") };
        let held = failed.item().expect("the item that is there");
        assert_eq!(held["Info"], text(&format!("holder {}", winners[0])));
    }
    let read = client.get_item().table_name("lock").key("LockID", text("a/b")).consistent_read(true).send().await;
    assert_eq!(read.expect("a read").item().expect("an item")["Beat"], AttributeValue::N("1".into()));
}

/// Runs them at once.
async fn futures_join<T: Send + 'static>(tasks: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.expect("no panic"));
    }
    done
}

#[tokio::test]
async fn beats_and_releases_hang_on_what_was_read() {
    let aws = world().await;
    let client = Client::new(&aws).dynamodb();
    table(&client).await;
    client
        .put_item()
        .table_name("lock")
        .item("LockID", text("a"))
        .item("Beat", AttributeValue::N("4".into()))
        .send()
        .await
        .expect("put");
    let beat = |from: &str| {
        client
            .update_item()
            .table_name("lock")
            .key("LockID", text("a"))
            .update_expression("SET Beat = Beat + :one")
            .condition_expression("Beat = :from")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":from", AttributeValue::N(from.into()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    };
    let beaten = beat("4").send().await.expect("a beat");
    assert_eq!(beaten.attributes().expect("attributes")["Beat"], AttributeValue::N("5".into()));
    let error = beat("4").send().await.expect_err("gone on").into_service_error();
    assert!(error.is_conditional_check_failed_exception(), "{error:?}");
    let release = |from: &str| {
        client
            .delete_item()
            .table_name("lock")
            .key("LockID", text("a"))
            .condition_expression("Beat = :from")
            .expression_attribute_values(":from", AttributeValue::N(from.into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
    };
    let refused = release("4").await.expect_err("gone on").into_service_error();
    let aws_sdk_dynamodb::operation::delete_item::DeleteItemError::ConditionalCheckFailedException(failed) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(failed.item().expect("what is there")["Beat"], AttributeValue::N("5".into()));
    release("5").await.expect("released");
    let gone = client.get_item().table_name("lock").key("LockID", text("a")).send().await.expect("a read");
    assert!(gone.item().is_none());
}

#[tokio::test]
async fn tables_belong_to_an_account_and_a_region() {
    let aws = world().await;
    let client = Client::new(&aws).dynamodb();
    table(&client).await;
    let described = client.describe_table().table_name("lock").send().await.expect("a table");
    let arn = described.table().expect("a table").table_arn().expect("an ARN").to_owned();
    assert_eq!(arn, "arn:aws:dynamodb:eu-west-1:111122223333:table/lock");
    client.describe_table().table_name(&arn).send().await.expect("by its ARN");
    let elsewhere = Client::new(&aws).region("us-east-1").dynamodb();
    assert_eq!(code(elsewhere.describe_table().table_name("lock").send().await), "ResourceNotFoundException");
    let stranger = Client::of(&aws, "444455556666").dynamodb();
    assert_eq!(code(stranger.describe_table().table_name("lock").send().await), "ResourceNotFoundException");
    assert_eq!(
        code(client.get_item().table_name("none").key("LockID", text("a")).send().await),
        "ResourceNotFoundException"
    );
}
