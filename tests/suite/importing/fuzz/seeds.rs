//! What cases begin as: the fixtures, and small dumps of what has none.

use std::fs::File;
use std::io::Read as _;

use rusqlite::Connection;
use serde_json::Value;

use super::tree::Tree;
use crate::importing::fixture;

/// Folders of fixtures.
pub(super) fn folders<P: AsRef<str>>(names: &[P]) -> Vec<Tree> {
    names.iter().map(|name| Tree::below(&fixture(name.as_ref()))).collect()
}

/// The export, without the one conversation that is there for its depth: cases have to be quick.
pub(super) fn chatgpt() -> Vec<Tree> {
    let path = fixture("other-exports").join("chatgpt-export.zip");
    let mut zip = zip::ZipArchive::new(File::open(path).expect("there")).expect("an archive");
    let mut tree = Tree::default();
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).expect("an entry");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("readable");
        tree.0.push((entry.name().to_owned(), bytes));
    }
    for (_, bytes) in tree.0.iter_mut().filter(|(name, _)| name == "conversations.json") {
        let mut all: Vec<Value> = serde_json::from_slice(bytes).expect("JSON");
        all.retain(|one| one["mapping"].as_object().is_none_or(|nodes| nodes.len() < 100));
        *bytes = serde_json::to_vec(&all).expect("JSON");
    }
    let mut sharded = tree.clone();
    for (name, bytes) in sharded.0.clone() {
        if name == "conversations.json" {
            sharded.0.retain(|(name, _)| name != "conversations.json");
            let shards = ["conversations-000.json", "conversations-001.json"];
            sharded.0.extend(shards.map(|shard| (shard.to_owned(), bytes.clone())));
        }
    }
    vec![tree, sharded]
}

