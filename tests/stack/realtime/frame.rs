//! What goes over the wire, in both versions of the protocol.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use uuid::Uuid;

/// The version that a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Objects as text, without `join_ref`.
    V1,
    /// Arrays as text, and binary frames for broadcasts.
    V2,
}

/// What a client sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Push {
    pub(super) join_ref: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) topic: String,
    pub(super) event: String,
    pub(super) payload: Value,
    /// The content of a broadcast that came as a binary frame.
    pub(super) content: Option<Content>,
}

/// What a broadcast carries.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    /// JSON, as text.
    Json(String),
    /// Bytes that are nobody's business.
    Binary(Vec<u8>),
}

/// A broadcast on its way to the sockets.
#[derive(Debug, Clone)]
pub(super) struct Broadcast {
    /// Without `realtime:`.
    pub(super) topic: String,
    pub(super) event: String,
    pub(super) private: bool,
    pub(super) content: Content,
    /// Of its row; those of clients have none.
    pub(super) id: Option<Uuid>,
    /// Goes as text also in the second version.
    pub(super) is_plain: bool,
    /// The socket that sent it.
    pub(super) from: Option<Uuid>,
}

impl Push {
    /// Reads a text frame; `None` where it cannot be understood.
    pub(super) fn of_text(version: Version, text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let (join_ref, reference, topic, event, payload) = match version {
            Version::V2 => {
                let [join_ref, reference, topic, event, payload] =
                    <[Value; 5]>::try_from(value.as_array()?.clone()).ok()?;
                (join_ref, reference, topic, event, payload)
            }
            Version::V1 => {
                let field = |name| value.get(name).cloned();
                let join_ref = field("join_ref").unwrap_or_default();
                (join_ref, field("ref")?, field("topic")?, field("event")?, field("payload")?)
            }
        };
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Some(Self {
            join_ref: text(join_ref),
            reference: text(reference),
            topic: topic.as_str()?.to_owned(),
            event: event.as_str()?.to_owned(),
            payload,
            content: None,
        })
    }

    /// Reads a binary frame: a broadcast that a client sends (kind 3).
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let [3, join, reference, topic, event, metadata, encoding, rest @ ..] = bytes else {
            return None;
        };
        let mut rest = rest;
        let mut part = |length: &u8| {
            let (part, tail) = rest.split_at_checked(usize::from(*length))?;
            rest = tail;
            String::from_utf8(part.to_vec()).ok()
        };
        let (join_ref, reference) = (part(join)?, part(reference)?);
        let (topic, event, _) = (part(topic)?, part(event)?, part(metadata)?);
        let content = match encoding {
            1 => Content::Json(String::from_utf8(rest.to_vec()).ok()?),
            _ => Content::Binary(rest.to_vec()),
        };
        Some(Self {
            join_ref: Some(join_ref).filter(|text| !text.is_empty()),
            reference: Some(reference).filter(|text| !text.is_empty()),
            topic,
            event: "broadcast".to_owned(),
            payload: json!({ "type": "broadcast", "event": event }),
            content: Some(content),
        })
    }
}

/// A message of the server, as text.
pub(super) fn text(
    version: Version,
    join_ref: Option<&str>,
    reference: Option<&str>,
    topic: &str,
    event: &str,
    payload: &Value,
) -> Message {
    let message = match version {
        Version::V2 => json!([join_ref, reference, topic, event, payload]),
        Version::V1 => {
            json!({ "topic": topic, "event": event, "payload": payload, "ref": reference })
        }
    };
    Message::text(message.to_string())
}

impl Broadcast {
    /// As a frame; `None` where this version has none for it.
    pub(super) fn frame(&self, version: Version) -> Option<Message> {
        match (version, &self.content) {
            (Version::V2, content) if !self.is_plain => self.binary(content),
            (_, Content::Json(payload)) => {
                let payload = serde_json::from_str(payload).unwrap_or_default();
                let meta = self.id.map(|id| json!({ "id": id }));
                Some(text(
                    version,
                    None,
                    None,
                    &self.wire_topic(),
                    "broadcast",
                    &self.envelope(payload, meta),
                ))
            }
            (_, Content::Binary(_)) => None,
        }
    }

