//! The mirror from the other side: written before the window opens, or by the command line.

use std::fs;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tidemark_core::api::{self, OpenOptions, Tidemark};

use crate::app::App;

impl App {
    /// Writes into the mirror while the window is closed.
    pub(crate) fn seed<T>(
        &self,
        write: impl FnOnce(&Tidemark) -> tidemark_core::Result<T>,
    ) -> anyhow::Result<T> {
        let mut options = OpenOptions::new(self.data_dir());
        options.key_file = Some(self.key_file());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let app = api::App::start(options);
            app.state().await;
            let core = app.core().context("the mirror does not open")?;
            let written = tokio::task::block_in_place(|| write(&core));
            core.close().await;
            Ok(written?)
        })
    }

    /// Runs `tidemarkctl --json` on the same folder and returns what it printed.
    pub(crate) fn tidemarkctl(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let done = Command::new(self.stage.app.with_file_name("tidemarkctl"))
            .arg("--data-dir")
            .arg(self.data_dir())
            .arg("--json")
            .args(arguments)
            .envs(self.variables())
            .stdin(Stdio::null())
            .output()
            .context("could not start tidemarkctl")?;
        if !done.status.success() {
            bail!("tidemarkctl {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(serde_json::from_slice(&done.stdout)?)
    }

    /// Starts the app a second time on the same desktop and folder; returns how it ended.
    pub(crate) fn start_another(&self) -> anyhow::Result<ExitStatus> {
        let mut second = Command::new(&self.stage.app)
            .arg("--data-dir")
            .arg(self.data_dir())
            .envs(self.variables())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut ended = None;
        let waited = self.until("the second app to end", || {
            ended = second.try_wait()?;
            Ok(ended.is_some())
        });
        if waited.is_err() {
            let _ = second.kill();
            let _ = second.wait();
        }
        waited?;
        ended.context("it ended")
    }

    /// Every file of the mirror, by name and content.
    pub(crate) fn mirror_files(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.data_dir())? {
            let path = entry?.path();
            let name = path.file_name().context("a name")?.to_string_lossy().into_owned();
            // The log's index is rebuilt whenever somebody looks.
            if name.contains("sqlite") || name.ends_with(".db") {
                files.push((name, fs::read(&path)?));
            }
        }
        ensure!(!files.is_empty(), "there is no mirror");
        files.sort();
        Ok(files)
    }
}
