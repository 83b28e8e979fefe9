//! What a device reads.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidemark_core::model::wire::{Anchor, Cursor, Digests, Head, Hello, Listed, Manifest, Table};
use tidemark_core::sync::digest::{SyncDigest, content_hash, hex};
use tidemark_core::sync::failures::Fault;
use tidemark_core::sync::server::{Ask, Told};
use uuid::Uuid;

use super::super::server::refuse;
use super::{Entry, Mark, Model, Scope, ServerBug, Stored, Token};

impl Model {
    /// Whether the device that said hello in this session is in good standing.
    pub(super) fn standing(&self, user: Uuid, token: Token) -> Result<(), Fault> {
        let scope = self.scopes.get(&user);
        let bound = scope.and_then(|s| s.devices.values().find(|d| d.session == token.session));
        match bound {
            Some(device) if device.revoked => Err(refuse(403, "device_revoked")),
            Some(_) => Ok(()),
            None => Err(refuse(403, "device_unknown")),
        }
    }

    pub(super) fn hello(&mut self, user: Uuid, token: Token, id: Uuid) -> Result<Told, Fault> {
        let known = self.scope(user).devices.get(&id);
        if known.is_some_and(|device| device.revoked) {
            return Err(refuse(403, "device_revoked"));
        }
        if self.locked.contains(&user) {
            return Err(refuse(409, "55P03"));
        }
        if !self.scope(user).rows.contains_key(&(Table::Devices.code(), id)) {
            let number = self.next_number();
            let row = device_row(self.now_ms);
            self.put(user, number, (Table::Devices, id), row);
        }
        let (server_ms, bug) = (self.now_ms, self.bug);
        let scope = self.scope(user);
        for (other, device) in &mut scope.devices {
            if device.session == token.session && *other != id {
                device.session = 0;
            }
        }
        let device = scope.devices.entry(id).or_default();
        device.session = token.session;
        let acked_through = device.acked_through;
        let kept = scope.ledger.keys().filter(|(device, _)| *device == id).map(|(_, n)| *n);
        let numbered_through = kept.max().unwrap_or(acked_through).max(acked_through);
        Ok(Told::Hello(Hello {
            schema: [1, 1],
            server_ms,
            user_id: user,
            role: "user".into(),
            state: "active".into(),
            head: scope.told_head(bug),
            horizon: scope.horizon,
            acked_through,
            numbered_through,
        }))
    }

    pub(super) fn read(&mut self, user: Uuid, ask: &Ask) -> Result<Told, Fault> {
        if let Ask::Snapshot { known, .. } | Ask::Rows { known, .. } | Ask::Manifest { known, .. } =
            ask
            && !self.knows_or_forgot(user, *known)
        {
            return Err(refuse(409, "unknown_point"));
        }
        match ask {
            Ask::Pull { after, known, max } => {
                Told::page(self.pull(user, after.as_ref(), *known, *max))
            }
            Ask::Snapshot { table, after, max, .. } => {
                let after = after.as_ref().map(|after| after.0.clone());
                Told::snapshot(self.snapshot(user, *table, after, *max))
            }
            Ask::Rows { table, ids, .. } => Told::rows(self.rows(user, *table, ids)),
            Ask::Anchor { points } => Ok(Told::Anchor(self.anchor(user, points))),
            Ask::Manifest { table, after, max, .. } => {
                Ok(Told::Manifest(self.manifest(user, *table, *after, *max)))
            }
            Ask::Digest { after, max } => Ok(Told::Digests(self.digests(user, *after, *max))),
            Ask::Hello { .. } | Ask::Refresh | Ask::Push(_) => unreachable!("not a read"),
        }
    }

    fn pull(
        &mut self,
        user: Uuid,
        after: Option<&Cursor>,
        point: Option<Head>,
        max: u32,
    ) -> String {
        let (bug, now_ms) = (self.bug, self.now_ms);
        let known = self.knows_or_forgot(user, after.map(Cursor::head))
            && self.knows_or_forgot(user, point);
        let scope = self.scope(user);
        let after = after.filter(|cursor| cursor.seq != 0);
        let below = after.is_some_and(|cursor| cursor.seq < scope.horizon);
        let mut changes: Vec<_> = match known && !below {
            true => scope.changes_after(after, bug),
            false => Vec::new(),
        };
        let has_more = changes.len() > max as usize;
        changes.truncate(max as usize);
        let cursor = match (known && !below, changes.last()) {
            (false, _) => json!(after),
            (true, Some(last)) if has_more => scope.cursor_in(last, bug),
            (true, _) => scope.cursor_at_end(bug),
        };
        let columns: BTreeMap<&str, Vec<&str>> =
            Table::ALL.into_iter().map(|table| (table.name(), columns(table))).collect();
        let rows: Vec<_> = changes
            .iter()
            .map(|(code, id, entry)| {
                let table = Table::from_code(i64::from(*code)).expect("it is one of ours");
                let row = scope.rows.get(&(*code, *id)).map(|row| wire_row(table, *id, row));
                let op = if entry.mark == Mark::Here { "U" } else { "D" };
                json!([table.name(), entry.version(bug), op, id, row])
            })
            .collect();
        json!({
            "head": scope.told_head(bug), "horizon": scope.horizon, "server_ms": now_ms,
            "schema": [1, 1], "has_more": has_more, "known": known, "below_horizon": below,
            "columns": columns, "changes": rows, "cursor": cursor,
        })
        .to_string()
    }

