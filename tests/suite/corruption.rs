//! F4: flipped, zeroed and truncated pages, and a log that is gone or damaged. The damage is found,
//! the file is set aside and never deleted, every readable row is saved, and the loss is counted.
//!
//! Which rows must be saved is known from SQLite itself (`dbstat` names the pages of every table):
//! each row none of whose pages was touched. 500 files in the tests; `TIDEMARK_FILES=2000` on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tidemark_core::clock::ManualClock;
use tidemark_core::events::Events;
use tidemark_core::mirror::salvage::{self, Care};
use tidemark_core::mirror::{self, Error, Mirror, index};
use tidemark_core::model::view::SalvageReport;
use tidemark_tests::faults::work::{self, Session, Step};
use tidemark_tests::faults::{Rng, scale, seed};

const PAGE: usize = 4096;
/// What the deleted chats said.
const DELETED: &str = "deleted for good";

type Rows = BTreeMap<&'static str, BTreeMap<i64, String>>;
type Files = BTreeMap<&'static str, Vec<u8>>;

/// What is compared of a table's rows: what the repair of references never touches.
const TABLES: [(&str, &str); 5] = [
    ("conversations", "hex(id) || title || created_ms || ifnull(system_prompt, '')"),
    (
        "messages",
        "hex(id) || hex(conversation_id) || role || content || ifnull(model, '') || created_ms",
    ),
    ("settings", "key || value"),
    ("usage", "hex(id) || hex(message_id) || model || created_ms"),
    ("send_queue", "hex(message_id) || hex(conversation_id) || queued_ms"),
];

fn rows(connection: &Connection) -> Rows {
    let of_table = |(table, columns): &(&'static str, &str)| {
        let sql = format!("SELECT rowid, {columns} FROM {table}");
        let mut statement = connection.prepare(&sql).expect("a query");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        (*table, rows.collect::<Result<_, _>>().expect("rows"))
    };
    TABLES.iter().map(of_table).collect()
}

/// A mirror's files as they lie on the disk, what is in it, and where.
struct Original {
    files: Files,
    rows: Rows,
    /// Per table and rowid: the pages that the row needs.
    needs: BTreeMap<&'static str, BTreeMap<i64, BTreeSet<u32>>>,
    /// Per table: the pages of its indexes.
    indexes: BTreeMap<&'static str, BTreeSet<u32>>,
    /// Pages of which the log holds a newer version.
    in_log: BTreeSet<u32>,
}

impl Original {
    /// With everything written back (`closed`), or with a log that holds the last chats.
    fn new(closed: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(mirror::FILE);
        let session = Session::open(&path).expect("opens");
        talk(&session);
        checkpoint(&session.mirror);
        let later = if closed { 0 } else { 25 };
        for number in 0..later {
            work::run(&session, 500 + number, Step::SendNew).expect("works");
            work::run(&session, 500 + number, Step::Finish).expect("works");
        }
        let (rows, needs, indexes) =
            session.mirror.read(|c| Ok((rows(c), needs(c), index_pages(c)))).expect("reads");
        let files = read_files(&path);
        let in_log = files.get("-wal").map(|log| logged(log)).unwrap_or_default();
        Self { files, rows, needs, indexes, in_log }
    }

    fn pages(&self) -> usize {
        self.files[""].len() / PAGE
    }

    /// The rows that must be saved when these pages are gone.
    fn readable(&self, damaged: &BTreeSet<u32>) -> Rows {
        let whole = |table: &str, rowid: &i64| self.needs[table][rowid].is_disjoint(damaged);
        let of_table = |(table, rows): (&&'static str, &BTreeMap<i64, String>)| {
            let kept = rows.iter().filter(|(rowid, _)| whole(table, rowid));
            (*table, kept.map(|(rowid, row)| (*rowid, row.clone())).collect())
        };
        self.rows.iter().map(of_table).collect()
    }
}

