//! A thread as every remote model accepts it: instructions first, then person and model in turn.
//!
//! Imported conversations and edited branches may hold instructions in the middle, results of tools
//! that do not exist here, empty turns and neighbours of one role. APIs and chat templates refuse
//! some of these, each its own; what is built here is refused by none.

use super::{Ask, Turn};
use crate::model::Role;

/// A thread, ready to be sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Thread {
    /// Instructions before the first turn.
    pub(crate) system: Option<String>,
    /// Never empty turns, never two neighbours of one speaker.
    pub(crate) turns: Vec<Said>,
}

/// One turn.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) by: Speaker,
    pub(crate) text: String,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    Person,
    Model,
}

impl Speaker {
    /// The role's name, which OpenAI and Anthropic share.
    pub(crate) fn role(self) -> &'static str {
        match self {
            Self::Person => "user",
            Self::Model => "assistant",
        }
    }
}

impl Thread {
    /// Reads a question.
    pub(crate) fn of(ask: &Ask) -> Self {
        let filled = |text: &&str| !text.trim().is_empty();
        let leading = ask.turns.iter().take_while(|turn| turn.role == Role::System).count();
        let (instructions, turns) = ask.turns.split_at(leading);
        let system: Vec<&str> = ask
            .system
            .iter()
            .chain(instructions.iter().map(|turn| &turn.content))
            .map(String::as_str)
            .filter(filled)
            .collect();
        let mut thread = Self {
            system: (!system.is_empty()).then(|| system.join("\n\n")),
            turns: Vec::with_capacity(turns.len()),
        };
        for turn in turns.iter().filter(|turn| filled(&turn.content.as_str())) {
            let (by, text) = folded(turn);
            thread.say(by, &text);
        }
        thread
    }

    /// Adds to the last turn where it is the same speaker's.
    pub(crate) fn say(&mut self, by: Speaker, text: &str) {
        match self.turns.last_mut() {
            Some(last) if last.by == by => {
                last.text.push_str("\n\n");
                last.text.push_str(text);
            }
            _ => self.turns.push(Said { by, text: text.to_owned() }),
        }
    }
}

/// Instructions inside a thread count as the person's: to lift them above the person's own would
/// give an imported text more weight than it had.
fn folded(turn: &Turn) -> (Speaker, String) {
    match turn.role {
        Role::User => (Speaker::Person, turn.content.clone()),
        Role::Assistant => (Speaker::Model, turn.content.clone()),
        Role::System => (Speaker::Person, format!("[Instruction]\n{}", turn.content)),
        Role::Tool => (Speaker::Person, format!("[Result of a tool]\n{}", turn.content)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(system: Option<&str>, turns: &[(Role, &str)]) -> Thread {
        Thread::of(&Ask {
            model: "m".to_owned(),
            system: system.map(str::to_owned),
            turns: turns
                .iter()
                .map(|(role, text)| Turn { role: *role, content: (*text).to_owned() })
                .collect(),
            prefill: None,
            max_tokens: None,
            temperature: None,
        })
    }

    fn said(by: Speaker, text: &str) -> Said {
        Said { by, text: text.to_owned() }
    }

    #[test]
    fn instructions_at_the_start_join_the_system_prompt() {
        let thread = thread(
            Some("Be brief."),
            &[(Role::System, "Cite."), (Role::System, " "), (Role::User, "Hi")],
        );
        assert_eq!(thread.system.as_deref(), Some("Be brief.\n\nCite."));
        assert_eq!(thread.turns, [said(Speaker::Person, "Hi")]);
    }

    #[test]
    fn neighbours_of_one_speaker_become_one_turn() {
        let thread = thread(
            None,
            &[
                (Role::User, "a"),
                (Role::Tool, "42"),
                (Role::Assistant, "b"),
                (Role::Assistant, ""),
                (Role::Assistant, "c"),
                (Role::System, "s"),
                (Role::User, "d"),
            ],
        );
        assert_eq!(
            thread.turns,
            [
                said(Speaker::Person, "a\n\n[Result of a tool]\n42"),
                said(Speaker::Model, "b\n\nc"),
                said(Speaker::Person, "[Instruction]\ns\n\nd"),
            ]
        );
        assert_eq!(thread.system, None);
    }

    #[test]
    fn an_empty_thread_stays_empty() {
        assert_eq!(thread(Some("\n"), &[]), Thread { system: None, turns: Vec::new() });
    }
}
