//! The WebSocket itself, opened through the same way as everything else: the project's origin, the
//! system's proxy, the same authorities.
//!
//! The handshake is an ordinary request that asks for an upgrade, so that what refuses it is read
//! like any other refusal.

use reqwest::StatusCode;
use reqwest::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::super::error::{Error, Fault, Result, Service};
use super::super::link::{Link, failed, refused};

/// Nothing that a bell says is longer.
const MOST: usize = 256 << 10;

/// An open socket.
pub(super) type Socket = WebSocketStream<reqwest::Upgraded>;

/// Opens a socket. The user's token is not in its address: it comes with the join.
pub(super) async fn open(link: &Link) -> Result<Socket> {
    let silent = |fault| Error::silent(Service::Realtime, fault);
    let key = url::form_urlencoded::byte_serialize(link.project().key().expose().as_bytes());
    let query = format!("apikey={}&vsn=2.0.0", key.collect::<String>());
    let url = link.project().join("/realtime/v1/websocket", Some(&query));
    let (nonce, client) = (generate_key(), link.upgrading(Service::Realtime).await?);
    let request = client
        .get(url)
        .headers(link.headers(Service::Realtime, None)?)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", &nonce);
    let response = request.send().await.map_err(|error| failed(Service::Realtime, &error))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(Service::Realtime, response, link.patience().idle).await);
    }
    if !accepts(response.headers(), &nonce) {
        return Err(silent(Fault::Garbled));
    }
    let stream = response.upgrade().await.map_err(|_| silent(Fault::Cut))?;
    let config = WebSocketConfig::default().max_message_size(Some(MOST)).max_frame_size(Some(MOST));
    Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
}

/// Whether it answers this handshake (RFC 6455, 4.1): something in between could have kept another's.
fn accepts(headers: &HeaderMap, nonce: &str) -> bool {
    let says = |name: &str| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    says("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        && says("sec-websocket-accept") == Some(&*derive_accept_key(nonce.as_bytes()))
}
