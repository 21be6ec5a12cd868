//! A small backtracking matcher for the registry's patterns.
//!
//! An automaton unrolls counted repetitions, and the registry counts to thousands (`^[\w.-]{1,2048}$`): compiling one
//! such pattern takes longer than validating a template. Here a repetition is a loop, reading a pattern costs as much
//! as its text is long, and most matches are one pass over a short value. What this matcher cannot read or would try
//! for too long it leaves to the automaton: [`Program::matches`] says `None`.

use std::iter::Peekable;
use std::str::Chars;

/// Tries before a match is given up: well over what honest patterns need on honest values.
const MOST_STEPS: usize = 100_000;
/// Repetitions of a group inside each other.
const DEEPEST: usize = 400;

/// A pattern that has been read.
#[derive(Debug)]
pub struct Program {
    root: Node,
}

#[derive(Debug)]
enum Node {
    Set(Set),
    Start,
    End,
    Boundary(bool),
    All(Vec<Node>),
    Any(Vec<Node>),
    Repeat { node: Box<Node>, least: u32, most: u32, greedy: bool },
    Look { ahead: bool, wanted: bool, node: Box<Node> },
}

/// A set of characters.
#[derive(Debug, Clone)]
struct Set {
    negated: bool,
    items: Vec<Item>,
}

#[derive(Debug, Clone)]
enum Item {
    /// Code points; patterns for UTF-16 name halves of pairs, which are no characters.
    Range(u32, u32),
    Kind(fn(char) -> bool, bool),
    Set(Set),
}

impl Set {
    fn one(character: char) -> Self {
        Set { negated: false, items: vec![point(character)] }
    }

    fn contains(&self, character: char) -> bool {
        let within = self.items.iter().any(|item| match item {
            Item::Range(first, last) => (*first..=*last).contains(&u32::from(character)),
            Item::Kind(kind, negated) => kind(character) != *negated,
            Item::Set(set) => set.contains(character),
        });
        within != self.negated
    }
}

impl Program {
    /// Reads a pattern; `None` when it uses more than is known here (back references, flags, rare classes).
    pub fn new(pattern: &str) -> Option<Program> {
        let mut reader = Reader { rest: pattern.chars().peekable() };
        let root = reader.alternatives(0)?;
        reader.rest.peek().is_none().then_some(Program { root })
    }

    /// Whether the pattern is found anywhere in `value`; `None` when that takes too long to say.
    pub fn matches(&self, value: &str) -> Option<bool> {
        let text: Vec<char> = value.chars().collect();
        let mut run = Run { text: &text, steps: 0, gave_up: false };
        let anchored = starts_anchored(&self.root);
        let found = (0..=text.len())
            .take(if anchored { 1 } else { usize::MAX })
            .any(|start| !run.gave_up && run.node(&self.root, start, 0, &mut |_, _| true));
        (!run.gave_up).then_some(found)
    }
}

fn starts_anchored(node: &Node) -> bool {
    match node {
        Node::Start => true,
        Node::All(nodes) => nodes.first().is_some_and(starts_anchored),
        Node::Any(nodes) => nodes.iter().all(starts_anchored),
        _ => false,
    }
}

struct Run<'t> {
    text: &'t [char],
    steps: usize,
    gave_up: bool,
}

