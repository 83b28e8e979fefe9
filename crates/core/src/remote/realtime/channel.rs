//! One private channel on one socket: what is said, and what is made of what comes back. Pure.

use serde_json::{Value, json};
use uuid::Uuid;

use super::frame::{Frame, text};
use super::refusal::Refusal;
use crate::providers::secret::Secret;

/// The event that the server's trigger sends.
const EVENT: &str = "head";
/// The socket's own topic.
const SOCKET: &str = "phoenix";

/// What came of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing that matters.
    Nothing,
    /// The bell hangs, as of now. What happened before has to be asked for.
    Up,
    /// The scope is at this seq, or was.
    Rang(u64),
    /// This channel is over.
    Over(Refusal),
}

/// A channel from before its join to its end. A new one is made for each attempt: a closed one never
/// opens again.
#[derive(Debug)]
pub(super) struct Channel {
    topic: String,
    last_ref: u64,
    join_ref: Option<String>,
    beat: Option<String>,
}

impl Channel {
    /// The channel of a scope.
    pub(super) fn new(scope: Uuid) -> Self {
        let topic = format!("realtime:sync:{scope}");
        Self { topic, last_ref: 0, join_ref: None, beat: None }
    }

    /// Asks to be let in.
    pub(super) fn join(&mut self, token: &Secret) -> String {
        let reference = self.next_ref();
        self.join_ref = Some(reference.clone());
        let payload = json!({
            "access_token": token.expose(),
            "config": {
                // Not inside `broadcast`, where it would be overlooked and the channel be public.
                "private": true,
                "broadcast": { "self": false, "ack": false, "replication_ready": true },
                "presence": { "enabled": false, "key": "" },
                "postgres_changes": [],
            },
        });
        self.push(&reference, "phx_join", &payload)
    }

    /// Shows another token. Success is silent.
    pub(super) fn show(&mut self, token: &Secret) -> String {
        let reference = self.next_ref();
        self.push(&reference, "access_token", &json!({ "access_token": token.expose() }))
    }

    /// A heartbeat; none where the one before was not answered.
    pub(super) fn beat(&mut self) -> Option<String> {
        if self.beat.is_some() {
            return None;
        }
        let reference = self.next_ref();
        let beat = text(None, &reference, SOCKET, "heartbeat", &json!({}));
        self.beat = Some(reference);
        Some(beat)
    }

    /// What a message means.
    pub(super) fn hear(&mut self, frame: &Frame) -> Heard {
        if frame.topic == SOCKET {
            self.beat.take_if(|beat| Some(&*beat) == frame.reference.as_ref());
            return Heard::Nothing;
        }
        if frame.topic != self.topic {
            return Heard::Nothing;
        }
        let payload = &frame.payload;
        match frame.event.as_str() {
            "phx_reply" if frame.reference == self.join_ref => joined(payload),
            "broadcast" if payload["event"] == EVENT => rang(&payload["payload"]),
            "system" => system(payload),
            "phx_close" | "phx_error" => Heard::Over(Refusal::Busy),
            _ => Heard::Nothing,
        }
    }

    fn push(&self, reference: &str, event: &str, payload: &Value) -> String {
        text(self.join_ref.as_deref(), reference, &self.topic, event, payload)
    }

    fn next_ref(&mut self) -> String {
        self.last_ref += 1;
        self.last_ref.to_string()
    }
}

fn joined(payload: &Value) -> Heard {
    match payload["status"].as_str() {
        Some("ok") => Heard::Up,
        _ => Heard::Over(reason(&payload["response"]["reason"])),
    }
}

fn rang(payload: &Value) -> Heard {
    payload["seq"].as_u64().map_or(Heard::Nothing, Heard::Rang)
}

/// "ok" comes when broadcasts begin to flow, which may be long after the join; an error comes right
/// before the channel is closed.
fn system(payload: &Value) -> Heard {
    match (payload["status"].as_str(), payload["message"].as_str()) {
        (Some("error"), _) => Heard::Over(reason(&payload["message"])),
        (Some("ok"), Some("Replication connection established")) => Heard::Up,
        _ => Heard::Nothing,
    }
}