/// Three of the layouts, and the damaged ones.
pub(super) fn pharmgpt() -> Vec<Tree> {
    let mut all = folders(&["pharmgpt-v4", "pharmgpt-v3-convrag", "pharmgpt-v2-userrag"]);
    let corrupt = fixture("pharmgpt-corrupt");
    for folder in std::fs::read_dir(corrupt).expect("readable").flatten() {
        if folder.path().join("user_data").is_dir() {
            all.push(Tree::below(&folder.path()));
        }
    }
    // The stores have a target of their own, and are large.
    for tree in &mut all {
        tree.0.retain(|(_, bytes)| bytes.len() < 100_000);
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.retain(|tree| tree.0.iter().any(|(path, _)| path.ends_with("conversations.json")));
    all
}

/// Layouts with a store of pieces.
pub(super) fn stores() -> Vec<Tree> {
    let mut all = folders(&["pharmgpt-v4", "pharmgpt-v3-convrag", "pharmgpt-v2-userrag"]);
    // One small store is enough for a case, and nothing else that is large.
    for tree in &mut all {
        let is_store = |path: &str| path.ends_with("chroma.sqlite3");
        let stores = tree.0.iter().filter(|(path, _)| is_store(path));
        let smallest = stores.min_by_key(|(_, bytes)| bytes.len()).map(|(path, _)| path.clone());
        tree.0.retain(|(path, bytes)| match is_store(path) {
            true => Some(path) == smallest.as_ref(),
            false => bytes.len() < 20_000,
        });
    }
    all
}

/// Jan's file on a telephone: whole, and with half of it still in the log.
pub(super) fn telephones() -> Vec<Tree> {
    let jan = Tree::below(&fixture("other-exports/jan"));
    let folder = tempfile::tempdir().expect("a folder");
    let store = Connection::open(folder.path().join("jan.db")).expect("a file");
    let tables = "CREATE TABLE threads (id TEXT PRIMARY KEY, data TEXT);
        CREATE TABLE messages (id TEXT PRIMARY KEY, thread_id TEXT, data TEXT)";
    store.execute_batch(tables).expect("made");
    let fill = |ends: &str, sql: &str| {
        for (path, bytes) in jan.0.iter().filter(|(path, _)| path.ends_with(ends)) {
            let thread = path.rsplit('/').nth(1).expect("a folder");
            for row in
                String::from_utf8_lossy(bytes).split(if ends == "jsonl" { "\n" } else { "\0" })
            {
                store.execute(sql, [thread, row]).expect("written");
            }
        }
    };
    fill("thread.json", "INSERT INTO threads VALUES (?1, ?2)");
    let whole = Tree::below(folder.path());
    store.execute_batch("PRAGMA journal_mode = WAL").expect("a log");
    fill("jsonl", "INSERT INTO messages VALUES (hex(randomblob(8)), ?1, ?2)");
    let mut logged = Tree::below(folder.path());
    logged.0.retain(|(path, _)| !path.ends_with("-shm"));
    drop(store);
    vec![whole, logged, Tree::below(folder.path())]
}

/// Our own export: two branches, a note of an earlier import, bytes that no text can hold.
pub(super) fn tidemark() -> Vec<Tree> {
    let export = r#"{"format":"tidemark-export","version":1,"exported_at":"2025-06-15T15:06:49.000Z","conversations":[
      {"id":"018f2b1e-7c3a-7d4e-8f5a-000000000001","title":"One","title_by":"person","model":"local/a","system_prompt":"Be brief.","pinned":true,"archived":false,"trashed_at":null,
       "origin":{"system":"chatgpt","ids":{"id":"x"}},"continuation_id":"t-1","metadata":{"kept":[1]},"shown":"018f2b1e-7c3a-7d4e-8f5a-000000000012","message_count":3,"open_count":0,"created_at":"2025-06-15T15:06:40.000Z","updated_at":"2025-06-15T15:06:45.000Z","active_at":"2025-06-15T15:06:45.000Z",
       "messages":[
        {"id":"018f2b1e-7c3a-7d4e-8f5a-000000000011","conversation_id":"018f2b1e-7c3a-7d4e-8f5a-000000000001","parent_id":null,"continues_id":null,"role":"user","content":"Why? ␀","content_raw":"V2h5PyAA","parts":[],"model":null,"state":"done","tokens_in":null,"tokens_out":null,"first_token_ms":null,"cost_micros":null,"metadata":null,"device_id":null,"created_at":"2025-06-15T15:06:41.000Z","updated_at":"2025-06-15T15:06:41.000Z","finished_at":"2025-06-15T15:06:41.000Z"},
        {"id":"018f2b1e-7c3a-7d4e-8f5a-000000000012","conversation_id":"018f2b1e-7c3a-7d4e-8f5a-000000000001","parent_id":"018f2b1e-7c3a-7d4e-8f5a-000000000011","continues_id":null,"role":"assistant","content":"A","content_raw":null,"parts":[{"kind":"image","name":"a.png","mime":"image/png","sha256":null,"bytes":null,"url":"https://example.invalid/a.png"}],"model":"local/a","state":"interrupted","tokens_in":5,"tokens_out":7,"first_token_ms":9,"cost_micros":11,"metadata":{"a":{"b":[1]}},"device_id":null,"created_at":"2025-06-15T15:06:42.000Z","updated_at":"2025-06-15T15:06:42.000Z","finished_at":"2025-06-15T15:06:42.000Z"},
        {"id":"018f2b1e-7c3a-7d4e-8f5a-000000000013","conversation_id":"018f2b1e-7c3a-7d4e-8f5a-000000000001","parent_id":"018f2b1e-7c3a-7d4e-8f5a-000000000011","continues_id":null,"role":"assistant","content":"B","content_raw":null,"parts":[],"model":"local/a","state":"done","tokens_in":5,"tokens_out":7,"first_token_ms":9,"cost_micros":11,"metadata":null,"device_id":null,"created_at":"2025-06-15T15:06:43.000Z","updated_at":"2025-06-15T15:06:43.000Z","finished_at":"2025-06-15T15:06:43.000Z"}]},
      {"id":"018f2b1e-7c3a-7d4e-8f5a-000000000002","title":"Two","title_by":"auto","model":null,"system_prompt":null,"pinned":false,"archived":true,"trashed_at":"2025-06-15T15:06:44.000Z",
       "origin":null,"continuation_id":null,"message_count":0,"open_count":0,"created_at":"2025-06-15T15:06:40.000Z","updated_at":"2025-06-15T15:06:44.000Z","active_at":"2025-06-15T15:06:44.000Z","messages":[]}]}"#;
    let whole: Value = serde_json::from_str(export).expect("JSON");
    let one = whole["conversations"][0].to_string();
    vec![Tree::file("tidemark.json", export), Tree::file("one.json", one)]
}

fn files(all: &[(&str, &str)]) -> Tree {
    Tree(all.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect())
}

