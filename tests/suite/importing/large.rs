//! An archive of any size comes over in the same memory: by the program that people run, of which the
//! peak is read while it runs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tidemark_tests::faults::Rng;
use tidemark_tests::model_server::Script;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::cli::Terminal;

/// Messages of a conversation.
const EACH: u64 = 100;
/// Characters of a message, on average.
const LONG: usize = 5_000;

/// ChatGPT's export of somebody who wrote so much.
struct Export {
    messages: u64,
}

impl Export {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut rng = Rng::new(1);
        let words: Vec<String> = (0..4_000).map(|_| word(&mut rng)).collect();
        out.write_all(b"[")?;
        for number in 0..self.messages / EACH {
            let comma = if number == 0 { "" } else { ", " };
            write!(out, "{comma}{}", conversation(number, &words, &mut rng))?;
        }
        out.write_all(b"]")
    }
}

fn word(rng: &mut Rng) -> String {
    let letters = 2 + rng.below(9);
    (0..letters).map(|_| char::from(b'a' + rng.below(26) as u8)).collect()
}

/// A root, and below it questions and answers; every tenth answer was asked for twice.
fn conversation(number: u64, words: &[String], rng: &mut Rng) -> Value {
    let id = |n: u64| format!("{number:08x}-0000-4000-8000-{n:012x}");
    let mut mapping = serde_json::Map::new();
    let mut parent = id(0);
    mapping.insert(
        parent.clone(),
        json!({ "id": id(0), "message": null, "parent": null, "children": [id(1)] }),
    );
    for n in 1..=EACH {
        let is_question = n % 2 == 1;
        let at = 1_600_000_000.25 + (number * 10_000 + n * 40) as f64;
        let role = if is_question { "user" } else { "assistant" };
        let text = text(words, rng);
        let message = json!({
            "id": id(n), "author": { "role": role, "name": null, "metadata": {} }, "create_time": at, "update_time": null,
            "content": { "content_type": "text", "parts": [text] }, "status": "finished_successfully", "end_turn": true,
            "weight": 1.0, "metadata": { "model_slug": "gpt-4o", "timestamp_": "absolute" }, "recipient": "all",
        });
        mapping.insert(
            id(n),
            json!({ "id": id(n), "message": message, "parent": parent, "children": [] }),
        );
        // The first of two answers ends its branch.
        if n % 20 != 0 {
            parent = id(n);
        }
    }
    json!({
        "title": format!("Conversation {number}"), "create_time": 1_600_000_000.0 + (number * 10_000) as f64,
        "update_time": 1_600_009_000.0 + (number * 10_000) as f64, "mapping": mapping, "moderation_results": [],
        "current_node": parent, "conversation_id": id(0), "id": id(0), "default_model_slug": "gpt-4o", "is_archived": false,
    })
}

fn text(words: &[String], rng: &mut Rng) -> String {
    let long = LONG / 2 + rng.below(LONG as u64) as usize;
    let mut text = String::with_capacity(long + 16);
    while text.len() < long {
        text.push_str(&words[rng.below(words.len() as u64) as usize]);
        text.push(if rng.one_in(12) { '\n' } else { ' ' });
    }
    text
}

fn plain(messages: u64, path: &Path) {
    let mut out = BufWriter::new(File::create(path).expect("a file"));
    Export { messages }.write(&mut out).expect("written");
    out.flush().expect("written");
}

fn zipped(messages: u64, path: &Path) {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path).expect("a file")));
    let options = SimpleFileOptions::default().large_file(true).compression_level(Some(1));
    zip.start_file("conversations.json", options).expect("an entry");
    Export { messages }.write(&mut zip).expect("written");
    zip.finish().expect("an archive").flush().expect("written");
}

/// Imports an export of so many messages; the most memory that the program had, in MB.
fn peak_of_import(name: &str, messages: u64, write: fn(u64, &Path)) -> u64 {
    let terminal = Terminal::new(Script::default());
    let path = terminal.desk.folder.path().join(name);
    write(messages, &path);
    let mut command = terminal.command();
    command.args(["--json", "import", "run"]).arg(&path);
    let (document, peak) = watched(command);
    assert_eq!(document["verified"], true, "{document:#}");
    assert_eq!(document["imported"]["messages"], messages, "{document:#}");
    peak
}

/// What a program prints, and its peak.
fn watched(mut command: Command) -> (Value, u64) {
    let out = tempfile::NamedTempFile::new().expect("a file");
    let file = out.reopen().expect("a file");
    let mut child = command.stdout(file).stderr(Stdio::inherit()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kb = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        peak = peak.max(kb.unwrap_or(0) / 1024);
        if let Some(ended) = child.try_wait().expect("it can be asked") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let document = std::fs::read(out.path()).expect("readable");
    assert_eq!(ended.code(), Some(0), "{}", String::from_utf8_lossy(&document));
    (serde_json::from_slice(&document).expect("one document"), peak)
}

/// The control is in the numbers: whatever held the file, or a list of its texts, would need 24 MB more.
#[test]
fn four_times_the_archive_takes_no_more_memory() {
    let small = peak_of_import("export.zip", 1_600, zipped);
    let large = peak_of_import("export.zip", 6_400, zipped);
    assert!(large <= small + 18, "{small} MB for 8 MB, {large} MB for 32 MB");
}

#[test]
#[ignore = "a gigabyte, twice: minutes in a release build"]
fn a_gigabyte_of_200_000_messages_comes_over_within_512_mb() {
    for (name, write) in [("conversations.json", plain as fn(u64, &Path)), ("export.zip", zipped)] {
        let peak = peak_of_import(name, 200_000, write);
        assert!(peak <= 512, "{name}: {peak} MB");
    }
}
