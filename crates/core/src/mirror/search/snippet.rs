//! The passage around a match, on one line, with what matched marked.

use super::script::{is_silent, stands_alone};

/// Characters before the first match.
const BEFORE: usize = 40;
/// Characters of a passage.
const LENGTH: usize = 160;
/// How far into a long message a match is looked for, in bytes.
const LOOK: usize = 256 * 1024;

/// Letters as the index compares them: lower case, common accents dropped.
pub(super) fn fold(word: &str) -> String {
    word.chars().filter_map(fold_char).collect()
}

fn fold_char(c: char) -> Option<char> {
    if matches!(c, '\u{300}'..='\u{36f}') || is_silent(c) {
        return None;
    }
    let lower = c.to_lowercase().next().unwrap_or(c);
    Some(match lower {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' | 'į' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ō' | 'ő' => 'o',
        'ř' => 'r',
        'ś' | 'š' => 's',
        'ť' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    })
}

/// The passage of `text` around the first of `words` (folded), and what matched in it: starts and
/// ends in UTF-16 code units, as the interface counts.
pub(super) fn around(text: &str, words: &[String]) -> (String, Vec<(u32, u32)>) {
    let text = &text[..floor_boundary(text, LOOK)];
    let first = matches(text, words).next().map_or(0, |(start, _)| start);
    let start = text[..first].char_indices().rev().take(BEFORE).last().map_or(first, |(at, _)| at);
    let start = if start == 0 { 0 } else { word_start(text, start, first) };
    let end = text[start..].char_indices().nth(LENGTH).map_or(text.len(), |(at, _)| start + at);
    let mut passage: String = text[start..end]
        .chars()
        .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c })
        .collect();
    if start > 0 {
        passage.insert(0, '…');
    }
    if end < text.len() {
        passage.push('…');
    }
    let marks = matches(&passage, words)
        .map(|(from, to)| (utf16(&passage, from), utf16(&passage, to)))
        .collect();
    (passage, marks)
}

/// Where words begin with one of `words`: byte ranges of the whole word or of the part that matched.
fn matches<'a>(text: &'a str, words: &'a [String]) -> impl Iterator<Item = (usize, usize)> + 'a {
    tokens(text).flat_map(move |(start, end)| {
        let token = fold(&text[start..end]);
        if words.iter().any(|word| !is_run(word) && token.starts_with(word.as_str())) {
            return vec![(start, end)];
        }
        let runs = words.iter().filter(|word| is_run(word));
        let found = runs.flat_map(|run| text[start..end].match_indices(run.as_str()));
        let mut found: Vec<_> =
            found.map(|(at, run)| (start + at, start + at + run.len())).collect();
        found.sort_unstable();
        found
    })
}

/// Whether a word is of a script without blanks, and so may begin inside of what looks like a word.
fn is_run(word: &str) -> bool {
    word.chars().any(stands_alone)
}

fn tokens(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, _) = chars.by_ref().find(|(_, c)| c.is_alphanumeric())?;
        let mut end = text.len();
        while let Some((at, c)) = chars.peek().copied() {
            if !(c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}') || is_silent(c)) {
                end = at;
                break;
            }
            chars.next();
        }
        Some((start, end))
    })
}

/// The first beginning of a word at or after `start`, but not after `first`.
fn word_start(text: &str, start: usize, first: usize) -> usize {
    text[start..first]
        .char_indices()
        .find(|(_, c)| c.is_whitespace())
        .map_or(start, |(at, c)| start + at + c.len_utf8())
}

fn floor_boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn utf16(text: &str, byte: usize) -> u32 {
    u32::try_from(text[..byte].encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| fold(word)).collect()
    }

    #[test]
    fn a_match_far_inside_is_shown_with_what_stands_before_it() {
        let text = format!("{}the liver removes most of it", "before it. ".repeat(50));
        let (passage, marks) = around(&text, &words(&["liver"]));
        assert!(passage.starts_with('…') && passage.contains("the liver removes"), "{passage}");
        let (from, to) = marks[0];
        let units: Vec<u16> = passage.encode_utf16().collect();
        assert_eq!(String::from_utf16(&units[from as usize..to as usize]).expect("valid"), "liver");
    }

    #[test]
    fn accents_and_case_do_not_matter() {
        let (_, marks) = around("Über Paracétamol", &words(&["uber", "paracetamol"]));
        assert_eq!(marks, vec![(0, 4), (5, 16)]);
    }

    #[test]
    fn marks_count_as_the_interface_counts() {
        let (_, marks) = around("🧪🧪 dose", &words(&["dose"]));
        assert_eq!(marks, vec![(5, 9)]);
    }

    #[test]
    fn a_passage_is_one_line_and_short() {
        let (passage, _) = around(&"line\nbreak\u{0}\u{7} ".repeat(100), &words(&["nothing"]));
        assert!(!passage.chars().any(char::is_control));
        assert!(passage.chars().count() <= LENGTH + 2);
    }
}
