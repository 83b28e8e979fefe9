//! A conversation as the tokens that a model reads.
//!
//! The file's own chat template writes it down. What people type is never taken for the template's
//! marks: a mark inside a text gets an invisible character, so that "<|im_end|>" in a message ends
//! no turn. A conversation that is longer than the model can read loses its oldest turns, never
//! the system prompt or the last question.

use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel};
use llama_cpp_2::token::LlamaToken;

use crate::error::{Code, Failure};
use crate::model::Role;
use crate::providers::{Ask, Turn};

/// Turns that are left out are left out in groups, so that a long conversation does not begin
/// differently at every question: what the model has read stays read.
const LEFT_OUT_TOGETHER: usize = 8;
/// Tokens of a turn beside its text, generously.
const TURN_MARKS: usize = 12;
/// A text is counted in parts of so many bytes, and no further than it matters.
const COUNTED_AT_ONCE: usize = 4096;

/// Writes conversations down for one model.
pub(super) struct Writer<'a> {
    model: &'a LlamaModel,
    template: LlamaChatTemplate,
    marks: Vec<String>,
}

/// What the model is given to read.
pub(super) struct Prompt {
    pub(super) tokens: Vec<LlamaToken>,
    /// Spaces at the end of what was written already, which the model would write again.
    pub(super) spaces: usize,
}

impl<'a> Writer<'a> {
    /// Uses the model's template, or ChatML where it has none or one that llama.cpp does not know.
    pub(super) fn of(model: &'a LlamaModel) -> Self {
        let own = model.chat_template(None).ok().filter(|template| understood(model, template));
        let chatml = || LlamaChatTemplate::new("chatml").expect("no NUL in it");
        Self { model, template: own.unwrap_or_else(chatml), marks: marks(model) }
    }

    /// Writes down what fits into `budget` tokens.
    pub(super) fn write(&self, ask: &Ask, budget: usize) -> Result<Prompt, Failure> {
        let Some(last) = ask.turns.len().checked_sub(1) else {
            return Err(Failure::new(Code::InvalidInput, "There is no question to answer."));
        };
        let begun = self.begun(ask, budget);
        let spaces = begun.len() - begun.trim_end_matches(' ').len();
        let begun = &begun[..begun.len() - spaces];
        let mut first = self.first_that_fits(ask, begun, budget).ok_or_else(full)?;
        loop {
            let tokens = self.tokens(ask, first, begun)?;
            if tokens.len() <= budget {
                return Ok(Prompt { tokens, spaces });
            }
            // The marks took more than was reckoned.
            first = if first < last {
                next_question(&ask.turns, first + 1)
            } else {
                return Err(full());
            };
        }
    }

    /// The beginning of the answer; of a very long one only its end.
    fn begun<'b>(&self, ask: &'b Ask, budget: usize) -> &'b str {
        let begun = ask.prefill.as_deref().unwrap_or_default();
        let most = budget / 2;
        let mut from = 0;
        while self.count(&begun[from..], most).is_none() {
            from = begun.ceil_char_boundary(from + (begun.len() - from).div_ceil(4));
        }
        &begun[from..]
    }

    /// The oldest turn that can stay; none if even the last question does not fit.
    fn first_that_fits(&self, ask: &Ask, begun: &str, budget: usize) -> Option<usize> {
        let system = self.count(ask.system.as_deref().unwrap_or_default(), budget)?;
        let mut left = budget.checked_sub(system + TURN_MARKS + self.count(begun, budget)?)?;
        let last = ask.turns.len() - 1;
        let mut first = ask.turns.len();
        while first > 0 {
            let cost = self.count(&ask.turns[first - 1].content, left).map(|n| n + TURN_MARKS);
            match cost.and_then(|cost| left.checked_sub(cost)) {
                Some(rest) => left = rest,
                None => break,
            }
            first -= 1;
        }
        match first {
            0 => Some(0),
            first if first > last => None,
            first => {
                // Of few turns that fit, most stay.
                let together = ((last - first) / 2).clamp(1, LEFT_OUT_TOGETHER);
                Some(next_question(&ask.turns, first.next_multiple_of(together).min(last)))
            }
        }
    }

    /// How many tokens a text is; none if more than `most`.
    fn count(&self, text: &str, most: usize) -> Option<usize> {
        let (mut rest, mut count) = (text, 0);
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.floor_char_boundary(COUNTED_AT_ONCE));
            count += self.model.vocab().tokenize(part.as_bytes(), false, false).len();
            if count > most {
                return None;
            }
            rest = after;
        }
        Some(count)
    }

    fn tokens(&self, ask: &Ask, first: usize, begun: &str) -> Result<Vec<LlamaToken>, Failure> {
        let system = ask.system.as_deref().filter(|text| !text.trim().is_empty());
        let system = system.map(|text| self.message("system", text));
        let turns =
            ask.turns[first..].iter().map(|turn| self.message(role(turn.role), &turn.content));
        let messages: Vec<_> = system.into_iter().chain(turns).collect();
        let text = self.model.apply_chat_template(&self.template, &messages, true);
        let mut text = text.map_err(|error| {
            tracing::error!(%error, "the chat template failed");
            Failure::new(Code::ModelInvalid, "The model's chat template cannot be used.")
                .hint("Choose another model.")
        })?;
        text.push_str(&self.without_marks(begun));
        Ok(self.model.vocab().tokenize(text.as_bytes(), true, true))
    }

    fn message(&self, role: &str, content: &str) -> LlamaChatMessage {
        let content = self.without_marks(content).replace('\0', "");
        LlamaChatMessage::new(role.into(), content).expect("NUL was taken out")
    }

    /// The text with an invisible character in everything that the template would take for a mark.
    fn without_marks(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for mark in &self.marks {
            if text.contains(mark.as_str()) {
                let first = mark.chars().next().map_or(0, char::len_utf8);
                let (head, tail) = mark.split_at(first);
                text = text.replace(mark.as_str(), &format!("{head}\u{200b}{tail}"));
            }
        }
        text
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Assistant => "assistant",
        // Templates know no results of tools that were imported from elsewhere.
        Role::User | Role::Tool => "user",
    }
}

/// A thread that is cut begins with a question: many templates know no other beginning.
fn next_question(turns: &[Turn], from: usize) -> usize {
    let question = turns[from..].iter().position(|turn| turn.role == Role::User);
    question.map_or(turns.len() - 1, |ahead| from + ahead)
}

fn understood(model: &LlamaModel, template: &LlamaChatTemplate) -> bool {
    let probe = LlamaChatMessage::new("user".into(), "x".into()).expect("no NUL in it");
    model.apply_chat_template(template, &[probe], true).is_ok()
}

/// The texts of the model's control tokens.
fn marks(model: &LlamaModel) -> Vec<String> {
    let vocab = model.vocab();
    let control = vocab.tokens().filter(|token| vocab.is_control(*token));
    let texts = control.filter_map(|token| vocab.text(token)?.to_str().ok().map(str::to_owned));
    let own = texts.filter(|text| text.chars().count() > 1);
    let mut marks: Vec<_> = own.chain(["<|im_start|>".into(), "<|im_end|>".into()]).collect();
    marks.sort();
    marks.dedup();
    marks
}

fn full() -> Failure {
    Failure::new(
        Code::ContextFull,
        "The question is longer than this model can read. Your message is saved.",
    )
    .hint("Shorten it, or choose a model that reads more.")
}
