//! Counts of what the mirror does not count.

use std::collections::HashSet;

use uuid::Uuid;

use crate::import::report::Counts;
use crate::import::rows::Rows;
use crate::mirror::{self, Mirror, imports};
use crate::model::{ConversationId, MessageId};

/// What an import wrote of what the mirror does not count: what hangs on messages, and what is folded into
/// them. A conversation that comes twice counts once.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    messages: HashSet<MessageId>,
    conversations: HashSet<ConversationId>,
}

impl Tally {
    pub(super) fn add(
        &mut self,
        mirror: &Mirror,
        import: Uuid,
        rows: &Rows,
    ) -> Result<(), mirror::Error> {
        // Of a message that is told again, what was told first was written.
        let hangs = rows
            .messages
            .iter()
            .filter(|message| !message.parts.is_empty() && !rows.again.contains(&message.id));
        let hangs: Vec<_> = hangs.collect();
        let id = rows.conversation.id;
        // Also where nothing is folded into it: what a later file folds is here already.
        let is_first = self.conversations.insert(id);
        if rows.folded == 0 && hangs.is_empty() {
            return Ok(());
        }
        let Some(wrote) = mirror.read(|c| imports::imported_of(c, import, id))? else {
            return Ok(());
        };
        let messages: HashSet<_> = wrote.messages.into_iter().collect();
        for message in hangs.into_iter().filter(|message| messages.contains(&message.id)) {
            if self.messages.insert(message.id) {
                self.counts.attachments += message.parts.len() as u64;
            }
        }
        if wrote.is_new && is_first {
            self.counts.folded += rows.folded;
            self.counts.messages += rows.folded;
        }
        Ok(())
    }
}
