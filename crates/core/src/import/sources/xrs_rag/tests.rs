use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::XrsRag;
use crate::import::sources::Source as _;
use crate::import::sources::testing::Haul;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn haul(root: &Path) -> Haul {
    assert!(XrsRag.recognises(root), "{}", root.display());
    Haul::of(&XrsRag, root)
}

const SESSIONS: &str = r#"[
    {"id":"s-1","session_id":"x-1","thread_id":"thread_abc","user_id":"u-1","session_title":"First","metadata":{"a":1},"created_at":"2025-08-01T10:00:00","last_message_at":"2025-08-01T19:00:02+09:00"},
    {"id":"s-2","session_id":"x-2","thread_id":null,"user_id":null,"session_title":"New Chat","created_at":"now()"}]"#;
const MESSAGES: &str = r#"[
    {"message_id":"m-2","session_id":"x-1","role":"assistant","content":"Answer","tokens_used":40,"cost_usd":0.0012,"metadata":{"method":"assistant_v2","thread_id":"thread_abc","run_id":"run_1","annotations":[{"file_id":"file-1"}]},"created_at":"2025-08-01T10:00:02Z"},
    {"message_id":"m-1","session_id":"s-1","role":"user","content":"Question","tokens_used":7,"cost_usd":0,"created_at":"2025-08-01T10:00:01Z","user_email":"a@example.invalid"},
    {"message_id":"m-3","session_id":"s-2","role":"user","content":"Anonymous","created_at":"now()"},
    {"message_id":"m-4","session_id":"gone","role":"user","content":"Orphan","created_at":"2025-08-01T10:00:01Z"}]"#;
const DOCUMENTS: &str = r#"[
    {"document_id":"d-1","filename":"a.pdf","storage_path":"u/a.pdf","content_type":"application/pdf","size_bytes":9,"openai_file_id":"file-1","text_preview":"begins","status":"active","user_id":"u-1","created_at":"2025-08-01T09:00:00+09:00"},
    {"document_id":"d-2","filename":"b.pdf","openai_file_id":"file-2","status":"deleted","deleted_at":"2025-08-02T09:00:00+09:00"}]"#;
const USAGE: &str = r#"[
    {"service":"openai","operation":"chat","related_id":"s-1","tokens":47,"cost_usd":0.0012,"success":true},
    {"user_id":"u-1","session_id":"x-1","tokens_used":3,"model":"gpt-4o","operation":"embed","created_at":"2025-08-01"},
    {"service":"openai","operation":"upload","related_id":"d-1","tokens":1}]"#;
const PROFILES: &str = r#"[{"id":"u-1","username":"ann","email":"a@example.invalid","role":"user","status":"active"}]"#;

fn all() -> TempDir {
    folder(&[
        ("chat_sessions.json", SESSIONS),
        ("chat_messages.json", MESSAGES),
        ("documents.json", DOCUMENTS),
        ("usage_logs.json", USAGE),
        ("user_profiles.json", PROFILES),
    ])
}

#[test]
fn messages_are_joined_by_either_id_of_their_session() {
    let folder = all();
    let haul = haul(folder.path());
    assert_eq!(haul.counts(), [1, 3, 4, 2]);
    let first = haul.conversation("s-1");
    let texts: Vec<_> =
        first.messages.iter().map(|message| message.content.shown.as_str()).collect();
    assert_eq!((texts, first.owner.as_deref()), (vec!["Question", "Answer"], Some("u-1")));
    assert_eq!(first.messages[1].parent, Some(0));
    assert_eq!(haul.conversation("gone").title.shown, "Recovered");
    assert_eq!(haul.conversation("s-2").owner, None, "anonymous");
}

#[test]
fn ids_of_openai_tokens_and_costs_are_kept() {
    let folder = all();
    let haul = haul(folder.path());
    let first = haul.conversation("s-1");
    assert_eq!(first.ids["thread_id"], "thread_abc");
    let answer = &first.messages[1];
    assert_eq!((answer.tokens_out, answer.cost_micros), (Some(40), Some(1_200)));
    assert_eq!(answer.metadata["run_id"], "run_1");
    assert_eq!(answer.metadata["annotations"][0]["file_id"], "file-1");
    assert_eq!(first.messages[0].tokens_in, Some(7));
    let usage = &first.metadata["usage"];
    assert_eq!((&usage["entries"], &usage["tokens"]), (&2.into(), &50.into()));
    assert!(haul.notes_say("1 entries of usage"), "{:?}", haul.notes);
    let document = &haul.documents[0];
    assert_eq!(document.ids["openai_file_id"], "file-1");
    assert_eq!((document.bytes, document.fragments.len()), (Some(9), 1));
    assert_eq!(haul.documents[1].metadata["status"], "deleted");
}

