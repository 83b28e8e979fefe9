//! Asking over HTTP: one client for each file of authorities, connections kept and shared.
//!
//! The system's proxy is honoured, except for this computer. No redirect is followed: a key would
//! go wherever the answer points. Whatever goes wrong is sorted here ([`super::fault`]); neither a
//! failure nor a log line has an address, a header or a body in it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::Value;

use super::ProviderError;
use super::base_url::{BaseUrl, Near};
use super::fault::{Fault, Reply, is_html};
use super::place::{Place, Purpose};
use super::retry_after::retry_after;
use super::secret::Secret;
use super::tls;
use crate::error::{Code, Failure};
use crate::model::ProviderConfig;

/// Of an error's body no more is read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// How long to wait for what.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the answer's first line, from a provider on the internet.
    pub headers: Duration,
    /// Until the first text: models think, and a server nearby first reads the model and the whole
    /// prompt. Each sign of life starts it again.
    pub thinking: Duration,
    /// Between two signs of life once text has come.
    pub idle: Duration,
    /// After the answer's end was told, until the server closes: usage may still come.
    pub tail: Duration,
    /// For the whole of asking whether a provider can be reached.
    pub probe: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            headers: Duration::from_secs(60),
            thinking: Duration::from_secs(300),
            idle: Duration::from_secs(60),
            tail: Duration::from_secs(5),
            probe: Duration::from_secs(3),
        }
    }
}

/// All connections to providers. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Http {
    timeouts: Timeouts,
    clients: Arc<Mutex<Clients>>,
}

/// A client for each route, and when its file of authorities had last changed.
type Clients = HashMap<Route, (Option<SystemTime>, Client)>;

/// What makes one client differ from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Route {
    ca_file: Option<PathBuf>,
    direct: bool,
}

impl Http {
    /// With other timeouts than usual.
    pub fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, clients: Arc::default() }
    }

    /// How long it waits for what.
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// The client for a route; built again when the file of authorities has changed.
    async fn client(&self, route: Route) -> Result<Client, Failure> {
        let changed = match &route.ca_file {
            Some(path) => tokio::fs::metadata(path).await.and_then(|about| about.modified()).ok(),
            None => None,
        };
        if let Some((built, client)) = self.lock().get(&route)
            && *built == changed
        {
            return Ok(client.clone());
        }
        let (connect, wanted) = (self.timeouts.connect, route.clone());
        // Reading the system's authorities takes tens of milliseconds.
        let client = tokio::task::spawn_blocking(move || build(&wanted, connect))
            .await
            .map_err(|_| Failure::new(Code::Internal, "The connection could not be set up."))??;
        self.lock().insert(route, (changed, client.clone()));
        Ok(client)
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn build(route: &Route, connect: Duration) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls::config(route.ca_file.as_deref())?)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .user_agent(concat!("Tidemark/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        // A connection that died while the computer slept is found out before a question waits
        // for it.
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_keepalive(Duration::from_secs(20))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10));
    if route.direct {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|_| {
        Failure::new(Code::Internal, "The connection could not be set up.")
            .hint("Check the system's proxy settings.")
    })
}

/// One provider's place on the network, with its key.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    base: Result<BaseUrl, Failure>,
    ca_file: Option<PathBuf>,
    key: Option<Secret>,
    scheme: KeyScheme,
    http: Http,
}

/// The header that carries the key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyScheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// `x-api-key: …`
    ApiKey,
}

/// Why there is no answer to read.
#[derive(Debug)]
pub(crate) enum Rejected {
    /// Nothing came back, or nothing could be sent.
    Failed(ProviderError),
    /// The provider said no. The asker may know how to ask differently.
    Refused(Reply, Option<Duration>),
}

impl Rejected {
    /// The error that the send queue acts on.
    pub(crate) fn error(self, place: &Place) -> ProviderError {
        match self {
            Self::Failed(error) => error,
            Self::Refused(reply, after) => reply.fault().error(place, after),
        }
    }
}

impl Endpoint {
    pub(crate) fn new(
        config: &ProviderConfig,
        key: Option<Secret>,
        scheme: KeyScheme,
        http: Http,
    ) -> Self {
        Self {
            base: BaseUrl::parse(&config.base_url, config.kind),
            ca_file: config.ca_file.as_ref().filter(|path| !path.is_empty()).map(PathBuf::from),
            key: key.filter(|key| !key.is_empty()),
            scheme,
            http,
        }
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.http.timeouts
    }

    /// Who is asked, for the sentences.
    pub(crate) fn place(&self, purpose: Purpose) -> Place {
        let host = self.base.as_ref().map_or_else(|_| "the provider".to_owned(), BaseUrl::place);
        Place { host, has_key: self.key.is_some(), purpose }
    }

    /// The name of the server, where there is a usable address.
    pub(crate) fn is_host(&self, host: &str) -> bool {
        self.base.as_ref().is_ok_and(|base| base.place() == host)
    }

    /// Sends a question as JSON.
    pub(crate) async fn post(
        &self,
        endpoint: &str,
        extra: &[(&'static str, &'static str)],
        body: &Value,
    ) -> Result<Response, Rejected> {
        self.send(Method::POST, endpoint, extra, Some(body), Purpose::Answer).await
    }

