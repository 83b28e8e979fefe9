//! The one table of failures: what a refusal means is decided here and nowhere else.
//!
//! The same table stands in docs/sync.md under "Failures"; both change together. It is asked with
//! the service, the status and the code in the body, never with the status alone: Auth says 403
//! `bad_jwt`, Storage says 400 for nearly everything, and a captive portal says 200.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who answered, or should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// PostgREST, and our functions behind it.
    Rest,
    /// Auth (GoTrue).
    Auth,
    /// Storage.
    Storage,
    /// Realtime.
    Realtime,
    /// The gateway before all of them: a key that it does not know, a project that is paused.
    Gateway,
}

/// What came back instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service:?} {kind:?} {code:?}")]
pub struct Fault {
    /// Who failed.
    pub service: Service,
    /// How.
    pub kind: FaultKind,
    /// The code in the body: `PGRST303`, an SQLSTATE, a word of Auth's or of our own functions.
    pub code: Option<String>,
}

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// No connection, or it broke before the answer was whole.
    Unreachable,
    /// The answer did not come in time.
    TimedOut,
    /// A body that is not our JSON: a captive portal, a truncated answer.
    NotOurs,
    /// More than any answer of ours may be.
    TooMuch,
    /// An answer with this HTTP status.
    Status(u16),
}

impl Fault {
    /// A request that was answered with a status and a code.
    pub fn status(service: Service, status: u16, code: &str) -> Self {
        let code = (!code.is_empty()).then(|| code.to_owned());
        Self { service, kind: FaultKind::Status(status), code }
    }

    /// A request that was not answered.
    pub fn silent(service: Service, kind: FaultKind) -> Self {
        Self { service, kind, code: None }
    }
}

/// What the engine does about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Ask for a new token once, then the same again; pause when that does not help.
    Refresh,
    /// The same again later, on the timer of the retries.
    Retry,
    /// A smaller batch; a single operation that is too large is parked.
    Halve {
        /// Wait for the timer of the retries first: the fault may as well be the network.
        wait: bool,
    },
    /// The device introduces itself once more, then the same again; pause when that does not help.
    Hello,
    /// Nothing was done, because the server does not know a point that this device has seen: it has another past.
    UnknownPoint,
    /// Nothing goes until a person, or time, has changed something.
    Pause(Pause),
}

/// Why sync stands still. Nothing local is lost in any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// The session has ended: sign in again.
    SignIn,
    /// This device was revoked: keep or delete what is here?
    DeviceRevoked,
    /// The account was disabled: keep or delete what is here?
    UserDisabled,
    /// The device's id belongs to somebody else; the data folder was copied.
    DeviceUnknown,
    /// The project does not know the key.
    WrongKey,
    /// The server refuses, and says no more.
    Forbidden,
    /// The project has no schema of ours, or an incomplete one.
    NoSchema,
    /// The server's schema is older than this program can speak to.
    ServerTooOld,
    /// The server's schema is newer than this program can speak to.
    AppTooOld,
    /// The project is paused; asked again each hour.
    ProjectPaused,
    /// The server has no room left; asked again each hour.
    ServerFull,
    /// The server is another one than the mirror was attached to, or another user answers.
    WrongProject,
    /// A pull would remove much of what is here: a person has to look first.
    Removal,
}

impl Pause {
    /// Whether time alone may end it. The engine asks again each hour.
    pub fn ends_by_itself(self) -> bool {
        matches!(self, Self::ProjectPaused | Self::ServerFull | Self::NoSchema | Self::ServerTooOld)
    }

    /// What it is, as it stands behind “Paused:”.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::SignIn => "sign in again (nothing is lost)",
            Self::DeviceRevoked => {
                "this device was signed out by its owner. Keep or delete what is on it?"
            }
            Self::UserDisabled => {
                "the account was disabled. Keep or delete what is on this device?"
            }
            Self::DeviceUnknown => {
                "the server knows this device as somebody else's. Was the data folder copied?"
            }
            Self::WrongKey => "the project does not accept the key",
            Self::Forbidden => "the server refuses this account",
            Self::NoSchema => "the project is not set up for Tidemark",
            Self::ServerTooOld => "the server has to be updated first",
            Self::AppTooOld => "this Tidemark has to be updated first",
            Self::ProjectPaused => "the project sleeps. Wake it in Supabase's dashboard",
            Self::ServerFull => "the server is full",
            Self::WrongProject => "the server is not the one that this device was attached to",
            Self::Removal => "much of what is here is gone on the server. Remove it here too?",
        }
    }

    /// What a person does about it, in a sentence.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::SignIn => "Sign in again; sync goes on from here.",
            Self::DeviceRevoked | Self::UserDisabled => {
                "Sign out, and choose whether what is here stays; or ask whoever looks after the project."
            }
            Self::DeviceUnknown => {
                "Sign out and in again: this folder becomes a device of its own."
            }
            Self::WrongKey => "Copy the anon or publishable key from the project's API settings.",
            Self::Forbidden => "Whoever looks after the project finds the reason in its logs.",
            Self::NoSchema => {
                "Have the database prepared: `supabase db push` with Tidemark's migrations/server."
            }
            Self::ServerTooOld => {
                "Have the database brought up to date: `supabase db push` with this version's migrations/server."
            }
            Self::AppTooOld => "Update Tidemark; everything here waits until then.",
            Self::ProjectPaused => {
                "Somebody with access to the project's dashboard can resume it; it is asked again each hour."
            }
            Self::ServerFull => "Have room made on the server; it is asked again each hour.",
            Self::WrongProject => "Sign out, then sign in to the project that you mean.",
            Self::Removal => {
                "Look at the account page, and say whether it goes here too or is kept."
            }
        }
    }
}

