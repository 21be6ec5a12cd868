//! Problems in files, drawn as the best compilers do: what is wrong, the place, the line with the place underlined,
//! other places that belong to it, and what to do.

use crate::model::sensitive::hide;
use crate::problem::{Location, Problem, Severity, SourceFile};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use cloudformation::sensitive::HIDDEN;
use cloudformation::sensitive::text::{hide_settings, secrets_of_settings};
use serde_json::{Value, json};
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

/// So many problems are drawn; the rest is counted.
const MOST: usize = 20;

/// Source lines are cut to fit, but never to less than this.
const NARROWEST: usize = 80;

/// The problems for people, with colours, errors first; without a line break at the end.
pub fn text(problems: &[Problem], width: usize) -> String {
    let renderer = Renderer::styled().term_width(width.max(NARROWEST));
    let (errors, warnings): (Vec<&Problem>, Vec<&Problem>) = problems.iter().partition(|problem| problem.is_error());
    let mut text = String::new();
    for problem in errors.iter().chain(&warnings).take(MOST) {
        let _ = writeln!(text, "{}\n", draw(problem, &renderer));
    }
    if problems.len() > MOST {
        let _ = writeln!(text, "… and {} more", problems.len() - MOST);
    }
    text.truncate(text.trim_end().len());
    text
}

/// One problem for programs.
pub fn json(problem: &Problem) -> Value {
    let related = |(at, label): &(Location, String)| {
        let mut related = place(at);
        related["label"] = json!(label);
        related
    };
    let [message, label, help] = shown(problem);
    json!({
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "code": problem.code,
        "message": message,
        "label": label,
        "at": problem.at.as_ref().map(place),
        "related": problem.related.iter().map(related).collect::<Vec<Value>>(),
        "help": problem.help.as_ref().map(|_| help),
    })
}

/// Message, label and help, without the secret that the problem may be about.
fn shown(problem: &Problem) -> [String; 3] {
    let mut texts = [problem.message.clone(), problem.label.clone(), problem.help.clone().unwrap_or_default()];
    let secrets = problem.at.iter().flat_map(|at| secrets_of_settings(line_of(&at.file.text, at)));
    for secret in secrets {
        for text in &mut texts {
            for quote in ['`', '"', '\''] {
                *text = text.replace(&format!("{quote}{secret}{quote}"), &format!("{quote}{HIDDEN}{quote}"));
            }
        }
    }
    texts.map(|text| hide(&text).into_owned())
}

/// The line on which a place begins.
fn line_of<'t>(text: &'t str, at: &Location) -> &'t str {
    text.lines().nth(at.span.start.line.saturating_sub(1)).unwrap_or_default()
}

/// Lines and columns start at 1 and count characters; the end is behind the last character.
fn place(at: &Location) -> Value {
    json!({
        "file": at.file.name,
        "line": at.span.start.line,
        "column": at.span.start.column,
        "end_line": at.span.end.line,
        "end_column": at.span.end.column,
    })
}

