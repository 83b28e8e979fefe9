//! A model provider for tests: speaks OpenAI's and Anthropic's wire over real TCP and does, request
//! by request, what a script says, faults included.
//!
//! In a test: [`ModelServer::start`], then [`ModelServer::script`], [`ModelServer::down`] and
//! [`ModelServer::up`] (the same port refuses connections, then takes them again), and
//! [`ModelServer::requests`] for what it received. It runs on a thread of its own, so that a test
//! with paused time, or without a runtime, can use it; dropping it ends it.
//!
//! From another process: the program `model-server` (see `main.rs`). What the script decides can
//! also be decided by the question: a last turn `!reply {"kind":"status","status":429}` is answered
//! with that [`Reply`].

mod control;
mod http1;
mod reply;
mod script;
mod serve;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use script::{Received, Reply, Rule, Script, Then};
use serve::Shared;

/// A running server.
#[derive(Debug)]
pub struct ModelServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    admin: SocketAddr,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl ModelServer {
    /// Starts on a free port of this computer.
    pub fn start(script: Script) -> Self {
        Self::start_at(0, script).expect("a free port on this computer")
    }

    /// Starts on a port; 0 chooses a free one.
    pub fn start_at(port: u16, script: Script) -> std::io::Result<Self> {
        Self::launch(port, script, None)
    }

    /// Starts with TLS on a free port, for the name `localhost`.
    pub fn start_tls(script: Script, tls: Arc<rustls::ServerConfig>) -> Self {
        Self::launch(0, script, Some(tls)).expect("a free port on this computer")
    }

    fn launch(
        port: u16,
        script: Script,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> std::io::Result<Self> {
        let listener = bind(port)?;
        let admin_listener = bind(0)?;
        let (address, admin) = (listener.local_addr()?, admin_listener.local_addr()?);
        let shared = Arc::new(Shared::new(script, tls));
        let stop = CancellationToken::new();
        let run = serve::run(Arc::clone(&shared), listener, admin_listener, stop.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("model-server".to_owned())
            .spawn(move || runtime.block_on(run))?;
        Ok(Self { shared, address, admin, stop, thread: Some(thread) })
    }

    /// Where it is, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        match self.shared.is_tls() {
            true => format!("https://localhost:{}", self.address.port()),
            false => format!("http://{}", self.address),
        }
    }

    /// Where `/__script`, `/__requests`, `/__down` and `/__up` always answer.
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// Host and port, as a failure's sentence names them.
    pub fn place(&self) -> String {
        self.address.to_string()
    }

    /// Goes by this script from the next request on.
    pub fn script(&self, script: Script) {
        self.shared.set_script(script);
    }

    /// Every question so far, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.requests()
    }

    /// How many connections stand: none soon after a request was given up.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// Cuts all connections and refuses new ones until [`Self::up`].
    pub fn down(&self) {
        self.switch(false);
    }

    /// Takes connections again, on the same port.
    pub fn up(&self) {
        self.switch(true);
    }

    fn switch(&self, open: bool) {
        self.shared.want(open);
        for _ in 0..2_000 {
            if self.shared.is_open() == open {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the model server did not get its port back in ten seconds");
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic in there was printed already; a second one here would abort the test.
            let _ = thread.join();
        }
    }
}

fn bind(port: u16) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
