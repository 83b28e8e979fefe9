//! An engine at rest, and two of them that hear of each other.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tidemark_core::mirror::{Mirror, conversations, messages};
use tidemark_core::model::{Conversation, ConversationId, Message, MessageId, MessageState, Role};
use tidemark_core::sync::{Event, Limits};
use tidemark_tests::device::{Device, Person};

use crate::samples::Samples;

/// The longest that something may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);
/// After a look, until all that it may have caused is over.
const AFTERMATH: Duration = Duration::from_millis(1_500);

/// A look of an engine at rest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Idle {
    /// What was asked.
    pub(crate) asked: Vec<String>,
    /// Whether a byte of the mirror changed.
    pub(crate) wrote: bool,
}

/// Journeys from one device to the other.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Met {
    /// In milliseconds.
    pub(crate) p50: f64,
    /// In milliseconds.
    pub(crate) p99: f64,
}

pub(super) async fn rest(person: &Person, folder: &Path) -> anyhow::Result<Idle> {
    let device = Device::open(person, folder, Limits::default(), 1).await?;
    device.sign_in();
    device.level(PATIENCE).await?;
    tokio::time::sleep(AFTERMATH).await;
    device.remote.take();
    let before = bytes(&device.mirror)?;
    device.engine.tell(Event::Woke);
    tokio::time::sleep(AFTERMATH).await;
    let asked = device.remote.take().iter().map(|asked| asked.what.to_owned()).collect();
    let wrote = bytes(&device.mirror)? != before;
    device.close().await;
    Ok(Idle { asked, wrote })
}

/// All bytes of the mirror and its log.
fn bytes(mirror: &Mirror) -> anyhow::Result<Vec<u8>> {
    let mut hash = Sha256::new();
    hash.update(fs::read(mirror.path())?);
    hash.update(fs::read(mirror.path().with_extension("db-wal")).unwrap_or_default());
    Ok(hash.finalize().to_vec())
}

/// `poll_ms` says how often the devices look where no doorbell hangs.
pub(super) async fn meet(
    person: &Person,
    folder: &Path,
    rounds: u64,
    poll_ms: Option<i64>,
) -> anyhow::Result<Met> {
    let limits =
        poll_ms.map_or_else(Limits::default, |poll_ms| Limits { poll_ms, ..Limits::default() });
    let mut ann = Device::open(person, &folder.join("ann"), limits, 1).await?;
    let mut bob = Device::open(person, &folder.join("bob"), limits, 2).await?;
    for device in [&mut ann, &mut bob] {
        device.sign_in();
        if poll_ms.is_none() {
            device.hang_bell().await?;
        }
    }
    let conversation = ConversationId(ann.mirror.clock().new_id());
    ann.mirror.write(|write| {
        conversations::insert(write, &Conversation::blank(conversation, write.now))
    })?;
    ann.level(PATIENCE).await?;
    bob.level(PATIENCE).await?;
    let mut samples = Samples::default();
    for round in 0..rounds {
        let took = journey(&ann.mirror, &bob.mirror, conversation).await;
        let states = || format!("{:?}; {:?}", ann.engine.status(), bob.engine.status());
        samples.push(took.with_context(states)?);
        tokio::time::sleep(pause(round, poll_ms)).await;
    }
    ann.close().await;
    bob.close().await;
    Ok(Met { p50: samples.quantile(0.5), p99: samples.quantile(0.99) })
}

/// Writes come at any moment between two polls.
fn pause(round: u64, poll_ms: Option<i64>) -> Duration {
    let within = poll_ms.unwrap_or(100).unsigned_abs();
    Duration::from_millis(50 + round * 7_919 % within)
}

/// From the commit here to the row there.
async fn journey(
    here: &Mirror,
    there: &Mirror,
    conversation: ConversationId,
) -> anyhow::Result<Duration> {
    let mut changes = there.events().subscribe();
    let id = MessageId(here.clock().new_id());
    here.write(|write| {
        let blank = Message::blank(id, conversation, Role::User, write.now);
        let message = Message { content: "High water".into(), state: MessageState::Done, ..blank };
        messages::insert(write, &message, messages::Index::Soon)
    })?;
    let committed = Instant::now();
    let arrives = async {
        while there.read(|c| messages::get(c, id)).is_err() {
            changes.next().await.context("the other mirror was closed")?;
        }
        Ok(committed.elapsed())
    };
    tokio::time::timeout(PATIENCE, arrives).await.context("it did not arrive")?
}
