//! The exports of other chat programs, against what their fixtures say is in them, and against damage.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value as Json;

use super::testing::{Haul, fixture, json, state};
use super::{Source, all, look, recognise};
use crate::import::archive::{self, Limits};
use crate::import::rows;
use crate::import::{Conversation, Message};
use crate::model::Role;

fn source(system: &str) -> Box<dyn Source> {
    all().into_iter().find(|source| source.system() == system).expect("a source")
}

fn haul(system: &str, name: &str) -> Haul {
    let root = fixture(name);
    let found = recognise(&root).expect("it is recognised");
    assert_eq!(found.system(), system, "{name}");
    Haul::of(found.as_ref(), &root)
}

/// ChatGPT's export, out of its archive.
fn chatgpt() -> (tempfile::TempDir, Haul) {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = fixture("other-exports/chatgpt-export.zip");
    let go_on = &mut |_| ControlFlow::Continue(());
    archive::unpack(&archive, folder.path(), &Limits::default(), go_on).expect("unpacked");
    let haul = Haul::of(recognise(folder.path()).expect("recognised").as_ref(), folder.path());
    (folder, haul)
}

fn truth(system: &str) -> Json {
    json("other-exports/truth.json")[system].clone()
}

fn texts(conversation: &Conversation) -> Vec<&str> {
    conversation.messages.iter().map(|message| message.content.shown.as_str()).collect()
}

/// The keys from the first message to the shown one.
fn branch(conversation: &Conversation) -> Vec<&str> {
    let mut keys = Vec::new();
    let mut next = conversation.shown.or(conversation.messages.len().checked_sub(1));
    while let Some(at) = next {
        keys.push(conversation.messages[at].key.as_deref().expect("a key"));
        next = conversation.messages[at].parent;
    }
    keys.reverse();
    keys
}

fn of_key<'a>(conversation: &'a Conversation, key: &str) -> &'a Message {
    let mut found = conversation.messages.iter();
    found.find(|message| message.key.as_deref() == Some(key)).expect("a message")
}

#[test]
fn all_of_chatgpt_comes_over_and_what_is_hidden_is_counted() {
    let (_folder, haul) = chatgpt();
    let truth = truth("chatgpt");
    let truth = truth.as_array().expect("a list");
    assert_eq!(haul.conversations.len(), truth.len());
    for expected in truth {
        let found = haul.conversation(expected["id"].as_str().expect("an id"));
        assert_eq!(Some(found.title.shown.as_str()), expected["title"].as_str().or(Some("")));
        let count = found.messages.len() + found.folded;
        assert_eq!(count as u64, expected["messages"].as_u64().expect("a count"), "{}", found.key);
        for (at, message) in found.messages.iter().enumerate() {
            assert!(message.parent.is_none_or(|parent| parent < at), "parents come first");
        }
    }
    assert!(haul.skips.is_empty(), "{:?}", haul.skips);
}

#[test]
fn the_branch_that_chatgpt_showed_is_the_one_that_is_shown() {
    let (_folder, haul) = chatgpt();
    for expected in truth("chatgpt").as_array().expect("a list") {
        let found = haul.conversation(expected["id"].as_str().expect("an id"));
        let path = expected["active_path"].as_array().expect("a path");
        let length = expected["active_path_len"].as_u64().expect("a length") as usize;
        if length == path.len() && length > 0 {
            let shown =
                |key: &&str| found.messages.iter().any(|one| one.key.as_deref() == Some(key));
            let path: Vec<_> = path.iter().filter_map(Json::as_str).filter(shown).collect();
            assert_eq!(branch(found), path);
        } else if length > 0 {
            // The truth names the beginning and the end of a long one only.
            let branch = branch(found);
            assert_eq!(branch.len(), length);
            assert!(path.iter().all(|key| branch.contains(&key.as_str().expect("a key"))));
        }
    }
}

