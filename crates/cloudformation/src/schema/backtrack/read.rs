//! From a pattern's text to its nodes.

use super::{Item, Node, Set, is_word, point};
use std::iter::Peekable;
use std::str::Chars;

/// What is left of a pattern's text.
pub(super) struct Reader<'p> {
    rest: Peekable<Chars<'p>>,
}

impl<'p> Reader<'p> {
    pub fn new(pattern: &'p str) -> Self {
        Reader { rest: pattern.chars().peekable() }
    }

    /// The whole pattern, or `None` if it uses more than is known here.
    pub fn pattern(mut self) -> Option<Node> {
        let root = self.alternatives(0)?;
        self.rest.peek().is_none().then_some(root)
    }

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
