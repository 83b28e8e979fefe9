//! JSON from providers, some of which cut characters in halves.

use serde_json::Value;

/// Parses JSON; escapes that are half a character become U+FFFD instead of an error.
///
/// Servers that count in UTF-16 split an emoji over two pieces of an answer, each then holding a
/// lone surrogate, which Rust's strings cannot carry. Losing the emoji is better than the answer.
pub(crate) fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&mended(text)?).ok())
}

/// The text with its lone surrogates replaced; none where there are none.
fn mended(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (keep, length) = match (unit(escape), unit(escape.get(6..).unwrap_or_default())) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (true, 12),
            (Some(0xd800..0xe000), _) => (false, 6),
            (Some(_), _) => (true, 6),
            // Any other escape is a backslash and one character: `\\u` is no escape of a unit.
            (None, _) => (true, 1 + escape[1..].chars().next().map_or(0, char::len_utf8)),
        };
        found |= !keep;
        out.push_str(if keep { &escape[..length] } else { "\\ufffd" });
        rest = &escape[length..];
    }
    out.push_str(rest);
    found.then_some(out)
}

/// The code unit of an escape such as `\ud83d` at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_characters_become_replacement_characters() {
        let table = [
            (r#""a\ud83d""#, Some("a\u{fffd}")),
            (r#""\ude00b""#, Some("\u{fffd}b")),
            (r#""\ud83d\ude00""#, Some("😀")),
            (r#""\ud83d\ud83d\ude00""#, Some("\u{fffd}😀")),
            (r#""\\ud83d \ud83d""#, Some("\\ud83d \u{fffd}")),
            (r#""ü\"é\ud800\n""#, Some("ü\"é\u{fffd}\n")),
            (r#""half"#, None),
            (r#""\ud83d\"#, None),
            (r#""\u12"#, None),
            ("\"\\é", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text), expected.map(Value::from), "{text}");
        }
    }
}
