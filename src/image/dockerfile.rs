//! A Dockerfile, as far as a build is looked at from outside: its stages, what they start from, and the line of each
//! instruction. What an instruction means is the builder's matter.

use crate::document::listed;
use crate::problem::{Location, Position, Problem, SourceFile, Span, nearest};
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// A Dockerfile's instructions.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    file: Arc<SourceFile>,
    instructions: Vec<Instruction>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Instruction {
    /// In capitals.
    keyword: String,
    /// The rest, continued lines joined with a space.
    arguments: String,
    /// Counted from 1.
    line: usize,
}

/// `FROM image AS name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    pub name: Option<String>,
    /// With build arguments put in.
    pub base: String,
    /// Of the `FROM`, counted from 1.
    pub line: usize,
}

static HEREDOC: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"<<(-?)(["']?)([A-Za-z_][A-Za-z0-9_]*)"#).ok());
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::([-+])([^}]*))?\})").ok()
});

impl Dockerfile {
    pub fn parse(file: Arc<SourceFile>) -> Dockerfile {
        let escape = escape_of(&file.text);
        let mut instructions = Vec::new();
        let mut lines = file.text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let start = line.trim();
            if start.is_empty() || start.starts_with('#') {
                continue;
            }
            let mut text = String::new();
            let mut piece = start;
            while let Some(open) = piece.strip_suffix(escape) {
                text.push_str(open.trim_end());
                text.push(' ');
                // Comments and empty lines within an instruction are passed over.
                let next =
                    lines.by_ref().map(|(_, line)| line.trim()).find(|line| !line.is_empty() && !line.starts_with('#'));
                piece = next.unwrap_or_default();
            }
            text.push_str(piece);
            let (keyword, arguments) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
            let instruction = Instruction {
                keyword: keyword.to_ascii_uppercase(),
                arguments: arguments.trim().to_owned(),
                line: index + 1,
            };
            for end in heredocs(&instruction) {
                lines.by_ref().map(|(_, line)| line.trim_start_matches('\t')).find(|line| *line == end);
            }
            instructions.push(instruction);
        }
        Dockerfile { file, instructions }
    }

    /// The stages in their order. `arguments` are those of the build; defaults of the `ARG`s before the first `FROM` count
    /// where they say nothing.
    pub fn stages(&self, arguments: &BTreeMap<String, String>) -> Vec<Stage> {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        let mut stages = Vec::new();
        for instruction in &self.instructions {
            match instruction.keyword.as_str() {
                "ARG" if stages.is_empty() => {
                    for argument in instruction.arguments.split_whitespace() {
                        let (name, default) = argument.split_once('=').unwrap_or((argument, ""));
                        let default = expand(unquoted(default), &values);
                        let value = arguments.get(name).cloned().unwrap_or(default);
                        values.insert(name.to_owned(), value);
                    }
                }
                "FROM" => {
                    let words: Vec<&str> =
                        instruction.arguments.split_whitespace().filter(|word| !word.starts_with("--")).collect();
                    let name = match words[..] {
                        [_, word, name, ..] if word.eq_ignore_ascii_case("as") => Some(name.to_owned()),
                        _ => None,
                    };
                    let base = expand(unquoted(words.first().copied().unwrap_or_default()), &values);
                    stages.push(Stage { name, base, line: instruction.line });
                }
                _ => {}
            }
        }
        stages
    }

    /// What can be told to be wrong before a builder is asked: no stage at all, or no stage of the target's name.
    pub fn problem(&self, target: Option<&str>, arguments: &BTreeMap<String, String>) -> Option<Problem> {
        let stages = self.stages(arguments);
        if stages.is_empty() {
            let message = format!("{} has no FROM", self.file.name);
            return Some(Problem::error("no-stage", message, self.location(1)));
        }
        let target = target?;
        let number = target.parse::<usize>().is_ok_and(|number| number < stages.len());
        let names: Vec<&str> = stages.iter().filter_map(|stage| stage.name.as_deref()).collect();
        if number || names.iter().any(|name| name.eq_ignore_ascii_case(target)) {
            return None;
        }
        let message = format!("{} has no stage `{target}`", self.file.name);
        let last = stages.last().map_or(1, |stage| stage.line);
        let problem = Problem::error("unknown-stage", message, self.location(last));
        Some(match nearest(target, names.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `target: {near}`?")),
            None if names.is_empty() => problem.help("name a stage: `FROM … AS name`"),
            None => problem.help(format!("its stages are {}", listed(names))),
        })
    }

    /// The place of a line, counted from 1: its text without the indentation.
    pub fn location(&self, line: usize) -> Option<Location> {
        let text = self.file.text.lines().nth(line.checked_sub(1)?)?;
        let before: usize = self.file.text.split_inclusive('\n').take(line - 1).map(|line| line.chars().count()).sum();
        let indent = text.chars().take_while(|letter| letter.is_whitespace()).count();
        let length = text.trim().chars().count();
        let start = Position { line, column: indent + 1, offset: before + indent };
        let end = Position { column: start.column + length, offset: start.offset + length, ..start };
        Some(Location { file: self.file.clone(), span: Span { start, end } })
    }

    /// The line of an instruction that a builder repeats in its own spelling (`RUN pip install x`).
    pub fn line_of(&self, step: &str) -> Option<usize> {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<&str>>().join(" ");
        let step = plain(step);
        let (keyword, arguments) = step.split_once(' ').unwrap_or((&step, ""));
        let of_keyword =
            || self.instructions.iter().filter(|instruction| instruction.keyword.eq_ignore_ascii_case(keyword));
        let exact = of_keyword().find(|instruction| plain(&instruction.arguments) == arguments);
        // Builders put variables in: what stands before the first one must do.
        let near = || {
            of_keyword().find(|instruction| {
                let written = plain(&instruction.arguments);
                let fixed = written.split('$').next().unwrap_or_default();
                fixed.len() < written.len() && !fixed.trim().is_empty() && arguments.starts_with(fixed)
            })
        };
        exact.or_else(near).map(|instruction| instruction.line)
    }
}