fn reason(reason: &Value) -> Refusal {
    Refusal::of(reason.as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Uuid = Uuid::from_u128(7);

    fn topic() -> String {
        format!("realtime:sync:{SCOPE}")
    }

    fn channel() -> Channel {
        let mut channel = Channel::new(SCOPE);
        channel.join(&Secret::new("token"));
        channel
    }

    fn heard(channel: &mut Channel, reference: Option<&str>, event: &str, payload: Value) -> Heard {
        let reference = reference.map(str::to_owned);
        channel.hear(&Frame { reference, topic: topic(), event: event.into(), payload })
    }

    #[test]
    fn the_join_is_private_and_carries_the_users_token() {
        let said = Channel::new(SCOPE).join(&Secret::new("token"));
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(said[0], said[1], "join_ref is its own ref");
        assert_eq!((said[2].as_str(), said[3].as_str()), (Some(&*topic()), Some("phx_join")));
        assert_eq!(said[4]["config"]["private"], true);
        assert_eq!(said[4]["access_token"], "token");
    }

    #[test]
    fn the_bell_hangs_from_the_join_on_and_again_when_broadcasts_flow() {
        let mut channel = channel();
        let ok = json!({ "status": "ok", "response": { "postgres_changes": [] } });
        assert_eq!(heard(&mut channel, Some("9"), "phx_reply", ok.clone()), Heard::Nothing);
        assert_eq!(heard(&mut channel, Some("1"), "phx_reply", ok), Heard::Up);
        let flows = json!({ "status": "ok", "message": "Replication connection established" });
        assert_eq!(heard(&mut channel, None, "system", flows), Heard::Up);
        let goes = json!({ "status": "ok", "message": "Server requested disconnect" });
        assert_eq!(heard(&mut channel, None, "system", goes), Heard::Nothing);
    }

    #[test]
    fn only_the_heads_of_the_own_scope_ring() {
        let mut channel = channel();
        let broadcast = |event: &str, payload: Value| json!({ "event": event, "payload": payload });
        let ring = |channel: &mut Channel, payload| heard(channel, None, "broadcast", payload);
        assert_eq!(
            ring(&mut channel, broadcast("head", json!({ "seq": 7, "id": "x" }))),
            Heard::Rang(7)
        );
        for odd in [json!({}), json!({ "seq": -1 }), json!({ "seq": "7" }), json!(null)] {
            assert_eq!(ring(&mut channel, broadcast("head", odd)), Heard::Nothing);
        }
        assert_eq!(ring(&mut channel, broadcast("other", json!({ "seq": 8 }))), Heard::Nothing);
        let elsewhere = Frame {
            reference: None,
            topic: format!("realtime:sync:{}", Uuid::from_u128(8)),
            event: "broadcast".into(),
            payload: broadcast("head", json!({ "seq": 9 })),
        };
        assert_eq!(channel.hear(&elsewhere), Heard::Nothing);
    }

    #[test]
    fn refusals_and_ends_say_what_helps() {
        let refused = |reason: &str| json!({ "status": "error", "response": { "reason": reason } });
        let table = [
            ("phx_reply", refused("Unauthorized: no"), Refusal::Forbidden),
            (
                "phx_reply",
                refused("InvalidJWTToken: Token has expired 1 seconds ago"),
                Refusal::Token,
            ),
            ("phx_reply", json!({}), Refusal::Busy),
            (
                "system",
                json!({ "status": "error", "message": "Token has expired 1 seconds ago" }),
                Refusal::Token,
            ),
            ("phx_close", json!({}), Refusal::Busy),
            ("phx_error", json!({ "reason": "channel_crash" }), Refusal::Busy),
        ];
        for (event, payload, expected) in table {
            assert_eq!(
                heard(&mut channel(), Some("1"), event, payload),
                Heard::Over(expected),
                "{event}"
            );
        }
    }

    #[test]
    fn a_heartbeat_that_is_not_answered_is_the_last() {
        let mut channel = channel();
        assert!(channel.beat().is_some());
        assert!(channel.beat().is_none(), "silence");
        let reply = |reference: &str| Frame {
            reference: Some(reference.into()),
            topic: "phoenix".into(),
            event: "phx_reply".into(),
            payload: json!({ "status": "ok", "response": {} }),
        };
        channel.hear(&reply("1"));
        assert!(channel.beat().is_none(), "another's answer");
        channel.hear(&reply("2"));
        assert!(channel.beat().is_some());
    }
}
