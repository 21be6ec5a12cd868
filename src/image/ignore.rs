//! `.dockerignore`: which files of a folder are part of a build context, as Docker and BuildKit decide it
//! (moby/patternmatcher; Docker's documentation, "Build context", ".dockerignore files").
//!
//! It looks like `.gitignore` and is not: patterns begin at the context's root, `*` matches names with a dot, a later
//! pattern wins, and `!` brings back a file even from an excluded folder.

use regex::Regex;

/// The patterns of a `.dockerignore`, in their order.
#[derive(Debug, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    matcher: Matcher,
    /// `!`: what it matches is part of the context after all.
    brings_back: bool,
}

#[derive(Debug)]
enum Matcher {
    Exact(String),
    /// `docs/**`: all that begins with `docs/`.
    Prefix(String),
    /// `**/name`, `**.pyc`: all that ends so.
    Suffix(String),
    Regex(Regex),
}

/// A pattern that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPattern {
    /// Counted from 1.
    pub line: usize,
    pub pattern: String,
}

impl Ignore {
    /// # Errors
    /// A pattern that Docker would refuse, too.
    pub fn parse(text: &str) -> Result<Ignore, BadPattern> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let bad = || BadPattern { line: index + 1, pattern: line.trim().to_owned() };
            let (brings_back, pattern) = match line.trim().strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line.trim()),
            };
            if pattern.is_empty() {
                return Err(bad());
            }
            let pattern = clean(pattern);
            patterns.push(Pattern { matcher: Matcher::of(&pattern).ok_or_else(bad)?, brings_back });
        }
        Ok(Ignore { patterns })
    }

    /// Whether the path (relative to the context, with `/`) is left out. Patterns are asked in their order, and the last
    /// one that matches the path, or a folder above it, decides.
    pub fn excludes(&self, path: &str) -> bool {
        let mut excluded = false;
        for pattern in &self.patterns {
            // A pattern that would say what holds already need not be asked.
            if pattern.brings_back == excluded && pattern.matches_or_above(path) {
                excluded = !pattern.brings_back;
            }
        }
        excluded
    }

    /// Whether something below an excluded folder may be part of the context all the same.
    pub fn brings_back(&self) -> bool {
        self.patterns.iter().any(|pattern| pattern.brings_back)
    }
}

impl Pattern {
    fn matches_or_above(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(end, _)| &path[..end]);
        self.matcher.matches(path) || above.into_iter().any(|folder| self.matcher.matches(folder))
    }
}

impl Matcher {
    fn matches(&self, path: &str) -> bool {
        match self {
            Matcher::Exact(name) => path == name,
            Matcher::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Matcher::Suffix(suffix) => path.ends_with(suffix.as_str()) || suffix.strip_prefix('/') == Some(path),
            Matcher::Regex(regex) => regex.is_match(path),
        }
    }

