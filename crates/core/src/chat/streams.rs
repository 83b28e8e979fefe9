//! Answers that are arriving in this process, for whoever wants to watch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::model::MessageId;
use crate::model::view::StreamEvent;

/// All answers that arrive here.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    live: Arc<Mutex<HashMap<MessageId, Live>>>,
}

struct Live {
    content: String,
    sender: broadcast::Sender<StreamEvent>,
    stop: CancellationToken,
}

impl std::fmt::Debug for Live {
    // Never what the model says.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

impl Streams {
    /// Begins an answer that starts with `content`. The token is cancelled by [`Streams::stop`].
    pub fn begin(&self, id: MessageId, content: String, stop: CancellationToken) {
        let live = Live { content, sender: broadcast::channel(256).0, stop };
        self.lock().insert(id, live);
    }

    /// Adds text to an answer and tells who follows it.
    pub fn push(&self, id: MessageId, text: &str) {
        if let Some(live) = self.lock().get_mut(&id) {
            live.content.push_str(text);
            let _ = live.sender.send(StreamEvent::Text { text: text.to_owned() });
        }
    }

    /// Ends an answer, after its final state was committed.
    pub fn end(&self, id: MessageId) {
        if let Some(live) = self.lock().remove(&id) {
            let _ = live.sender.send(StreamEvent::End);
        }
    }

    /// Asks an answer to stop. Tells whether it arrives here.
    pub fn stop(&self, id: MessageId) -> bool {
        self.lock().get(&id).map(|live| live.stop.cancel()).is_some()
    }

    /// Whether it arrives here.
    pub fn is_live(&self, id: MessageId) -> bool {
        self.lock().contains_key(&id)
    }

    /// Follows an answer that arrives here: the text so far, then what comes.
    pub fn follow(&self, id: MessageId) -> Option<Follower> {
        let live = self.lock();
        let live = live.get(&id)?;
        Some(Follower {
            id,
            streams: self.clone(),
            first: Some(live.content.clone()),
            receiver: live.sender.subscribe(),
        })
    }

    fn snapshot(&self, id: MessageId) -> Option<(String, broadcast::Receiver<StreamEvent>)> {
        self.lock().get(&id).map(|live| (live.content.clone(), live.sender.subscribe()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<MessageId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One follower's end.
#[derive(Debug)]
pub struct Follower {
    id: MessageId,
    streams: Streams,
    first: Option<String>,
    receiver: broadcast::Receiver<StreamEvent>,
}

impl Follower {
    /// The next event; `None` after [`StreamEvent::End`]. Who is too slow gets the whole text again.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        if let Some(content) = self.first.take() {
            return Some(StreamEvent::Snapshot { content });
        }
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(_)) => match self.streams.snapshot(self.id) {
                Some((content, receiver)) => {
                    self.receiver = receiver;
                    Some(StreamEvent::Snapshot { content })
                }
                None => Some(StreamEvent::End),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_follower_that_comes_late_gets_the_text_so_far_and_then_the_rest_once() {
        let (streams, id) = (Streams::default(), MessageId(uuid::Uuid::from_u128(1)));
        streams.begin(id, String::new(), CancellationToken::new());
        streams.push(id, "one ");
        let mut follower = streams.follow(id).expect("live");
        streams.push(id, "two");
        streams.end(id);
        let mut seen = Vec::new();
        while let Some(event) = follower.next().await {
            seen.push(event);
        }
        let text = |text: &str| StreamEvent::Text { text: text.into() };
        assert_eq!(
            seen,
            [StreamEvent::Snapshot { content: "one ".into() }, text("two"), StreamEvent::End]
        );
    }

    #[tokio::test]
    async fn a_follower_that_is_too_slow_gets_everything_again() {
        let (streams, id) = (Streams::default(), MessageId(uuid::Uuid::from_u128(1)));
        streams.begin(id, String::new(), CancellationToken::new());
        let mut follower = streams.follow(id).expect("live");
        assert!(matches!(follower.next().await, Some(StreamEvent::Snapshot { .. })));
        (0..1000).for_each(|_| streams.push(id, "x"));
        let Some(StreamEvent::Snapshot { content }) = follower.next().await else {
            panic!("no snapshot")
        };
        assert_eq!(content.len(), 1000);
    }
}
