//! The Resource Groups Tagging API: every resource of an account and region that carries certain tags.

use super::Result;
use super::error::{Call, Explain};
use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use std::collections::BTreeMap;

#[derive(Clone)]
pub struct Tagging {
    client: Client,
}

/// A resource with all its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedResource {
    pub arn: String,
    pub tags: BTreeMap<String, String>,
}

impl Tagging {
    pub(super) fn new(client: Client) -> Tagging {
        Tagging { client }
    }

    /// The resources that carry all of these tags. AWS tells of what is tagged or once was; a tag may take some seconds to
    /// be seen.
    pub async fn resources(&self, tags: &[(&str, &str)]) -> Result<Vec<TaggedResource>> {
        let call = || Call::new("tag", "GetResources", "look for resources by their tags");
        let filters = tags.iter().map(|(key, value)| TagFilter::builder().key(*key).values(*value).build()).collect();
        let mut pages = self.client.get_resources().set_tag_filters(Some(filters)).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for mapping in page.explain(call)?.resource_tag_mapping_list.unwrap_or_default() {
                let tags = mapping.tags.unwrap_or_default();
                found.push(TaggedResource {
                    arn: mapping.resource_arn.unwrap_or_default(),
                    tags: tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
                });
            }
        }
        Ok(found)
    }
}
