//! What must not grow with the account: memory, the wait for the first list, the wait of a person's write.

use super::Run;
use super::client::{Order, Pulled};
use super::filled::BYTES;
use crate::figure::{Figure, Target};
use crate::samples::median;

/// Messages of a large account.
const LARGE: u64 = 100_000;
/// Messages of the largest.
const MILLION: u64 = 1_000_000;
/// Turns of a large account.
const TURNS: usize = 3;

pub(super) async fn writing(run: &mut Run) -> anyhow::Result<()> {
    let person = run.server.person(LARGE).await?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        for write in [false, true] {
            // A person's writes go up; whoever comes next must not find them.
            let person = if write { run.server.person(LARGE).await? } else { person.clone() };
            let pulled: Pulled =
                run.client(|folder| Order::Pull { person, folder, write, index: false }).await?;
            if write { beside.push(pulled) } else { alone.push(pulled) }
        }
    }
    run.report.found([list(&alone), waits(&beside)]);
    Ok(())
}

fn list(pulled: &[Pulled]) -> Figure {
    let of = |of: fn(&Pulled) -> f64| median(&pulled.iter().map(of).collect::<Vec<_>>());
    Figure::new(
        format!("first usable list with {LARGE} messages, of the whole pull"),
        of(|pulled| pulled.list_ms / pulled.cost.wall_ms),
        "×",
        Target::AtMost(0.05),
        format!(
            "{:.0} ms of {:.0} ms; median of {TURNS} pulls",
            of(|pulled| pulled.list_ms),
            of(|pulled| pulled.cost.wall_ms)
        ),
    )
}

fn waits(pulled: &[Pulled]) -> Figure {
    let written: Vec<_> = pulled.iter().filter_map(|pulled| pulled.written).collect();
    let of = |of: fn(&super::client::Written) -> f64| {
        median(&written.iter().map(of).collect::<Vec<_>>())
    };
    Figure::new(
        "a person's write during a first sync, p99, against idle",
        of(|written| written.busy_p99 / written.idle_p99),
        "×",
        Target::AtMost(3.0),
        format!(
            "p99 {:.2} ms, idle {:.2} ms; p50 {:.2} ms, idle {:.2} ms; {:.0} writes during a pull of {LARGE}, median of {TURNS} pulls",
            of(|written| written.busy_p99),
            of(|written| written.idle_p99),
            of(|written| written.busy_p50),
            of(|written| written.idle_p50),
            of(|written| written.count as f64)
        ),
    )
}

pub(super) async fn million(run: &mut Run) -> anyhow::Result<()> {
    let person = run.server.person(MILLION).await?;
    let pulled: Pulled =
        run.client(|folder| Order::Pull { person, folder, write: false, index: false }).await?;
    anyhow::ensure!(pulled.rows == MILLION.cast_signed(), "{} rows came", pulled.rows);
    let seconds = pulled.cost.wall_ms / 1e3;
    run.report.found([Figure::new(
        format!("peak memory above idle, at {MILLION} messages"),
        pulled.peak_mb,
        "MB",
        Target::AtMost(60.0),
        format!(
            "{MILLION} × {BYTES} B in {seconds:.0} s, {:.0} rows/s, {} requests; idle {:.0} MB, of this program",
            MILLION as f64 / seconds,
            pulled.requests,
            pulled.memory.now_mb
        ),
    )]);
    Ok(())
}
