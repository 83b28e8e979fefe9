//! Every command's document and exit status.

use super::*;

fn time(value: &Value) {
    let text = value.as_str().expect("a time is text");
    assert!(text.len() >= 20 && text.contains('T') && text.ends_with('Z'), "{text}: not RFC 3339");
}

fn is_conversation(value: &Value) {
    for field in ["id", "title"] {
        assert!(value[field].is_string(), "{field} of {value}");
    }
    assert!(value.get("model").is_some_and(|model| model.is_null() || model.is_string()));
    assert!(value["message_count"].is_u64(), "{value}");
    time(&value["created_at"]);
    time(&value["updated_at"]);
}

fn is_message(value: &Value) {
    for field in ["id", "conversation_id", "role", "content", "state"] {
        assert!(value[field].is_string(), "{field} of {value}");
    }
    for field in ["parent_id", "model"] {
        assert!(value.get(field).is_some_and(|v| v.is_null() || v.is_string()), "{field}: {value}");
    }
    time(&value["created_at"]);
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list is an array")
}

#[test]
fn every_command_prints_one_document_of_the_apis_types() {
    let terminal = Terminal::ready(Script::default());
    let answer = terminal.json(&["chat", "Why is oral dosing weak?"]);
    is_message(&answer);
    assert_eq!((&answer["state"], &answer["role"]), (&"done".into(), &"assistant".into()));
    assert_eq!(answer["content"], "You said: Why is oral dosing weak?");
    assert_eq!(answer["model"], "test/test-model");
    let id = answer["conversation_id"].as_str().expect("an id");

    let said = terminal.json(&["say", id, "A note"]);
    is_message(&said);
    assert_eq!((&said["parent_id"], &said["role"]), (&answer["id"], &"user".into()));
    let new = terminal.json(&["say", "new", "Elsewhere"]);
    assert_ne!(new["conversation_id"], answer["conversation_id"]);

    let conversations = terminal.json(&["conversations"]);
    assert_eq!(list(&conversations).len(), 2);
    list(&conversations).iter().for_each(is_conversation);
    assert_eq!(conversations[1]["id"], id, "latest first");
    assert_eq!(conversations[1]["message_count"], 3);

    let messages = terminal.json(&["messages", id]);
    list(&messages).iter().for_each(is_message);
    let texts: Vec<&Value> = list(&messages).iter().map(|message| &message["content"]).collect();
    assert_eq!(texts, ["Why is oral dosing weak?", "You said: Why is oral dosing weak?", "A note"]);

    let renamed = terminal.json(&["rename", id, "Dosing"]);
    is_conversation(&renamed);
    assert_eq!(renamed["title"], "Dosing");
    assert_eq!(terminal.json(&["archive", id])["archived"], true);
    assert_eq!(list(&terminal.json(&["conversations", "--archived"])).len(), 1);
    assert_eq!(terminal.json(&["archive", "--undo", id])["archived"], false);
    time(&terminal.json(&["trash", id])["trashed_at"]);
    assert_eq!(list(&terminal.json(&["conversations", "--trash"])).len(), 1);
    assert!(terminal.json(&["restore", id])["trashed_at"].is_null());

    let export = terminal.json(&["export", id]);
    assert_eq!((&export["format"], &export["version"]), (&"tidemark-export".into(), &1.into()));
    assert_eq!(list(&export["conversations"][0]["messages"]).len(), 3);
    assert_eq!(list(&terminal.json(&["export"])["conversations"]).len(), 2);
    let md = terminal.run(&["export", "--format", "md", id]);
    assert!(String::from_utf8_lossy(&md.stdout).starts_with("# Dosing\n"), "{md:?}");

    let settings = terminal.json(&["settings", "get"]);
    assert!(list(&settings).iter().all(|one| one["key"].is_string() && one["about"].is_string()));
    assert_eq!(terminal.json(&["settings", "set", "theme", "dark"])["value"], "dark");
    assert_eq!(terminal.json(&["settings", "get", "theme"])["value"], "dark");
    assert_eq!(terminal.json(&["settings", "set", "temperature", "0.5"])["value"], 0.5);

    let models = terminal.json(&["models"]);
    assert_eq!(list(&models)[0]["model"], "test/test-model");
    assert_eq!(list(&terminal.json(&["providers", "list"]))[0]["id"], "test");

    let report = terminal.json(&["doctor"]);
    assert_eq!((&report["ok"], &report["findings"]), (&true.into(), &Value::Array(vec![])));
    assert_eq!(report["integrity"][0], "ok");
    assert_eq!(report["key"], "file");
    assert!(report["versions"]["schema"].is_string() && report["counts"]["messages"] == 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_here_is_found_and_noticed_in_the_window() {
    let terminal = Terminal::ready(Script::default());
    let window = terminal.desk.open().await;
    let mut changes = window.changes();
    let said = terminal.json(&["say", "new", "propranolol"]);
    let noticed =
        async { while changes.next().await != Some(tidemark_core::events::Change::Everything) {} };
    tokio::time::timeout(crate::desk::PATIENCE, noticed).await.expect("noticed");
    assert_eq!(window.conversations(Default::default()).expect("read").len(), 1);
    // The window's index takes it up; the next command finds it.
    let started = std::time::Instant::now();
    loop {
        let hits = terminal.json(&["search", "proprano"]);
        if hits.as_array().is_some_and(|hits| hits.len() == 2) {
            assert_eq!(hits[1]["message_id"], said["id"]);
            assert_eq!(hits[1]["highlights"], serde_json::json!([[0, 11]]));
            break;
        }
        assert!(started.elapsed() < crate::desk::PATIENCE, "not found: {hits}");
    }
    assert_eq!(terminal.json(&["search", "\" * OR NEAR( -"]), serde_json::json!([]));
}

#[test]
fn what_fails_says_why_as_json_and_ends_with_two() {
    let terminal = Terminal::new(Script::default());
    let nobody = "00000000-0000-0000-0000-000000000404";
    use tidemark_core::Code;
    for (arguments, code) in [
        (&["messages", nobody][..], Code::NotFound),
        (&["rename", nobody, "x"], Code::NotFound),
        (&["chat", "--conversation", nobody, "x"], Code::NotFound),
        (&["messages", "../x"], Code::InvalidInput),
        (&["say", "old", "x"], Code::InvalidInput),
        (&["say", "new", ""], Code::InvalidInput),
        (&["settings", "set", "theme", "pink"], Code::InvalidInput),
        (&["settings", "get", "colour"], Code::NotFound),
        (&["search", "x", "--limit", "-1"], Code::InvalidInput),
        (&["providers", "add", "x", "--base-url", "file:///etc"], Code::InvalidInput),
        (&["export", "--format", "pdf"], Code::InvalidInput),
        (&["no-such-command"], Code::InvalidInput),
        (&[], Code::InvalidInput),
    ] {
        let failure = terminal.failure(arguments);
        assert_eq!(failure.code, code, "{arguments:?}: {failure:?}");
    }
    write_key(&terminal.key_file, &[8; 48]);
    assert_eq!(terminal.failure(&["conversations"]).code, Code::WrongKey);
    assert_eq!(terminal.run(&["--help"]).status.code(), Some(0));
    assert_eq!(terminal.run(&["--version"]).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_ends_with_one_on_a_finding() {
    let terminal = Terminal::new(Script::default());
    let core = opened(&terminal.desk.options).await;
    core.say(&to(None, "hello")).expect("said");
    core.indexed().await;
    core.mirror()
        .write(|write| {
            write
                .tx
                .execute("INSERT INTO message_index (message_index) VALUES ('delete-all')", [])?;
            Ok(())
        })
        .expect("lost");
    core.close().await;
    drop(core);
    let output = terminal.run(&["--json", "doctor"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(report["ok"], false);
    terminal.run(&["doctor", "--rebuild-index"]);
    let core = opened(&terminal.desk.options).await;
    core.indexed().await;
    assert!(core.doctor().expect("read").ok);
}
