//! The engine's jobs, done by the mirror. One call is one job; the driver and the simulator share it.
//!
//! Whatever fails leaves the mirror at the end of some transaction: a page that was half applied is
//! read again, an outcome that was half stored comes again.

use rusqlite::Connection;

use super::digest::{content_hash, hex};
use super::event::{Done, First, Guard, Job, Memory, Stage, StoreFault, Verdict};
use super::pull::STAGES;
use super::server::Rows;
use super::status::Counts;
use crate::mirror::{
    Error, Mirror, account, apply, attach, conflicts, cursors, manifest, mending, outbox, parked,
    restored, settle, synced,
};
use crate::model::DeviceId;
use crate::model::wire::{Cursor, Head, MAX_PUSH_BYTES, Page, Push, Pushed, Snapshot, Table};

/// Of what a push may be, this much is used: JSON on the way is larger than it is counted here.
const PUSH_BYTES: usize = MAX_PUSH_BYTES / 2;

/// Does a job.
pub fn perform(mirror: &Mirror, job: &Job) -> Result<Done, StoreFault> {
    let done = match job {
        Job::Load => mirror.read(memory).map(Done::Loaded),
        Job::Offset { offset_ms } => account::saw_offset(mirror, *offset_ms).map(|()| Done::Kept),
        Job::Numbered { through } => numbered(mirror, *through),
        Job::Begin { head } => cursors::begin_first_sync(mirror, *head).map(|()| Done::Kept),
        Job::Snapshot { table, rows, next } => {
            return snapshot(mirror, *table, rows, next.as_ref());
        }
        Job::Apply { page, after, cursor, guard } => {
            return apply_page(mirror, page, after.as_ref(), cursor, *guard);
        }
        Job::Batch { max, above } => batch(mirror, *max as usize, *above).map(Done::Batch),
        Job::Settle { pushed } => settle_all(mirror, pushed),
        Job::Park { n, code } => park(mirror, *n, code),
        Job::Points { above, below, max } => {
            mirror.read(|c| cursors::points(c, *above, *below, *max as usize)).map(Done::Points)
        }
        Job::Rewind { known } => restored::rewind(mirror, *known).map(|_| Done::Kept),
        Job::Compare { table, after, manifest } => {
            let is_last = !manifest.has_more;
            mirror
                .read(|c| {
                    let (rows, head) = (&manifest.rows, manifest.head.seq);
                    manifest::compare(c, *table, *after, rows, is_last, head, |base| {
                        hex(&content_hash(*table, &base.fields))
                    })
                })
                .map(|manifest::Compared { fetch, absent, restored }| Done::Compared {
                    fetch,
                    absent,
                    restored,
                })
        }
        Job::Mend { table, rows, up_to } => return mend(mirror, *table, rows, *up_to),
        Job::Remove { table, ids, head, guard } => remove(mirror, *table, ids, *head, *guard),
        Job::Resume { head, mended } => resume(mirror, *head, *mended),
        Job::Digests { digests, after } => {
            super::verify::differing(mirror, digests, *after).map(Done::Differs)
        }
    };
    done.map_err(fault)
}

fn fault(error: Error) -> StoreFault {
    match error {
        Error::Busy(_) => StoreFault::Busy,
        Error::Full(_) => StoreFault::Full,
        Error::Unsound(_) => StoreFault::Unsound,
        error => {
            tracing::error!(%error, "sync: the mirror could not");
            StoreFault::Broken
        }
    }
}

/// What waits on this device.
///
/// # Errors
/// Those of reading.
pub fn counts(connection: &Connection) -> Result<Counts, Error> {
    let ops = outbox::counts(connection)?;
    let count = |n: i64| n.unsigned_abs();
    Ok(Counts {
        waiting: count(ops.waiting + ops.in_flight + ops.held + ops.behind),
        parked: count(ops.parked),
        conflicts: count(conflicts::count(connection)?),
        oldest_at: synced::waits_since(connection)?,
    })
}

fn memory(connection: &Connection) -> Result<Memory, Error> {
    let cursor = cursors::pull(connection)?;
    let first = cursors::first_sync(connection)?.filter(|_| cursor.is_none());
    Ok(Memory {
        device_id: synced::device_id(connection)?.0,
        cursor,
        first: first.map(|first| First {
            head: first.head,
            stage: Stage { table: first.table.unwrap_or(STAGES[0]), after: first.after },
        }),
        rewind: restored::under_way(connection)?,
        pushed: cursors::pushed(connection)?,
        mending: mending::is_due(connection)?,
        offset_ms: account::offset_ms(connection)?,
        counts: counts(connection)?,
    })
}

/// A server that has seen more than this data folder has ever numbered knows another copy of it.
fn numbered(mirror: &Mirror, through: i64) -> Result<Done, Error> {
    if through <= mirror.read(outbox::last_number)? {
        return Ok(Done::Kept);
    }
    let id = DeviceId(mirror.clock().new_id());
    mirror.write(|write| account::become_another_device(write, id))?;
    Ok(Done::Renamed { device_id: id.0 })
}

