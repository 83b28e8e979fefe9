//! A server with people who have written much.
//!
//! Rows are written by SQL, as a restore would, and go through the same triggers as everybody's. What the
//! peers read is a table of its own with the same columns and one more of each that RxDB asks for,
//! with the index that their queries want.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;
use tidemark_core::model::ConversationId;
use tidemark_tests::device::Person;
use tidemark_tests::stack::{Durability, Options, Stack};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::corpus::Corpus;

/// Bytes of a message.
pub(crate) const BYTES: usize = 450;
/// Messages of a conversation.
pub(crate) const IN_CONVERSATION: u64 = 20;
/// When the first row of the peers' table was modified; the others follow by the millisecond.
pub(crate) const MODIFIED_MS: i64 = 1_760_000_000_000;
/// Texts that differ.
const TEXTS: usize = 1_000;
/// Rows of one transaction.
const BATCH: u64 = 100_000;

/// The nth id of a kind, in the order of time, and the nth moment.
const HELPERS: &str = "
    CREATE FUNCTION pg_temp.at(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
        $$ SELECT timestamptz '2025-01-01Z' + n * interval '20 s' $$;
    CREATE FUNCTION pg_temp.id(n bigint, kind bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
        $$ SELECT (lpad(to_hex(1735689600000 + n * 20000), 12, '0') || '7' || lpad(to_hex(kind), 3, '0')
                   || '8' || substr(md5(n::text), 1, 15))::uuid $$;";

/// A text of [`BYTES`] bytes; there are a thousand.
pub(crate) fn sized(n: u64) -> String {
    texts()[n as usize % TEXTS].clone()
}

fn texts() -> &'static [String] {
    static TEXT: OnceLock<Vec<String>> = OnceLock::new();
    TEXT.get_or_init(|| {
        let prose = Corpus::new().messages(ConversationId(Uuid::nil()), None, 4 * TEXTS);
        let prose = prose.into_iter().map(|message| message.content).collect::<Vec<_>>().join(" ");
        (0..TEXTS).map(|n| prose[n * BYTES..(n + 1) * BYTES].to_owned()).collect()
    })
}

/// The server of a run.
pub(crate) struct Filled {
    stack: Stack,
    client: Client,
    people: u64,
}

impl Filled {
    /// An empty one.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let options = Options { durability: Durability::Disk, ..Options::quick() };
        let stack = Stack::launch(options).await?;
        let (applied, file) = (stack.clone(), table());
        tokio::task::spawn_blocking(move || applied.apply(&[file])).await??;
        let (client, connection) = tokio_postgres::connect(&stack.database_url(), NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(HELPERS).await?;
        client
            .execute(
                "CREATE TEMP TABLE texts AS
                 SELECT t.n - 1 AS place, t.text FROM unnest($1::text[]) WITH ORDINALITY AS t (text, n)",
                &[&texts()],
            )
            .await?;
        Ok(Self { stack, client, people: 0 })
    }

    /// Somebody new, with so many messages.
    pub(crate) async fn person(&mut self, messages: u64) -> anyhow::Result<Person> {
        self.people += 1;
        let email = format!("person-{}@example.com", self.people);
        let (url, key) = (self.stack.url(), self.stack.anon_key().to_owned());
        let (person, user) = Person::sign_up(&url, &key, &email).await?;
        for first in (0..messages).step_by(BATCH as usize) {
            let count = BATCH.min(messages - first);
            self.write(user, first, count).await.with_context(|| format!("rows from {first}"))?;
        }
        self.client.batch_execute("ANALYZE").await?;
        Ok(person)
    }

    /// The same rows once more, where peers look.
    pub(crate) async fn for_peers(&self, person: &Person, messages: u64) -> anyhow::Result<()> {
        let user = person.session().await?.user.id;
        self.client
            .execute(
                "INSERT INTO public.peer_messages
                    (id, user_id, conversation_id, parent_id, role, content, model, state,
                     tokens_in, tokens_out, first_token_ms, created_at, finished_at, updated_at, _modified)
                 SELECT m.id, m.user_id, m.conversation_id, m.parent_id, m.role, m.content, m.model,
                        m.state, m.tokens_in, m.tokens_out, m.first_token_ms, m.created_at,
                        m.finished_at, m.updated_at,
                        to_timestamp($2::bigint / 1000)
                            + (row_number() OVER (ORDER BY m.created_at) - 1) * interval '1 ms'
                   FROM public.messages AS m
                  WHERE m.user_id = $1::uuid
                  LIMIT $3::bigint",
                &[&user, &MODIFIED_MS, &messages.cast_signed()],
            )
            .await?;
        self.client.batch_execute("VACUUM ANALYZE public.peer_messages").await?;
        Ok(())
    }

    /// What the peers sent goes: the next turn finds the table as this one did.
    pub(crate) async fn forget_pushed(&self) -> anyhow::Result<()> {
        let pushed = "DELETE FROM public.peer_messages WHERE model = 'pushed'";
        self.client.batch_execute(pushed).await?;
        Ok(())
    }

    /// A person's rows as the lines of a PowerSync service, which nobody has to be asked for.
    pub(crate) async fn rows(
        &self,
        person: &Person,
    ) -> anyhow::Result<Vec<(String, Uuid, String)>> {
        let user = person.session().await?.user.id;
        let rows = self
            .client
            .query(
                "SELECT 'conversations', c.id, (to_jsonb(c) - 'user_id')::text
                   FROM public.conversations AS c WHERE c.user_id = $1
                 UNION ALL
                 SELECT 'messages', m.id, (to_jsonb(m) - 'user_id')::text
                   FROM public.messages AS m WHERE m.user_id = $1",
                &[&user],
            )
            .await?;
        Ok(rows.into_iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
    }

    async fn write(&self, user: Uuid, first: u64, count: u64) -> anyhow::Result<()> {
        let [first, last] = [first, first + count - 1].map(u64::cast_signed);
        let each = IN_CONVERSATION.cast_signed();
        self.client
            .execute(
                "INSERT INTO public.conversations
                    (user_id, id, title, title_by, clocks, created_at, updated_at)
                 SELECT $1::uuid, pg_temp.id(c, 1), 'Chat ' || c, 'auto', '{\"title\": 1}',
                        pg_temp.at(c * $4::bigint), pg_temp.at(c * $4::bigint + $4::bigint - 1)
                   FROM generate_series($2::bigint / $4::bigint, $3::bigint / $4::bigint) AS c",
                &[&user, &first, &last, &each],
            )
            .await?;
        self.client
            .execute(
                "INSERT INTO public.messages
                    (user_id, id, conversation_id, parent_id, role, content, model, state,
                     tokens_in, tokens_out, first_token_ms, clocks, created_at, finished_at, updated_at)
                 SELECT $1::uuid, pg_temp.id(n, 2), pg_temp.id(n / $4::bigint, 1),
                        CASE WHEN n % $4::bigint > 0 THEN pg_temp.id(n - 1, 2) END,
                        CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END, t.text,
                        CASE n % 2 WHEN 1 THEN 'local/SmolLM2-135M-Instruct.Q4_1' END, 'done',
                        CASE n % 2 WHEN 1 THEN 180 END, CASE n % 2 WHEN 1 THEN 120 END,
                        CASE n % 2 WHEN 1 THEN 310 END, '{\"metadata\": 0, \"trashed_ms\": 0}',
                        pg_temp.at(n), pg_temp.at(n), pg_temp.at(n)
                   FROM generate_series($2::bigint, $3::bigint) AS n
                   JOIN texts AS t ON t.place = n % 1000",
                &[&user, &first, &last, &each],
            )
            .await?;
        Ok(())
    }
}

fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers/table.sql")
}