#[test]
fn branches_tools_reasoning_and_images_of_chatgpt_come_over() {
    let (_folder, haul) = chatgpt();
    let branches = haul.conversation("97d42fdf-ff10-4140-b476-39e0699e317f");
    assert_eq!(branches.messages.len(), 5);
    assert_eq!(branches.messages.iter().filter(|one| one.parent.is_none()).count(), 2);
    let prompt = branches.system_prompt.as_ref().expect("instructions");
    assert_eq!(prompt.shown, "Test\n\nBe brief");

    let rich = haul.conversation("54a51982-319d-47cb-9e12-a1e6bad55e9c");
    let question = of_key(rich, "64562841-548f-4855-b4b7-ad5332d0bdb3");
    assert_eq!(question.content.shown, "What is this?");
    let kinds: Vec<_> = question.attachments.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["image", "image", "pdf"]);
    let picture = &question.attachments[0];
    assert_eq!(picture.mime.as_deref(), Some("image/png"));
    assert_eq!(picture.name.as_ref().map(|name| name.shown.as_str()), Some("pic.png"));
    assert_eq!(picture.read().expect("readable").map(|bytes| bytes.len()), Some(70));
    let answer = of_key(rich, "87fee8ec-bc2b-4626-960b-7d4107c64f5c");
    assert_eq!(answer.content.shown, "It is a red pixel .");
    assert_eq!(answer.model.as_deref(), Some("o3"));
    assert_eq!(
        answer.metadata["reasoning"],
        "Looking\n\nThe image is one pixel.\n\nThought for 4s"
    );
    assert_eq!(answer.metadata["tools"][0]["name"], "python");
    let result = of_key(rich, "25cac13e-3430-4685-a27e-5be65b02514f");
    assert_eq!((result.role, result.content.shown.as_str()), (Role::Tool, "```\n2\n```"));
    let spoken = of_key(rich, "6eb1261f-cbed-4a21-b52e-7d3037e660ea");
    assert_eq!((spoken.content.shown.as_str(), spoken.attachments.len()), ("spoken words", 1));
    assert_eq!(spoken.attachments[0].kind, "audio");
}

#[test]
fn a_ring_a_missing_child_and_no_part_at_all_cost_chatgpt_nothing() {
    let (_folder, haul) = chatgpt();
    let ring = haul.conversation("bfcfb041-f9f7-4e10-b691-6ce9f6194bfc");
    assert_eq!(texts(ring), ["cycle + dangling", "text after null part"]);
    assert_eq!((ring.messages[0].parent, ring.messages[1].parent), (None, Some(0)));
    assert_eq!(ring.shown, Some(1));
    assert!(ring.messages[1].interrupted && ring.messages[1].at.at.is_none());
    assert!(haul.notes_say("follow themselves"));
}

#[test]
fn shards_and_an_object_around_the_list_are_the_same_export() {
    let (folder, whole) = chatgpt();
    let file = folder.path().join("conversations.json");
    let list: Vec<Json> =
        serde_json::from_slice(&fs::read(&file).expect("readable")).expect("JSON");
    let wrapped = serde_json::json!({ "conversations": list });
    fs::write(&file, wrapped.to_string()).expect("written");
    let wrapped = Haul::of(source("chatgpt").as_ref(), folder.path());
    assert_eq!(texts_of(&whole), texts_of(&wrapped));
    fs::remove_file(&file).expect("removed");
    for (number, part) in list.chunks(2).enumerate() {
        let path = folder.path().join(format!("conversations-{number:03}.json"));
        fs::write(path, Json::from(part).to_string()).expect("written");
    }
    let sharded = Haul::of(source("chatgpt").as_ref(), folder.path());
    assert_eq!(texts_of(&whole), texts_of(&sharded));
}

/// All that was said, sorted: JSON that was written anew has its keys in another order.
fn texts_of(haul: &Haul) -> Vec<String> {
    let mut all: Vec<_> = haul.conversations.iter().flat_map(texts).map(str::to_owned).collect();
    all.sort();
    all
}

#[test]
fn claude_comes_over_by_its_blocks() {
    let haul = haul("claude", "other-exports/claude");
    for expected in truth("claude").as_array().expect("a list") {
        let found = haul.conversation(expected["uuid"].as_str().expect("an id"));
        assert_eq!(Some(found.title.shown.as_str()), expected["name"].as_str());
        assert_eq!(Some(found.messages.len() as u64), expected["messages"].as_u64());
    }
    let first = &haul.conversations[0];
    assert_eq!(texts(first), ["Summarise the attachment", "Here you go.\n\nDone."]);
    let attached = &first.messages[0].attachments;
    assert_eq!(attached[0].bytes.as_deref(), Some(b"hello world".as_slice()));
    assert_eq!(attached.len(), 2);
    let answer = &first.messages[1];
    assert_eq!(answer.metadata["reasoning"], "The user wants a summary.");
    assert_eq!(answer.attachments[0].bytes.as_deref(), Some(b"# Hi".as_slice()));
    assert_eq!(answer.metadata["tools"].as_array().map(Vec::len), Some(2));
    let tree = &haul.conversations[2];
    let parents: Vec<_> = tree.messages.iter().map(|message| message.parent).collect();
    assert_eq!(parents, [None, Some(0), Some(0), Some(2)]);
    assert_eq!(texts(&haul.conversations[3]), ["old style"]);
    assert_eq!((haul.documents.len(), haul.skips.len(), haul.notes.len()), (1, 0, 0));
}

