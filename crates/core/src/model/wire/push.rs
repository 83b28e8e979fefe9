//! Operations and their outcomes: `sync_push`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Clocks, Head, Table};

/// The arguments of `sync_push`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// The device that numbered the operations.
    pub device: Uuid,
    /// All operations of the device up to this one are settled; the server forgets their outcomes.
    pub acked_through: i64,
    /// The latest point that the device knows; a server that does not know it does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Head>,
    /// In ascending `n`.
    pub ops: Vec<Op>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// The device's number for it; never given twice.
    pub n: i64,
    /// The table.
    pub tbl: Table,
    /// The row.
    pub id: Uuid,
    /// Operations of one queue take effect in order.
    pub queue: Uuid,
    /// What it does.
    pub kind: Kind,
    /// Field → value; all fields of `put` and `ensure`, none of `purge`.
    #[serde(default)]
    pub fields: Map<String, Value>,
    /// The clock of each register that it sets.
    #[serde(default)]
    pub clocks: Clocks,
    /// The clock of each register that this device last saw from the server.
    #[serde(default)]
    pub base: Clocks,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Makes a row; where it is there, merges like a patch of all its registers.
    Put,
    /// Changes fields.
    Patch,
    /// Like `put`, for a row that a restored server may have lost.
    Ensure,
    /// Deletes for good.
    Purge,
}

/// The answer of `sync_push`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pushed {
    /// The scope's head after the push.
    pub head: Head,
    /// The server's time.
    pub server_ms: i64,
    /// One for each operation.
    pub outcomes: Vec<Settled>,
}

/// What became of one operation: `[n, outcome, detail]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The operation.
    pub n: i64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It took effect.
    Applied(Accepted),
    /// It took effect, except where a register had a later clock: this is the row now.
    Merged(Accepted, FullRow),
    /// Its body did not take effect: this is the row now. Reason: `final` or `not_owner`.
    Conflict {
        /// The row as the server has it.
        row: FullRow,
        /// Why.
        reason: String,
    },
    /// The row was purged before.
    Gone {
        /// By this transaction.
        seq: i64,
    },
    /// The server will never take it as it is.
    Rejected {
        /// `invalid`, `too_large`, `forbidden`, `missing`, `unknown_table`, `unknown_kind`, …
        code: String,
        /// For the log.
        message: String,
    },
    /// An earlier operation of its queue was rejected in this batch.
    Behind,
    /// Not this time.
    Retry {
        /// The database's code, such as `40001`.
        code: String,
    },
    /// It was settled before, and the server forgot how.
    Done,
}

/// What `applied` and `merged` tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The transaction that did it.
    pub seq: i64,
    /// Its nonce; none where nothing had to be written and the server knows it no more.
    #[serde(default)]
    pub nonce: Option<i64>,
    /// The clocks as they were stored, where the server shifted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<Clocks>,
    /// Register → value that the operation replaced and that this device had not seen.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub lost: Map<String, Value>,
}

/// A row as the server has it: one object of its fields, with `seq` and `clocks` among them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FullRow {
    /// The transaction that changed it last.
    pub seq: i64,
    /// Register → clock.
    #[serde(default)]
    pub clocks: Clocks,
    /// Field → value; `id` and `updated_ms` among them.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct MergedDetail {
    #[serde(flatten)]
    accepted: Accepted,
    row: FullRow,
}

#[derive(Serialize, Deserialize)]
struct ConflictDetail {
    row: FullRow,
    #[serde(default)]
    reason: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Words {
    #[serde(default)]
    code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    message: String,
}

#[derive(Serialize, Deserialize)]
struct Gone {
    seq: i64,
}

#[derive(Serialize)]
struct Nothing {}

impl Serialize for Settled {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let n = self.n;
        match &self.outcome {
            Outcome::Applied(accepted) => (n, "applied", accepted).serialize(out),
            Outcome::Merged(accepted, row) => {
                let (accepted, row) = (accepted.clone(), row.clone());
                (n, "merged", MergedDetail { accepted, row }).serialize(out)
            }
            Outcome::Conflict { row, reason } => {
                let (row, reason) = (row.clone(), reason.clone());
                (n, "conflict", ConflictDetail { row, reason }).serialize(out)
            }
            Outcome::Gone { seq } => (n, "gone", Gone { seq: *seq }).serialize(out),
            Outcome::Rejected { code, message } => {
                let (code, message) = (code.clone(), message.clone());
                (n, "rejected", Words { code, message }).serialize(out)
            }
            Outcome::Behind => (n, "behind", Nothing {}).serialize(out),
            Outcome::Retry { code } => {
                (n, "retry", Words { code: code.clone(), ..Words::default() }).serialize(out)
            }
            Outcome::Done => (n, "done", Nothing {}).serialize(out),
        }
    }
}

impl<'de> Deserialize<'de> for Settled {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let (n, word, detail) = <(i64, String, Value)>::deserialize(input)?;
        let outcome = outcome(&word, detail).map_err(serde::de::Error::custom)?;
        Ok(Self { n, outcome })
    }
}

fn outcome(word: &str, detail: Value) -> serde_json::Result<Outcome> {
    use serde_json::from_value;
    Ok(match word {
        "applied" => Outcome::Applied(from_value(detail)?),
        "merged" => {
            let MergedDetail { accepted, row } = from_value(detail)?;
            Outcome::Merged(accepted, row)
        }
        "conflict" => {
            let ConflictDetail { row, reason } = from_value(detail)?;
            Outcome::Conflict { row, reason }
        }
        "gone" => Outcome::Gone { seq: from_value::<Gone>(detail)?.seq },
        "rejected" => {
            let Words { code, message } = from_value(detail)?;
            Outcome::Rejected { code, message }
        }
        "behind" => Outcome::Behind,
        "done" => Outcome::Done,
        "retry" => Outcome::Retry { code: from_value::<Words>(detail).unwrap_or_default().code },
        // A word of a newer server: nothing is known of the operation, so it stays where it is.
        other => Outcome::Retry { code: other.to_owned() },
    })
}