fn snapshot(
    mirror: &Mirror,
    table: Table,
    rows: &Rows,
    next: Option<&Stage>,
) -> Result<Done, StoreFault> {
    let snapshot: Snapshot<'_> = serde_json::from_str(&rows.0).map_err(|_| StoreFault::Unsound)?;
    let next = next.map(|stage| (stage.table, stage.after.as_ref()));
    apply::snapshot(mirror, table, &snapshot, next).map_err(fault)?;
    Ok(Done::Kept)
}

fn apply_page(
    mirror: &Mirror,
    page: &Rows,
    after: Option<&Cursor>,
    cursor: &Cursor,
    guard: Guard,
) -> Result<Done, StoreFault> {
    let page: Page<'_> = serde_json::from_str(&page.0).map_err(|_| StoreFault::Unsound)?;
    if !is_sound(&page, after, cursor) {
        return Err(StoreFault::Unsound);
    }
    let removal = apply::removal(mirror, &page, guard.removed).map_err(fault)?;
    if !guard.allows(removal.rows, removal.of) {
        return Ok(Done::TooMuch { removed: removal.rows });
    }
    let applied = apply::page(mirror, &page, gone(guard)).map_err(fault)?;
    let counts = mirror.read(counts).map_err(fault)?;
    Ok(Done::Applied { removed: applied.removed as u64, counts })
}

/// A page whose rows are out of order, come twice, or lie before what was asked after is not applied:
/// what a hostile or a broken server sends must not move the cursor past anything.
fn is_sound(page: &Page<'_>, after: Option<&Cursor>, cursor: &Cursor) -> bool {
    let code = |name: &str| Table::named(name).map_or(u8::MAX, Table::code);
    let keys: Vec<_> =
        page.changes.iter().map(|change| (change.seq, code(&change.tbl), change.row_id)).collect();
    let from = after.map_or(0, |after| after.seq - i64::from(after.tbl.is_some()));
    page.cursor == *cursor
        && keys.windows(2).all(|two| two[0] < two[1])
        && keys.first().is_none_or(|first| first.0 > from)
        && keys.last().is_none_or(|last| last.0 <= cursor.seq)
}

fn batch(mirror: &Mirror, max: usize, above: Option<i64>) -> Result<Push, Error> {
    attach::offer(mirror, max, above)?;
    let ops = outbox::take(mirror, max, PUSH_BYTES, above)?;
    mirror.read(|c| {
        let device = synced::device_id(c)?.0;
        Ok(Push { device, acked_through: outbox::acked_through(c)?, known: None, ops })
    })
}

fn settle_all(mirror: &Mirror, pushed: &Pushed) -> Result<Done, Error> {
    // Before the first outcome: a row must not be known to stand at a head that is not known.
    cursors::note_pushed(mirror, pushed.head)?;
    let settlement = settle::settle(mirror, &pushed.outcomes)?;
    let counts = mirror.read(counts)?;
    Ok(Done::Settled { counts, again: settlement.waiting > 0, mend: !settlement.fetch.is_empty() })
}

fn resume(mirror: &Mirror, head: Option<Head>, mended: bool) -> Result<Done, Error> {
    if let Some(head) = head {
        cursors::resume(mirror, head)?;
    }
    if mended {
        mending::end(mirror)?;
    }
    Ok(Done::Kept)
}

fn park(mirror: &Mirror, n: i64, code: &str) -> Result<Done, Error> {
    mirror.write(|write| parked::park(write, n, code))?;
    let counts = mirror.read(counts)?;
    Ok(Done::Settled { counts, again: false, mend: false })
}

fn gone(guard: Guard) -> apply::Gone {
    match guard.verdict {
        Some(Verdict::Keep) => apply::Gone::Stay,
        _ => apply::Gone::Leave,
    }
}

fn mend(mirror: &Mirror, table: Table, rows: &Rows, up_to: i64) -> Result<Done, StoreFault> {
    let rows = serde_json::from_str(&rows.0).map_err(|_| StoreFault::Unsound)?;
    apply::rows(mirror, table, &rows, up_to).map_err(fault)?;
    Ok(Done::Kept)
}

fn remove(
    mirror: &Mirror,
    table: Table,
    ids: &[uuid::Uuid],
    head: Head,
    guard: Guard,
) -> Result<Done, Error> {
    let rows: Vec<_> = ids.iter().map(|id| (table, *id)).collect();
    let removal = apply::removal_of(mirror, &rows, guard.removed)?;
    if !guard.allows(removal.rows, removal.of) {
        return Ok(Done::TooMuch { removed: removal.rows });
    }
    let applied = apply::remove(mirror, table, ids, head.seq, gone(guard))?;
    let counts = mirror.read(counts)?;
    Ok(Done::Applied { removed: applied.removed as u64, counts })
}
