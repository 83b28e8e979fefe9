//! First pulls, of us and of others, and what bounds them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tidemark_tests::device::Person;

use super::Run;
use super::client::{Applied, Order, Pulled};
use super::cost::Cost;
use super::filled::BYTES;
use crate::figure::{Figure, Target};
use crate::samples::median;

/// Messages of a first pull.
const ROWS: u64 = 20_000;
/// Turns, in each of which everybody has one.
const TURNS: usize = 5;

/// What one turn cost whom.
struct Turn {
    ours: Pulled,
    rxdb: Cost,
    postgrest: Cost,
    table: Cost,
    insert: Cost,
    pages: Cost,
}

pub(super) async fn measure(run: &mut Run, pulls: bool, applies: bool) -> anyhow::Result<()> {
    let person = run.server.person(ROWS).await?;
    if pulls {
        run.server.for_peers(&person, ROWS).await?;
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            turns.push(turn(run, &person).await?);
        }
        run.report.found(figures(&turns));
    }
    if applies {
        let figure = applying(run, &person).await?;
        run.report.found([figure]);
    }
    Ok(())
}

async fn turn(run: &mut Run, person: &Person) -> anyhow::Result<Turn> {
    let who = || person.clone();
    let ours: Pulled = run
        .client(|folder| Order::Pull { person: who(), folder, write: false, index: true })
        .await?;
    anyhow::ensure!(ours.rows == ROWS.cast_signed(), "{} of {ROWS} rows came", ours.rows);
    let rxdb = run.peer("pull-rxdb.mjs", person, json!({ "rows": ROWS })).await?;
    let postgrest = run.peer("pull-postgrest.mjs", person, json!({ "rows": ROWS })).await?;
    let table = run.client(|_| Order::ReadTable { person: who(), rows: ROWS }).await?;
    let insert = run.client(|folder| Order::Insert { folder, rows: ROWS }).await?;
    let pages = run.client(|folder| Order::ReadPages { person: who(), folder }).await?;
    Ok(Turn { ours, rxdb, postgrest, table, insert, pages })
}

fn figures(turns: &[Turn]) -> Vec<Figure> {
    let (ours, rxdb) = (middle(turns, |turn| turn.ours.cost), middle(turns, |turn| turn.rxdb));
    let postgrest = middle(turns, |turn| turn.postgrest);
    let mut figures = vec![
        Figure::new(
            format!(
                "first pull of {ROWS} × {BYTES} B into the encrypted mirror, against RxDB 17 in memory"
            ),
            ratio(turns, |turn| turn.rxdb.wall_ms / turn.ours.cost.wall_ms),
            "×",
            Target::AtLeast(2.5),
            format!(
                "{ours}, {:.0} rows/s; RxDB {rxdb}; median of {TURNS} turns",
                ROWS as f64 / ours.wall_ms * 1e3
            ),
        ),
        Figure::new(
            "the same against postgrest-js that stores nothing",
            ratio(turns, |turn| turn.postgrest.wall_ms / turn.ours.cost.wall_ms),
            "×",
            Target::AtLeast(1.2),
            format!("postgrest-js {postgrest}"),
        ),
    ];
    figures.push(against_limits(turns));
    figures.extend([searching(turns), peak(turns), size(turns)]);
    figures
}

fn against_limits(turns: &[Turn]) -> Figure {
    let limit = |turn: &Turn| turn.table.wall_ms.max(turn.insert.wall_ms);
    let beside = format!(
        "raw read of the table {}; encrypted insert {}; our own pages, read and let go, {}",
        middle(turns, |turn| turn.table),
        middle(turns, |turn| turn.insert),
        middle(turns, |turn| turn.pages),
    );
    Figure::new(
        "the same against the slower of its two limits",
        ratio(turns, |turn| limit(turn) / turn.ours.cost.wall_ms),
        "×",
        Target::AtLeast(0.6),
        beside,
    )
}

fn searching(turns: &[Turn]) -> Figure {
    let index = |turn: &Turn| turn.ours.index.map(|(cost, _)| cost).unwrap_or_default();
    Figure::new(
        "search caught up after that, of the pull's own time",
        ratio(turns, |turn| index(turn).wall_ms / turn.ours.cost.wall_ms),
        "×",
        Target::AtMost(0.5),
        middle(turns, index).to_string(),
    )
}

