//! Writing conversations out.

use std::fmt::Write as _;

use super::{Export, ExportFormat, ExportedConversation, Shelf, Tidemark};
use crate::error::{Code, Failure, Result};
use crate::mirror::{conversations, messages, thread};
use crate::model::{Conversation, ConversationId, Message, MessageState, Role};

impl Tidemark {
    /// One conversation, whole: all branches, all fields.
    pub fn export(&self, id: ConversationId) -> Result<ExportedConversation> {
        self.read(|connection| {
            Ok(ExportedConversation {
                conversation: conversations::get(connection, id)?,
                metadata: conversations::metadata(connection, id)?,
                shown: conversations::leaf(connection, id)?,
                messages: messages::of_conversation(connection, id)?,
                trashed: messages::in_the_trash(connection, id)?,
            })
        })
    }

    /// One conversation as text: JSON with everything, or the branch that is shown as Markdown.
    pub fn export_text(&self, id: ConversationId, format: ExportFormat) -> Result<String> {
        match format {
            ExportFormat::Json => {
                let json = serde_json::to_string_pretty(&self.export(id)?);
                json.map_err(|_| {
                    Failure::new(
                        Code::Internal,
                        "The conversation could not be written out. It is as it was.",
                    )
                })
            }
            ExportFormat::Md => self.markdown(id),
        }
    }

    /// Conversations, whole, in the form that an import reads back; all of them where none is named,
    /// archived and trashed ones too.
    pub fn export_all(&self, ids: &[ConversationId]) -> Result<Export> {
        let ids = if ids.is_empty() { self.every_id()? } else { ids.to_vec() };
        Ok(Export {
            format: "tidemark-export".to_owned(),
            version: 1,
            exported_at: self.clock().now(),
            conversations: ids.into_iter().map(|id| self.export(id)).collect::<Result<_>>()?,
        })
    }

    fn every_id(&self) -> Result<Vec<ConversationId>> {
        let shelves =
            [Shelf::Active, Shelf::Archived, Shelf::Trash].map(|shelf| self.conversations(shelf));
        let lists = shelves.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(lists.into_iter().flatten().map(|conversation| conversation.id).collect())
    }

    fn markdown(&self, id: ConversationId) -> Result<String> {
        self.read(|connection| {
            let conversation = conversations::get(connection, id)?;
            let branch = match conversations::leaf(connection, id)? {
                Some(leaf) => thread::up_from(connection, leaf, u32::MAX)?,
                None => Vec::new(),
            };
            Ok(markdown(&conversation, &branch))
        })
    }
}

fn markdown(conversation: &Conversation, branch: &[Message]) -> String {
    let title = if conversation.title.is_empty() { "New chat" } else { &conversation.title };
    let mut text = format!("# {title}\n");
    for message in branch {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n## {}\n\n{}\n", heading(message), message.content.trim_end());
    }
    text
}

fn heading(message: &Message) -> String {
    let who = match message.role {
        Role::User => "You".to_owned(),
        Role::Assistant => {
            message.model.as_ref().map_or("Assistant".to_owned(), ToString::to_string)
        }
        Role::System => "Instructions".to_owned(),
        Role::Tool => "Tool".to_owned(),
    };
    let unfinished = match message.state {
        MessageState::Done => "",
        MessageState::Stopped => ", stopped",
        MessageState::Interrupted => ", interrupted",
        _ => ", not answered yet",
    };
    format!("{who}, {}{unfinished}", message.created_at.to_rfc3339())
}
