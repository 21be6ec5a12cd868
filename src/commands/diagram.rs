//! `infra diagram`: an environment as a picture, from its files alone.

use super::planning;
use super::session::Session;
use crate::diagram::{self, Scene};
use crate::error::{Error, Kind, Result};
use crate::inventory;
use crate::model::{Environment, RenderedStack, sensitive::hide};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Draw an environment: networks, services and the way of a request
///
/// From the rendered templates, before anything exists: regions, VPCs with their subnets and zones, security groups,
/// services, and numbered arrows from the browser to the data. SVG needs nothing to be looked at; Mermaid is drawn by GitHub
/// and many wikis, Graphviz's language by `dot`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write this file; its name ends in .svg, .mmd (Mermaid) or .dot (Graphviz). Without it Mermaid goes to stdout
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

/// The languages of pictures, by how a file's name ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Svg,
    Mermaid,
    Dot,
}

impl Language {
    /// # Errors
    /// Wrong usage where the name says none.
    pub fn of(path: &Path) -> Result<Language, Error> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => Ok(Language::Svg),
            Some("mmd" | "mermaid") => Ok(Language::Mermaid),
            Some("dot" | "gv") => Ok(Language::Dot),
            _ => Err(Error::new(Kind::Usage, format!("{} is no name of a picture", path.display()))
                .hint("let it end in .svg, .mmd or .dot")),
        }
    }

    pub fn write(self, scene: &Scene) -> String {
        match self {
            Language::Svg => diagram::svg(scene),
            Language::Mermaid => diagram::mermaid(scene),
            Language::Dot => diagram::dot(scene),
        }
    }
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let language = args.out.as_deref().map(Language::of).transpose()?;
    let (environment, stacks) = planning::wanted(session)?;
    let scene = scene(&environment, &stacks);
    match (&args.out, language) {
        (Some(path), Some(language)) => save(path, &language.write(&scene))?,
        _ => session.view.mermaid(&Language::Mermaid.write(&scene))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The picture of an environment.
pub fn scene(environment: &Environment, stacks: &[RenderedStack]) -> Scene {
    let title = format!("{}/{} in {}", environment.project, environment.name, environment.region);
    diagram::derive(&title, &environment.region, &inventory::of_stacks(stacks))
}

pub fn save(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, hide(text).as_bytes()).with_context(|| format!("cannot write the picture {}", path.display()))
}