/// Chats of some length; some are deleted, so that there are free pages with old rows.
fn talk(session: &Session) {
    use Step::*;
    for number in 0..36 {
        for step in [SendNew, Append, Finish, Send, Append, Finish, Draft] {
            work::run(session, number, step).expect("works");
        }
        if number % 6 == 5 {
            session.send(None, &DELETED.repeat(200)).expect("works");
            work::run(session, number, Trash).expect("works");
            work::run(session, number, Purge).expect("works");
        }
    }
    work::run(session, 7, Setting).expect("works");
    while index::catch_up(&session.mirror).expect("indexes") > 0 {}
}

fn checkpoint(mirror: &Mirror) {
    mirror
        .read(|c| Ok(c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?))
        .expect("written back");
}

fn read_files(path: &Path) -> Files {
    let read = |part: &'static str| {
        let bytes = fs::read(format!("{}{part}", path.display())).ok()?;
        (!bytes.is_empty()).then_some((part, bytes))
    };
    ["", "-wal", "-shm"].into_iter().filter_map(read).collect()
}

fn write_files(path: &Path, files: &Files) {
    for (part, bytes) in files {
        fs::write(format!("{}{part}", path.display()), bytes).expect("written");
    }
}

/// The pages that every row needs: its leaf, and what did not fit there. SQLite says how many rows a
/// leaf has, and leaves come in the order of rowids.
fn needs(c: &Connection) -> BTreeMap<&'static str, BTreeMap<i64, BTreeSet<u32>>> {
    TABLES.iter().map(|(table, _)| (*table, needs_of(c, table))).collect()
}

fn needs_of(c: &Connection, table: &str) -> BTreeMap<i64, BTreeSet<u32>> {
    let mut statement =
        c.prepare(&format!("SELECT rowid FROM {table} ORDER BY rowid")).expect("a query");
    let mut rowids = statement
        .query_map([], |row| row.get::<_, i64>(0))
        .expect("rows")
        .map(|rowid| rowid.expect("a rowid"));
    let mut needs = BTreeMap::new();
    for (leaf, path, cells) in leaves(c, table) {
        for cell in 0..cells {
            let rowid = rowids.next().expect("as many rows as cells");
            let mut pages = overflow(c, table, &format!("{path}{cell:03x}+%"));
            pages.insert(leaf);
            needs.insert(rowid, pages);
        }
    }
    assert!(rowids.next().is_none(), "{table}: as many cells as rows");
    needs
}

fn leaves(c: &Connection, table: &str) -> Vec<(u32, String, u32)> {
    c.prepare(
        "SELECT pageno, path, ncell FROM dbstat
          WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path",
    )
    .and_then(|mut statement| {
        let rows =
            statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    })
    .expect("dbstat")
}

fn overflow(c: &Connection, table: &str, path: &str) -> BTreeSet<u32> {
    c.prepare_cached("SELECT pageno FROM dbstat WHERE name = ?1 AND path LIKE ?2")
        .and_then(|mut statement| {
            let rows = statement.query_map([table, path], |row| row.get(0))?;
            rows.collect()
        })
        .expect("dbstat")
}

fn index_pages(c: &Connection) -> BTreeMap<&'static str, BTreeSet<u32>> {
    let sql = "SELECT pageno FROM dbstat
                WHERE name IN (SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1)
                   OR name = 'sqlite_schema'";
    let of_table = |(table, _): &(&'static str, &str)| {
        let mut statement = c.prepare(sql).expect("a query");
        let pages = statement.query_map([table], |row| row.get(0)).expect("dbstat");
        (*table, pages.collect::<Result<_, _>>().expect("dbstat"))
    };
    TABLES.iter().map(of_table).collect()
}

/// The pages of a log's frames.
fn logged(log: &[u8]) -> BTreeSet<u32> {
    let frames = log[32..].chunks_exact(24 + PAGE);
    frames.map(|frame| u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]])).collect()
}

