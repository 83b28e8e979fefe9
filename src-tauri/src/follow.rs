//! An answer that arrives, passed to the page at most once a frame.
//!
//! A local model makes a token every few milliseconds, and each message to the page costs about one.
//! What came within a frame is told together; order and content stay the same.

use std::time::Duration;

use tauri::ipc::Channel;
use tidemark_core::api::{Following, StreamEvent};

const FRAME: Duration = Duration::from_millis(16);

/// Passes an answer on until it ends or the page is gone.
pub(crate) async fn forward(mut answer: Following, page: Channel<StreamEvent>) {
    while let Some(first) = answer.next().await {
        let mut frame = Frame::default();
        frame.add(first);
        let pause = tokio::time::sleep(FRAME);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                event = answer.next(), if !frame.ended => match event {
                    Some(event) => frame.add(event),
                    None => break,
                },
            }
        }
        if frame.events().into_iter().any(|event| page.send(event).is_err()) {
            return;
        }
    }
}

/// What came within one frame.
#[derive(Debug, Default)]
struct Frame {
    text: Option<StreamEvent>,
    ended: bool,
}

impl Frame {
    fn add(&mut self, event: StreamEvent) {
        match (&mut self.text, event) {
            (_, StreamEvent::End) => self.ended = true,
            (
                Some(
                    StreamEvent::Snapshot { content: so_far } | StreamEvent::Text { text: so_far },
                ),
                StreamEvent::Text { text },
            ) => so_far.push_str(&text),
            (so_far, event) => *so_far = Some(event),
        }
    }

    fn events(self) -> Vec<StreamEvent> {
        self.text.into_iter().chain(self.ended.then_some(StreamEvent::End)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> StreamEvent {
        StreamEvent::Text { text: text.into() }
    }

    fn snapshot(content: &str) -> StreamEvent {
        StreamEvent::Snapshot { content: content.into() }
    }

    fn told(events: impl IntoIterator<Item = StreamEvent>) -> Vec<StreamEvent> {
        let mut frame = Frame::default();
        events.into_iter().for_each(|event| frame.add(event));
        frame.events()
    }

    #[test]
    fn a_frame_tells_its_text_at_once_and_its_end_last() {
        assert_eq!(told([text("a"), text("b")]), [text("ab")]);
        assert_eq!(
            told([snapshot("a"), text("b"), StreamEvent::End]),
            [snapshot("ab"), StreamEvent::End]
        );
        assert_eq!(told([StreamEvent::End]), [StreamEvent::End]);
    }

    #[test]
    fn a_snapshot_replaces_what_came_before_it() {
        assert_eq!(told([text("a"), snapshot("ab"), text("c")]), [snapshot("abc")]);
    }
}
