//! A mirror full of messages, and the same rows in a plain file.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tidemark_core::api::{self, OpenOptions, Tidemark};
use tidemark_core::mirror::{Mirror, conversations, messages, thread};
use tidemark_core::model::{Conversation, ConversationId, MessageId, Timestamp, TitleBy};
use tokio::runtime::{Builder, Runtime};

/// An open core whose background tasks rest, so that a measurement has the machine to itself.
pub(crate) struct Core {
    pub(crate) tidemark: Tidemark,
    // The tasks run while somebody blocks on this, and nobody does.
    runtime: Runtime,
}

impl Core {
    /// Opens the mirror of a home, with a key in a file beside it.
    pub(crate) fn open(home: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new(home.join("tidemark"));
        options.key_file = Some(key_file(home)?);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let tidemark = runtime.block_on(async {
            let app = api::App::start(options);
            app.state().await;
            app.core()
        })?;
        Ok(Self { tidemark, runtime })
    }

    /// Closes the mirror.
    pub(crate) fn close(self) {
        self.runtime.block_on(self.tidemark.close());
    }

    pub(crate) fn mirror(&self) -> &Mirror {
        self.tidemark.mirror()
    }
}

/// The file with the mirror's key; the specs' `App` looks for it in the same place.
fn key_file(home: &Path) -> anyhow::Result<PathBuf> {
    let path = home.join("mirror.key");
    if !path.exists() {
        fs::create_dir_all(home)?;
        let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(&[0x42; 48])?;
    }
    Ok(path)
}

/// A conversation without messages.
pub(crate) fn conversation(id: ConversationId, title: &str, at: Timestamp) -> Conversation {
    Conversation {
        title: title.to_owned(),
        title_by: TitleBy::Person,
        ..Conversation::blank(id, at)
    }
}

/// Writes the conversation's row.
pub(crate) fn begin(mirror: &Mirror, conversation: &Conversation) -> anyhow::Result<()> {
    mirror.write(|write| conversations::insert(write, conversation)).context("a conversation")
}

/// Shows the branch that ends with this message.
pub(crate) fn show(mirror: &Mirror, last: MessageId) -> anyhow::Result<()> {
    mirror
        .write(|write| {
            let message = messages::get(&write.tx, last)?;
            thread::show(write, &message)
        })
        .context("a branch")
}
