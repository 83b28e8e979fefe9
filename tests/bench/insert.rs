//! A batch of 100,000 messages, encrypted and indexed, against the same rows in a plain file.

use std::path::Path;

use rusqlite::{Connection, params};
use tidemark_core::mirror::{index, messages};
use tidemark_core::model::{ConversationId, Message, MessageId};

use crate::corpus::Corpus;
use crate::figure::{Figure, Target};
use crate::samples::{Samples, median};
use crate::stock::{self, Core};

/// Messages altogether.
pub(crate) const MESSAGES: usize = 100_000;
/// Conversations of ten thousand messages; the rest is in small ones.
const LONG: usize = 8;
/// Messages of a long conversation.
const IN_LONG: usize = 10_000;
/// Messages of a small one.
const IN_SMALL: usize = 100;
/// Messages in one transaction.
const BATCH: usize = 5_000;

/// What a mirror was filled with.
#[derive(Debug)]
pub(crate) struct Filled {
    /// The long conversations, each with its last message.
    pub(crate) long: Vec<(ConversationId, MessageId)>,
    /// How it went.
    pub(crate) figure: Figure,
}

/// Messages of one conversation, as they stand in a batch.
type Piece = Vec<Message>;

/// Fills the mirror and the plain file, batch by batch in turn.
pub(crate) fn fill(core: &Core, folder: &Path) -> anyhow::Result<Filled> {
    let plain = Plain::create(&folder.join("plain.db"))?;
    let mut corpus = Corpus::new();
    let (mut ours, mut its) = (Samples::default(), Samples::default());
    let (mut ratios, mut ends) = (Vec::new(), Vec::new());
    // The long ones last, so that the sidebar shows them first.
    let sizes = [vec![IN_SMALL; (MESSAGES - LONG * IN_LONG) / IN_SMALL], vec![IN_LONG; LONG]];
    let mut batch: Vec<Piece> = Vec::new();
    for (number, size) in sizes.concat().into_iter().enumerate() {
        let (id, mut last) = (corpus.conversation_id(), None);
        for _ in 0..size.div_ceil(BATCH) {
            let piece = corpus.messages(id, last, size.min(BATCH));
            if last.is_none() {
                let title = format!("Chat {:03} of {size}", number + 1);
                stock::begin(core.mirror(), &stock::conversation(id, &title, piece[0].created_at))?;
            }
            last = piece.last().map(|message| message.id);
            batch.push(piece);
            if batch.iter().map(Vec::len).sum::<usize>() >= BATCH {
                let (before, before_plain) = (ours.total(), its.total());
                ours.time(|| insert(core, &batch))?;
                its.time(|| plain.insert(&batch))?;
                ratios.push((its.total() - before_plain) / (ours.total() - before));
                batch.clear();
            }
        }
        ends.extend(last.map(|last| (id, last)));
    }
    for (_, last) in &ends {
        stock::show(core.mirror(), *last)?;
    }
    let mut merging = Samples::default();
    while merging.time(|| index::merge(core.mirror()))? {}
    let long = ends.split_off(ends.len() - LONG);
    Ok(Filled { long, figure: figure(&corpus, &ours, &its, &merging, &ratios) })
}

fn insert(core: &Core, batch: &[Piece]) -> anyhow::Result<()> {
    Ok(core.mirror().write(|write| {
        batch
            .iter()
            .try_for_each(|piece| messages::insert_batch(write, piece[0].conversation_id, piece))
    })?)
}

fn figure(
    corpus: &Corpus,
    ours: &Samples,
    its: &Samples,
    merging: &Samples,
    ratios: &[f64],
) -> Figure {
    let a_second = |samples: &Samples| MESSAGES as f64 / samples.total() * 1e3;
    let beside = format!(
        "{:.0} rows/s; plain {:.0} rows/s; median of {} turns of {BATCH}, {} characters a message; the index's pieces merged afterwards, by its own task, in {:.1} s",
        a_second(ours),
        a_second(its),
        ratios.len(),
        corpus.mean_chars(),
        merging.total() / 1e3
    );
    Figure::new(
        "batch insert of 100,000 messages, against no encryption and no index",
        median(ratios),
        "×",
        Target::AtLeast(0.4),
        beside,
    )
}

/// The mirror's schema in a file that is not encrypted and has nothing in its search index.
struct Plain {
    connection: Connection,
}

impl Plain {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open(path)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        // The mirror's own settings.
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;")?;
        connection.execute_batch(include_str!("../../migrations/mirror/0001_first.sql"))?;
        Ok(Self { connection })
    }

    fn insert(&self, batch: &[Piece]) -> anyhow::Result<()> {
        let tx = self.connection.unchecked_transaction()?;
        let mut statement = tx.prepare_cached(
            "INSERT INTO messages (rowid, id, conversation_id, parent_id, role, content, model, state,
                                   tokens_in, tokens_out, first_token_ms, created_ms, updated_ms, finished_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?;
        for message in batch.iter().flatten() {
            statement.execute(params![
                message.created_at.0 << 16,
                message.id,
                message.conversation_id,
                message.parent_id,
                message.role,
                message.content,
                message.model,
                message.state,
                message.tokens_in,
                message.tokens_out,
                message.first_token_ms,
                message.created_at,
                message.updated_at,
                message.finished_at,
            ])?;
        }
        drop(statement);
        Ok(tx.commit()?)
    }
}