#[test]
fn open_webui_keeps_its_branches_owners_and_errors() {
    let haul = haul("open-webui", "other-exports/open-webui");
    let truth = truth("open-webui");
    assert_eq!(Some(haul.conversations.len() as u64), truth["chats"].as_u64());
    assert_eq!(Some(haul.messages() as u64), truth["messages_in_tree"].as_u64());
    let chat = &haul.conversations[0];
    assert_eq!(Some(branch(chat).len() as u64), truth["active_path"].as_u64());
    let answer = &chat.messages[1];
    assert_eq!(answer.content.shown, "Llama says hi");
    assert_eq!(answer.metadata["reasoning"], "hidden chain");
    assert_eq!((answer.tokens_in, answer.tokens_out), (Some(3), Some(4)));
    assert_eq!(chat.messages[0].attachments.len(), 2);
    assert!(chat.messages[0].attachments[1].bytes.is_some());
    let last = chat.messages.last().expect("a message");
    assert!(last.interrupted && last.metadata["error"]["content"] == "model overloaded");
    assert!(haul.conversations[1].pinned && haul.conversations[1].archived);
    assert_eq!(haul.owners.len(), 2);
}

#[test]
fn librechat_is_the_same_flat_and_nested() {
    let root = fixture("other-exports/librechat");
    let of = |name: &str| {
        let haul = Haul::of(source("librechat").as_ref(), &root.join(name));
        assert!(
            haul.skips.is_empty() && haul.notes.is_empty(),
            "{:?} {:?}",
            haul.skips,
            haul.notes
        );
        haul.conversations.into_iter().next().expect("a conversation")
    };
    let (flat, nested) = (of("flat-branches.json"), of("recursive.json"));
    assert_eq!(Some(flat.messages.len() as u64), truth("librechat")["messages"].as_u64());
    let mut keys: Vec<Vec<_>> = [&flat, &nested]
        .map(|found| found.messages.iter().map(|one| one.key.clone()).collect())
        .into();
    keys.iter_mut().for_each(|keys| keys.sort());
    assert_eq!(keys[0], keys[1]);
    for found in [&flat, &nested] {
        let root = truth("librechat")["branches_at"].as_str().expect("an id").to_owned();
        let above = |one: &&Message| {
            one.parent.and_then(|at| found.messages[at].key.clone()) == Some(root.clone())
        };
        assert_eq!(found.messages.iter().filter(above).count(), 2);
        let answer = of_key(found, "5821a532-a80d-4add-98e9-aaa3826d634b");
        assert_eq!(answer.content.shown, "Hello!\n\nold nested text form");
        assert_eq!(answer.metadata["reasoning"], "hmm");
        assert_eq!(branch(found).last(), Some(&"0fb0ad4c-789f-4cc6-841a-230fd17150a9"));
    }
}

#[test]
fn a_nested_conversation_of_any_depth_comes_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = r#"{"conversationId":"c","messagesTree":["#.to_owned();
    for number in 0..5_000 {
        text += &format!(r#"{{"messageId":"m{number}","text":"t{number}","children":["#);
    }
    text += &"]}".repeat(5_000);
    text += "]}";
    fs::write(folder.path().join("deep.json"), text).expect("written");
    let haul = Haul::of(source("librechat").as_ref(), folder.path());
    let found = &haul.conversations[0];
    assert_eq!((found.messages.len(), branch(found).len()), (5_000, 5_000));
    assert_eq!(found.messages[4_999].content.shown, "t4999");
}

