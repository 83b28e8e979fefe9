//! What a person reads when the project did not do what was asked: what happened, and what to do.
//!
//! By code, else by how it failed. Nothing that is stored on this computer is at stake in any of them.

use super::error::{Error, Fault, Service, Weakness};
use super::store::StoreError;
use super::tokens::TokenError;
use crate::error::{Code, Failure};

impl Error {
    /// The sentence for it; `place` is the project's host.
    pub fn failure(&self, place: &str) -> Failure {
        let failure = by_code(self).unwrap_or_else(|| self.by_fault(place));
        match self.retry_after.filter(|_| failure.code == Code::RateLimited) {
            Some(wait) => failure.hint(format!("Try again in {} seconds.", wait.as_secs().max(1))),
            None => failure,
        }
    }

    fn by_fault(&self, place: &str) -> Failure {
        let (code, message, hint) = match self.fault {
            Fault::Unreachable | Fault::TimedOut | Fault::Cut => (
                Code::Offline,
                format!("{place} cannot be reached."),
                "Check the network, and the project's address.",
            ),
            Fault::Portal => (
                Code::Offline,
                format!("The network answers in place of {place}."),
                "Open a web page to sign in to the network, then try again.",
            ),
            Fault::Untrusted => (
                Code::InvalidInput,
                format!(
                    "The certificate of {place} is signed by nobody that this computer trusts."
                ),
                "If your organisation has an authority of its own, name its certificate file.",
            ),
            Fault::Clock => (
                Code::InvalidInput,
                format!("The certificate of {place} is not valid at this computer's time."),
                "Check the computer's date.",
            ),
            Fault::Setup => (
                Code::Internal,
                "The connection could not be set up.".to_owned(),
                "Check the system's proxy settings and the certificate file.",
            ),
            Fault::Garbled | Fault::Oversized | Fault::Foreign => (
                Code::ProviderBusy,
                format!("{place} answered with something that is not from a Supabase project."),
                "Check the project's address.",
            ),
            Fault::Status(status) => return self.by_status(status, place),
        };
        Failure::new(code, message).hint(hint)
    }

    fn by_status(&self, status: u16, place: &str) -> Failure {
        let (code, message, hint) = match (self.service, status) {
            (_, 540) => PAUSED,
            (Service::Gateway, 404) => (
                Code::NotFound,
                "There is no Supabase project at this address.",
                "Check the address; the project's API settings show it.",
            ),
            (Service::Gateway | Service::Realtime, 401 | 403) => (
                Code::KeyRejected,
                "The project does not know the key.",
                "Copy the anon or publishable key from the project's API settings.",
            ),
            (_, 413) => {
                (Code::TooLarge, "This is more than the project takes at once.", "Send less.")
            }
            (_, 429) => {
                (Code::RateLimited, "The project asks for patience.", "Try again in a minute.")
            }
            (_, 500..) => {
                let message = format!("{place} has a problem of its own.");
                return Failure::new(Code::ProviderBusy, message).hint("Try again in a minute.");
            }
            _ => (
                Code::Refused,
                "The project refused, and gave no reason that is known here.",
                "An administrator of the project finds the reason in its logs.",
            ),
        };
        Failure::new(code, message).hint(hint)
    }
}

const PAUSED: (Code, &str, &str) = (
    Code::ProviderBusy,
    "The project is paused.",
    "Somebody with access to its dashboard can resume it; everything here is kept until then.",
);

fn by_code(error: &Error) -> Option<Failure> {
    if error.code() == "weak_password" {
        return Some(weak(&error.weak));
    }
    let (_, code, message, hint) = CODES.iter().find(|(name, ..)| *name == error.code())?;
    Some(Failure::new(*code, *message).hint(*hint))
}

fn weak(reasons: &[Weakness]) -> Failure {
    let lacks = reasons.iter().map(|reason| match reason {
        Weakness::Length => "longer",
        Weakness::Characters => "of more kinds of characters",
        Weakness::Stolen => "one that is on no list of stolen passwords",
    });
    let lacks: Vec<_> = lacks.collect();
    let wish = if lacks.is_empty() { "stronger".to_owned() } else { lacks.join(" and ") };
    Failure::new(Code::InvalidInput, format!("The project wants a password that is {wish}."))
        .hint("Choose another password.")
}

