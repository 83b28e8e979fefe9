use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::Mongo;
use crate::import::record::Kind;
use crate::import::sources::Source as _;
use crate::import::sources::testing::{Haul, fixture, hashes, json, sha256};
use crate::model::Role;

fn haul(root: &Path) -> Haul {
    assert!(Mongo.recognises(root), "{}", root.display());
    Haul::of(&Mongo, root)
}

/// A folder with some files of the fixture.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        let from = fixture("mongo-chat").join(file);
        let name = file.replace('/', "-");
        fs::copy(from, folder.path().join(name)).expect("copied");
    }
    folder
}

const FORMS: [[&str; 2]; 6] = [
    ["relaxed/chat_sessions.json", "relaxed/messages.json"],
    ["relaxed/chat_sessions.array.json", "relaxed/messages.array.json"],
    ["canonical/chat_sessions.json", "canonical/messages.json"],
    ["canonical/chat_sessions.array.json", "canonical/messages.array.json"],
    ["pretty/chat_sessions.json", "relaxed/messages.json"],
    ["v1-strict/chat_sessions.json", "v1-strict/messages.json"],
];

#[test]
fn every_form_of_an_export_gives_what_its_truth_says() {
    let truth = json("mongo-chat/truth.json");
    for files in FORMS {
        let folder = folder(&files);
        let haul = haul(folder.path());
        // Seven sessions, and one for the message whose session is gone.
        assert_eq!((haul.conversations.len(), haul.messages()), (8, 24), "{files:?}");
        assert_eq!((haul.skips.len(), haul.duplicates.len()), (0, 0), "{files:?}");
        for (key, count) in truth["messages_per_session"].as_object().expect("sessions") {
            assert_eq!(
                haul.conversation(key).messages.len() as u64,
                count.as_u64().expect("a count")
            );
        }
        has_the_contents(&haul, &truth);
    }
}

/// Every message once, and the texts byte for byte.
fn has_the_contents(haul: &Haul, truth: &serde_json::Value) {
    let list = |key: &str| truth[key].as_array().expect("a list").iter().map(ToString::to_string);
    let told: BTreeMap<_, _> =
        list("message_ids_in_export_order").zip(list("content_sha256")).collect();
    let messages = haul.conversations.iter().flat_map(|found| &found.messages);
    let mut ids = BTreeSet::new();
    for message in messages {
        let id = serde_json::json!(message.key).to_string();
        let told = told.get(&id).expect("an id of the truth");
        if !message.metadata.contains_key("content") && !message.content.is_empty() {
            assert_eq!(format!("\"{}\"", sha256(message.content.bytes())), *told, "{id}");
        }
        ids.insert(id);
    }
    assert_eq!(ids.len(), told.len());
}

#[test]
fn messages_stand_by_time_and_then_by_id() {
    let folder = folder(&FORMS[0]);
    let haul = haul(folder.path());
    let first = haul.conversation("67e87af8f2a74de452e6b438");
    let texts: Vec<_> =
        first.messages.iter().map(|message| message.content.shown.as_str()).collect();
    assert!(texts[2].contains("inserted last"), "{texts:?}");
    let times: Vec<_> = first.messages.iter().map(|message| message.at.at).collect();
    assert!(times.is_sorted());
    assert_eq!(first.created.at.map(|at| at.0), Some(1_743_289_080_000));
}

#[test]
fn what_hung_on_messages_is_told_by_its_bytes_in_every_form() {
    let truth = json("mongo-chat/truth.json");
    let folder = folder(&FORMS[2]);
    let haul = haul(folder.path());
    let hung: Vec<_> = haul
        .conversations
        .iter()
        .flat_map(|found| &found.messages)
        .flat_map(|message| &message.attachments)
        .collect();
    let count = |kind: &str, mime: Option<&str>, hash: &str| {
        let is_it =
            |bytes: &Vec<u8>| serde_json::json!(sha256(bytes)) == truth["attachments"][hash];
        let same = hung.iter().filter(|found| found.kind == kind && found.mime.as_deref() == mime);
        same.filter(|found| found.bytes.as_ref().is_some_and(is_it)).count()
    };
    assert_eq!(count("image", Some("image/png"), "png_sha256"), 3, "bare, a link, a part");
    assert_eq!(count("pdf", Some("application/pdf"), "pdf_sha256"), 1);
    assert_eq!(count("audio", Some("audio/webm"), "webm_sha256"), 1);
    let urls: Vec<_> = hung.iter().filter_map(|found| found.url.as_deref()).collect();
    let expected =
        ["https://files.example.invalid/u/1/pic.png?token=expired", "uploads/2025/03/report.pdf"];
    assert_eq!(urls, expected);
    let odd = hung.iter().find(|found| found.mime.is_none() && found.bytes.is_some());
    assert_eq!(odd.map(|found| found.kind.as_str()), Some("audio"), "for links, without padding");
    assert_eq!(hung.len(), 8);
}

