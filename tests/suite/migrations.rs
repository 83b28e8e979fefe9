//! F10: every shipped schema becomes the latest, whatever happens on the way; a file that cannot be
//! opened here is refused and stays as it is, to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tidemark_core::clock::ManualClock;
use tidemark_core::events::Events;
use tidemark_core::mirror::key::{KEY_BYTES, Key};
use tidemark_core::mirror::migrate::{self, MIGRATIONS, Migration};
use tidemark_core::mirror::{self, Error};
use tidemark_core::model::Timestamp;
use tidemark_tests::faults::work::{self, Session, Step};
use tidemark_tests::faults::{Machine, Plan, Rng, Syncs, scale, seed};

const FILE: &str = "mirror.db";

/// A connection with the mirror's key, below the core.
fn keyed(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("opens");
    let key = Key::from_bytes(&[42; KEY_BYTES]).expect("48 bytes");
    key.unlock(&connection).expect("keyed");
    connection
}

/// A mirror as the program with `version` left it, with a conversation in it.
fn as_shipped(path: &Path, version: usize) {
    let mut connection = keyed(path);
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).expect("a log");
    migrate::apply(&mut connection, &MIGRATIONS[..version], Timestamp(1)).expect("applies");
    connection
        .execute_batch(
            "INSERT INTO mirror (only, id, device_id, created_ms) VALUES (1, zeroblob(16), zeroblob(16), 1);
             INSERT INTO conversations (id, title, created_ms, updated_ms, active_ms)
             VALUES (x'0102030405060708090a0b0c0d0e0f10', 'Warfarin', 1, 1, 1);",
        )
        .expect("written");
}

fn open(path: &Path, key: &Key) -> Result<mirror::Mirror, Error> {
    let clock = ManualClock::at(1_800_000_000_000);
    mirror::open(path, key, work::MIRROR, clock, Events::default())
}

#[test]
fn every_shipped_schema_becomes_the_latest_with_its_rows() {
    for version in 1..=MIGRATIONS.len() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        as_shipped(&path, version);
        let mirror = open(&path, &work::key()).expect("opens");
        let sql = "SELECT title FROM conversations";
        let title = mirror.read(|c| Ok(c.query_row(sql, [], |row| row.get::<_, String>(0))?));
        assert_eq!(title.expect("reads"), "Warfarin", "from schema {version}");
        assert_eq!(mirror.read(migrate::version).expect("reads"), migrate::latest());
    }
}

/// Steps that come after the shipped ones, so that there is more than one to be cut in.
const LATER: [Migration; 2] = [
    Migration {
        version: 1 + MIGRATIONS.len() as i64,
        name: "a_column.sql",
        sql: "ALTER TABLE conversations ADD COLUMN tide TEXT NOT NULL DEFAULT 'ebb';
              CREATE INDEX conversations_by_tide ON conversations (tide);",
    },
    Migration {
        version: 2 + MIGRATIONS.len() as i64,
        name: "a_table.sql",
        sql: "CREATE TABLE tides (rowid INTEGER PRIMARY KEY, word TEXT NOT NULL) STRICT;
              INSERT INTO tides (word) SELECT title FROM conversations;
              UPDATE conversations SET tide = 'flood';",
    },
];

fn all() -> Vec<Migration> {
    MIGRATIONS.iter().chain(&LATER).copied().collect()
}

/// What a file of each schema must hold besides: `tide` and `tides` come with theirs.
fn is_whole(connection: &Connection, version: i64) -> bool {
    let shipped = migrate::latest();
    let asks = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).ok();
    let with_column = asks("SELECT count(*) FROM conversations WHERE tide = 'ebb'");
    let with_table = asks("SELECT count(*) FROM tides");
    let flooded = asks("SELECT count(*) FROM conversations WHERE tide = 'flood'");
    let index = asks("SELECT count(*) FROM sqlite_schema WHERE name = 'conversations_by_tide'");
    match version - shipped {
        2 => (with_column, with_table, flooded, index) == (Some(0), Some(1), Some(1), Some(1)),
        1 => (with_column, with_table, flooded, index) == (Some(1), None, Some(0), Some(1)),
        _ => (with_column, with_table, index) == (None, None, Some(0)),
    }
}

#[test]
fn a_power_cut_in_a_migration_leaves_the_schema_before_or_after_it() {
    let machine = Machine::new(1);
    let path = machine.path(FILE);
    as_shipped(&path, MIGRATIONS.len());
    let image = machine.disk().image();
    let run = |plan: Plan, seed: u64| {
        machine.disk().load(&image, seed, plan, Syncs::Honest);
        let mut connection = keyed(&path);
        connection.pragma_update(None, "synchronous", "FULL").map_err(Error::from)?;
        migrate::apply(&mut connection, &all(), Timestamp(2))
    };
    run(Plan::Healthy, 1).expect("applies");
    let changes = machine.disk().counted().1;
    let mut seen = BTreeMap::<i64, usize>::new();
    let first = seed();
    for cut in 0..scale("TIDEMARK_CUTS", 3_000) / 10 {
        let seed = first.wrapping_add(cut);
        let done = run(Plan::CutAt(1 + Rng::new(seed).below(changes)), seed).is_ok();
        machine.disk().reboot();
        let mut connection = keyed(&path);
        let version = migrate::version(&connection).expect("reads");
        *seen.entry(version).or_default() += 1;
        let place = format!("cut {cut}: replay with TIDEMARK_SEED={first}");
        assert!(is_whole(&connection, version), "half of schema {version}; {place}");
        assert!(!done || version == migrate::latest() + 2, "a finished migration is lost; {place}");
        migrate::apply(&mut connection, &all(), Timestamp(3)).expect("goes on");
        assert!(is_whole(&connection, migrate::latest() + 2), "not whole in the end; {place}");
        let check: String =
            connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
        assert_eq!(check, "ok", "{place}");
    }
    assert_eq!(seen.len(), 3, "cuts before, between and after the steps: {seen:?}");
}