/// Both generations, as JSON and as CSV.
pub(super) fn pharmgpt_supabase() -> Vec<Tree> {
    let users = r#"[{"id":"u-1","username":"marie_c","password_hash":"AB","salt":"cd","user_id":"legacy-1","email":""},
        {"id":"u-2","username":"bob","password_hash":"ef","salt":"01","user_id":"legacy-2","email":"b@example.invalid"}]"#;
    let inside = r#"[{"id":"r-1","conversation_id":"c-1","user_id":"u-1","title":"T","messages":"[{\"role\":\"user\",\"content\":\"Hi\",\"timestamp\":\"2025-09-12T17:30:00\"}]","model":"m","is_archived":true,"message_count":2},
        {"id":"r-2","conversation_id":"c-1","user_id":"u-2","title":"T","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}]"#;
    let csv = "id,conversation_id,user_id,title,messages,model,created_at,is_archived\nr-1,c-1,u-1,\"A, \"\"b\"\"\",\"\"\"[{\\\"\"role\\\"\":\\\"\"user\\\"\",\\\"\"content\\\"\":\\\"\"Hi\\\"\"}]\"\"\",m,2025-09-13 10:00:00.5+00,false\n";
    let rows = r#"[{"id":"c","user_id":"u","title":"T","is_pinned":true,"is_archived":false},{"id":"r-2","conversation_id":"c-2","user_uuid":"u-1","title":"U"}]"#;
    let messages = r#"[{"id":"q","conversation_id":"c","user_id":"u","role":"user","content":"Why?","created_at":"2025-10-01T10:00:00Z"},
        {"id":"a","conversation_id":"c","user_id":"u","role":"assistant","content":"A","created_at":"2025-10-01T10:00:01Z"},
        {"id":"m-3","conversation_uuid":"r-2","role":"user","content":"orphan","created_at":"2025-09-13T10:00:01.000002Z"}]"#;
    let answers = r#"[{"id":"ra","user_message_id":"q","branch_label":"A","content":"A","model_used":"m1","token_count":5},
        {"id":"rb","user_message_id":"q","branch_label":"B","content":"B","model_used":"m2","token_count":6}]"#;
    let chosen = r#"[{"conversation_id":"c","user_message_id":"q","active_response_id":"rb"}]"#;
    let documents = r#"[{"id":"d-1","document_id":"h","user_uuid":"u-1","conversation_id":"c","filename":"a.txt","file_type":"text/plain","file_size":0,"chunk_count":1,"content":"text"}]"#;
    vec![
        files(&[("users_rows.json", users), ("conversations_rows.json", inside)]),
        files(&[("users_rows.json", users), ("conversations_rows.csv", csv)]),
        files(&[
            ("conversations.json", rows),
            ("messages.json", messages),
            ("assistant_responses.json", answers),
            ("branch_selections.json", chosen),
            ("documents_rows.json", documents),
        ]),
    ]
}

/// Its tables, as JSON, CSV and SQL.
pub(super) fn xrs_rag() -> Vec<Tree> {
    let sessions = r#"[{"id":"s-1","session_id":"x-1","thread_id":"thread_abc","user_id":"u-1","session_title":"First","metadata":{"a":1},"created_at":"2025-08-01T10:00:00","last_message_at":"2025-08-01T19:00:02+09:00"},
        {"id":"s-2","session_id":"x-2","thread_id":null,"user_id":null,"session_title":"New Chat","created_at":"now()"}]"#;
    let messages = r#"[{"message_id":"m-2","session_id":"x-1","role":"assistant","content":"Answer","tokens_used":40,"cost_usd":0.0012,"metadata":{"method":"assistant_v2","thread_id":"thread_abc","run_id":"run_1","annotations":[{"file_id":"file-1"}]},"created_at":"2025-08-01T10:00:02Z"},
        {"message_id":"m-1","session_id":"s-1","role":"user","content":"Question","tokens_used":7,"cost_usd":0,"created_at":"2025-08-01T10:00:01Z","user_email":"a@example.invalid"},
        {"message_id":"m-4","session_id":"gone","role":"user","content":"Orphan","created_at":"2025-08-01T10:00:01Z"}]"#;
    let documents = r#"[{"document_id":"d-1","filename":"a.pdf","storage_path":"u/a.pdf","content_type":"application/pdf","size_bytes":9,"openai_file_id":"file-1","text_preview":"begins","status":"active","user_id":"u-1","created_at":"2025-08-01T09:00:00+09:00"}]"#;
    let usage = r#"[{"service":"openai","operation":"chat","related_id":"s-1","tokens":47,"cost_usd":0.0012,"success":true},
        {"user_id":"u-1","session_id":"x-1","tokens_used":3,"model":"gpt-4o","operation":"embed","created_at":"2025-08-01"}]"#;
    let csv = "message_id,session_id,role,content,tokens_used,cost_usd,metadata\nm,x-1,assistant,\"two\nlines\",40,0.0012,\"{\"\"run_id\"\": \"\"r\"\"}\"\n";
    let sql = "INSERT INTO chat_messages (message_id, session_id, role, content) VALUES ('m', 's-1', 'user', 'it''s'), ('n', 's-1', 'user', E'a\\nb');\n";
    let as_sql = "INSERT INTO \"public\".\"chat_sessions\" (\"id\", \"session_id\", \"session_title\", \"created_at\") VALUES ('s-1', 'x-1', 'First', '2025-08-01 10:00:00+00');\n";
    vec![
        files(&[
            ("chat_sessions.json", sessions),
            ("chat_messages.json", messages),
            ("documents.json", documents),
            ("usage_logs.json", usage),
        ]),
        files(&[("chat_sessions.json", sessions), ("chat_messages.csv", csv)]),
        files(&[("chat_sessions.sql", as_sql), ("chat_messages.sql", sql)]),
    ]
}
