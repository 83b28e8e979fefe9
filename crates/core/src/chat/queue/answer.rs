//! One answer, from the question to its final state.

use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::plan::backoff_ms;
use super::{Queue, STORE_EVERY, on_disk, style};
use crate::chat::{prompt, send};
use crate::error::{Code, Failure};
use crate::mirror::messages::{self, Progress};
use crate::mirror::send_queue::{self, Turn};
use crate::mirror::{Error, conversations, thread, usage};
use crate::model::{MAX_MESSAGE_BYTES, Message, MessageId, MessageState, ModelInfo, UsageId};
use crate::providers::{Ask, EndReason, Piece, Provider, ProviderError};

/// Messages of a branch that a model is told at most.
const MAX_TURNS: u32 = 2_000;

/// What the model is asked, and who answers.
struct Prepared {
    answer: Message,
    ask: Ask,
    attempts: i64,
    provider: Arc<dyn Provider>,
    info: ModelInfo,
}

/// How the stream ended.
enum Outcome {
    Done,
    Stopped,
    /// The model reached its limit of tokens: whole as far as it goes, and Continue goes on.
    Full,
    Failed(ProviderError),
    /// The entry left the queue while the answer arrived: another process stopped it.
    Gone,
}

/// What has arrived so far.
struct Arrived {
    text: String,
    began: Instant,
    first_token_ms: Option<i64>,
    tokens_in: Option<i64>,
    tokens_out: Option<i64>,
}

