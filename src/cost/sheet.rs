//! Price sheets: dated data, a file for each region and one for what costs the same everywhere.
//!
//! Those in the program come from `prices/` of its own source; a project's `prices/` come first, price by price. Every
//! price names where it is from and of which day it is.

use crate::error::{Error, Kind};
use crate::files;
use include_dir::{Dir, include_dir};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where sheets are, in a project and in `infra` itself.
pub const DIRECTORY: &str = "prices";

/// The sheet of prices that no region changes.
const GLOBAL: &str = "global";

const LIMIT_BYTES: u64 = 1024 * 1024;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/prices");

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    pub region: String,
    pub currency: String,
    /// By the names that the prices use.
    pub sources: BTreeMap<String, Source>,
    /// By key, such as `nat-hour`.
    pub prices: BTreeMap<String, Entry>,
}

/// Where prices are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub url: String,
    /// Of this day are the prices.
    pub date: Date,
    pub basis: Basis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How a price became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Read in AWS's machine-readable price list.
    PriceList,
    /// Read on AWS's pricing page.
    PricingPage,
    /// Remembered, not read again: the page says it as far as anybody knows.
    Knowledge,
    /// Worked out from something that AWS says.
    Estimate,
}

/// One price of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub usd: Decimal,
    pub unit: String,
    pub source: String,
    /// What it is called in AWS's price list; none for what is not looked up there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
}

/// A price in AWS's price list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// `AmazonEC2`
    pub service: String,
    /// `EU-NatGateway-Hours`
    pub usage_type: String,
    /// Where the usage type means several things: `LoadBalancing:Application`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// So many of AWS's units are one of ours: a million requests.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: Decimal,
}

/// A price with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Price {
    pub key: String,
    pub region: String,
    pub usd: Decimal,
    pub unit: String,
    pub source: String,
    pub date: Date,
    pub basis: Basis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// All sheets, by region.
#[derive(Debug, Clone, Default)]
pub struct Sheets {
    /// For each region the sheets in the order in which they are asked.
    by_region: BTreeMap<String, Vec<Sheet>>,
}

impl Sheets {
    /// Those in the program alone.
    ///
    /// # Errors
    /// None in practice: a test reads them.
    pub fn embedded() -> Result<Sheets, Error> {
        let mut sheets = Sheets::default();
        for file in EMBEDDED.files().filter(|file| is_sheet(file.path())) {
            let name = file.path().display().to_string();
            sheets.add(Sheet::parse(file.contents_utf8().unwrap_or_default(), &name)?);
        }
        Ok(sheets)
    }

    /// A project's own first, then those in the program.
    ///
    /// # Errors
    /// A file of the project that is no price sheet.
    pub fn open(project: &Path) -> Result<Sheets, Error> {
        let mut sheets = Sheets::default();
        let entries = std::fs::read_dir(project.join(DIRECTORY)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_sheet(path)).collect();
        paths.sort();
        for path in paths {
            sheets.add(Sheet::read(&path)?);
        }
        for (region, own) in Sheets::embedded()?.by_region {
            sheets.by_region.entry(region).or_default().extend(own);
        }
        Ok(sheets)
    }

    fn add(&mut self, sheet: Sheet) {
        self.by_region.entry(sheet.region.clone()).or_default().push(sheet);
    }

    /// A price in a region; that of all regions where the region has none of its own.
    pub fn price(&self, region: &str, key: &str) -> Option<Price> {
        let sheets = [region, GLOBAL].into_iter().filter_map(|region| self.by_region.get(region)).flatten();
        sheets.into_iter().find_map(|sheet| sheet.price(key))
    }

    /// The sheet that the program has for a region, as a start for one of a project's own.
    pub fn of_region(&self, region: &str) -> Option<&[Sheet]> {
        self.by_region.get(region).map(Vec::as_slice)
    }

    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.by_region.keys().map(String::as_str)
    }
}

impl Sheet {
    /// # Errors
    /// The file cannot be read, or is no price sheet.
    pub fn read(path: &Path) -> Result<Sheet, Error> {
        let name = path.display().to_string();
        let file = files::read(path, &name, LIMIT_BYTES).map_err(|problem| Error::problems(vec![problem]))?;
        Sheet::parse(&file.text, &name)
    }

    /// # Errors
    /// No price sheet, another currency, a price without a source.
    pub fn parse(text: &str, name: &str) -> Result<Sheet, Error> {
        let wrong = |what: String| {
            Error::new(Kind::Configuration, format!("{name} is no price sheet"))
                .detail(what)
                .hint("docs/cost.md says what a price sheet holds")
        };
        let sheet: Sheet = serde_yaml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if sheet.currency != super::CURRENCY {
            return Err(wrong(format!("its currency is {}; prices are in {}", sheet.currency, super::CURRENCY)));
        }
        let negative = sheet.prices.iter().find(|(_, price)| price.usd.is_sign_negative());
        if let Some((key, price)) = negative {
            return Err(wrong(format!("`{key}` is {}", price.usd)));
        }
        match sheet.prices.iter().find(|(_, price)| !sheet.sources.contains_key(&price.source)) {
            Some((key, price)) => Err(wrong(format!("`{key}` names the source `{}`, and there is none", price.source))),
            None => Ok(sheet),
        }
    }

    pub fn price(&self, key: &str) -> Option<Price> {
        let entry = self.prices.get(key)?;
        let source = self.sources.get(&entry.source)?;
        Some(Price {
            key: key.to_owned(),
            region: self.region.clone(),
            usd: entry.usd,
            unit: entry.unit.clone(),
            source: source.url.clone(),
            date: source.date,
            basis: source.basis,
            note: source.note.clone(),
        })
    }
}

/// A sheet is called like its region; `free.yaml` is a table of another kind.
fn is_sheet(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.ends_with(".yaml") && name != super::free::FILE
}

/// The table of what costs nothing.
pub(super) fn embedded(name: &str) -> Option<&'static str> {
    EMBEDDED.get_file(name)?.contents_utf8()
}

fn one() -> Decimal {
    Decimal::ONE
}

fn is_one(times: &Decimal) -> bool {
    *times == Decimal::ONE
}