#[test]
fn odd_values_are_kept() {
    let folder = folder(&FORMS[0]);
    let haul = haul(folder.path());
    let odd = haul.conversation("00000000922766581e27a1c0");
    assert_eq!(odd.created.at.map(|at| at.0), Some(-750), "before 1970");
    let model = odd.messages.iter().find(|message| message.content.shown.contains("CHECK"));
    let model = model.expect("a message of nobody known");
    assert_eq!((model.role, &model.metadata["original_role"]), (Role::Assistant, &"model".into()));
    let parts = haul.conversation("67e87bc0f28c105d1fb17c23");
    let seen = &parts.messages[1];
    assert_eq!((seen.tokens_in, seen.tokens_out, seen.cost_micros), (Some(12), Some(3), Some(120)));
    assert_eq!(seen.content.shown, "Seen.");
    let orphan = haul.conversations.iter().find(|found| found.title.shown == "Recovered");
    assert_eq!(orphan.map(|found| (found.messages.len(), &found.owner)), Some((1, &None)));
    let owners: Vec<_> = haul.owners.iter().map(|owner| owner.key.as_str()).collect();
    assert_eq!(owners, ["user_2abCdEf", "google-oauth2|1122", "user_empty_title"]);
}

#[test]
fn what_is_there_twice_comes_over_once_and_is_counted() {
    let all = haul(&fixture("mongo-chat"));
    assert_eq!((all.conversations.len(), all.messages()), (8, 24));
    let folder = folder(&["relaxed/chat_sessions.json", "damaged/messages.duplicate-ids.json"]);
    let haul = haul(folder.path());
    assert_eq!((haul.messages(), haul.duplicates.len()), (24, 2));
    assert!(haul.duplicates.iter().all(|skip| skip.what == Kind::Message));
    let hello = &haul.conversation("67e87af8f2a74de452e6b438").messages[0];
    assert_eq!(hello.content.shown, "Hello 👋");
    let other = &hello.metadata["other_versions"][0]["content"];
    assert_eq!(other, "Hello (edited) 👋", "what the edited one says is kept");
}

#[test]
fn damaged_exports_lose_only_what_is_torn() {
    let sessions = "relaxed/chat_sessions.json";
    for (name, messages, skips) in [
        ("messages.blank-lines.json", 24, 0),
        ("messages.crlf-bom.json", 24, 0),
        ("messages.truncated.json", 23, 2),
        ("concatenated-arrays.json", 0, 0),
    ] {
        let file = format!("damaged/{name}");
        let folder = folder(&[sessions, &file]);
        let haul = haul(folder.path());
        if messages > 0 {
            assert_eq!((haul.messages(), haul.skips.len()), (messages, skips), "{name}");
        } else {
            assert!(haul.messages() > 2, "{name}: both lists");
        }
    }
}

#[test]
fn the_other_program_with_messages_only_is_read_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = concat!(
        r#"{"_id":{"$oid":"67e87af96513270e269e0d37"},"id":"u1","session_id":"s","message":"Hi","sender":"user","timestamp":{"$date":"2025-09-12T10:00:00Z"}}"#,
        "\n",
        r#"{"_id":{"$oid":"67e87af96513270e269e0d38"},"id":"u2","session_id":"s","message":"Hello","sender":"assistant","timestamp":{"$date":"2025-09-12T10:00:01Z"}}"#,
    );
    fs::write(folder.path().join("chat_messages.json"), rows).expect("written");
    let haul = haul(folder.path());
    let found = haul.conversation("s");
    let texts: Vec<_> =
        found.messages.iter().map(|message| message.content.shown.as_str()).collect();
    assert_eq!((texts, found.title.is_empty()), (vec!["Hi", "Hello"], true));
}

#[test]
fn any_changed_byte_or_beginning_is_no_crash() {
    let whole = fs::read(fixture("mongo-chat/relaxed/messages.json")).expect("bytes");
    let sound = folder(&FORMS[0]);
    let sound: BTreeSet<_> = haul(sound.path()).conversations.iter().flat_map(hashes).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("messages.json");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..700 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let mut torn = whole.clone();
        let at = seed as usize % whole.len();
        match round < 200 {
            true => torn.truncate(at),
            false => torn[at] = (seed >> 40) as u8,
        }
        fs::write(&file, &torn).expect("torn");
        let found = Haul::of(&Mongo, folder.path());
        let foreign: Vec<_> = found
            .conversations
            .iter()
            .flat_map(hashes)
            .filter(|hash| !sound.contains(hash))
            .collect();
        assert!(foreign.len() <= usize::from(round >= 200), "round {round} at {at}");
        assert!(found.messages() <= 24, "round {round} at {at}");
    }
}

#[test]
fn what_hangs_in_a_list_or_an_object_is_not_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let fields = [
        r#""image":["https://x.invalid/a.png","https://x.invalid/b.png"]"#,
        r#""pdf":{"url":"https://x.invalid/c.pdf"}"#,
        r#""audio":{"seconds":7}"#,
    ];
    let row = |(number, field): (usize, &&str)| {
        format!(
            r#"{{"_id":{{"$oid":"67e87af96513270e269e0d{number:02x}"}},"session_id":"s","sender":"user","content":"c",{field}}}"#
        )
    };
    let rows: Vec<_> = fields.iter().enumerate().map(row).collect();
    fs::write(folder.path().join("messages.json"), rows.join("\n")).expect("written");
    let haul = haul(folder.path());
    let messages = &haul.conversations[0].messages;
    let hangs: Vec<_> = messages.iter().map(|message| message.attachments.len()).collect();
    assert_eq!(hangs, [2, 1, 0]);
    assert_eq!(messages[2].metadata["audio"]["seconds"], 7, "kept as it was");
}
