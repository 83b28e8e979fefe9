//! Any server that speaks OpenAI's chat completions: OpenAI, Groq, OpenRouter, Ollama, LM Studio,
//! llama.cpp's, vLLM.
//!
//! They agree on the outline and differ in parameters. A question goes out in the form that most
//! understand; where a server complains of a parameter, it is asked again without it, and the model
//! is asked that way from then on ([`Dialect`]).

mod decode;
mod dialect;
mod listing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{self, StreamExt};
use reqwest::Response;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::answering::Reader;
use super::http::{Endpoint, Http, KeyScheme, Rejected};
use super::joint::{Joint, sendable};
use super::place::Purpose;
use super::secret::Secret;
use super::thread::Thread;
use super::{Answer, Ask, Provider, ProviderError};
use crate::model::{ModelInfo, ProviderConfig};
use decode::Chunks;
use dialect::Dialect;

/// What OpenAI itself is called; its newer models have parameters of their own.
const OPENAI: &str = "api.openai.com";
/// So often a question is asked in another form before its refusal counts.
const MAX_FORMS: usize = 4;

/// A provider that speaks OpenAI's chat completions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OpenAi {
    endpoint: Endpoint,
    /// What was learnt of each model, until the program ends.
    learnt: Arc<Mutex<HashMap<String, Dialect>>>,
}

impl OpenAi {
    /// A provider as configured. A mistake in the configuration comes back from the first request.
    pub fn new(config: &ProviderConfig, key: Option<Secret>, http: Http) -> Self {
        Self {
            endpoint: Endpoint::new(config, key, KeyScheme::Bearer, http),
            learnt: Arc::default(),
        }
    }

    async fn open(self, ask: Ask) -> Answer {
        let mut thread = Thread::of(&ask);
        let prefill = ask.prefill.as_deref().filter(|text| !text.is_empty());
        let joint = match prefill {
            Some(text) if !sendable(text).is_empty() => Joint::asked(text, &mut thread),
            Some(text) => Joint::native(text),
            None => Joint::default(),
        };
        match self.send(&ask, &thread).await {
            Ok(response) => Reader {
                decoder: Chunks,
                place: self.endpoint.place(Purpose::Answer),
                timeouts: self.endpoint.timeouts().clone(),
                joint,
                taken: prefill.map_or(0, str::len),
            }
            .read(response),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    /// Asks, in another form where the server does not understand the first.
    async fn send(&self, ask: &Ask, thread: &Thread) -> Result<Response, ProviderError> {
        let mut dialect = self.dialect(&ask.model);
        for _ in 1..MAX_FORMS {
            match self.post(ask, thread, &dialect).await {
                Err(Rejected::Refused(reply, after)) => match dialect.learn(&reply) {
                    Some(other) => dialect = other,
                    None => return Err(self.refused(Rejected::Refused(reply, after))),
                },
                Err(failed) => return Err(self.refused(failed)),
                Ok(response) => {
                    self.lock().insert(ask.model.clone(), dialect);
                    return Ok(response);
                }
            }
        }
        self.post(ask, thread, &dialect).await.map_err(|rejected| self.refused(rejected))
    }

    async fn post(
        &self,
        ask: &Ask,
        thread: &Thread,
        dialect: &Dialect,
    ) -> Result<Response, Rejected> {
        self.endpoint.post("chat/completions", &[], &body(ask, thread, dialect)).await
    }

    fn dialect(&self, model: &str) -> Dialect {
        let usual =
            if self.endpoint.is_host(OPENAI) { Dialect::openai() } else { Dialect::usual() };
        self.lock().get(model).cloned().unwrap_or(usual)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Dialect>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, rejected: Rejected) -> ProviderError {
        rejected.error(&self.endpoint.place(Purpose::Answer))
    }
}

#[async_trait::async_trait]
impl Provider for OpenAi {
    fn ask(&self, ask: Ask, stop: CancellationToken) -> Answer {
        let open = self.clone().open(ask);
        stream::once(open).flatten().take_until(stop.cancelled_owned()).boxed()
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, ProviderError> {
        listing::models(&self.endpoint).await
    }

    async fn reachable(&self) -> bool {
        self.endpoint.reachable().await
    }
}

fn body(ask: &Ask, thread: &Thread, dialect: &Dialect) -> Value {
    let system = thread.system.iter().map(|text| json!({ "role": "system", "content": text }));
    let turns =
        thread.turns.iter().map(|said| json!({ "role": said.by.role(), "content": said.text }));
    let messages: Vec<Value> = system.chain(turns).collect();
    let mut body = json!({ "model": ask.model, "messages": messages, "stream": true });
    dialect.apply(ask, &mut body);
    body
}
