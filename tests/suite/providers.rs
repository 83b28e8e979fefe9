//! Remote providers over real connections: what arrives, what breaks, and what is never told.

mod answers;
mod breaks;
mod forms;
mod refusals;
mod secrecy;
mod trust;

use std::time::Duration;

use futures::StreamExt;
use tidemark_core::model::{ProviderConfig, ProviderKind, Role};
use tidemark_core::providers::anthropic::Anthropic;
use tidemark_core::providers::http::{Http, Timeouts};
use tidemark_core::providers::openai::OpenAi;
use tidemark_core::providers::secret::Secret;
use tidemark_core::providers::{Answer, Ask, EndReason, Piece, Provider, ProviderError, Turn};
use tidemark_core::{Code, Failure};
use tidemark_tests::model_server::{ModelServer, Reply, Script};
use tokio_util::sync::CancellationToken;

/// What is true of one wire is true of the other.
const BOTH: [ProviderKind; 2] = [ProviderKind::Openai, ProviderKind::Anthropic];
const KEY: &str = "sk-planted-0123456789";

/// Short enough for a test, long enough for a busy machine.
fn hasty() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(5),
        headers: Duration::from_secs(2),
        thinking: Duration::from_secs(2),
        idle: Duration::from_secs(1),
        tail: Duration::from_millis(500),
        probe: Duration::from_secs(3),
    }
}

fn config(kind: ProviderKind, base_url: &str) -> ProviderConfig {
    ProviderConfig {
        id: "test".to_owned(),
        kind,
        name: "Test".to_owned(),
        base_url: base_url.to_owned(),
        ca_file: None,
        models: Vec::new(),
    }
}

fn provider(config: &ProviderConfig, timeouts: Timeouts) -> Box<dyn Provider> {
    let (key, http) = (Some(Secret::new(KEY)), Http::new(timeouts));
    match config.kind {
        ProviderKind::Anthropic => Box::new(Anthropic::new(config, key, http)),
        _ => Box::new(OpenAi::new(config, key, http)),
    }
}

fn patient(kind: ProviderKind, server: &ModelServer) -> Box<dyn Provider> {
    provider(&config(kind, &server.url()), Timeouts::default())
}

fn impatient(kind: ProviderKind, server: &ModelServer) -> Box<dyn Provider> {
    provider(&config(kind, &server.url()), hasty())
}

fn question(text: &str) -> Ask {
    Ask {
        model: "test-model".to_owned(),
        system: None,
        turns: vec![Turn { role: Role::User, content: text.to_owned() }],
        prefill: None,
        max_tokens: None,
        temperature: None,
    }
}

/// All that came of a question.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    text: String,
    usage: Option<(Option<u32>, Option<u32>)>,
    end: Option<EndReason>,
    error: Option<ProviderError>,
}

impl Outcome {
    async fn of(mut answer: Answer) -> Self {
        let mut outcome = Self::default();
        while let Some(piece) = answer.next().await {
            assert!(outcome.end.is_none() && outcome.error.is_none(), "nothing follows the end");
            match piece {
                Ok(Piece::Text(text)) => outcome.text.push_str(&text),
                Ok(Piece::Usage { tokens_in, tokens_out }) => {
                    outcome.usage = Some((tokens_in, tokens_out));
                }
                Ok(Piece::End(reason)) => outcome.end = Some(reason),
                Err(error) => outcome.error = Some(error),
            }
        }
        outcome
    }

    /// The code, and which of the three the error is.
    fn sorted(&self) -> (&'static str, Code) {
        let error = self.error.as_ref().expect("an error");
        let kind = match error {
            ProviderError::Unreachable(_) => "unreachable",
            ProviderError::Retry { .. } => "retry",
            ProviderError::NeedsYou(_) => "needs you",
        };
        (kind, failure(error).code)
    }
}

fn failure(error: &ProviderError) -> &Failure {
    match error {
        ProviderError::Unreachable(failure)
        | ProviderError::Retry { failure, .. }
        | ProviderError::NeedsYou(failure) => failure,
    }
}

async fn asked(provider: &dyn Provider, ask: Ask) -> Outcome {
    let answer = Outcome::of(provider.ask(ask, CancellationToken::new()));
    tokio::time::timeout(Duration::from_secs(30), answer).await.expect("an end within 30 s")
}

/// Asks a fresh server that always replies so.
async fn replied(kind: ProviderKind, reply: Reply) -> Outcome {
    let server = ModelServer::start(Script::always(reply));
    asked(&*impatient(kind, &server), question("Hi")).await
}
