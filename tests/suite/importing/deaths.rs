//! An import that is cut off, by a kill -9 or the power, and run again: the result is the same.
//!
//! 200 kills in the tests; `TIDEMARK_IMPORT_KILLS` asks for more. A failure prints the seed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidemark_tests::faults::{Machine, Plan, Rng, Syncs, scale, seed};
use tidemark_tests::model_server::Script;

use super::*;
use crate::cli::Terminal;

/// Kills of one import, before it is let come to its end.
const KILLS_EACH: u64 = 10;
/// Longer than the whole takes.
const LONGEST_MS: u64 = 700;

/// Everything that came over.
fn holds(terminal: &Terminal) -> Value {
    let mut all = terminal.json(&["export"]);
    let conversations = all["conversations"].as_array_mut().expect("a list");
    conversations.sort_by_key(|one| one["id"].to_string());
    for one in conversations {
        one["messages"].as_array_mut().expect("a list").sort_by_key(|one| one["id"].to_string());
    }
    all["conversations"].take()
}

#[cfg(unix)]
#[test]
fn a_kill_at_any_moment_of_an_import_and_a_second_run_end_with_the_same() {
    let (kills, seed) = (scale("TIDEMARK_IMPORT_KILLS", 200), seed());
    let mut rng = Rng::new(seed);
    let fixture = fixture("pharmgpt-v4").display().to_string();
    let arguments = ["import", "run", fixture.as_str()];
    let whole = Terminal::new(Script::default());
    assert_eq!(whole.json(&arguments)["verified"], true);
    let expected = holds(&whole);
    let mut cut_off = 0;
    for _ in 0..kills.div_ceil(KILLS_EACH) {
        let terminal = Terminal::new(Script::default());
        for _ in 0..KILLS_EACH {
            let mut command = terminal.command();
            command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().expect("it starts");
            let until = Instant::now() + Duration::from_millis(rng.below(LONGEST_MS));
            while Instant::now() < until && child.try_wait().expect("it is ours").is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = child.kill();
            cut_off += u64::from(!child.wait().expect("it is ours").success());
        }
        let report = terminal.json(&arguments);
        assert_eq!(report["verified"], true, "seed {seed}: {report}");
        assert_eq!(holds(&terminal), expected, "seed {seed}");
    }
    assert!(cut_off * 4 > kills, "seed {seed}: only {cut_off} of {kills} were cut off");
}

#[test]
fn a_power_cut_at_every_write_of_an_import_and_a_second_run_end_with_the_same() {
    let source = Wrote { conversations: 3, messages: 3 };
    let (machine, seed) = (Machine::new(1), seed());
    let empty = machine.disk().image();
    let folder = tempfile::tempdir().expect("a folder");
    let request = Request {
        input: Input { root: folder.path().to_owned(), zone: Zone::default() },
        named: folder.path().to_owned(),
        refused: Vec::new(),
        whose: Whose::All,
        proven: std::collections::BTreeSet::new(),
        backups: None,
        auto_rollback: false,
    };
    let path = machine.path("mirror.db");
    let open = || {
        mirror::open(&path, &work::key(), work::MIRROR, Arc::new(SystemClock), Events::default())
    };
    let runs = |mirror: &Mirror| {
        run::run(mirror, &source, &request, &CancellationToken::new(), &mut |_| {})
    };
    machine.disk().load(&empty, seed, Plan::Healthy, Syncs::Honest);
    assert!(runs(&open().expect("opens")).expect("it runs").verified);
    let (_, changes) = machine.disk().counted();
    assert!(changes > 20, "{changes} changes");
    for at in 1..=changes {
        machine.disk().load(&empty, seed.wrapping_add(at), Plan::CutAt(at), Syncs::Honest);
        if let Ok(mirror) = open() {
            let _ = runs(&mirror);
        }
        machine.disk().reboot();
        let mirror = open().unwrap_or_else(|error| panic!("seed {seed}, cut {at}: {error:?}"));
        let report =
            runs(&mirror).unwrap_or_else(|error| panic!("seed {seed}, cut {at}: {error:?}"));
        assert!(report.verified, "seed {seed}, cut {at}: {}", report.text());
        let count = |table: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {table}");
            mirror.read(|c| Ok(c.query_row(&sql, [], |row| row.get(0))?)).expect("readable")
        };
        let rows = ["conversations", "messages", "documents", "fragments"].map(count);
        assert_eq!(rows, [3, 9, 1, 2], "seed {seed}, cut {at}");
    }
}
