//! A server as the world sees it: the model of the SQL functions ([`super::model`]), or the functions
//! themselves in a real PostgreSQL ([`super::postgres`]).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use tidemark_core::model::wire::{Clocks, Head, Table};
use tidemark_core::sync::failures::{Fault, Service};
use tidemark_core::sync::server::{Ask, Told};
use uuid::Uuid;

/// What a bad operation looks like: the simulator's persons write it on purpose.
pub const REFUSED_WORD: &str = "\u{1F6AB}";
/// What the server says to it.
pub const REFUSAL: &str = "a word that is refused";

/// What a device holds: a session, and which generation of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The session.
    pub session: u64,
    /// The generation of the refresh token.
    pub generation: u64,
    /// When the access token ends.
    pub until_ms: i64,
}

/// A stored row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stored {
    /// Field → value, as on the wire.
    pub fields: Map<String, Value>,
    /// Register → clock.
    pub clocks: Clocks,
    /// When it last changed.
    pub updated_ms: i64,
}

/// A row to be written by somebody who is no device.
pub type Row = (Table, Uuid, Stored);

/// A transaction of such a writer that is open.
pub type Open = u64;

/// All that a server has of one user, for the checks at the end.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Rows that are there, by table's code and id, each with the version that its cursor goes by.
    pub rows: BTreeMap<(u8, Uuid), (i64, Stored)>,
    /// Rows that were deleted, as far as it remembers.
    pub deleted: BTreeSet<(u8, Uuid)>,
    /// How many outcomes it keeps for each device.
    pub outcomes: BTreeMap<Uuid, usize>,
}

impl Sight {
    /// A row.
    pub fn row(&self, table: Table, id: Uuid) -> Option<&Stored> {
        self.rows.get(&(table.code(), id)).map(|(_, row)| row)
    }

    /// The rows of a table, by id.
    pub fn of(&self, table: Table) -> impl Iterator<Item = (Uuid, i64, &Stored)> {
        let code = table.code();
        let range = self.rows.range((code, Uuid::nil())..=(code, Uuid::max()));
        range.map(|((_, id), (version, row))| (*id, *version, row))
    }
}

/// What the world asks of a server.
pub trait Server: std::fmt::Debug {
    /// A life begins: nothing is there but these users, and chance comes from the seed.
    fn begin_life(&mut self, seed: u64, now_ms: i64, users: &[Uuid]);
    /// By its clock it is so late now.
    fn set_time(&mut self, now_ms: i64);
    /// A person signs in with a password.
    fn sign_in(&mut self, user: Uuid) -> Token;
    /// A new token for the old one, or why not.
    fn refresh(&mut self, token: Token) -> Result<Token, Fault>;
    /// Answers a request as PostgREST would.
    fn ask(&mut self, token: Token, ask: &Ask) -> Result<Told, Fault>;
    /// Whose heads moved since the last call, and to where: the doorbell.
    fn rings(&mut self) -> Vec<(Uuid, i64)>;
    /// Somebody who is no device writes rows and does not commit yet; none where somebody else has the scope.
    fn begin(&mut self, user: Uuid, rows: Vec<Row>) -> Option<Open>;
    /// That somebody commits.
    fn commit(&mut self, open: Open);
    /// Remembers all that is there. The last backup counts.
    fn back_up(&mut self);
    /// Puts the backup back; what is open is rolled back.
    ///
    /// `with_auth`: sessions went back too. `same_number`: the next transaction in this user's scope has the
    /// number that its head was made by, as after a logical restore.
    fn restore(&mut self, with_auth: bool, same_number: Option<Uuid>);
    /// Forgets deletions and versions that are older than this.
    fn move_horizon(&mut self, age_ms: i64);
    /// Revokes a device, as its owner does from another one. False: somebody holds the scope, try again.
    fn revoke(&mut self, user: Uuid, device: Uuid) -> bool;
    /// The version of a scope.
    fn head(&mut self, user: Uuid) -> Head;
    /// All that is there of a user.
    fn sight(&mut self, user: Uuid) -> Sight;
}

/// An error of our own functions.
pub fn refuse(status: u16, code: &str) -> Fault {
    Fault::status(Service::Rest, status, code)
}
