//! `tidemarkctl import`: whose data comes over, and what its documents and exit codes say.

mod counts;
mod people;
mod proof;
mod watch;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Terminal;
use tidemark_tests::model_server::Script;

fn terminal() -> Terminal {
    Terminal::new(Script::default())
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/legacy").join(name)
}

/// A folder of PharmGPT's: names with their ids, each with a conversation of two messages.
fn installation(users: &[(&str, &str)], orphans: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("user_data");
    std::fs::create_dir(&data).expect("a folder");
    let entry = |(name, id): &(&str, &str)| ((*name).to_owned(), json!({ "user_id": id }));
    let list: serde_json::Map<_, _> = users.iter().map(entry).collect();
    write(&data.join("users.json"), &Value::Object(list));
    for id in users.iter().map(|(_, id)| id).chain(orphans) {
        let theirs = data.join(format!("conversations_{id}"));
        if std::fs::create_dir(&theirs).is_ok() {
            let said = |role: &str| json!({ "role": role, "content": format!("of {id}"), "timestamp": "2025-09-12T17:30:00" });
            let one = json!({ "title": "One", "messages": [said("user"), said("assistant")], "created_at": "2025-09-12T17:30:00" });
            write(&theirs.join("conversations.json"), &json!({ "c-1": one }));
        }
    }
    folder
}

fn write(path: &Path, value: &Value) {
    std::fs::write(path, value.to_string()).expect("written");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