/// Damages the file, and tells which pages were touched.
fn damage(file: &mut Vec<u8>, rng: &mut Rng) -> BTreeSet<u32> {
    let pages = (file.len() / PAGE) as u64;
    if rng.one_in(6) {
        let kept = rng.below(file.len() as u64) as usize;
        file.truncate(kept);
        return ((kept / PAGE) as u32 + 1..=pages as u32).collect();
    }
    let most = if rng.one_in(4) { pages / 2 } else { 4 };
    let several = 1 + rng.below(most);
    let touched: BTreeSet<u32> = (0..several).map(|_| 1 + rng.below(pages) as u32).collect();
    let kind = rng.below(3);
    for page in &touched {
        let page = &mut file[(*page as usize - 1) * PAGE..*page as usize * PAGE];
        match kind {
            0 => page.fill(0),
            1 => page[512..1024].iter_mut().for_each(|byte| *byte = rng.draw() as u8),
            _ => {
                // The salt in front of page 1 is not read: the key brings its own.
                let at = 16 + rng.below(PAGE as u64 - 16) as usize;
                page[at] ^= 1 << rng.below(8);
            }
        }
    }
    touched
}

fn open(path: &Path) -> Result<Mirror, Error> {
    let clock = ManualClock::at(1_800_000_000_000);
    mirror::open(path, &work::key(), work::MIRROR, clock, Events::default())
}

fn recover(path: &Path) -> (Mirror, SalvageReport) {
    let clock = ManualClock::at(1_800_000_000_000);
    salvage::recover(path, &work::key(), work::MIRROR, clock, Events::default()).expect("recovers")
}

/// Whether a start or `doctor` notices.
fn is_found(path: &Path) -> bool {
    if salvage::log_is_damaged(path) {
        return true;
    }
    let Ok(mirror) = open(path) else { return true };
    !mirror.check().is_ok_and(|findings| findings.is_empty())
}

/// Rows that are in the first and not, or otherwise, in the second.
fn missing(wanted: &Rows, found: &Rows) -> Vec<String> {
    let of_table = |(table, rows): (&&'static str, &BTreeMap<i64, String>)| {
        let found = &found[table];
        let missing = rows.iter().filter(|(rowid, row)| found.get(*rowid) != Some(row));
        missing.map(|(rowid, _)| format!("{table} {rowid}")).collect::<Vec<_>>()
    };
    wanted.iter().flat_map(of_table).collect()
}

/// Messages and settings that are not, or not so, in the original.
fn invented(original: &Original, saved: &Rows) -> Vec<String> {
    let only = |table: &'static str| Rows::from([(table, saved[table].clone())]);
    [missing(&only("messages"), &original.rows), missing(&only("settings"), &original.rows)]
        .concat()
}

/// How many rows of a table are not in the second.
fn lost(original: &Rows, saved: &Rows, table: &str) -> i64 {
    original[table].iter().filter(|(rowid, row)| saved[table].get(rowid) != Some(row)).count()
        as i64
}

fn reported(report: &SalvageReport, table: &str) -> i64 {
    report.tables.iter().find(|line| line.table == table).map_or(0, |line| line.lost)
}

/// One damaged file, from finding to using it again. An error says what does not hold.
fn one_file(original: &Original, seed: u64) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let mut files = original.files.clone();
    let touched = damage(files.get_mut("").expect("the file"), &mut rng);
    let damaged: BTreeSet<u32> = touched.difference(&original.in_log).copied().collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(mirror::FILE);
    write_files(&path, &files);
    if !damaged.is_empty() {
        let copy = folder.path().join("copy.db");
        write_files(&copy, &files);
        if !is_found(&copy) {
            return Err(format!("{touched:?}: not found"));
        }
    }
    let (mirror, report) = recover(&path);
    let aside = read_files(Path::new(&report.set_aside));
    if files.iter().any(|(part, bytes)| *part != "-shm" && aside.get(part) != Some(bytes)) {
        return Err("what was set aside is not what was damaged".to_owned());
    }
    judge(original, &damaged, &mirror, &report)
}