fn peak(turns: &[Turn]) -> Figure {
    let idle = ratio(turns, |turn| turn.ours.memory.now_mb);
    Figure::new(
        format!("peak memory above idle, at {ROWS} messages"),
        ratio(turns, |turn| turn.ours.peak_mb),
        "MB",
        Target::AtMost(60.0),
        format!("idle {idle:.0} MB, of this program"),
    )
}

fn size(turns: &[Turn]) -> Figure {
    let sizes = turns.last().and_then(|turn| turn.ours.index).map(|(_, sizes)| sizes);
    let (mirror, without, plain) =
        sizes.map_or((0.0, 0.0, 1.0), |s| (s.mirror_mb, s.without_index_mb, s.plain_mb));
    Figure::new(
        "size of the mirror, against the same rows in plain tables",
        mirror / plain,
        "×",
        Target::Told,
        format!(
            "{mirror:.1} MB; {without:.1} MB before it was indexed for search; plain {plain:.1} MB"
        ),
    )
}

/// The median over the turns.
fn ratio(turns: &[Turn], of: impl Fn(&Turn) -> f64) -> f64 {
    median(&turns.iter().map(of).collect::<Vec<_>>())
}

fn middle(turns: &[Turn], of: impl Fn(&Turn) -> Cost) -> Cost {
    Cost {
        wall_ms: ratio(turns, |turn| of(turn).wall_ms),
        cpu_ms: ratio(turns, |turn| of(turn).cpu_ms),
    }
}

/// Pages that are there already, against PowerSync's core.
async fn applying(run: &mut Run, person: &Person) -> anyhow::Result<Figure> {
    let lines = run.folder.join("powersync.lines");
    write_lines(&run.server.rows(person).await?, &lines)?;
    let (mut ours, mut its) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let applied: Applied =
            run.client(|folder| Order::Apply { person: person.clone(), folder }).await?;
        ours.push(applied.cost);
        let file: PathBuf = run.folder.join(format!("powersync-{turn}.db"));
        let order = json!({ "lines": lines, "file": file, "rows": ROWS });
        its.push(run.peer("apply-powersync.mjs", person, order).await?);
    }
    let ratios: Vec<f64> =
        ours.iter().zip(&its).map(|(ours, its)| its.cpu_ms / ours.cpu_ms).collect();
    let of = |costs: &[Cost]| Cost {
        wall_ms: median(&costs.iter().map(|cost| cost.wall_ms).collect::<Vec<_>>()),
        cpu_ms: median(&costs.iter().map(|cost| cost.cpu_ms).collect::<Vec<_>>()),
    };
    Ok(Figure::new(
        "local apply, CPU, against PowerSync's core (which does not encrypt)",
        median(&ratios),
        "×",
        Target::AtLeast(1.3),
        format!("{}; PowerSync {}; median of {TURNS} turns", of(&ours), of(&its)),
    ))
}

/// A checkpoint as a PowerSync service sends it: a thousand operations a line.
fn write_lines(rows: &[(String, uuid::Uuid, String)], path: &Path) -> anyhow::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let (last, count) = (rows.len().to_string(), rows.len());
    let bucket = json!({ "bucket": "own", "checksum": count, "count": count, "priority": 3,
                         "subscriptions": [] });
    let checkpoint = json!({ "last_op_id": last, "buckets": [bucket], "streams": [] });
    writeln!(file, "{}", json!({ "checkpoint": checkpoint }))?;
    for (batch, rows) in rows.chunks(1_000).enumerate() {
        let first = batch * 1_000;
        let op = |(n, (table, id, data)): (usize, &(String, uuid::Uuid, String))| {
            json!({ "op_id": (first + n + 1).to_string(), "op": "PUT", "object_type": table,
                    "object_id": id, "checksum": 1, "subkey": id, "data": data })
        };
        let data: Vec<_> = rows.iter().enumerate().map(op).collect();
        let line = json!({ "bucket": "own", "has_more": first + rows.len() < count,
                           "after": first.to_string(),
                           "next_after": (first + rows.len()).to_string(), "data": data });
        writeln!(file, "{}", json!({ "data": line }))?;
    }
    writeln!(file, "{}", json!({ "checkpoint_complete": { "last_op_id": last } }))?;
    Ok(file.flush()?)
}
