//! A request as the services see it, and the answers that they give.

use std::convert::Infallible;
use std::net::IpAddr;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::Value;

/// What is sent back: whole, or as it comes in from behind.
pub(super) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A request, read to its end.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    /// With the prefix of the service, without the query.
    pub(super) path: String,
    /// What follows the question mark, as it came.
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whoever is at the other end of the line.
    pub(super) peer: IpAddr,
}

impl Call {
    /// A header, where it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A parameter of the query, decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        parameter(self.query.as_deref(), name)
    }

    /// The token of the header `Authorization`.
    pub(super) fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// The caller's address: the first readable one of `X-Forwarded-For`, else the peer's.
    pub(super) fn address(&self) -> IpAddr {
        let forwarded = self.header("x-forwarded-for").unwrap_or_default();
        let mut named = forwarded.split(',').filter_map(|part| part.trim().parse().ok());
        named.next().unwrap_or(self.peer)
    }
}

/// A parameter of a query, decoded.
pub(super) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key) == name).then(|| decoded(value))
    })
}

/// Percent-encoding undone; `+` is a blank.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A body that is there as a whole.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// An answer without a type.
pub(super) fn answer(status: u16, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(whole(bytes));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status that is one");
    response
}

/// An answer of some type.
pub(super) fn typed(status: u16, kind: &'static str, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = answer(status, bytes);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An answer in JSON.
pub(super) fn json(status: u16, value: &Value) -> Response<Body> {
    typed(status, "application/json", value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_decoded_once() {
        let query = Some("a=1&redirect_to=http%3A%2F%2Fx%2Fa+b%2525&c");
        assert_eq!(parameter(query, "redirect_to").as_deref(), Some("http://x/a b%25"));
        assert_eq!(parameter(query, "c").as_deref(), Some(""));
        assert_eq!(parameter(query, "d"), None);
        assert_eq!(parameter(Some("x=%zz%"), "x").as_deref(), Some("%zz%"));
    }
}
