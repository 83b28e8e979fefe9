//! One address for all services, as a project has: it looks at the key and hands the request on.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderValue,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::auth::Auth;
use super::call::{Body, Call, answer, json, parameter, whole};
use super::control::Control;
use super::faults::{Faults, play};
use super::keys::Keys;
use super::realtime::Realtime;

/// More than any service behind takes.
const MAX_BODY: usize = 64 * 1024 * 1024;
/// What a browser's client may send and see.
const CORS: [(&str, &str); 4] = [
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS"),
    ("access-control-allow-headers", "*, authorization, apikey, x-client-info"),
    ("access-control-expose-headers", "X-Total-Count, Link, X-Supabase-Api-Version"),
];

/// All services and what they share.
pub(super) struct Gateway {
    pub(super) keys: Keys,
    pub(super) auth: Auth,
    pub(super) realtime: Arc<Realtime>,
    pub(super) rest: Rest,
    pub(super) faults: Faults,
    pub(super) control: Control,
    /// Whether long answers are compressed for who takes that.
    pub(super) compress: bool,
    /// Whether the door is to be open.
    pub(super) open: watch::Sender<bool>,
    /// Whether it is.
    pub(super) is_open: watch::Sender<bool>,
}

/// The connection was to be cut here, and not answered.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut, as the plan says")
    }
}

impl std::error::Error for Cut {}

/// A connection, as a fault may end it.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Drops the connection at once: what is on its way is lost, and the peer sees a reset.
    pub(super) cut: CancellationToken,
}

