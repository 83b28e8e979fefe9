//! A server that nobody may ask: it counts who does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is noted of a connection over which nothing was asked.
pub(crate) const BARE: &str = "a bare connection";

/// Listens until the program ends.
#[derive(Debug)]
pub(crate) struct Canary {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Canary {
    /// Starts it on a port of its own.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = asked.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut start = [0; 200];
                let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
                // A connection that says nothing (a preconnect) tells somebody who is here, too.
                let read = stream.read(&mut start).unwrap_or(0);
                let line =
                    String::from_utf8_lossy(&start[..read]).lines().next().map(str::to_owned);
                let line = line.unwrap_or_else(|| BARE.into());
                notes.lock().expect("no one panics with it").push(line);
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
            }
        });
        Ok(Self { address, asked })
    }

    /// An address on it, such as `http://127.0.0.1:4711/pixel`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The first lines of all that was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no one panics with it").clone()
    }
}
