//! A body as server-sent events, with limits.
//!
//! The crate eventsource-stream parses. What it leaves to others happens before it: a limit to the
//! size of one event and of the whole, a limit to silence, and whole lines only, so that a body
//! that comes byte by byte is not parsed anew with every byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use eventsource_stream::{Event, EventStream, EventStreamError};
use futures::stream::{BoxStream, Stream, StreamExt, try_unfold};

/// No event of a provider comes near it.
const MAX_EVENT_BYTES: usize = 1 << 20;
/// Of everything, comments and signs of life included.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Bytes as they arrive.
pub(crate) type Body = BoxStream<'static, Result<Vec<u8>, Broken>>;

/// Why there are no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The connection ended, or nothing came for too long.
    Cut,
    /// What came cannot be read.
    Garbled,
}

/// How long silence may last, which changes while an answer is read.
#[derive(Debug, Clone)]
pub(crate) struct Pace(Arc<AtomicU64>);

impl Pace {
    pub(crate) fn new(silence: Duration) -> Self {
        let pace = Self(Arc::default());
        pace.set(silence);
        pace
    }

    pub(crate) fn set(&self, silence: Duration) {
        let millis = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
        self.0.store(millis, Ordering::Relaxed);
    }

    pub(crate) fn silence(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// The events of a body. The last one counts even without the blank line after it: some servers
/// forget it after `[DONE]`.
pub(crate) fn events(body: Body, pace: Pace) -> impl Stream<Item = Result<Event, Broken>> + Send {
    let gate = Gate { body, pace, held: Vec::new(), size: Size::default(), open: true };
    let lines = try_unfold(gate, |mut gate| async move {
        Ok::<_, Broken>(gate.lines().await?.map(|lines| (lines, gate)))
    });
    EventStream::new(lines.boxed()).map(|event| {
        event.map_err(|error| match error {
            EventStreamError::Transport(broken) => broken,
            EventStreamError::Utf8(_) | EventStreamError::Parser(_) => Broken::Garbled,
        })
    })
}

/// Lets whole lines through.
struct Gate {
    body: Body,
    pace: Pace,
    held: Vec<u8>,
    size: Size,
    open: bool,
}

impl Gate {
    async fn lines(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        while self.open {
            let next = tokio::time::timeout(self.pace.silence(), self.body.next());
            match next.await.map_err(|_| Broken::Cut)? {
                Some(chunk) => self.hold(&chunk?)?,
                None => {
                    self.open = false;
                    self.held.extend_from_slice(b"\n\n");
                }
            }
            if let Some(end) = last_line_end(&self.held) {
                let rest = self.held.split_off(end);
                return Ok(Some(std::mem::replace(&mut self.held, rest)));
            }
        }
        Ok(None)
    }

    fn hold(&mut self, chunk: &[u8]) -> Result<(), Broken> {
        self.size.add(chunk);
        if self.size.event > MAX_EVENT_BYTES || self.size.all > MAX_BODY_BYTES {
            return Err(Broken::Garbled);
        }
        self.held.extend_from_slice(chunk);
        Ok(())
    }
}

/// Where the last whole line ends. A CR at the very end waits for the LF that may follow.
fn last_line_end(held: &[u8]) -> Option<usize> {
    let decided = held.strip_suffix(b"\r").unwrap_or(held);
    decided.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map(|at| at + 1)
}

/// Counts bytes of the event that is arriving, and of all.
#[derive(Default)]
struct Size {
    all: usize,
    event: usize,
    line: usize,
    after_cr: bool,
}

impl Size {
    fn add(&mut self, chunk: &[u8]) {
        self.all += chunk.len();
        for byte in chunk {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' if self.line == 0 => self.event = 0,
                b'\n' | b'\r' => self.line = 0,
                _ => self.line += 1,
            }
            self.event += 1;
            self.after_cr = *byte == b'\r';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    async fn read(chunks: Vec<Vec<u8>>) -> Vec<Result<String, Broken>> {
        let body = stream::iter(chunks.into_iter().map(Ok)).boxed();
        let events = events(body, Pace::new(Duration::from_secs(1)));
        events.map(|event| event.map(|event| event.data)).collect().await
    }

    fn datas(datas: &[&str]) -> Vec<Result<String, Broken>> {
        datas.iter().map(|data| Ok((*data).to_owned())).collect()
    }

    #[tokio::test]
    async fn cuts_between_any_two_bytes_change_nothing() {
        for text in [
            "data: ü\n\n: life\n\nevent: x\ndata: b\ndata: c\n\n",
            "data: ü\r\n\r\n: life\r\n\r\nevent: x\r\ndata: b\r\ndata: c\r\n\r\n",
            "data: ü\r\r: life\r\revent: x\rdata: b\rdata: c\r\r",
        ] {
            for cut in 0..=text.len() {
                let (a, b) = text.as_bytes().split_at(cut);
                let events = read(vec![a.to_vec(), b.to_vec()]).await;
                assert_eq!(events, datas(&["ü", "b\nc"]), "{text:?} at {cut}");
            }
            let bytes = text.bytes().map(|byte| vec![byte]).collect();
            assert_eq!(read(bytes).await, datas(&["ü", "b\nc"]), "{text:?} byte by byte");
        }
    }

    #[tokio::test]
    async fn the_last_event_needs_no_blank_line() {
        assert_eq!(read(vec![b"data: a\n\ndata: [DONE]".to_vec()]).await, datas(&["a", "[DONE]"]));
    }

    #[tokio::test]
    async fn an_event_that_never_ends_is_garbled_long_before_memory_is() {
        let line = [b"data: ".to_vec(), vec![b'x'; 60_000], b"\n".to_vec()].concat();
        let events = read(vec![line; 40]).await;
        assert_eq!(events, vec![Err(Broken::Garbled)]);
        let no_line_end = read(vec![vec![b'x'; 100_000]; 40]).await;
        assert_eq!(no_line_end, vec![Err(Broken::Garbled)]);
    }

    #[tokio::test]
    async fn many_events_are_no_large_event() {
        let event = [b"data: ".to_vec(), vec![b'x'; 60_000], b"\n\n".to_vec()].concat();
        assert_eq!(read(vec![event; 40]).await.len(), 40);
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_garbled() {
        assert_eq!(read(vec![b"data: \xff\xff\n\n".to_vec()]).await, vec![Err(Broken::Garbled)]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_a_cut() {
        let body = stream::iter([Ok(b"data: a\n\n".to_vec())]).chain(stream::pending()).boxed();
        let events: Vec<_> = events(body, Pace::new(Duration::from_secs(60)))
            .map(|event| event.map(|event| event.data))
            .collect()
            .await;
        assert_eq!(events, vec![Ok("a".to_owned()), Err(Broken::Cut)]);
    }
}
