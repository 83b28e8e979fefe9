//! Asking a model: one trait, a file per provider.
//!
//! A provider turns an [`Ask`] into a stream of [`Piece`]s and sorts what goes wrong by what the
//! send queue can do about it ([`ProviderError`]). It neither knows the mirror nor retries: the
//! queue decides when to ask again, so that what waits survives a restart.

mod answering;
pub mod anthropic;
pub mod base_url;
pub(crate) mod fault;
pub mod http;
mod joint;
mod lenient_json;
pub mod local;
pub mod openai;
mod place;
pub mod presets;
pub(crate) mod retry_after;
pub mod secret;
mod sse;
mod thread;
pub(crate) mod tls;

use std::time::Duration;

use futures::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use crate::error::Failure;
use crate::model::{ModelInfo, Role};

/// What a model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The model's id at this provider.
    pub model: String,
    /// Instructions before the first turn.
    pub system: Option<String>,
    /// The thread, oldest first; the last one is the person's, unless `prefill` is set.
    pub turns: Vec<Turn>,
    /// The beginning of the answer, which the model goes on from (Continue).
    pub prefill: Option<String>,
    /// The most tokens that the answer may have; none means the provider's own limit.
    pub max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2; none means the provider's default.
    pub temperature: Option<f32>,
}

/// One turn of the thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// Markdown.
    pub content: String,
}

/// What arrives while a model answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// More of the answer.
    Text(String),
    /// Tokens so far, as the provider counts them; the last one holds.
    Usage {
        /// Tokens of the prompt.
        tokens_in: Option<u32>,
        /// Tokens of the answer.
        tokens_out: Option<u32>,
    },
    /// The answer is complete. A stream that ends without it was cut off.
    End(EndReason),
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The model was done.
    Complete,
    /// The limit of tokens was reached; Continue goes on.
    Length,
    /// The provider withheld the rest.
    Filtered,
}

/// What went wrong, by what the send queue can do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProviderError {
    /// No connection to it. The question stays queued and goes out by itself when it answers again.
    #[error("unreachable: {0}")]
    Unreachable(Failure),
    /// It asked for patience, or failed on its side. The question is asked again after a while.
    #[error("retry: {failure}")]
    Retry {
        /// As sent by the provider (RFC 9110, 10.2.3); none leaves it to the queue's own timer.
        after: Option<Duration>,
        /// What the person reads meanwhile.
        failure: Failure,
    },
    /// It will not go on without a person: a key, another model, a shorter conversation.
    #[error("needs a person: {0}")]
    NeedsYou(Failure),
}

/// A stream of an answer. Dropping it ends the request.
pub type Answer = BoxStream<'static, Result<Piece, ProviderError>>;

/// A place where models answer.
#[async_trait::async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Asks. Errors before the first piece come as the stream's first item.
    ///
    /// When `stop` is cancelled the stream ends soon, without an error and without [`Piece::End`].
    fn ask(&self, ask: Ask, stop: CancellationToken) -> Answer;

    /// The models that it says it has.
    async fn models(&self) -> Result<Vec<ModelInfo>, ProviderError>;

    /// Whether it can be reached at all, cheaply; the queue asks before it sends what waited.
    async fn reachable(&self) -> bool;
}
