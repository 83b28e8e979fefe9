//! What a person waits for when they press Send, against the disk alone.
//!
//! A turn is a burst: the search index is brought up once after it, as its task does when writes come
//! faster than it, and its time belongs to the turn.

use std::path::Path;

use tidemark_core::api::SendRequest;
use tidemark_core::mirror::index;

use crate::disk::Disk;
use crate::figure::{Figure, Target};
use crate::samples::{Samples, median};
use crate::stock::Core;

/// Turns of each, one after the other.
const ROUNDS: usize = 40;
/// Writes in a turn.
const TURN: usize = 50;

/// Sends into a conversation for each turn, in the mirror that holds 100,000 messages already.
pub(crate) fn measure(core: &Core, folder: &Path) -> anyhow::Result<Vec<Figure>> {
    let mut disk = Disk::at(folder)?;
    let (mut confirmed, mut indexed, mut bare) =
        (Samples::default(), Samples::default(), Samples::default());
    let (mut ratios, mut alone) = (Vec::new(), Samples::default());
    for round in 0..ROUNDS {
        let (mut ours, mut its) = (Samples::default(), Samples::default());
        let mut request = SendRequest::default();
        for turn in 0..TURN {
            request.content = question(round * TURN + turn);
            let before = ours.total();
            let sent = ours.time(|| core.tidemark.send(&request))?;
            confirmed.push(std::time::Duration::from_secs_f64((ours.total() - before) / 1e3));
            request.conversation_id = Some(sent.conversation_id);
        }
        while ours.time(|| index::catch_up(core.mirror()))? > 0 {}
        while ours.time(|| index::merge(core.mirror()))? {}
        for _ in 0..TURN {
            let before = its.total();
            its.time(|| disk.write())?;
            alone.push(std::time::Duration::from_secs_f64((its.total() - before) / 1e3));
        }
        ratios.push(its.total() / ours.total());
        indexed.push(std::time::Duration::from_secs_f64(ours.total() / TURN as f64 / 1e3));
        bare.push(std::time::Duration::from_secs_f64(its.total() / TURN as f64 / 1e3));
    }
    let beside = format!(
        "send {:.3} ms, with its index {:.3} ms; 4 KiB and fdatasync {:.3} ms",
        confirmed.quantile(0.5),
        indexed.quantile(0.5),
        bare.quantile(0.5)
    );
    let p99 = confirmed.quantile(0.99);
    Ok(vec![
        Figure::new(
            "confirmed sends a second, against a bare fdatasync",
            median(&ratios),
            "×",
            Target::AtLeast(0.5),
            beside,
        ),
        Figure::new(
            "confirmed send, p99",
            p99,
            "ms",
            Target::AtMost(5.0),
            format!(
                "{} sends; p99 of fdatasync alone {:.2} ms",
                ROUNDS * TURN,
                alone.quantile(0.99)
            ),
        ),
    ])
}

fn question(number: usize) -> String {
    format!(
        "Question {number}: how much of an oral dose of propranolol reaches the blood, and why?"
    )
}
