//! From what a person types to what FTS5 reads: nothing typed is ever an operator.

use super::script::spaced;

/// The most words of one query; more are left out.
const MAX_WORDS: usize = 24;
/// The longest word, in characters.
const MAX_WORD_CHARS: usize = 64;

/// A query, ready for both sides.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// For `MATCH`.
    pub(super) fts: String,
    /// For the passage's highlights, folded.
    pub(super) words: Vec<String>,
}

/// Reads what a person typed: quotes keep words together, all must be there, the last may be
/// unfinished. `None` where nothing in it can be searched for.
pub(super) fn parse(text: &str) -> Option<Query> {
    let mut terms = Vec::new();
    let mut words = Vec::new();
    for (index, piece) in text.split('"').enumerate() {
        let quoted = index % 2 == 1;
        let found: Vec<String> = split(piece).take(MAX_WORDS - words.len()).collect();
        if found.is_empty() {
            continue;
        }
        words.extend(found.iter().map(|word| super::snippet::fold(word)));
        if quoted {
            terms.push(format!("\"{}\"", spaced(&found.join(" "))));
        } else {
            terms.extend(found.iter().map(|word| format!("\"{}\"", spaced(word))));
        }
        if words.len() >= MAX_WORDS {
            break;
        }
    }
    // What is being typed is a beginning, unless a quote or a blank has ended it. One letter alone
    // begins half of all words: finding them all would be slow, and say nothing.
    let begins = words.last().is_some_and(|word| word.len() > 1);
    if begins && text.ends_with(char::is_alphanumeric) {
        terms.last_mut()?.push('*');
    }
    (!terms.is_empty()).then(|| Query { fts: terms.join(" "), words })
}

/// Words as the index's tokenizer sees them: runs of letters and digits (with their marks).
fn split(piece: &str) -> impl Iterator<Item = String> + '_ {
    piece
        .split(|c: char| !(c.is_alphanumeric() || is_mark(c)))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| word.chars().take(MAX_WORD_CHARS).collect())
}

/// Combining marks, which belong to the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{93a}'..='\u{94f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fts(text: &str) -> Option<String> {
        parse(text).map(|query| query.fts)
    }

    #[test]
    fn words_are_terms_and_the_last_may_be_unfinished() {
        assert_eq!(fts("oral propran").as_deref(), Some("\"oral\" \"propran\"*"));
        assert_eq!(fts("oral ").as_deref(), Some("\"oral\""));
    }

    #[test]
    fn one_letter_is_a_word_and_no_beginning() {
        assert_eq!(fts("vitamin k").as_deref(), Some("\"vitamin\" \"k\""));
        assert_eq!(fts("vitamin ke").as_deref(), Some("\"vitamin\" \"ke\"*"));
    }

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(fts("\"first pass\" liver").as_deref(), Some("\"first pass\" \"liver\"*"));
        assert_eq!(fts("\"first pass\"").as_deref(), Some("\"first pass\""));
    }

    #[test]
    fn nothing_that_is_typed_is_an_operator() {
        for text in
            ["\" * OR NEAR( -", "a AND b", "title:x", "NEAR(a b, 3)", "^a", "{a b}:c", "\0", "a\0b"]
        {
            if let Some(fts) = fts(text) {
                let bare: String = fts.split('"').step_by(2).collect();
                assert!(bare.chars().all(|c| c == ' ' || c == '*'), "{text:?} became {fts:?}");
            }
        }
        assert_eq!(fts("\" * ( -"), None);
    }

    #[test]
    fn ten_thousand_terms_are_cut() {
        let query = parse(&"word ".repeat(10_000)).expect("a query");
        assert_eq!(query.words.len(), MAX_WORDS);
    }
}
