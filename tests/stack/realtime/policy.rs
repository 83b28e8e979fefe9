//! Who may hear and who may speak: asked of the policies on `realtime.messages`, as the caller, in a
//! transaction that is rolled back.

use serde_json::Value;
use tokio_postgres::Transaction;
use uuid::Uuid;

use crate::stack::db::Pool;

/// What the policies let a caller hear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hearing {
    pub(super) broadcast: bool,
    pub(super) presence: bool,
}

impl Hearing {
    pub(super) fn any(self) -> bool {
        self.broadcast || self.presence
    }
}

/// Asks with a row of each kind. A policy that fails, or a role that does not exist, says no.
pub(super) async fn may_read(db: &Pool, claims: &Value, topic: &str, presence: bool) -> Hearing {
    let asked = ask_to_read(db, claims, topic, presence).await;
    asked.inspect_err(|error| tracing::debug!(%error, topic, "a read policy")).unwrap_or_default()
}

async fn ask_to_read(
    db: &Pool,
    claims: &Value,
    topic: &str,
    presence: bool,
) -> anyhow::Result<Hearing> {
    let mut db = db.get().await?;
    let tx = db.transaction().await?;
    let kinds: &[&str] = if presence { &["broadcast", "presence"] } else { &["broadcast"] };
    let rows = tx
        .query(
            "INSERT INTO realtime.messages (topic, extension)
             SELECT $1, kind FROM unnest($2::text[]) kind
             RETURNING id",
            &[&topic, &kinds],
        )
        .await?;
    let probes: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    become_caller(&tx, claims, topic).await?;
    let sql = "SELECT extension FROM realtime.messages WHERE id = ANY ($1)";
    let seen = tx.query(sql, &[&probes]).await?;
    let sees = |kind| seen.iter().any(|row| row.get::<_, &str>(0) == kind);
    let hearing = Hearing { broadcast: sees("broadcast"), presence: sees("presence") };
    tx.rollback().await?;
    Ok(hearing)
}

/// Asks by sending one.
pub(super) async fn may_write(db: &Pool, claims: &Value, topic: &str) -> bool {
    let ask = async {
        let mut db = db.get().await?;
        let tx = db.transaction().await?;
        become_caller(&tx, claims, topic).await?;
        let sql = "INSERT INTO realtime.messages (topic, extension) VALUES ($1, 'broadcast')";
        tx.execute(sql, &[&topic]).await?;
        tx.rollback().await?;
        anyhow::Ok(())
    };
    ask.await.inspect_err(|error| tracing::debug!(%error, topic, "a write policy")).is_ok()
}

async fn become_caller(tx: &Transaction<'_>, claims: &Value, topic: &str) -> anyhow::Result<()> {
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    tx.query_one(
        "SELECT set_config('realtime.topic', $1, true),
                set_config('request.jwt.claims', $2, true),
                set_config('request.jwt.claim.sub', $3, true),
                set_config('request.jwt.claim.role', $4, true),
                set_config('request.headers', '{}', true),
                set_config('role', $4, true)",
        &[&topic, &claims.to_string(), &text("sub"), &text("role")],
    )
    .await?;
    Ok(())
}
