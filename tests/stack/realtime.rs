//! Stands in for Supabase Realtime: Phoenix channels with private and public broadcast.
//!
//! What the real one does and a simpler one would not, is done here: policies are asked at the join
//! and when another token comes, and never per message; a refusal takes seconds, during which the whole
//! socket is deaf; broadcasts of the database arrive as binary frames, at most once, and only while
//! the feed is connected; a token that runs out ends its channels for good. Presence and
//! `postgres_changes` are left out.

mod channel;
mod feed;
mod frame;
mod policy;
mod socket;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;

use super::call::{Body, Call, answer, json, parameter};
use super::db::Pool;
use super::keys::{Keys, Refused, now_s};
pub(super) use feed::Feed;
use frame::{Broadcast, Content, Version};
use socket::Socket;

/// A larger frame ends the connection.
const LARGEST_FRAME: usize = 5_000_000;
/// A socket that falls behind by so many broadcasts is cut off.
const BACKLOG: usize = 8_192;

/// How patient it is.
#[derive(Debug, Clone)]
pub struct RealtimeOptions {
    /// How long a refused join takes; the real one takes 5 s.
    pub join_pause: Duration,
    /// How long a refused connection takes; the real one takes 2 s.
    pub handshake_pause: Duration,
    /// After how long without a message a connection is closed.
    pub silence: Duration,
    /// How many channels one connection may have.
    pub channels: usize,
}

impl Default for RealtimeOptions {
    fn default() -> Self {
        Self {
            join_pause: Duration::from_secs(5),
            handshake_pause: Duration::from_secs(2),
            silence: Duration::from_secs(60),
            channels: 100,
        }
    }
}

/// The service.
pub(super) struct Realtime {
    db: Pool,
    keys: Keys,
    options: RealtimeOptions,
    /// To every socket; each keeps what its channels asked for.
    messages: broadcast::Sender<Arc<Broadcast>>,
    /// Whether broadcasts of the database come in.
    feeding: watch::Sender<bool>,
    /// Ends the sockets that stand now.
    sockets: Mutex<CancellationToken>,
}

impl Realtime {
    pub(super) fn new(db: Pool, keys: Keys, options: RealtimeOptions) -> Arc<Self> {
        Arc::new(Self {
            db,
            keys,
            options,
            messages: broadcast::channel(BACKLOG).0,
            feeding: watch::channel(false).0,
            sockets: Mutex::default(),
        })
    }

    /// Cuts every socket.
    pub(super) fn cut(&self) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *sockets).cancel();
    }

    /// Turns a request into a socket, or says after a pause why not.
    pub(super) async fn handshake(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Response<Body> {
        let query = request.uri().query().map(ToOwned::to_owned);
        let version = parameter(query.as_deref(), "vsn").unwrap_or_else(|| "1.0.0".to_owned());
        let version = match version.get(..4) {
            Some("1.0.") => Version::V1,
            Some("2.0.") => Version::V2,
            _ => return answer(403, ""),
        };
        let header = request.headers().get("x-api-key").and_then(|value| value.to_str().ok());
        let key = header.map(ToOwned::to_owned).or_else(|| parameter(query.as_deref(), "apikey"));
        let token = match self.admitted(key) {
            Ok(token) => token,
            Err(text) => {
                tokio::time::sleep(self.options.handshake_pause).await;
                return json(401, &json!({ "error": text }));
            }
        };
        let Some(accept) =
            request.headers().get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()))
        else {
            return answer(400, "");
        };
        let upgrade = hyper::upgrade::on(&mut request);
        let ended = self.sockets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(async move {
            let Ok(upgraded) = upgrade.await else { return };
            let config = WebSocketConfig::default()
                .max_frame_size(Some(LARGEST_FRAME))
                .max_message_size(Some(LARGEST_FRAME));
            let stream = WebSocketStream::from_raw_socket(
                TokioIo::new(upgraded),
                Role::Server,
                Some(config),
            );
            let socket = Socket::new(self, stream.await, version, token);
            tokio::select! {
                () = socket.run() => {}
                () = ended.cancelled() => {}
            }
        });
        let mut response = answer(101, "");
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        response
    }

    /// The token of a connection's key.
    fn admitted(&self, key: Option<String>) -> Result<String, String> {
        let key = key.ok_or("API key is missing")?;
        let token = self.keys.token_of(&key).map_or(key.clone(), ToOwned::to_owned);
        match self.keys.verify(&token, now_s()) {
            Ok(_) => Ok(token),
            Err(Refused::Expired(_)) => Err("Token has expired".to_owned()),
            Err(refused) => Err(wording(refused).1),
        }
    }

    /// The service's HTTP side: `POST /broadcast`. What may not be sent is dropped in silence.
    pub(super) async fn answer(&self, path: &str, call: &Call) -> Response<Body> {
        if call.method != Method::POST || path != "/broadcast" {
            return answer(404, "");
        }
        let claims = call.bearer().and_then(|token| self.keys.verify(token, now_s()).ok());
        let Some(claims) = claims else {
            return json(401, &json!({ "message": "Unauthorized" }));
        };
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let Some(messages) = body["messages"].as_array() else {
            return json(422, &json!({ "errors": { "messages": ["can't be blank"] } }));
        };
        for message in messages {
            let (topic, event) = (message["topic"].as_str(), message["event"].as_str());
            let (Some(topic), Some(event)) = (topic, event) else { continue };
            let private = message["private"] == true;
            if private && !policy::may_write(&self.db, &claims, topic).await {
                continue;
            }
            self.tell(Broadcast {
                topic: topic.to_owned(),
                event: event.to_owned(),
                private,
                content: Content::Json(message["payload"].to_string()),
                id: None,
                is_plain: true,
                from: None,
            });
        }
        answer(202, "")
    }

    /// To all sockets. That nobody listens is no error.
    fn tell(&self, broadcast: Broadcast) {
        let _ = self.messages.send(Arc::new(broadcast));
    }
}

/// What is said of a token that is none: the code and the text.
fn wording(refused: Refused) -> (&'static str, String) {
    match refused {
        Refused::Malformed => ("MalformedJWT", "The token provided is not a valid JWT".to_owned()),
        Refused::Signature => ("JwtSignatureError", "Failed to validate JWT signature".to_owned()),
        Refused::Expired(ago) => {
            ("InvalidJWTToken", format!("Token has expired {ago} seconds ago"))
        }
        Refused::Claims => {
            ("InvalidJWTToken", "Fields `role` and `exp` are required in JWT".to_owned())
        }
    }
}
