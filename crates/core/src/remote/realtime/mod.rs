//! The doorbell: a private channel on which the server says "scope s is at seq n".
//!
//! It carries no data and promises nothing: a ring may be lost, so whoever listens asks from a cursor
//! of their own each time the bell comes up, and now and then without it. The bell keeps itself up:
//! it shows new tokens, notices silence, and comes back after a wait that doubles, with jitter.
//!
//! One socket has one channel. Realtime blocks a whole socket while it thinks about one join, and a
//! closed channel never opens again, so every new attempt begins with a new socket.

mod channel;
mod frame;
mod refusal;
mod socket;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::Error;
use super::tokens::{TokenError, Tokens};
use crate::providers::secret::Secret;
use crate::tasks::Tasks;
use channel::{Channel, Heard};
use frame::Frame;
pub use refusal::Refusal;
use socket::Socket;
use wait::Waits;

/// What the bell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doorbell {
    /// It hangs: what happens from now on rings. What happened before has to be asked for.
    Up,
    /// The scope is at this seq, or was.
    Rang(u64),
    /// It does not hang.
    Down(Down),
}

/// Why it does not hang.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Down {
    /// The way there, or a refused handshake.
    Error(Error),
    /// A refused or closed channel.
    Refused(Refusal),
    /// The server went silent, or hung up.
    Silent,
    /// There is no token to join with.
    NoToken,
}

/// How often what happens.
#[derive(Debug, Clone)]
pub struct Rhythm {
    /// Between two heartbeats. The server hangs up after 60 s of silence.
    pub heartbeat: Duration,
    /// For the handshake and the join: a cold project takes 15 s, a refusal 5 s more.
    pub join: Duration,
    /// The first wait before another attempt.
    pub first_wait: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(25),
            join: Duration::from_secs(30),
            first_wait: Duration::from_secs(1),
        }
    }
}

/// A running bell. Dropping it ends it.
#[derive(Debug)]
pub struct Bell {
    stop: CancellationToken,
    hurry: Arc<Notify>,
}

impl Bell {
    /// Hangs up a bell for a scope, as the task `doorbell`; `tell` is called with whatever it says.
    pub fn hang(
        tasks: &Tasks,
        tokens: Tokens,
        scope: Uuid,
        rhythm: Rhythm,
        tell: impl Fn(Doorbell) + Send + Sync + 'static,
    ) -> Self {
        let (stop, hurry) = (tasks.stop_token(), Arc::new(Notify::new()));
        let ringer =
            Ringer { tokens, scope, rhythm, tell: Box::new(tell), hurry: Arc::clone(&hurry) };
        let until = stop.clone();
        tasks.spawn("doorbell", async move {
            tokio::select! {
                () = until.cancelled() => {}
                () = ringer.run() => {}
            }
        });
        Self { stop, hurry }
    }

    /// Tries at once: the computer woke up, or the network is back.
    pub fn hurry(&self) {
        self.hurry.notify_one();
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Ringer {
    tokens: Tokens,
    scope: Uuid,
    rhythm: Rhythm,
    tell: Box<dyn Fn(Doorbell) + Send + Sync>,
    hurry: Arc<Notify>,
}

impl Ringer {
    async fn run(&self) {
        let mut waits = Waits::new(self.rhythm.first_wait);
        loop {
            let mut changes = self.tokens.changes();
            let (began, mut up) = (Instant::now(), false);
            let down = self.hang(&mut up).await;
            tracing::debug!(?down, "the doorbell is down");
            if down == Down::Refused(Refusal::Token) {
                // The new one was got for this very reason: it goes by the waits, or a server that
                // refuses every token would be asked without a pause.
                changes.mark_unchanged();
            }
            let wait = waits.next(&down, up.then(|| began.elapsed()));
            (self.tell)(Doorbell::Down(down));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.hurry.notified() => {}
                // Another token, or another person: what was refused may be allowed.
                _ = changes.changed() => {}
            }
        }
    }

    /// One socket with one channel, until it ends. `up` says whether it ever hung.
    async fn hang(&self, up: &mut bool) -> Down {
        let access = match self.tokens.access().await {
            Ok(access) => access,
            Err(TokenError::Remote(error)) => return Down::Error(error),
            Err(_) => return Down::NoToken,
        };
        let opening = socket::open(self.tokens.auth().link());
        let socket = match tokio::time::timeout(self.rhythm.join, opening).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return Down::Error(error),
            Err(_late) => return Down::Silent,
        };
        let mut line = Line { socket, channel: Channel::new(self.scope), shown: access.token };
        let down = self.listen(&mut line, up).await;
        if down == Down::Refused(Refusal::Token) {
            // The next attempt needs another one; whether there is one it will see itself.
            let _ = self.tokens.renew(&line.shown).await;
        }
        down
    }

