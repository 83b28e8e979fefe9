//! A fault, played out on a connection.

use std::time::Duration;

use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};

use super::Fault;
use crate::stack::call::{Body, Call, answer, typed, whole};
use crate::stack::gateway::{Cut, Line};

/// What a hotel says to everybody who has not paid.
const PORTAL: &str = "<!doctype html><html><head><title>Welcome</title></head>\
                      <body><form action=\"/login\">Accept the terms to go online</form></body></html>";

/// Plays `fault` around what `answer` would answer.
pub(in crate::stack) async fn on<F>(
    fault: Fault,
    call: Call,
    line: &Line,
    answers: impl Fn(Call) -> F,
) -> Result<Response<Body>, Cut>
where
    F: Future<Output = Response<Body>>,
{
    match fault {
        Fault::ResetBefore => Err(reset(line)),
        Fault::ResetIn => broken_off(answers(call).await, line, End::Reset).await,
        Fault::Truncated => broken_off(answers(call).await, line, End::Close).await,
        Fault::ResetAfter => {
            let response = buffered(answers(call).await).await;
            let cut = line.cut.clone();
            tokio::spawn(async move {
                // By then the response is out; what the client sends next meets the reset.
                tokio::time::sleep(Duration::from_millis(200)).await;
                cut.cancel();
            });
            Ok(response)
        }
        Fault::LostResponse => {
            // To the end of its body: the server has done all that it was asked to.
            buffered(answers(call).await).await;
            Err(Cut)
        }
        Fault::Duplicate => {
            buffered(answers(call.clone()).await).await;
            Ok(answers(call).await)
        }
        Fault::Slow { bytes_per_second } => Ok(slowly(answers(call).await, bytes_per_second).await),
        Fault::Delay { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(answers(call).await)
        }
        Fault::Any | Fault::Status { .. } | Fault::CaptivePortal => Ok(instead(fault)),
    }
}

/// Plays `fault` around a handshake: of a connection that has not begun, less can break.
pub(in crate::stack) async fn on_handshake<F>(
    fault: Fault,
    shakes: impl FnOnce() -> F,
    line: &Line,
) -> Result<Response<Body>, Cut>
where
    F: Future<Output = Response<Body>>,
{
    match fault {
        Fault::Status { .. } | Fault::CaptivePortal => Ok(instead(fault)),
        Fault::Delay { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(shakes().await)
        }
        _ => Err(reset(line)),
    }
}

/// What somebody else answers.
fn instead(fault: Fault) -> Response<Body> {
    match fault {
        Fault::Status { status, body, content_type } => {
            let mut response = answer(status, body);
            if let Ok(kind) = HeaderValue::from_str(&content_type) {
                response.headers_mut().insert(CONTENT_TYPE, kind);
            }
            response
        }
        _ => typed(200, "text/html; charset=utf-8", PORTAL),
    }
}

fn reset(line: &Line) -> Cut {
    line.cut.cancel();
    Cut
}

/// The response, with all of its body here.
async fn buffered(response: Response<Body>) -> Response<Body> {
    let (mut head, bytes) = taken(response).await;
    head.headers_mut().remove(TRANSFER_ENCODING);
    head.map(|()| whole(bytes))
}

async fn taken(response: Response<Body>) -> (Response<()>, Bytes) {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (Response::from_parts(head, ()), bytes)
}

/// How a response that breaks off ends.
enum End {
    Close,
    Reset,
}

/// Half of what the response says that it is.
async fn broken_off(
    response: Response<Body>,
    line: &Line,
    end: End,
) -> Result<Response<Body>, Cut> {
    let (mut head, bytes) = taken(response).await;
    if bytes.is_empty() {
        return Err(reset(line));
    }
    head.headers_mut().remove(TRANSFER_ENCODING);
    head.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let cut = line.cut.clone();
    let half = bytes.slice(..bytes.len() / 2);
    let frames = stream::unfold(Some(half), move |half| {
        let (cut, reset) = (cut.clone(), matches!(end, End::Reset));
        async move {
            if let Some(half) = half {
                return Some((Ok(Frame::data(half)), None));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            if reset {
                cut.cancel();
            }
            Some((Err(std::io::Error::other(Cut)), None))
        }
    });
    Ok(head.map(|()| StreamBody::new(frames).boxed_unsync()))
}

/// The response, a piece at a time.
async fn slowly(response: Response<Body>, bytes_per_second: u32) -> Response<Body> {
    const PIECES_A_SECOND: u32 = 10;
    let (mut head, bytes) = taken(response).await;
    head.headers_mut().remove(TRANSFER_ENCODING);
    head.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let (piece, pause) = match bytes_per_second {
        0..PIECES_A_SECOND => (1, Duration::from_secs(1) / bytes_per_second.max(1)),
        pace => (pace / PIECES_A_SECOND, Duration::from_secs(1) / PIECES_A_SECOND),
    };
    let frames = stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        let piece = rest.split_to(rest.len().min(piece as usize));
        tokio::time::sleep(pause).await;
        Some((Ok(Frame::data(piece)), rest))
    });
    head.map(|()| StreamBody::new(frames).boxed_unsync())
}
