//! The sidebar's commands.

use super::{Shelf, Tidemark};
use crate::chat::organise::{self, Done};
use crate::error::Result;
use crate::mirror::conversations::{self, Field};
use crate::mirror::{Error, Write, drafts};
use crate::model::{Conversation, ConversationId, ModelRef};

impl Tidemark {
    /// All conversations of a shelf: pinned first, then by activity.
    pub fn conversations(&self, shelf: Shelf) -> Result<Vec<Conversation>> {
        self.read(|connection| conversations::list(connection, shelf))
    }

    /// One conversation.
    pub fn conversation(&self, id: ConversationId) -> Result<Conversation> {
        self.read(|connection| conversations::get(connection, id))
    }

    /// Gives it a title; an empty one lets the machine name it again. Can be undone.
    pub fn rename(&self, id: ConversationId, title: &str) -> Result<Conversation> {
        self.organise(id, |write| organise::rename(write, id, title))
    }

    /// Keeps it at the top of the sidebar, or not.
    pub fn pin(&self, id: ConversationId, pinned: bool) -> Result<Conversation> {
        self.set_field(id, &Field::Pinned(pinned))
    }

    /// Moves it out of the sidebar, or back. Can be undone.
    pub fn archive(&self, id: ConversationId, archived: bool) -> Result<Conversation> {
        self.organise(id, |write| organise::archive(write, id, archived))
    }

    /// Moves it to the trash, and stops what arrives in it. Can be undone, for 30 days.
    pub fn trash(&self, id: ConversationId) -> Result<Conversation> {
        let open: Vec<_> = self.read(|connection| {
            let entries = crate::mirror::send_queue::all(connection)?;
            Ok(entries.into_iter().filter(|entry| entry.conversation_id == id).collect())
        })?;
        let conversation = self.organise(id, |write| organise::trash(write, id))?;
        for entry in open {
            self.inner.streams.stop(entry.message_id);
        }
        Ok(conversation)
    }

    /// Takes it out of the trash.
    pub fn restore(&self, id: ConversationId) -> Result<Conversation> {
        self.organise(id, |write| organise::restore(write, id))
    }

    /// Removes it for good; only from the trash.
    pub fn delete_forever(&self, id: ConversationId) -> Result<()> {
        self.write(|write| organise::delete_forever(write, id))
    }

    /// Copies it with all its branches.
    pub fn duplicate(&self, id: ConversationId) -> Result<Conversation> {
        self.write(|write| organise::duplicate(write, self.clock().as_ref(), id))
    }

    /// The model of the next question; `None` means the default.
    pub fn set_model(&self, id: ConversationId, model: Option<ModelRef>) -> Result<Conversation> {
        self.set_field(id, &Field::Model(model))
    }

    /// What the model is told first; `None` means the default.
    pub fn set_system_prompt(
        &self,
        id: ConversationId,
        prompt: Option<String>,
    ) -> Result<Conversation> {
        let prompt = prompt.map(|text| crate::chat::body::without_nul(&text));
        self.set_field(id, &Field::SystemPrompt(prompt))
    }

    /// What is typed and not sent; `None` is the new chat's.
    pub fn draft(&self, conversation_id: Option<ConversationId>) -> Result<String> {
        self.read(|connection| drafts::get(connection, conversation_id))
    }

    /// Stores what is typed. Larger than a message may be: what was typed is never refused a place.
    pub fn save_draft(&self, conversation_id: Option<ConversationId>, content: &str) -> Result<()> {
        self.write(|write| drafts::set(write, conversation_id, content))
    }

    fn set_field(&self, id: ConversationId, field: &Field) -> Result<Conversation> {
        self.write(|write| {
            conversations::set(write, id, field)?;
            conversations::get(&write.tx, id)
        })
    }

    fn organise(
        &self,
        id: ConversationId,
        action: impl FnOnce(&mut Write<'_>) -> Result<Done, Error>,
    ) -> Result<Conversation> {
        let ((label, steps), conversation) = self.write(|write| {
            let done = action(write)?;
            Ok((done, conversations::get(&write.tx, id)?))
        })?;
        self.done(id, label, steps);
        Ok(conversation)
    }
}