#[test]
fn a_time_that_is_no_time_keeps_its_text() {
    let folder = all();
    let haul = haul(folder.path());
    let second = haul.conversation("s-2");
    assert_eq!((second.created.at, second.created.original.as_deref()), (None, Some("now()")));
    let first = haul.conversation("s-1");
    assert!(first.created.assumed, "naive");
    assert_eq!(first.updated.at.map(|at| at.0), Some(1_754_042_402_000), "in Korea");
}

#[test]
fn an_exported_session_is_a_session() {
    let export = r#"{"session":{"id":"s-1","session_id":"x-1","thread_id":"t","session_title":"T"},
        "messages":[{"message_id":"m","session_id":"x-1","role":"user","content":"Hi"}],
        "stats":{"message_count":1,"total_tokens":2},"exported_at":"2025-08-01T10:00:00"}"#;
    let folder = folder(&[("session.json", export)]);
    let haul = haul(folder.path());
    assert_eq!(haul.conversation("s-1").messages[0].content.shown, "Hi");
    assert_eq!((haul.skips.len(), haul.notes.len()), (0, 0), "{:?}", haul.notes);
}

#[test]
fn csv_says_the_same_as_json() {
    let sessions = "id,session_id,thread_id,user_id,session_title,created_at\ns-1,x-1,t,,\"A, b\",2025-08-01 10:00:00+00\n";
    let messages = "message_id,session_id,role,content,tokens_used,cost_usd,metadata\nm,x-1,assistant,\"two\nlines\",40,0.0012,\"{\"\"run_id\"\": \"\"r\"\"}\"\n";
    let folder =
        folder(&[("chat_sessions_rows.csv", sessions), ("chat_messages_rows.csv", messages)]);
    let haul = haul(folder.path());
    let found = haul.conversation("s-1");
    assert_eq!((found.title.shown.as_str(), &found.owner), ("A, b", &None));
    let answer = &found.messages[0];
    assert_eq!((answer.tokens_out, answer.cost_micros), (Some(40), Some(1_200)));
    assert_eq!(
        (answer.content.shown.as_str(), &answer.metadata["run_id"]),
        ("two\nlines", &"r".into())
    );
}

#[test]
fn any_changed_byte_or_beginning_of_a_dump_is_no_crash() {
    let sql = "INSERT INTO chat_messages (message_id, session_id, role, content) VALUES ('m', 's-1', 'user', 'it''s'), ('n', 's-1', 'user', E'a\\nb');";
    let csv = "message_id,session_id,role,content\nm,s-1,user,\"a \"\"b\"\" c\"\nn,s-1,user,d\n";
    for (name, whole) in [("chat_messages.json", MESSAGES), ("m.csv", csv), ("m.sql", sql)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..700 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let mut torn = whole.as_bytes().to_vec();
            let at = seed as usize % torn.len();
            match round < 200 {
                true => torn.truncate(at),
                false => torn[at] = (seed >> 40) as u8,
            }
            fs::write(folder.path().join(name), &torn).expect("torn");
            let haul = Haul::of(&XrsRag, folder.path());
            assert!(haul.messages() <= 5, "{name}: round {round} at {at}");
        }
    }
}

#[test]
fn what_two_halves_wrote_is_in_the_order_of_the_dump_where_its_times_cannot_be_compared() {
    let sessions = r#"[{"id":"s-1","session_id":"x-1","session_title":"T","created_at":"now()"}]"#;
    let times = [
        ["\"2025-08-01T10:00:00\"", "\"now()\"", "\"2025-08-01T10:00:02\""],
        ["\"2025-08-01T10:00:00\"", "\"2025-08-01T10:00:01+09:00\"", "\"2025-08-01T10:00:02\""],
        ["\"2025-08-01T10:00:00\"", "null", "\"2025-08-01T09:00:00\""],
    ];
    for times in times {
        let row = |(number, time): (usize, &&str)| {
            let of = ["x-1", "s-1"][number % 2];
            format!(
                r#"{{"message_id":"m-{number}","session_id":"{of}","role":"user","content":"{number}","created_at":{time}}}"#
            )
        };
        let rows: Vec<_> = times.iter().enumerate().map(row).collect();
        let messages = format!("[{}]", rows.join(","));
        let folder = folder(&[("chat_sessions.json", sessions), ("chat_messages.json", &messages)]);
        let haul = haul(folder.path());
        let found = haul.conversation("s-1");
        let said: Vec<_> = found.messages.iter().map(|one| one.content.shown.as_str()).collect();
        assert_eq!(said, ["0", "1", "2"], "{times:?}");
    }
}
