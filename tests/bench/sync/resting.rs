//! When nothing is to be done, and when something is done elsewhere.

use super::Run;
use super::client::{Idle, Met, Order};
use crate::figure::{Figure, Target};

/// Journeys with the doorbell.
const RINGS: u64 = 200;
/// Journeys without it.
const POLLS: u64 = 40;
/// Between two polls of those: the product waits a minute.
const POLL_MS: i64 = 1_000;

pub(super) async fn measure(run: &mut Run) -> anyhow::Result<()> {
    let person = run.server.person(200).await?;
    let idle: Idle = run.client(|folder| Order::Rest { person: person.clone(), folder }).await?;
    run.report.found([resting(&idle)]);
    let rung: Met = run
        .client(|folder| Order::Meet {
            person: person.clone(),
            folder,
            rounds: RINGS,
            poll_ms: None,
        })
        .await?;
    run.report.found(journeys("through the doorbell", rung, format!("{RINGS} messages")));
    let poll_ms = Some(POLL_MS);
    let polled: Met =
        run.client(|folder| Order::Meet { person, folder, rounds: POLLS, poll_ms }).await?;
    let beside = format!("{POLLS} messages, a poll each {POLL_MS} ms; usually it is 60,000");
    run.report.found(journeys("by poll alone", polled, beside));
    Ok(())
}

fn resting(idle: &Idle) -> Figure {
    let wrote = if idle.wrote { "the mirror was written" } else { "no write" };
    // A write is no better than a request.
    let value = idle.asked.len() + usize::from(idle.wrote);
    Figure::new(
        "idle sync, requests",
        value as f64,
        "requests",
        Target::AtMost(1.0),
        format!("{}; {wrote}", idle.asked.join(", ")),
    )
}

fn journeys(how: &str, met: Met, beside: String) -> [Figure; 2] {
    [("p50", met.p50), ("p99", met.p99)].map(|(share, value)| {
        let name = format!("committed on one device to visible on the other, {how}, {share}");
        Figure::new(name, value, "ms", Target::Told, beside.clone())
    })
}
