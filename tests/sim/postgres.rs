//! The functions themselves, in a real PostgreSQL, as the world's server.
//!
//! Each request is a transaction of its own in one of several sessions, as PostgREST makes it: claims, role,
//! call. Scripts have sessions whose transactions stay open meanwhile, so that requests read beside what is
//! not committed and find locks that are held. The database's clock and dice are the simulator's
//! (`setup.sql`), so that a seed leaves the same trace twice. Restores put the users' rows back
//! ([`backup`]). Signing in is the same model as the other server's ([`super::auth`]), with its sessions
//! where the functions look for them.

mod backup;
mod call;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tidemark_core::model::wire::Head;
use tidemark_core::sync::failures::Fault;
use tidemark_core::sync::server::{Ask, Told};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use uuid::Uuid;

use super::auth::Auth;
use super::server::{Open, Row, Server, Sight, Stored, Token};
use crate::faults::Rng;
use crate::stack::{Options, Stack};
use call::{document, id, text};

/// Sessions that requests come in by.
const CALLERS: usize = 3;
/// How long a request waits for a lock before it is refused: whoever holds it is not going on meanwhile.
const LOCK_MS: u32 = 30;

/// A server, started once for many lives.
pub struct Postgres {
    runtime: Runtime,
    /// The superuser: for what no request does.
    owner: Client,
    callers: Vec<Client>,
    /// Sessions of scripts that nobody uses now.
    idle: Vec<Client>,
    open: BTreeMap<Open, (Uuid, Client)>,
    opened: Open,
    life: Life,
    // Ends after everything that is connected to it.
    stack: Stack,
}

/// What belongs to one seed.
#[derive(Debug, Default)]
struct Life {
    seed: u64,
    now_ms: i64,
    users: Vec<Uuid>,
    auth: Auth,
    chance: Option<Rng>,
    backup: Option<Auth>,
    heads: BTreeMap<Uuid, Head>,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("life", &self.life).finish_non_exhaustive()
    }
}

impl Postgres {
    /// Starts one with our migrations.
    ///
    /// # Errors
    /// Where PostgreSQL is not here, or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let stack = Stack::start(Options::quick())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let owner = connect(&runtime, &stack.superuser_url())?;
        runtime.block_on(owner.batch_execute(include_str!("postgres/setup.sql")))?;
        runtime.block_on(owner.batch_execute(&backup::room()))?;
        let callers = (0..CALLERS).map(|_| connect(&runtime, &stack.database_url()));
        let callers = callers.collect::<anyhow::Result<_>>()?;
        Ok(Self {
            runtime,
            owner,
            callers,
            idle: Vec::new(),
            open: BTreeMap::new(),
            opened: 0,
            life: Life::default(),
            stack,
        })
    }

    /// What must not fail: nobody else holds a lock, and it is our own SQL.
    fn must(&self, sql: &str) -> Vec<SimpleQueryMessage> {
        let rows = self.runtime.block_on(self.owner.simple_query(sql));
        rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// One transaction in a session; rolled back where it fails.
    fn transaction(&self, client: &Client, sql: &str) -> Result<Option<String>, Fault> {
        let sql = format!("BEGIN; {} {sql}; COMMIT", self.settings());
        match self.runtime.block_on(client.simple_query(&sql)) {
            Ok(rows) => Ok(last_value(&rows)),
            Err(error) => {
                let fault = call::fault(&error);
                let undone = self.runtime.block_on(client.batch_execute("ROLLBACK"));
                undone.expect("the session goes on");
                Err(fault)
            }
        }
    }

    /// The time, the chance, and how long to wait.
    fn settings(&self) -> String {
        let Life { now_ms, seed, .. } = self.life;
        format!(
            "SET LOCAL lock_timeout = {LOCK_MS}; SET LOCAL sim.now_ms = {now_ms}; SET LOCAL sim.seed = {seed};"
        )
    }

    /// A call as this user, in a session that a device or the account page has.
    fn call_as(&self, user: Uuid, session: u64, expression: &str) -> Result<String, Fault> {
        let claims =
            json!({"sub": user, "session_id": session_id(session), "role": "authenticated"});
        let sql = format!(
            "SET LOCAL request.jwt.claims = {}; SET LOCAL ROLE authenticated; SELECT ({expression})::text",
            text(&claims.to_string())
        );
        let client = &self.callers[session as usize % CALLERS];
        self.transaction(client, &sql).map(|value| value.expect("a call answers"))
    }

    /// Sessions in the database as Auth has them.
    fn note_session(&self, session: u64, user: Uuid) {
        let (session, user) = (id(Some(session_id(session))), id(Some(user)));
        self.must(&format!(
            "INSERT INTO auth.sessions (id, user_id) VALUES ({session}, {user}) ON CONFLICT DO NOTHING"
        ));
    }

    fn draw(&mut self) -> u64 {
        self.life.chance.as_mut().expect("a life has begun").draw()
    }
}

