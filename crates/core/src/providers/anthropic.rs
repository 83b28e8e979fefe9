//! Anthropic's messages API.
//!
//! Turns must alternate, begin with the person's and not be empty ([`Thread`] sees to most of it),
//! and a limit of tokens is required. Continue goes out as a beginning of the model's own turn where
//! the model takes one; models from Claude 4.6 on refuse that and are asked in words instead.

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
use super::thread::{Said, Speaker, Thread};
use super::{Answer, Ask, Provider, ProviderError};
use crate::model::{ModelInfo, ProviderConfig};
use decode::Events;
use dialect::Dialect;

/// The version of the API that is spoken.
const VERSION: [(&str, &str); 1] = [("anthropic-version", "2023-06-01")];
/// So often a question is asked in another form before its refusal counts.
const MAX_FORMS: usize = 4;

/// Anthropic, or a gateway that speaks like it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Anthropic {
    endpoint: Endpoint,
    /// What was learnt of each model, until the program ends.
    learnt: Arc<Mutex<HashMap<String, Dialect>>>,
}

impl Anthropic {
    /// A provider as configured. A mistake in the configuration comes back from the first request.
    pub fn new(config: &ProviderConfig, key: Option<Secret>, http: Http) -> Self {
        Self {
            endpoint: Endpoint::new(config, key, KeyScheme::ApiKey, http),
            learnt: Arc::default(),
        }
    }

    async fn open(self, ask: Ask) -> Answer {
        match self.send(&ask).await {
            Ok((response, joint)) => Reader {
                decoder: Events::default(),
                place: self.endpoint.place(Purpose::Answer),
                timeouts: self.endpoint.timeouts().clone(),
                joint,
                taken: ask.prefill.as_deref().map_or(0, str::len),
            }
            .read(response),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    /// Asks, in another form where the model does not understand the first.
    async fn send(&self, ask: &Ask) -> Result<(Response, Joint), ProviderError> {
        let mut dialect = self.lock().get(&ask.model).cloned().unwrap_or_default();
        let place = self.endpoint.place(Purpose::Answer);
        let mut forms = 1;
        loop {
            let (thread, joint) = prepared(ask, &dialect);
            let body = body(ask, &thread, &dialect);
            let rejected = match self.endpoint.post("messages", &VERSION, &body).await {
                Ok(response) => {
                    self.lock().insert(ask.model.clone(), dialect);
                    return Ok((response, joint));
                }
                Err(rejected) => rejected,
            };
            let other = match &rejected {
                Rejected::Refused(reply, _) if forms < MAX_FORMS => dialect.learn(ask, reply),
                _ => None,
            };
            dialect = other.ok_or_else(|| rejected.error(&place))?;
            forms += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Dialect>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Provider for Anthropic {
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

/// The thread as this API takes it, and where the answer meets its beginning.
fn prepared(ask: &Ask, dialect: &Dialect) -> (Thread, Joint) {
    let mut thread = Thread::of(ask);
    let joint = match ask.prefill.as_deref().filter(|text| !text.is_empty()) {
        None => Joint::default(),
        Some(text) if sendable(text).is_empty() => Joint::native(text),
        Some(text) if dialect.prefill => {
            thread.say(Speaker::Model, sendable(text));
            Joint::native(text)
        }
        Some(text) => Joint::asked(text, &mut thread),
    };
    if thread.turns.first().is_some_and(|said| said.by == Speaker::Model) {
        // A thread that begins with the model's turn, such as an imported greeting.
        thread.turns.insert(0, Said { by: Speaker::Person, text: "Begin.".to_owned() });
    }
    (thread, joint)
}

fn body(ask: &Ask, thread: &Thread, dialect: &Dialect) -> Value {
    let turns: Vec<Value> = thread
        .turns
        .iter()
        .map(|said| json!({ "role": said.by.role(), "content": said.text }))
        .collect();
    let mut body = json!({ "model": ask.model, "messages": turns, "stream": true });
    if let Some(system) = &thread.system {
        body["system"] = json!(system);
    }
    dialect.apply(ask, &mut body);
    body
}

#[cfg(test)]
mod tests {
    use super::super::Turn;
    use super::*;
    use crate::model::Role;

    fn ask(turns: &[(Role, &str)], prefill: Option<&str>) -> Ask {
        Ask {
            model: "claude".to_owned(),
            system: Some("Be brief.".to_owned()),
            turns: turns
                .iter()
                .map(|(role, text)| Turn { role: *role, content: (*text).to_owned() })
                .collect(),
            prefill: prefill.map(str::to_owned),
            max_tokens: None,
            temperature: None,
        }
    }

    fn roles(ask: &Ask, dialect: &Dialect) -> Vec<(String, String)> {
        let (thread, _) = prepared(ask, dialect);
        let body = body(ask, &thread, dialect);
        let text = |turn: &Value, name: &str| turn[name].as_str().unwrap_or_default().to_owned();
        let turns = body["messages"].as_array().expect("turns").iter();
        turns.map(|turn| (text(turn, "role"), text(turn, "content"))).collect()
    }

    fn pair(role: &str, text: &str) -> (String, String) {
        (role.to_owned(), text.to_owned())
    }

    #[test]
    fn a_beginning_is_the_models_own_turn_without_trailing_blanks() {
        let ask = ask(&[(Role::User, "Hi")], Some("Hello \n"));
        let turns = roles(&ask, &Dialect::default());
        assert_eq!(turns, [pair("user", "Hi"), pair("assistant", "Hello")]);
    }

    #[test]
    fn a_model_that_takes_no_beginning_is_asked_in_words() {
        let dialect = Dialect { prefill: false, ..Dialect::default() };
        let turns = roles(&ask(&[(Role::User, "Hi")], Some("Hello ")), &dialect);
        assert_eq!(turns[1], pair("assistant", "Hello"));
        assert!(turns[2].0 == "user" && turns[2].1.ends_with("\nHello"));
    }

    #[test]
    fn the_first_turn_is_always_the_persons() {
        let turns =
            roles(&ask(&[(Role::Assistant, "a"), (Role::User, "b")], None), &Dialect::default());
        assert_eq!(
            turns.iter().map(|turn| turn.0.as_str()).collect::<Vec<_>>(),
            ["user", "assistant", "user"]
        );
    }

    #[test]
    fn a_beginning_of_blanks_is_not_sent() {
        let turns = roles(&ask(&[(Role::User, "Hi")], Some(" \n")), &Dialect::default());
        assert_eq!(turns, [pair("user", "Hi")]);
    }
}
