//! The estimate of a month: line by line for people, as Markdown, and as a document.

use super::View;
use super::text::{self, faint, strong};
use crate::cost::{CURRENCY, Estimate, Figure, HOURS, Price, Priced, StackCost};
use crate::error::Result;
use crate::view::Format;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// `major.minor`, as for the other documents.
const FORMAT_VERSION: &str = "1.0";

/// Which environment is estimated.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Basis<'a> {
    pub project: &'a str,
    pub environment: &'a str,
}

/// What programs get, and what the texts are made of.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    format_version: &'static str,
    #[serde(flatten)]
    basis: Basis<'a>,
    currency: &'static str,
    hours: u32,
    total: Decimal,
    stacks: &'a [StackCost],
    unknown: Vec<Unknown<'a>>,
    figures: Vec<&'a Figure>,
    prices: Vec<&'a Price>,
}

/// What has no price.
#[derive(Debug, Serialize)]
struct Unknown<'a> {
    stack: &'a str,
    logical_id: &'a str,
    #[serde(rename = "type")]
    resource_type: &'a str,
    what: &'a str,
    why: &'a str,
}

impl<'a> Document<'a> {
    pub fn new(basis: Basis<'a>, estimate: &'a Estimate) -> Document<'a> {
        let unknown = estimate.unknown().map(|(stack, resource, unknown)| Unknown {
            stack: &stack.stack,
            logical_id: &resource.logical_id,
            resource_type: &resource.resource_type,
            what: &unknown.what,
            why: &unknown.why,
        });
        Document {
            format_version: FORMAT_VERSION,
            basis,
            currency: CURRENCY,
            hours: HOURS,
            total: estimate.total,
            stacks: &estimate.stacks,
            unknown: unknown.collect(),
            figures: estimate.figures.iter().collect(),
            prices: estimate.prices.iter().collect(),
        }
    }

    fn title(&self) -> String {
        format!("{}/{}: {:.2} {} a month", self.basis.project, self.basis.environment, self.total, self.currency)
    }

    /// Stacks that cost something.
    fn costly(&self) -> impl Iterator<Item = &StackCost> {
        self.stacks.iter().filter(|stack| !stack.total.is_zero())
    }

    /// Resources that cost nothing, and those in whole without a price are none of them.
    fn free(&self) -> String {
        let resources = self.stacks.iter().flat_map(|stack| &stack.resources);
        let mut types: BTreeMap<&str, usize> = BTreeMap::new();
        for resource in resources.filter(|resource| matches!(resource.cost, Priced::Free(_))) {
            *types.entry(&resource.resource_type).or_default() += 1;
        }
        let count: usize = types.values().sum();
        let mut most: Vec<(&str, usize)> = types.into_iter().collect();
        most.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        let named: Vec<&str> = most.iter().take(3).map(|(name, _)| *name).collect();
        match count {
            0 => String::new(),
            _ => format!("{} cost nothing, {} among them.", text::count(count, "resource"), text::list(&named)),
        }
    }

    /// What the prices are worth.
    fn dates(&self) -> String {
        let dates: Vec<Date> = self.prices.iter().map(|price| price.date).collect();
        let (Some(first), Some(last)) = (dates.iter().min(), dates.iter().max()) else { return String::new() };
        let unread: Vec<&str> = {
            let of = self.prices.iter().filter(|price| price.basis > crate::cost::Basis::PricingPage);
            of.map(|price| price.key.as_str()).collect()
        };
        let days = if first == last { format!("of {first}") } else { format!("of {first} to {last}") };
        let doubt = match unread.len() {
            0 => String::new(),
            many => format!(" {many} of {} were not read in AWS's price list.", self.prices.len()),
        };
        format!("Prices {days}, {HOURS} hours a month, without free tiers and tax.{doubt}")
    }
}

impl View {
    pub fn cost(&self, document: &Document) -> Result<()> {
        match self.format {
            Format::Json => self.json(document),
            Format::Human => self.data(&human(document, self.verbose, self.terminal.width)),
            Format::Markdown => self.data(&markdown(document)),
        }
    }
}

/// A cell for each column of a line: what, quantity × price, amount.
struct Row {
    resource: String,
    what: String,
    quantity: String,
    price: String,
    amount: String,
}

fn rows(stack: &StackCost) -> Vec<Row> {
    let mut rows = Vec::new();
    for resource in &stack.resources {
        let Priced::Lines { lines, .. } = &resource.cost else { continue };
        for (index, line) in lines.iter().enumerate() {
            rows.push(Row {
                resource: if index == 0 { resource.logical_id.clone() } else { String::new() },
                what: line.what.clone(),
                quantity: line.quantity.to_string(),
                price: format!("{} {}", line.price.normalize(), line.unit),
                amount: format!("{:.2}", line.amount),
            });
        }
    }
    rows
}