    /// Reads something.
    pub(crate) async fn get(
        &self,
        endpoint: &str,
        extra: &[(&'static str, &'static str)],
    ) -> Result<Response, Rejected> {
        self.send(Method::GET, endpoint, extra, None, Purpose::Models).await
    }

    async fn send(
        &self,
        method: Method,
        endpoint: &str,
        extra: &[(&'static str, &'static str)],
        body: Option<&Value>,
        purpose: Purpose,
    ) -> Result<Response, Rejected> {
        let needs_you = |failure| Rejected::Failed(ProviderError::NeedsYou(failure));
        let base = self.base.clone().map_err(needs_you)?;
        let client = self.http.client(self.route(&base)).await.map_err(needs_you)?;
        let mut request = client.request(method, address(&base, endpoint));
        request = request.headers(self.headers(extra).map_err(needs_you)?);
        if let Some(body) = body {
            request = request.json(body);
        }
        let patience = self.patience(&base, purpose);
        let unreachable = |fault: Fault| {
            tracing::info!(host = base.place(), ?fault, "no answer from the provider");
            Rejected::Failed(fault.error(&self.place(purpose), None))
        };
        match tokio::time::timeout(patience, request.send()).await {
            Err(_late) => Err(unreachable(Fault::Unreachable)),
            Ok(Err(error)) => Err(unreachable(tls::fault(&error))),
            Ok(Ok(response)) if response.status().is_success() => Ok(response),
            Ok(Ok(response)) => Err(self.refused(response).await),
        }
    }

    fn patience(&self, base: &BaseUrl, purpose: Purpose) -> Duration {
        match (purpose, base.near()) {
            (Purpose::Answer, Near::Loopback | Near::Private) => self.timeouts().thinking,
            _ => self.timeouts().headers,
        }
    }

    fn route(&self, base: &BaseUrl) -> Route {
        Route { ca_file: self.ca_file.clone(), direct: base.near() == Near::Loopback }
    }

    fn headers(&self, extra: &[(&'static str, &'static str)]) -> Result<HeaderMap, Failure> {
        let mut headers: HeaderMap = extra
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        if let Some(key) = &self.key {
            let (name, value) = match self.scheme {
                KeyScheme::Bearer => ("authorization", format!("Bearer {}", key.expose())),
                KeyScheme::ApiKey => ("x-api-key", key.expose().to_owned()),
            };
            let value = zeroize::Zeroizing::new(value);
            let mut value = HeaderValue::from_str(&value).map_err(|_| no_key_looks_so())?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }

    async fn refused(&self, response: Response) -> Rejected {
        let status = response.status().as_u16();
        let after = retry_after(response.headers(), chrono::Utc::now());
        let body = start_of(response, MAX_ERROR_BYTES, self.timeouts().probe).await;
        let reply = Reply::read(status, &body);
        tracing::info!(status, fault = ?reply.fault(), "the provider answered with an error");
        Rejected::Refused(reply, after)
    }

    /// Whether anything but a network's sign-in page answers. The key stays here.
    pub(crate) async fn reachable(&self) -> bool {
        let probe = async {
            let base = self.base.as_ref().ok()?;
            let client = self.http.client(self.route(base)).await.ok()?;
            let response = client.get(address(base, "models")).send().await.ok()?;
            Some(!is_portal(&response))
        };
        tokio::time::timeout(self.timeouts().probe, probe).await.ok().flatten().unwrap_or(false)
    }
}

/// The address of an endpoint, which may have a query.
fn address(base: &BaseUrl, endpoint: &str) -> url::Url {
    let (path, query) = endpoint.split_once('?').map_or((endpoint, None), |(p, q)| (p, Some(q)));
    let mut url = base.join(path);
    url.set_query(query);
    url
}

fn is_portal(response: &Response) -> bool {
    let status = response.status();
    matches!(status.as_u16(), 407 | 511)
        || status.is_redirection()
        || (status.is_success() && says_html(response.headers()))
}

/// Whether the answer calls itself a web page.
pub(crate) fn says_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| {
        let kind = kind.trim_start().to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/xhtml")
    })
}

/// The beginning of a body: at most `limit` bytes, and what came until it stalled.
pub(crate) async fn start_of(mut response: Response, limit: usize, patience: Duration) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < limit {
        match tokio::time::timeout(patience, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            _ => break,
        }
    }
    body.truncate(limit);
    body
}

/// A whole body as JSON: at most `limit` bytes, never a web page.
pub(crate) async fn json(
    mut response: Response,
    limit: usize,
    patience: Duration,
) -> Result<Value, Fault> {
    if says_html(response.headers()) {
        return Err(Fault::Portal);
    }
    let mut body = Vec::new();
    let whole = async {
        while let Some(chunk) = response.chunk().await.map_err(|_| Fault::Unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                return Err(Fault::Busy);
            }
        }
        Ok(())
    };
    tokio::time::timeout(patience, whole).await.map_err(|_| Fault::Unreachable)??;
    serde_json::from_slice(&body).map_err(|_| match is_html(&body) {
        true => Fault::Portal,
        false => Fault::Busy,
    })
}

fn no_key_looks_so() -> Failure {
    Failure::new(
        Code::KeyRejected,
        "The stored key contains characters that no key has. Nothing was sent.",
    )
    .hint("Enter the key again under Settings → Models.")
}