#[test]
fn chatbox_keeps_threads_and_branches_and_tells_what_the_backup_lacks() {
    let root = fixture("other-exports/chatbox").join("chatbox-exported-data-2025-9-12.json");
    let haul = Haul::of(source("chatbox").as_ref(), &root);
    let truth = truth("chatbox");
    let sum = ["messages_current", "messages_in_threads", "messages_in_forks"];
    let sum: u64 = sum.iter().filter_map(|key| truth[key].as_u64()).sum();
    assert_eq!(haul.messages() as u64, sum);
    // Each session with a body, and its one older topic.
    assert_eq!(
        haul.conversations.len() as u64,
        truth["sessions_with_body"].as_u64().expect("n") + 1
    );
    assert_eq!(haul.skips.len(), 1, "{:?}", haul.skips);
    let session = &haul.conversations[0];
    assert!(session.pinned);
    assert_eq!(branch(session).len(), 3);
    let fork = of_key(session, "c7574de3-eaa5-4ef4-97f4-66761c819a88");
    assert_eq!((fork.parent, fork.content.shown.as_str()), (Some(1), "other fork"));
    let thread = &haul.conversations[1];
    assert_eq!(thread.title.shown, "Earlier thread");
    let old = &haul.conversations[2];
    assert_eq!(texts(old), ["plain string content", "reply"]);
    assert_eq!(old.messages[1].metadata["reasoning"], "deprecated field");
    let single = fixture("other-exports/chatbox").join("single-session.json");
    assert_eq!(Haul::of(source("chatbox").as_ref(), &single).messages(), 5);
}

#[test]
fn jan_comes_over_line_by_line() {
    let haul = haul("jan", "other-exports/jan");
    let truth = truth("jan");
    assert_eq!(Some(haul.conversations.len() as u64), truth["threads"].as_u64());
    assert_eq!(Some(haul.messages() as u64), truth["messages"].as_u64());
    let thread = &haul.conversations[0];
    assert!(thread.pinned);
    assert_eq!(thread.model.as_deref(), Some("llama3.2:3b"));
    assert!(thread.messages[0].attachments[0].bytes.is_some());
    let answer = &thread.messages[1];
    assert_eq!(answer.content.shown, "Hello");
    assert_eq!(answer.metadata["reasoning"], "hmm\n\nold inline");
    assert!(answer.at.at.is_some(), "by its id");
    assert!(thread.messages[2].interrupted);
}

#[test]
fn cherry_studio_of_every_version_comes_over_and_the_sixth_is_explained() {
    let truth = truth("cherry-studio");
    for version in ["v1", "v3", "v5"] {
        let haul = haul("cherry-studio", &format!("other-exports/cherry-studio/{version}"));
        assert_eq!(Some(haul.messages() as u64), truth[version]["messages"].as_u64(), "{version}");
        assert_eq!(haul.conversations[0].title.shown, "Cherry sample", "{version}");
        assert!(haul.skips.is_empty(), "{:?}", haul.skips);
    }
    let v3 = haul("cherry-studio", "other-exports/cherry-studio/v3");
    assert_eq!(texts(&v3.conversations[0]), ["Hi old", "reply"]);
    let v5 = haul("cherry-studio", "other-exports/cherry-studio/v5");
    assert_eq!(Some(v5.conversations.len() as u64), truth["v5"]["topics"].as_u64());
    assert!(v5.notes_say("names a block that is not there"));
    let answer = &v5.conversations[0].messages[1];
    assert!(answer.content.shown.starts_with("## Comparison"));
    assert_eq!(answer.metadata["reasoning"], "hmm");
    let v6 = fixture("other-exports/cherry-studio").join("v6-metadata.json");
    let v6 = Haul::of(source("cherry-studio").as_ref(), &v6);
    assert_eq!((v6.conversations.len(), v6.skips.len()), (0, 1));
    assert!(v6.skips[0].reason.contains("version 5"));
}

#[test]
fn files_in_the_archive_of_cherry_studio_hang_on_their_messages() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = fixture("other-exports/cherry-studio").join("cherry-studio.202509121800.zip");
    let go_on = &mut |_| ControlFlow::Continue(());
    archive::unpack(&archive, folder.path(), &Limits::default(), go_on).expect("unpacked");
    let haul = Haul::of(source("cherry-studio").as_ref(), folder.path());
    let picture = &haul.conversations[0].messages[0].attachments[0];
    assert_eq!(picture.read().expect("readable").map(|bytes| bytes.len()), Some(70));
    assert_eq!(picture.mime.as_deref(), Some("image/png"));
}

