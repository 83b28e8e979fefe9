//! What went wrong on the way to the project: who failed, how, and the code that it gave.
//!
//! Nothing is decided here. Whoever asked looks the three up in the one table of failures
//! (`docs/sync.md`); a person reads what `sentence.rs` makes of them. What a server wrote in its own
//! words stays out: neither an error nor a log line has an address, a token or a body in it.

use std::time::Duration;

/// Who answered, or should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// PostgREST, and our functions behind it.
    Rest,
    /// Auth (GoTrue).
    Auth,
    /// Realtime.
    Realtime,
    /// The gateway before all of them: a key that it does not know, a project that is not there.
    Gateway,
}

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No name, no connection, or it broke before the answer began.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The answer broke off.
    Cut,
    /// Somebody in between answered: a page to sign in to a network, a redirect.
    Portal,
    /// A body that is not what was asked for.
    Garbled,
    /// An answer larger than any that we ask for, once unpacked. Not read to its end.
    Oversized,
    /// The certificate is signed by nobody that this computer trusts.
    Untrusted,
    /// The certificate is too old or too young; more often it is this computer's clock.
    Clock,
    /// The answer is about another user than was asked for. Not used.
    Foreign,
    /// The connection cannot be set up on this computer: its proxy, its file of authorities.
    Setup,
    /// An answer with an error's status.
    Status(u16),
}

/// A request to the project that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service:?} {fault:?} {}", self.code())]
pub struct Error {
    /// Who failed.
    pub service: Service,
    /// How.
    pub fault: Fault,
    code: Option<Box<str>>,
    /// How long the server asked us to wait. Rarely there: Auth and PostgREST never send it.
    pub retry_after: Option<Duration>,
    /// What a password lacks, where Auth refused it as weak.
    pub weak: Vec<Weakness>,
}

/// What a password lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Too short.
    Length,
    /// Too few kinds of characters.
    Characters,
    /// It is on a list of stolen passwords.
    Stolen,
}

impl Error {
    /// A request that was not answered as it should be.
    pub fn silent(service: Service, fault: Fault) -> Self {
        Self { service, fault, code: None, retry_after: None, weak: Vec::new() }
    }

    /// An answer with an error's status and, where the body has one, a code.
    pub fn status(service: Service, status: u16, code: Option<&str>) -> Self {
        let mut error = Self::silent(service, Fault::Status(status));
        error.code = code.map(Box::from);
        error
    }

    /// The code in the body: `PGRST303`, an SQLSTATE, a word of Auth's or of our own functions.
    /// Empty where there was none. Nothing but ASCII letters, digits and `_`, at most 64.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    /// The HTTP status of an error that was answered.
    pub fn http_status(&self) -> Option<u16> {
        match self.fault {
            Fault::Status(status) => Some(status),
            _ => None,
        }
    }
}

/// An answer, or why there is none.
pub type Result<T, E = Error> = std::result::Result<T, E>;
