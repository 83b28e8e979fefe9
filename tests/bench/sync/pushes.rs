//! What was written offline goes up.

use serde_json::json;

use super::Run;
use super::client::{Order, Pushed};
use super::cost::Cost;
use super::filled::sized;
use crate::figure::{Figure, Target};
use crate::samples::median;

/// A day's messages.
const FEW: u64 = 200;
/// An import's.
const MANY: u64 = 10_000;
/// Turns of each.
const TURNS: usize = 5;

pub(super) async fn measure(run: &mut Run) -> anyhow::Result<()> {
    let few = few(run).await?;
    run.report.found(few);
    let many = many(run).await?;
    run.report.found([many]);
    Ok(())
}

async fn few(run: &mut Run) -> anyhow::Result<Vec<Figure>> {
    let texts: Vec<String> = (0..FEW).map(sized).collect();
    let (mut ours, mut its) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let pushed = push(run, FEW).await?;
        let person = run.server.person(0).await?;
        its.push(run.peer("push-rxdb.mjs", &person, json!({ "texts": texts })).await?);
        run.server.forget_pushed().await?;
        ours.push(pushed);
    }
    let pushes = ours.iter().map(|pushed| pushed.pushes as f64).fold(0.0, f64::max);
    let all = ours.iter().map(|pushed| pushed.requests).max().unwrap_or_default();
    let ours: Vec<Cost> = ours.iter().map(|pushed| pushed.cost).collect();
    Ok(vec![
        Figure::new(
            format!("push of {FEW} offline messages, requests"),
            pushes,
            "requests",
            Target::AtMost(1.0),
            format!("{all} with those that pull; RxDB {FEW}"),
        ),
        Figure::new(
            "the same, time against RxDB",
            ratio(&its, &ours),
            "×",
            Target::AtLeast(8.0),
            format!("{}; RxDB {}; median of {TURNS} turns", middle(&ours), middle(&its)),
        ),
    ])
}

async fn many(run: &mut Run) -> anyhow::Result<Figure> {
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(push(run, MANY).await?.cost);
        let person = run.server.person(0).await?;
        raw.push(run.client(|_| Order::PushRaw { person, count: MANY }).await?);
    }
    Ok(Figure::new(
        format!("push of {MANY}, against one raw call with the same rows"),
        ratio(&raw, &ours),
        "×",
        Target::AtLeast(0.5),
        format!("{}; raw {}; median of {TURNS} turns", middle(&ours), middle(&raw)),
    ))
}

/// By somebody new: nobody's rows are in the way.
async fn push(run: &mut Run, count: u64) -> anyhow::Result<Pushed> {
    let person = run.server.person(0).await?;
    run.client(|folder| Order::Push { person, folder, count }).await
}

fn ratio(these: &[Cost], those: &[Cost]) -> f64 {
    let ratios = these.iter().zip(those).map(|(this, that)| this.wall_ms / that.wall_ms);
    median(&ratios.collect::<Vec<_>>())
}

fn middle(costs: &[Cost]) -> Cost {
    Cost {
        wall_ms: median(&costs.iter().map(|cost| cost.wall_ms).collect::<Vec<_>>()),
        cpu_ms: median(&costs.iter().map(|cost| cost.cpu_ms).collect::<Vec<_>>()),
    }
}