type Then<'c, 't> = dyn FnMut(&mut Run<'t>, usize) -> bool + 'c;

impl<'t> Run<'t> {
    /// Matches `node` at `at`, then what follows; `depth` counts groups that are being repeated.
    fn node(&mut self, node: &Node, at: usize, depth: usize, then: &mut Then<'_, 't>) -> bool {
        self.steps += 1;
        if self.steps > MOST_STEPS || depth > DEEPEST {
            self.gave_up = true;
        }
        if self.gave_up {
            return false;
        }
        match node {
            Node::Set(set) => self.text.get(at).is_some_and(|character| set.contains(*character)) && then(self, at + 1),
            Node::Start => at == 0 && then(self, at),
            Node::End => at == self.text.len() && then(self, at),
            Node::Boundary(wanted) => {
                let word = |at: Option<usize>| at.and_then(|at| self.text.get(at)).is_some_and(|it| is_word(*it));
                (word(at.checked_sub(1)) != word(Some(at))) == *wanted && then(self, at)
            }
            Node::All(nodes) => self.all(nodes, at, depth, then),
            Node::Any(nodes) => nodes.iter().any(|node| self.node(node, at, depth, then)),
            Node::Repeat { node, least, most, greedy } => match node.as_ref() {
                Node::Set(set) => self.repeat_set(set, at, (*least, *most), *greedy, then),
                node => self.repeat(node, at, (*least, *most), *greedy, depth, then),
            },
            Node::Look { ahead, wanted, node } => {
                let found = match ahead {
                    true => self.node(node, at, depth, &mut |_, _| true),
                    false => (0..=at).any(|start| self.node(node, start, depth, &mut |_, end| end == at)),
                };
                !self.gave_up && found == *wanted && then(self, at)
            }
        }
    }

    fn all(&mut self, nodes: &[Node], at: usize, depth: usize, then: &mut Then<'_, 't>) -> bool {
        match nodes.split_first() {
            None => then(self, at),
            Some((first, [])) => self.node(first, at, depth, then),
            Some((first, rest)) => self.node(first, at, depth, &mut |run, at| run.all(rest, at, depth, then)),
        }
    }

    fn repeat_set(
        &mut self,
        set: &Set,
        at: usize,
        (least, most): (u32, u32),
        greedy: bool,
        then: &mut Then<'_, 't>,
    ) -> bool {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let least = usize::try_from(least).unwrap_or(usize::MAX);
        let fits = self.text[at..].iter().take(most).take_while(|character| set.contains(**character)).count();
        if fits < least {
            return false;
        }
        let mut goes_on = |run: &mut Self, count: usize| {
            run.steps += 1;
            run.gave_up |= run.steps > MOST_STEPS;
            !run.gave_up && then(run, at + count)
        };
        match greedy {
            true => (least..=fits).rev().any(|count| goes_on(self, count)),
            false => (least..=fits).any(|count| goes_on(self, count)),
        }
    }

    fn repeat(
        &mut self,
        node: &Node,
        at: usize,
        (least, most): (u32, u32),
        greedy: bool,
        depth: usize,
        then: &mut Then<'_, 't>,
    ) -> bool {
        if !greedy && least == 0 && then(self, at) {
            return true;
        }
        let once_more = most > 0
            && self.node(node, at, depth + 1, &mut |run, next| {
                // A group that matched nothing would match nothing forever.
                (next > at || least > 0)
                    && run.repeat(
                        node,
                        next,
                        (least.saturating_sub(1), if most == u32::MAX { most } else { most - 1 }),
                        greedy,
                        depth + 1,
                        then,
                    )
            });
        once_more || (greedy && least == 0 && !self.gave_up && then(self, at))
    }
}

struct Reader<'p> {
    rest: Peekable<Chars<'p>>,
}