/// The table.
pub fn decide(fault: &Fault) -> Decision {
    let code = fault.code.as_deref().unwrap_or_default();
    match fault.kind {
        FaultKind::TimedOut | FaultKind::TooMuch => Decision::Halve { wait: true },
        FaultKind::Unreachable | FaultKind::NotOurs => Decision::Retry,
        FaultKind::Status(status) => {
            everywhere(status, code).unwrap_or_else(|| match fault.service {
                Service::Rest | Service::Realtime => rest(status, code),
                Service::Auth => auth(status, code),
                Service::Storage => storage(status, code),
                Service::Gateway => gateway(status),
            })
        }
    }
}

/// What any of the servers, or a gateway before it, means by a status.
fn everywhere(status: u16, code: &str) -> Option<Decision> {
    Some(match (status, code) {
        (540, _) | (503, "project_paused") => Decision::Pause(Pause::ProjectPaused),
        // Out of space: Postgres says 53100 with a 503 or a 500, and means it for longer than a retry.
        (500..=599, "53100") => Decision::Pause(Pause::ServerFull),
        // A missing table or function of ours, that PostgREST passes on as a server's error.
        (_, "PGRST202" | "PGRST205" | "PGRST106" | "3F000" | "42P01" | "42883") => {
            Decision::Pause(Pause::NoSchema)
        }
        (408 | 425 | 429 | 500..=599, _) => Decision::Retry,
        (_, "40001" | "40P01" | "55P03" | "57014") => Decision::Retry,
        (413, _) | (_, "batch_too_large") => Decision::Halve { wait: false },
        _ => return None,
    })
}

fn rest(status: u16, code: &str) -> Decision {
    match (status, code) {
        (_, "device_revoked") => Decision::Pause(Pause::DeviceRevoked),
        (_, "user_disabled") => Decision::Pause(Pause::UserDisabled),
        (_, "device_unknown") => Decision::Hello,
        (_, "unknown_point") => Decision::UnknownPoint,
        // The schema that this program named, as the server sees it.
        (_, "schema_too_old") => Decision::Pause(Pause::AppTooOld),
        (_, "schema_too_new") => Decision::Pause(Pause::ServerTooOld),
        // Something in the batch cannot even be read: which operation it is shows when it is alone.
        (400, "22P05" | "22P02" | "invalid_batch") => Decision::Halve { wait: false },
        (401, _) => Decision::Refresh,
        (404, _) => Decision::Pause(Pause::NoSchema),
        (403, _) | (_, "42501") => Decision::Pause(Pause::Forbidden),
        // An answer that no rule knows: as wrong later as now, but a new release of the server may
        // know better, and nothing is lost meanwhile.
        _ => Decision::Retry,
    }
}

fn auth(status: u16, code: &str) -> Decision {
    match (status, code) {
        (_, "bad_jwt") => Decision::Refresh,
        (_, "user_banned") => Decision::Pause(Pause::UserDisabled),
        (409, _) | (_, "conflict") => Decision::Retry,
        // Refused tokens, ended sessions, deleted users: each is mended by signing in.
        (400 | 401 | 403 | 422, _) => Decision::Pause(Pause::SignIn),
        (404, "user_not_found") => Decision::Pause(Pause::SignIn),
        _ => Decision::Retry,
    }
}

fn storage(status: u16, code: &str) -> Decision {
    match (status, code) {
        (_, "InvalidJWT" | "invalid_jwt") | (401, _) => Decision::Refresh,
        (_, "AccessDenied" | "unauthorized") | (403, _) => Decision::Pause(Pause::Forbidden),
        (_, "EntityTooLarge" | "entity_too_large") => Decision::Halve { wait: false },
        _ => Decision::Retry,
    }
}

