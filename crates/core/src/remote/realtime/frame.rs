//! Phoenix channels, protocol 2.0.0: what goes over the socket.
//!
//! Text frames are arrays `[join_ref, ref, topic, event, payload]`. Broadcasts from the database come
//! as binary frames of kind 4, even where their payload is JSON; a batch's come as text. Both are
//! read; what is neither is nothing, and the connection stays.

use serde_json::{Value, json};

/// A message from the server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    /// The ref of what it answers; none for what nobody asked for.
    pub(super) reference: Option<String>,
    pub(super) topic: String,
    pub(super) event: String,
    pub(super) payload: Value,
}

/// The kind byte of a broadcast.
const BROADCAST: u8 = 4;
/// The encoding byte of a payload that is JSON.
const JSON: u8 = 1;

impl Frame {
    /// Reads a text frame.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (_, reference, topic, event, payload): (Value, Value, String, String, Value) =
            serde_json::from_str(text).ok()?;
        Some(Self { reference: reference.as_str().map(str::to_owned), topic, event, payload })
    }

    /// Reads a binary frame: a broadcast with a JSON payload. It looks like the same as text.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_first_chunk::<5>()?;
        let [BROADCAST, topic, event, metadata, JSON] = *head else { return None };
        let topic = std::str::from_utf8(part(&mut rest, topic)?).ok()?;
        let event = std::str::from_utf8(part(&mut rest, event)?).ok()?;
        let _ = part(&mut rest, metadata)?;
        let payload: Value = serde_json::from_slice(rest).ok()?;
        let payload = json!({ "type": "broadcast", "event": event, "payload": payload });
        Some(Self {
            reference: None,
            topic: topic.to_owned(),
            event: "broadcast".to_owned(),
            payload,
        })
    }
}

fn part<'a>(rest: &mut &'a [u8], length: u8) -> Option<&'a [u8]> {
    let (part, after) = rest.split_at_checked(usize::from(length))?;
    *rest = after;
    Some(part)
}

/// A message to the server.
pub(super) fn text(
    join_ref: Option<&str>,
    reference: &str,
    topic: &str,
    event: &str,
    payload: &Value,
) -> String {
    json!([join_ref, reference, topic, event, payload]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the contract, checked there against the official serialiser.
    fn example() -> Vec<u8> {
        let metadata = r#"{"id":"00000000-0000-4000-8000-000000000001"}"#;
        let mut bytes = vec![0x04, 0x0f, 0x07, 0x2d, 0x01];
        for text in ["realtime:acct:1", "changed", metadata, r#"{"seq":7}"#] {
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    #[test]
    fn a_binary_broadcast_reads_like_one_in_text() {
        let binary = Frame::from_bytes(&example()).expect("a broadcast");
        let text = r#"[null,null,"realtime:acct:1","broadcast",
            {"type":"broadcast","event":"changed","payload":{"seq":7}}]"#;
        assert_eq!(Some(binary), Frame::from_text(text));
    }

    #[test]
    fn no_part_of_a_frame_is_a_frame() {
        let whole = example();
        for end in 0..whole.len() {
            assert_eq!(Frame::from_bytes(&whole[..end]), None, "{end} bytes");
        }
        for kind in [0, 1, 2, 3, 5, 255] {
            let mut other = whole.clone();
            other[0] = kind;
            assert_eq!(Frame::from_bytes(&other), None, "kind {kind}");
        }
        let mut binary = whole;
        binary[4] = 0;
        assert_eq!(Frame::from_bytes(&binary), None, "a payload that is no JSON");
    }

    #[test]
    fn text_that_is_no_frame_is_nothing() {
        for text in ["", "{}", "[]", "[1,2,3]", r#"[null,null,"t","e"]"#, r#"[null,null,1,"e",{}]"#]
        {
            assert_eq!(Frame::from_text(text), None, "{text}");
        }
    }
}