impl Reader<'_> {
    fn alternatives(&mut self, depth: usize) -> Option<Node> {
        if depth > 64 {
            return None;
        }
        let mut branches = vec![self.sequence(depth)?];
        while self.rest.next_if_eq(&'|').is_some() {
            branches.push(self.sequence(depth)?);
        }
        let single = branches.iter().map(|node| if let Node::Set(set) = node { Some(set.clone()) } else { None });
        // Alternatives of one character each are one set: they repeat without going back.
        match single.collect::<Option<Vec<Set>>>() {
            Some(mut sets) if sets.len() == 1 => sets.pop().map(Node::Set),
            Some(sets) => Some(Node::Set(Set { negated: false, items: sets.into_iter().map(Item::Set).collect() })),
            None if branches.len() == 1 => branches.pop(),
            None => Some(Node::Any(branches)),
        }
    }

    fn sequence(&mut self, depth: usize) -> Option<Node> {
        let mut nodes = Vec::new();
        while let Some(next) = self.rest.peek() {
            if matches!(next, '|' | ')') {
                break;
            }
            let node = self.atom(depth)?;
            nodes.push(self.quantified(node)?);
        }
        match nodes.len() {
            1 => nodes.pop(),
            _ => Some(Node::All(nodes)),
        }
    }

    fn atom(&mut self, depth: usize) -> Option<Node> {
        match self.rest.next()? {
            '^' => Some(Node::Start),
            '$' => Some(Node::End),
            '.' => Some(Node::Set(Set { negated: true, items: vec![point('\n')] })),
            '[' => self.set().map(Node::Set),
            '(' => self.group(depth),
            '\\' => self.escape(),
            '*' | '+' | '?' => None,
            character => Some(Node::Set(Set::one(character))),
        }
    }

    fn group(&mut self, depth: usize) -> Option<Node> {
        let mut look = None;
        if self.rest.next_if_eq(&'?').is_some() {
            match (self.rest.next()?, self.rest.peek().copied()) {
                (':', _) => {}
                ('=', _) => look = Some((true, true)),
                ('!', _) => look = Some((true, false)),
                ('<', Some(kind @ ('=' | '!'))) => {
                    self.rest.next();
                    look = Some((false, kind == '='));
                }
                _ => return None,
            }
        }
        let inner = self.alternatives(depth + 1)?;
        self.rest.next_if_eq(&')')?;
        Some(match look {
            None => inner,
            Some((ahead, wanted)) => Node::Look { ahead, wanted, node: Box::new(inner) },
        })
    }

    fn quantified(&mut self, node: Node) -> Option<Node> {
        let (least, most) = match self.rest.peek() {
            Some('*') => (0, u32::MAX),
            Some('+') => (1, u32::MAX),
            Some('?') => (0, 1),
            Some('{') => match self.counts() {
                Some(counts) => counts,
                // `{` that counts nothing is a character: the next atom.
                None => return Some(node),
            },
            _ => return Some(node),
        };
        // The sign itself, or the closing brace.
        self.rest.next();
        let greedy = self.rest.next_if_eq(&'?').is_none();
        // Possessive and doubled quantifiers are left to others.
        if matches!(self.rest.peek(), Some('*' | '+' | '?' | '{')) {
            return None;
        }
        (least <= most).then(|| Node::Repeat { node: Box::new(node), least, most, greedy })
    }

    /// Reads `{2,5` up to the closing brace, or nothing at all.
    fn counts(&mut self) -> Option<(u32, u32)> {
        let mut ahead = self.rest.clone();
        ahead.next();
        let number = |ahead: &mut Peekable<Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = ahead.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits
        };
        let least = number(&mut ahead);
        let most = match ahead.next_if_eq(&',') {
            None => least.clone(),
            Some(_) => number(&mut ahead),
        };
        ahead.peek().filter(|next| **next == '}')?;
        let least = least.parse().ok()?;
        let most = if most.is_empty() { u32::MAX } else { most.parse().ok()? };
        self.rest = ahead;
        Some((least, most))
    }

    fn set(&mut self) -> Option<Set> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut items = Vec::new();
        // Right at the start a bracket is a member, as it is to Java and Python.
        if self.rest.next_if_eq(&']').is_some() {
            items.push(point(']'));
        }
        loop {
            let first = match self.rest.next()? {
                ']' => return Some(Set { negated, items }),
                '\\' => match self.class_escape()? {
                    Item::Range(one, _) => one,
                    other => {
                        items.push(other);
                        continue;
                    }
                },
                character => u32::from(character),
            };
            let mut ahead = self.rest.clone();
            let range = ahead.next() == Some('-') && ahead.peek().is_some_and(|next| *next != ']');
            if !range {
                items.push(Item::Range(first, first));
                continue;
            }
            self.rest = ahead;
            match self.rest.next()? {
                '\\' => match self.class_escape()? {
                    Item::Range(last, _) if first <= last => items.push(Item::Range(first, last)),
                    Item::Range(..) => return None,
                    // `[a-\w]`: no range, but three members.
                    other => items.extend([Item::Range(first, first), point('-'), other]),
                },
                last if first <= u32::from(last) => items.push(Item::Range(first, last.into())),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<Node> {
        match self.rest.peek()? {
            'b' | 'B' => Some(Node::Boundary(self.rest.next() == Some('b'))),
            'A' => self.rest.next().map(|_| Node::Start),
            'Z' | 'z' => self.rest.next().map(|_| Node::End),
            '1'..='9' => None,
            _ => {
                let item = self.class_escape()?;
                Some(Node::Set(Set { negated: false, items: vec![item] }))
            }
        }
    }

    /// What follows a backslash, as a member of a set.
    fn class_escape(&mut self) -> Option<Item> {
        let one = |character: char| Some(point(character));
        match self.rest.next()? {
            // A set of its own: as a range it could start another one.
            'd' => Some(Item::Set(Set { negated: false, items: vec![Item::Range('0' as u32, '9' as u32)] })),
            'D' => Some(Item::Set(Set { negated: true, items: vec![Item::Range('0' as u32, '9' as u32)] })),
            'w' => Some(Item::Kind(is_word, false)),
            'W' => Some(Item::Kind(is_word, true)),
            's' => Some(Item::Kind(char::is_whitespace, false)),
            'S' => Some(Item::Kind(char::is_whitespace, true)),
            'p' => self.property().map(|kind| Item::Kind(kind, false)),
            'P' => self.property().map(|kind| Item::Kind(kind, true)),
            'n' => one('\n'),
            'r' => one('\r'),
            't' => one('\t'),
            'f' => one('\u{c}'),
            'v' => one('\u{b}'),
            '0' => one('\0'),
            'x' => self.code(2),
            'u' => self.utf16(),
            other => one(other),
        }
    }

    fn code(&mut self, digits: usize) -> Option<Item> {
        let code = self.hex(digits)?;
        Some(Item::Range(code, code))
    }

    /// `XXXX` after `\u`, and the second half of a pair if one follows.
    fn utf16(&mut self) -> Option<Item> {
        let first = self.hex(4)?;
        let mut ahead = Reader { rest: self.rest.clone() };
        let second =
            (ahead.rest.next() == Some('\\') && ahead.rest.next() == Some('u')).then(|| ahead.hex(4)).flatten();
        let code = match second {
            Some(second @ 0xDC00..=0xDFFF) if (0xD800..=0xDBFF).contains(&first) => {
                self.rest = ahead.rest;
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            _ => first,
        };
        Some(Item::Range(code, code))
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text: String = (0..digits).map_while(|_| self.rest.next_if(char::is_ascii_hexdigit)).collect();
        u32::from_str_radix(&text, 16).ok().filter(|_| text.len() == digits)
    }

    fn property(&mut self) -> Option<fn(char) -> bool> {
        self.rest.next_if_eq(&'{')?;
        let mut name = String::new();
        while let Some(character) = self.rest.next_if(|next| *next != '}') {
            name.push(character);
        }
        self.rest.next()?;
        match name.as_str() {
            "L" | "IsAlphabetic" | "Alpha" => Some(char::is_alphabetic),
            "Lu" => Some(char::is_uppercase),
            "Ll" => Some(char::is_lowercase),
            "N" | "Nd" => Some(char::is_numeric),
            "Z" | "Zs" => Some(|character| character.is_whitespace() && !character.is_control()),
            "C" | "Cc" | "Cntrl" => Some(char::is_control),
            // Taken loosely beyond ASCII: nothing that is right is refused.
            "P" | "S" | "M" => Some(|character| {
                character.is_ascii_punctuation() || !(character.is_ascii() || character.is_alphanumeric())
            }),
            _ => None,
        }
    }
}

fn point(character: char) -> Item {
    Item::Range(character.into(), character.into())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(pattern: &str, value: &str) -> Option<bool> {
        Program::new(pattern).and_then(|program| program.matches(value))
    }

    #[test]
    fn patterns_and_values() {
        let cases = [
            ("", "x", true),
            ("a|bc", "xbcx", true),
            ("^a|b$", "xb", true),
            ("^(?:a|b)$", "ab", false),
            ("^[^a-c]+$", "xyz", true),
            ("^[^a-c]+$", "xyb", false),
            ("^[\\w.-]{1,2048}$", "a.b-c_d", true),
            ("^[\\w.-]{1,3}$", "abcd", false),
            ("^(ab){2,3}$", "ababab", true),
            ("^(ab){2,3}$", "ab", false),
            ("^(?!aws:).+$", "aws:x", false),
            ("^.*(?<!-)$", "a-", false),
            ("^.*(?<!-)$", "a-b", true),
            ("^a{,2}$", "a{,2}", true),
            ("^a.?b$", "a\nb", false),
            ("^[]a]$", "]", true),
            ("^\\bfoo\\b", "foo-bar", true),
            ("^[a-\\d]+$", "a-5", true),
            ("^\\$\\{x\\}$", "${x}", true),
            ("^(a+)+$", "aaaaaaaaaaaaaaaa", true),
            ("^(|a)+$", "aaa", true),
            ("^a+?b*?$", "aab", true),
        ];
        for (pattern, value, expected) in cases {
            assert_eq!(found(pattern, value), Some(expected), "{pattern} {value:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_left_to_others() {
        for pattern in ["(a)\\1", "(?i)a", "a**", "a{2}{3}+", "(", "[a", "a)", "*", "\\p{Greek}", "[z-a]"] {
            assert!(Program::new(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn evil_patterns_are_given_up() {
        assert_eq!(found("^(a+)+$", &("a".repeat(40) + "b")), None);
        assert_eq!(found("^(a|aa)+$", &("a".repeat(60) + "b")), None);
        assert_eq!(found("^(ab)*$", &"ab".repeat(50_000)), None);
        assert_eq!(found("^[ab]*$", &"ab".repeat(50_000)), Some(true));
    }

    proptest! {
        /// The automaton and this matcher agree wherever both can read the pattern.
        #[test]
        fn agrees_with_an_automaton(
            pattern in "\\^?([ab.]|\\[\\^?[a-c]{1,2}\\]|\\([ab]\\|?b?\\))([*+?]|\\{1,2\\}|\\{2\\})?([ab]|\\(ab?\\))?[*+?]?\\$?",
            value in "[abc]{0,8}",
        ) {
            if let (Some(program), Ok(regex)) = (Program::new(&pattern), fancy_regex::Regex::new(&pattern)) {
                prop_assert_eq!(program.matches(&value), regex.is_match(&value).ok(), "{} {}", pattern, value);
            }
        }
    }
}