fn connect(runtime: &Runtime, url: &str) -> anyhow::Result<Client> {
    let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
    // It ends with the client.
    runtime.spawn(connection);
    Ok(client)
}

fn last_value(rows: &[SimpleQueryMessage]) -> Option<String> {
    rows.iter().rev().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}

fn session_id(session: u64) -> Uuid {
    Uuid::from_u64_pair(0x5e55_1000_0000_7000, session | 1 << 63)
}

impl Server for Postgres {
    fn begin_life(&mut self, seed: u64, now_ms: i64, users: &[Uuid]) {
        self.roll_back_all();
        if !self.life.users.is_empty() {
            let before = backup::list(&self.life.users);
            self.must(&format!("DELETE FROM auth.users WHERE id IN ({before})"));
        }
        let (users, chance) = (users.to_vec(), Some(Rng::new(seed)));
        self.life = Life { seed, now_ms, users, chance, ..Life::default() };
        let settings = self.settings().replace("SET LOCAL", "SET");
        self.must(&format!("{settings} ALTER SEQUENCE sim.chance RESTART"));
        for user in self.life.users.clone() {
            self.must(&format!(
                "INSERT INTO auth.users (instance_id, id, aud, role, email)
                 VALUES ({}, {}, 'authenticated', 'authenticated', '{user}@example.org')",
                id(Some(Uuid::nil())),
                id(Some(user))
            ));
        }
        self.rings();
    }

    fn set_time(&mut self, now_ms: i64) {
        self.life.now_ms = now_ms;
    }

    fn sign_in(&mut self, user: Uuid) -> Token {
        let chance = self.draw();
        let token = self.life.auth.sign_in(user, self.life.now_ms, chance);
        self.note_session(token.session, user);
        token
    }

    fn refresh(&mut self, token: Token) -> Result<Token, Fault> {
        let refreshed = self.life.auth.refresh(token, self.life.now_ms);
        if refreshed.is_err() {
            let session = id(Some(session_id(token.session)));
            self.must(&format!("DELETE FROM auth.sessions WHERE id = {session}"));
        }
        refreshed
    }

    fn ask(&mut self, token: Token, ask: &Ask) -> Result<Told, Fault> {
        // PostgREST looks whether it has expired; whether its session goes on is the functions' to say.
        let user = self.life.auth.check(token, self.life.now_ms)?;
        let text = self.call_as(user, token.session, &call::expression(ask))?;
        call::told(ask, text)
    }

    fn rings(&mut self) -> Vec<(Uuid, i64)> {
        let users = self.life.users.clone();
        let heads = users.into_iter().map(|user| (user, self.head(user)));
        let heads: BTreeMap<Uuid, Head> = heads.collect();
        let before = std::mem::replace(&mut self.life.heads, heads.clone());
        let moved = heads.into_iter().filter(|(user, head)| before.get(user) != Some(head));
        moved.map(|(user, head)| (user, head.seq)).collect()
    }

    fn begin(&mut self, user: Uuid, rows: Vec<Row>) -> Option<Open> {
        let client = self.idle.pop().unwrap_or_else(|| {
            connect(&self.runtime, &self.stack.superuser_url())
                .expect("the database takes one more")
        });
        let inserts: String = rows.iter().map(|row| insert(user, row)).collect();
        let sql = format!("BEGIN; {} {inserts}", self.settings());
        if self.runtime.block_on(client.batch_execute(&sql)).is_err() {
            self.roll_back(client);
            return None;
        }
        self.opened += 1;
        self.open.insert(self.opened, (user, client));
        Some(self.opened)
    }

    fn commit(&mut self, open: Open) {
        let Some((_, client)) = self.open.remove(&open) else { return };
        self.runtime.block_on(client.batch_execute("COMMIT")).expect("it holds its lock");
        self.idle.push(client);
    }

    fn back_up(&mut self) {
        self.must(&backup::take(&self.life.users));
        self.life.backup = Some(self.life.auth.clone());
    }

    fn restore(&mut self, with_auth: bool, same_number: Option<Uuid>) {
        let Some(auth) = self.life.backup.take() else { return };
        self.roll_back_all();
        self.must(&backup::put_back(&self.life.users, with_auth, same_number));
        if with_auth {
            self.life.auth = auth;
        }
        // A restore rings nobody.
        self.rings();
    }