const SIGN_IN: &str = "Sign in again. Everything on this computer is kept, and goes on from here.";
const SCHEMA: &str =
    "Have the database prepared: `supabase db push` with Tidemark's migrations/server.";

/// Codes that mean one thing wherever they come from.
const CODES: [(&str, Code, &str, &str); 37] = [
    (
        "invalid_credentials",
        Code::Refused,
        "The e-mail address or the password is wrong.",
        "Check both, or have the password reset.",
    ),
    (
        "email_not_confirmed",
        Code::WrongState,
        "The e-mail address is not confirmed yet.",
        "Open the link in the message that was sent to it, or have it sent again.",
    ),
    (
        "user_banned",
        Code::Refused,
        "An administrator disabled this account.",
        "Ask the administrator; everything on this computer is kept.",
    ),
    (
        "user_disabled",
        Code::Refused,
        "An administrator disabled this account.",
        "Ask the administrator; everything on this computer is kept.",
    ),
    (
        "user_already_exists",
        Code::InvalidInput,
        "There is an account with this e-mail address already.",
        "Sign in instead.",
    ),
    (
        "email_exists",
        Code::InvalidInput,
        "There is an account with this e-mail address already.",
        "Sign in instead.",
    ),
    (
        "email_address_invalid",
        Code::InvalidInput,
        "The project does not take this e-mail address.",
        "Check it, or use another.",
    ),
    (
        "email_address_not_authorized",
        Code::InvalidInput,
        "The project does not send messages to this e-mail address.",
        "Ask whoever runs the project.",
    ),
    (
        "signup_disabled",
        Code::Refused,
        "The project takes no new accounts.",
        "Ask whoever runs it for an invitation.",
    ),
    (
        "email_provider_disabled",
        Code::Refused,
        "The project does not let people sign in with a password.",
        "Ask whoever runs it.",
    ),
    ("same_password", Code::InvalidInput, "This is the password already.", "Choose another."),
    (
        "current_password_required",
        Code::InvalidInput,
        "The project wants the current password too.",
        "Enter both.",
    ),
    (
        "current_password_invalid",
        Code::Refused,
        "The current password is wrong.",
        "Enter it again.",
    ),
    (
        "reauthentication_needed",
        Code::WrongState,
        "The project wants you to sign in again before the password changes.",
        "Sign in again, then change it.",
    ),
    (
        "captcha_failed",
        Code::Refused,
        "The project wants proof that you are a person, which this app cannot give.",
        "Sign up on the project's own page.",
    ),
    (
        "insufficient_aal",
        Code::Refused,
        "The account wants a second factor, which this app cannot give yet.",
        "Ask whoever runs the project.",
    ),
    ("otp_expired", Code::Refused, "The code is wrong, or too old.", "Have another one sent."),
    (
        "over_email_send_rate_limit",
        Code::RateLimited,
        "A message was sent to this address a moment ago.",
        "Try again in a minute.",
    ),
    (
        "over_request_rate_limit",
        Code::RateLimited,
        "The project asks for patience.",
        "Try again in a minute.",
    ),
    (
        "too_many_calls",
        Code::RateLimited,
        "The project asks for patience.",
        "Try again in a minute.",
    ),
    ("refresh_token_not_found", Code::WrongState, "The session has ended.", SIGN_IN),
    (
        "refresh_token_already_used",
        Code::WrongState,
        "The session has ended, because its key was used twice.",
        SIGN_IN,
    ),
    ("session_not_found", Code::WrongState, "The session has ended.", SIGN_IN),
    ("session_ended", Code::WrongState, "The session has ended.", SIGN_IN),
    ("session_expired", Code::WrongState, "The session has ended.", SIGN_IN),
    (
        "user_not_found",
        Code::WrongState,
        "The account does not exist any more.",
        "Everything on this computer is kept.",
    ),
    (
        "device_revoked",
        Code::WrongState,
        "This computer was signed out of the account.",
        "Sign in again to go on; everything here is kept.",
    ),
    ("PGRST202", Code::NotFound, "The project has no Tidemark schema, or an older one.", SCHEMA),
    (
        "PGRST106",
        Code::NotFound,
        "The project has no Tidemark schema, or does not show it.",
        SCHEMA,
    ),
    ("schema_too_new", Code::WrongState, "The project's schema is older than this app.", SCHEMA),
    (
        "schema_too_old",
        Code::Newer,
        "The project's schema is newer than this app.",
        "Update Tidemark.",
    ),
    ("project_paused", PAUSED.0, PAUSED.1, PAUSED.2),
    (
        "validation_failed",
        Code::InvalidInput,
        "The project did not take what was entered.",
        "Check the e-mail address and the password.",
    ),
    (
        "files_left",
        Code::WrongState,
        "The account still has files on the server, which have to go first.",
        "Delete them, then the account.",
    ),
    ("forbidden", Code::Refused, "Only an administrator of the project may do this.", "Ask one."),
    (
        "scope_forbidden",
        Code::Refused,
        "The project did not let this account do that.",
        "Sign in again; if that does not help, ask whoever runs the project.",
    ),
    (
        "53100",
        Code::ProviderBusy,
        "The project's database is full.",
        "Somebody with access to it can make room; everything here is kept.",
    ),
];

