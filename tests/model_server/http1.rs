//! As much HTTP/1.1 as a test server needs, by hand: what is to go wrong must be ours to do.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::script::Received;

/// No request of a test is larger: a question of 1 MiB, escaped.
const MAX_BODY: usize = 64 << 20;

/// One connection.
pub(super) struct Connection<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// The next request; none where the other side closed in order.
    pub(super) async fn request(&mut self) -> Result<Option<Received>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Err(Error::from(ErrorKind::InvalidData));
        };
        let headers = self.headers().await?;
        let length = headers.get("content-length").map_or(Ok(0), |length| length.parse::<usize>());
        let length = length.ok().filter(|length| *length <= MAX_BODY);
        let mut body = vec![0; length.ok_or(ErrorKind::InvalidData)?];
        self.stream.read_exact(&mut body).await?;
        Ok(Some(Received {
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }))
    }

    async fn headers(&mut self) -> Result<BTreeMap<String, String>> {
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => {
                    headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
                }
                None => return Ok(headers),
            }
        }
    }

    /// A whole answer.
    pub(super) async fn respond(
        &mut self,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<()> {
        let length = body.len().to_string();
        let head = head(status, headers.iter().copied().chain([("content-length", &*length)]));
        self.write(format!("{head}{body}").as_bytes()).await
    }

    /// The start of an answer in chunks.
    pub(super) async fn begin(&mut self, content_type: &str) -> Result<()> {
        let headers = [("content-type", content_type), ("transfer-encoding", "chunked")];
        self.write(head(200, headers.into_iter()).as_bytes()).await
    }

    /// One chunk, on its way when this returns.
    pub(super) async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk).await
    }

    /// The end of an answer in chunks.
    pub(super) async fn end(&mut self) -> Result<()> {
        self.write(b"0\r\n\r\n").await
    }

    /// Waits until the other side hangs up.
    pub(super) async fn closed(&mut self) -> Result<()> {
        while self.stream.read_u8().await.is_ok() {}
        Err(Error::from(ErrorKind::ConnectionAborted))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(bytes).await?;
        self.stream.get_mut().flush().await
    }
}

fn head<'a>(status: u16, headers: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let lines: String = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Scripted\r\n{lines}\r\n")
}
