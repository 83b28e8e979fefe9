//! Of each kind: what was found is what was imported and what was here.

use super::*;

const KINDS: [&str; 7] =
    ["users", "conversations", "messages", "documents", "fragments", "attachments", "folded"];

/// Everything that a person may name, each by itself.
fn sources() -> Vec<PathBuf> {
    let root = fixture("");
    let mut sources = Vec::new();
    for folder in ["pharmgpt-corrupt", "mongo-chat", "other-exports"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        sources.extend(
            paths.filter(|path| path.is_dir() || path.extension().is_some_and(|e| e == "zip")),
        );
    }
    for folder in ["pharmgpt-v2-userrag", "pharmgpt-v3-convrag", "pharmgpt-v4", "exai-mcp"] {
        sources.push(root.join(folder));
    }
    sources.sort();
    sources
}

fn counts(of: &Value) -> Vec<u64> {
    KINDS.iter().map(|kind| of[kind].as_u64().unwrap_or_else(|| panic!("{kind} in {of}"))).collect()
}

fn is_whole(document: &Value) {
    for (field, is_right) in [
        ("source", document["source"].is_string()),
        ("version", document["version"].is_string() || document["version"].is_null()),
        ("duplicates", document["duplicates"].is_u64()),
        ("skipped", document["skipped"].is_array()),
        ("warnings", document["warnings"].is_array()),
        ("assumptions", document["assumptions"].is_object()),
    ] {
        assert!(is_right, "{field}: {}", document[field]);
    }
    for skip in document["skipped"].as_array().expect("a list") {
        for field in ["path", "locator", "reason"] {
            assert!(skip[field].is_string(), "{field}: {skip}");
        }
        assert!(!skip["reason"].as_str().unwrap_or_default().is_empty());
    }
}

fn document(terminal: &Terminal, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = terminal.run(&[&["--json", "import"], arguments].concat());
    let document = serde_json::from_slice(&output.stdout);
    (output.status.code(), document.unwrap_or_else(|_| panic!("{arguments:?}: {output:?}")))
}

#[test]
fn every_fixture_adds_up_and_a_second_run_imports_nothing() {
    for source in sources() {
        let (terminal, path) = (terminal(), text(&source));
        let (planned, plan) = document(&terminal, &["plan", path]);
        let (ran, first) = document(&terminal, &["run", path]);
        let (_, second) = document(&terminal, &["run", path]);
        [&plan, &first, &second].into_iter().for_each(is_whole);
        assert_eq!(counts(&plan), counts(&first), "{path}");
        let status = if first["skipped"].as_array().expect("a list").is_empty() { 0 } else { 1 };
        assert_eq!((planned, ran), (Some(status), Some(status)), "{path}");
        for report in [&first, &second] {
            assert_eq!(
                (&report["verified"], &report["mismatches"]),
                (&json!(true), &json!([])),
                "{path}"
            );
            let both = counts(&report["imported"]).into_iter().zip(counts(&report["already_here"]));
            assert_eq!(
                counts(report),
                both.map(|(new, here)| new + here).collect::<Vec<_>>(),
                "{path}"
            );
        }
        assert_eq!(counts(&second["imported"]), [0; 7], "{path}");
        let is_dated =
            plan["assumptions"]["disk"].is_string() && plan["assumptions"]["time"].is_string();
        assert!(is_dated, "{}", plan["assumptions"]);
    }
}

#[test]
fn the_messages_of_chatgpt_are_those_of_its_truth_and_what_is_folded_is_said() {
    let truth = std::fs::read(fixture("other-exports/truth.json")).expect("a truth");
    let truth: Value = serde_json::from_slice(&truth).expect("JSON");
    let told = truth["chatgpt"].as_array().expect("a list").iter();
    let told: u64 = told.map(|one| one["messages"].as_u64().expect("a count")).sum();
    let terminal = terminal();
    let report =
        terminal.json(&["import", "run", text(&fixture("other-exports/chatgpt-export.zip"))]);
    assert_eq!(
        (report["messages"].as_u64(), report["imported"]["messages"].as_u64()),
        (Some(told), Some(told))
    );
    let all = terminal.json(&["export"]);
    let conversations = all["conversations"].as_array().expect("a list").iter();
    let rows: usize =
        conversations.map(|one| one["messages"].as_array().expect("a list").len()).sum();
    assert_eq!(report["folded"].as_u64(), Some(told - rows as u64));
}

/// A second run finds that somebody has changed what had come over, and takes back what it added.
#[test]
fn what_failed_and_was_rolled_back_ends_with_two_and_without_it_with_one() {
    let folder = installation(&[("bob", "id-1")], &[]);
    let (terminal, path) = (terminal(), text(folder.path()));
    terminal.json(&["import", "run", path]);
    let process = terminal.desk.process();
    let spoil = |write: &mut tidemark_core::mirror::Write<'_>| {
        Ok(write.tx.execute("UPDATE messages SET content = 'spoilt' WHERE role = 'user'", [])?)
    };
    process.core.mirror().write(spoil).expect("written");
    process.die();
    let (status, report) = document(&terminal, &["run", path]);
    assert_eq!(
        (status, &report["verified"], &report["rolled_back"]),
        (Some(1), &json!(false), &json!(false))
    );
    assert_eq!(report["mismatches"].as_array().expect("a list").len(), 1);
    let (status, report) = document(&terminal, &["run", path, "--auto-rollback"]);
    assert_eq!(
        (status, &report["verified"], &report["rolled_back"]),
        (Some(2), &json!(false), &json!(true))
    );
}

/// An export in shards that was made while the person went on: the second shard has the call of a tool, too.
#[test]
fn a_conversation_that_comes_again_with_more_folded_into_it_adds_up() {
    let node = |id: &str, parent: Option<&str>, child: Option<&str>, role: &str| {
        let to = if id == "t" { "python" } else { "all" };
        let content = json!({ "content_type": "text", "parts": [format!("of {role}")] });
        let message = json!({ "id": id, "author": { "role": role }, "content": content,
            "recipient": to, "create_time": 1_700_000_000.0, "status": "finished_successfully" });
        let message = parent.map_or(Value::Null, |_| message);
        let children: Vec<_> = child.into_iter().collect();
        json!({ "id": id, "message": message, "parent": parent, "children": children })
    };
    let chat = |mapping: Value, end: &str| {
        json!([{ "id": "a", "conversation_id": "a", "title": "Tides", "create_time": 1_700_000_000.0,
            "update_time": 1_700_000_000.0, "mapping": mapping, "current_node": end }])
    };
    let first = json!({ "root": node("root", None, Some("q"), ""),
        "q": node("q", Some("root"), None, "user") });
    let second = json!({ "root": node("root", None, Some("q"), ""),
        "q": node("q", Some("root"), Some("t"), "user"), "t": node("t", Some("q"), Some("r"), "assistant"),
        "r": node("r", Some("t"), None, "assistant") });
    let folder = tempfile::tempdir().expect("a folder");
    for (shard, chat) in [("000", chat(first, "q")), ("001", chat(second, "r"))] {
        let path = folder.path().join(format!("conversations-{shard}.json"));
        std::fs::write(path, chat.to_string()).expect("written");
    }
    let (terminal, path) = (terminal(), text(folder.path()));
    let (status, report) = document(&terminal, &["run", path]);
    assert_eq!((status, &report["folded"]), (Some(0), &json!(1)), "{report}");
    is_whole(&report);
}
