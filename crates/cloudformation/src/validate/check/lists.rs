//! Lists against a schema.

use super::{Checker, Expr, Keyword, Schema};
use crate::schema::Text;
use crate::validate::conditions::Assumed;
use crate::validate::rules;
use serde_json::Value as Json;

/// An item that is there under what is assumed, with its place in the text's list.
pub struct Item<'e> {
    at: usize,
    value: &'e Expr,
    /// Whether it may stand for a list or nothing: then nothing follows from how many items there are.
    certain: bool,
}

impl Checker<'_, '_> {
    pub fn present_items<'e>(&self, items: &'e [Expr], assumed: &Assumed) -> Vec<Item<'e>> {
        let mut present = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if self.literal {
                present.push(Item { at, value: item, certain: true });
                continue;
            }
            let branches = self.facts.branches(item, assumed);
            let some = branches.iter().filter(|(branch, _)| branch.is_some()).count();
            if some > 0 {
                present.push(Item { at, value: item, certain: some == branches.len() });
            }
        }
        present
    }

    pub fn list_keyword(
        &mut self,
        present: &[Item<'_>],
        list: &Expr,
        keyword: &Keyword,
        schema: &Schema,
        assumed: &Assumed,
    ) {
        let certain = present.iter().filter(|item| item.certain).count() as u64;
        match keyword {
            Keyword::Items(items) => {
                let prefix = prefix(schema);
                for item in present.iter().filter(|item| item.at >= prefix) {
                    self.below(&item.at.to_string(), item.value, items, assumed);
                }
            }
            Keyword::PrefixItems(schemas) => {
                for (item, schema) in present.iter().zip(schemas) {
                    let before = self.found.len();
                    self.below(&item.at.to_string(), item.value, schema, assumed);
                    self.found[before..].iter_mut().filter(|found| found.rule == rules::VALUE).for_each(|found| {
                        found.rule = rules::ORDER;
                    });
                }
            }
            Keyword::MinItems(least) if (present.len() as u64) < *least => {
                let message = format!("expected minimum item count: {least}, found: {}", present.len());
                self.wrong(rules::LIST_SIZE, message, list.span);
            }
            Keyword::MaxItems(most) if certain > *most => {
                let message = format!("expected maximum item count: {most}, found: {certain}");
                self.wrong(rules::LIST_SIZE, message, list.span);
            }
            Keyword::MaxUniqueItems(most) => {
                let mut seen: Vec<Json> = Vec::new();
                for item in present.iter().filter(|item| item.certain).map(|item| item.value.to_json()) {
                    if !seen.contains(&item) {
                        seen.push(item);
                    }
                }
                if seen.len() as u64 > *most {
                    let message = format!("expected maximum item count: {most}, found: {}", seen.len());
                    self.wrong(rules::UNIQUE_COUNT, message, list.span);
                }
            }
            Keyword::UniqueItems => self.unique(present, |item| Some(item.to_json())),
            Keyword::UniqueKeys(keys) => {
                let keys: &[Text] = keys;
                self.unique(present, |item| {
                    let values: Option<Vec<Json>> = keys.iter().map(|key| item.get(key).map(Expr::to_json)).collect();
                    values.map(Json::Array)
                });
            }
            Keyword::Contains(schema) => self.contains(present, list, schema, assumed),
            _ => {}
        }
    }

    fn unique(&mut self, present: &[Item<'_>], key: impl Fn(&Expr) -> Option<Json>) {
        let mut seen: Vec<Json> = Vec::new();
        for item in present.iter().filter(|item| item.certain) {
            let Some(key) = key(item.value) else { continue };
            if seen.contains(&key) {
                let message = "array items are not unique".to_owned();
                let remedy = Some("Remove the item that stands here a second time.".to_owned());
                self.wrong_below(&item.at.to_string(), rules::UNIQUE, message, item.value.span, remedy);
            }
            seen.push(key);
        }
    }

    fn contains(&mut self, present: &[Item<'_>], list: &Expr, schema: &Schema, assumed: &Assumed) {
        let mut unknown = false;
        for item in present {
            for (branch, assumed) in self.facts.branches(item.value, assumed) {
                match branch.map(|branch| self.answer(branch, schema, &assumed)) {
                    Some(super::Answer::Right) => return,
                    Some(super::Answer::Unknown) => unknown = true,
                    Some(super::Answer::Wrong) | None => {}
                }
            }
        }
        match unknown {
            true => self.unknown = true,
            false => self.wrong(rules::VALUE, "no item is as it must be".to_owned(), list.span),
        }
    }
}

fn prefix(schema: &Schema) -> usize {
    let prefix = schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::PrefixItems(schemas) => Some(schemas.len()),
        _ => None,
    });
    prefix.unwrap_or_default()
}
