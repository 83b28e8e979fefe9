//! What a model is told: from a branch of the tree to an [`Ask`].

use crate::model::{Message, ModelRef, Role};
use crate::providers::{Ask, Turn};

/// How a person wants models to be asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Style {
    /// Instructions before the first turn.
    pub system: Option<String>,
    /// Sampling temperature.
    pub temperature: Option<f32>,
    /// The most tokens of an answer.
    pub max_tokens: Option<u32>,
}

/// Builds the question. `branch` ends with the message that is answered; `answer` is the row to be
/// filled: text that already stands in it is what the model goes on from.
pub fn build(branch: &[Message], answer: &Message, model: &ModelRef, style: Style) -> Ask {
    let turns = branch.iter().filter(|message| speaks(message)).map(turn).collect();
    Ask {
        model: model.model().to_owned(),
        system: style.system.filter(|text| !text.trim().is_empty()),
        turns,
        prefill: (!answer.content.is_empty()).then(|| answer.content.clone()),
        max_tokens: style.max_tokens,
        temperature: style.temperature,
    }
}

/// Answers that never came, and tools' results without text, say nothing to a model.
fn speaks(message: &Message) -> bool {
    !message.content.trim().is_empty() && message.role != Role::Tool
}

fn turn(message: &Message) -> Turn {
    Turn { role: message.role, content: message.content.clone() }
}
