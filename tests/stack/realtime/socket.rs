//! One connection and its channels, handled by one task: while a join waits, nothing else on the
//! socket moves, as with the real server.

use std::collections::HashMap;
use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::channel::{Channel, Wishes};
use super::feed::of_row;
use super::frame::{Broadcast, Content, Push, Version, text};
use super::{Realtime, policy, wording};
use crate::stack::keys::{now_s, random_uuid};

/// The other side is gone, or is to go.
struct Gone;

impl From<tokio_tungstenite::tungstenite::Error> for Gone {
    fn from(_: tokio_tungstenite::tungstenite::Error) -> Self {
        Self
    }
}

type Done = Result<(), Gone>;

async fn is_true(feeding: &mut watch::Receiver<bool>) {
    // The sender lives as long as the service does.
    let _ = feeding.wait_for(|feeding| *feeding).await;
}

/// A connection.
pub(super) struct Socket {
    id: Uuid,
    realtime: Arc<Realtime>,
    stream: WebSocketStream<TokioIo<Upgraded>>,
    version: Version,
    /// The token of the connection's key, for joins that bring none.
    token: String,
    /// By topic, with `realtime:`.
    channels: HashMap<String, Channel>,
    /// Waits for the feed, by topic.
    unready: Vec<String>,
}

impl Socket {
    pub(super) fn new(
        realtime: Arc<Realtime>,
        stream: WebSocketStream<TokioIo<Upgraded>>,
        version: Version,
        token: String,
    ) -> Self {
        let (channels, unready) = (HashMap::new(), Vec::new());
        Self { id: random_uuid(), realtime, stream, version, token, channels, unready }
    }

    /// Runs until either side has enough.
    pub(super) async fn run(mut self) {
        let _ = self.converse().await;
        let _ = self.stream.close(None).await;
    }

    async fn converse(&mut self) -> Done {
        let mut messages = self.realtime.messages.subscribe();
        let mut feeding = self.realtime.feeding.subscribe();
        let silence = self.realtime.options.silence;
        let mut heard = Instant::now();
        loop {
            let check = self.channels.values().map(|channel| channel.next_check).min();
            let check = check.unwrap_or_else(|| Instant::now() + silence);
            tokio::select! {
                frame = self.stream.next() => {
                    heard = Instant::now();
                    self.take(frame.ok_or(Gone)??).await?;
                }
                message = messages.recv() => match message {
                    Ok(message) => self.pass_on(&message).await?,
                    // The real server kills a connection that does not read.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return Err(Gone),
                },
                () = is_true(&mut feeding), if !self.unready.is_empty() => self.say_ready().await?,
                () = tokio::time::sleep_until(check) => self.check_tokens().await?,
                () = tokio::time::sleep_until(heard + silence) => return Err(Gone),
            }
        }
    }

    async fn take(&mut self, frame: Message) -> Done {
        let push = match &frame {
            Message::Text(text) => Push::of_text(self.version, text),
            Message::Binary(bytes) => Push::of_bytes(bytes),
            Message::Close(_) => return Err(Gone),
            _ => None,
        };
        // What cannot be understood is dropped, and the connection kept.
        let Some(push) = push else { return Ok(()) };
        match (push.topic.as_str(), push.event.as_str()) {
            ("phoenix", "heartbeat") => self.reply(&push, "ok", json!({})).await,
            (_, "phx_join") => self.join(push).await,
            (_, "phx_leave") => self.leave(&push).await,
            (_, "access_token") => self.renew(&push).await,
            (_, "broadcast") => self.speak(push).await,
            (topic, _) if self.channels.contains_key(topic) => Ok(()),
            _ => self.reply(&push, "error", json!({ "reason": "unmatched topic" })).await,
        }
    }

    async fn reply(&mut self, to: &Push, status: &str, response: Value) -> Done {
        let payload = json!({ "status": status, "response": response });
        let (join_ref, reference) = (to.join_ref.as_deref(), to.reference.as_deref());
        let frame = text(self.version, join_ref, reference, &to.topic, "phx_reply", &payload);
        Ok(self.stream.send(frame).await?)
    }

