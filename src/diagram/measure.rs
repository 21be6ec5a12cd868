//! How wide a text gets. Fonts differ from viewer to viewer: widths are those of a wide one (DejaVu Sans), so that a text
//! fits its box in any.

/// Sizes of letters, in pixels.
pub(super) const TITLE: u32 = 18;
pub(super) const LABEL: u32 = 13;
pub(super) const SMALL: u32 = 11;

/// Bold letters are so much wider, in percent.
const BOLD: u32 = 114;

/// Pixels that a text takes, rounded up.
pub(super) fn width(text: &str, size: u32, bold: bool) -> i32 {
    let thousandths: u32 = text.chars().map(advance).sum();
    let weight = if bold { BOLD } else { 100 };
    i32::try_from((thousandths * size * weight).div_ceil(100_000)).unwrap_or(i32::MAX)
}

/// In thousandths of the letter's size.
fn advance(letter: char) -> u32 {
    match letter {
        'i' | 'j' | 'l' | '\'' | '|' => 300,
        ' ' | '.' | ',' | ':' | ';' | '!' | 'I' => 340,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' => 400,
        'm' | 'w' | 'W' | 'M' | '@' | '%' | '…' | '→' | '×' => 1000,
        'A'..='Z' => 760,
        '0'..='9' | '_' | '*' => 640,
        letter if letter.is_ascii() => 630,
        _ => 1000,
    }
}

/// Lines of at most so many pixels, broken at spaces; a word that is too long is cut.
pub(super) fn wrap(text: &str, size: u32, bold: bool, most: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = cut(word, size, bold, most);
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer {
            Some(longer) if width(&longer, size, bold) <= most => {
                lines.pop();
                lines.push(longer);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// At most so many pixels; `…` stands for what is missing.
pub(super) fn cut(text: &str, size: u32, bold: bool, most: i32) -> String {
    if width(text, size, bold) <= most {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        if width(&format!("{short}{letter}…"), size, bold) > most {
            break;
        }
        short.push(letter);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_within_their_width() {
        for line in wrap("a word and averyveryverylongwordthatfitsnowhere", 11, false, 90) {
            assert!(width(&line, 11, false) <= 90, "{line}");
        }
        assert_eq!(wrap("", 11, false, 90), Vec::<String>::new());
        assert_eq!(cut("short", 11, true, 200), "short");
        assert!(width("Wide", 13, true) > width("Wide", 13, false));
    }
}
