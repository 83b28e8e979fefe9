//! Opening one conversation: by its id, against reading the file with all of them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use tidemark_core::model::ConversationId;

use super::old::Data;
use crate::figure::{Figure, Target};
use crate::samples::{Samples, quantile};
use crate::stock::Core;

/// Rounds; in each the old way once, and ours often.
const ROUNDS: usize = 7;
/// Conversations of a round.
const OPENINGS: usize = 50;

/// As PharmGPT read it: the whole file, then one entry. Its own start is not counted.
const OLD_WAY: &str = "
import json, sys, time
began = time.perf_counter()
with open(sys.argv[1], 'r') as file:
    conversations = json.load(file)
found = conversations[sys.argv[2]]
took = time.perf_counter() - began
print(took * 1e3, len(found['messages']))
";

pub(super) fn measure(home: &Path, data: &Data) -> anyhow::Result<Figure> {
    let core = Core::open(home)?;
    let chats = core.tidemark.conversations(tidemark_core::api::Shelf::Active)?;
    let ids: Vec<ConversationId> = chats.iter().map(|chat| chat.id).collect();
    ensure!(ids.len() == data.ids.len(), "{} of {} are here", ids.len(), data.ids.len());
    let (mut ours, mut its) = (Samples::default(), Vec::new());
    for round in 0..ROUNDS {
        its.push(old_way(data, round)?);
        for n in 0..OPENINGS {
            // All over the list, so that no opening finds what the last one read.
            let id = ids[(round * OPENINGS + n) * 7_919 % ids.len()];
            let page = ours.time(|| core.tidemark.thread(id, 60, None, None))?;
            ensure!(page.messages.len() == 60, "a page of 60");
        }
    }
    core.close();
    let (old_ms, our_ms) = (quantile(&its, 0.5), ours.quantile(0.5));
    Ok(Figure::new(
        "opening one conversation afterwards, against Python's json.load of the user's file",
        old_ms / our_ms,
        "×",
        Target::AtLeast(50.0),
        format!(
            "{our_ms:.2} ms (p99 {:.2}), json.load {old_ms:.0} ms; medians of {} and {ROUNDS}",
            ours.quantile(0.99),
            ours.count()
        ),
    ))
}

fn old_way(data: &Data, round: usize) -> anyhow::Result<f64> {
    let id = &data.ids[round * 131 % data.ids.len()];
    let mut python = Command::new("python3");
    python.arg("-c").arg(OLD_WAY).arg(&data.file).arg(id);
    let output = python.output().context("python3 starts")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    let (took, count) = said.trim().split_once(' ').context("two numbers")?;
    ensure!(count == "100", "a whole conversation: {count}");
    Ok(took.parse()?)
}
