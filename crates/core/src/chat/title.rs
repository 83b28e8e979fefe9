//! A conversation's title until a person sets one: the beginning of the first message.

/// Characters of an automatic title.
const CHARS: usize = 60;

/// The first line that says something, without Markdown's marks, cut at a word.
pub fn from_message(content: &str) -> String {
    let line = content.lines().map(plain).find(|line| !line.is_empty()).unwrap_or_default();
    let Some((cut, _)) = line.char_indices().nth(CHARS) else { return line };
    let kept = &line[..cut];
    // A word is cut only where it is longer than half a title.
    let end = kept.rfind(' ').filter(|at| *at > cut / 2).unwrap_or(cut);
    format!(
        "{}…",
        kept[..end].trim_end_matches(|c: char| c.is_whitespace() || c == ',' || c == ';')
    )
}

fn plain(line: &str) -> String {
    line.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, '#' | '>' | '-' | '*' | '+' | '`')
    })
    .replace(['`', '*'], "")
    .split_whitespace()
    .collect::<Vec<_>>()
    .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_first_line_is_the_title() {
        assert_eq!(
            from_message("\n## Why is *oral* `propranolol` weak?\nmore"),
            "Why is oral propranolol weak?"
        );
    }

    #[test]
    fn a_long_line_is_cut_at_a_word() {
        let title = from_message(
            "Why is oral propranolol so much less available than intravenous, give me numbers",
        );
        assert_eq!(title, "Why is oral propranolol so much less available than…");
    }

    #[test]
    fn text_without_blanks_is_cut_all_the_same() {
        assert_eq!(from_message(&"あ".repeat(100)).chars().count(), CHARS + 1);
    }

    #[test]
    fn a_message_of_marks_alone_has_no_title() {
        assert_eq!(from_message("---\n***"), "");
    }
}
