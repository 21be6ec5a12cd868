//! Types that cost nothing by themselves: a table of facts, in the repository beside the prices.

use super::sheet;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(super) const FILE: &str = "free.yaml";

#[derive(Deserialize)]
struct Table {
    types: BTreeMap<String, String>,
}

/// Why a resource of this type costs nothing; none where it may.
pub(super) fn reason(resource_type: &str) -> Option<&'static str> {
    static TABLE: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let table = sheet::embedded(FILE).and_then(|text| serde_yaml::from_str::<Table>(text).ok());
        table.map(|table| table.types).unwrap_or_default()
    });
    TABLE.get(resource_type).map(String::as_str)
}