fn judge(
    original: &Original,
    damaged: &BTreeSet<u32>,
    mirror: &Mirror,
    report: &SalvageReport,
) -> Result<(), String> {
    let saved = mirror.read(|c| Ok(rows(c))).expect("reads");
    let not_saved = missing(&original.readable(damaged), &saved);
    if !not_saved.is_empty() {
        return Err(format!("{damaged:?}: readable and not saved: {not_saved:?}"));
    }
    let invented = invented(original, &saved);
    if !invented.is_empty() {
        return Err(format!("{damaged:?}: rows that nobody wrote: {invented:?}"));
    }
    for (table, _) in TABLES.iter().filter(|(table, _)| *table != "send_queue") {
        let (lost, said) = (lost(&original.rows, &saved, table), reported(report, table));
        let exact = original.indexes[table].is_disjoint(damaged);
        if (exact && lost != said) || (lost > 0 && said == 0) {
            return Err(format!("{damaged:?}: {table}: {lost} lost, {said} reported"));
        }
    }
    while index::catch_up(mirror).expect("indexes") > 0 {}
    let findings = mirror.check().map_err(|error| format!("{error:?}"))?;
    if !findings.is_empty() {
        return Err(format!("{damaged:?}: {findings:?}"));
    }
    let risen: i64 = mirror
        .read(|c| {
            let sql = "SELECT count(*) FROM messages WHERE content LIKE ?1";
            Ok(c.query_row(sql, [format!("%{DELETED}%")], |row| row.get(0))?)
        })
        .expect("reads");
    if risen > 0 { Err(format!("{damaged:?}: {risen} deleted messages came back")) } else { Ok(()) }
}

fn many(original: &Original, count: u64) {
    let first = seed();
    for file in 0..count {
        let seed = first.wrapping_add(file);
        if let Err(what) = one_file(original, seed) {
            panic!(
                "{what}\nfile {file} of {}: replay with TIDEMARK_SEED={seed} TIDEMARK_FILES=2",
                original.pages()
            );
        }
    }
}

fn files() -> u64 {
    scale("TIDEMARK_FILES", 500)
}

#[test]
fn every_readable_row_of_a_damaged_file_is_saved_and_the_others_are_counted() {
    many(&Original::new(true), files() / 2);
}

#[test]
fn every_readable_row_of_a_damaged_file_with_a_log_is_saved_and_the_others_are_counted() {
    many(&Original::new(false), files() / 2);
}

#[test]
fn a_whole_file_is_salvaged_whole() {
    for closed in [true, false] {
        let original = Original::new(closed);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(mirror::FILE);
        write_files(&path, &original.files);
        let (mirror, report) = recover(&path);
        assert_eq!(mirror.read(|c| Ok(rows(c))).expect("reads"), original.rows);
        assert_eq!(report.rows_lost, 0, "{report:?}");
    }
}

/// The control: with less care the same files are not saved, or hold what nobody wrote.
fn fails_with(care: Care, original: &Original, break_it: impl Fn(&mut Files, &mut Rng)) -> usize {
    let mut failed = 0;
    for seed in 0..10 {
        let mut files = original.files.clone();
        break_it(&mut files, &mut Rng::new(seed));
        let folder = tempfile::tempdir().expect("a folder");
        let damaged = folder.path().join("damaged.db");
        write_files(&damaged, &files);
        let fresh = open(&folder.path().join(mirror::FILE)).expect("opens");
        salvage::salvage(&damaged, &work::key(), &fresh, care).expect("salvages");
        let saved = fresh.read(|c| Ok(rows(c))).expect("reads");
        let wrong = invented(original, &saved).len() + missing(&original.rows, &saved).len();
        failed += usize::from(wrong > 0 && care != Care::WithoutCode);
        failed += usize::from(care == Care::WithoutCode && !invented(original, &saved).is_empty());
    }
    failed
}

#[test]
fn control_without_the_log_rows_are_missing() {
    let original = Original::new(false);
    assert_eq!(fails_with(Care::WithoutLog, &original, |_, _| {}), 10);
    assert_eq!(fails_with(Care::Full, &original, |_, _| {}), 0);
}

#[test]
fn control_without_the_code_rows_that_nobody_wrote_come_in() {
    let original = Original::new(true);
    let flip = |files: &mut Files, rng: &mut Rng| {
        let file = files.get_mut("").expect("the file");
        for _ in 0..400 {
            let at = PAGE + rng.below((file.len() - PAGE) as u64) as usize;
            file[at] ^= 1;
        }
    };
    let failed = fails_with(Care::WithoutCode, &original, flip);
    assert!(failed > 5, "only {failed} of 10");
}