impl Gateway {
    /// Takes connections until `stop`; while the door is closed the port refuses them.
    pub(super) async fn run(
        self: Arc<Self>,
        first: std::net::TcpListener,
        stop: CancellationToken,
    ) {
        let address = first.local_addr().expect("a bound listener has an address");
        let mut listener = TcpListener::from_std(first).ok();
        let mut wanted = self.open.subscribe();
        loop {
            let door = match listener.take() {
                Some(door) => door,
                None => bound(address).await,
            };
            let (closed, lines) = (stop.child_token(), TaskTracker::new());
            self.is_open.send_replace(true);
            tokio::select! {
                () = Arc::clone(&self).accept(door, &lines, closed.clone()) => {}
                _ = wanted.wait_for(|open| !open) => {}
                () = stop.cancelled() => return,
            }
            closed.cancel();
            lines.close();
            lines.wait().await;
            self.is_open.send_replace(false);
            tokio::select! {
                opened = wanted.wait_for(|open| *open) => if opened.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
    }

    /// Opens or closes the door, and waits until it is so and no connection is left behind a closed one. Blocks.
    pub(super) fn switch(&self, open: bool) {
        self.open.send_replace(open);
        if !open {
            self.realtime.cut();
        }
        let until = Instant::now() + Duration::from_secs(30);
        while *self.is_open.borrow() != open {
            assert!(Instant::now() < until, "the port did not open or close in 30 s");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    async fn accept(
        self: Arc<Self>,
        door: TcpListener,
        lines: &TaskTracker,
        closed: CancellationToken,
    ) {
        loop {
            let Ok((stream, peer)) = door.accept().await else { continue };
            let (gateway, closed) = (Arc::clone(&self), closed.clone());
            lines.spawn(async move {
                tokio::select! {
                    () = gateway.connection(stream, peer) => {}
                    () = closed.cancelled() => {}
                }
            });
        }
    }

    /// One connection until either side has enough.
    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        // A second handle, through which a cut becomes a reset.
        let Ok(stream) = stream.into_std() else { return };
        let Ok(handle) = stream.try_clone() else { return };
        let Ok(stream) = TcpStream::from_std(stream) else { return };
        let line = Line::default();
        let cut = line.cut.clone();
        let service =
            service_fn(move |request| Arc::clone(&self).serve(request, peer, line.clone()));
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(hyper_util::rt::TokioTimer::new());
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::select! {
            _ = connection => {}
            () = cut.cancelled() => reset(&handle),
        }
    }

    async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
        line: Line,
    ) -> Result<Response<Body>, Cut> {
        if request.headers().contains_key(UPGRADE) {
            let fault = self.faults.draw(request.method(), request.uri().path());
            let realtime = Arc::clone(&self.realtime);
            let shakes = || realtime.handshake(request);
            return match fault {
                None => Ok(shakes().await),
                Some(fault) => play::on_handshake(fault, shakes, &line).await,
            };
        }
        let Some(call) = read(request, peer).await else {
            return Ok(json(413, &json!({ "message": "Request size limit exceeded" })));
        };
        // What steers the faults does not suffer from them.
        let fault = match call.path.starts_with(Control::PREFIX) {
            true => None,
            false => self.faults.draw(&call.method, &call.path),
        };
        let mut response = match fault {
            None => self.answer(call).await,
            Some(fault) => play::on(fault, call, &line, |call| self.answer(call)).await?,
        };
        for (name, value) in CORS {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    }

    /// What goes out, without any fault.
    async fn answer(&self, call: Call) -> Response<Body> {
        let takes = call.header("accept-encoding").unwrap_or_default().contains("gzip");
        let whole = call.method != Method::HEAD;
        let response = self.hand_on(call).await;
        if self.compress && takes && whole { compressed(response).await } else { response }
    }

    /// What the services answer.
    async fn hand_on(&self, mut call: Call) -> Response<Body> {
        if call.method == Method::OPTIONS {
            return answer(200, "");
        }
        if !is_open(&call.path) {
            match self.role_key(&call) {
                Ok(token) => authorize(&mut call, &token),
                Err(refusal) => return *refusal,
            }
        }
        let path = call.path.clone();
        if let Some(path) = path.strip_prefix("/auth/v1") {
            self.auth.answer(path, &call).await
        } else if let Some(path) = path.strip_prefix("/rest/v1") {
            self.rest.answer(path, call).await
        } else if let Some(path) = path.strip_prefix("/realtime/v1/api") {
            self.realtime.answer(path, &call).await
        } else if let Some(path) = path.strip_prefix(Control::PREFIX) {
            self.control.answer(path, self, &call).await
        } else {
            json(404, &json!({ "message": "no Route matched with those values" }))
        }
    }

    /// The token that stands for the request's key.
    fn role_key(&self, call: &Call) -> Result<String, Box<Response<Body>>> {
        let refusal = |message: &str, hint: &str| {
            Err(Box::new(json(401, &json!({ "message": message, "hint": hint }))))
        };
        let Some(key) = key_of(call) else {
            return refusal(
                "No API key found in request",
                "No `apikey` request header or url param was found.",
            );
        };
        match self.keys.token_of(&key) {
            Some(token) => Ok(token.to_owned()),
            None => refusal(
                "Invalid API key",
                "Double check your Supabase `anon` or `service_role` API key.",
            ),
        }
    }
}

/// The key of a request: its header, else its query.
fn key_of(call: &Call) -> Option<String> {
    call.header("apikey")
        .map(ToOwned::to_owned)
        .or_else(|| parameter(call.query.as_deref(), "apikey"))
}

/// Routes that a link in a mail, or anybody who verifies tokens, opens without a key.
fn is_open(path: &str) -> bool {
    ["/auth/v1/verify", "/auth/v1/callback", "/auth/v1/authorize", "/auth/v1/.well-known/jwks.json"]
        .contains(&path)
}

/// A key is no user's token: where the header says nothing else, the key's own token takes its place.
fn authorize(call: &mut Call, token: &str) {
    let user = call.bearer().is_some_and(|bearer| !bearer.starts_with("sb_"));
    if !user && let Ok(value) = HeaderValue::from_str(&format!("Bearer {token}")) {
        call.headers.insert(AUTHORIZATION, value);
    }
}

/// Reads a request to its end; `None` where it is too long or broke off.
async fn read(request: Request<Incoming>, peer: SocketAddr) -> Option<Call> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.ok()?.to_bytes();
    Some(Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(ToOwned::to_owned),
        headers: head.headers,
        body,
        peer: peer.ip(),
    })
}

/// Shorter where it is long and not compressed yet, as a project's front door has it.
async fn compressed(response: Response<Body>) -> Response<Body> {
    const LONG: usize = 1024;
    let (mut head, body) = response.into_parts();
    if head.headers.contains_key(CONTENT_ENCODING) {
        return Response::from_parts(head, body);
    }
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return json(502, &json!({ "message": error.to_string() })),
    };
    if bytes.len() < LONG {
        return Response::from_parts(head, whole(bytes));
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let done = gzip.write_all(&bytes).and_then(|()| gzip.finish());
    let shorter = done.expect("memory takes what is written to it");
    head.headers.remove(TRANSFER_ENCODING);
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(head, whole(shorter))
}

/// Has the connection end with a reset, as one does that a middlebox cuts.
fn reset(handle: &std::net::TcpStream) {
    let _ = socket2::SockRef::from(handle).set_linger(Some(Duration::ZERO));
}

async fn bound(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            // Somebody may have the port for a moment.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// PostgREST, behind.
pub(super) struct Rest {
    port: u16,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Rest {
    pub(super) fn at(port: u16) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { port, client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    async fn answer(&self, path: &str, call: Call) -> Response<Body> {
        let path = if path.is_empty() { "/" } else { path };
        let query = call.query.map_or(String::new(), |query| format!("?{query}"));
        let mut request = Request::new(Full::new(call.body));
        *request.method_mut() = call.method;
        let address = format!("http://127.0.0.1:{}{path}{query}", self.port);
        let Ok(uri) = address.parse() else {
            return json(400, &json!({ "message": "not an address" }));
        };
        *request.uri_mut() = uri;
        *request.headers_mut() = call.headers;
        for hop in [CONNECTION, HOST, TRANSFER_ENCODING] {
            request.headers_mut().remove(hop);
        }
        match self.client.request(request).await {
            Ok(response) => response.map(|body| body.map_err(std::io::Error::other).boxed_unsync()),
            Err(_) => json(502, &json!({ "message": "The upstream server is away" })),
        }
    }
}
