//! Files that are as large as a member may be, and of nothing but what takes most memory.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use tidemark_core::import::sources::Input;
use tidemark_core::import::survey::{self, Whose};
use tidemark_core::import::time::Zone;

use super::guard::{self, MOST_MB};
use super::source;

/// A little less than what is read of one member: of text, which is counted by its bytes.
const TEXT: usize = 90 << 20;
/// Many times as many values as are read of one member.
const VALUES: usize = 30 << 20;

/// What is repeated between a beginning and an end.
struct Bomb {
    name: &'static str,
    begin: &'static str,
    again: &'static str,
    end: &'static str,
}

const fn bomb(
    name: &'static str,
    begin: &'static str,
    again: &'static str,
    end: &'static str,
) -> Bomb {
    Bomb { name, begin, again, end }
}

fn try_out(system: &str, file: &str, bytes: usize, bomb: &Bomb) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    write(&path, bytes, bomb);
    guard::forget_peak();
    let input = Input { root: folder.path().to_owned(), zone: Zone::default() };
    let source = source(system);
    let found =
        survey::read(source.as_ref(), &input, &Whose::All, &mut |_, _| ControlFlow::Continue(()));
    let found = found.expect("readable").counts;
    let peak = guard::peak_mb().unwrap_or(0);
    assert!(peak <= MOST_MB, "{system}, {}: {peak} MB, {found:?}", bomb.name);
}

fn write(path: &Path, bytes: usize, bomb: &Bomb) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    file.write_all(bomb.begin.as_bytes()).expect("written");
    let piece = bomb.again.repeat((1 << 20) / bomb.again.len());
    for _ in 0..bytes / piece.len() {
        file.write_all(piece.as_bytes()).expect("written");
    }
    file.write_all(bomb.end.as_bytes()).expect("written");
}

#[test]
fn a_conversation_of_nothing_but_numbers_fits_into_memory() {
    let numbers = bomb("numbers", r#"{"c": {"title": "T", "x": ["#, "1,", "1], \"messages\": []}}");
    try_out("pharmgpt", "user_data/conversations_u/conversations.json", VALUES, &numbers);
}

#[test]
fn a_conversation_of_nothing_but_empty_messages_fits_into_memory() {
    let messages = bomb("messages", r#"{"c": {"title": "T", "messages": ["#, "{},", "{}]}}");
    try_out("pharmgpt", "user_data/conversations_u/conversations.json", VALUES, &messages);
}

#[test]
fn a_message_of_ninety_megabytes_fits_into_memory() {
    let text = bomb(
        "text",
        r#"{"c": {"title": "T", "messages": [{"role": "user", "content": ""#,
        "a word and ",
        "\"}]}}",
    );
    try_out("pharmgpt", "user_data/conversations_u/conversations.json", TEXT, &text);
}
