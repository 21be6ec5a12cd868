//! From bytes of a text to characters of it.

use super::Position;

/// Bytes from one remembered character count to the next.
const STEP: usize = 256;

/// Positions in one text. Lines end with a line feed, as editors count them; YAML 1.1 knows more line breaks.
pub(super) struct Places<'t> {
    text: &'t str,
    /// Characters that start before each [`STEP`]th byte; empty for ASCII.
    characters: Vec<usize>,
    /// The first byte of each line but the first.
    lines: Vec<usize>,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut characters = Vec::new();
        if !text.is_ascii() {
            let mut count = 0;
            for bytes in text.as_bytes().chunks(STEP) {
                characters.push(count);
                count += starts(bytes);
            }
        }
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Places { text, characters, lines: breaks.map(|(at, _)| at + 1).collect() }
    }

    /// Characters before a byte of the text; beyond the end, all of them.
    fn characters(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        let Some(last) = self.characters.len().checked_sub(1) else { return byte };
        let step = (byte / STEP).min(last);
        self.characters[step] + starts(&self.text.as_bytes()[step * STEP..byte])
    }

    /// The position of a byte of the text.
    pub(super) fn position(&self, byte: usize) -> Position {
        let byte = byte.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).map_or(0, |above| self.lines[above]);
        let offset = self.characters(byte);
        Position { line: line + 1, column: offset - self.characters(start) + 1, offset }
    }
}

/// How many characters start among these bytes of UTF-8.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_from_any_byte() {
        let text = "é😀a\n".repeat(300);
        let places = Places::new(&text);
        assert_eq!(places.position(0), Position { line: 1, column: 1, offset: 0 });
        for (count, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(places.characters(byte), count, "byte {byte}");
        }
        assert_eq!(places.characters(text.len() + 9), text.chars().count());
        assert_eq!(places.position(text.len() - 1), Position { line: 300, column: 4, offset: 1199 });
    }
}
