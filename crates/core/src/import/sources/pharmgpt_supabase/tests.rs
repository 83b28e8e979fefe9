use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::PharmGptSupabase;
use crate::import::sources::Source as _;
use crate::import::sources::testing::Haul;
use crate::model::Role;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn haul(root: &Path) -> Haul {
    assert!(PharmGptSupabase.recognises(root), "{}", root.display());
    Haul::of(&PharmGptSupabase, root)
}

const USERS: &str = r#"[{"id":"u-1","username":"marie_c","password_hash":"ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB","salt":"cd","user_id":"legacy-1","email":""},
    {"id":"u-2","username":"bob","password_hash":"ef","salt":"01","user_id":"legacy-2","email":"b@example.invalid"}]"#;

#[test]
fn messages_inside_are_read_however_often_they_were_encoded() {
    let inside = r#"[{"role":"user","content":"Hi","timestamp":"2025-09-12T17:30:00"},{"role":"assistant","content":"Hello"}]"#;
    let once = serde_json::to_string(inside).expect("a text");
    let twice = serde_json::to_string(&once).expect("a text");
    for messages in [inside, &once, &twice] {
        let row = |id: &str, user: &str| {
            format!(
                r#"{{"id":"{id}","conversation_id":"c-1","user_id":"{user}","title":"T","messages":{messages},"model":"m","is_archived":true,"message_count":2}}"#
            )
        };
        let rows = format!("[{},{}]", row("r-1", "u-1"), row("r-2", "u-2"));
        let folder = folder(&[("conversations_rows.json", &rows), ("users_rows.json", USERS)]);
        let haul = haul(folder.path());
        assert_eq!(haul.counts(), [2, 2, 4, 0], "one id, two people");
        let found = haul.conversation("c-1");
        assert_eq!((found.owner.as_deref(), found.archived), (Some("u-1"), true));
        assert_eq!(found.messages[1].content.shown, "Hello");
        let proof = haul.owners[0].proof.as_ref();
        assert_eq!(proof.map(|proof| proof.hash.as_str()), Some("ab".repeat(32).as_str()));
        assert_eq!(haul.owners[1].proof, None, "two letters are no hash");
    }
}

#[test]
fn csv_says_the_same_as_json() {
    let csv = "id,conversation_id,user_id,title,messages,model,created_at,is_archived\n\
        r-1,c-1,u-1,\"A, \"\"b\"\"\",\"\"\"[{\\\"\"role\\\"\":\\\"\"user\\\"\",\\\"\"content\\\"\":\\\"\"Hi\\\"\"}]\"\"\",m,2025-09-13 10:00:00.5+00,false\n";
    let folder = folder(&[("conversations_rows.csv", csv)]);
    let haul = haul(folder.path());
    let found = haul.conversation("c-1");
    assert_eq!((found.title.shown.as_str(), found.messages.len()), ("A, \"b\"", 1), "{found:?}");
    assert_eq!((found.archived, found.created.assumed), (false, false));
    assert_eq!(haul.owners[0].name, None, "nobody says who u-1 is");
}

