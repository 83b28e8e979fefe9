//! Six writers and a reader: what a cursor over the scope's seq sees, and what one over `updated_at`
//! misses.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tidemark_tests::faults::{Rng, seed};
use tidemark_tests::stack::{Options, Stack};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{become_user, connect, sign_up};

const WRITERS: u64 = 6;
const ROWS: usize = 10_000;

/// Writes transactions of one to five rows, thinking 0 to 4 ms at each, and takes a fifth of them back,
/// until enough rows are committed. Answers with the ids that are.
async fn write(client: Client, user: Uuid, mut rng: Rng, committed: Arc<AtomicUsize>) -> Vec<Uuid> {
    let mut mine = Vec::new();
    while committed.load(Ordering::Relaxed) < ROWS {
        client.batch_execute("BEGIN").await.expect("a transaction");
        let mut rows = Vec::new();
        for _ in 0..=rng.below(5) {
            let id = Uuid::from_u64_pair(rng.draw(), rng.draw());
            think(rng.below(4_001));
            client
                .execute(
                    "INSERT INTO public.messages (user_id, id, conversation_id, role, content, state)
                     VALUES ($1, $2, $1, 'user', 'x', 'done')",
                    &[&user, &id],
                )
                .await
                .expect("a row");
            rows.push(id);
        }
        if rng.one_in(5) {
            client.batch_execute("ROLLBACK").await.expect("taken back");
        } else {
            client.batch_execute("COMMIT").await.expect("committed");
            committed.fetch_add(rows.len(), Ordering::Relaxed);
            mine.append(&mut rows);
        }
    }
    mine
}

/// For so many microseconds. Not tokio's sleep, which takes a millisecond more: the scope's lock makes
/// the writers wait for each other, so that would be half of this test's time.
fn think(micros: u64) {
    tokio::task::block_in_place(|| std::thread::sleep(Duration::from_micros(micros)));
}

/// Pulls by `sync_pull`, once more after the last write. Answers with the ids it was told.
async fn pull(client: Client, stop: Arc<AtomicBool>) -> HashSet<Uuid> {
    let (mut seen, mut cursor) = (HashSet::new(), Value::Null);
    loop {
        let last = stop.load(Ordering::Acquire);
        let text: String = client
            .query_one(
                "SELECT public.sync_pull($1::text::jsonb, 500)::text",
                &[&cursor.to_string()],
            )
            .await
            .expect("a page")
            .get(0);
        let page: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(page["known"], true, "the reader's own cursor is known");
        for change in page["changes"].as_array().expect("changes") {
            seen.insert(change[3].as_str().expect("an id").parse().expect("an id"));
        }
        cursor = page["cursor"].clone();
        if last && page["has_more"] == false {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The control: the cursor that most libraries use, `updated_at` and the id.
async fn read_by_time(client: Client, user: Uuid, stop: Arc<AtomicBool>) -> HashSet<Uuid> {
    let (mut seen, mut at, mut id) = (HashSet::new(), SystemTime::UNIX_EPOCH, Uuid::nil());
    loop {
        let last = stop.load(Ordering::Acquire);
        let rows = client
            .query(
                "SELECT updated_at, id FROM public.messages
                  WHERE user_id = $1 AND (updated_at, id) > ($2, $3)
                  ORDER BY updated_at, id
                  LIMIT 500",
                &[&user, &at, &id],
            )
            .await
            .expect("rows");
        for row in &rows {
            (at, id) = (row.get(0), row.get(1));
            seen.insert(id);
        }
        if last && rows.is_empty() {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn six_writers_and_a_pull_lose_nothing_where_a_cursor_over_time_loses_rows() {
    let seed = seed();
    let stack = Stack::launch(Options::quick()).await.expect("a stack");
    let owner = connect(&stack).await;
    let (user, session) = sign_up(&owner).await;
    let reader = connect(&stack).await;
    become_user(&reader, user, session).await;

    let (stop, committed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let pulling = tokio::spawn(pull(reader, Arc::clone(&stop)));
    let timing = tokio::spawn(read_by_time(connect(&stack).await, user, Arc::clone(&stop)));
    let mut writing = Vec::new();
    for writer in 0..WRITERS {
        let rng = Rng::new(seed ^ (writer << 32));
        writing.push(tokio::spawn(write(connect(&stack).await, user, rng, Arc::clone(&committed))));
    }
    let mut written = HashSet::new();
    for writer in writing {
        written.extend(writer.await.expect("a writer"));
    }
    stop.store(true, Ordering::Release);
    let (pulled, timed) = (pulling.await.expect("the reader"), timing.await.expect("the control"));

    assert!(written.len() >= ROWS, "{} rows were written", written.len());
    let lost = written.difference(&pulled).count();
    assert_eq!(lost, 0, "of {} rows; TIDEMARK_SEED={seed}", written.len());
    assert_eq!(pulled.difference(&written).count(), 0, "what was taken back is not told");
    let missed = written.difference(&timed).count();
    assert!(
        missed * 100 >= written.len(),
        "the control missed {missed} of {} rows, so this shows nothing; TIDEMARK_SEED={seed}",
        written.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_scope_seqs_are_committed_in_order_and_without_gaps() {
    let stack = Stack::launch(Options::quick()).await.expect("a stack");
    let owner = connect(&stack).await;
    let (user, _) = sign_up(&owner).await;
    let mut writers = Vec::new();
    for n in 0..4_u64 {
        let client = connect(&stack).await;
        writers.push(tokio::spawn(async move {
            for row in 0..50_u64 {
                let id = Uuid::from_u64_pair(n + 1, row);
                let rows = "INSERT INTO public.conversations (user_id, id) VALUES ($1, $2)";
                client.execute(rows, &[&user, &id]).await.expect("a row");
            }
        }));
    }
    for writer in writers {
        writer.await.expect("a writer");
    }
    let row = owner
        .query_one(
            "SELECT count(*), max(t.seq), (SELECT h.seq FROM sync.head AS h WHERE h.scope = $1),
                    count(DISTINCT t.nonce)
               FROM sync.txn AS t WHERE t.scope = $1 AND t.seq > 0",
            &[&user],
        )
        .await
        .expect("a row");
    let [count, max, head, nonces] = [0, 1, 2, 3].map(|column| row.get::<_, i64>(column));
    assert_eq!([count, max, head, nonces], [200; 4]);
}
