//! The events of YAML's parser with their places, and its errors in words.

use super::parse::{ParseError, error};
use super::places::Places;
use super::{Position, Span};
use libyaml_safer::{Event, EventData, Parser, ScalarStyle};
use std::io::{Chain, Read};

pub(super) struct Events<'t> {
    parser: Parser<Chain<&'t [u8], &'static [u8]>>,
    text: &'t str,
    places: Places<'t>,
}

impl<'t> Events<'t> {
    pub(super) fn new(text: &'t str) -> Events<'t> {
        // The parser wants a line break after the last line of a block scalar.
        let closing: &[u8] = if text.ends_with(['\n', '\r']) { b"" } else { b"\n" };
        let mut parser = Parser::new();
        parser.set_input(text.as_bytes().chain(closing));
        Events { parser, text, places: Places::new(text) }
    }

    /// Returns the next event and its place.
    ///
    /// # Errors
    /// What is wrong with the text's syntax.
    pub(super) fn next(&mut self) -> Result<(EventData, Span), ParseError> {
        match self.parser.parse() {
            Ok(Event { mut data, start_mark, end_mark, .. }) => {
                if usize::try_from(end_mark.index).is_ok_and(|end| end > self.text.len()) {
                    self.without_added_break(&mut data);
                }
                let span = Span { start: self.position(start_mark), end: self.position(end_mark) };
                Ok((data, span))
            }
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// Takes the line break that was added to the text from the block scalar that it ended.
    fn without_added_break(&self, data: &mut EventData) {
        let EventData::Scalar { value, style: ScalarStyle::Literal | ScalarStyle::Folded, .. } = data else { return };
        let last_line = self.text.rsplit(['\n', '\r']).next().unwrap_or_default();
        // A last line of blanks is none of the scalar's, unless it keeps them all (`|+`).
        if !last_line.trim().is_empty() || value.ends_with("\n\n") {
            value.truncate(value.strip_suffix('\n').unwrap_or(value).len());
        }
    }

    fn position(&self, mark: libyaml_safer::Mark) -> Position {
        self.places.position(usize::try_from(mark.index).unwrap_or(usize::MAX))
    }

    /// The parser's error with its place, and the place of what it was about.
    fn broken(&self, broken: &libyaml_safer::Error) -> ParseError {
        let at = |position: Position| Span { start: position, end: position };
        let Some(mark) = broken.problem_mark() else {
            // Of characters that no YAML may have, the parser says no more than that there are some.
            let byte = self.text.char_indices().find(|(_, c)| !is_printable(*c)).map_or(0, |(byte, _)| byte);
            return error(broken.problem(), at(self.places.position(byte)));
        };
        let rest = self.text.get(usize::try_from(mark.index).unwrap_or(usize::MAX)..);
        let message = match rest.and_then(|rest| rest.chars().next()) {
            Some('\t') if broken.problem().contains("cannot start any token") => {
                "a tab stands here; indent with spaces".to_owned()
            }
            Some(c) if broken.problem().contains("cannot start any token") => {
                format!("a value cannot start with `{c}`; put it in quotes")
            }
            _ => match broken.context() {
                Some(context) => format!("{} {context}", broken.problem()),
                None => broken.problem().to_owned(),
            },
        };
        // A text or a bracket that never ends is best shown where it begins.
        if broken.problem().contains("end of stream")
            && let Some(begin) = broken.context_mark()
        {
            return error(&message, at(self.position(begin)));
        }
        let here = self.position(mark);
        let begin = broken.context_mark().map(|context| self.position(context)).filter(|begin| begin.line != here.line);
        let related = begin.map(|begin| ("it starts here".to_owned(), at(begin)));
        ParseError { related, ..error(&message, at(here)) }
    }
}

/// Characters that YAML allows in a text.
fn is_printable(c: char) -> bool {
    !(c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') || matches!(c, '\u{fffe}' | '\u{ffff}'))
}