    async fn listen(&self, line: &mut Line, up: &mut bool) -> Down {
        let join = line.channel.join(&line.shown);
        if line.say(join).await.is_none() {
            return Down::Silent;
        }
        let deadline = tokio::time::sleep(self.rhythm.join);
        let mut beats =
            tokio::time::interval_at(Instant::now() + self.rhythm.heartbeat, self.rhythm.heartbeat);
        // After a sleep one beat is enough to find out who is still there.
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changes = self.tokens.changes();
        tokio::pin!(deadline);
        loop {
            let step = tokio::select! {
                () = &mut deadline, if !*up => return Down::Silent,
                frame = line.socket.next() => Step::Heard(frame.and_then(Result::ok)),
                _ = beats.tick() => Step::Beat,
                _ = changes.changed() => Step::Show,
            };
            let ended = match step {
                Step::Heard(message) => self.heard(line, message, up),
                Step::Beat => self.beat(line).await,
                Step::Show => self.show(line).await,
            };
            if let Some(down) = ended {
                return down;
            }
        }
    }

    fn heard(&self, line: &mut Line, message: Option<Message>, up: &mut bool) -> Option<Down> {
        let frame = match message {
            Some(Message::Text(text)) => Frame::from_text(&text),
            Some(Message::Binary(bytes)) => Frame::from_bytes(&bytes),
            Some(Message::Ping(_) | Message::Pong(_)) => None,
            Some(Message::Close(_) | Message::Frame(_)) | None => return Some(Down::Silent),
        };
        match frame.map_or(Heard::Nothing, |frame| line.channel.hear(&frame)) {
            Heard::Nothing => {}
            Heard::Up => {
                *up = true;
                (self.tell)(Doorbell::Up);
            }
            Heard::Rang(seq) => (self.tell)(Doorbell::Rang(seq)),
            Heard::Over(refusal) => return Some(Down::Refused(refusal)),
        }
        None
    }

    async fn beat(&self, line: &mut Line) -> Option<Down> {
        let Some(beat) = line.channel.beat() else { return Some(Down::Silent) };
        if line.say(beat).await.is_none() {
            return Some(Down::Silent);
        }
        // Gets the next token in time, where nobody else is asking for one.
        self.show(line).await
    }

    /// Shows the token where it is another than the last one shown.
    async fn show(&self, line: &mut Line) -> Option<Down> {
        match self.tokens.access().await {
            Ok(access) if access.token.expose() != line.shown.expose() => {
                let show = line.channel.show(&access.token);
                line.shown = access.token;
                line.say(show).await.is_none().then_some(Down::Silent)
            }
            Ok(_) => None,
            Err(TokenError::SignedOut | TokenError::Ended(_)) => Some(Down::NoToken),
            // The channel lasts for as long as the last token does.
            Err(TokenError::Remote(_) | TokenError::Store(_)) => None,
        }
    }
}

enum Step {
    Heard(Option<Message>),
    Beat,
    Show,
}

/// An open socket with its channel.
struct Line {
    socket: Socket,
    channel: Channel,
    /// The last token that the server was shown.
    shown: Secret,
}

impl Line {
    async fn say(&mut self, text: String) -> Option<()> {
        // A socket that takes nothing for this long is as good as closed.
        let sent = self.socket.send(Message::text(text));
        tokio::time::timeout(Duration::from_secs(20), sent).await.ok()?.ok()
    }
}
