//! `infra outputs`: what the stacks give to others, as the last apply left it.

use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::model::State;
use crate::problem::nearest;
use crate::view::table::Table;
use cloudformation::sensitive::HIDDEN;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Show the outputs of the stacks
///
/// Values come from the state, as the last apply left them; what gives a secret away shows as `(sensitive)`. With one NAME
/// only its value is printed, for scripts.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this output; `stack.Name` where more than one stack has it
    name: Option<String>,

    /// Only this stack's outputs
    #[arg(long, value_name = "STACK", add = super::completions::stacks())]
    stack: Option<String>,
}

type Outputs = BTreeMap<String, BTreeMap<String, String>>;

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let state = session.read(async |events| {
        let account = session.connect(&environment, events).await?;
        Ok(account.store.read().await?.map(|snapshot| snapshot.state))
    })?;
    let outputs = outputs(state.as_ref(), args.stack.as_deref())?;
    if let Some(name) = &args.name {
        let value = one(&outputs, name)?;
        if value == HIDDEN {
            return Err(withheld(name).into());
        }
        session.view.raw(format!("{value}\n").as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(["stack", "output", "value"], "No outputs.");
    for (stack, outputs) in &outputs {
        for (name, value) in outputs {
            table.row([stack.clone(), name.clone(), value.clone()]);
        }
    }
    session.view.table(&table, &outputs)?;
    Ok(ExitCode::SUCCESS)
}

/// A script would take the words for the value.
fn withheld(name: &str) -> Error {
    Error::new(Kind::Other, format!("the output `{name}` is sensitive, and infra prints no secrets"))
        .detail("the state does not have its value either")
        .hint("read it where it is kept; for what a stack gives: aws cloudformation describe-stacks --stack-name NAME")
}

fn outputs(state: Option<&State>, stack: Option<&str>) -> Result<Outputs> {
    let all: Outputs = state
        .map(|state| state.stacks.iter().map(|(name, record)| (name.clone(), record.outputs.clone())).collect())
        .unwrap_or_default();
    let Some(stack) = stack else { return Ok(all) };
    match all.get(stack) {
        Some(outputs) => Ok(BTreeMap::from([(stack.to_owned(), outputs.clone())])),
        None => Err(unknown(Error::new(Kind::Usage, format!("the state has no stack `{stack}`")), stack, all.keys())),
    }
}

fn one<'a>(outputs: &'a Outputs, name: &str) -> Result<&'a str> {
    let (stack, key) = match name.split_once('.') {
        Some((stack, key)) => (Some(stack), key),
        None => (None, name),
    };
    let named = |candidate: &&String| stack.is_none_or(|stack| stack == *candidate);
    let found: Vec<(&String, &String)> = outputs
        .iter()
        .filter(|(stack, _)| named(stack))
        .filter_map(|(stack, outputs)| Some((stack, outputs.get(key)?)))
        .collect();
    match found[..] {
        [(_, value)] => Ok(value),
        [] => {
            let names = outputs.iter().flat_map(|(stack, outputs)| outputs.keys().map(move |key| (stack, key)));
            let full: Vec<String> = match stack {
                Some(_) => names.map(|(stack, key)| format!("{stack}.{key}")).collect(),
                None => names.map(|(_, key)| key.clone()).collect(),
            };
            Err(unknown(Error::new(Kind::Usage, format!("there is no output `{name}`")), name, full.iter()))
        }
        _ => {
            let stacks: Vec<String> = found.iter().map(|(stack, _)| format!("{stack}.{key}")).collect();
            Err(Error::new(Kind::Usage, format!("more than one stack has an output `{key}`"))
                .hint(format!("say which: {}", stacks.join(", ")))
                .into())
        }
    }
}

fn unknown<'a>(error: Error, name: &str, candidates: impl Iterator<Item = &'a String>) -> anyhow::Error {
    let candidates: Vec<&str> = candidates.map(String::as_str).collect();
    match nearest(name, candidates.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")).into(),
        None if candidates.is_empty() => error.detail("nothing was applied yet").into(),
        None => error.detail(format!("there are: {}", candidates.join(", "))).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Outputs {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        BTreeMap::from([
            ("network".to_owned(), of(&[("VpcId", "vpc-1"), ("Arn", "n")])),
            ("data".to_owned(), of(&[("TableName", "items"), ("Arn", "d")])),
        ])
    }

    #[test]
    fn an_output_is_found_by_its_name() {
        let outputs = sample();
        assert_eq!(one(&outputs, "VpcId").unwrap(), "vpc-1");
        assert_eq!(one(&outputs, "data.Arn").unwrap(), "d");
    }

    #[test]
    fn what_is_not_found_is_explained() {
        let outputs = sample();
        let text = |name: &str| {
            let error = one(&outputs, name).unwrap_err();
            let error = crate::error::find(&error).unwrap();
            format!("{error}; {}{}", error.details.join(" "), error.hints.join(" "))
        };
        assert_eq!(text("Arn"), "more than one stack has an output `Arn`; say which: data.Arn, network.Arn");
        assert_eq!(text("VpcID2"), "there is no output `VpcID2`; did you mean `VpcId`?");
        assert_eq!(text("dat.TableName"), "there is no output `dat.TableName`; did you mean `data.TableName`?");
    }
}
