//! What was read waits here to be put to use, and no more of it than memory has room for.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;

use uuid::Uuid;

use super::report::Plan;
use super::rows::{DocumentRows, Rows};
use super::run::Request;
use super::sources::Source;
use super::survey::{self, Found};
use crate::mirror::imports::{self, Batch, NewDocument};
use crate::mirror::{self, Mirror};

/// Messages of one transaction. A page of the indices is written once in it, however many rows fall on it:
/// fewer take longer in all, more give a run that is cut off less to go on from. A person's write waits
/// behind one conversation of it.
const BATCH: usize = 2_000;
/// Bytes that wait for their transaction, unless one conversation has more: they are in memory.
const BATCH_BYTES: usize = 4 << 20;

/// Reads on a thread of its own while what was read is put to use: each has a core to itself. Nothing lies
/// between the two, so that no more than two batches are in memory.
pub(super) fn read_ahead(
    source: &dyn Source,
    request: &Request,
    each: &mut dyn FnMut(Waiting) -> ControlFlow<()>,
) -> std::io::Result<Plan> {
    thread::scope(|scope| {
        let (give, take) = mpsc::sync_channel(0);
        let reading = scope.spawn(move || {
            let mut waiting = Waiting::default();
            let plan = survey::read(source, &request.input, &request.whose, &mut |found, _| {
                waiting.push(found);
                let is_full = waiting.is_full();
                match is_full.then(|| give.send(std::mem::take(&mut waiting))) {
                    Some(Err(_)) => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            });
            // Whoever has broken off wants no more.
            let _ = give.send(waiting);
            plan
        });
        for batch in take {
            if each(batch).is_break() {
                break;
            }
        }
        joined(reading)
    })
}

/// What a thread came to; its panic goes on here.
pub(super) fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Conversations and documents of one transaction.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) found: Vec<Found>,
    messages: usize,
    /// Of the messages, and of files that hang on them.
    bytes: usize,
}

impl Waiting {
    fn push(&mut self, found: Found) {
        self.messages += match &found {
            Found::Conversation(rows) => rows.messages.len().max(1),
            Found::Document(rows) => rows.fragments.len().max(1),
        };
        self.bytes += match &found {
            Found::Conversation(rows) => {
                let files = rows.blobs.iter().map(|(_, bytes)| bytes.len());
                files
                    .chain(rows.messages.iter().map(|message| message.content.len()))
                    .sum::<usize>()
            }
            Found::Document(rows) => rows.fragments.iter().map(String::len).sum(),
        };
        self.found.push(found);
    }

    fn is_full(&self) -> bool {
        self.messages >= BATCH || self.bytes >= BATCH_BYTES
    }

    /// Writes it in one transaction, or in several where a person wants to write meanwhile.
    pub(super) fn write(&self, mirror: &Mirror, import: Uuid) -> Result<(), mirror::Error> {
        let mut rest = self.found.as_slice();
        while !rest.is_empty() {
            let written = mirror.write_behind(|write| {
                let mut written = 0;
                for one in rest {
                    one.write(write, import)?;
                    written += 1;
                    if mirror.a_person_waits() {
                        break;
                    }
                }
                Ok(written)
            })?;
            rest = &rest[written..];
        }
        Ok(())
    }
}

impl Found {
    /// How many messages are in it.
    pub(super) fn messages(&self) -> u64 {
        match self {
            Self::Conversation(rows) => rows.messages.len() as u64 + rows.folded,
            Self::Document(_) => 0,
        }
    }

    fn write(&self, write: &mut mirror::Write<'_>, import: Uuid) -> Result<(), mirror::Error> {
        match self {
            Self::Conversation(rows) => {
                for (hash, bytes) in &rows.blobs {
                    imports::keep_blob(write, hash, bytes)?;
                }
                imports::write(write, import, &batch(rows)).map(drop)
            }
            Self::Document(rows) => {
                imports::write_document(write, import, &document(rows)).map(drop)
            }
        }
    }
}

fn batch(rows: &Rows) -> Batch<'_> {
    Batch {
        conversation: &rows.conversation,
        metadata: &rows.metadata,
        messages: &rows.messages,
        trashed: &rows.trashed,
        shown: rows.shown,
    }
}

fn document(rows: &DocumentRows) -> NewDocument<'_> {
    NewDocument {
        id: rows.id,
        conversation_id: rows.conversation_id,
        title: &rows.title,
        mime: rows.mime.as_deref(),
        bytes: rows.bytes,
        origin: &rows.origin,
        metadata: &rows.metadata,
        created_at: rows.created_at,
        trashed_at: rows.trashed_at,
        fragments: &rows.fragments,
    }
}
