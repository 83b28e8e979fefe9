//! A provider as a sentence names it, and the sentences themselves.

use super::fault::Fault;
use crate::error::{Code, Failure};

/// Who is asked and for what: enough to say what happened, what is safe and what to do.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Host and, where it is not the usual one, port.
    pub(crate) host: String,
    /// Whether a key was sent.
    pub(crate) has_key: bool,
    /// What for.
    pub(crate) purpose: Purpose,
}

/// What a provider is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An answer: a message waits for it.
    Answer,
    /// Its models: nothing is at stake.
    Models,
}

impl Place {
    /// What a person reads.
    pub(crate) fn failure(&self, fault: Fault) -> Failure {
        let fault = match (self.purpose, fault) {
            // No model was named: what is not there is the list.
            (Purpose::Models, Fault::Model) => Fault::Address,
            _ => fault,
        };
        let (code, happened, hint) = self.sentences(fault);
        let message = match self.safe(fault) {
            Some(safe) => format!("{happened} {safe}"),
            None => happened,
        };
        Failure::new(code, message).hint(hint)
    }

    fn safe(&self, fault: Fault) -> Option<&'static str> {
        match (self.purpose, fault) {
            (Purpose::Models, _) => None,
            (Purpose::Answer, Fault::Interrupted) => Some("What arrived is saved."),
            (Purpose::Answer, _) => Some("Your message is saved."),
        }
    }

    /// Code, what happened, what to do.
    fn sentences(&self, fault: Fault) -> (Code, String, &'static str) {
        let host = &self.host;
        match fault {
            Fault::Unreachable => {
                (Code::Offline, format!("Could not reach {host}."), self.when_back())
            }
            Fault::Portal => (
                Code::Offline,
                format!("Something other than {host} answered, with a page of its own."),
                "Sign in to this network in a browser. If you are online, check the provider's \
                 address under Settings → Models.",
            ),
            Fault::Untrusted => (
                Code::InvalidInput,
                format!(
                    "The certificate of {host} is signed by an authority that this computer does \
                     not know, so nothing was sent."
                ),
                "If your organisation has its own authority, choose its certificate file (PEM) \
                 under Settings → Models.",
            ),
            Fault::Clock => (
                Code::InvalidInput,
                format!("The certificate of {host} is not valid today, so nothing was sent."),
                "Check this computer's date and time, then try again.",
            ),
            Fault::Interrupted => (
                Code::Interrupted,
                format!("The answer from {host} broke off."),
                "Continue it, or ask again.",
            ),
            Fault::RateLimited => (
                Code::RateLimited,
                format!("{host} asks for patience: too many requests for now."),
                "It is asked again by itself. You can also use another model.",
            ),
            Fault::Busy => (
                Code::ProviderBusy,
                format!("{host} has a problem on its side."),
                "It is asked again by itself. You can also use another model.",
            ),
            Fault::Key => self.key(),
            Fault::Model => (
                Code::ModelMissing,
                format!("{host} does not offer this model."),
                "Choose another model, or check its name under Settings → Models.",
            ),
            Fault::Address => (
                Code::InvalidInput,
                format!("{host} answers, but offers no models at this address."),
                "Check the provider's address under Settings → Models.",
            ),
            Fault::Context => (
                Code::ContextFull,
                "The conversation is longer than this model can read.".to_owned(),
                "Use a model that reads more, or start a new chat from the part that matters.",
            ),
            Fault::TooLarge => (
                Code::TooLarge,
                format!("The conversation is larger than {host} accepts."),
                "Start a new chat from the part that matters.",
            ),
            Fault::Credit => (
                Code::Refused,
                format!("The account at {host} has no credit left."),
                "Add credit there or raise its limit, then retry; or use another model.",
            ),
            Fault::Filtered => (
                Code::Refused,
                format!("{host} declined to answer because of its content rules."),
                "Edit the message, or use another model.",
            ),
            Fault::Refused => (
                Code::Refused,
                format!("{host} refused this request and would refuse it again."),
                "Use another model, or check the provider under Settings → Models.",
            ),
        }
    }

    fn key(&self) -> (Code, String, &'static str) {
        let host = &self.host;
        if self.has_key {
            let happened = format!("{host} did not accept the key.");
            (Code::KeyRejected, happened, "Check the key under Settings → Models.")
        } else {
            let happened = format!("{host} asks for a key, and none is stored.");
            (Code::KeyRejected, happened, "Enter a key under Settings → Models.")
        }
    }

    fn when_back(&self) -> &'static str {
        match self.purpose {
            Purpose::Answer => {
                "It is sent by itself when the connection is back. You can also use another model."
            }
            Purpose::Models => "Check the connection and the provider's address, then try again.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(purpose: Purpose) -> Place {
        Place { host: "api.anthropic.com".to_owned(), has_key: true, purpose }
    }

    #[test]
    fn a_question_that_cannot_go_out_is_said_to_be_safe() {
        let failure = place(Purpose::Answer).failure(Fault::Unreachable);
        assert_eq!(failure.message, "Could not reach api.anthropic.com. Your message is saved.");
        assert_eq!(failure.code, Code::Offline);
        assert!(failure.hint.is_some());
    }

    #[test]
    fn asking_for_models_does_not_speak_of_a_message() {
        let failure = place(Purpose::Models).failure(Fault::Unreachable);
        assert_eq!(failure.message, "Could not reach api.anthropic.com.");
    }

    #[test]
    fn a_missing_key_is_told_apart_from_a_wrong_one() {
        let with = place(Purpose::Answer);
        let without = Place { has_key: false, ..with.clone() };
        assert_eq!(with.failure(Fault::Key).code, Code::KeyRejected);
        assert_ne!(with.failure(Fault::Key).message, without.failure(Fault::Key).message);
    }

    #[test]
    fn an_unknown_authority_is_never_answered_with_ignoring_it() {
        let failure = place(Purpose::Answer).failure(Fault::Untrusted);
        assert!(failure.hint.expect("there is one").contains("PEM"));
    }
}