#[test]
fn no_key_of_a_backup_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = r#"{"llm": "{\"providers\":[{\"apiKey\":\"sk-cherry\"}]}", "assistants": "{}"}"#;
    let cherry = serde_json::json!({ "time": 1, "version": 5,
        "localStorage": { "persist:cherry-studio": inner, "other": "sk-cherry" },
        "indexedDB": { "topics": [{ "id": "t", "messages": [] }], "settings": ["sk-cherry"] } });
    let chatbox = serde_json::json!({ "__exported_items": ["key"], "settings": { "key": "sk-box" },
        "session:a": { "id": "a", "messages": [] } });
    for (name, value) in [("cherry-studio", cherry), ("chatbox", chatbox)] {
        let path = folder.path().join("data.json");
        fs::write(&path, value.to_string()).expect("written");
        let haul = Haul::of(source(name).as_ref(), folder.path());
        assert_eq!(haul.conversations.len(), 1, "{name}");
        assert!(!format!("{haul:?}").contains("sk-"), "{name}");
    }
}

/// A conversation of ours with something in every field.
fn exported() -> crate::model::view::ExportedConversation {
    let at = crate::model::Timestamp(1_757_698_237_123);
    let id = crate::model::ConversationId(uuid::Uuid::from_u128(7));
    let mut conversation = crate::model::Conversation::blank(id, at);
    conversation.title = "Ours".into();
    conversation.title_by = crate::model::TitleBy::Person;
    conversation.archived = true;
    conversation.system_prompt = Some("Be kind".into());
    let message = |number: u128, parent: Option<u128>| {
        let id = |number| crate::model::MessageId(uuid::Uuid::from_u128(number));
        let mut message =
            crate::model::Message::blank(id(number), conversation.id, Role::Assistant, at);
        message.parent_id = parent.map(id);
        message.content = format!("text {number}");
        message.content_raw = Some("/w==".into());
        message.state = crate::model::MessageState::Stopped;
        message.first_token_ms = Some(3);
        message
    };
    let messages = vec![message(1, None), message(2, Some(1)), message(3, Some(1))];
    let metadata = serde_json::json!({ "kept": [1] });
    crate::model::view::ExportedConversation {
        conversation: conversation.clone(),
        metadata: metadata.as_object().cloned(),
        shown: Some(messages[1].id),
        trashed: vec![crate::model::view::TrashedMessage {
            message: message(4, Some(2)),
            deleted_at: at,
        }],
        messages,
        files: Vec::new(),
        documents: Vec::new(),
    }
}

#[test]
fn our_own_export_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let exported = exported();
    let whole = serde_json::json!({ "format": "tidemark-export", "version": 1,
        "exported_at": 0, "conversations": [exported] });
    let single = serde_json::to_value(&exported).expect("JSON");
    for value in [whole, single] {
        let path = folder.path().join("export.json");
        fs::write(&path, value.to_string()).expect("written");
        let found = recognise(folder.path()).expect("recognised");
        assert_eq!(found.system(), "tidemark");
        let haul = Haul::of(found.as_ref(), folder.path());
        let record = haul.conversations.into_iter().next().expect("a conversation");
        let rows = rows::of_conversation("tidemark", record, None, &mut rows::Told::default());
        assert_eq!(rows.conversation, exported.conversation);
        assert_eq!(rows.messages[..3], exported.messages);
        assert_eq!(rows.messages[3], exported.trashed[0].message);
        assert_eq!(rows.trashed, [(rows.messages[3].id, exported.trashed[0].deleted_at)]);
        assert_eq!((Some(rows.metadata), rows.shown), (exported.metadata.clone(), exported.shown));
    }
}

#[test]
fn an_export_of_a_later_release_is_refused_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let later = r#"{"format": "tidemark-export", "version": 2, "conversations": [{}]}"#;
    fs::write(folder.path().join("export.json"), later).expect("written");
    let haul = Haul::of(source("tidemark").as_ref(), folder.path());
    assert!(haul.skips.len() == 1 && haul.skips[0].reason.contains("Update"));
}

#[test]
fn everything_in_a_folder_of_exports_is_found_and_nothing_in_it_is_changed() {
    let root = fixture("other-exports");
    let before = state(&root);
    let found = look(&root);
    let systems: BTreeSet<_> = found.sites.iter().map(|site| site.source.system()).collect();
    let expected = ["chatbox", "cherry-studio", "claude", "jan", "librechat", "open-webui"];
    assert!(expected.iter().all(|system| systems.contains(system)), "{systems:?}");
    assert_eq!(found.archives.len(), 2);
    for site in found.sites {
        Haul::of(site.source.as_ref(), &site.root);
    }
    assert_eq!(state(&root), before);
}