    async fn join(&mut self, push: Push) -> Done {
        let Some(topic) = push.topic.strip_prefix("realtime:").map(ToOwned::to_owned) else {
            return self.reply(&push, "error", json!({ "reason": "unmatched topic" })).await;
        };
        if let Some(old) = self.channels.remove(&push.topic) {
            self.close(&push.topic, old.join_ref.as_deref()).await?;
        }
        let channel = match self.admit(&push, topic).await {
            Ok(channel) => channel,
            Err(reason) => {
                tokio::time::sleep(self.realtime.options.join_pause).await;
                return self.reply(&push, "error", json!({ "reason": reason })).await;
            }
        };
        self.reply(&push, "ok", json!({ "postgres_changes": [] })).await?;
        if channel.wishes.replication_ready {
            self.unready.push(push.topic.clone());
        }
        self.channels.insert(push.topic.clone(), channel);
        self.replay(&push.topic).await
    }

    /// The channel that a join makes, or the reason why it makes none.
    async fn admit(&mut self, push: &Push, topic: String) -> Result<Channel, String> {
        if topic.is_empty() {
            return Err("TopicNameRequired: You must provide a topic name".to_owned());
        }
        if self.channels.len() >= self.realtime.options.channels {
            return Err("ChannelRateLimitReached: Too many channels".to_owned());
        }
        let given = [&push.payload["user_token"], &push.payload["access_token"]];
        let given = given.iter().find_map(|token| token.as_str());
        let token = given.filter(|token| !token.starts_with("sb_")).unwrap_or(&self.token);
        let claims = self.realtime.keys.verify(token, now_s()).map_err(|refused| {
            let (code, words) = wording(refused);
            format!("{code}: {words}")
        })?;
        let wishes = Wishes::of(&push.payload);
        let hearing = match wishes.private {
            true => policy::may_read(&self.realtime.db, &claims, &topic, wishes.presence).await,
            false => policy::Hearing { broadcast: true, presence: true },
        };
        if !hearing.any() {
            return Err(format!(
                "Unauthorized: You do not have permissions to read from this Channel topic: {topic}"
            ));
        }
        if wishes.replay.is_some() && !wishes.private {
            let why = "Replay params are not allowed for public channels";
            return Err(format!("UnableToReplayMessages: {why}"));
        }
        if wishes.replay.is_some() && wishes.replay_window().is_none() {
            return Err("UnableToReplayMessages: Replay params are not valid".to_owned());
        }
        Ok(Channel {
            topic,
            join_ref: push.join_ref.clone(),
            wishes,
            token: token.to_owned(),
            next_check: Channel::check_after(&claims),
            claims,
            hearing,
            may_write: None,
            replayed: std::collections::HashSet::new(),
        })
    }

    /// Tells a channel that was just joined the newest messages since the time that it named.
    async fn replay(&mut self, topic: &str) -> Done {
        let Some(channel) = self.channels.get_mut(topic) else { return Ok(()) };
        let Some((since, limit)) = channel.wishes.replay_window() else { return Ok(()) };
        if !channel.hearing.broadcast {
            return Ok(());
        }
        let Ok(db) = self.realtime.db.get().await else { return Ok(()) };
        let sql = "SELECT topic, event, private, payload::text, binary_payload, id
                     FROM realtime.messages
                    WHERE topic = $1 AND private AND extension = 'broadcast'
                      AND inserted_at >= timezone('utc', to_timestamp($2::float8 / 1000))
                    ORDER BY inserted_at DESC
                    LIMIT $3";
        let rows = db.query(sql, &[&channel.topic, &(since as f64), &limit]).await;
        let mut frames = Vec::new();
        for broadcast in rows.unwrap_or_default().iter().rev().filter_map(of_row) {
            channel.replayed.extend(broadcast.id);
            frames.extend(broadcast.replayed(self.version, channel.join_ref.as_deref()));
        }
        drop(db);
        for frame in frames {
            self.stream.send(frame).await?;
        }
        Ok(())
    }

    async fn leave(&mut self, push: &Push) -> Done {
        self.reply(push, "ok", json!({})).await?;
        match self.channels.remove(&push.topic) {
            Some(channel) => self.close(&push.topic, channel.join_ref.as_deref()).await,
            None => Ok(()),
        }
    }

    /// The end of a channel: the client will not join again by itself.
    async fn close(&mut self, topic: &str, join_ref: Option<&str>) -> Done {
        let frame = text(self.version, join_ref, join_ref, topic, "phx_close", &json!({}));
        Ok(self.stream.send(frame).await?)
    }

    /// Ends a channel with a word of explanation.
    async fn shut_down(&mut self, topic: &str, why: &str) -> Done {
        let Some(channel) = self.channels.remove(topic) else { return Ok(()) };
        let join_ref = channel.join_ref.as_deref();
        let payload = json!({ "extension": "system", "status": "error", "message": why,
                              "channel": channel.topic });
        let frame = text(self.version, join_ref, None, topic, "system", &payload);
        self.stream.send(frame).await?;
        self.close(topic, join_ref).await
    }

