//! The model server as a program, for suites that need it outside their own process.
//!
//! `model-server [--port N] [--script FILE]` prints `MODEL_SERVER_URL=…` and
//! `MODEL_SERVER_ADMIN=…`, one a line, and runs until its standard input closes or it is told to
//! end. The admin address takes `POST /__script`, `POST /__down`, `POST /__up` and answers
//! `GET /__requests`, also while the server itself is down.

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use tidemark_tests::model_server::{ModelServer, Script};

/// A scripted provider of models.
#[derive(Parser)]
struct Options {
    /// The port; 0 chooses a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A script in JSON; without one every question is repeated.
    #[arg(long)]
    script: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let script = match &options.script {
        Some(path) => {
            let json = std::fs::read(path).context("the script cannot be read")?;
            serde_json::from_slice(&json).context("the script cannot be understood")?
        }
        None => Script::default(),
    };
    let server = ModelServer::start_at(options.port, script).context("the port is taken")?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "MODEL_SERVER_URL={}", server.url())?;
    writeln!(out, "MODEL_SERVER_ADMIN={}", server.admin_url())?;
    out.flush()?;
    // SIGTERM ends the process as it is; there is nothing to put away.
    std::io::copy(&mut std::io::stdin().lock().by_ref(), &mut std::io::sink())?;
    Ok(())
}