#[test]
fn a_table_of_messages_is_joined_by_either_id() {
    // The second generation: both ids of a user, messages inside and in a table.
    let rows = r#"[{"id":"r-1","conversation_id":"c-1","user_uuid":"u-1","user_id":"x","title":"T","messages":[{"role":"user","content":"only one"}]},
        {"id":"r-2","conversation_id":"c-2","user_uuid":"u-1","title":"U","messages":[{"role":"user","content":"inside"}]}]"#;
    let messages = r#"[{"id":"m-2","conversation_uuid":"r-1","message_id":"x","role":"assistant","content":"b","created_at":"2025-09-13T10:00:00.000002Z"},
        {"id":"m-1","conversation_uuid":"r-1","message_id":"y","role":"user","content":"a","created_at":"2025-09-13T10:00:00.000001Z"},
        {"id":"m-3","conversation_uuid":"gone","role":"user","content":"orphan","created_at":"2025-09-13T10:00:01Z"}]"#;
    let documents = r#"[{"id":"d-1","document_id":"h","user_uuid":"u-1","conversation_id":"r-1","filename":"a.txt","file_type":"text/plain","file_size":0,"chunk_count":1,"content":"text"}]"#;
    let folder = folder(&[
        ("conversations_rows.json", rows),
        ("messages_rows.json", messages),
        ("documents_rows.json", documents),
    ]);
    let haul = haul(folder.path());
    let texts = |key: &str| {
        let found = haul.conversation(key);
        assert!(found.messages.iter().enumerate().all(|(at, m)| m.parent == at.checked_sub(1)));
        found.messages.iter().map(|m| m.content.shown.clone()).collect::<Vec<_>>()
    };
    assert_eq!(texts("c-1"), ["a", "b"], "by microseconds");
    assert_eq!(texts("c-2"), ["inside"]);
    assert_eq!(texts("gone"), ["orphan"]);
    let document = &haul.documents[0];
    assert_eq!((document.conversation.as_deref(), document.bytes), (Some("c-1"), None));
    assert_eq!(document.fragments[0].shown, "text");
}

#[test]
fn answers_in_branches_stand_beside_each_other() {
    let rows = r#"[{"id":"c","user_id":"u","title":"T","is_pinned":true,"is_archived":false}]"#;
    let messages = r#"[{"id":"q","conversation_id":"c","user_id":"u","role":"user","content":"Why?","created_at":"2025-10-01T10:00:00Z"},
        {"id":"a","conversation_id":"c","user_id":"u","role":"assistant","content":"A","created_at":"2025-10-01T10:00:01Z"}]"#;
    let answers = r#"[{"id":"ra","user_message_id":"q","branch_label":"A","content":"A","model_used":"m1","token_count":5},
        {"id":"rb","user_message_id":"q","branch_label":"B","content":"B","model_used":"m2","token_count":6}]"#;
    let chosen = r#"[{"conversation_id":"c","user_message_id":"q","active_response_id":"rb"}]"#;
    let folder = folder(&[
        ("conversations.json", rows),
        ("messages.json", messages),
        ("assistant_responses.json", answers),
        ("branch_selections.json", chosen),
    ]);
    let haul = haul(folder.path());
    let found = haul.conversation("c");
    assert_eq!((found.messages.len(), found.pinned, found.shown), (3, true, Some(2)));
    let parents: Vec<_> = found.messages.iter().map(|message| message.parent).collect();
    assert_eq!(parents, [None, Some(0), Some(0)]);
    let models: Vec<_> =
        found.messages.iter().filter_map(|message| message.model.as_deref()).collect();
    assert_eq!(models, ["m1", "m2"]);
}

#[test]
fn an_export_of_one_user_is_read_whole() {
    let export = r#"{"user":{"id":"u-1","username":"marie_c","password_hash":"ab","salt":"cd"},
        "conversations":[{"id":"r","conversation_id":"c","user_uuid":"u-1","title":"T","messages":[{"role":"user","content":"Hi"}]}],
        "documents":[{"id":"d","document_hash":"h","user_uuid":"u-1","filename":"x.txt","chunk_count":2}],"sessions":[]}"#;
    let folder = folder(&[("export.json", export)]);
    let haul = haul(folder.path());
    assert_eq!(haul.counts(), [1, 1, 1, 1]);
    assert_eq!(haul.conversations[0].messages[0].role, Role::User);
}

#[test]
fn a_long_first_message_does_not_hide_whose_dump_it_is() {
    let long = "x".repeat(100_000);
    let rows = format!(
        r#"[{{"id":"r","conversation_id":"c","user_id":"u","title":"T","messages":"[{{\"role\":\"user\",\"content\":\"{long}\"}}]"}}]"#
    );
    let folder = folder(&[("conversations_rows.json", &rows)]);
    let haul = haul(folder.path());
    assert_eq!(haul.conversation("c").messages[0].content.shown.len(), 100_000);
}