    fn move_horizon(&mut self, age_ms: i64) {
        for user in self.life.users.clone() {
            let user = id(Some(user));
            // Refused while a script has the scope: then it does not move this time.
            let _ = self.transaction(
                &self.owner,
                &format!(
                    "UPDATE sync.txn SET at = at - interval '90 days'
                      WHERE scope = {user} AND at < now() - {age_ms} * interval '1 millisecond';
                     SELECT sync.move_horizon({user})"
                ),
            );
        }
    }

    fn revoke(&mut self, user: Uuid, device: Uuid) -> bool {
        let chance = self.draw();
        let page = self.life.auth.sign_in(user, self.life.now_ms, chance);
        self.note_session(page.session, user);
        let call = format!("public.revoke_device({})", id(Some(device)));
        // One that never said hello is not there to be revoked.
        let answer = self.call_as(user, page.session, &call).unwrap_or_default();
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        answer["revoked"] == true
    }

    fn head(&mut self, user: Uuid) -> Head {
        let sql =
            format!("SELECT seq || ' ' || nonce FROM sync.head WHERE scope = {}", id(Some(user)));
        let found = last_value(&self.must(&sql)).expect("each user has a scope");
        let (seq, nonce) = found.split_once(' ').expect("two numbers");
        let number = |text: &str| text.parse().expect("a number");
        Head { seq: number(seq), nonce: number(nonce) }
    }

    fn sight(&mut self, user: Uuid) -> Sight {
        let scope = id(Some(user));
        let mut sight = Sight::default();
        let changes = self.must(&format!(
            "SELECT c.tbl, c.row_id, c.seq,
                    (SELECT w.fields::text FROM sync.wire AS w
                      WHERE c.op = 'U' AND w.code = c.tbl AND w.user_id = c.scope AND w.id = c.row_id)
               FROM sync.change AS c
              WHERE c.scope = {scope}"
        ));
        for row in rows(&changes) {
            let key =
                (number(row, 0) as u8, row.get(1).and_then(|id| id.parse().ok()).expect("an id"));
            match row.get(3) {
                Some(fields) => drop(sight.rows.insert(key, (number(row, 2), stored(fields)))),
                None => drop(sight.deleted.insert(key)),
            }
        }
        let kept = self.must(&format!(
            "SELECT device_id, count(*) FROM sync.ledger WHERE user_id = {scope} GROUP BY device_id"
        ));
        for row in rows(&kept) {
            let device = row.get(0).and_then(|id| id.parse().ok()).expect("an id");
            sight.outcomes.insert(device, number(row, 1) as usize);
        }
        sight
    }
}

impl Postgres {
    fn roll_back(&mut self, client: Client) {
        self.runtime.block_on(client.batch_execute("ROLLBACK")).expect("the session goes on");
        self.idle.push(client);
    }

    fn roll_back_all(&mut self) {
        for (_, (_, client)) in std::mem::take(&mut self.open) {
            self.roll_back(client);
        }
    }
}

fn insert(user: Uuid, (table, row_id, row): &Row) -> String {
    assert_eq!(table.name(), "settings", "scripts write settings");
    let field = |name: &str| row.fields[name].as_str().expect("a text").to_owned();
    let (key, value) = (text(&field("key")), text(&field("value")));
    let clocks = document(&json!(row.clocks));
    format!(
        "INSERT INTO public.user_preferences (user_id, id, key, value, clocks, updated_at)
         VALUES ({}, {}, {key}, {value}::jsonb, {clocks},
                 timestamptz 'epoch' + {} * interval '1 millisecond');",
        id(Some(user)),
        id(Some(*row_id)),
        row.updated_ms
    )
}

fn rows(messages: &[SimpleQueryMessage]) -> impl Iterator<Item = &tokio_postgres::SimpleQueryRow> {
    messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

fn number(row: &tokio_postgres::SimpleQueryRow, column: usize) -> i64 {
    row.get(column).and_then(|text| text.parse().ok()).expect("a number")
}

/// A row of `sync.wire`, with what every row has beside its fields.
fn stored(fields: &str) -> Stored {
    let mut fields: Map<String, Value> = serde_json::from_str(fields).expect("an object");
    fields.remove("id");
    let clocks = fields.remove("clocks").unwrap_or_default();
    let updated_ms = fields.remove("updated_ms").and_then(|at| at.as_i64()).unwrap_or_default();
    Stored { fields, clocks: serde_json::from_value(clocks).unwrap_or_default(), updated_ms }
}