    /// Whether it was at a point that a device saw; of one below its horizon nobody can tell.
    fn knows_or_forgot(&mut self, user: Uuid, point: Option<Head>) -> bool {
        let bug = self.bug;
        let scope = self.scope(user);
        point.is_none_or(|p| p.seq == 0 || p.seq < scope.horizon || scope.knows(p, bug))
    }

    fn snapshot(&mut self, user: Uuid, table: Table, after: Option<Value>, max: u32) -> String {
        let scope = self.scope(user);
        let timed = matches!(table, Table::Conversations | Table::Messages);
        let time = |row: &Stored| match table {
            Table::Conversations => row.updated_ms,
            Table::Messages => row.fields["created_ms"].as_i64().unwrap_or(0),
            _ => 0,
        };
        let mut rows: Vec<_> =
            scope.of(table).map(|(id, entry, row)| ((time(row), id), entry.seq, row)).collect();
        rows.sort_by_key(|(key, _, _)| *key);
        if timed {
            rows.reverse();
        }
        if let Some(after) = after {
            let id: Uuid = after["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
            let key = (after["at_ms"].as_i64().unwrap_or(0), id);
            rows.retain(|(other, _, _)| if timed { *other < key } else { *other > key });
        }
        let has_more = rows.len() > max as usize;
        rows.truncate(max as usize);
        let next = rows
            .last()
            .filter(|_| has_more)
            .map(|((at_ms, id), _, _)| json!({"at_ms": at_ms, "id": id}));
        let rows: Vec<_> = rows
            .iter()
            .map(|((_, id), seq, row)| json!([seq, id, wire_row(table, *id, row)]))
            .collect();
        json!({"columns": columns(table), "rows": rows, "after": next, "has_more": has_more})
            .to_string()
    }

    fn rows(&mut self, user: Uuid, table: Table, ids: &[Uuid]) -> String {
        let scope = self.scope(user);
        let rows: Vec<_> = scope
            .of(table)
            .filter(|(id, _, _)| ids.contains(id))
            .map(|(id, entry, row)| json!([entry.seq, id, wire_row(table, id, row)]))
            .collect();
        json!({"columns": columns(table), "rows": rows}).to_string()
    }

    fn anchor(&mut self, user: Uuid, points: &[Head]) -> Anchor {
        let scope = self.scope(user);
        let known = points.iter().filter(|point| scope.knows(**point, None)).max_by_key(|p| p.seq);
        Anchor { known: known.map(|point| (point.seq, point.nonce)), head: scope.head }
    }

    fn manifest(&mut self, user: Uuid, table: Table, after: Option<Uuid>, max: u32) -> Manifest {
        let scope = self.scope(user);
        let mut rows: Vec<_> = scope
            .of(table)
            .filter(|(id, _, _)| after.is_none_or(|after| *id > after))
            .map(|(id, entry, row)| Listed { id, seq: entry.seq, hash: hex(&hash(table, row)) })
            .collect();
        let has_more = rows.len() > max as usize;
        rows.truncate(max as usize);
        let count = after.is_none().then(|| scope.of(table).count() as i64);
        Manifest { rows, has_more, head: scope.head, count, user_id: user }
    }

    fn digests(&mut self, user: Uuid, after: Option<Uuid>, max: u32) -> Digests {
        let scope = self.scope(user);
        let mut ids: Vec<Uuid> = scope.of(Table::Conversations).map(|(id, _, _)| id).collect();
        ids.extend(scope.of(Table::Messages).filter_map(|(_, _, row)| conversation_of(row)));
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| after.is_none_or(|after| *id > after));
        let has_more = ids.len() > max as usize;
        ids.truncate(max as usize);
        let conversations = ids.into_iter().map(|id| (id, scope.conversation_digest(id))).collect();
        let others = after.is_none().then(|| {
            let others = Table::ALL.into_iter().skip(2);
            others.map(|table| (table.name().to_owned(), scope.table_digest(table))).collect()
        });
        Digests { conversations, others, has_more, head: scope.head }
    }
}

impl Scope {
    /// The rows of a table that are there, with their entries, by id.
    pub(super) fn of(&self, table: Table) -> impl Iterator<Item = (Uuid, &Entry, &Stored)> {
        let code = table.code();
        self.rows
            .range((code, Uuid::nil())..=(code, Uuid::max()))
            .map(|(key, row)| (key.1, self.change.get(key).expect("each row has its entry"), row))
    }

