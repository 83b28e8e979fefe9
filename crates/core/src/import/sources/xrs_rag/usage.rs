//! `usage_logs`, of either shape, added up for each session.

use std::collections::BTreeMap;

use super::whole;
use crate::import::lax::Value;
use crate::import::sources::speech;

/// What was used, by what it was used for.
#[derive(Debug, Default)]
pub(super) struct Usage {
    of: BTreeMap<String, Sum>,
}

#[derive(Debug, Default)]
struct Sum {
    entries: usize,
    tokens: i64,
    cost_micros: i64,
    operations: BTreeMap<String, u64>,
}

impl Usage {
    /// Takes a row.
    pub(super) fn add(&mut self, value: &Value) {
        let names = ["session_id", "related_id"];
        let session = names.iter().find_map(|name| speech::id(value.get(name))).unwrap_or_default();
        let sum = self.of.entry(session).or_default();
        let tokens = whole(value.get("tokens_used")).or_else(|| whole(value.get("tokens")));
        let cost = value.get("cost_usd").and_then(speech::micros);
        sum.entries += 1;
        sum.tokens = sum.tokens.saturating_add(tokens.unwrap_or(0));
        sum.cost_micros = sum.cost_micros.saturating_add(cost.unwrap_or(0));
        let operation = value.str("operation").unwrap_or("unknown").to_owned();
        *sum.operations.entry(operation).or_default() += 1;
    }

    /// What was used for a session, by any of its names; none where nothing was.
    pub(super) fn take(&mut self, names: &[String]) -> Option<serde_json::Value> {
        let mut all: Option<Sum> = None;
        for sum in names.iter().filter_map(|name| self.of.remove(name)) {
            let all = all.get_or_insert_default();
            all.entries += sum.entries;
            all.tokens = all.tokens.saturating_add(sum.tokens);
            all.cost_micros = all.cost_micros.saturating_add(sum.cost_micros);
            for (operation, count) in sum.operations {
                *all.operations.entry(operation).or_default() += count;
            }
        }
        all.map(|sum| {
            serde_json::json!({
                "entries": sum.entries,
                "tokens": sum.tokens,
                "cost_micros": sum.cost_micros,
                "operations": sum.operations,
            })
        })
    }

    /// How many entries nobody has taken.
    pub(super) fn rest(&self) -> usize {
        self.of.values().map(|sum| sum.entries).sum()
    }
}
