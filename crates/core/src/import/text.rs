//! Text of unknown origin, made fit to be stored without losing what it was.

use crate::chat::body::without_nul;

/// Text as it is shown, and its original bytes where those could not be kept as they were.
///
/// Rust's strings hold no lone surrogates and no broken UTF-8, and neither JSON tools nor Postgres
/// hold U+0000. What is shown has a readable character in their place; `raw` has the bytes as they
/// stood in the file (a lone surrogate in the three bytes that UTF-8 would give it).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text {
    /// Valid Unicode without U+0000.
    pub shown: String,
    /// The original bytes, where they are not those of `shown`.
    pub raw: Option<Vec<u8>>,
}

impl Text {
    /// Bytes as they were found: UTF-8, but for what is not.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        if !bytes.contains(&0) {
            match String::from_utf8(bytes) {
                Ok(shown) => return Self { shown, raw: None },
                Err(error) => {
                    let bytes = error.into_bytes();
                    return Self { shown: readable(&bytes), raw: Some(bytes) };
                }
            }
        }
        Self { shown: readable(&bytes), raw: Some(bytes) }
    }

    /// The original bytes.
    pub fn bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.shown.as_bytes())
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Puts another text behind this one.
    pub fn push(&mut self, other: &Self) {
        if self.raw.is_some() || other.raw.is_some() {
            let mut raw = self.bytes().to_vec();
            raw.extend_from_slice(other.bytes());
            self.raw = Some(raw);
        }
        self.shown.push_str(&other.shown);
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from_bytes(text.into_bytes())
    }
}

/// What stands in a file that was written in the Windows code page 1252, byte by byte, from 0x80 on.
const CP1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A readable form: U+2400 for U+0000, U+FFFD for half a character, and what else is no UTF-8 as the
/// code page 1252 has it, which is what old programs on Windows wrote.
fn readable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (valid, broken) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, 0),
            Err(error) => {
                let (valid, _) = rest.split_at(error.valid_up_to());
                let valid = std::str::from_utf8(valid).unwrap_or_default();
                (valid, if is_surrogate(&rest[valid.len()..]) { 3 } else { 1 })
            }
        };
        shown.push_str(&without_nul(valid));
        if broken == 3 {
            shown.push('\u{fffd}');
        } else if broken == 1 {
            shown.push(of_cp1252(rest[valid.len()]));
        }
        rest = &rest[valid.len() + broken..];
    }
    shown
}

fn is_surrogate(bytes: &[u8]) -> bool {
    matches!(bytes, [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..])
}

fn of_cp1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => CP1252[usize::from(byte) - 0x80],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_kept_is_kept_as_it_is() {
        for text in
            ["", " leading, trailing \r\n", "e\u{301} 🌊 \u{202e}", "\u{1}\u{7f}\u{85}\u{ffff}"]
        {
            let kept = Text::from(text);
            assert_eq!((kept.shown.as_str(), kept.raw), (text, None));
        }
    }

    #[test]
    fn what_cannot_be_kept_is_shown_readably_and_its_bytes_come_back() {
        let table: [(&[u8], &str); 4] = [
            (b"a\0b", "a\u{2400}b"),
            (b"caf\xe9 \x93quoted\x94 \xb5g", "café “quoted” µg"),
            (b"half \xed\xa0\xbd end", "half \u{fffd} end"),
            (b"cut \xf0\x9f", "cut ðŸ"),
        ];
        for (bytes, shown) in table {
            let text = Text::from_bytes(bytes.to_vec());
            assert_eq!(text.shown, shown);
            assert_eq!(text.bytes(), bytes);
        }
    }

    #[test]
    fn texts_that_are_joined_keep_their_bytes() {
        let mut text = Text::from("a");
        text.push(&Text::from_bytes(b"\xff".to_vec()));
        text.push(&Text::from("b"));
        assert_eq!((text.shown.as_str(), text.bytes()), ("aÿb", b"a\xffb".as_slice()));
    }
}