    /// The head, as a server with this bug tells it.
    pub(super) fn told_head(&self, bug: Option<ServerBug>) -> Head {
        match bug {
            Some(ServerBug::CursorOnSequence | ServerBug::CursorOnUpdatedAt) => {
                let seq = self.change.values().map(|entry| entry.version(bug)).max().unwrap_or(0);
                Head { seq, nonce: 0 }
            }
            _ => self.head,
        }
    }

    fn knows(&self, point: Head, bug: Option<ServerBug>) -> bool {
        match bug {
            // Cursors that are no versions have nothing to be checked by.
            Some(ServerBug::CursorOnSequence | ServerBug::CursorOnUpdatedAt) => true,
            Some(ServerBug::NonceIgnored) => point.seq <= self.head.seq,
            _ => self.txn.get(&point.seq).is_some_and(|(nonce, _)| *nonce == point.nonce),
        }
    }

    /// Whether it knows the point and has forgotten nothing above it.
    pub(super) fn still_knows(&self, point: Head, bug: Option<ServerBug>) -> bool {
        point.seq == 0 || point.seq >= self.horizon && self.knows(point, bug)
    }

    fn changes_after(
        &self,
        after: Option<&Cursor>,
        bug: Option<ServerBug>,
    ) -> Vec<(u8, Uuid, Entry)> {
        let place = after.map_or((0, 0, Uuid::nil()), |cursor| {
            let code = cursor.tbl.as_deref().and_then(Table::named).map_or(u8::MAX, Table::code);
            (cursor.seq, code, cursor.row_id.unwrap_or(Uuid::max()))
        });
        let mut changes: Vec<_> =
            self.change.iter().map(|((code, id), entry)| (*code, *id, *entry)).collect();
        let key = |(code, id, entry): &(u8, Uuid, Entry)| (entry.version(bug), *code, *id);
        changes.retain(|change| key(change) > place);
        changes.sort_by_key(key);
        changes
    }

    fn cursor_in(&self, (code, id, entry): &(u8, Uuid, Entry), bug: Option<ServerBug>) -> Value {
        let table = Table::from_code(i64::from(*code)).expect("it is one of ours");
        let nonce = self.txn.get(&entry.seq).map_or(0, |(nonce, _)| *nonce);
        json!({"seq": entry.version(bug), "nonce": nonce, "tbl": table.name(), "row_id": id})
    }

    fn cursor_at_end(&self, bug: Option<ServerBug>) -> Value {
        let Head { seq, nonce } = self.told_head(bug);
        json!({"seq": seq, "nonce": nonce, "tbl": null, "row_id": null})
    }

    fn conversation_digest(&self, conversation: Uuid) -> String {
        let own = self.of(Table::Conversations).filter(|(id, _, _)| *id == conversation);
        let messages = self
            .of(Table::Messages)
            .filter(|(_, _, row)| conversation_of(row) == Some(conversation));
        let mut sum = SyncDigest::default();
        let table = Table::Conversations;
        own.for_each(|(id, entry, row)| sum.row(table, id, entry.seq, &hash(table, row)));
        let table = Table::Messages;
        messages.for_each(|(id, entry, row)| sum.row(table, id, entry.seq, &hash(table, row)));
        sum.hex()
    }

    fn table_digest(&self, table: Table) -> String {
        let mut sum = SyncDigest::default();
        self.of(table)
            .for_each(|(id, entry, row)| sum.row(table, id, entry.seq, &hash(table, row)));
        sum.hex()
    }
}

fn hash(table: Table, row: &Stored) -> [u8; 32] {
    content_hash(table, &row.fields)
}

pub(super) fn conversation_of(row: &Stored) -> Option<Uuid> {
    row.fields.get("conversation_id")?.as_str()?.parse().ok()
}

fn columns(table: Table) -> Vec<&'static str> {
    let clocks = if table.registers().is_empty() { &[][..] } else { &["clocks"] };
    let fields = table.fields().iter().map(|field| field.name);
    ["id"].into_iter().chain(fields).chain(["updated_ms"]).chain(clocks.iter().copied()).collect()
}

fn wire_row(table: Table, id: Uuid, row: &Stored) -> Value {
    let value = |name: &str| match name {
        "id" => json!(id),
        "updated_ms" => json!(row.updated_ms),
        "clocks" => json!(row.clocks),
        field => row.fields.get(field).cloned().unwrap_or(Value::Null),
    };
    columns(table).into_iter().map(value).collect()
}

fn device_row(now_ms: i64) -> Stored {
    let fields = json!({
        "name": "", "platform": "linux", "app_version": "1", "created_ms": now_ms, "revoked_ms": null,
    });
    let clock = now_ms << 16;
    let clocks = ["name", "platform", "app_version"].map(|name| (name.to_owned(), clock)).into();
    Stored { fields: fields.as_object().cloned().unwrap_or_default(), clocks, updated_ms: now_ms }
}
