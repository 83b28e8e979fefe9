//! Our own export comes back as it was: the digests say so, of what every conversation may hold.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tidemark_core::api::Tidemark;
use tidemark_core::mirror::{conversations, imports, messages, thread};
use tidemark_core::model::wire::{Kind, Table};
use tidemark_core::model::{
    Conversation, ConversationId, Message, MessageId, MessageState, ModelRef, Origin, Part, Role,
    Timestamp, TitleBy,
};
use tidemark_core::sync::digest::{Fields, SyncDigest, content_digest, content_hash, hex};
use tidemark_tests::model_server::Script;
use uuid::Uuid;

use super::fixture;
use crate::cli::Terminal;

const PICTURE: &[u8] = b"\x89PNG, as far as anybody looks";
const AT: i64 = 1_750_000_000_000;

fn message(id: ConversationId, n: u128, parent: Option<u128>) -> Message {
    let at = Timestamp(AT + n as i64 * 1_000);
    let number = |n| MessageId(Uuid::from_u128(id.0.as_u128() + n));
    Message {
        parent_id: parent.map(number),
        content: format!("text {n}"),
        finished_at: Some(at),
        ..Message::blank(number(n), id, Role::User, at)
    }
}

/// A conversation with something in every field, two branches, a ring of nothing, and a trash.
fn full(id: ConversationId) -> (Conversation, Vec<Message>) {
    let at = Timestamp(AT);
    let conversation = Conversation {
        title: "Tïtle 🌊 \u{202e}".into(),
        title_by: TitleBy::Person,
        model: Some(ModelRef("local/a".into())),
        system_prompt: Some("Be kind.\n".into()),
        pinned: true,
        archived: true,
        origin: Some(Origin {
            system: "chatgpt".into(),
            ids: BTreeMap::from([("id".to_owned(), "x".to_owned())]),
        }),
        continuation_id: Some("thread-1".into()),
        ..Conversation::blank(id, at)
    };
    let mut all = vec![message(id, 1, None), message(id, 2, Some(1)), message(id, 3, Some(1))];
    all.extend([message(id, 4, Some(2)), message(id, 5, Some(9)), message(id, 6, None)]);
    all[0].content = "nul \u{2400}".into();
    all[0].content_raw = Some("bnVsIAA=".into());
    all[0].parts = vec![Part {
        kind: "image".into(),
        name: Some("a.png".into()),
        mime: Some("image/png".into()),
        sha256: Some(hex(&Sha256::digest(PICTURE))),
        bytes: Some(PICTURE.len() as i64),
        url: Some("https://example.invalid/a.png".into()),
    }];
    let states = [MessageState::Stopped, MessageState::Interrupted, MessageState::NeedsYou];
    for (message, state) in all[1..4].iter_mut().zip(states) {
        message.role = Role::Assistant;
        message.state = state;
        message.model = Some(ModelRef("test/m".into()));
        (message.tokens_in, message.tokens_out) = (Some(5), Some(70));
        (message.first_token_ms, message.cost_micros) = (Some(310), Some(12_345));
        let metadata = json!({ "reasoning": "because", "n": [1, 2.5, null, { "a": {} }] });
        message.metadata = metadata.as_object().cloned();
    }
    all[3].continues_id = Some(all[1].id);
    all[4].role = Role::System;
    all[5].role = Role::Tool;
    (conversation, all)
}

/// Writes three of them: one as it is, one in the trash, one that a person began here.
fn write(core: &Tidemark) {
    let put = |n: u128, trashed: Option<Timestamp>| {
        let id = ConversationId(Uuid::from_u128(n << 64));
        let (conversation, all) = full(id);
        core.mirror()
            .write(|write| {
                conversations::insert(write, &conversation)?;
                imports::keep_blob(write, &Sha256::digest(PICTURE).into(), PICTURE)?;
                messages::insert_batch(write, id, &all)?;
                // As it is kept: without blanks.
                let kept = r#"{"kept":{"a":[1]}}"#;
                let sql = "UPDATE conversations SET metadata = ?2 WHERE id = ?1";
                write.tx.execute(sql, (id, kept))?;
                messages::set_trashed(write, all[3].id, true)?;
                thread::show(write, &all[1])?;
                conversations::set(write, id, &conversations::Field::Trashed(trashed))
            })
            .expect("written");
    };
    put(1, None);
    // Not so long ago that it is emptied.
    put(2, Some(core.mirror().clock().now().plus_ms(-86_400_007)));
}

