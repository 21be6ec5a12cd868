//! A build that failed: the line of the Dockerfile, and the whole log.

use super::Build;
use super::process::Ended;
use super::programs::{Builder, Found};
use crate::error::{Error, Kind};
use crate::files::reason;
use crate::problem::Problem;
use regex::Regex;
use std::path::Path;

/// Of a longer log the end is shown, where the reason stands.
const SHOWN_LINES: usize = 2_000;

pub(super) fn explain(build: &Build<'_>, found: &Found, log: &Path, ended: Ended) -> Error {
    let status = match ended {
        Ended::NotRun(error) => {
            let message = format!("{} could not be run: {}", found.builder, reason(&error));
            return Error::new(Kind::Other, message);
        }
        Ended::Badly(status) => status,
    };
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let message = format!("the image `{}` could not be built: {} ended with {status}", build.name, found.builder);
    let mut error = Error::new(Kind::Other, message);
    if let Some(at) = line(build, &lines).and_then(|line| build.context.dockerfile.location(line)) {
        let why = lines.iter().rev().find(|line| !line.trim().is_empty()).copied().unwrap_or_default();
        let problem = Problem::error("build-failed", "this instruction failed", Some(at));
        error.problems.push(problem.label(why.trim()));
    }
    if lines.len() > SHOWN_LINES {
        error = error.detail(format!("({} earlier lines are in {})", lines.len() - SHOWN_LINES, log.display()));
    }
    let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
    error.details.extend(shown.iter().map(|line| (*line).to_owned()));
    if found.builder == Builder::Docker && lines.iter().any(|line| line.contains(NO_OCI)) {
        return error.hint("make a builder that can: `docker buildx create --use --driver docker-container`");
    }
    error
}

/// BuildKit's words for a driver that cannot write an OCI layout (`docker` without the containerd image store).
const NO_OCI: &str = "OCI exporter is not supported for the docker driver";

/// The line of the Dockerfile that the log ends at. BuildKit says `Dockerfile:12`, Buildah and Podman repeat the
/// instruction: `STEP 3/5: RUN …`.
fn line(build: &Build<'_>, log: &[&str]) -> Option<usize> {
    let name = build.context.dockerfile_path.file_name()?.to_string_lossy();
    let place = Regex::new(&format!(r"^(?:.*/)?{}:(\d+)$", regex::escape(&name))).ok()?;
    let step = Regex::new(r"^(?:\[[^\]]*\] )?STEP \d+(?:/\d+)?: (.+)$").ok()?;
    log.iter().rev().find_map(|line| match place.captures(line.trim()) {
        Some(found) => found[1].parse().ok(),
        None => build.context.dockerfile.line_of(&step.captures(line)?[1]),
    })
}
