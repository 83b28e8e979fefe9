//! The way to one project over HTTP: one client, its connections kept and shared.
//!
//! Only the project's own origin is ever spoken to: addresses are made from it, no redirect is
//! followed, and a token is therefore sent nowhere else. Whatever comes back is bounded in size
//! (after unpacking) and in time. The system's proxy is honoured, except for this computer.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::error::{Error, Fault, Result, Service};
use super::project::Project;
use super::reply::Reply;
use crate::providers::http::{says_html, start_of};
use crate::providers::retry_after::retry_after;
use crate::providers::secret::Secret;
use crate::providers::{fault, tls};

/// What the sessions' list shows for this computer.
const AGENT: &str = concat!("Tidemark/", env!("CARGO_PKG_VERSION"));
const CLIENT_INFO: &str = concat!("tidemark/", env!("CARGO_PKG_VERSION"));
/// Of an error's body no more is read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// How long to wait for what.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two signs of life.
    pub idle: Duration,
    /// For a whole request to Auth, and for a short one to the database.
    pub short: Duration,
    /// For a whole page, up or down.
    pub page: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            short: Duration::from_secs(20),
            page: Duration::from_secs(120),
        }
    }
}

/// The way to one project. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Link {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    project: Project,
    patience: Patience,
    client: OnceCell<Client>,
    upgrading: OnceCell<Client>,
}

/// What is asked.
pub(super) struct Request<'a> {
    pub(super) service: Service,
    pub(super) method: Method,
    /// Begins with a slash.
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    /// The user's token; without one the project's key speaks.
    pub(super) token: Option<&'a Secret>,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
    /// The largest answer, unpacked.
    pub(super) most: usize,
    /// For the whole of it.
    pub(super) patience: Duration,
}

impl Link {
    /// Nothing is sent yet.
    pub fn new(project: Project, patience: Patience) -> Self {
        let (client, upgrading) = (OnceCell::new(), OnceCell::new());
        Self { inner: Arc::new(Inner { project, patience, client, upgrading }) }
    }

    /// Whose way it is.
    pub fn project(&self) -> &Project {
        &self.inner.project
    }

    /// How long it waits for what.
    pub fn patience(&self) -> &Patience {
        &self.inner.patience
    }

    /// Sends a request and reads the whole answer: JSON, or nothing at all.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Vec<u8>> {
        let (service, method, path) = (request.service, request.method.clone(), request.path);
        let whole = tokio::time::timeout(request.patience, self.exchange(request)).await;
        let answer = whole.unwrap_or_else(|_| Err(Error::silent(service, Fault::TimedOut)));
        if let Err(error) = &answer {
            tracing::info!(%method, path, %error, "the project gave no answer");
        }
        answer
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Vec<u8>> {
        let (service, most) = (request.service, request.most);
        let client = self.client(service).await?;
        let url = self.project().join(request.path, request.query);
        let mut builder = client.request(request.method, url);
        builder = builder.headers(self.headers(service, request.token)?);
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = builder.send().await.map_err(|error| failed(service, &error))?;
        read(service, response, most, self.patience().idle).await
    }

    async fn client(&self, service: Service) -> Result<Client> {
        self.built(&self.inner.client, service, Speaks::Any).await
    }

    /// The client for a connection that becomes a WebSocket, which HTTP/2 does not do here.
    pub(super) async fn upgrading(&self, service: Service) -> Result<Client> {
        self.built(&self.inner.upgrading, service, Speaks::Http1).await
    }

    async fn built(
        &self,
        cell: &OnceCell<Client>,
        service: Service,
        speaks: Speaks,
    ) -> Result<Client> {
        let inner = Arc::clone(&self.inner);
        // Reading the system's authorities takes tens of milliseconds.
        let build = || async {
            let built = tokio::task::spawn_blocking(move || build(&inner, speaks)).await;
            built.ok().flatten().ok_or_else(|| Error::silent(service, Fault::Setup))
        };
        cell.get_or_try_init(build).await.cloned()
    }

