//! A message's text, checked before it is stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error::{Code, Failure};
use crate::model::{MAX_MESSAGE_BYTES, MAX_TITLE_CHARS};

/// Text that every side can hold, and the original bytes where that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Valid Unicode without U+0000.
    pub content: String,
    /// The original bytes in base64.
    pub content_raw: Option<String>,
}

impl Body {
    /// Checks what a person wants to send. U+0000, which neither JSON tools nor Postgres hold, is
    /// shown as U+2400 (␀), and the original bytes are kept beside it.
    ///
    /// # Errors
    /// Empty or blank text, text over 1 MiB, and a `content_raw` that is no base64.
    pub fn checked(content: &str, content_raw: Option<&str>) -> Result<Self, Failure> {
        if content.trim().is_empty() {
            return Err(Failure::new(Code::InvalidInput, "An empty message was not sent.")
                .hint("Type something first."));
        }
        let raw_bytes = match content_raw {
            None => 0,
            Some(raw) if BASE64.decode(raw).is_ok() => raw.len() / 4 * 3,
            Some(_) => {
                return Err(Failure::new(
                    Code::InvalidInput,
                    "The original bytes of the message are not base64.",
                ));
            }
        };
        let bytes = content.len().max(raw_bytes);
        if bytes > MAX_MESSAGE_BYTES {
            let mib = bytes as f64 / MAX_MESSAGE_BYTES as f64;
            return Err(Failure::new(
                Code::TooLarge,
                format!("A message holds 1 MiB at most, and this one has {mib:.1} MiB. It was not sent; the text is still in the composer."),
            )
            .hint("Shorten it, or keep it as a file and ask about a part of it."));
        }
        Ok(Self {
            content_raw: content_raw
                .map(str::to_owned)
                .or_else(|| content.contains('\0').then(|| BASE64.encode(content))),
            content: without_nul(content),
        })
    }
}

/// The same text with U+2400 for U+0000.
pub fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

/// A title on one line, cut where it is too long.
pub fn title(text: &str) -> String {
    let line = without_nul(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_TITLE_CHARS) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_shown_and_its_bytes_come_back() {
        let body = Body::checked("a\0b", None).expect("accepted");
        assert_eq!(body.content, "a\u{2400}b");
        assert_eq!(BASE64.decode(body.content_raw.expect("kept")).expect("base64"), b"a\0b");
    }

    #[test]
    fn ordinary_text_is_kept_as_it_is() {
        let text = "  ما هي 5 µg?\n\u{202e}abc\u{202c} ";
        assert_eq!(
            Body::checked(text, None).expect("accepted"),
            Body { content: text.into(), content_raw: None }
        );
    }

    #[test]
    fn empty_and_huge_messages_are_refused_with_what_to_do() {
        assert_eq!(Body::checked(" \n", None).expect_err("refused").code, Code::InvalidInput);
        let huge = Body::checked(&"x".repeat(5 << 20), None).expect_err("refused");
        assert_eq!(huge.code, Code::TooLarge);
        assert!(huge.hint.is_some() && huge.message.contains("5.0 MiB"), "{huge:?}");
        assert!(Body::checked(&"x".repeat(MAX_MESSAGE_BYTES), None).is_ok());
        assert_eq!(Body::checked("x", Some("***")).expect_err("refused").code, Code::InvalidInput);
    }
}
