//! What the parser says about a text that is no YAML, with what most often lies behind it.

use super::tree::place;
use crate::problem::{Problem, SourceFile};
use cloudformation::source::ParseError;
use std::sync::Arc;

/// A parser's error as a problem.
pub fn syntax(error: ParseError, file: &Arc<SourceFile>) -> Problem {
    let code = if error.doubled_key { "duplicate-key" } else { "syntax" };
    let help = syntax_help(&error.message);
    let mut problem = Problem::error(code, error.message, Some(place(file, error.span)));
    problem.help = help.map(str::to_owned);
    if let Some((label, span)) = error.related {
        problem = problem.related(place(file, span), label);
    }
    problem
}

/// What most often lies behind the parser's words.
fn syntax_help(message: &str) -> Option<&'static str> {
    let known = [
        ("tab", "YAML is indented with spaces, never with tabs"),
        ("mapping values are not allowed", "text with `: ` in it is written in quotes"),
        ("quoted scalar", "is the closing quote missing, or a quote within the text not escaped?"),
        ("there is no anchor", "text that starts with `*` is written in quotes"),
        ("scanning an alias", "text that starts with `*` is written in quotes"),
        ("scanning an anchor", "text that starts with `&` is written in quotes"),
        ("flow sequence", "is a `]` or a comma missing?"),
        ("flow mapping", "is a `}` or a comma missing?"),
        ("block sequence entries are not allowed", "a list starts on a line of its own, below its key"),
        ("could not find expected ':'", "is a `:` missing behind a key, or is this line indented too little?"),
        ("did not find expected", "is this line indented like its neighbours?"),
        ("a second document", "an environment file has one document: take the line `---` away"),
    ];
    known.iter().find(|(part, _)| message.contains(part)).map(|(_, help)| *help)
}
