//! One session with WebKitWebDriver: the few W3C WebDriver commands that the specs need.
//!
//! The driver starts the app itself, in a process group of its own, so that ending the group ends
//! the app and the web view's processes too. One driver has one session.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};

/// The key under which WebDriver names an element (W3C WebDriver, 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An element of the page that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element(String);

/// What to open, and where it may write.
pub(crate) struct Launch<'a> {
    /// The program.
    pub(crate) binary: &'a Path,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its environment, beside our own.
    pub(crate) environment: Vec<(String, String)>,
    /// Where its output goes.
    pub(crate) log: &'a Path,
}

/// A running app and the driver that holds it.
#[derive(Debug)]
pub(crate) struct Session {
    driver: Child,
    agent: ureq::Agent,
    address: String,
    id: String,
}

/// What the driver answered instead of what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{command}: {error}: {message}")]
pub(crate) struct Refusal {
    command: String,
    /// One of WebDriver's error codes, such as `stale element reference`.
    pub(crate) error: String,
    message: String,
}

impl Session {
    /// Starts a driver, and the app through it.
    pub(crate) fn open(launch: &Launch<'_>) -> anyhow::Result<Self> {
        for _ in 0..2 {
            match Self::open_once(launch) {
                // The app's failures come as an answer; a connection that breaks is the driver's.
                Err(error) if error.is::<ureq::Error>() => println!("  a new driver: {error:#}"),
                opened => return opened,
            }
        }
        Self::open_once(launch)
    }

