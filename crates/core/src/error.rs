//! What a person is told when something cannot be done.
//!
//! Inside the core every boundary has an error enum of its own; at the [`crate::api`] they all
//! become a [`Failure`]: what happened and what is safe, then what to do. The cause goes to the log,
//! without keys, addresses with tokens, or message bodies.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A result at the api's boundary.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// The only error that the interface sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the interface can do about it.
    pub code: Code,
    /// One or two sentences: what happened, and what is safe.
    pub message: String,
    /// One sentence: what to do.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same failure with what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// One for each way in which the interface behaves differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// What was given cannot be used as it is.
    InvalidInput,
    /// More than fits: a message over 1 MiB, an answer that overflows.
    TooLarge,
    /// No such row.
    NotFound,
    /// The thing is not in a state that allows this.
    WrongState,
    /// The provider cannot be reached; the send queue goes on by itself.
    Offline,
    /// The provider asked for patience.
    RateLimited,
    /// The provider failed on its side; it may work again.
    ProviderBusy,
    /// The provider did not accept the key, or there is none.
    KeyRejected,
    /// The provider does not know the model, or its file is gone.
    ModelMissing,
    /// The file is not a model that can be run here.
    ModelInvalid,
    /// The model does not fit into this computer's memory.
    OutOfMemory,
    /// The conversation is longer than the model can read.
    ContextFull,
    /// The provider refused this request, and would again.
    Refused,
    /// The answer broke off.
    Interrupted,
    /// No space left.
    DiskFull,
    /// The folder cannot be written.
    ReadOnly,
    /// The mirror is encrypted and its key is not at hand: a passphrase or a recovery key is needed.
    Locked,
    /// The key does not open this mirror.
    WrongKey,
    /// The mirror was written by a newer version.
    Newer,
    /// The mirror is damaged.
    Corrupt,
    /// Another process is using what is needed, and did not let go in time.
    Busy,
    /// A fault of ours. The log knows more.
    Internal,
}