#[test]
fn a_log_that_is_gone_is_found_and_what_the_file_holds_is_saved() {
    let original = Original::new(false);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(mirror::FILE);
    write_files(&path, &original.files);
    assert!(!salvage::log_is_damaged(&path), "the log is there");
    fs::remove_file(path.with_extension("db-wal")).expect("removed");
    assert!(salvage::log_is_damaged(&path));
    let (mirror, _) = recover(&path);
    let saved = mirror.read(|c| Ok(rows(c))).expect("reads");
    // What was written back before the log began is what 30 of 36 chats left.
    assert!(saved["messages"].len() >= 120, "{} messages", saved["messages"].len());
    assert_eq!(invented(&original, &saved), Vec::<String>::new());
}

#[test]
fn frames_behind_a_damaged_one_in_the_log_are_saved() {
    let original = Original::new(false);
    let frames = (original.files["-wal"].len() - 32) / (24 + PAGE);
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut files = original.files.clone();
        let log = files.get_mut("-wal").expect("the log");
        let frame = rng.below(frames as u64 / 2) as usize;
        log[32 + frame * (24 + PAGE) + 24 + 100] ^= 1;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(mirror::FILE);
        write_files(&path, &files);
        assert!(salvage::log_is_damaged(&path), "frame {frame} of {frames}");
        let (mirror, _) = recover(&path);
        let saved = mirror.read(|c| Ok(rows(c))).expect("reads");
        let not_saved = missing(&original.rows, &saved).len();
        // The damaged frame's own page may have been its row's only version.
        assert!(not_saved <= 8, "frame {frame}: {not_saved} rows not saved");
        assert_eq!(invented(&original, &saved), Vec::<String>::new());
    }
}

#[test]
fn a_recovery_that_was_cut_off_begins_again_or_goes_on() {
    let original = Original::new(false);
    let mut files = original.files.clone();
    files.get_mut("").expect("the file")[8 * PAGE + 99] ^= 1;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(mirror::FILE);
    write_files(&path, &files);
    // Cut off while rows are carried over: a half-made file lies there.
    fs::write(path.with_extension("salvage.db"), b"half").expect("written");
    assert!(salvage::finish(&path).expect("nothing to finish").is_none());
    let (mirror, report) = recover(&path);
    let saved = mirror.read(|c| Ok(rows(c))).expect("reads");
    drop(mirror);
    // Cut off between two renames: the fresh file is complete, the damaged one half moved.
    let aside = Path::new(&report.set_aside);
    fs::rename(&path, path.with_extension("salvage.db")).expect("as before the last rename");
    fs::rename(aside.with_extension("db-wal"), path.with_extension("db-wal")).expect("as before");
    fs::rename(aside.with_extension("json"), path.with_extension("salvage.json"))
        .expect("as before");
    assert_eq!(salvage::finish(&path).expect("goes on"), Some(report.clone()));
    let mirror = open(&path).expect("opens");
    assert_eq!(mirror.read(|c| Ok(rows(c))).expect("reads"), saved);
    let aside = read_files(aside);
    assert_eq!((&aside[""], &aside["-wal"]), (&files[""], &files["-wal"]), "set aside as it was");
}

#[test]
fn a_start_finds_a_damaged_file_by_itself_or_is_asked_to() {
    let original = Original::new(true);
    let start = |path: &Path| {
        let clock = ManualClock::at(1_800_000_000_000);
        salvage::open_or_recover(path, &work::key(), work::MIRROR, clock, Events::default(), || {
            true
        })
        .expect("starts")
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(mirror::FILE);
    write_files(&path, &original.files);
    assert_eq!(start(&path).1, None, "a sound file is left alone");
    let mut files = original.files.clone();
    files.get_mut("").expect("the file")[100] ^= 1;
    write_files(&path, &files);
    let (mirror, report) = start(&path);
    assert!(report.is_some(), "page 1 is read at every start");
    assert_eq!(mirror.read(|c| Ok(rows(c))).expect("reads"), original.rows);
    drop(mirror);
    salvage::ask(&path).expect("asked");
    assert!(start(&path).1.is_some(), "what was asked for");
    assert_eq!(start(&path).1, None, "once");
}
