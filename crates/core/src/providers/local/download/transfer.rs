//! One file over HTTP, from where it was left to its end.

use std::fs::{File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use tokio_util::sync::CancellationToken;

use super::super::{megabytes, verified};
use super::DownloadOptions;
use super::part::{Origin, Part};
use crate::error::{Code, Failure};
use crate::providers::{retry_after::retry_after, tls};

/// So many attempts in a row may bring nothing.
const ATTEMPTS: u32 = 5;
/// No server makes us wait longer, whatever it says.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Room that is left on the disk for everything else.
const ROOM: u64 = 64 << 20;

/// What is fetched, and how it must be in the end.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Why a download ended before its end.
#[derive(Debug)]
pub(super) enum Ended {
    /// The person paused it.
    Stopped,
    /// It cannot go on by itself.
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Why an attempt ended.
enum Broke {
    Ended(Ended),
    /// The next attempt may work, after so long if the server said so.
    Retry {
        after: Option<Duration>,
        failure: Failure,
    },
    /// What is here is not the beginning of what the server has.
    StartAgain,
}

impl From<Failure> for Broke {
    fn from(failure: Failure) -> Self {
        Self::Ended(Ended::Failed(failure))
    }
}

impl From<Ended> for Broke {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

/// A client with its rules, and whoever wants to know how far it is.
pub(super) struct Transfer<'a, T> {
    client: Client,
    options: &'a DownloadOptions,
    stop: &'a CancellationToken,
    tell: T,
}

impl<'a, T: FnMut(u64)> Transfer<'a, T> {
    pub(super) fn new(
        options: &'a DownloadOptions,
        stop: &'a CancellationToken,
        tell: T,
    ) -> Result<Self, Failure> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::config(options.ca_file.as_deref())?)
            .redirect(redirect::Policy::custom(|attempt| {
                if attempt.previous().len() >= 10 || !is_safe(attempt.url()) {
                    attempt.stop()
                } else {
                    attempt.follow()
                }
            }))
            .referer(false)
            // Ranges are of the file's own bytes.
            .no_gzip()
            .user_agent(concat!("Tidemark/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(options.silence)
            .build();
        let client = client.map_err(|_| {
            Failure::new(Code::Internal, "The download could not be set up.")
                .hint("Check the system's proxy settings.")
        })?;
        Ok(Self { client, options, stop, tell })
    }

    /// Fetches, checks, and puts into place.
    pub(super) async fn run(&mut self, target: &Target) -> Result<(), Ended> {
        let part = Part::of(&target.path);
        let mut file = open(&part, target)?;
        let mut idle_attempts = 0;
        loop {
            let before = part.received();
            let Err(broke) = self.attempt(target, &part, &mut file).await else { break };
            let (after, failure) = match broke {
                Broke::Ended(ended) => return Err(ended),
                Broke::StartAgain => {
                    truncate(&mut file).map_err(|error| unwritable(&error))?;
                    (Some(Duration::ZERO), changed())
                }
                Broke::Retry { after, failure } => (after, failure),
            };
            idle_attempts = if part.received() > before { 1 } else { idle_attempts + 1 };
            if idle_attempts >= ATTEMPTS {
                return Err(Ended::Failed(failure));
            }
            let wait = self.options.backoff * 2_u32.pow(idle_attempts - 1);
            self.pause_for(after.unwrap_or(wait).min(LONGEST_WAIT)).await?;
        }
        file.sync_all().map_err(|error| unwritable(&error))?;
        check(part, target.clone(), file).await
    }

    /// A small document, such as a package index's answer.
    pub(super) async fn document(&self, url: &str, accept: &str) -> Result<(Url, Vec<u8>), Ended> {
        const MOST: usize = 4 << 20;
        let request = self.client.get(safe(url)?).header(reqwest::header::ACCEPT, accept);
        let response = self.unless_stopped(request.send()).await?.map_err(|e| unreachable(&e))?;
        let (url, status) = (response.url().clone(), response.status());
        if !status.is_success() {
            return Err(Ended::Failed(refused(status)));
        }
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(bytes) = self.unless_stopped(stream.next()).await? {
            body.extend_from_slice(&bytes.map_err(|error| unreachable(&error))?);
            if body.len() > MOST {
                return Err(Ended::Failed(changed()));
            }
        }
        Ok((url, body))
    }

    async fn attempt(
        &mut self,
        target: &Target,
        part: &Part,
        file: &mut File,
    ) -> Result<(), Broke> {
        let received = part.received();
        if received == target.bytes {
            return Ok(());
        }
        let response = self.ask(target, part, received).await?;
        let status = response.status();
        match status {
            StatusCode::PARTIAL_CONTENT if received > 0 => {
                let range = response.headers().get(CONTENT_RANGE).and_then(|r| r.to_str().ok());
                match range.and_then(content_range) {
                    Some((start, total)) if start == received && total == target.bytes => {}
                    _ => return Err(Broke::StartAgain),
                }
            }
            StatusCode::OK => {
                let length = response.headers().get(CONTENT_LENGTH);
                let length = length.and_then(|text| text.to_str().ok()?.parse::<u64>().ok());
                if length.is_some_and(|length| length != target.bytes) {
                    return Err(Broke::Ended(Ended::Failed(changed())));
                }
                truncate(file).map_err(|error| Ended::Failed(unwritable(&error)))?;
            }
            StatusCode::RANGE_NOT_SATISFIABLE => return Err(Broke::StartAgain),
            status if is_passing(status) => {
                let after = retry_after(response.headers(), chrono::Utc::now());
                return Err(Broke::Retry { after, failure: refused(status) });
            }
            status => return Err(Broke::Ended(Ended::Failed(refused(status)))),
        }
        let origin = Origin { sha256: target.sha256.clone(), etag: etag(response.headers()) };
        part.note(&origin).map_err(|error| Ended::Failed(unwritable(&error)))?;
        self.receive(response, target, file).await
    }

    async fn ask(&self, target: &Target, part: &Part, received: u64) -> Result<Response, Broke> {
        let mut request = self.client.get(safe(&target.url)?);
        if received > 0 {
            request = request.header(RANGE, format!("bytes={received}-"));
            if let Some(etag) = part.origin(&target.sha256).and_then(|origin| origin.etag) {
                request = request.header(IF_RANGE, etag);
            }
        }
        let response = self.unless_stopped(request.send()).await?;
        response.map_err(|error| Broke::Retry { after: None, failure: unreachable(&error) })
    }

    async fn receive(
        &mut self,
        response: Response,
        target: &Target,
        file: &mut File,
    ) -> Result<(), Broke> {
        let failed = |error: io::Error| Ended::Failed(unwritable(&error));
        let mut received = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut stream = response.bytes_stream();
        while let Some(bytes) = self.unless_stopped(stream.next()).await? {
            let bytes = bytes
                .map_err(|error| Broke::Retry { after: None, failure: unreachable(&error) })?;
            received += bytes.len() as u64;
            if received > target.bytes {
                return Err(Broke::Ended(Ended::Failed(changed())));
            }
            // Into the page cache: fast enough not to need a thread of its own.
            file.write_all(&bytes).map_err(failed)?;
            (self.tell)(received);
        }
        match received == target.bytes {
            true => Ok(()),
            false => Err(Broke::Retry { after: None, failure: broke_off() }),
        }
    }

    async fn unless_stopped<F: Future>(&self, future: F) -> Result<F::Output, Ended> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Ended::Stopped),
            output = future => Ok(output),
        }
    }

    async fn pause_for(&self, wait: Duration) -> Result<(), Ended> {
        self.unless_stopped(tokio::time::sleep(wait)).await
    }
}

