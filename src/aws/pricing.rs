//! AWS's price list.

use super::Result;
use super::error::{Call, Explain};
use aws_sdk_pricing::Client;
use aws_sdk_pricing::types::{Filter, FilterType};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The price list is served from a few regions and speaks of all.
pub(super) const REGION: &str = "us-east-1";

const ADDRESS: &str = "https://api.pricing.us-east-1.amazonaws.com";

#[derive(Clone)]
pub struct Pricing {
    client: Client,
}

impl Pricing {
    pub(super) fn new(client: Client) -> Pricing {
        Pricing { client }
    }

    /// Where prices are read.
    pub fn address(&self) -> &'static str {
        ADDRESS
    }

    /// USD for one of AWS's units on demand, as a decimal number; none where the price list has no such price, or more
    /// than one. Of prices by volume it is the first that is none of a free tier.
    pub async fn price(&self, service: &str, usage_type: &str, operation: Option<&str>) -> Result<Option<String>> {
        let call = || Call::new("pricing", "GetProducts", format!("read the price of {usage_type} ({service})"));
        let mut request = self.client.get_products().service_code(service);
        for (field, value) in
            [Some(("usagetype", usage_type)), operation.map(|of| ("operation", of))].into_iter().flatten()
        {
            let filter = Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build();
            // Every part that it needs is there.
            let Ok(filter) = filter else { return Ok(None) };
            request = request.filters(filter);
        }
        let mut pages = request.into_paginator().send();
        let mut prices = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let products = page.explain(call)?.price_list.unwrap_or_default();
            prices.extend(products.iter().filter_map(|product| on_demand(&serde_json::from_str(product).ok()?)));
        }
        Ok(prices.pop_first().filter(|_| prices.is_empty()))
    }
}

/// The price of a product: that of the lowest volume which costs anything.
fn on_demand(product: &Json) -> Option<String> {
    let terms = product.pointer("/terms/OnDemand")?.as_object()?;
    let dimensions = terms.values().filter_map(|term| term.get("priceDimensions")?.as_object());
    let mut tiers: Vec<(f64, &str)> = dimensions
        .flat_map(|dimensions| dimensions.values())
        .filter_map(|dimension| {
            let begins = dimension.get("beginRange").and_then(Json::as_str).unwrap_or("0").parse().ok()?;
            Some((begins, dimension.pointer("/pricePerUnit/USD")?.as_str()?))
        })
        .collect();
    tiers.sort_by(|one, other| one.0.total_cmp(&other.0));
    let costs = |usd: &str| usd.chars().any(|digit| ('1'..='9').contains(&digit));
    tiers.into_iter().map(|(_, usd)| usd).find(|usd| costs(usd)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// In the shape of the answers of GetProducts.
    fn product(tiers: &[(&str, &str)]) -> Json {
        let dimensions: serde_json::Map<String, Json> = tiers
            .iter()
            .map(|(begins, usd)| {
                let dimension =
                    json!({"unit": "GB-Mo", "beginRange": begins, "endRange": "Inf", "pricePerUnit": {"USD": usd}});
                (format!("SKU.JRTCKXETXF.{begins}"), dimension)
            })
            .collect();
        json!({"product": {"sku": "SKU"}, "terms": {"OnDemand": {"SKU.JRTCKXETXF": {"priceDimensions": dimensions}}}})
    }

    #[test]
    fn free_tiers_are_passed_over() {
        assert_eq!(
            on_demand(&product(&[("25", "0.2500000000"), ("0", "0.0000000000")])).as_deref(),
            Some("0.2500000000")
        );
        assert_eq!(on_demand(&product(&[("10240", "0.085"), ("0", "0.09")])).as_deref(), Some("0.09"));
        assert_eq!(on_demand(&product(&[("0", "0.0000000000")])), None);
        assert_eq!(on_demand(&json!({"product": {}})), None);
    }
}
