//! Conversations: list, read, find, rename, archive, trash, export.

use tidemark_core::Result;
use tidemark_core::api::{ExportFormat, SearchRequest, Shelf, Tidemark};
use tidemark_core::model::{Conversation, ConversationId};

use super::text;
use crate::arguments::Command;
use crate::output::{Output, Status};

/// Runs one of these commands; the others are [`super::run`]'s.
pub(super) fn run(core: &Tidemark, command: Command, output: &Output) -> Result<Status> {
    match command {
        Command::Conversations { archived, trash } => {
            let list = core.conversations(shelf(archived, trash))?;
            output.print(&list, |list| text::conversations(list))
        }
        Command::Messages { id } => output.print(&core.messages(id)?, |list| text::messages(list)),
        Command::Search { text, limit } => {
            let hits = core.search(&SearchRequest { text, limit, conversation_id: None })?;
            output.print(&hits, |hits| text::hits(hits))
        }
        Command::Rename { id, title } => print_one(&core.rename(id, &title)?, output),
        Command::Archive { id, undo } => print_one(&core.archive(id, !undo)?, output),
        Command::Trash { id } => print_one(&core.trash(id)?, output),
        Command::Restore { id } => print_one(&core.restore(id)?, output),
        Command::Export { ids, format } => export(core, &ids, &format, output),
        _ => Ok(Status::Done),
    }
}

fn shelf(archived: bool, trash: bool) -> Shelf {
    match (archived, trash) {
        (_, true) => Shelf::Trash,
        (true, false) => Shelf::Archived,
        (false, false) => Shelf::Active,
    }
}

fn print_one(conversation: &Conversation, output: &Output) -> Result<Status> {
    output.print(conversation, |one| text::conversations(std::slice::from_ref(one)))
}

fn export(
    core: &Tidemark,
    ids: &[ConversationId],
    format: &str,
    output: &Output,
) -> Result<Status> {
    if format == "json" {
        let export = core.export_all(ids)?;
        return output
            .print(&export, |export| serde_json::to_string_pretty(export).unwrap_or_default());
    }
    let ids = match ids {
        [] => {
            core.export_all(&[])?.conversations.into_iter().map(|one| one.conversation.id).collect()
        }
        ids => ids.to_vec(),
    };
    let texts = ids
        .into_iter()
        .map(|id| core.export_text(id, ExportFormat::Md))
        .collect::<Result<Vec<_>>>()?;
    output.print(&texts, |texts| texts.join("\n---\n\n"))
}
