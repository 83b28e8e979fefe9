//! What the index's tokenizer does not know of scripts: text is changed before it is indexed, and a
//! query in the same way.
//!
//! FTS5's `unicode61` takes a run of Chinese or Japanese for one word, so that only its beginning
//! would be found: each of their signs becomes a word, and a run of them a phrase. Vowel marks of
//! Arabic and Hebrew would cut words apart: they are left out.

use std::borrow::Cow;

/// Whether a sign stands for itself, in a script without blanks between words.
pub(in crate::mirror) fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a mark above or below a letter is left out of what is compared.
pub(in crate::mirror) fn is_silent(c: char) -> bool {
    matches!(c, '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// The text as it is indexed and asked for.
pub(in crate::mirror) fn spaced(text: &str) -> Cow<'_, str> {
    // Below U+0590 there is nothing to change, and nearly all text is below.
    if !text.chars().any(|c| c >= '\u{590}' && (stands_alone(c) || is_silent(c))) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len() * 2);
    for c in text.chars().filter(|c| !is_silent(*c)) {
        if stands_alone(c) {
            spaced.extend([' ', c, ' ']);
        } else {
            spaced.push(c);
        }
    }
    Cow::Owned(spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_that_needs_it_is_changed() {
        assert!(matches!(spaced("Über 5 µg"), Cow::Borrowed(_)));
        assert_eq!(spaced("5mg剂量ok"), "5mg 剂  量 ok");
        assert_eq!(spaced("جُرْعَة"), "جرعة");
    }
}