impl Queue {
    /// Asks for one answer; every way out of here has been stored.
    pub(super) async fn ask(&self, id: MessageId) {
        let stop = self.inner.tasks.stop_token();
        let queue = self.clone();
        let stored = match on_disk(move || queue.prepare(id)).await {
            Ok(Some(Ok(prepared))) => self.stream(prepared, stop).await,
            Ok(Some(Err((attempts, failure)))) => self.park(id, attempts, failure).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = stored {
            tracing::error!(%error, "an answer's state could not be stored; it is tried again");
        }
    }

    /// Claims the entry and reads what to ask. `None` where there is nothing to do.
    #[allow(clippy::type_complexity)]
    fn prepare(&self, id: MessageId) -> Result<Option<Result<Prepared, (i64, Failure)>>, Error> {
        let me = self.runner();
        let mirror = &self.inner.mirror;
        let claimed = mirror.write(|write| {
            let Some(entry) = send_queue::get(&write.tx, id)? else { return Ok(None) };
            // The command line asks without a plan, and may come while the window is asking.
            if send_queue::first(&write.tx, entry.conversation_id)? != Some(id) {
                return Ok(None);
            }
            let dead = entry.runner.filter(|runner| !self.inner.instance.is_alive(*runner));
            if !send_queue::claim(write, id, me, dead)? {
                return Ok(None);
            }
            messages::progress(
                write,
                id,
                &Progress { state: Some(MessageState::Sending), ..Progress::default() },
            )?;
            Ok(Some(entry))
        })?;
        let Some(entry) = claimed else { return Ok(None) };
        let (answer, branch, style) = mirror.read(|connection| {
            let answer = messages::get(connection, id)?;
            let branch = match answer.parent_id {
                Some(parent) => thread::up_from(connection, parent, MAX_TURNS)?,
                None => Vec::new(),
            };
            let conversation = conversations::get(connection, answer.conversation_id)?;
            Ok((answer, branch, style(connection, conversation.system_prompt)?))
        })?;
        let Some(model) = answer.model.clone() else {
            return Ok(Some(Err((entry.attempts, no_model()))));
        };
        let provider = match self.inner.models.provider(&model) {
            Ok(provider) => provider,
            Err(failure) => return Ok(Some(Err((entry.attempts, failure)))),
        };
        let ask = prompt::build(&branch, &answer, &model, style);
        let info = self.inner.models.info(&model);
        Ok(Some(Ok(Prepared { answer, ask, attempts: entry.attempts, provider, info })))
    }

    async fn stream(&self, prepared: Prepared, stop: CancellationToken) -> Result<(), Error> {
        let Prepared { answer, ask, attempts, provider, info } = prepared;
        let id = answer.id;
        self.inner.streams.begin(id, answer.content.clone(), stop.clone());
        let mut arrived = Arrived {
            text: answer.content.clone(),
            began: Instant::now(),
            first_token_ms: None,
            tokens_in: None,
            tokens_out: None,
        };
        let outcome = self.receive(id, provider.ask(ask, stop.clone()), &mut arrived, &stop).await;
        let spoke = arrived.text.len() > answer.content.len();
        let waits = matches!(outcome, Outcome::Failed(_)) && !spoke;
        let result = self.store_outcome(&answer, attempts, arrived, &info, outcome).await;
        self.inner.streams.end(id);
        // Who pressed stop while a retry was being stored must not see it tried again.
        if waits && stop.is_cancelled() && !self.inner.tasks.is_closing() {
            self.stop_waiting(id).await?;
        }
        result
    }

    async fn stop_waiting(&self, id: MessageId) -> Result<(), Error> {
        let queue = self.clone();
        on_disk(move || {
            queue.inner.mirror.write(|write| match messages::get(&write.tx, id) {
                Ok(answer) => send::stop_waiting(write, &answer),
                Err(Error::NotFound(_)) => Ok(()),
                Err(error) => Err(error),
            })
        })
        .await
    }

    /// Reads the stream to its end, storing as it goes.
    async fn receive(
        &self,
        id: MessageId,
        mut pieces: crate::providers::Answer,
        arrived: &mut Arrived,
        stop: &CancellationToken,
    ) -> Outcome {
        let mut store = tokio::time::interval(STORE_EVERY);
        store.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stored = arrived.text.len();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Outcome::Stopped,
                piece = pieces.next() => match piece {
                    None if stop.is_cancelled() => return Outcome::Stopped,
                    None => return Outcome::Failed(cut_off()),
                    Some(Err(error)) => return Outcome::Failed(error),
                    Some(Ok(Piece::End(reason))) => return ended(reason),
                    Some(Ok(Piece::Usage { tokens_in, tokens_out })) => {
                        arrived.tokens_in = tokens_in.map(i64::from).or(arrived.tokens_in);
                        arrived.tokens_out = tokens_out.map(i64::from).or(arrived.tokens_out);
                    }
                    Some(Ok(Piece::Text(text))) => {
                        let first = arrived.first_token_ms.is_none();
                        let whole = self.take_text(id, arrived, &text);
                        // From the first word on the row says "streaming", whatever happens next.
                        if first && !self.store_now(id, arrived, &mut stored).await {
                            return Outcome::Gone;
                        }
                        if !whole {
                            return Outcome::Done;
                        }
                    }
                },
                // A silent answer may be stopped by another process too.
                _ = store.tick() => if !(self.store_now(id, arrived, &mut stored).await
                    && self.is_mine(id).await)
                {
                    return Outcome::Gone;
                },
            }
        }
    }

    /// Adds what fits. `false` where not all did: the answer is full.
    fn take_text(&self, id: MessageId, arrived: &mut Arrived, text: &str) -> bool {
        let clean = crate::chat::body::without_nul(text);
        let room = MAX_MESSAGE_BYTES.saturating_sub(arrived.text.len());
        let fits =
            (0..=clean.len().min(room)).rev().find(|at| clean.is_char_boundary(*at)).unwrap_or(0);
        if arrived.first_token_ms.is_none() {
            arrived.first_token_ms = i64::try_from(arrived.began.elapsed().as_millis()).ok();
        }
        arrived.text.push_str(&clean[..fits]);
        self.inner.streams.push(id, &clean[..fits]);
        fits == clean.len()
    }

    /// Stores what has arrived since the last time. `false` where the entry has left the queue.
    async fn store_now(&self, id: MessageId, arrived: &Arrived, stored: &mut usize) -> bool {
        if arrived.text.len() == *stored {
            return true;
        }
        match self.store_text(id, arrived).await {
            Ok(mine) => {
                *stored = arrived.text.len();
                mine
            }
            // What could not be stored now is stored at the end, or said then.
            Err(error) => {
                tracing::warn!(%error, "text that arrived could not be stored yet");
                true
            }
        }
    }

    /// Whether this process still has the entry; when in doubt, it has.
    async fn is_mine(&self, id: MessageId) -> bool {
        let queue = self.clone();
        let entry =
            on_disk(move || queue.inner.mirror.read(|connection| send_queue::get(connection, id)));
        let me = self.runner();
        entry.await.map_or(true, |entry| entry.is_some_and(|entry| entry.runner == Some(me)))
    }

    /// Stores the text so far as `streaming`. `false` where the entry has left the queue.
    async fn store_text(&self, id: MessageId, arrived: &Arrived) -> Result<bool, Error> {
        let queue = self.clone();
        let progress = Progress {
            content: Some(arrived.text.clone()),
            state: Some(MessageState::Streaming),
            first_token_ms: arrived.first_token_ms,
            ..Progress::default()
        };
        on_disk(move || {
            queue.inner.mirror.write(|write| {
                let mine = send_queue::get(&write.tx, id)?
                    .is_some_and(|entry| entry.runner == Some(queue.runner()));
                if mine {
                    messages::progress(write, id, &progress)?;
                }
                Ok(mine)
            })
        })
        .await
    }

    async fn store_outcome(
        &self,
        answer: &Message,
        attempts: i64,
        arrived: Arrived,
        info: &ModelInfo,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let spoke = arrived.text.len() > answer.content.len();
        let finish = matches!(outcome, Outcome::Full).then_some("length");
        let state = match outcome {
            Outcome::Gone => return Ok(()),
            Outcome::Done => MessageState::Done,
            Outcome::Stopped if self.inner.tasks.is_closing() && !spoke => {
                let turn = Turn { attempts, ..Turn::default() };
                let (queue, id) = (self.clone(), answer.id);
                return on_disk(move || queue.set(id, MessageState::Queued, &turn).map(|_| ()))
                    .await;
            }
            Outcome::Stopped if self.inner.tasks.is_closing() => MessageState::Interrupted,
            Outcome::Stopped | Outcome::Full => MessageState::Stopped,
            Outcome::Failed(_) if spoke => MessageState::Interrupted,
            Outcome::Failed(ProviderError::NeedsYou(failure)) => {
                return self.park(answer.id, attempts, failure).await;
            }
            Outcome::Failed(ProviderError::Unreachable(failure)) => {
                return self.later(answer.id, MessageState::Queued, attempts, None, failure).await;
            }
            Outcome::Failed(ProviderError::Retry { after, failure }) => {
                return self
                    .later(answer.id, MessageState::Retrying, attempts, after, failure)
                    .await;
            }
        };
        self.finish(answer, arrived, info, state, finish).await
    }

    /// Stores the final text and state, what it took, and takes the entry out: one transaction.
    async fn finish(
        &self,
        answer: &Message,
        arrived: Arrived,
        info: &ModelInfo,
        state: MessageState,
        finish: Option<&'static str>,
    ) -> Result<(), Error> {
        let (queue, id, info) = (self.clone(), answer.id, info.clone());
        on_disk(move || {
            let mirror = &queue.inner.mirror;
            let usage_id = UsageId(mirror.clock().new_id());
            mirror.write(|write| {
                if !send_queue::remove(write, id)? {
                    return Ok(());
                }
                let progress = Progress {
                    content: Some(arrived.text.clone()),
                    state: Some(state),
                    model: None,
                    tokens_in: arrived.tokens_in,
                    tokens_out: arrived.tokens_out,
                    first_token_ms: arrived.first_token_ms,
                    cost_micros: cost_micros(&info, arrived.tokens_in, arrived.tokens_out),
                    finish,
                };
                messages::progress(write, id, &progress)?;
                let answer = messages::get(&write.tx, id)?;
                usage::log(write, usage_id, &answer)
            })
        })
        .await
    }

    /// Asks again later; nothing of the answer has arrived.
    async fn later(
        &self,
        id: MessageId,
        state: MessageState,
        attempts: i64,
        after: Option<std::time::Duration>,
        failure: Failure,
    ) -> Result<(), Error> {
        let attempts = attempts + 1;
        let wait = match after {
            // A server that asks for more than a day is asked again after a day.
            Some(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX).min(86_400_000),
            None => backoff_ms(attempts, jitter()),
        };
        let retry_at = self.inner.mirror.clock().now().plus_ms(wait);
        let turn =
            Turn { attempts, retry_at: Some(retry_at), failure: Some(failure), ..Turn::default() };
        let queue = self.clone();
        on_disk(move || queue.set(id, state, &turn).map(|_| ())).await
    }

    /// Waits for a person.
    async fn park(&self, id: MessageId, attempts: i64, failure: Failure) -> Result<(), Error> {
        let turn = Turn { attempts: attempts + 1, failure: Some(failure), ..Turn::default() };
        let queue = self.clone();
        on_disk(move || queue.set(id, MessageState::NeedsYou, &turn).map(|_| ())).await
    }
}

