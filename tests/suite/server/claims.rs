//! The claims of `tests/server/*.sql`, and that applying the migrations twice changes nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use tidemark_tests::stack::{Options, Stack};

/// The files of claims, in the order of their names. `actors.sql` is what they include.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("server");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("tests/server is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "sql"))
        .filter(|path| !path.ends_with("actors.sql"))
        .collect();
    files.sort();
    files
}

/// What psql says of a file, which rolls back whatever it does.
fn run(stack: &Stack, file: &Path) -> (bool, String) {
    let vectors = include_str!("../../fixtures/sync/digests.json");
    let said = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"])
        .args(["--set", &format!("vectors={vectors}")])
        .arg("--file")
        .arg(file)
        .arg(stack.database_url())
        .output()
        .expect("psql is installed with PostgreSQL");
    let text = [said.stdout, said.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (said.status.success(), text.concat())
}

/// What is wrong with a file's answers; none where all that was planned is so.
fn faults(success: bool, said: &str) -> Option<String> {
    let planned: usize =
        said.lines().find_map(|line| line.strip_prefix("1..")?.parse().ok()).unwrap_or_default();
    let held = said.lines().filter(|line| line.starts_with("ok ")).count();
    if success && planned > 0 && held == planned {
        return None;
    }
    let rest: Vec<&str> = said.lines().filter(|line| !line.starts_with("ok ")).collect();
    Some(format!("{held} of {planned} hold\n{}", rest.join("\n")))
}

#[test]
fn what_the_sql_tests_claim_is_so_after_one_and_after_two_applications() {
    let stack = Stack::start(Options::quick()).expect("a stack");
    let files = files();
    assert!(files.len() >= 7, "the files of claims are found");
    for times in ["once", "twice"] {
        let wrong: Vec<String> = files
            .iter()
            .filter_map(|file| {
                let (success, said) = run(&stack, file);
                Some(format!("{}: {}", file.display(), faults(success, &said)?))
            })
            .collect();
        assert!(wrong.is_empty(), "applied {times}:\n{}", wrong.join("\n\n"));
        stack.migrate().expect("a second application");
    }
}

#[test]
fn a_second_application_changes_no_definition_and_no_row() {
    let stack = Stack::start(Options::quick()).expect("a stack");
    let before = definitions(&stack);
    assert!(before.contains("CREATE FUNCTION sync.push"), "the definitions are there");
    stack.migrate().expect("a second application");
    assert_eq!(before, definitions(&stack));
}

/// Everything of ours as `pg_dump` tells it, with the rows of the tables that migrations fill.
fn definitions(stack: &Stack) -> String {
    let dump = |arguments: &[&str]| {
        let said = Command::new("pg_dump")
            .args(arguments)
            .arg(stack.superuser_url())
            .output()
            .expect("pg_dump is installed with PostgreSQL");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    let text = dump(&["--schema-only", "--schema=public", "--schema=sync", "--schema=storage"])
        + &dump(&["--data-only", "--inserts", "--table=sync.kind", "--table=sync.bound"])
        + &dump(&["--schema-only", "--table=realtime.messages", "--table=auth.users"]);
    // A random word that guards the dump, another one in each.
    text.lines().filter(|line| !line.starts_with("\\")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_claim_that_fails_is_seen() {
    assert_eq!(faults(true, "1..2\nok 1 - a\nok 2 - b\n"), None);
    assert!(faults(true, "1..2\nok 1 - a\nnot ok 2 - b\n").is_some());
    assert!(faults(true, "1..2\nok 1 - a\n").is_some(), "a claim that was left out");
    assert!(faults(false, "1..1\nok 1 - a\n").is_some(), "psql gave up after it");
    assert!(faults(true, "").is_some(), "nothing was claimed at all");
}
