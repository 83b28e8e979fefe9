//! What changed, told after the commit.
//!
//! A listener that reads at once sees the row. Events carry ids and no rows: whoever shows them
//! reads the mirror again. Missing one is harmless, because [`Change::Everything`] follows.

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use ts_rs::TS;

use crate::model::{ConversationId, MessageId};

/// Something that is shown has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A conversation's row: title, flags, counts, order.
    Conversation {
        /// Which.
        id: ConversationId,
    },
    /// A message's row, its siblings or its place in the send queue.
    Message {
        /// In which conversation.
        conversation_id: ConversationId,
        /// Which.
        id: MessageId,
    },
    /// What is typed and not sent; `None` is the new chat's.
    Draft {
        /// In which conversation.
        conversation_id: Option<ConversationId>,
    },
    /// A setting.
    Setting {
        /// Its key.
        key: String,
    },
    /// Providers, models on disk, keys.
    Models,
    /// What can be undone.
    Undo,
    /// Where sync is, or what waits for it.
    Sync,
    /// Where an import is, or what came of one.
    Import,
    /// Another process wrote, or events were missed: read again what is shown.
    Everything,
}

/// Tells any number of listeners.
#[derive(Debug, Clone)]
pub struct Events {
    sender: broadcast::Sender<Change>,
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::channel(1024).0 }
    }
}

impl Events {
    /// Tells all who listen; nobody listening is no error.
    pub fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            let _ = self.sender.send(change);
        }
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> Listener {
        Listener { receiver: self.sender.subscribe() }
    }
}

/// One listener's end.
#[derive(Debug)]
pub struct Listener {
    receiver: broadcast::Receiver<Change>,
}

impl Listener {
    /// The next change; `None` once the core has closed.
    pub async fn next(&mut self) -> Option<Change> {
        match self.receiver.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Change::Everything),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
