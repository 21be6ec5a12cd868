//! `infra docs`: reference texts, generated from what they describe.

use super::session::Session;
use crate::catalog::{Catalog, TemplateDescription};
use crate::cli;
use crate::error::{Error, Kind, Result};
use crate::problem::nearest;
use crate::view::reference;
use clap::Subcommand;
use std::process::ExitCode;

/// Print reference documentation
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    topic: Topic,
}

#[derive(Debug, Subcommand)]
enum Topic {
    /// The templates that environments can use: all of them, or one with its inputs, needs and outputs
    Templates {
        /// One template
        #[arg(add = super::completions::templates())]
        name: Option<String>,
    },
    /// Every command and option, as Markdown
    Cli,
    /// The manual page, in roff
    Man,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    match args.topic {
        Topic::Templates { name } => templates(name.as_deref(), session)?,
        Topic::Cli => session.view.raw(reference::markdown(&cli::tree()).as_bytes())?,
        Topic::Man => session.view.raw(&reference::man(cli::tree())?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn templates(name: Option<&str>, session: &Session) -> Result<()> {
    let templates = Catalog::open(&session.project).describe().map_err(Error::problems)?;
    match name {
        None => session.view.template_list(&templates),
        Some(name) => session.view.template(one(&templates, name)?),
    }
}

fn one<'a>(templates: &'a [TemplateDescription], name: &str) -> Result<&'a TemplateDescription> {
    templates.iter().find(|template| template.name == name).ok_or_else(|| {
        let error = Error::new(Kind::Usage, format!("there is no template `{name}`"));
        let names = || templates.iter().map(|template| template.name.as_str());
        match nearest(name, names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")).into(),
            None => error.detail(format!("there are {}", names().collect::<Vec<_>>().join(", "))).into(),
        }
    })
}