/// Opens the part for appending, alone; what cannot be gone on from is emptied.
fn open(part: &Part, target: &Target) -> Result<File, Failure> {
    let folder = target.path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| unwritable(&error))?;
    let file = File::options().create(true).read(true).append(true).open(&part.bytes);
    let mut file = file.map_err(|error| unwritable(&error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Failure::new(Code::Busy, "Another window is downloading this model."));
        }
        // Some network file systems have no locks; the hash still tells in the end.
        Err(TryLockError::Error(error)) => tracing::debug!(%error, "the download is not locked"),
    }
    let received = part.received();
    if part.origin(&target.sha256).is_none() || received > target.bytes {
        truncate(&mut file).map_err(|error| unwritable(&error))?;
    }
    has_room(folder, target.bytes.saturating_sub(part.received()))?;
    Ok(file)
}

/// Refuses to begin what the disk has no room for.
pub(super) fn has_room(folder: &Path, bytes: u64) -> Result<(), Failure> {
    match fs4::available_space(folder) {
        Ok(free) if free < bytes.saturating_add(ROOM) => Err(Failure::new(
            Code::DiskFull,
            format!(
                "The download needs {} more, and {} are free on the disk.",
                megabytes(bytes.saturating_add(ROOM)),
                megabytes(free)
            ),
        )
        .hint("Free some space, then go on. What was downloaded is kept.")),
        _ => Ok(()),
    }
}

