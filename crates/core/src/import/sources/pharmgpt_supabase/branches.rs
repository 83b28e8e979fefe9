//! Answers in branches, which the last generation kept in tables of their own.

use std::collections::{HashMap, HashSet};

use crate::import::lax::Value;
use crate::import::record::{Conversation, Message};
use crate::import::sources::speech;
use crate::import::time::{When, Zone};
use crate::model::Role;

/// `assistant_responses` and `branch_selections`.
#[derive(Debug, Default)]
pub(super) struct Branches {
    /// By the question's id, in the order of the rows.
    answers: HashMap<String, Vec<Value>>,
    /// The answers that were chosen.
    chosen: HashSet<String>,
}

impl Branches {
    /// Takes a row of either table.
    pub(super) fn add(&mut self, value: &Value) {
        if let Some(id) = speech::id(value.get("active_response_id")) {
            self.chosen.insert(id);
            return;
        }
        let question = speech::id(value.get("user_message_id")).unwrap_or_default();
        let answers = self.answers.entry(question).or_default();
        // The same dump in two forms has every answer twice.
        let id = speech::id(value.get("id"));
        if id.is_none() || answers.iter().all(|known| speech::id(known.get("id")) != id) {
            answers.push(value.clone());
        }
    }

    /// Puts the answers to the questions of a conversation. An answer that is in the conversation is the
    /// same one; the others stand beside it.
    pub(super) fn graft(&mut self, found: &mut Conversation, zone: Zone) {
        let line = found.messages.len();
        for question in 0..line {
            let Some(key) = &found.messages[question].key else { continue };
            for answer in self.answers.remove(key).unwrap_or_default() {
                let at = self.place(found, question, &answer, zone);
                let is_last = question + 2 >= line;
                let id = speech::id(answer.get("id")).unwrap_or_default();
                if is_last && at >= line && self.chosen.contains(&id) {
                    found.shown = Some(at);
                }
            }
        }
        if found.messages.len() > line && found.shown.is_none() {
            found.shown = line.checked_sub(1);
        }
    }

    /// Where an answer stands: the index of the one that says the same, else of a new one.
    fn place(
        &self,
        found: &mut Conversation,
        question: usize,
        answer: &Value,
        zone: Zone,
    ) -> usize {
        let content = speech::content(answer.get("content"));
        let is_same = |message: &Message| {
            message.parent == Some(question)
                && message.role == Role::Assistant
                && message.content == content
        };
        let at = found.messages.iter().position(is_same).unwrap_or_else(|| {
            let at = When::read(answer.get("created_at"), zone);
            let mut message = Message::new(Role::Assistant, content.clone(), at);
            message.parent = Some(question);
            message.key = speech::id(answer.get("id"));
            found.messages.push(message);
            found.messages.len() - 1
        });
        let message = &mut found.messages[at];
        message.model = answer.str("model_used").map(str::to_owned).or(message.model.take());
        message.tokens_out = super::whole(answer.get("token_count")).or(message.tokens_out);
        if let Some(label) = answer.str("branch_label") {
            message.metadata.insert("branch_label".to_owned(), label.into());
        }
        at
    }
}