/// All files of a folder, to the byte. The log's index changes when a file is looked at.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files
        .filter(|path| path.extension().is_none_or(|end| end != "db-shm"))
        .map(|path| (path.clone(), fs::read(&path).expect("there")))
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect()
}

/// A mirror with a log, as a process that was killed leaves it.
fn killed(folder: &Path) -> PathBuf {
    let made = tempfile::tempdir().expect("a folder");
    let path = made.path().join(FILE);
    let session = Session::open(&path).expect("opens");
    for (number, step) in [Step::SendNew, Step::Append, Step::Finish].into_iter().enumerate() {
        work::run(&session, number, step).expect("works");
    }
    for part in [FILE, "mirror.db-wal"] {
        fs::copy(made.path().join(part), folder.join(part)).expect("copied");
    }
    folder.join(FILE)
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    as_shipped(&path, MIGRATIONS.len());
    migrate::apply(&mut keyed(&path), &all(), Timestamp(2)).expect("applies");
    let before = bytes(folder.path());
    let error = open(&path, &work::key()).expect_err("refused");
    let (found, known) = (migrate::latest() + 2, migrate::latest());
    assert!(matches!(error, Error::Newer { found: f, known: k } if (f, k) == (found, known)));
    assert_eq!(bytes(folder.path()), before);
}

#[test]
fn a_damaged_newer_file_is_not_salvaged_into_an_older_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    as_shipped(&path, MIGRATIONS.len());
    migrate::apply(&mut keyed(&path), &all(), Timestamp(2)).expect("applies");
    let mut file = fs::read(&path).expect("there");
    file[100] ^= 1;
    fs::write(&path, &file).expect("written");
    let clock = ManualClock::at(1_800_000_000_000);
    let error =
        mirror::salvage::recover(&path, &work::key(), work::MIRROR, clock, Events::default())
            .expect_err("refused");
    assert!(matches!(error, Error::Newer { .. }), "{error:?}");
    assert_eq!(fs::read(&path).expect("there"), file);
}

#[test]
fn a_wrong_key_is_refused_the_file_not_touched_and_the_right_one_opens_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = killed(folder.path());
    let before = bytes(folder.path());
    let wrong = [
        Key::from_bytes(&[41; KEY_BYTES]).expect("48 bytes"),
        Key::random().expect("random"),
        // The right key with another salt: SQLCipher must not take it for a new file.
        Key::from_bytes(&[&[42; 32][..], &[1; 16]].concat()).expect("48 bytes"),
    ];
    for wrong in wrong {
        let error = open(&path, &wrong).expect_err("refused");
        assert!(matches!(error, Error::WrongKey), "{error:?}");
        assert_eq!(bytes(folder.path()), before);
    }
    let mirror = open(&path, &work::key()).expect("the right key opens it");
    let rows = mirror.read(work::rows).expect("reads");
    assert_eq!(rows.lines().filter(|row| row.starts_with("messages")).count(), 2);
}

#[test]
fn a_file_of_another_key_is_not_taken_for_a_damaged_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = killed(folder.path());
    let before = bytes(folder.path());
    let clock = ManualClock::at(1_800_000_000_000);
    let wrong = Key::random().expect("random");
    let error = mirror::salvage::open_or_recover(
        &path,
        &wrong,
        work::MIRROR,
        clock,
        Events::default(),
        || true,
    )
    .expect_err("refused");
    assert!(matches!(error, Error::WrongKey), "{error:?}");
    for (file, contents) in before {
        assert_eq!(fs::read(&file).expect("there"), contents, "{}", file.display());
    }
}

#[test]
fn a_file_that_is_no_mirror_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let plain = Connection::open(&path).expect("opens");
    plain.execute_batch("CREATE TABLE a (x); INSERT INTO a VALUES ('plain')").expect("written");
    drop(plain);
    for contents in
        [fs::read(&path).expect("there"), b"not a database".repeat(1_000), vec![0; 8_192]]
    {
        fs::write(&path, &contents).expect("written");
        let error = open(&path, &work::key()).expect_err("refused");
        assert!(matches!(error, Error::WrongKey | Error::Corrupt(_)), "{error:?}");
        assert_eq!(fs::read(&path).expect("there"), contents);
    }
}
