//! Taking an import back, but for what a person has changed since.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::Imported;
use super::write::known;
use crate::mirror::{Error, Write, bases, conversations, messages, outbox, rows, thread};
use crate::model::DocumentId;
use crate::model::wire::Table;

/// What an undo left, because a person had gone on with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Undone {
    /// Conversations that were removed.
    #[ts(type = "number")]
    pub conversations: u64,
    /// Messages that were removed, with them or from conversations that stay.
    #[ts(type = "number")]
    pub messages: u64,
    /// Documents that were removed.
    #[ts(type = "number")]
    pub documents: u64,
    /// Conversations that were changed since, and stay as they are.
    #[ts(type = "number")]
    pub kept: u64,
}

/// Takes back what an import wrote of one conversation, unless a person has changed it since.
pub fn take_back(
    write: &mut Write<'_>,
    imported: &Imported,
    sum: &mut Undone,
) -> Result<(), Error> {
    let id = imported.conversation_id;
    let Some(here) = known(&write.tx, id)? else { return Ok(()) };
    let ours: HashSet<_> = imported.messages.iter().copied().collect();
    let theirs = here.iter().any(|message| !ours.contains(message));
    if !imported.is_new {
        // The conversation was there before: only what came is put into the trash.
        for message in imported.messages.iter().filter(|message| here.contains(message)) {
            messages::set_trashed(write, *message, true)?;
            sum.messages += 1;
        }
        return thread::settle(write, id);
    }
    let row = conversations::uncounted(&write.tx, id)?;
    if theirs || row.updated_at != imported.updated_at {
        sum.kept += 1;
        return Ok(());
    }
    conversations::purge(write, id)?;
    sum.conversations += 1;
    sum.messages += imported.messages.len() as u64;
    Ok(())
}

/// Takes back the documents of an import, and forgets what it wrote.
pub fn take_back_documents(
    write: &mut Write<'_>,
    import: Uuid,
    sum: &mut Undone,
) -> Result<(), Error> {
    let ids: Vec<DocumentId> = write
        .tx
        .prepare("SELECT document_id FROM imported_documents WHERE import_id = ?1")?
        .query_map([import.as_bytes()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in &ids {
        purge_document(write, *id)?;
        write.tx.execute("DELETE FROM fragments WHERE document_id = ?1", [id])?;
        sum.documents += write.tx.execute("DELETE FROM documents WHERE id = ?1", [id])? as u64;
    }
    write.tx.execute("DELETE FROM imported_documents WHERE import_id = ?1", [import.as_bytes()])?;
    // What went to the trash is remembered: it is not here for the next import.
    write
        .tx
        .execute("DELETE FROM imported WHERE import_id = ?1 AND is_new = 1", [import.as_bytes()])?;
    Ok(())
}

/// With an account attached, the server is told of a deletion too.
fn purge_document(write: &mut Write<'_>, id: DocumentId) -> Result<(), Error> {
    if !write.is_attached()? {
        return Ok(());
    }
    if let Some(row) = rows::read(&write.tx, Table::Documents, id.0)? {
        outbox::purge(write, Table::Documents, &row)?;
        bases::drop(&write.tx, Table::Documents, id.0)?;
    }
    Ok(())
}