fn ended(reason: EndReason) -> Outcome {
    match reason {
        EndReason::Length => Outcome::Full,
        EndReason::Complete | EndReason::Filtered => Outcome::Done,
    }
}

fn cut_off() -> ProviderError {
    ProviderError::Retry {
        after: None,
        failure: Failure::new(
            Code::Interrupted,
            "The answer broke off before it began. Your message is saved.",
        ),
    }
}

fn no_model() -> Failure {
    Failure::new(Code::ModelMissing, "No model is chosen. Your message is saved.")
        .hint("Choose a model below the message, or add one under Settings → Models.")
}

/// Cost in millionths of a US dollar, rounded up; none where a price or a count is unknown.
fn cost_micros(info: &ModelInfo, tokens_in: Option<i64>, tokens_out: Option<i64>) -> Option<i64> {
    let part =
        |price: Option<i64>, tokens: Option<i64>| Some(i128::from(price?) * i128::from(tokens?));
    let millionths =
        part(info.price_in_micros, tokens_in)? + part(info.price_out_micros, tokens_out)?;
    i64::try_from((millionths + 999_999) / 1_000_000).ok()
}

fn jitter() -> f64 {
    let mut byte = [0];
    // Without random numbers clients return together, which is a nuisance and no fault.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_rounded_up_and_unknown_where_a_price_is() {
        let info = ModelInfo {
            price_in_micros: Some(3_000_000),
            price_out_micros: Some(15_000_000),
            ..Default::default()
        };
        assert_eq!(cost_micros(&info, Some(1000), Some(100)), Some(4500));
        assert_eq!(cost_micros(&info, Some(0), Some(1)), Some(15));
        assert_eq!(cost_micros(&info, None, Some(1)), None);
        assert_eq!(cost_micros(&ModelInfo::default(), Some(1), Some(1)), None);
    }
}
