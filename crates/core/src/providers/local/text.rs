//! Text out of the bytes of tokens.
//!
//! A token may end in the middle of a character, so bytes are held back until they are one. What
//! can never become one is shown as U+FFFD, and U+0000 is dropped: no text of ours has it.

/// Puts characters together across tokens.
#[derive(Debug, Default)]
pub(super) struct Characters {
    held: Vec<u8>,
}

impl Characters {
    /// Takes a token's bytes, gives the characters that are complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = std::mem::take(&mut self.held);
        loop {
            match std::str::from_utf8(&rest) {
                Ok(whole) => {
                    text.push_str(whole);
                    break;
                }
                Err(error) => {
                    let (whole, tail) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(whole));
                    let Some(wrong) = error.error_len() else {
                        self.held = tail.to_vec();
                        break;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = tail[wrong..].to_vec();
                }
            }
        }
        text.retain(|c| c != '\0');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_cut_by_tokens_come_out_whole() {
        let text = "µg/kg · 胺碘酮 · 🌊";
        for size in 1..6 {
            let mut characters = Characters::default();
            let pieces = text.as_bytes().chunks(size).map(|bytes| characters.push(bytes));
            assert_eq!(pieces.collect::<String>(), text, "{size} bytes at a time");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_and_do_not_block_what_follows() {
        let mut characters = Characters::default();
        assert_eq!(characters.push(b"a\xff\xfeb\xe2\x82"), "a\u{fffd}\u{fffd}b");
        assert_eq!(characters.push(b"x"), "\u{fffd}x");
        assert_eq!(characters.push(b"\0y"), "y");
    }
}
