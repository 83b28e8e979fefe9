//! A channel: what its join asked for, and what it may.

use std::collections::HashSet;

use serde_json::Value;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::policy::Hearing;
use crate::stack::keys::now_s;

/// A token is looked at again at least so often.
const CHECK: Duration = Duration::from_secs(5 * 60);

/// What a join asked for. What is mistyped counts as absent, so that a mistyped `private` quietly
/// makes a public channel: that is how the real one is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wishes {
    pub(super) private: bool,
    /// Hears what it sends itself.
    pub(super) echo: bool,
    /// Wants to hear that what it sent arrived.
    pub(super) ack: bool,
    /// Wants to hear when broadcasts of the database come in.
    pub(super) replication_ready: bool,
    pub(super) presence: bool,
    /// The replay, if any, as it was asked for.
    pub(super) replay: Option<Value>,
}

impl Wishes {
    pub(super) fn of(payload: &Value) -> Self {
        let config = &payload["config"];
        let is = |value: &Value| *value == true || *value == "true";
        let broadcast = &config["broadcast"];
        Self {
            private: is(&config["private"]),
            echo: is(&broadcast["self"]),
            ack: is(&broadcast["ack"]),
            replication_ready: is(&broadcast["replication_ready"]),
            presence: is(&config["presence"]["enabled"]),
            replay: broadcast.get("replay").filter(|replay| replay.is_object()).cloned(),
        }
    }

    /// From when (unix milliseconds) and how many; `None` where that is not allowed.
    pub(super) fn replay_window(&self) -> Option<(i64, i64)> {
        let replay = self.replay.as_ref()?;
        let since = replay["since"].as_i64()?;
        let limit = match &replay["limit"] {
            Value::Null => 25,
            limit => limit.as_i64().filter(|limit| (1..=25).contains(limit))?,
        };
        Some((since, limit))
    }
}

/// A channel that was joined.
#[derive(Debug)]
pub(super) struct Channel {
    /// Without `realtime:`.
    pub(super) topic: String,
    pub(super) join_ref: Option<String>,
    pub(super) wishes: Wishes,
    pub(super) token: String,
    pub(super) claims: Value,
    pub(super) hearing: Hearing,
    /// Asked for at the first message that the client sends.
    pub(super) may_write: Option<bool>,
    /// What was told again is not told once more.
    pub(super) replayed: HashSet<Uuid>,
    pub(super) next_check: Instant,
}

impl Channel {
    /// When a token of these claims is looked at again.
    pub(super) fn check_after(claims: &Value) -> Instant {
        let left = claims["exp"].as_i64().unwrap_or_default().saturating_sub(now_s());
        // Into the second after: the clock of tokens counts whole ones.
        let left = Duration::from_secs(left.max(0).unsigned_abs()) + Duration::from_millis(50);
        Instant::now() + left.min(CHECK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn private_stands_beside_broadcast_and_not_in_it() {
        assert!(Wishes::of(&json!({"config": {"private": true}})).private);
        assert!(Wishes::of(&json!({"config": {"private": "true"}})).private);
        assert!(!Wishes::of(&json!({"config": {"broadcast": {"private": true}}})).private);
        assert!(!Wishes::of(&json!({})).private);
    }

    #[test]
    fn a_replay_needs_its_beginning_and_at_most_25() {
        let window = |replay: Value| {
            Wishes::of(&json!({"config": {"broadcast": {"replay": replay}}})).replay_window()
        };
        assert_eq!(window(json!({"since": 5})), Some((5, 25)));
        assert_eq!(window(json!({"since": 5, "limit": 3})), Some((5, 3)));
        assert_eq!(window(json!({"limit": 3})), None);
        assert_eq!(window(json!({"since": 5, "limit": 26})), None);
    }
}
