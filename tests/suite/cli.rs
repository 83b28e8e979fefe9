//! `tidemarkctl`, as a script sees it: the program itself, over a data folder and a key file.
//!
//! It is found beside this test's own binary; `./dev test` builds it, and so does
//! `cargo build -p tidemark-cli`.

#[cfg(unix)]
mod account;
mod asking;
mod importing;
mod shapes;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::desk::{Desk, Person, opened, slow, to};
use crate::secrets::write_key;
use tidemark_core::Failure;
use tidemark_core::api::OpenOptions;
use tidemark_core::model::MessageState;
use tidemark_tests::model_server::{Reply, Script};

/// A desk whose mirror a key file opens, for the window and the command line alike.
pub(crate) struct Terminal {
    pub(crate) desk: Desk,
    pub(crate) key_file: PathBuf,
}

impl Terminal {
    pub(crate) fn new(script: Script) -> Self {
        let mut desk = Desk::new(script);
        let key_file = desk.folder.path().join("key");
        write_key(&key_file, &[7; 48]);
        desk.options = OpenOptions { key_file: Some(key_file.clone()), ..desk.options };
        Self { desk, key_file }
    }

    /// With the provider in its settings, as the command line adds it.
    fn ready(script: Script) -> Self {
        let terminal = Self::new(script);
        let url = terminal.desk.server.url();
        terminal.json(&["providers", "add", "test", "--base-url", &url, "--model", "test-model"]);
        terminal
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.arg("--data-dir").arg(&self.desk.options.data_dir);
        command.env("TIDEMARK_KEY_FILE", &self.key_file).env_remove("TIDEMARK_PASSPHRASE");
        command.env_remove("TIDEMARK_MODELS_DIR").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("it starts")
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command().args(arguments).spawn().expect("it starts")
    }

    /// What a command prints with `--json`, which must go well.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command().arg("--json").args(arguments).output().expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*errors), (Some(0), ""), "{arguments:?}");
        serde_json::from_slice(&output.stdout).expect("one JSON document")
    }

    /// The failure of a command, which must have printed nothing else.
    pub(crate) fn failure(&self, arguments: &[&str]) -> Failure {
        failure(&self.run(arguments))
    }

    pub(crate) fn with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command();
        let mut child = command.args(arguments).stdin(Stdio::piped()).spawn().expect("it starts");
        // It may have enough before it has all.
        let _ = child.stdin.take().expect("piped").write_all(input);
        child.wait_with_output().expect("it ends")
    }
}

pub(crate) fn failure(output: &Output) -> Failure {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stdout, b"", "{output:?}");
    serde_json::from_slice(&output.stderr).expect("a failure as JSON")
}

/// `target/debug/tidemarkctl`, beside `target/debug/deps/suite-…`.
fn program() -> PathBuf {
    let here = std::env::current_exe().expect("a program has a path");
    let folder = here.ancestors().nth(2).unwrap_or(Path::new("."));
    let program = folder.join(format!("tidemarkctl{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "{} is missing: cargo build -p tidemark-cli", program.display());
    program
}
