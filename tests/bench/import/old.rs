//! What PharmGPT 4 would have left of one busy person.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tidemark_core::model::{Role, Timestamp};

use crate::corpus::Corpus;

/// Messages altogether.
pub(crate) const MESSAGES: usize = 100_000;
/// Messages of a conversation.
const EACH: usize = 100;
/// MD5 of the name, as the program made its ids.
const ID: &str = "90a16d9a9b4ea9fd2b3d70df9b5f8f48";

/// A user's data.
pub(crate) struct Data {
    /// The program's folder.
    pub(crate) root: PathBuf,
    /// The file that the program read for everything.
    pub(crate) file: PathBuf,
    /// The ids of the conversations.
    pub(crate) ids: Vec<String>,
}

impl Data {
    /// Writes it as Python does: two blanks, and ASCII alone.
    pub(crate) fn write(root: &Path) -> anyhow::Result<Self> {
        let chats = root.join(format!("user_data/conversations_{ID}"));
        fs::create_dir_all(&chats)?;
        let users = json!({ "busy": { "user_id": ID, "password_hash": "00", "salt": "00", "created_at": "2025-09-12T05:10:00" } });
        fs::write(root.join("user_data/users.json"), serde_json::to_vec_pretty(&users)?)?;
        let mut corpus = Corpus::new();
        let (mut all, mut ids) = (Map::new(), Vec::new());
        for number in 0..MESSAGES / EACH {
            let id = corpus.conversation_id();
            let messages = corpus.messages(id, None, EACH);
            let said: Vec<Value> = messages
                .iter()
                .map(|message| json!({ "role": role(message.role), "content": message.content, "timestamp": time(message.created_at) }))
                .collect();
            let title = format!("Conversation {number}");
            let created = time(messages[0].created_at);
            ids.push(id.to_string());
            all.insert(id.to_string(), json!({ "title": title, "messages": said, "created_at": created, "model": "meta-llama/llama-4" }));
        }
        let file = chats.join("conversations.json");
        let mut out = BufWriter::new(File::create(&file)?);
        serde_json::to_writer_pretty(&mut out, &all)?;
        out.flush()?;
        Ok(Self { root: root.to_owned(), file, ids })
    }
}

fn role(role: Role) -> &'static str {
    if role == Role::User { "user" } else { "assistant" }
}

/// As `datetime.isoformat()` has it: no zone.
fn time(at: Timestamp) -> String {
    at.to_rfc3339().chars().take(19).collect()
}