#[test]
fn a_list_of_nothing_is_nothing_to_import() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("conversations.json"), "[]").expect("written");
    let found = look(folder.path());
    assert_eq!((found.sites.len(), found.empty.len()), (0, 1));
}

/// Numbers that look random and are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

/// The fixtures that are one small file: their bytes, and whose they are.
fn small() -> Vec<(&'static str, Vec<u8>)> {
    let names = [
        ("claude", "claude/conversations.json"),
        ("open-webui", "open-webui/chat-export.json"),
        ("librechat", "librechat/flat-branches.json"),
        ("librechat", "librechat/recursive.json"),
        ("chatbox", "chatbox/chatbox-exported-data-2025-9-12.json"),
        ("cherry-studio", "cherry-studio/v5/data.json"),
        ("cherry-studio", "cherry-studio/v1/data.json"),
    ];
    let read = |name| fs::read(fixture("other-exports").join(name)).expect("readable");
    let mut all: Vec<_> = names.map(|(system, name)| (system, read(name))).into();
    let (folder, _) = chatgpt();
    let bytes = fs::read(folder.path().join("conversations.json")).expect("readable");
    let mut list: Vec<Json> = serde_json::from_slice(&bytes).expect("JSON");
    list.truncate(4);
    all.push(("chatgpt", Json::from(list).to_string().into_bytes()));
    all
}

/// Reads bytes as a program's file, however they begin.
fn read(system: &str, bytes: &[u8], folder: &Path) -> Haul {
    fs::write(folder.join("conversations.json"), bytes).expect("written");
    Haul::of(source(system).as_ref(), folder)
}

#[test]
fn a_cut_export_gives_some_of_its_messages_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    for (system, bytes) in small() {
        let whole: BTreeSet<_> =
            texts_of(&read(system, &bytes, folder.path())).into_iter().collect();
        assert!(whole.len() > 1, "{system}");
        let mut dice = Dice(1);
        for _ in 0..200 {
            let end = dice.below(bytes.len());
            let found = read(system, &bytes[..end], folder.path());
            for text in texts_of(&found).iter().filter(|text| !text.is_empty()) {
                // A message of parts may have lost its last ones.
                let is_known = whole.iter().any(|known| known.starts_with(text.as_str()));
                assert!(is_known, "{system} cut at {end}: {text}");
            }
        }
    }
}

#[test]
fn any_flipped_byte_is_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    for (system, bytes) in small() {
        let mut dice = Dice(2);
        for _ in 0..500 {
            let mut flipped = bytes.clone();
            let at = dice.below(bytes.len());
            flipped[at] ^= 1 << dice.below(8);
            let found = read(system, &flipped, folder.path());
            assert!(found.messages() < 200, "{system} at {at}");
        }
    }
}

/// Writes 100 MB, and looks at the peak of memory: run it alone.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes a minute"]
fn a_large_export_is_read_in_little_memory() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().expect("a folder");
    let file = fs::File::create(folder.path().join("conversations.json")).expect("a file");
    let mut file = std::io::BufWriter::new(file);
    let text = "words of a long answer ".repeat(90);
    write!(file, "[").expect("written");
    for number in 0..2_000 {
        let comma = if number == 0 { "" } else { "," };
        write!(file, r#"{comma}{{"id":"c{number}","title":"t","mapping":{{"r":{{"id":"r"}}"#)
            .expect("written");
        for node in 0..24 {
            let parent = if node == 0 { "r".to_owned() } else { format!("n{}", node - 1) };
            write!(
                file,
                r#","n{node}":{{"parent":"{parent}","message":{{"author":{{"role":"user"}},"content":{{"content_type":"text","parts":["{text}"]}}}}}}"#
            )
            .expect("written");
        }
        write!(file, "}}}}").expect("written");
    }
    write!(file, "]").expect("written");
    file.flush().expect("written");
    let input =
        super::Input { root: folder.path().to_owned(), zone: crate::import::time::Zone::default() };
    let mut messages = 0;
    let read = source("chatgpt").read(&input, &mut |item| {
        if let crate::import::Item::Conversation(found) = item {
            messages += found.messages.len();
        }
        ControlFlow::Continue(())
    });
    read.expect("read");
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert_eq!(messages, 48_000);
    assert!(peak < 96 * 1024, "{peak} kB");
}
