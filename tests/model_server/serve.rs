//! Taking connections, opening and closing the door, and finding the reply.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::control::steer;
use super::http1::Connection;
use super::reply::{Question, page};
use super::script::{Received, Reply, Script};
use super::wire::Wire;

/// What all connections share.
pub(super) struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Received>>,
    wanted: watch::Sender<bool>,
    open: AtomicBool,
    connections: AtomicUsize,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(script: Script, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        Self {
            script: Mutex::new(script),
            requests: Mutex::default(),
            wanted: watch::Sender::new(true),
            open: AtomicBool::new(true),
            connections: AtomicUsize::new(0),
            tls,
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn set_script(&self, script: Script) {
        *lock(&self.script) = script;
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        lock(&self.requests).clone()
    }

    /// Asks for the door to be opened or closed; [`Self::is_open`] tells when it is.
    pub(super) fn want(&self, open: bool) {
        self.wanted.send_replace(open);
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }

    /// How many connections stand.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The reply to a question; a rule that is used up is forgotten.
    fn reply(&self, request: &Received) -> Reply {
        if let Some(reply) = request.said().strip_prefix("!reply ") {
            return serde_json::from_str(reply)
                .unwrap_or_else(|error| Reply::status(400, &format!("no such reply: {error}")));
        }
        let body = request.body.to_string();
        let mut script = lock(&self.script);
        let fits = |contains: &Option<String>| contains.as_ref().is_none_or(|c| body.contains(c));
        let rule =
            script.rules.iter_mut().find(|rule| rule.times != Some(0) && fits(&rule.contains));
        match rule {
            Some(rule) => {
                rule.times = rule.times.map(|times| times - 1);
                rule.reply.clone()
            }
            None => script.otherwise.clone(),
        }
    }

    /// Whether the key that it asks for was sent, in either header.
    fn admits(&self, request: &Received) -> bool {
        let script = lock(&self.script);
        let Some(key) = &script.key else { return true };
        request.headers.get("authorization") == Some(&format!("Bearer {key}"))
            || request.headers.get("x-api-key") == Some(key)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs until `stop`.
pub(super) async fn run(
    shared: Arc<Shared>,
    listener: std::net::TcpListener,
    admin: std::net::TcpListener,
    stop: CancellationToken,
) {
    let address = listener.local_addr().expect("a bound listener has an address");
    let door = door(Arc::clone(&shared), listener, address);
    let admin = TcpListener::from_std(admin).expect("a runtime is running");
    let steering = accept(Arc::clone(&shared), admin, CancellationToken::new());
    tokio::select! {
        () = stop.cancelled() => {}
        () = door => {}
        () = steering => {}
    }
}

/// Takes connections while the door is to be open, on the same port each time.
async fn door(shared: Arc<Shared>, first: std::net::TcpListener, address: SocketAddr) {
    let mut wanted = shared.wanted.subscribe();
    let mut listener = Some(TcpListener::from_std(first).expect("a runtime is running"));
    loop {
        let listener = match listener.take() {
            Some(listener) => listener,
            None => bound(address).await,
        };
        shared.open.store(true, Ordering::SeqCst);
        let closed = CancellationToken::new();
        tokio::select! {
            () = accept(Arc::clone(&shared), listener, closed.clone()) => {}
            _ = wanted.wait_for(|open| !open) => {}
        }
        closed.cancel();
        shared.open.store(false, Ordering::SeqCst);
        if wanted.wait_for(|open| *open).await.is_err() {
            return;
        }
    }
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

async fn accept(shared: Arc<Shared>, listener: TcpListener, closed: CancellationToken) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (shared, closed) = (Arc::clone(&shared), closed.clone());
        shared.connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            tokio::select! {
                () = connection(&shared, stream) => {}
                () = closed.cancelled() => {}
            }
            shared.connections.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// One connection until either side has enough. Errors are the other side's to notice.
async fn connection(shared: &Shared, stream: TcpStream) {
    // Pieces are to arrive one by one.
    let _ = stream.set_nodelay(true);
    let _ = match &shared.tls {
        None => requests(shared, stream).await,
        Some(tls) => match TlsAcceptor::from(Arc::clone(tls)).accept(stream).await {
            Ok(stream) => requests(shared, stream).await,
            Err(error) => Err(error),
        },
    };
}

async fn requests<S>(shared: &Shared, stream: S) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection::new(stream);
    while let Some(request) = connection.request().await? {
        answer(shared, &mut connection, &request).await?;
    }
    Ok(())
}

async fn answer<S>(
    shared: &Shared,
    to: &mut Connection<S>,
    request: &Received,
) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
    if let Some((status, body)) = steer(shared, request).await {
        return to.respond(status, JSON, &body.to_string()).await;
    }
    lock(&shared.requests).push(request.clone());
    let portal = lock(&shared.script).portal;
    if portal {
        return page(to).await;
    }
    if !shared.admits(request) {
        let error = json!({ "type": "error", "error": { "type": "authentication_error",
            "code": "invalid_api_key", "message": "wrong key" } });
        return to.respond(401, JSON, &error.to_string()).await;
    }
    match (Wire::of(&request.path), request.path.split('?').next()) {
        (Some(wire), _) if request.method == "POST" => {
            let reply = shared.reply(request);
            Question { wire, request }.reply(to, &reply).await
        }
        (None, Some(path)) if path.ends_with("/models") => {
            let models = lock(&shared.script).models.clone();
            to.respond(200, JSON, &listing(&models, &request.path)).await
        }
        _ => to.respond(404, &[], "").await,
    }
}

/// Two models a page where pages are asked for, as Anthropic's list has them.
fn listing(models: &[String], path: &str) -> String {
    let after = path.split_once("after_id=").map(|(_, id)| id.split('&').next().unwrap_or(id));
    let start =
        after.and_then(|id| models.iter().position(|model| model == id)).map_or(0, |at| at + 1);
    let end = if path.contains("limit=") { models.len().min(start + 2) } else { models.len() };
    let page = &models[start..end];
    let data: Vec<_> = page.iter().map(|id| json!({ "id": id, "object": "model" })).collect();
    json!({ "data": data, "has_more": end < models.len(), "last_id": page.last() }).to_string()
}