    /// As a message that is told again, to one channel alone.
    pub(super) fn replayed(&self, version: Version, join_ref: Option<&str>) -> Option<Message> {
        let Content::Json(payload) = &self.content else { return None };
        let payload = serde_json::from_str(payload).unwrap_or_default();
        let meta = json!({ "id": self.id, "replayed": true });
        let envelope = self.envelope(payload, Some(meta));
        Some(text(version, join_ref, None, &self.wire_topic(), "broadcast", &envelope))
    }

    fn wire_topic(&self) -> String {
        format!("realtime:{}", self.topic)
    }

    fn envelope(&self, payload: Value, meta: Option<Value>) -> Value {
        let mut envelope = json!({ "type": "broadcast", "event": self.event, "payload": payload });
        if let Some(meta) = meta {
            envelope["meta"] = meta;
        }
        envelope
    }

    /// Kind 4; `None` where a part is too long for it, and then it is lost.
    fn binary(&self, content: &Content) -> Option<Message> {
        let topic = self.wire_topic();
        let metadata = self.id.map_or(String::new(), |id| json!({ "id": id }).to_string());
        let (encoding, payload) = match content {
            Content::Binary(bytes) => (0, bytes.as_slice()),
            Content::Json(text) => (1, text.as_bytes()),
        };
        let mut bytes = vec![4];
        for part in [&topic, &self.event, &metadata] {
            bytes.push(u8::try_from(part.len()).ok()?);
        }
        bytes.push(encoding);
        for part in [topic.as_bytes(), self.event.as_bytes(), metadata.as_bytes(), payload] {
            bytes.extend_from_slice(part);
        }
        Some(Message::Binary(Bytes::from(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed() -> Broadcast {
        Broadcast {
            topic: "acct:1".to_owned(),
            event: "changed".to_owned(),
            private: true,
            content: Content::Json(r#"{"seq":7}"#.to_owned()),
            id: Uuid::parse_str("00000000-0000-4000-8000-000000000001").ok(),
            is_plain: false,
            from: None,
        }
    }

    #[test]
    fn a_broadcast_of_the_database_is_the_frame_that_the_official_client_reads() {
        let Some(Message::Binary(bytes)) = changed().frame(Version::V2) else { panic!("binary") };
        assert_eq!(bytes[..5], [0x04, 0x0f, 0x07, 0x2d, 0x01]);
        let rest =
            r#"realtime:acct:1changed{"id":"00000000-0000-4000-8000-000000000001"}{"seq":7}"#;
        assert_eq!(&bytes[5..], rest.as_bytes());
    }

    #[test]
    fn the_first_version_hears_the_same_as_text() {
        let Some(Message::Text(text)) = changed().frame(Version::V1) else { panic!("text") };
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["payload"]["payload"], json!({"seq": 7}));
        assert_eq!(value["payload"]["meta"]["id"], "00000000-0000-4000-8000-000000000001");
        assert!(value.get("join_ref").is_none());
    }

    #[test]
    fn a_topic_that_is_too_long_for_a_frame_is_lost() {
        let long = Broadcast { topic: "x".repeat(250), ..changed() };
        assert!(long.frame(Version::V2).is_none() && long.frame(Version::V1).is_some());
    }

    #[test]
    fn pushes_are_read_in_both_versions_and_as_bytes() {
        let push = Push::of_text(Version::V2, r#"["1","2","realtime:a","phx_join",{}]"#);
        let push = push.expect("a push");
        assert_eq!((push.join_ref.as_deref(), push.topic.as_str()), (Some("1"), "realtime:a"));
        assert!(Push::of_text(Version::V1, r#"{"topic":"a","event":"b","ref":"1"}"#).is_none());
        let bytes = b"\x03\x01\x01\x0f\x07\x00\x0139realtime:acct:1changed{\"seq\":7}";
        let push = Push::of_bytes(bytes).expect("a push");
        assert_eq!(
            (push.reference.as_deref(), push.topic.as_str()),
            (Some("9"), "realtime:acct:1")
        );
        assert_eq!(push.content, Some(Content::Json(r#"{"seq":7}"#.to_owned())));
        assert!(Push::of_bytes(b"\x03\xff\x01").is_none());
    }
}
