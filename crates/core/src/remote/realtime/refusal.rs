//! Why a channel was refused or closed, sorted by what helps.
//!
//! Realtime gives a code only as the beginning of a sentence, and where it closes a channel not even
//! that: the sentence is all there is. What nobody knows passes, and is tried again.

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Another token.
    Token,
    /// Not this token; perhaps one of another day.
    Forbidden,
    /// Time.
    Busy,
    /// More time: too many are there.
    Crowded,
    /// Somebody has to change the project.
    Off,
}

/// By the code before the colon (`InvalidJWTToken: Token has expired …`).
const CODES: [(&str, Refusal); 13] = [
    ("Unauthorized", Refusal::Forbidden),
    ("InvalidJWTToken", Refusal::Token),
    ("MalformedJWT", Refusal::Token),
    ("JwtSignatureError", Refusal::Token),
    ("JwtSignerError", Refusal::Token),
    ("ChannelRateLimitReached", Refusal::Crowded),
    ("ConnectionRateLimitReached", Refusal::Crowded),
    ("ClientJoinRateLimitReached", Refusal::Crowded),
    ("TenantNotFound", Refusal::Off),
    ("RealtimeDisabledForTenant", Refusal::Off),
    ("PrivateOnly", Refusal::Off),
    ("TopicNameRequired", Refusal::Off),
    ("unmatched topic", Refusal::Off),
];

/// By the beginning of the sentence that comes before a channel is closed.
const SENTENCES: [(&str, Refusal); 6] = [
    ("Token has expired", Refusal::Token),
    ("Fields `role` and `exp`", Refusal::Token),
    ("The token provided", Refusal::Token),
    ("You do not have permissions", Refusal::Forbidden),
    ("You no longer have permission", Refusal::Forbidden),
    ("Too many messages per second", Refusal::Crowded),
];

impl Refusal {
    /// Of the reason that a join was refused with, or the message before a channel was closed.
    pub(super) fn of(reason: &str) -> Self {
        let code = reason.split(':').next().unwrap_or_default().trim();
        let by_code = CODES.iter().find(|(name, _)| *name == code);
        by_code
            .or_else(|| SENTENCES.iter().find(|(start, _)| reason.starts_with(start)))
            .map_or(Self::Busy, |(_, refusal)| *refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_the_contract_has_its_row() {
        let table = [
            (
                "Unauthorized: You do not have permissions to read from this Channel topic: X",
                Refusal::Forbidden,
            ),
            ("InvalidJWTToken: Token has expired 12 seconds ago", Refusal::Token),
            ("InvalidJWTToken: Fields `role` and `exp` are required in JWT", Refusal::Token),
            ("MalformedJWT: The token provided is not a valid JWT", Refusal::Token),
            ("JwtSignatureError: Failed to validate JWT signature", Refusal::Token),
            ("ChannelRateLimitReached: Too many channels", Refusal::Crowded),
            ("ConnectionRateLimitReached: Too many connected users", Refusal::Crowded),
            ("ClientJoinRateLimitReached: Too many joins per second", Refusal::Crowded),
            ("PrivateOnly: This project only allows private channels", Refusal::Off),
            ("InitializingProjectConnection: x", Refusal::Busy),
            ("DatabaseLackOfConnections: x", Refusal::Busy),
            ("Realtime was unable to connect to the project database", Refusal::Busy),
            ("TenantNotFound: x", Refusal::Off),
            ("RealtimeDisabledForTenant: x", Refusal::Off),
            ("Unknown Error on Channel", Refusal::Busy),
            ("join crashed", Refusal::Busy),
            ("Token has expired 3 seconds ago", Refusal::Token),
            (
                "You no longer have permission to read from this Channel topic: X",
                Refusal::Forbidden,
            ),
            ("Too many messages per second", Refusal::Crowded),
            ("Replication connection was not established in time", Refusal::Busy),
            ("", Refusal::Busy),
        ];
        for (reason, expected) in table {
            assert_eq!(Refusal::of(reason), expected, "{reason}");
        }
    }
}