fn human(document: &Document, verbose: bool, width: usize) -> String {
    let mut page = format!("{}\n", strong(&document.title()));
    for stack in document.costly() {
        let _ = writeln!(page, "\n{} ({}): {:.2}", strong(&stack.stack), stack.region, stack.total);
        let rows = rows(stack);
        let widest = |cell: fn(&Row) -> &str| rows.iter().map(|row| text::columns(cell(row))).max().unwrap_or(0);
        let widths = [widest(|row| &row.resource), widest(|row| &row.what), widest(|row| &row.quantity)];
        let prices = widest(|row| &row.price);
        // Indents, gaps, the sign of multiplication and the amount.
        if widths.iter().sum::<usize>() + prices + 2 + 2 + 2 + 3 + 2 + AMOUNT > width {
            rows.iter().for_each(|row| page += &in_two_lines(row, &widths, width));
            continue;
        }
        for row in &rows {
            let _ = writeln!(
                page,
                "  {}  {}  {:>quantity$} × {}  {:>8}",
                text::pad(&row.resource, widths[0]),
                text::pad(&row.what, widths[1]),
                row.quantity,
                text::pad(&row.price, prices),
                row.amount,
                quantity = widths[2],
            );
        }
    }
    page.push('\n');
    if !document.unknown.is_empty() {
        let _ = writeln!(page, "{}", strong("Not known, and in no sum"));
        for unknown in &document.unknown {
            let line = format!("{}.{}: {}: {}", unknown.stack, unknown.logical_id, unknown.what, unknown.why);
            let wrapped = text::wrap(&line, width.saturating_sub(4));
            let _ = writeln!(page, "  {}", wrapped.join("\n    "));
        }
        page.push('\n');
    }
    let _ = writeln!(page, "{}", strong("Assumed (`usage` in the environment's file says otherwise)"));
    let figures: Vec<String> = document.figures.iter().map(|figure| said(figure)).collect();
    for line in text::wrap(&format!("{}.", figures.join(", ")), width.saturating_sub(2)) {
        let _ = writeln!(page, "  {line}");
    }
    page.push('\n');
    for line in [document.free(), document.dates()].iter().flat_map(|line| text::wrap(line, width)) {
        let _ = writeln!(page, "{}", faint(&line));
    }
    if verbose {
        page.push('\n');
        for price in &document.prices {
            let _ = writeln!(page, "{}", faint(&source(price)));
        }
    }
    page
}

/// Columns for an amount.
const AMOUNT: usize = 8;

/// Resource, what of it and the amount; below, what that is made of.
fn in_two_lines(row: &Row, widths: &[usize; 3], width: usize) -> String {
    let room = width.saturating_sub(2 + AMOUNT + 2);
    let resource = text::pad(&row.resource, widths[0].min(room / 2));
    let head = text::cut(&format!("{resource}  {}", row.what), room);
    let made_of = text::wrap(&format!("{} × {}", row.quantity, row.price), width.saturating_sub(6));
    let made_of = made_of.iter().map(|line| format!("      {}\n", faint(line))).collect::<String>();
    format!("  {}  {:>AMOUNT$}\n{made_of}", text::pad(&head, room), row.amount)
}

/// `log_gb 2 GB`, and where that is the environment's word for one stack alone.
fn said(figure: &Figure) -> String {
    let of = figure.stack.as_ref().map(|stack| format!(" ({stack})")).unwrap_or_default();
    format!("{}{of} {} {}", figure.name, figure.value.normalize(), figure.unit)
}

fn source(price: &Price) -> String {
    format!("{} {} {}: {} ({}, {})", price.region, price.key, price.usd, price.source, price.date, basis(price))
}

fn basis(price: &Price) -> &'static str {
    match price.basis {
        crate::cost::Basis::PriceList => "price list",
        crate::cost::Basis::PricingPage => "pricing page",
        crate::cost::Basis::Knowledge => "remembered",
        crate::cost::Basis::Estimate => "estimate",
    }
}

fn markdown(document: &Document) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut page = format!("### {}\n", document.title());
    for stack in document.costly() {
        let _ = writeln!(page, "\n**{}** ({}): {:.2}\n", stack.stack, stack.region, stack.total);
        let _ = writeln!(page, "| resource | what | quantity | price, USD | amount, USD |\n|---|---|---:|---:|---:|");
        for Row { resource, what, quantity, price, amount } in rows(stack) {
            let _ =
                writeln!(page, "| {} | {} | {quantity} | {} | {amount} |", cell(&resource), cell(&what), cell(&price));
        }
    }
    if !document.unknown.is_empty() {
        let _ = writeln!(page, "\nNot known, and in no sum:\n");
        for unknown in &document.unknown {
            let _ = writeln!(page, "- `{}.{}`: {}: {}", unknown.stack, unknown.logical_id, unknown.what, unknown.why);
        }
    }
    let figures: Vec<String> = document.figures.iter().map(|figure| format!("`{}`", said(figure))).collect();
    let _ = writeln!(page, "\nAssumed: {}.\n\n{} {}", figures.join(", "), document.free(), document.dates());
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_in_two_lines_fits_a_narrow_terminal() {
        let row = Row {
            resource: "TheLoadBalancerOfTheStorefront".to_owned(),
            what: "capacity units, of those that count".to_owned(),
            quantity: "1095000.5".to_owned(),
            price: "0.000016667 million GB-seconds of whatever there is".to_owned(),
            amount: "12345.67".to_owned(),
        };
        for width in [40, 60, 80] {
            let page = text::plain(&in_two_lines(&row, &[30, 35, 9], width));
            assert!(page.lines().all(|line| text::columns(line) <= width), "{width}:\n{page}");
            assert!(page.contains("12345.67") && page.contains("1095000.5 ×"), "{page}");
        }
    }
}
