//! Bytes as UTF-8, whatever the file was saved as.

use std::io::{Read, Result};

/// Reads a file as UTF-8: byte-order marks are dropped, UTF-16 of either order is translated. What is
/// neither stays as it is; half characters of UTF-16 keep the bytes that UTF-8 would give them.
#[derive(Debug)]
pub struct Decoded<R> {
    inner: R,
    form: Form,
    /// Translated and not yet handed out.
    ready: Vec<u8>,
    given: usize,
    /// A unit, or a character, whose rest has not come.
    held: Vec<u8>,
    is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    Utf8,
    Utf16 { big: bool },
}

impl<R: Read> Decoded<R> {
    /// Over a file from its beginning.
    pub fn new(inner: R) -> Self {
        let (ready, held) = (Vec::new(), Vec::new());
        Self { inner, form: Form::Unknown, ready, given: 0, held, is_over: false }
    }

    fn fill(&mut self) -> Result<()> {
        self.ready.clear();
        self.given = 0;
        let mut piece = [0; 32 * 1024];
        while self.ready.is_empty() && !self.is_over {
            let read = self.inner.read(&mut piece)?;
            self.is_over = read == 0;
            self.held.extend_from_slice(&piece[..read]);
            if self.form == Form::Unknown && (self.held.len() >= 4 || self.is_over) {
                self.recognise();
            }
            match self.form {
                Form::Unknown => {}
                Form::Utf8 => self.ready.append(&mut self.held),
                Form::Utf16 { big } => self.translate(big),
            }
        }
        Ok(())
    }

    /// By the mark; without one, JSON begins with two ASCII characters, and UTF-16 with a zero beside one.
    fn recognise(&mut self) {
        let (form, mark) = match self.held.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => (Form::Utf8, 3),
            [0xff, 0xfe, ..] => (Form::Utf16 { big: false }, 2),
            [0xfe, 0xff, ..] => (Form::Utf16 { big: true }, 2),
            [first, 0, second, 0, ..] if *first != 0 && *second != 0 => {
                (Form::Utf16 { big: false }, 0)
            }
            [0, first, 0, second, ..] if *first != 0 && *second != 0 => {
                (Form::Utf16 { big: true }, 0)
            }
            _ => (Form::Utf8, 0),
        };
        self.form = form;
        self.held.drain(..mark);
    }

    fn translate(&mut self, big: bool) {
        let unit = |pair: &[u8]| match big {
            true => u16::from_be_bytes([pair[0], pair[1]]),
            false => u16::from_le_bytes([pair[0], pair[1]]),
        };
        let mut units: Vec<u16> = self.held.chunks_exact(2).map(unit).collect();
        let mut used = units.len() * 2;
        // The second half of a character may be in the next piece.
        if !self.is_over && units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
            units.pop();
            used -= 2;
        }
        for point in char::decode_utf16(units) {
            match point {
                Ok(point) => {
                    self.ready.extend_from_slice(point.encode_utf8(&mut [0; 4]).as_bytes())
                }
                Err(half) => self.ready.extend_from_slice(&surrogate(half.unpaired_surrogate())),
            }
        }
        self.held.drain(..used);
        if self.is_over {
            // An odd byte at the end is no character.
            self.held.clear();
        }
    }
}

/// Half a character, in the three bytes that UTF-8 would give it.
pub(super) fn surrogate(unit: u16) -> [u8; 3] {
    [0xe0 | (unit >> 12) as u8, 0x80 | ((unit >> 6) & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.given);
        buffer[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let (mut fast, mut slow) = (Vec::new(), Vec::new());
        Decoded::new(bytes).read_to_end(&mut fast).expect("readable");
        Decoded::new(Slow(bytes)).read_to_end(&mut slow).expect("readable");
        assert_eq!(fast, slow, "however the bytes come");
        fast
    }

    fn utf16(text: &str, mark: bool, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_of_a_text_is_the_same_text() {
        let text = "{\"a\": \"é🌊\"}";
        assert_eq!(decoded(text.as_bytes()), text.as_bytes());
        assert_eq!(decoded(format!("\u{feff}{text}").as_bytes()), text.as_bytes());
        for mark in [true, false] {
            assert_eq!(decoded(&utf16(text, mark, u16::to_le_bytes)), text.as_bytes());
            assert_eq!(decoded(&utf16(text, mark, u16::to_be_bytes)), text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_text_is_handed_on() {
        assert_eq!(decoded(b"\xe9\x93"), b"\xe9\x93");
        assert_eq!(decoded(b""), b"");
        assert_eq!(decoded(b"\xff\xfe\x3d\xd8\x41\x00"), b"\xed\xa0\xbdA", "half a character");
        assert_eq!(decoded(b"\xff\xfea\0b"), b"a", "a cut one");
    }
}