fn gateway(status: u16) -> Decision {
    match status {
        401 | 403 => Decision::Pause(Pause::WrongKey),
        // No such project behind this address.
        404 => Decision::Pause(Pause::WrongProject),
        _ => Decision::Retry,
    }
}

#[cfg(test)]
mod tests {
    use super::Service::{Auth, Gateway, Rest, Storage};
    use super::*;

    #[test]
    fn every_row_of_the_table_in_the_documentation_is_decided_as_it_says() {
        let halve = Decision::Halve { wait: false };
        let cases = [
            (Rest, 408, "", Decision::Retry),
            (Auth, 425, "", Decision::Retry),
            (Storage, 429, "", Decision::Retry),
            (Rest, 500, "XX000", Decision::Retry),
            (Gateway, 502, "", Decision::Retry),
            (Rest, 522, "", Decision::Retry),
            (Rest, 401, "PGRST301", Decision::Refresh),
            (Rest, 401, "PGRST302", Decision::Refresh),
            (Rest, 401, "PGRST303", Decision::Refresh),
            (Rest, 401, "42501", Decision::Refresh),
            (Rest, 403, "device_revoked", Decision::Pause(Pause::DeviceRevoked)),
            (Rest, 403, "user_disabled", Decision::Pause(Pause::UserDisabled)),
            (Rest, 403, "device_unknown", Decision::Hello),
            (Rest, 403, "42501", Decision::Pause(Pause::Forbidden)),
            (Rest, 403, "", Decision::Pause(Pause::Forbidden)),
            (Rest, 404, "PGRST202", Decision::Pause(Pause::NoSchema)),
            (Rest, 404, "PGRST106", Decision::Pause(Pause::NoSchema)),
            (Rest, 406, "PGRST106", Decision::Pause(Pause::NoSchema)),
            (Rest, 409, "40001", Decision::Retry),
            (Rest, 409, "unknown_point", Decision::UnknownPoint),
            (Rest, 400, "40P01", Decision::Retry),
            (Rest, 400, "55P03", Decision::Retry),
            (Rest, 400, "57014", Decision::Retry),
            (Rest, 413, "", halve),
            (Rest, 413, "batch_too_large", halve),
            (Rest, 400, "schema_too_old", Decision::Pause(Pause::AppTooOld)),
            (Rest, 400, "schema_too_new", Decision::Pause(Pause::ServerTooOld)),
            (Rest, 401, "not_signed_in", Decision::Refresh),
            (Rest, 401, "session_ended", Decision::Refresh),
            (Rest, 403, "scope_forbidden", Decision::Pause(Pause::Forbidden)),
            (Rest, 429, "too_many_calls", Decision::Retry),
            (Rest, 400, "22P05", halve),
            (Rest, 400, "22P02", halve),
            (Rest, 400, "invalid_batch", halve),
            (Auth, 400, "refresh_token_not_found", Decision::Pause(Pause::SignIn)),
            (Auth, 400, "refresh_token_already_used", Decision::Pause(Pause::SignIn)),
            (Auth, 400, "session_not_found", Decision::Pause(Pause::SignIn)),
            (Auth, 400, "session_expired", Decision::Pause(Pause::SignIn)),
            (Auth, 403, "bad_jwt", Decision::Refresh),
            (Auth, 403, "user_banned", Decision::Pause(Pause::UserDisabled)),
            (Auth, 400, "user_banned", Decision::Pause(Pause::UserDisabled)),
            (Auth, 409, "conflict", Decision::Retry),
            (Gateway, 401, "", Decision::Pause(Pause::WrongKey)),
            (Gateway, 540, "", Decision::Pause(Pause::ProjectPaused)),
            (Rest, 503, "project_paused", Decision::Pause(Pause::ProjectPaused)),
            (Rest, 503, "", Decision::Retry),
            (Rest, 500, "53100", Decision::Pause(Pause::ServerFull)),
        ];
        for (service, status, code, decision) in cases {
            let fault = Fault::status(service, status, code);
            assert_eq!(decide(&fault), decision, "{fault}");
        }
    }

    #[test]
    fn silence_is_tried_again_and_a_timeout_makes_the_batch_smaller() {
        let silent = |kind| decide(&Fault::silent(Rest, kind));
        assert_eq!(silent(FaultKind::Unreachable), Decision::Retry);
        assert_eq!(silent(FaultKind::NotOurs), Decision::Retry);
        assert_eq!(silent(FaultKind::TimedOut), Decision::Halve { wait: true });
    }
}