    /// None for what is no pattern: a bracket that does not close, a backslash at the end.
    fn of(pattern: &str) -> Option<Matcher> {
        let mut kind = Kind::Exact;
        let mut regex = String::from("^");
        let mut rest = pattern.chars().peekable();
        let mut first = true;
        let mut within_class = false;
        while let Some(letter) = rest.next() {
            match letter {
                '*' if rest.peek() == Some(&'*') => {
                    rest.next();
                    rest.next_if_eq(&'/');
                    match (rest.peek().is_none(), kind) {
                        (true, Kind::Exact) => kind = Kind::Prefix,
                        (true, _) => {
                            regex.push_str(".*");
                            kind = Kind::Regex;
                        }
                        (false, _) => {
                            regex.push_str("(.*/)?");
                            kind = Kind::Regex;
                        }
                    }
                    if first {
                        kind = Kind::Suffix;
                    }
                }
                '*' => {
                    regex.push_str("[^/]*");
                    kind = Kind::Regex;
                }
                '?' => {
                    regex.push_str("[^/]");
                    kind = Kind::Regex;
                }
                '\\' => {
                    regex.push_str(&regex::escape(&rest.next()?.to_string()));
                    kind = Kind::Regex;
                }
                '[' if !within_class => {
                    regex.push('[');
                    within_class = true;
                    kind = Kind::Regex;
                }
                ']' if within_class => {
                    regex.push(']');
                    within_class = false;
                }
                // What separates the parts of a class in Go and in Rust alike.
                '^' | '-' if within_class => regex.push(letter),
                _ => regex.push_str(&regex::escape(&letter.to_string())),
            }
            first = false;
        }
        Some(match kind {
            Kind::Exact => Matcher::Exact(pattern.to_owned()),
            Kind::Prefix => Matcher::Prefix(pattern.strip_suffix("**")?.to_owned()),
            Kind::Suffix => Matcher::Suffix(pattern.strip_prefix("**")?.to_owned()),
            Kind::Regex => Matcher::Regex(Regex::new(&format!("{regex}$")).ok()?),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Regex,
}

/// The path without `.`, `..`, double and outer slashes (Go's `filepath.Clean`, then a leading `/` dropped).
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // Nothing is above the root.
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    match (parts.is_empty(), path.starts_with('/')) {
        (true, true) => "/".to_owned(),
        (true, false) => ".".to_owned(),
        (false, _) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &str, excluded: &[&str], kept: &[&str]) {
        let ignore = Ignore::parse(patterns).unwrap();
        for path in excluded {
            assert!(ignore.excludes(path), "{patterns:?} should exclude {path}");
        }
        for path in kept {
            assert!(!ignore.excludes(path), "{patterns:?} should keep {path}");
        }
    }

    // The cases of Docker's documentation, and of moby/patternmatcher's own tests where they tell apart what is easily
    // taken for the same.
    #[test]
    fn patterns_begin_at_the_root() {
        check("temp", &["temp", "temp/a", "temp/b/c"], &["a/temp", "temporary"]);
        check("/temp", &["temp"], &["a/temp"]);
        check("./temp/", &["temp"], &["a/temp"]);
        check("a/../b", &["b"], &["a"]);
        check("*/temp*", &["somedir/temporary.txt", "somedir/temp", "somedir/temp/x"], &["temp", "a/b/temp"]);
        check("*/*/temp*", &["a/b/temporary"], &["a/temp"]);
        check("temp?", &["tempa", "tempb/x"], &["temp", "temp/a", "tempab"]);
        check("*.md", &["README.md", ".md"], &["docs/README.md"]);
        check("*", &["a", ".git", "a/b"], &[]);
    }

    #[test]
    fn two_stars_match_any_number_of_folders() {
        check("**", &["a", "a/b"], &[]);
        check("**/*.go", &["a.go", "a/b/c.go"], &["a.got"]);
        check("**/node_modules", &["node_modules", "a/node_modules/x"], &["node_modules2", "xnode_modules2"]);
        check("**/foo/bar", &["foo/bar", "a/foo/bar"], &["foo", "bar"]);
        check("docs/**", &["docs/a", "docs/a/b"], &["docs", "a/docs/b"]);
        check("a/**/z", &["a/z", "a/b/c/z"], &["z", "a/b"]);
        check("a/**/*.txt", &["a/x.txt", "a/b/x.txt"], &["x.txt"]);
        // Docker takes all that ends so, not only whole names.
        check("**file", &["file", "a/file", "a/myfile"], &["files"]);
        check("*/**", &["a/b", "a/b/c"], &["a"]);
    }

    #[test]
    fn the_last_match_decides() {
        check("*.md\n!README.md", &["a.md"], &["README.md"]);
        check("*.md\n!README*.md\nREADME-secret.md", &["README-secret.md"], &["README.md"]);
        check("*.md\nREADME-secret.md\n!README*.md", &[], &["README-secret.md"]);
        check("!README.md\n*.md", &["README.md"], &[]);
        check("*\n!src", &["a", "srcs"], &["src", "src/a/b"]);
        check("dir\n!dir/keep", &["dir", "dir/a"], &["dir/keep", "dir/keep/x"]);
        check("**/*.pyc\n! src/x.pyc ", &["a.pyc"], &["src/x.pyc"]);
    }

    #[test]
    fn signs_of_regular_expressions_mean_themselves() {
        check("a.b+(c)|{d}$", &["a.b+(c)|{d}$"], &["axb+(c)|{d}$"]);
        check("*.c++", &["x.c++"], &["x.ccc"]);
        check("[a-c]x", &["ax", "cx"], &["dx", "-x"]);
        check("[^a]x", &["bx"], &["ax"]);
        check("[a&&b]x", &["&x", "ax"], &["cx"]);
        check("\\*x", &["*x"], &["ax"]);
        check("a\\?b", &["a?b"], &["axb"]);
    }

    #[test]
    fn comments_empty_lines_and_line_ends() {
        let ignore = Ignore::parse("\u{FEFF}# comment\r\n\r\n  a  \r\n #b\r\n").unwrap();
        assert!(ignore.excludes("a"));
        // Only a line that begins with the sign is a comment.
        assert!(ignore.excludes("#b"));
        assert!(!ignore.excludes("# comment"));
        assert!(!Ignore::default().excludes("a"));
    }

    #[test]
    fn wrong_patterns_say_their_line() {
        for (text, line) in [("a\n!", 2), ("[a", 1), ("\n\nx\\", 3), ("[]", 1)] {
            assert_eq!(Ignore::parse(text).unwrap_err().line, line, "{text:?}");
        }
    }
}