/// Every conversation's digests: of its content, and of its rows with their ids.
fn digests(core: &Tidemark) -> BTreeMap<Uuid, [String; 2]> {
    let rows = |table| -> Vec<(Uuid, Fields)> {
        let most = usize::MAX >> 1;
        let read = core.mirror().read(|c| imports::operations(c, table, Kind::Put, 0, most, most));
        read.expect("readable").0.into_iter().map(|op| (op.id, op.fields)).collect()
    };
    let mut messages = rows(Table::Messages);
    messages.sort_by_key(|(id, _)| *id);
    let of = |(id, fields): (Uuid, Fields)| {
        let is_its = |one: &&(Uuid, Fields)| one.1["conversation_id"] == json!(id.to_string());
        let its: Vec<_> = messages.iter().filter(is_its).cloned().collect();
        let mut sum = SyncDigest::default();
        sum.row(Table::Conversations, id, 0, &content_hash(Table::Conversations, &fields));
        for (id, fields) in &its {
            sum.row(Table::Messages, *id, 0, &content_hash(Table::Messages, fields));
        }
        (id, [hex(&content_digest(&fields, &its)), sum.hex()])
    };
    rows(Table::Conversations).into_iter().map(of).collect()
}

async fn core(terminal: &Terminal) -> Tidemark {
    terminal.desk.open().await
}

/// What a mirror exports, to the byte, with the digests of what it holds.
async fn exported(terminal: &Terminal) -> (String, BTreeMap<Uuid, [String; 2]>) {
    let core = core(terminal).await;
    write(&core);
    core.close().await;
    let report = terminal.json(&["import", "run", &fixture("pharmgpt-v4").display().to_string()]);
    let core = self::core(terminal).await;
    let digests = digests(&core);
    let earlier = report["imported"]["conversations"].as_u64().expect("a number");
    assert_eq!(digests.len() as u64, 2 + earlier, "ours, and those of an earlier import");
    core.close().await;
    let output = terminal.run(&["--json", "export"]);
    (String::from_utf8(output.stdout).expect("a text"), digests)
}

/// The digests of an empty mirror that an export was imported into, and what that exports.
async fn imported(document: &str) -> (BTreeMap<Uuid, [String; 2]>, Value) {
    let terminal = Terminal::new(Script::default());
    let path: PathBuf = terminal.desk.folder.path().join("export.json");
    std::fs::write(&path, document).expect("written");
    let report = terminal.json(&["import", "run", &path.display().to_string()]);
    assert_eq!(report["verified"], true, "{report:#}");
    let core = core(&terminal).await;
    let digests = digests(&core);
    core.close().await;
    (digests, terminal.json(&["export"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_comes_back_into_an_empty_mirror_with_the_same_digests() {
    let terminal = Terminal::new(Script::default());
    let (document, expected) = exported(&terminal).await;
    let (found, again) = imported(&document).await;
    assert_eq!(found, expected);
    let document = serde_json::from_str(&document).expect("JSON");
    let files = all(&again).filter(|one| one["files"][0]["base64"].is_string()).count();
    assert_eq!(files, 2, "both have the picture's bytes");
    // Which of them was active last is not told.
    let by_id = |document| -> BTreeMap<String, Value> {
        all(document).map(|one| (one["id"].to_string(), one.clone())).collect()
    };
    let (before, after) = (by_id(&document), by_id(&again));
    assert_eq!(before.len(), expected.len());
    for (id, one) in &before {
        let other = &after[id];
        assert_eq!(one["shown"], other["shown"], "the branch that is shown");
        assert_eq!(settled(&one["trashed"]), settled(&other["trashed"]));
        assert_eq!(one["files"], other["files"], "the bytes that hang on it");
    }
    let (before, after) = (documents(&document), documents(&again));
    assert!(before.values().any(|one| one["fragments"][0].is_string()), "some have text");
    assert_eq!(before, after);
}

/// Documents by their ids: those of conversations, and those of none.
fn documents(document: &Value) -> BTreeMap<String, Value> {
    let of_all = document["documents"].as_array().expect("a list");
    let of_each = all(document).flat_map(|one| one["documents"].as_array().expect("a list"));
    of_all.iter().chain(of_each).map(|one| (one["id"].to_string(), one.clone())).collect()
}

/// When a row was last written is no part of any digest: the import put these into the trash.
fn settled(messages: &Value) -> Value {
    let mut messages = messages.clone();
    for message in messages.as_array_mut().into_iter().flatten() {
        message.as_object_mut().and_then(|message| message.remove("updated_at"));
    }
    messages
}

fn all(document: &Value) -> impl Iterator<Item = &Value> {
    document["conversations"].as_array().expect("a list").iter()
}

/// The control: a digest that nothing changes says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_an_export_is_another_digest() {
    let terminal = Terminal::new(Script::default());
    let (text, expected) = exported(&terminal).await;
    let changes = [
        ("\"text 3\"", "\"text 4\""),
        ("Be kind.", "Be kinn."),
        ("12345", "12346"),
        ("\"kept\"", "\"kepd\""),
        ("\"stopped\"", "\"interrupted\""),
        ("\"deleted_at\":\"20", "\"deleted_at\":\"19"),
    ];
    for (before, after) in changes {
        assert!(text.contains(before), "{before} is in it");
        let (found, _) = imported(&text.replacen(before, after, 1)).await;
        assert_ne!(found, expected, "{before}");
    }
}