    fn open_once(launch: &Launch<'_>) -> anyhow::Result<Self> {
        let port = free_port()?;
        let log = File::options().create(true).append(true).open(launch.log)?;
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("could not start WebKitWebDriver (Debian's webkit2gtk-driver)")?;
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(40)))
            .http_status_as_error(false)
            // One connection per command: the driver closes idle ones without a word.
            .max_idle_connections(0)
            .build();
        let address = format!("http://127.0.0.1:{port}");
        let mut session = Self { driver, agent: config.into(), address, id: String::new() };
        session.wait_for_driver()?;
        session.begin(launch)?;
        Ok(session)
    }

    /// Waits until the driver answers. That it listens is not enough: one that has just started can
    /// accept a connection and reset it.
    fn wait_for_driver(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.agent.get(format!("{}/status", self.address)).call();
            let Err(error) = answer else { return Ok(()) };
            if let Some(status) = self.driver.try_wait()? {
                bail!("WebKitWebDriver ended at its start: {status}");
            }
            if Instant::now() > until {
                return Err(error).context("WebKitWebDriver does not get ready");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn begin(&mut self, launch: &Launch<'_>) -> anyhow::Result<()> {
        // No browserName: the driver compares it with the app's own and refuses.
        let options = json!({ "binary": launch.binary, "args": launch.arguments });
        let capabilities = json!({ "alwaysMatch": { "webkitgtk:browserOptions": options } });
        let begun = self.post("/session", &json!({ "capabilities": capabilities }))?;
        let id = begun["sessionId"].as_str().context("the driver named no session")?;
        self.id = id.to_owned();
        self.post("/timeouts", &json!({ "script": 30_000, "implicit": 0 }))?;
        Ok(())
    }

    /// Runs a function body in the page and returns what it returns.
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> anyhow::Result<Value> {
        self.post("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Runs a function body whose last argument is called with the result.
    pub(crate) fn run_async(&self, script: &str, arguments: &[Value]) -> anyhow::Result<Value> {
        self.post("/execute/async", &json!({ "script": script, "args": arguments }))
    }

    /// Runs a function body that returns elements.
    pub(crate) fn elements(
        &self,
        script: &str,
        arguments: &[Value],
    ) -> anyhow::Result<Vec<Element>> {
        let found = self.run(script, arguments)?;
        let found = found.as_array().context("the script returned no list")?;
        found.iter().map(|one| element(one).context("the script returned no element")).collect()
    }

    /// Scrolls to it and clicks in its middle, as a person would.
    pub(crate) fn click(&self, element: &Element) -> anyhow::Result<()> {
        self.on(element, "click", &json!({})).map(drop)
    }

    /// Types into it, key by key.
    pub(crate) fn type_into(&self, element: &Element, text: &str) -> anyhow::Result<()> {
        self.on(element, "value", &json!({ "text": text })).map(drop)
    }

    /// The role that the accessibility tree gives it.
    pub(crate) fn computed_role(&self, element: &Element) -> anyhow::Result<String> {
        self.text_of(element, "computedrole")
    }

    /// The name that the accessibility tree gives it.
    pub(crate) fn computed_label(&self, element: &Element) -> anyhow::Result<String> {
        self.text_of(element, "computedlabel")
    }

    /// Presses and releases keys: the first ones are held while the last one is struck.
    pub(crate) fn chord(&self, keys: &[char]) -> anyhow::Result<()> {
        let down = keys.iter().map(|key| json!({ "type": "keyDown", "value": key.to_string() }));
        let up = keys.iter().rev().map(|key| json!({ "type": "keyUp", "value": key.to_string() }));
        let strokes: Vec<Value> = down.chain(up).collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.post("/actions", &json!({ "actions": [keyboard] })).map(drop)
    }

    /// Sizes the window.
    pub(crate) fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        self.post("/window/rect", &json!({ "x": 0, "y": 0, "width": width, "height": height }))
            .map(drop)
    }

    /// The document as it stands.
    pub(crate) fn source(&self) -> anyhow::Result<String> {
        Ok(self.get("/source")?.as_str().unwrap_or_default().to_owned())
    }

    /// The app's process.
    pub(crate) fn app_pid(&self) -> anyhow::Result<u32> {
        let driver = self.driver.id();
        let children = std::fs::read_to_string(format!("/proc/{driver}/task/{driver}/children"))?;
        let first = children.split_whitespace().next().context("the driver has no child")?;
        Ok(first.parse()?)
    }

    /// Ends the driver and all that it started, at once.
    pub(crate) fn kill(&mut self) {
        signal("KILL", &format!("-{}", self.driver.id()));
        let _ = self.driver.wait();
    }

    fn text_of(&self, element: &Element, what: &str) -> anyhow::Result<String> {
        let answer = self.get(&format!("/element/{}/{what}", element.0))?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    fn on(&self, element: &Element, what: &str, body: &Value) -> anyhow::Result<Value> {
        self.post(&format!("/element/{}/{what}", element.0), body)
    }

    fn url(&self, command: &str) -> String {
        match command {
            "/session" => format!("{}/session", self.address),
            _ => format!("{}/session/{}{command}", self.address, self.id),
        }
    }

    fn post(&self, command: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.agent.post(self.url(command)).send_json(body);
        taken(command, answer)
    }

    fn get(&self, command: &str) -> anyhow::Result<Value> {
        taken(command, self.agent.get(self.url(command)).call())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to a process, or to the group of a negative number.
pub(crate) fn signal(name: &str, process: &str) {
    // The program and not the system call, which is unsafe code.
    let _ = Command::new("kill").args(["-s", name, "--", process]).stderr(Stdio::null()).status();
}

/// Writes an element as an argument of a script.
impl From<&Element> for Value {
    fn from(element: &Element) -> Self {
        json!({ ELEMENT: element.0 })
    }
}

fn element(value: &Value) -> Option<Element> {
    Some(Element(value.get(ELEMENT)?.as_str()?.to_owned()))
}

fn taken(
    command: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> anyhow::Result<Value> {
    let mut answer = answer.with_context(|| format!("{command}: the driver does not answer"))?;
    let failed = !answer.status().is_success();
    // A long document passes the reader's default of 10 MB.
    let body = answer.body_mut().with_config().limit(1 << 30);
    let mut body: Value = body.read_json().map_err(|error| anyhow!("{command}: {error}"))?;
    let value = body["value"].take();
    if !failed {
        return Ok(value);
    }
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let (error, message) = (text("error"), text("message"));
    Err(Refusal { command: command.to_owned(), error, message }.into())
}

/// A port that nothing listens on now. Another process may take it first; then the driver says so.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
