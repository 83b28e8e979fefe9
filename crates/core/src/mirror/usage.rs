//! The table `usage`: what each answer took.

use rusqlite::params;

use super::{Error, NEW, Row, Write};
use crate::model::{Message, UsageId};

/// Logs what an answer took. Kept when the conversation is purged: it is what was spent.
pub fn log(write: &mut Write<'_>, id: UsageId, answer: &Message) -> Result<(), Error> {
    write.tx.execute(
        "INSERT INTO usage (id, conversation_id, message_id, model, tokens_in, tokens_out, first_token_ms,
                            cost_micros, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            id,
            answer.conversation_id,
            answer.id,
            answer.model.as_ref().map_or("", |model| model.0.as_str()),
            answer.tokens_in,
            answer.tokens_out,
            answer.first_token_ms,
            answer.cost_micros,
            write.now
        ],
    )?;
    write.synced(Row::Usage(id), NEW)
}
