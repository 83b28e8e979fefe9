//! What changed, told to the window in batches.
//!
//! The core tells each change after its commit. A stream of them (an answer that grows, a batch that
//! was imported) would cost the page a message each, so they are collected for [`PAUSE`], told once
//! each, and become [`Change::Everything`] where there are more than the page would read again.

use std::time::Duration;

use tauri::{AppHandle, Emitter, Manager, async_runtime};
use tidemark_core::api::Tidemark;
use tidemark_core::events::{Change, Listener};

use crate::appearance::Appearance;
use crate::window::{self, MAIN};

/// The event's name.
const EVENT: &str = "changes";
/// The setting that the window's frame follows.
const THEME: &str = "theme";
const PAUSE: Duration = Duration::from_millis(30);
/// About 16 KiB of JSON, beyond which a message to the page costs a frame.
const MOST: usize = 100;

/// Passes changes on until the core closes.
pub(crate) async fn forward(app: AppHandle, core: Tidemark, mut listener: Listener) {
    settle_theme(&app, &core).await;
    while let Some(first) = listener.next().await {
        let mut batch = Batch::default();
        batch.add(first);
        let pause = tokio::time::sleep(PAUSE);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                change = listener.next() => match change {
                    Some(change) => batch.add(change),
                    None => break,
                },
            }
        }
        let changes = batch.changes();
        if changes.iter().any(concerns_theme) {
            settle_theme(&app, &core).await;
        }
        if let Err(error) = app.emit_to(MAIN, EVENT, changes) {
            tracing::warn!(%error, "the window was not told of changes");
        }
    }
}

fn concerns_theme(change: &Change) -> bool {
    match change {
        Change::Setting { key } => key == THEME,
        Change::Everything => true,
        _ => false,
    }
}

/// Brings the window's frame in line with the setting, whoever changed it.
async fn settle_theme(app: &AppHandle, core: &Tidemark) {
    let core = core.clone();
    let read = async_runtime::spawn_blocking(move || core.setting(THEME)).await;
    if let (Ok(Ok(theme)), Some(window)) = (read, window::main(app)) {
        app.state::<Appearance>().change(&window, &theme.value);
    }
}

/// Changes in the order in which they first came, each once.
#[derive(Debug, Default)]
struct Batch {
    changes: Vec<Change>,
}

impl Batch {
    fn add(&mut self, change: Change) {
        if self.changes.len() <= MOST && !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    fn changes(self) -> Vec<Change> {
        if self.changes.len() > MOST || self.changes.contains(&Change::Everything) {
            return vec![Change::Everything];
        }
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: impl ToString) -> Change {
        Change::Setting { key: key.to_string() }
    }

    fn batch(changes: impl IntoIterator<Item = Change>) -> Vec<Change> {
        let mut batch = Batch::default();
        changes.into_iter().for_each(|change| batch.add(change));
        batch.changes()
    }

    #[test]
    fn each_change_is_told_once_in_the_order_of_the_first() {
        let told = batch([setting("b"), Change::Models, setting("b"), setting("a")]);
        assert_eq!(told, [setting("b"), Change::Models, setting("a")]);
    }

    #[test]
    fn more_than_the_page_would_read_again_is_everything() {
        assert_eq!(batch((0..MOST).map(setting)).len(), MOST);
        assert_eq!(batch((0..=MOST).map(setting)), [Change::Everything]);
        assert_eq!(batch((0..100_000).map(setting)), [Change::Everything]);
        assert_eq!(batch([setting("a"), Change::Everything]), [Change::Everything]);
    }
}
