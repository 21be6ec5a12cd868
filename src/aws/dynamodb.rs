//! Items of the lock table: read consistently, written and deleted on conditions.

use super::Result;
use super::error::{Call, Explain, failure};
use crate::model::StateLocation;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{self, retry::RetryConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::{BTreeMap, HashMap};

/// The table where locks live; its partition key is `LockID`.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: String,
    /// Every call is made once: its caller knows better when to try again.
    once: bool,
}

/// An item by its attributes.
pub type Item = BTreeMap<String, ItemValue>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemValue {
    Text(String),
    Number(u64),
    /// Of a type that no lock has.
    Other,
}

/// What must hold of the item for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Absent,
    /// These attributes have these values.
    Equal(Item),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Done,
    /// The condition does not hold, and only that. Also what a write gets that AWS did, whose answer was lost, and that
    /// was then sent again: only reading the item tells.
    Refused,
}

const KEY: &str = "LockID";

impl Table {
    pub(super) fn new(client: Client, state: &StateLocation) -> Table {
        Table { client, name: state.table.clone(), once: false }
    }

    /// The same table, without the SDK's retries and the rate that it keeps to after throttling.
    pub fn once(&self) -> Table {
        Table { once: true, ..self.clone() }
    }

    fn habits(&self) -> config::Builder {
        let habits = config::Builder::new();
        if self.once { habits.retry_config(RetryConfig::disabled()) } else { habits }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The item as it is now (strongly consistent).
    pub async fn get(&self, id: &str) -> Result<Option<Item>> {
        let call = || Call::new("dynamodb", "GetItem", format!("read the lock `{id}` in table `{}`", self.name));
        let request = self.client.get_item().table_name(&self.name).key(KEY, AttributeValue::S(id.to_owned()));
        let item =
            request.consistent_read(true).customize().config_override(self.habits()).send().await.explain(call)?.item;
        Ok(item.map(|item| item.into_iter().map(|(name, value)| (name, from_sdk(value))).collect()))
    }

    /// Writes the whole item; `item` holds the key.
    pub async fn put(&self, item: &Item, only_if: &Condition) -> Result<Write> {
        let id = id_of(item);
        let call = || Call::new("dynamodb", "PutItem", format!("write the lock `{id}` in table `{}`", self.name));
        let (expression, names, values) = expression(only_if);
        let request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item.iter().filter_map(|(name, value)| Some((name.clone(), to_sdk(value)?))).collect()))
            .condition_expression(expression)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(values);
        done(request.customize().config_override(self.habits()).send().await.explain(call).map(drop))
    }

    pub async fn delete(&self, id: &str, only_if: &Condition) -> Result<Write> {
        let call = || Call::new("dynamodb", "DeleteItem", format!("delete the lock `{id}` in table `{}`", self.name));
        let (expression, names, values) = expression(only_if);
        let request = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(KEY, AttributeValue::S(id.to_owned()))
            .condition_expression(expression)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(values);
        done(request.customize().config_override(self.habits()).send().await.explain(call).map(drop))
    }
}

fn done(result: Result<()>) -> Result<Write> {
    match result {
        Ok(()) => Ok(Write::Done),
        Err(error) if failure(&error).is_some_and(|failure| failure.code == "ConditionalCheckFailedException") => {
            Ok(Write::Refused)
        }
        Err(error) => Err(error),
    }
}

fn id_of(item: &Item) -> &str {
    match item.get(KEY) {
        Some(ItemValue::Text(id)) => id,
        _ => "?",
    }
}

type Values = Option<HashMap<String, AttributeValue>>;

/// The condition in DynamoDB's language. All names go by placeholders: some are reserved words.
fn expression(condition: &Condition) -> (String, HashMap<String, String>, Values) {
    match condition {
        Condition::Absent => ("attribute_not_exists(#k)".to_owned(), HashMap::from([("#k".into(), KEY.into())]), None),
        Condition::Equal(wanted) => {
            let mut parts = Vec::new();
            let (mut names, mut values) = (HashMap::new(), HashMap::new());
            for (n, (name, value)) in wanted.iter().enumerate() {
                parts.push(format!("#n{n} = :v{n}"));
                names.insert(format!("#n{n}"), name.clone());
                values.extend(to_sdk(value).map(|value| (format!(":v{n}"), value)));
            }
            (parts.join(" AND "), names, Some(values))
        }
    }
}

fn to_sdk(value: &ItemValue) -> Option<AttributeValue> {
    match value {
        ItemValue::Text(text) => Some(AttributeValue::S(text.clone())),
        ItemValue::Number(number) => Some(AttributeValue::N(number.to_string())),
        ItemValue::Other => None,
    }
}

fn from_sdk(value: AttributeValue) -> ItemValue {
    match value {
        AttributeValue::S(text) => ItemValue::Text(text),
        AttributeValue::N(number) => number.parse().map_or(ItemValue::Other, ItemValue::Number),
        _ => ItemValue::Other,
    }
}
