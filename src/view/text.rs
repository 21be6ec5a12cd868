//! Small things about text: width in columns, wrapping, cutting, lists, durations. Escape codes take no columns.

use super::style::{FAINT, STRONG, paint};
use std::borrow::Cow;
use std::time::Duration;

pub fn strong(text: &str) -> String {
    paint(STRONG, text)
}

pub fn faint(text: &str) -> String {
    paint(FAINT, text)
}

/// The text without escape codes.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Columns that the text takes on a terminal.
pub fn columns(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The text, filled with spaces up to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// At most `width` columns of an unstyled text, the last one `…` where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    console::truncate_str(text, width.max(1), "…").into_owned()
}

/// Lines of at most `width` columns, broken at spaces; a longer word has a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if columns(line) + 1 + columns(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Breaks lines between words where they are too wide; what goes on is indented as its line is, by two columns at least.
pub fn hang(text: &str, width: usize) -> String {
    let one = |line: &str| {
        if columns(line) <= width {
            return line.to_owned();
        }
        let words = line.trim_start();
        let indent = line.len() - words.len();
        let hanging = indent.max(2);
        let broken = wrap(words, width.saturating_sub(hanging)).join(&format!("\n{}", " ".repeat(hanging)));
        format!("{}{broken}", " ".repeat(indent))
    };
    text.lines().map(one).collect::<Vec<_>>().join("\n")
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [many @ .., last] => {
            let many: Vec<&str> = many.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", many.join(", "), last.as_ref())
        }
    }
}

/// `12s`, `3m 05s`, `2h 14m`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, _) => format!("{h}h {m:02}m"),
    }
}

/// How long something took: `0.4s`, then as [`duration`].
pub fn took(seconds: f64) -> String {
    if seconds < 9.95 { format!("{:.1}s", seconds.max(0.0)) } else { duration(Duration::from_secs_f64(seconds)) }
}

/// `1 stack`, `2 stacks`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// The text as it is read: what would hide or turn around what stands beside it (control characters, marks of writing
/// direction, characters without width) as its number, `\u{202e}`. Line breaks, tabs and colours stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(hides) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let style = style_length(rest);
        if style > 0 {
            shown.push_str(&rest[..style]);
            rest = &rest[style..];
        } else if let Some(hidden) = rest.chars().next() {
            shown.extend(hidden.escape_unicode());
            rest = &rest[hidden.len_utf8()..];
        }
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Whether a character is not seen by itself, or changes how others are seen (Unicode, "Bidirectional Algorithm", 2; general
/// categories Cc and Cf).
fn hides(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// How many bytes of the text are an escape code that chooses a colour; 0 where it begins with anything else.
fn style_length(text: &str) -> usize {
    let Some(codes) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = codes.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    if codes[digits..].starts_with('m') { "\u{1b}[".len() + digits + 1 } else { 0 }
}

/// A line for Markdown in which nothing is live: no link, picture, mention, HTML or emphasis. What stands in backticks stays
/// code.
pub fn inert(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let balanced = parts.len() % 2 == 1;
    let mut line = String::with_capacity(text.len() + 16);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            line.push_str(if balanced { "`" } else { "&#96;" });
        }
        let code = balanced && index % 2 == 1;
        for (offset, c) in part.char_indices() {
            match c {
                '\n' | '\r' => line.push(' '),
                c if code => line.push(c),
                '&' => line.push_str("&amp;"),
                '<' => line.push_str("&lt;"),
                '>' => line.push_str("&gt;"),
                // A link begins with `://` or `www.` even without brackets.
                '/' if part[..offset].ends_with([':', '/']) => line.push_str("&#47;"),
                '.' if part[..offset].to_ascii_lowercase().ends_with("www") => line.push_str("&#46;"),
                // Within a word it is no emphasis.
                '_' if is_within_word(part, offset) => line.push(c),
                '@' | '[' | ']' | '*' | '_' | '~' | '|' | '\\' => line.push_str(&format!("&#{};", u32::from(c))),
                c => line.push(c),
            }
        }
    }
    line
}

fn is_within_word(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    before && text[at + 1..].chars().next().is_some_and(char::is_alphanumeric)
}

/// A Markdown block of code that nothing in `text` can end.
pub fn fenced(text: &str, language: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// A principal in a table: what its ARN says after the account, without the kind: `Deploy/alice` of an assumed role.
/// What is no ARN stays as it is.
pub fn principal(arn: &str) -> &str {
    let Some(name) = arn.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4)) else { return arn };
    ["assumed-role/", "user/", "federated-user/"].iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_seen() {
        assert_eq!(visible("plain ü\n\tü"), "plain ü\n\tü");
        assert_eq!(visible("a\u{202e}b\u{2066}c\u{200d}d\u{feff}"), "a\\u{202e}b\\u{2066}c\\u{200d}d\\u{feff}");
        assert_eq!(visible("\u{1b}[1;31mred\u{1b}[0m"), "\u{1b}[1;31mred\u{1b}[0m");
        assert_eq!(visible("\u{1b}]0;title\u{7}\u{1b}[2J\r"), "\\u{1b}]0;title\\u{7}\\u{1b}[2J\\u{d}");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn nothing_is_live_in_a_line_for_markdown() {
        let text =
            "see [here](https://evil.example) or <https://evil.example>, www.evil.example, @team ![x](y) *b* _i_";
        assert_eq!(
            inert(text),
            "see &#91;here&#93;(https:&#47;&#47;evil.example) or &lt;https:&#47;&#47;evil.example&gt;, www&#46;evil.example, \
             &#64;team !&#91;x&#93;(y) &#42;b&#42; &#95;i&#95;"
        );
        assert_eq!(inert("`a_b[0]` and a_b _c"), "`a_b[0]` and a_b &#95;c");
        assert_eq!(inert("one ` [x](y)"), "one &#96; &#91;x&#93;(y)");
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a verylongword b", 4), ["a", "verylongword", "b"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn wide_lines_hang() {
        assert_eq!(hang("api: one two three\nfits", 12), "api: one\n  two three\nfits");
        assert_eq!(hang("    one two three", 12), "    one two\n    three");
    }

    #[test]
    fn columns_ignore_escape_codes_and_know_wide_letters() {
        assert_eq!(columns(&strong("abc")), 3);
        assert_eq!(columns("環境"), 4);
        assert_eq!(cut("環境です", 5), "環境…");
    }

    #[test]
    fn durations() {
        let of = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!([took(0.42), took(-1.0), took(9.96)], ["0.4s", "0.0s", "9s"]);
        assert_eq!([of(7), of(185), of(8040)], ["7s", "3m 05s", "2h 14m"]);
    }

    #[test]
    fn lists() {
        assert_eq!([list::<&str>(&[]), list(&["a"]), list(&["a", "b", "c"])], ["", "a", "a, b and c"]);
    }

    #[test]
    fn principals() {
        assert_eq!(principal("arn:aws:sts::111122223333:assumed-role/Deploy/alice"), "Deploy/alice");
        assert_eq!(principal("arn:aws:iam::111122223333:user/alice"), "alice");
        assert_eq!(principal("arn:aws:iam::111122223333:root"), "root");
        assert_eq!(principal("alice"), "alice");
    }
}