    /// The headers of every request: whose client it is, and who asks.
    pub(super) fn headers(&self, service: Service, token: Option<&Secret>) -> Result<HeaderMap> {
        let unusable = |_| Error::silent(service, Fault::Setup);
        let mut headers = HeaderMap::new();
        let mut key = HeaderValue::from_str(self.project().key().expose()).map_err(unusable)?;
        key.set_sensitive(true);
        headers.insert("apikey", key);
        headers.insert("x-client-info", HeaderValue::from_static(CLIENT_INFO));
        if service == Service::Auth {
            // Selects the form of error whose code is a word.
            let name = HeaderName::from_static("x-supabase-api-version");
            headers.insert(name, HeaderValue::from_static("2024-01-01"));
        }
        if let Some(token) = token {
            let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
            let mut bearer = HeaderValue::from_str(&bearer).map_err(unusable)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        Ok(headers)
    }
}

/// What a client may speak.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// HTTP/2 where the server does.
    Any,
    /// HTTP/1.1 alone.
    Http1,
}

fn build(inner: &Inner, speaks: Speaks) -> Option<Client> {
    let (project, patience) = (&inner.project, &inner.patience);
    let mut tls = tls::config(project.ca_file().map(std::path::PathBuf::as_path)).ok()?;
    if speaks == Speaks::Http1 {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .user_agent(format!("{AGENT} ({})", std::env::consts::OS))
        .connect_timeout(patience.connect)
        // A connection that died while the computer slept is found out before a page waits for it.
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_keepalive(Duration::from_secs(20));
    builder = match speaks {
        Speaks::Http1 => builder.http1_only(),
        // Long ways get pages as fast as short ones do.
        Speaks::Any => builder
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(10)),
    };
    if project.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().ok()
}

/// What a request failed of before there was an answer.
pub(super) fn failed(service: Service, error: &reqwest::Error) -> Error {
    let fault = match tls::fault(error) {
        fault::Fault::Untrusted => Fault::Untrusted,
        fault::Fault::Clock => Fault::Clock,
        fault::Fault::Portal => Fault::Portal,
        _ if error.is_timeout() && !error.is_connect() => Fault::TimedOut,
        _ => Fault::Unreachable,
    };
    Error::silent(service, fault)
}

/// The whole body of a success, or the error that the answer is.
async fn read(
    service: Service,
    response: Response,
    most: usize,
    idle: Duration,
) -> Result<Vec<u8>> {
    if !response.status().is_success() {
        return Err(refused(service, response, idle).await);
    }
    let json = says_json(response.headers());
    let body = body(service, response, most, idle).await?;
    match json || body.is_empty() {
        true => Ok(body),
        // A network's sign-in page says 200 and is no success.
        false => Err(Error::silent(service, Fault::Portal)),
    }
}

async fn body(
    service: Service,
    mut response: Response,
    most: usize,
    idle: Duration,
) -> Result<Vec<u8>> {
    let error = |fault| Error::silent(service, fault);
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = Vec::with_capacity(announced.unwrap_or_default().min(most));
    loop {
        let chunk = tokio::time::timeout(idle, response.chunk()).await;
        match chunk.map_err(|_| error(Fault::TimedOut))?.map_err(|_| error(Fault::Cut))? {
            None => return Ok(body),
            // Counted after unpacking: a small answer may unpack to any size.
            Some(chunk) if body.len() + chunk.len() > most => return Err(error(Fault::Oversized)),
            Some(chunk) => body.extend_from_slice(&chunk),
        }
    }
}

/// Reads an answer that is no success.
pub(super) async fn refused(service: Service, response: Response, idle: Duration) -> Error {
    let status = response.status().as_u16();
    let (html, headers) = (says_html(response.headers()), response.headers().clone());
    // A body that is cut or too long says less, and the status still counts.
    let body = start_of(response, MAX_ERROR_BYTES, idle).await;
    let mut error = Reply { service, status, html, body: &body }.error();
    error.retry_after = retry_after(&headers, chrono::Utc::now()).or(error.retry_after);
    error
}

fn says_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}
