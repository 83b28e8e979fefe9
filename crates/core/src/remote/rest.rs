//! Our functions in the project's database, through PostgREST.
//!
//! A call is one POST with the user's token; the answer is one JSON document, handed out as it came,
//! so that a page of rows is read once and by whoever applies it. Nothing is retried here.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::error::{Error, Fault, Result, Service};
use super::link::{Link, Request};
use crate::providers::secret::Secret;

/// No answer is larger: a page stops at about 2 MiB and goes on with one row at most, and escaping
/// may make six bytes of one.
const MOST: usize = 32 << 20;

/// The functions of one project's database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rest {
    link: Link,
}

/// How much a call moves, and so how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A few numbers.
    Light,
    /// A page of rows, up or down.
    Page,
}

/// A whole JSON document, not yet read.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Vec<u8>);

impl Rest {
    /// The functions of the project at the end of this link.
    pub fn new(link: Link) -> Self {
        Self { link }
    }

    /// Whose they are, for a sentence.
    pub(super) fn place(&self) -> String {
        self.link.project().place()
    }

    /// Calls a function for whoever the token speaks for.
    ///
    /// # Errors
    /// As the table of failures in `docs/sync.md` lists them; nothing is decided about them here.
    pub async fn call(
        &self,
        token: &Secret,
        function: &'static str,
        arguments: &impl Serialize,
        weight: Weight,
    ) -> Result<Body> {
        let body = serde_json::to_vec(arguments).map_err(|_| broken(Fault::Setup))?;
        let patience = match weight {
            Weight::Light => self.link.patience().short,
            Weight::Page => self.link.patience().page,
        };
        let request = Request {
            service: Service::Rest,
            method: Method::POST,
            path: &format!("/rest/v1/rpc/{function}"),
            query: members(function),
            token: Some(token),
            body: Some(body),
            most: MOST,
            patience,
        };
        self.link.send(request).await.and_then(Body::whole)
    }
}

/// `sync_push` takes one document. Where the request says which of its members count, PostgREST hands the
/// document on as it came; else it reads all of it first, which takes a fifth of the time of a push.
fn members(function: &str) -> Option<&'static str> {
    (function == "sync_push").then_some("columns=ops")
}

impl Body {
    /// Where the end of an answer is only known by the connection's, what is missing is known by the
    /// document's own end.
    fn whole(bytes: Vec<u8>) -> Result<Self> {
        let trimmed = bytes.trim_ascii();
        match (trimmed.first(), trimmed.last()) {
            // A function that returns nothing.
            (None, _) => Ok(Self(b"null".to_vec())),
            (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) => Ok(Self(bytes)),
            (Some(b'{' | b'['), _) => Err(broken(Fault::Cut)),
            _ if serde_json::from_slice::<serde::de::IgnoredAny>(trimmed).is_ok() => {
                Ok(Self(bytes))
            }
            _ => Err(broken(Fault::Garbled)),
        }
    }

    /// The document as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The document as text.
    ///
    /// # Errors
    /// It is no text.
    pub fn into_text(self) -> Result<String> {
        String::from_utf8(self.0).map_err(|_| broken(Fault::Garbled))
    }

    /// Reads it; what it borrows stays in here.
    ///
    /// # Errors
    /// It was cut, or is not what was asked for.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.0).map_err(|error| match error.is_eof() {
            true => broken(Fault::Cut),
            false => broken(Fault::Garbled),
        })
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

fn broken(fault: Fault) -> Error {
    Error::silent(Service::Rest, fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<Body> {
        Body::whole(text.as_bytes().to_vec())
    }

    #[test]
    fn a_document_without_its_end_is_cut_and_not_empty() {
        for cut in [r#"{"changes":[["#, r#"[1,2"#, r#"{"a":"b}"#] {
            let fault = whole(cut).and_then(|body| body.read::<serde_json::Value>());
            assert_eq!(fault.expect_err("refused").fault, Fault::Cut, "{cut}");
        }
    }

    #[test]
    fn one_document_of_any_kind_is_whole() {
        for text in [r#"{"a":1}"#, " [1]\n", "null", "true", "\"text\"", "12"] {
            assert!(whole(text).is_ok(), "{text}");
        }
        assert!(
            whole("").expect("nothing").read::<()>().is_ok(),
            "a function that returns nothing"
        );
        assert_eq!(whole("<html>").expect_err("refused").fault, Fault::Garbled);
    }

    #[test]
    fn a_body_is_not_printed() {
        assert_eq!(format!("{:?}", whole(r#"{"a":"planted"}"#)), "Ok(Body(15 bytes))");
    }
}
