//! Today's prices: what AWS's price list says of the prices that a sheet knows the name of there, kept in the project.

use super::CURRENCY;
use super::sheet::{Api, Basis, DIRECTORY, Entry, Sheet, Sheets, Source};
use crate::aws::Pricing;
use crate::error::{Error, Kind, Result};
use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Prices that are asked for at the same time.
const READERS: usize = 4;

/// What became of a region's sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Renewed {
    pub path: PathBuf,
    pub region: String,
    pub read: usize,
    /// Key, and the price before and after.
    pub changed: Vec<(String, Decimal, Decimal)>,
    /// Keys that the price list did not answer with one price for.
    pub missing: Vec<String>,
}

/// Asks for all prices of a region, and writes those that were found into the project's sheet of it.
///
/// # Errors
/// No sheet knows the region; AWS cannot be asked; the file cannot be written.
pub async fn renew(pricing: &Pricing, project: &Path, region: &str) -> Result<Renewed> {
    let sheets = Sheets::open(project)?;
    let known = names(&sheets, region)?;
    let asked = known.iter().map(|(key, entry, api)| async move {
        let found = pricing.price(&api.service, &api.usage_type, api.operation.as_deref()).await?;
        Ok::<_, Error>((key.clone(), entry, api, found))
    });
    let asked: Vec<_> = asked.collect();
    let answers: Vec<_> = stream::iter(asked).buffered(READERS).try_collect().await?;

    let path = project.join(DIRECTORY).join(format!("{region}.yaml"));
    let mut sheet = match path.exists() {
        true => Sheet::read(&path)?,
        false => empty(region),
    };
    let mut renewed =
        Renewed { path: path.clone(), region: region.to_owned(), read: 0, changed: Vec::new(), missing: Vec::new() };
    for (key, entry, api, found) in answers {
        let Some(found) = found.and_then(|text| text.parse::<Decimal>().ok()) else {
            renewed.missing.push(key);
            continue;
        };
        let usd = (found * api.times).normalize();
        renewed.read += 1;
        if usd != entry.usd {
            renewed.changed.push((key.clone(), entry.usd, usd));
        }
        let source = format!("pricing-api-{}", api.service);
        sheet.sources.insert(source.clone(), today(pricing.address(), &api.service));
        sheet.prices.insert(key, Entry { usd, source, ..entry.clone() });
    }
    sheet.sources.retain(|name, _| sheet.prices.values().any(|price| price.source == *name));
    write(&path, &sheet)?;
    Ok(renewed)
}

/// The prices of a region that have a name in the price list, those of the first sheet that has one.
fn names(sheets: &Sheets, region: &str) -> Result<Vec<(String, Entry, Api)>> {
    let Some(of_region) = sheets.of_region(region) else {
        let regions: Vec<&str> = sheets.regions().collect();
        return Err(Error::new(Kind::Configuration, format!("no price sheet says what prices of {region} are called"))
            .detail(format!("there are sheets for {}", regions.join(", ")))
            .hint(format!("copy one of them to {DIRECTORY}/{region}.yaml and change its usage types"))
            .into());
    };
    let mut known: BTreeMap<&str, (&Entry, &Api)> = BTreeMap::new();
    for (key, entry) in of_region.iter().flat_map(|sheet| &sheet.prices) {
        if let Some(api) = &entry.api {
            known.entry(key).or_insert((entry, api));
        }
    }
    Ok(known.into_iter().map(|(key, (entry, api))| (key.to_owned(), entry.clone(), api.clone())).collect())
}

fn empty(region: &str) -> Sheet {
    Sheet {
        region: region.to_owned(),
        currency: CURRENCY.to_owned(),
        sources: BTreeMap::new(),
        prices: BTreeMap::new(),
    }
}

fn today(address: &str, service: &str) -> Source {
    Source {
        url: address.to_owned(),
        date: Timestamp::now().to_zoned(TimeZone::UTC).date(),
        basis: Basis::PriceList,
        note: Some(format!("GetProducts of {service}")),
    }
}

fn write(path: &Path, sheet: &Sheet) -> Result<()> {
    let writing = || format!("cannot write {}", path.display());
    let text = serde_yaml::to_string(sheet).with_context(writing)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(writing)?;
    }
    let text =
        format!("# Read in AWS's price list by `infra cost --refresh`. These prices come before infra's own.\n{text}");
    std::fs::write(path, text).with_context(writing)
}

impl fmt::Display for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} prices of {} read", self.path.display(), self.read, self.region)?;
        for (index, (key, before, after)) in self.changed.iter().enumerate() {
            let lead = if index == 0 { "; changed: " } else { ", " };
            write!(f, "{lead}{key} {} → {after}", before.normalize())?;
        }
        if !self.missing.is_empty() {
            write!(f, "; not found, and kept as they were: {}", self.missing.join(", "))?;
        }
        Ok(())
    }
}
