//! What was written offline goes up when the network is back.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use tidemark_core::mirror::{conversations, messages};
use tidemark_core::model::{Conversation, ConversationId, Message, MessageId, MessageState, Role};
use tidemark_core::sync::{Event, Limits};
use tidemark_tests::device::{Device, Person};

use crate::sync::cost::{Cost, Stopwatch};
use crate::sync::filled::sized;

/// The longest that it may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// After the push, until all that it causes is over.
const AFTERMATH: Duration = Duration::from_millis(300);

/// A push.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Pushed {
    /// Until every message has its outcome, stored.
    pub(crate) cost: Cost,
    /// Requests that pushed.
    pub(crate) pushes: usize,
    /// All requests until nothing was left to do.
    pub(crate) requests: usize,
}

pub(super) async fn push(person: &Person, folder: &Path, count: u64) -> anyhow::Result<Pushed> {
    let device = Device::open(person, folder, Limits::default(), 1).await?;
    let mirror = &device.mirror;
    let conversation = ConversationId(mirror.clock().new_id());
    mirror.write(|write| {
        conversations::insert(write, &Conversation::blank(conversation, write.now))
    })?;
    device.sign_in();
    device.level(PATIENCE).await?;
    device.engine.tell(Event::Online(false));
    for n in 0..count {
        let id = MessageId(mirror.clock().new_id());
        mirror.write(|write| {
            let blank = Message::blank(id, conversation, Role::User, write.now);
            let message = Message { content: sized(n), state: MessageState::Done, ..blank };
            messages::insert(write, &message, messages::Index::Soon)
        })?;
    }
    let mut shown = device.engine.watch();
    let counted = shown.wait_for(|status| status.counts.waiting == count);
    tokio::time::timeout(PATIENCE, counted).await.context("not all are counted")??;
    device.remote.take();
    let watch = Stopwatch::start();
    device.engine.tell(Event::Online(true));
    let sent = shown.wait_for(|status| status.counts.waiting == 0);
    tokio::time::timeout(PATIENCE, sent).await.context("not all are sent")??;
    let cost = watch.cost();
    let waiting = device.waiting()?;
    ensure!(waiting == 0, "{waiting} wait, and the engine says {:?}", device.engine.status());
    // What was pushed is pulled like anybody's.
    tokio::time::sleep(AFTERMATH).await;
    device.level(PATIENCE).await?;
    let asked = device.remote.take();
    ensure!(asked.iter().all(|asked| asked.fault.is_none()), "a request failed: {asked:?}");
    let pushes = asked.iter().filter(|asked| asked.what == "push").count();
    device.close().await;
    Ok(Pushed { cost, pushes, requests: asked.len() })
}
