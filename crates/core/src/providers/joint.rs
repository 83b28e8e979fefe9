//! Where a continued answer meets its beginning.
//!
//! A model that goes on from a given beginning may repeat its last words (because it was asked to,
//! so that the joint is exact) or the blanks that had to be trimmed off it. What is repeated is
//! dropped, so that beginning and rest read as one text.

use super::thread::{Speaker, Thread};

/// How many characters a model is asked to repeat, at most.
const ANCHOR_CHARS: usize = 48;

/// Drops from the start of an answer what its beginning already has.
#[derive(Debug, Default)]
pub(crate) struct Joint {
    /// The last words of the beginning, which the model may repeat.
    anchor: String,
    /// Blanks at the end of the beginning, which were not sent.
    tail: String,
    /// What came so far and may still turn out to be a repetition.
    held: String,
    /// Whether the beginning ends inside a word or right after one.
    after_word: bool,
}

impl Joint {
    /// For a beginning that went out as the model's own turn, without its trailing blanks.
    pub(crate) fn native(prefill: &str) -> Self {
        let (_, tail) = split(prefill);
        Self { tail: tail.to_owned(), ..Self::default() }
    }

    /// For a beginning that the model was asked to go on from in words; adds those to the thread.
    pub(crate) fn asked(prefill: &str, thread: &mut Thread) -> Self {
        let (body, tail) = split(prefill);
        let anchor = last_words(body);
        thread.say(Speaker::Model, body);
        thread.say(Speaker::Person, &instruction(anchor));
        Self {
            anchor: anchor.to_owned(),
            tail: tail.to_owned(),
            held: String::new(),
            after_word: tail.is_empty() && body.ends_with(char::is_alphanumeric),
        }
    }

    /// What is new in this piece of the answer; empty while that is not decided.
    pub(crate) fn pass(&mut self, text: &str) -> String {
        if self.anchor.is_empty() && self.tail.is_empty() {
            return text.to_owned();
        }
        self.held.push_str(text);
        if self.anchor.starts_with(self.held.trim_start()) && self.held.len() < self.limit() {
            return String::new();
        }
        self.decide()
    }

    /// What was held back when the answer ended.
    pub(crate) fn finish(&mut self) -> String {
        match self.anchor.is_empty() {
            true => String::new(),
            false => self.decide(),
        }
    }

    fn limit(&self) -> usize {
        self.anchor.len() + 16
    }

    fn decide(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        let anchor = std::mem::take(&mut self.anchor);
        let repeated =
            held.trim_start().strip_prefix(anchor.as_str()).filter(|_| !anchor.is_empty());
        let rest = match repeated {
            Some(rest) => rest.to_owned(),
            None if self.after_word && held.starts_with(char::is_alphanumeric) => {
                format!(" {held}")
            }
            None => held,
        };
        self.without_tail(rest)
    }

    /// Drops what the beginning's blanks and the start of the rest have in common.
    fn without_tail(&mut self, text: String) -> String {
        let common: usize = self
            .tail
            .chars()
            .zip(text.chars())
            .take_while(|(ours, theirs)| ours == theirs)
            .map(|(ours, _)| ours.len_utf8())
            .sum();
        // The next piece goes on comparing only where this one ended in agreement.
        if common == text.len() {
            self.tail.drain(..common);
        } else {
            self.tail.clear();
        }
        text[common..].to_owned()
    }
}

/// A beginning as it may be sent, and the blanks at its end: no API takes those.
fn split(prefill: &str) -> (&str, &str) {
    prefill.split_at(prefill.trim_end().len())
}

/// The beginning as it may be sent.
pub(crate) fn sendable(prefill: &str) -> &str {
    split(prefill).0
}

/// The last words, whole ones where there is a blank to cut at.
fn last_words(body: &str) -> &str {
    let line = body.rsplit('\n').next().unwrap_or(body);
    let Some((start, _)) = line.char_indices().rev().nth(ANCHOR_CHARS) else { return line };
    let end = &line[start..];
    end.split_once(' ').map_or(end, |(_, words)| words)
}

fn instruction(anchor: &str) -> String {
    format!(
        "Your answer broke off. Go on with it exactly where it ended, without an introduction. \
         Begin by repeating its last words unchanged, then continue:\n{anchor}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(mut joint: Joint, pieces: &[&str]) -> String {
        let mut out: String = pieces.iter().map(|piece| joint.pass(piece)).collect();
        out.push_str(&joint.finish());
        out
    }

    fn asked(prefill: &str, pieces: &[&str]) -> String {
        let mut thread = Thread { system: None, turns: Vec::new() };
        let joint = Joint::asked(prefill, &mut thread);
        format!("{prefill}{}", passed(joint, pieces))
    }

    fn native(prefill: &str, pieces: &[&str]) -> String {
        format!("{prefill}{}", passed(Joint::native(prefill), pieces))
    }

    #[test]
    fn what_the_model_repeats_is_dropped_whatever_the_pieces() {
        let table = [
            ("The quick", vec!["The quick", " brown fox"], "The quick brown fox"),
            ("The quick", vec!["The", " qui", "ck brown", " fox"], "The quick brown fox"),
            ("The quick", vec!["\n", "The quick brown"], "The quick brown"),
            ("A phar", vec!["A pharmacist"], "A pharmacist"),
            ("The quick", vec!["The quick"], "The quick"),
            ("One.\n\nTwo words", vec!["Two words follow"], "One.\n\nTwo words follow"),
            ("List:\n- a\n", vec!["- a\n- b"], "List:\n- a\n- b"),
        ];
        for (prefill, pieces, expected) in table {
            assert_eq!(asked(prefill, &pieces), expected, "{prefill:?} {pieces:?}");
        }
    }

    #[test]
    fn a_model_that_just_goes_on_is_joined_with_a_blank_between_words() {
        let table = [
            ("The quick", vec!["brown", " fox"], "The quick brown fox"),
            ("The quick", vec![" brown"], "The quick brown"),
            ("The quick", vec![", brown"], "The quick, brown"),
            ("The quick ", vec!["brown"], "The quick brown"),
            ("The quick", vec!["The other"], "The quick The other"),
            ("The quick", vec!["Th"], "The quick Th"),
        ];
        for (prefill, pieces, expected) in table {
            assert_eq!(asked(prefill, &pieces), expected, "{prefill:?} {pieces:?}");
        }
    }

    #[test]
    fn blanks_that_were_trimmed_are_not_doubled() {
        let table = [
            ("Hello\n\n", vec!["\n\nNext"], "Hello\n\nNext"),
            ("Hello\n", vec!["\n", "\nNext"], "Hello\n\nNext"),
            ("Hello ", vec![" next"], "Hello next"),
            ("Hello ", vec!["next"], "Hello next"),
            ("Hello", vec![" next"], "Hello next"),
            ("Hello", vec!["", "next"], "Hellonext"),
        ];
        for (prefill, pieces, expected) in table {
            assert_eq!(native(prefill, &pieces), expected, "{prefill:?} {pieces:?}");
        }
    }

    #[test]
    fn only_the_last_words_are_asked_for() {
        let long = "word ".repeat(100) + "end";
        let anchor = last_words(&long);
        assert!(anchor.ends_with(" end") && anchor.chars().count() <= ANCHOR_CHARS);
        assert!(anchor.starts_with("word"));
        assert_eq!(last_words(&"ü".repeat(100)).chars().count(), ANCHOR_CHARS + 1);
    }

    #[test]
    fn an_answer_that_is_no_continuation_passes_untouched() {
        assert_eq!(passed(Joint::default(), &[" a", "b "]), " ab ");
    }
}