    async fn say_ready(&mut self) -> Done {
        for topic in std::mem::take(&mut self.unready) {
            let Some(channel) = self.channels.get(&topic) else { continue };
            let payload = json!({ "extension": "system", "status": "ok",
                                  "message": "Replication connection established",
                                  "channel": channel.topic });
            let join_ref = channel.join_ref.as_deref();
            let frame = text(self.version, join_ref, None, &topic, "system", &payload);
            self.stream.send(frame).await?;
        }
        Ok(())
    }

    /// Another token for a channel. Success is silent.
    async fn renew(&mut self, push: &Push) -> Done {
        let Some(token) = push.payload["access_token"].as_str() else { return Ok(()) };
        let Some(channel) = self.channels.get_mut(&push.topic) else { return Ok(()) };
        if token.starts_with("sb_") || token == channel.token {
            return Ok(());
        }
        let claims = match self.realtime.keys.verify(token, now_s()) {
            Ok(claims) => claims,
            Err(refused) => return self.shut_down(&push.topic, &wording(refused).1).await,
        };
        if channel.wishes.private {
            let (topic, presence) = (channel.topic.clone(), channel.wishes.presence);
            let was = channel.hearing;
            channel.hearing = policy::may_read(&self.realtime.db, &claims, &topic, presence).await;
            if !channel.hearing.any() {
                let why =
                    format!("You do not have permissions to read from this Channel topic: {topic}");
                return self.shut_down(&push.topic, &why).await;
            }
            if was.broadcast && !channel.hearing.broadcast {
                let why = format!(
                    "You no longer have permission to read from this Channel topic: {topic}"
                );
                return self.shut_down(&push.topic, &why).await;
            }
        }
        token.clone_into(&mut channel.token);
        channel.next_check = Channel::check_after(&claims);
        channel.claims = claims;
        channel.may_write = None;
        Ok(())
    }

    async fn check_tokens(&mut self) -> Done {
        let now = Instant::now();
        let due = |(topic, channel): (&String, &Channel)| {
            (channel.next_check <= now).then(|| (topic.clone(), channel.token.clone()))
        };
        let due: Vec<_> = self.channels.iter().filter_map(due).collect();
        for (topic, token) in due {
            match self.realtime.keys.verify(&token, now_s()) {
                Err(refused) => self.shut_down(&topic, &wording(refused).1).await?,
                Ok(claims) => {
                    if let Some(channel) = self.channels.get_mut(&topic) {
                        channel.next_check = Channel::check_after(&claims);
                    }
                }
            }
        }
        Ok(())
    }

    /// A broadcast of the client itself. Where it may not, nobody says so.
    async fn speak(&mut self, push: Push) -> Done {
        let Some(channel) = self.channels.get_mut(&push.topic) else {
            return self.reply(&push, "error", json!({ "reason": "unmatched topic" })).await;
        };
        if channel.wishes.private && channel.may_write.is_none() {
            let may = policy::may_write(&self.realtime.db, &channel.claims, &channel.topic).await;
            channel.may_write = Some(may);
        }
        if channel.wishes.private && channel.may_write != Some(true) {
            return Ok(());
        }
        let is_plain = push.content.is_none();
        let content = push.content.clone();
        self.realtime.tell(Broadcast {
            topic: channel.topic.clone(),
            event: push.payload["event"].as_str().unwrap_or_default().to_owned(),
            private: channel.wishes.private,
            content: content.unwrap_or_else(|| Content::Json(push.payload["payload"].to_string())),
            id: None,
            is_plain,
            from: Some(self.id),
        });
        if channel.wishes.ack {
            return self.reply(&push, "ok", json!({})).await;
        }
        Ok(())
    }

    /// Sends a broadcast on, if a channel here asked for it.
    async fn pass_on(&mut self, message: &Broadcast) -> Done {
        let Some(channel) = self.channels.get(&format!("realtime:{}", message.topic)) else {
            return Ok(());
        };
        let own = message.from == Some(self.id);
        let wanted = channel.wishes.private == message.private
            && channel.hearing.broadcast
            && (!own || channel.wishes.echo)
            && message.id.is_none_or(|id| !channel.replayed.contains(&id));
        match message.frame(self.version).filter(|_| wanted) {
            Some(frame) => Ok(self.stream.send(frame).await?),
            None => Ok(()),
        }
    }
}