fn draw(problem: &Problem, renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let [message, label, help] = shown(problem);
    let mut group = Group::with_title(level.primary_title(message));
    if let Some(at) = &problem.at {
        let marks: Vec<Mark<'_>> = std::iter::once(Mark { at, label: &label, primary: true })
            .chain(problem.related.iter().map(|(at, label)| Mark { at, label, primary: false }))
            .collect();
        let mut files: Vec<&Arc<SourceFile>> = Vec::new();
        for mark in &marks {
            if !files.iter().any(|file| Arc::ptr_eq(file, &mark.at.file)) {
                files.push(&mark.at.file);
            }
        }
        for file in files {
            let here: Vec<&Mark<'_>> = marks.iter().filter(|mark| Arc::ptr_eq(file, &mark.at.file)).collect();
            group = group.element(snippet(file, &here));
        }
    }
    if !help.is_empty() {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

struct Mark<'p> {
    at: &'p Location,
    label: &'p str,
    primary: bool,
}

/// The lines of a file that the marks stand on.
fn snippet<'p>(file: &'p SourceFile, marks: &[&Mark<'p>]) -> Snippet<'p, annotate_snippets::Annotation<'p>> {
    let ranges: Vec<Range<usize>> = marks.iter().map(|mark| first_line(&file.text, mark.at)).collect();
    let first = ranges.iter().map(|range| range.start).min().unwrap_or_default();
    let last = ranges.iter().map(|range| range.end).max().unwrap_or_default();
    let start = file.text[..first].rfind('\n').map_or(0, |at| at + 1);
    let end = file.text[last..].find('\n').map_or(file.text.len(), |at| last + at);
    // Carriage returns would be drawn as such at the end of every line of a file from Windows.
    let written = file.text[start..end].replace('\r', " ");
    let drawn = without_secrets(&written);
    let annotations = marks.iter().zip(ranges).map(|(mark, range)| {
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(moved(range.start - start..range.end - start, &written, &drawn));
        if mark.label.is_empty() { annotation } else { annotation.label(mark.label) }
    });
    Snippet::source(drawn.clone())
        .path(file.name.as_str())
        .line_start(file.text[..start].matches('\n').count() + 1)
        .annotations(annotations)
}

fn without_secrets(lines: &str) -> String {
    hide(&hide_settings(lines)).into_owned()
}

/// Where a place is once secrets are hidden on its line. Lines stay lines: none of what is hidden goes over several.
fn moved(range: Range<usize>, before: &str, after: &str) -> Range<usize> {
    if before == after {
        return range;
    }
    let mut at = (0, 0);
    for (old, new) in before.split_inclusive('\n').zip(after.split_inclusive('\n')) {
        if range.start < at.0 + old.len() || at.0 + old.len() == before.len() {
            let head: usize = old
                .chars()
                .zip(new.chars())
                .take_while(|(one, other)| one == other)
                .map(|(one, _)| one.len_utf8())
                .sum();
            let backwards = old.chars().rev().zip(new.chars().rev());
            let tail: usize = backwards.take_while(|(one, other)| one == other).map(|(one, _)| one.len_utf8()).sum();
            let tail = tail.min(old.len().min(new.len()) - head);
            let to = |offset: usize, ends: bool| match offset {
                offset if offset <= head => offset,
                offset if offset >= old.len() - tail => new.len() - (old.len() - offset),
                _ if ends => new.len() - tail,
                _ => head,
            };
            let start = to(range.start - at.0, false);
            let end = to(range.end.min(at.0 + old.len()) - at.0, true).max(start);
            return at.1 + start..at.1 + end;
        }
        at = (at.0 + old.len(), at.1 + new.len());
    }
    let end = after.len();
    range.start.min(end)..range.end.min(end)
}

/// The bytes of a place, as far as its first line goes: a map of thirty lines is shown by its first.
fn first_line(text: &str, at: &Location) -> Range<usize> {
    let byte = |offset: usize| text.char_indices().nth(offset).map_or(text.len(), |(byte, _)| byte);
    let start = byte(at.span.start.offset);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
    let end = byte(at.span.end.offset.max(at.span.start.offset)).min(line_end);
    let visible = quoted(&text[start..end]).unwrap_or(&text[start..end]).trim_end().len();
    match text[start..line_end].chars().next() {
        Some(first) if visible == 0 => start..start + first.len_utf8(),
        _ => start..start + visible,
    }
}

/// The quoted text that this one starts with, without what follows: a comment may.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let closes = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped && quote == '"';
        closes
    })?;
    let rest = &text[end.0 + 1..];
    rest.trim_start().starts_with('#').then(|| &text[..=end.0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Position, Span};

    fn file(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile { name: "environments/dev.yaml".to_owned(), text: text.to_owned() })
    }

    /// The place of `needle`'s first occurrence.
    fn at(file: &Arc<SourceFile>, needle: &str) -> Location {
        let start = file.text.find(needle).expect("the needle is there");
        let position = |byte: usize| {
            let before = &file.text[..byte];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
            Position { line, column, offset: before.chars().count() }
        };
        Location { file: file.clone(), span: Span { start: position(start), end: position(start + needle.len()) } }
    }

    fn drawn(problems: &[Problem]) -> String {
        anstream::adapter::strip_str(&text(problems, 80)).to_string()
    }

    #[test]
    fn a_problem_with_related_places_in_two_files() {
        let base = file("project: x\nstacks:\n  network: {}\n");
        let base = Arc::new(SourceFile { name: "environments/base.yaml".to_owned(), text: base.text.clone() });
        let dev = file("extends: base\nregion: us-east-1\n\n\n\nstacks:\n  netwrok: null\n");
        let problem = Problem::error("x", "the stack `netwrok` is null", Some(at(&dev, "netwrok")))
            .label("nothing to remove")
            .related(at(&dev, "base"), "this file extends `base`")
            .related(at(&base, "network"), "a stack of a similar name")
            .help("did you mean `network`?");
        insta::assert_snapshot!(drawn(&[problem]));
    }

    #[test]
    fn a_secret_on_the_line_is_not_drawn() {
        let dev = file("stacks:\n  db:\n    inputs: {password: hunter2, size: wrong}\n    token: 'canary one'\n");
        let size = Problem::error("x", "`wrong` is no integer", Some(at(&dev, "wrong"))).label("here");
        let token =
            Problem::error("x", "`canary one` is no integer", Some(at(&dev, "'canary one'"))).help("not `canary one`");
        let drawn = drawn(&[size, token.clone()]);
        assert!(!drawn.contains("hunter2") && !drawn.contains("canary"), "{drawn}");
        insta::assert_snapshot!(drawn);
        assert!(!json(&token).to_string().contains("canary"), "{}", json(&token));
    }

    #[test]
    fn tabs_wide_characters_and_long_lines() {
        let tabs = file("a:\t日本語のテキスト: wrong # ü\n");
        let long = file(&format!("key: [{}, wrong, {}]\n", "a".repeat(200), "b".repeat(200)));
        let escape = file("a: \u{1b}[31mred\n");
        let problem = |file: &Arc<SourceFile>, needle: &str| {
            Problem::error("x", format!("`{needle}` is wrong"), Some(at(file, needle))).label("here")
        };
        insta::assert_snapshot!(drawn(&[problem(&tabs, "wrong"), problem(&long, "wrong"), problem(&escape, "red")]));
    }

    #[test]
    fn places_at_the_edges() {
        let empty = file("");
        let nowhere = Location { file: empty, span: Span::default() };
        let crlf = file("a: 1\r\nbad: 2\r\n");
        let map = file("stacks:\n  a:\n    b: 1\n    c: 2\nend: 1\n");
        let end = file("a: [1,\n");
        let whole_map = {
            let (first, last) = (at(&map, "b: 1"), at(&map, "c: 2"));
            Location { file: map.clone(), span: Span { start: first.span.start, end: last.span.end } }
        };
        let after = Position { line: 2, column: 1, offset: 7 };
        insta::assert_snapshot!(drawn(&[
            Problem::error("x", "the file is empty", Some(nowhere)).label("here"),
            Problem::warning("x", "a warning comes last", Some(at(&crlf, "bad"))).label("here"),
            Problem::error("x", "a map is shown by its first line", Some(whole_map)).label("this map"),
            Problem::error(
                "x",
                "the end of a text",
                Some(Location { file: end, span: Span { start: after, end: after } })
            )
            .label("here"),
            Problem::error("x", "nowhere at all \u{1b}[31m", None).help("do something"),
        ]));
    }

    #[test]
    fn many_problems_are_counted() {
        let problems: Vec<Problem> =
            (0..MOST + 12).map(|n| Problem::error("x", format!("problem {n}"), None)).collect();
        let drawn = drawn(&problems);
        assert!(drawn.contains("error: problem 19\n") && !drawn.contains("error: problem 20\n"), "{drawn}");
        assert!(drawn.ends_with("… and 12 more"), "{drawn}");
    }

    #[test]
    fn json_has_the_whole_place() {
        let file = file("a: wrong\n");
        let problem = Problem::error("wrong-value", "no", Some(at(&file, "wrong"))).related(at(&file, "a"), "key");
        let place = |column, end_column| json!({"file": "environments/dev.yaml", "line": 1, "column": column, "end_line": 1, "end_column": end_column});
        let mut related = place(1, 2);
        related["label"] = json!("key");
        let expected = json!({
            "severity": "error", "code": "wrong-value", "message": "no", "label": "", "at": place(4, 9),
            "related": [related], "help": null,
        });
        assert_eq!(json(&problem), expected);
    }
}