impl TokenError {
    /// The sentence for it; `place` is the project's host.
    pub fn failure(&self, place: &str) -> Failure {
        match self {
            Self::SignedOut => Failure::new(Code::WrongState, "Nobody is signed in.")
                .hint("Sign in to the project first."),
            Self::Ended(error) if error.fault == Fault::Foreign => {
                Failure::new(Code::WrongState, "The project answers for somebody else.")
                    .hint(SIGN_IN)
            }
            Self::Ended(error) | Self::Remote(error) => error.failure(place),
            Self::Store(error) => error.failure(),
        }
    }
}

impl StoreError {
    /// The sentence for it.
    pub fn failure(&self) -> Failure {
        Failure::new(
            Code::Locked,
            "The session could not be kept on this computer, so it is not used.",
        )
        .hint("Unlock the system's keyring, then try again.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "abc.supabase.co";

    fn status(service: Service, status: u16, code: &str) -> Failure {
        Error::status(service, status, Some(code).filter(|code| !code.is_empty())).failure(PLACE)
    }

    #[test]
    fn every_failure_says_what_happened_and_what_to_do() {
        let faults = [
            Fault::Unreachable,
            Fault::TimedOut,
            Fault::Cut,
            Fault::Portal,
            Fault::Garbled,
            Fault::Oversized,
            Fault::Untrusted,
            Fault::Clock,
            Fault::Foreign,
            Fault::Setup,
        ];
        let silent = faults.map(|fault| Error::silent(Service::Rest, fault).failure(PLACE));
        let coded = CODES.map(|(code, ..)| status(Service::Auth, 400, code));
        let bare = [400, 401, 403, 404, 413, 429, 500, 503, 540]
            .map(|number| status(Service::Gateway, number, ""));
        for failure in silent.iter().chain(&coded).chain(&bare) {
            assert!(failure.message.ends_with('.'), "{failure:?}");
            assert!(failure.hint.as_ref().is_some_and(|hint| hint.ends_with('.')), "{failure:?}");
        }
    }

    #[test]
    fn a_wrong_key_a_wrong_address_and_a_missing_schema_are_told_apart() {
        assert_eq!(status(Service::Gateway, 401, "").code, Code::KeyRejected);
        assert!(status(Service::Gateway, 404, "").message.contains("no Supabase project"));
        assert!(status(Service::Rest, 404, "PGRST202").hint.expect("one").contains("db push"));
    }

    #[test]
    fn a_weak_password_says_what_it_lacks() {
        let mut error = Error::status(Service::Auth, 422, Some("weak_password"));
        error.weak = vec![Weakness::Length, Weakness::Stolen];
        let message = error.failure(PLACE).message;
        assert!(message.contains("longer and one that is on no list"), "{message}");
    }

    #[test]
    fn the_wait_that_a_server_asks_for_is_told() {
        let mut error = Error::status(Service::Auth, 429, Some("over_email_send_rate_limit"));
        error.retry_after = Some(std::time::Duration::from_secs(42));
        assert_eq!(error.failure(PLACE).hint.as_deref(), Some("Try again in 42 seconds."));
    }
}
