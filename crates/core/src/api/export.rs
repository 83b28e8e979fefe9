//! Writing conversations out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::Connection;

use super::{Export, ExportFormat, ExportedConversation, ExportedFile, Shelf, Tidemark};
use crate::error::{Code, Failure, Result};
use crate::mirror::{self, conversations, imports, messages, thread};
use crate::model::{Conversation, ConversationId, Message, MessageState, Role};

/// More bytes of files are not written into one conversation: what reads it back holds it whole.
const MOST_FILES: usize = 48 << 20;

/// The bytes that hang on messages, each once.
fn files<'a>(
    connection: &Connection,
    messages: impl Iterator<Item = &'a Message>,
) -> Result<Vec<ExportedFile>, mirror::Error> {
    let (mut found, mut size) = (Vec::new(), 0);
    let named = messages.flat_map(|message| &message.parts).filter_map(|part| part.sha256.as_ref());
    for sha256 in named.collect::<BTreeSet<_>>() {
        let Some(bytes) = imports::blob(connection, sha256)? else { continue };
        size += bytes.len();
        if size <= MOST_FILES {
            found.push(ExportedFile { sha256: sha256.clone(), base64: BASE64.encode(bytes) });
        }
    }
    Ok(found)
}

impl Tidemark {
    /// One conversation, whole: all branches, all fields.
    pub fn export(&self, id: ConversationId) -> Result<ExportedConversation> {
        self.read(|connection| {
            let messages = messages::of_conversation(connection, id)?;
            let trashed = messages::in_the_trash(connection, id)?;
            let all = messages.iter().chain(trashed.iter().map(|one| &one.message));
            Ok(ExportedConversation {
                conversation: conversations::get(connection, id)?,
                metadata: conversations::metadata(connection, id)?,
                shown: conversations::leaf(connection, id)?,
                files: files(connection, all)?,
                documents: imports::documents_of(connection, Some(id))?,
                messages,
                trashed,
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
        let (ids, documents) = match ids {
            [] => (self.every_id()?, self.read(|c| imports::documents_of(c, None))?),
            named => (named.to_vec(), Vec::new()),
        };
        Ok(Export {
            format: "tidemark-export".to_owned(),
            version: 1,
            exported_at: self.clock().now(),
            conversations: ids.into_iter().map(|id| self.export(id)).collect::<Result<_>>()?,
            documents,
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
