//! Reading an answer, whoever gives it: from a response to [`Piece`]s.
//!
//! A [`Decoder`] knows what one provider's events mean and nothing else. What holds for all is
//! here: what counts as an answer, how large it may become, and what a break means before and
//! after text has come.

use std::collections::VecDeque;
use std::pin::Pin;

use eventsource_stream::Event;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use reqwest::Response;
use serde_json::Value;

use super::fault::{Fault, Reply, is_html};
use super::http::{Timeouts, says_html};
use super::joint::Joint;
use super::lenient_json;
use super::place::Place;
use super::sse::{self, Body, Broken, Pace};
use super::{EndReason, Piece, ProviderError};
use crate::model::MAX_MESSAGE_BYTES;

/// An answer that comes as one JSON document is not larger: every byte of text may take six.
const MAX_WHOLE_BYTES: usize = 8 << 20;

/// What an event of a provider means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// More of the answer.
    Text(String),
    /// Tokens so far.
    Usage {
        /// Of the prompt.
        tokens_in: Option<u32>,
        /// Of the answer.
        tokens_out: Option<u32>,
    },
    /// The answer is complete; usage may still come.
    Ended(EndReason),
    /// Nothing more comes.
    Closed,
}

/// What a provider's events mean. Errors are recognised before it is asked.
pub(crate) trait Decoder: Send + 'static {
    /// One event of a stream.
    fn event(&mut self, data: &Value) -> Vec<Step>;
    /// An answer that came whole, although a stream was asked for.
    fn whole(&mut self, answer: &Value) -> Vec<Step>;
}

/// All that reading an answer needs beside the response.
pub(crate) struct Reader<D> {
    /// What the events mean.
    pub(crate) decoder: D,
    /// Who answers, for the sentences.
    pub(crate) place: Place,
    /// How long silence may last.
    pub(crate) timeouts: Timeouts,
    /// Where the answer meets the beginning that it continues.
    pub(crate) joint: Joint,
    /// How many bytes of the message the beginning takes.
    pub(crate) taken: usize,
}

impl<D: Decoder> Reader<D> {
    /// Reads to the end. At most one error, and nothing after it.
    pub(crate) fn read(self, response: Response) -> BoxStream<'static, Item> {
        let pace = Pace::new(self.timeouts.thinking);
        let open = async move {
            let opened = open(response, &pace).await;
            let mut reading = Reading::new(self, pace.clone());
            match opened {
                Ok(Opened::Stream(body)) => {
                    reading.events = Some(Box::pin(sse::events(body, pace)))
                }
                Ok(Opened::Whole(json)) => reading.whole(&json),
                Err(fault) => reading.fail(fault),
            }
            stream::unfold(reading, |mut reading| async move {
                reading.next().await.map(|piece| (piece, reading))
            })
        };
        stream::once(open).flatten().boxed()
    }
}

enum Opened {
    Stream(Body),
    Whole(Value),
}

/// Looks at the first bytes rather than at the content type, which servers get wrong.
async fn open(response: Response, pace: &Pace) -> Result<Opened, Fault> {
    if says_html(response.headers()) {
        return Err(Fault::Portal);
    }
    let mut body: Body = response
        .bytes_stream()
        .map(|chunk| chunk.map(|bytes| bytes.to_vec()).map_err(|_| Broken::Cut))
        .boxed();
    let mut start = Vec::new();
    while start.iter().all(u8::is_ascii_whitespace) && start.len() < 1024 {
        match next(&mut body, pace).await? {
            Some(chunk) => start.extend(chunk),
            None => break,
        }
    }
    let first = start.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
    match first {
        _ if is_html(&start) => Err(Fault::Portal),
        Some(b'{' | b'[') => whole(start, body, pace).await.map(Opened::Whole),
        _ => Ok(Opened::Stream(stream::once(async { Ok(start) }).chain(body).boxed())),
    }
}

async fn whole(mut start: Vec<u8>, mut body: Body, pace: &Pace) -> Result<Value, Fault> {
    while let Some(chunk) = next(&mut body, pace).await? {
        start.extend(chunk);
        if start.len() > MAX_WHOLE_BYTES {
            return Err(Fault::Busy);
        }
    }
    let text = std::str::from_utf8(&start).map_err(|_| Fault::Busy)?;
    lenient_json::parse(text).ok_or(Fault::Busy)
}

async fn next(body: &mut Body, pace: &Pace) -> Result<Option<Vec<u8>>, Fault> {
    let chunk = tokio::time::timeout(pace.silence(), body.next()).await;
    chunk.map_err(|_| Fault::Unreachable)?.transpose().map_err(|_| Fault::Unreachable)
}

/// What the stream of an answer yields.
pub(crate) type Item = Result<Piece, ProviderError>;

