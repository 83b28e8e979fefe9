//! Doing what a [`Reply`] says.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::http1::Connection;
use super::script::{Received, Reply, Then};
use super::wire::Wire;

const STREAM: &str = "text/event-stream";
const JSON: (&str, &str) = ("content-type", "application/json");
const PAGE: &str = "<!doctype html>\n<title>Welcome</title><p>Sign in to use this network.</p>";

/// One question and whose wire it came by.
pub(super) struct Question<'a> {
    pub(super) wire: Wire,
    pub(super) request: &'a Received,
}

impl Question<'_> {
    /// Replies. An error means that the connection is to be cut.
    pub(super) async fn reply<S>(&self, to: &mut Connection<S>, reply: &Reply) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match reply {
            Reply::Answer { text, words_per_second, finish } => {
                let text = self.filled(text);
                if self.request.body["stream"] != true {
                    return self.whole(to, &text).await;
                }
                self.begin(to, &text, *words_per_second).await?;
                self.finish(to, &text, finish.as_deref()).await
            }
            Reply::Whole { text } => self.whole(to, &self.filled(text)).await,
            Reply::Status { status, headers, body } => {
                let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
                let given = headers.iter().map(|(name, value)| (&**name, &**value));
                let headers: Vec<_> = [("content-type", kind)].into_iter().chain(given).collect();
                to.respond(*status, &headers, body).await
            }
            Reply::Html => page(to).await,
            Reply::ErrorEvent { text, error } => {
                self.begin(to, text, None).await?;
                to.chunk(self.wire.error(error).as_bytes()).await?;
                to.end().await
            }
            Reply::Stall { text } => {
                self.begin(to, text, None).await?;
                to.closed().await
            }
            Reply::Cut { text } => {
                self.begin(to, text, None).await?;
                to.chunk(&half(&self.wire.piece("lost"))).await?;
                cut()
            }
            Reply::HalfJson { text } => {
                self.begin(to, text, None).await?;
                to.chunk(&half(&self.wire.piece("lost"))).await?;
                to.chunk(b"\n\n").await?;
                to.end().await
            }
            Reply::Drip { text, byte_ms } => self.drip(to, text, *byte_ms).await,
            Reply::Flood { bytes } => self.flood(to, *bytes).await,
            Reply::Raw { content_type, pieces, then } => {
                to.begin(content_type).await?;
                for piece in pieces {
                    to.chunk(piece.as_bytes()).await?;
                    // Long enough to arrive on its own.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                match then {
                    Then::End => to.end().await,
                    Then::Cut => cut(),
                    Then::Stall => to.closed().await,
                }
            }
            Reply::Silence => to.closed().await,
            Reply::Close => cut(),
        }
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{said}", self.request.said())
    }

    /// Words instead of tokens: near enough to be compared, exact enough to be asserted.
    fn tokens(&self, text: &str) -> (usize, usize) {
        (self.request.said().split_whitespace().count(), text.split_whitespace().count())
    }

    async fn begin<S>(&self, to: &mut Connection<S>, text: &str, rate: Option<f64>) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        to.begin(STREAM).await?;
        to.chunk(self.wire.opening(self.tokens(text).0).as_bytes()).await?;
        for word in text.split_inclusive(' ') {
            if let Some(rate) = rate {
                tokio::time::sleep(Duration::from_secs_f64(1.0 / rate.max(0.001))).await;
            }
            to.chunk(self.wire.piece(word).as_bytes()).await?;
        }
        Ok(())
    }

    async fn finish<S>(&self, to: &mut Connection<S>, text: &str, why: Option<&str>) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let usage = self.request.body["stream_options"]["include_usage"] == true;
        to.chunk(self.wire.closing(why, self.tokens(text), usage).as_bytes()).await?;
        to.end().await
    }

    async fn whole<S>(&self, to: &mut Connection<S>, text: &str) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        to.respond(200, &[JSON], &self.wire.whole(text, self.tokens(text))).await
    }

    async fn drip<S>(&self, to: &mut Connection<S>, text: &str, byte_ms: u64) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        to.begin(STREAM).await?;
        let all = self.wire.opening(1) + &self.wire.piece(text);
        for byte in (all + &self.wire.closing(None, self.tokens(text), true)).bytes() {
            to.chunk(&[byte]).await?;
            tokio::time::sleep(Duration::from_millis(byte_ms)).await;
        }
        to.end().await
    }

    async fn flood<S>(&self, to: &mut Connection<S>, bytes: usize) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        to.begin(STREAM).await?;
        let mut left = bytes;
        while left > 0 {
            let piece = "ü".repeat(left.min(64 << 10) / 2 + 1);
            left = left.saturating_sub(piece.len());
            to.chunk(self.wire.piece(&piece).as_bytes()).await?;
        }
        self.finish(to, "", None).await
    }
}

/// A network's sign-in page.
pub(super) async fn page<S>(to: &mut Connection<S>) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    to.respond(200, &[("content-type", "text/html")], PAGE).await
}

/// The first half of an event, cut inside its JSON.
fn half(event: &str) -> Vec<u8> {
    event.as_bytes()[..event.len() * 3 / 4].to_vec()
}

fn cut() -> Result<()> {
    Err(Error::from(ErrorKind::ConnectionAborted))
}
