use std::fs;
use std::path::Path;

use super::ExAi;
use crate::import::sources::Source as _;
use crate::import::sources::testing::{Haul, fixture, hashes, json};

fn haul(root: &Path) -> Haul {
    assert!(ExAi.recognises(root), "{}", root.display());
    Haul::of(&ExAi, root)
}

#[test]
fn all_that_the_server_kept_comes_over_with_its_threads() {
    let truth = json("exai-mcp/truth.json");
    let haul = haul(&fixture("exai-mcp"));
    assert_eq!((haul.conversations.len(), haul.messages()), (3 + 2 + 2, 45 + 3 + 5));
    // The tables three times over: as JSON, CSV and SQL.
    assert_eq!(haul.duplicates.len(), 2 * (2 + 5), "{:?}", haul.duplicates);
    assert!(haul.conversations.iter().all(|found| found.continuation_id.is_some()));
    for (key, told) in truth["jsonl"].as_object().expect("conversations") {
        let found = haul.conversation(key);
        assert_eq!(found.messages.len() as u64, told["turns"].as_u64().expect("a count"), "{key}");
    }
    let turns = haul.conversation("323d3ab0-f35c-48a9-bce5-e9d717208331");
    let told = truth["turn_content_sha256"].as_array().expect("hashes");
    let all: Vec<_> = haul.conversations.iter().flat_map(hashes).collect();
    assert!(told.iter().all(|told| all.iter().any(|hash| told == hash)), "byte for byte");
    assert_eq!(turns.title.shown, "Conversation 323d3ab0");
    assert_eq!(haul.skips.len(), 2, "the torn line: {:?}", haul.skips);
}

#[test]
fn a_thread_keeps_its_parent_and_what_its_turns_say() {
    let haul = haul(&fixture("exai-mcp/threads"));
    let child = haul.conversation("thread:ddd4c048-f734-4a5f-ac1e-080fb8cbfce3");
    assert_eq!(child.ids["parent_thread_id"], "ea7dccdd-5a04-46b7-96a8-8b774d4bc856");
    assert_eq!(child.messages[0].attachments[0].url.as_deref(), Some("/mnt/project/a.png"));
    let parent = haul.conversation("thread:ea7dccdd-5a04-46b7-96a8-8b774d4bc856");
    let answer = &parent.messages[1];
    assert_eq!(answer.model.as_deref(), Some("glm/glm-4.6"));
    assert_eq!(answer.metadata["model_metadata"]["usage"]["total_tokens"], 321);
    assert_eq!(parent.metadata["initial_context"]["prompt"], "Review");
}

#[test]
fn a_dump_is_the_same_in_every_form() {
    let mut all = Vec::new();
    for form in ["json", "csv", "sql"] {
        let folder = tempfile::tempdir().expect("a folder");
        for table in ["conversations", "messages"] {
            let name = format!("{table}_rows.{form}");
            let from = fixture("exai-mcp/supabase-studio").join(&name);
            fs::copy(from, folder.path().join(name)).expect("copied");
        }
        let haul = haul(folder.path());
        assert_eq!(
            (haul.conversations.len(), haul.messages(), haul.skips.len()),
            (2, 5, 0),
            "{form}"
        );
        let found = haul.conversation("62a59f95-8a63-47ba-b8d2-8658a9a1f92b");
        assert_eq!(found.continuation_id.as_deref(), Some("323d3ab0-f35c-48a9-bce5-e9d717208331"));
        assert_eq!(found.metadata["tool_name"], "chat");
        let answer = &found.messages[1];
        assert_eq!(answer.model.as_deref(), Some("glm/glm-4.6"));
        let key = answer.metadata["idempotency_key"].as_str().expect("a key");
        assert!(key.starts_with("31d150da"), "{form}");
        all.push((hashes(found), found.messages.iter().map(|m| m.at.at).collect::<Vec<_>>()));
    }
    assert!(all.iter().all(|other| *other == all[0]));
}

#[test]
fn what_redis_held_and_files_are_read_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let thread = r#"{\"thread_id\":\"t\",\"turns\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"#;
    fs::write(folder.path().join("redis.json"), format!("{{\"thread:t\": \"{thread}\"}}"))
        .expect("written");
    let files = r#"[{"id":"f","storage_path":"contexts/c/a.py","original_name":"a.py","mime_type":"text/plain","size_bytes":7}]"#;
    fs::write(folder.path().join("files_rows.json"), files).expect("written");
    let links = r#"[{"conversation_id":"c","file_id":"f","added_at":"2025-10-24"}]"#;
    fs::write(folder.path().join("conversation_files_rows.json"), links).expect("written");
    let haul = Haul::of(&ExAi, folder.path());
    assert_eq!(haul.conversation("thread:t").messages[0].content.shown, "Hi");
    let file = &haul.documents[0];
    assert_eq!(file.conversation.as_deref(), Some("c"));
    assert_eq!((file.ids["storage_path"].as_str(), file.bytes), ("contexts/c/a.py", Some(7)));
}

#[test]
fn what_was_taken_out_of_redis_is_known_by_its_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = "2f0b8152-bf44-4e19-9464-d57dd75ba979";
    let thread =
        serde_json::json!({ "thread_id": id, "turns": [{ "role": "user", "content": "q" }] });
    for value in [thread.clone(), serde_json::json!(thread.to_string())] {
        let dump = serde_json::json!({ format!("thread:{id}"): value }).to_string();
        fs::write(folder.path().join("redis.json"), dump).expect("written");
        let haul = haul(folder.path());
        let found = haul.conversation(&format!("thread:{id}"));
        assert_eq!((found.continuation_id.as_deref(), found.messages.len()), (Some(id), 1));
    }
}

#[test]
fn a_torn_line_of_a_log_costs_itself_wherever_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = r#"{"ts": 1700000000.5, "role": "user", "content": "Why?"}"#;
    for torn in [&line[20..], &line[..20], &line[..44], &line[44..]] {
        for text in [format!("{torn}\n{line}\n{line}\n"), format!("{line}\n{torn}\n{line}\n")] {
            fs::write(folder.path().join("abc.jsonl"), &text).expect("written");
            let haul = haul(folder.path());
            assert_eq!((haul.conversations.len(), haul.messages()), (1, 2), "{text}");
            assert!(!haul.skips.is_empty(), "the torn line is named: {text}");
        }
    }
}
