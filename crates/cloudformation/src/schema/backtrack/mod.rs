//! A small backtracking matcher for the registry's patterns.
//!
//! An automaton unrolls counted repetitions, and the registry counts to thousands (`^[\w.-]{1,2048}$`): compiling one
//! such pattern takes longer than validating a template. Here a repetition is a loop, reading a pattern costs as much
//! as its text is long, and most matches are one pass over a short value. What this matcher cannot read or would try
//! for too long it leaves to the automaton: [`Program::matches`] says `None`.

mod read;

use read::Reader;

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
        Reader::new(pattern).pattern().map(|root| Program { root })
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
