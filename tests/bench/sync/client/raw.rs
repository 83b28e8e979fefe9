//! The limits: the same rows over the same way and into the same file, with nothing of sync around them.

use std::path::Path;

use anyhow::ensure;
use reqwest::{Client, RequestBuilder, Response};
use rusqlite::params;
use serde_json::{Value, json};
use tidemark_core::model::{ConversationId, Message, MessageId};
use tidemark_tests::device::{self, Person};
use uuid::Uuid;

use crate::corpus::Corpus;
use crate::sync::cost::{Cost, Stopwatch};
use crate::sync::filled::{MODIFIED_MS, sized};

/// Rows of one answer; a hosted project gives no more.
const PAGE: u64 = 1_000;
/// Rows of one transaction.
const BATCH: usize = 5_000;

/// Reads the peers' table, page by page.
pub(super) async fn read_table(person: &Person, rows: u64) -> anyhow::Result<Cost> {
    let speaker = Speaker::of(person).await?;
    let watch = Stopwatch::start();
    for first in (0..rows).step_by(PAGE as usize) {
        let from = time(first);
        let to = time(first + PAGE);
        let query = format!("select=*&_modified=gte.{from}&_modified=lt.{to}&order=_modified,id");
        let path = format!("/rest/v1/peer_messages?{query}");
        let mut response = checked(speaker.get(&path).send().await?).await?;
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await? {
            bytes += chunk.len();
        }
        ensure!(bytes > 100, "a page without rows");
    }
    Ok(watch.cost())
}

fn time(row: u64) -> String {
    let at = tidemark_core::model::Timestamp(MODIFIED_MS + row.cast_signed());
    at.to_rfc3339().replace('+', "%2B")
}

/// One call that inserts all rows.
pub(super) async fn push(person: &Person, count: u64) -> anyhow::Result<Cost> {
    let speaker = Speaker::of(person).await?;
    let conversation = Uuid::now_v7();
    let row = |n: u64| {
        json!({ "id": Uuid::now_v7(), "conversation_id": conversation, "role": "user",
                "content": sized(n), "state": "done", "clocks": {} })
    };
    let rows: Vec<Value> = (0..count).map(row).collect();
    let body = serde_json::to_vec(&json!({ "rows": rows }))?;
    let watch = Stopwatch::start();
    let request = speaker.post("/rest/v1/rpc/bench_insert").body(body);
    let answer = checked(request.send().await?).await?.text().await?;
    let cost = watch.cost();
    ensure!(answer.trim() == count.to_string(), "inserted {answer} of {count}");
    Ok(cost)
}

/// Somebody's requests.
struct Speaker {
    client: Client,
    url: String,
    anon_key: String,
    token: String,
}

impl Speaker {
    async fn of(person: &Person) -> anyhow::Result<Self> {
        let token = person.session().await?.access.expose().to_owned();
        // Nothing here is encrypted, and the client wants to know how all the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build()?;
        let (url, anon_key) = (person.url.clone(), person.anon_key.clone());
        Ok(Self { client, url, anon_key, token })
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.signed(self.client.get(format!("{}{path}", self.url)))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.url));
        self.signed(request).header("content-type", "application/json")
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("apikey", &self.anon_key).bearer_auth(&self.token)
    }
}

async fn checked(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    anyhow::bail!("{status}: {}", response.text().await?)
}

/// Writes rows into a new mirror, a few thousand at a time, and nothing but the rows.
pub(super) fn insert(folder: &Path, rows: u64) -> anyhow::Result<Cost> {
    let mirror = device::open(folder)?;
    let messages = messages(rows);
    let watch = Stopwatch::start();
    for batch in messages.chunks(BATCH) {
        mirror.write(|write| {
            let mut statement = write.tx.prepare_cached(
                "INSERT INTO messages (rowid, id, conversation_id, parent_id, role, content, state,
                                       created_ms, updated_ms, clocks, server_seq)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '{}', 1)",
            )?;
            for message in batch {
                statement.execute(params![
                    message.created_at.0 << 16,
                    message.id,
                    message.conversation_id,
                    message.parent_id,
                    message.role,
                    message.content,
                    message.state,
                    message.created_at,
                    message.updated_at,
                ])?;
            }
            Ok(())
        })?;
    }
    Ok(watch.cost())
}

/// Rows like those of the server: twenty in a conversation.
fn messages(rows: u64) -> Vec<Message> {
    let mut corpus = Corpus::new();
    let mut all = Vec::new();
    let mut parent: Option<MessageId> = None;
    let mut conversation = ConversationId(Uuid::nil());
    for n in 0..rows {
        if n % 20 == 0 {
            (conversation, parent) = (corpus.conversation_id(), None);
        }
        let mut message = corpus.messages(conversation, parent, 1).remove(0);
        message.content = sized(n);
        parent = Some(message.id);
        all.push(message);
    }
    all
}