/// Checks the whole on the disk, and gives it its name.
async fn check(part: Part, target: Target, file: File) -> Result<(), Ended> {
    let checked = tokio::task::spawn_blocking(move || {
        // Held until the end, so that no other process begins in the middle.
        let _file = file;
        let sha256 = verified::hash_file(&part.bytes).map_err(|error| unwritable(&error))?;
        if sha256 != target.sha256 {
            part.delete().map_err(|error| unwritable(&error))?;
            return Err(wrong_hash());
        }
        part.finish(&target.path).map_err(|error| unwritable(&error))
    });
    checked.await.unwrap_or_else(|_| Err(Failure::new(Code::Internal, "The check failed.")))?;
    Ok(())
}

fn truncate(file: &mut File) -> io::Result<()> {
    file.set_len(0)
}

/// Only https, except on this computer.
pub(super) fn safe(url: &str) -> Result<Url, Failure> {
    let url = Url::parse(url).ok().filter(is_safe);
    url.ok_or_else(|| Failure::new(Code::InvalidInput, "The model's address is not secure."))
}

fn is_safe(url: &Url) -> bool {
    let here = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

/// `bytes 100-199/200` → (100, 200).
pub(super) fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end, total): (u64, u64, u64) =
        (start.parse().ok()?, end.parse().ok()?, total.parse().ok()?);
    (start <= end && end.checked_add(1)? == total).then_some((start, total))
}

/// The server's mark for exactly these bytes; weak ones promise less.
fn etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(ETAG)?.to_str().ok()?;
    etag.starts_with('"').then(|| etag.to_owned())
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

fn unreachable(error: &reqwest::Error) -> Failure {
    tracing::debug!(timeout = error.is_timeout(), connect = error.is_connect(), "download broke");
    Failure::new(
        Code::Offline,
        "The server of the model cannot be reached. What was downloaded is kept.",
    )
    .hint("Check the connection, then go on.")
}

fn broke_off() -> Failure {
    Failure::new(Code::Offline, "The download broke off. What was downloaded is kept.")
        .hint("Go on.")
}

fn refused(status: StatusCode) -> Failure {
    match status.as_u16() {
        404 | 410 => Failure::new(Code::NotFound, "The server no longer has this model.")
            .hint("Choose another model."),
        429 => Failure::new(Code::RateLimited, "The server asks for patience.")
            .hint("Go on in a few minutes."),
        500.. => Failure::new(Code::ProviderBusy, "The server of the model is out of order.")
            .hint("Go on later. What was downloaded is kept."),
        _ => Failure::new(Code::Refused, "The server did not give the model.")
            .hint("Choose another model, or point at a file that you have."),
    }
}

fn changed() -> Failure {
    Failure::new(Code::ModelInvalid, "What the server sends is not this model.")
        .hint("Check that the network asks for no sign-in, or choose another model.")
}

fn wrong_hash() -> Failure {
    Failure::new(
        Code::ModelInvalid,
        "What was downloaded is not the model that was published. It was deleted.",
    )
    .hint("Download it again.")
}

/// What a failed write means to a person.
pub(super) fn unwritable(error: &io::Error) -> Failure {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let (code, message) = match error.kind() {
        StorageFull | QuotaExceeded => (Code::DiskFull, "The disk is full."),
        PermissionDenied | ReadOnlyFilesystem => {
            (Code::ReadOnly, "The folder of the models cannot be written.")
        }
        kind => {
            tracing::warn!(%kind, "a download cannot be written");
            (Code::Internal, "The download could not be written.")
        }
    };
    Failure::new(code, message).hint("What was downloaded is kept.")
}
