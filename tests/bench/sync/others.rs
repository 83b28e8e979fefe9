//! Other processes: clients of ours, and programs of the peers.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidemark_tests::device::Person;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Run;
use super::client::Order;
use super::cost::Cost;

/// The longest that one may run.
const PATIENCE: Duration = Duration::from_secs(900);

impl Run {
    /// A folder for one client, which goes once its order is done.
    fn place(&mut self) -> PathBuf {
        self.clients += 1;
        self.folder.join(format!("client-{}", self.clients))
    }

    /// Has a client of ours do something in a new folder.
    pub(super) async fn client<T: DeserializeOwned>(
        &mut self,
        order: impl FnOnce(PathBuf) -> Order,
    ) -> anyhow::Result<T> {
        let place = self.place();
        let order = order(place.clone());
        let mut program = Command::new(std::env::current_exe()?);
        program.arg("client");
        let answer = ask(program, &serde_json::to_value(&order)?).await;
        let _ = std::fs::remove_dir_all(place);
        Ok(serde_json::from_value(answer?)?)
    }

    /// Has a peer's program do something, as this person.
    pub(super) async fn peer(
        &self,
        name: &str,
        person: &Person,
        more: Value,
    ) -> anyhow::Result<Cost> {
        let token = person.session().await?.access.expose().to_owned();
        let mut order = json!({ "url": person.url, "anon_key": person.anon_key, "token": token });
        if let (Some(order), Value::Object(more)) = (order.as_object_mut(), more) {
            order.extend(more);
        }
        let mut program = Command::new("node");
        program.arg(name).current_dir(peers());
        Ok(serde_json::from_value(ask(program, &order).await?)?)
    }
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers")
}

/// Gives a program its order and reads its answer.
async fn ask(mut program: Command, order: &Value) -> anyhow::Result<Value> {
    let name = format!("{:?}", program.as_std());
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = program.spawn().with_context(|| name.clone())?;
    let mut input = child.stdin.take().context("a standard input")?;
    input.write_all(order.to_string().as_bytes()).await?;
    drop(input);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended.with_context(|| format!("{name} does not end"))??;
    ensure!(output.status.success(), "{name}: {}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("{name} gave no answer"))
}
