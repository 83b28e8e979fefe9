//! Broadcasts of the database on their way out: after the commit, in the order of commits, at most
//! once. What is committed while the feed is not connected is never told, as with the real server.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::poll_fn;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Config, NoTls, Row};
use tokio_util::sync::CancellationToken;

use super::Realtime;
use super::frame::{Broadcast, Content};
use crate::stack::gateway::Gateway;

/// How often partitions are looked after.
const UPKEEP: Duration = Duration::from_secs(3600);

/// The connection to the database.
pub(in crate::stack) struct Feed {
    pub(in crate::stack) database: Config,
    pub(in crate::stack) gateway: Arc<Gateway>,
}

impl Feed {
    /// Runs until `stop`, and connects again when the database comes back.
    pub(in crate::stack) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                ended = self.follow() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "the feed of broadcasts broke off");
                    }
                }
                () = stop.cancelled() => return,
            }
            self.realtime().feeding.send_replace(false);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    fn realtime(&self) -> &Realtime {
        &self.gateway.realtime
    }

    async fn follow(&self) -> anyhow::Result<()> {
        let (client, mut connection) = self.database.connect(NoTls).await?;
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut messages = poll_fn(move |context| connection.poll_message(context));
        let listening = tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(note) = message {
                    // The other end is gone only when all of this is.
                    let _ = tell.send(note.payload().to_owned());
                }
            }
        });
        let _ends_with_us = AbortOnDrop(listening);
        client.batch_execute("SELECT realtime.stack_partitions(); LISTEN stack_realtime").await?;
        self.realtime().feeding.send_replace(true);
        let mut upkeep = tokio::time::interval(UPKEEP);
        loop {
            let mut notes = Vec::new();
            tokio::select! {
                count = told.recv_many(&mut notes, 256) => {
                    anyhow::ensure!(count > 0, "the database is away");
                    self.pass_on(&client, &notes).await?;
                }
                _ = upkeep.tick() => {
                    client.batch_execute("SELECT realtime.stack_partitions()").await?;
                }
            }
        }
    }

    /// Reads the rows that the notes name, and tells them in their order.
    async fn pass_on(
        &self,
        client: &tokio_postgres::Client,
        notes: &[String],
    ) -> anyhow::Result<()> {
        let (ids, times): (Vec<&str>, Vec<&str>) =
            notes.iter().filter_map(|note| note.split_once(' ')).unzip();
        let rows = client
            .query(
                "SELECT m.topic, m.event, m.private, m.payload::text, m.binary_payload, m.id
                   FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS told (id, at, n)
                   JOIN realtime.messages m
                     ON m.id = told.id::uuid AND m.inserted_at = told.at::timestamp
                  WHERE NOT m.skip_broadcast
                  ORDER BY told.n",
                &[&ids, &times],
            )
            .await?;
        for broadcast in rows.iter().filter_map(of_row) {
            if !self.gateway.faults.loses_a_broadcast() {
                self.realtime().tell(broadcast);
            }
        }
        Ok(())
    }
}

/// A row of `realtime.messages`, read as topic, event, private, payload, binary payload, id.
pub(super) fn of_row(row: &Row) -> Option<Broadcast> {
    let content = match (row.get::<_, Option<String>>(3), row.get::<_, Option<Vec<u8>>>(4)) {
        (Some(json), _) => Content::Json(json),
        (None, Some(bytes)) => Content::Binary(bytes),
        (None, None) => return None,
    };
    Some(Broadcast {
        topic: row.get(0),
        event: row.get::<_, Option<String>>(1)?,
        private: row.get::<_, Option<bool>>(2)?,
        content,
        id: Some(row.get(5)),
        is_plain: false,
        from: None,
    })
}

/// A task that ends with its owner.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