/// `# escape=` among the directives at the top.
fn escape_of(text: &str) -> char {
    for line in text.lines() {
        let Some(directive) = line.trim().strip_prefix('#') else { break };
        let Some((key, value)) = directive.split_once('=') else { break };
        if key.trim().eq_ignore_ascii_case("escape") {
            return value.trim().chars().next().unwrap_or('\\');
        }
    }
    '\\'
}

/// The words that end the texts that follow the instruction.
fn heredocs(instruction: &Instruction) -> Vec<String> {
    if !matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    let Some(pattern) = HEREDOC.as_ref() else { return Vec::new() };
    pattern.captures_iter(&instruction.arguments).map(|found| found[3].to_owned()).collect()
}

fn unquoted(text: &str) -> &str {
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(text)
}

/// Puts in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`.
fn expand(text: &str, values: &BTreeMap<String, String>) -> String {
    let Some(pattern) = VARIABLE.as_ref() else { return text.to_owned() };
    let put_in = |found: &regex::Captures<'_>| {
        let name = found.get(1).or_else(|| found.get(2)).map_or("", |name| name.as_str());
        let value = values.get(name).filter(|value| !value.is_empty());
        let other = found.get(4).map_or("", |other| other.as_str());
        match (found.get(3).map(|sign| sign.as_str()), value) {
            (Some("+"), Some(_)) => other.to_owned(),
            (Some("+"), None) => String::new(),
            (Some(_), None) => other.to_owned(),
            (_, value) => value.cloned().unwrap_or_default(),
        }
    };
    pattern.replace_all(text, put_in).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dockerfile(text: &str) -> Dockerfile {
        Dockerfile::parse(Arc::new(SourceFile { name: "Dockerfile".to_owned(), text: text.to_owned() }))
    }

    const SAMPLE: &str = "# syntax=docker/dockerfile:1
ARG VERSION=3.13
ARG KIND=\"${VERSION}-slim\"
from --platform=$BUILDPLATFORM python:${KIND} as build
RUN pip install \\
    # a comment inside
    --require-hashes -r requirements.txt
RUN <<EOF
FROM nothing AS trap
EOF

FROM ${OTHER:-debian}:12
COPY --from=build /opt /opt
  USER $UID
";

    #[test]
    fn stages_and_their_bases() {
        let stages = |arguments: &[(&str, &str)]| {
            let arguments = arguments.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            dockerfile(SAMPLE).stages(&arguments)
        };
        let stage =
            |name: Option<&str>, base: &str, line| Stage { name: name.map(str::to_owned), base: base.to_owned(), line };
        let plain = [stage(Some("build"), "python:3.13-slim", 4), stage(None, "debian:12", 12)];
        assert_eq!(stages(&[]), plain);
        assert_eq!(stages(&[("VERSION", "3.12")])[0].base, "python:3.12-slim");
        assert_eq!(stages(&[("KIND", "alpine")])[0].base, "python:alpine");
    }

    #[test]
    fn targets_must_exist() {
        let file = dockerfile(SAMPLE);
        let problem = |target| file.problem(Some(target), &BTreeMap::new());
        assert_eq!(problem("build"), None);
        assert_eq!(problem("1"), None);
        assert_eq!(problem("biuld").unwrap().help.as_deref(), Some("did you mean `target: build`?"));
        assert!(problem("trap").is_some() && problem("2").is_some());
        assert_eq!(dockerfile("RUN x").problem(None, &BTreeMap::new()).unwrap().code, "no-stage");
    }

    #[test]
    fn a_step_of_the_log_leads_to_its_line() {
        let file = dockerfile(SAMPLE);
        assert_eq!(file.line_of("RUN pip install     --require-hashes -r requirements.txt"), Some(5));
        assert_eq!(file.line_of("COPY --from=build /opt /opt"), Some(13));
        assert_eq!(file.line_of("RUN rm -rf /"), None);
        let at = file.location(14).unwrap();
        assert_eq!((at.span.start.line, at.span.start.column, at.span.end.column), (14, 3, 12));
        assert_eq!(file.location(99), None);
    }
}