type Events = Pin<Box<dyn Stream<Item = Result<Event, Broken>> + Send>>;

/// An answer while it is read.
struct Reading<D> {
    reader: Reader<D>,
    pace: Pace,
    events: Option<Events>,
    /// What is to be handed out.
    ready: VecDeque<Item>,
    /// Bytes that still fit into the message.
    room: usize,
    /// Whether text has come.
    begun: bool,
    /// How the answer ended, once that was told.
    ended: Option<EndReason>,
    /// Whether the last piece is in `ready`.
    over: bool,
}

impl<D: Decoder> Reading<D> {
    fn new(reader: Reader<D>, pace: Pace) -> Self {
        let room = MAX_MESSAGE_BYTES.saturating_sub(reader.taken);
        Self {
            reader,
            pace,
            events: None,
            ready: VecDeque::new(),
            room,
            begun: false,
            ended: None,
            over: false,
        }
    }

    async fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece);
            }
            if self.over {
                return None;
            }
            match self.events.as_mut()?.next().await {
                Some(Ok(event)) => self.event(&event),
                Some(Err(broken)) => self.broke(broken),
                None => self.broke(Broken::Cut),
            }
        }
    }

    fn event(&mut self, event: &Event) {
        let data = event.data.trim();
        if data == "[DONE]" {
            return self.finish();
        }
        // `event: ping` without data is no event; data that is blank says nothing.
        if data.is_empty() {
            return;
        }
        let Some(json) = lenient_json::parse(data) else {
            return self.broke(Broken::Garbled);
        };
        match error_in(&json) {
            Some(fault) => self.fail(fault),
            None => {
                let steps = self.reader.decoder.event(&json);
                self.take(steps);
            }
        }
    }

    fn whole(&mut self, json: &Value) {
        if let Some(fault) = error_in(json) {
            return self.fail(fault);
        }
        let steps = self.reader.decoder.whole(json);
        let is_answer = steps.iter().any(|step| matches!(step, Step::Text(_) | Step::Ended(_)));
        self.take(steps);
        match is_answer {
            true => self.finish(),
            false => self.fail(Fault::Busy),
        }
    }

    fn take(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Text(text) => {
                    let text = self.reader.joint.pass(&text);
                    self.text(text);
                }
                Step::Usage { tokens_in, tokens_out } => {
                    self.ready.push_back(Ok(Piece::Usage { tokens_in, tokens_out }));
                }
                Step::Ended(reason) => {
                    self.ended = Some(reason);
                    self.pace.set(self.reader.timeouts.tail);
                }
                Step::Closed => self.finish(),
            }
        }
    }

    fn text(&mut self, text: String) {
        if text.is_empty() || self.over {
            return;
        }
        if !self.begun {
            self.begun = true;
            self.pace.set(self.reader.timeouts.idle);
        }
        let fits = text.floor_char_boundary(self.room);
        self.room -= fits;
        if fits > 0 {
            // No message holds U+0000: columns of JSON and text elsewhere cannot.
            let text = text[..fits].replace('\0', "\u{fffd}");
            self.ready.push_back(Ok(Piece::Text(text)));
        }
        if fits < text.len() {
            self.ended = Some(EndReason::Length);
            self.finish();
        }
    }

    /// The stream is over, by a word or by a break; what that means depends on what came.
    fn broke(&mut self, broken: Broken) {
        match (self.ended, broken) {
            // All of the answer is here; only the goodbye is missing.
            (Some(_), _) => self.finish(),
            (None, Broken::Cut) => self.fail(Fault::Unreachable),
            (None, Broken::Garbled) => self.fail(Fault::Busy),
        }
    }

    fn finish(&mut self) {
        self.flush();
        if !self.over {
            self.over = true;
            self.ready.push_back(Ok(Piece::End(self.ended.unwrap_or(EndReason::Complete))));
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.flush();
        if self.over {
            return;
        }
        self.over = true;
        let place = &self.reader.place;
        tracing::info!(host = place.host, ?fault, begun = self.begun, "the answer ended early");
        self.ready.push_back(match (self.begun, fault) {
            (true, Fault::Filtered) => Ok(Piece::End(EndReason::Filtered)),
            // Half an answer is neither asked for again by itself nor thrown away.
            (true, _) => Err(Fault::Interrupted.error(place, None)),
            (false, _) => Err(fault.error(place, None)),
        });
    }

    fn flush(&mut self) {
        let rest = self.reader.joint.finish();
        self.text(rest);
    }
}

/// What an error inside a stream, or with status 200, complains of.
fn error_in(json: &Value) -> Option<Fault> {
    let is_error = json.get("error").is_some_and(|error| !error.is_null())
        || json.get("type").is_some_and(|kind| kind == "error");
    is_error.then(|| Reply::in_stream(json).fault())
}
