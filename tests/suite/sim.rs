//! The simulator's seeds, against the model and against the real functions, and the bugs that they must
//! catch.
//!
//! A run of the tests lives through the same seeds every time, so that it ends as it ended before. More of
//! them, and others:
//! | variable | what it does |
//! |---|---|
//! | `TIDEMARK_SEED=n` | only this seed; with `TIDEMARK_TRACE=1` it is told step by step |
//! | `TIDEMARK_SEEDS=100000` | so many against the model, from `TIDEMARK_SEED` on or from where none was before |
//! | `TIDEMARK_POSTGRES_SEEDS=1000` | so many against PostgreSQL, likewise |

mod bugs;
mod model;
#[cfg(unix)]
mod postgres;

use std::ops::Range;

use tidemark_tests::faults::{scale, seed};
use tidemark_tests::sim::{Outcome, run_twice};

/// Failing seeds of one test that are shown.
const SHOWN: usize = 5;

/// Seeds that several tests share, because the runner lets tests go beside each other.
struct Seeds {
    /// Says how many there are.
    variable: &'static str,
    /// Without it, so many: from 1 on.
    usual: u64,
    parts: u64,
}

impl Seeds {
    fn of(&self, part: u64) -> Range<u64> {
        let is_set = |name| std::env::var_os(name).is_some();
        let (first, count) = match (is_set("TIDEMARK_SEED"), is_set(self.variable)) {
            (false, false) => (1, self.usual),
            (true, false) if part == 0 => return seed()..seed() + 1,
            (true, false) => return 0..0,
            (_, true) => (seed(), scale(self.variable, self.usual)),
        };
        let share = count.div_ceil(self.parts);
        first + (part * share).min(count)..first + ((part + 1) * share).min(count)
    }
}

/// Lives through seeds, each twice, and tells of those that fail how to see them again.
fn live(seeds: Range<u64>, test: &str, mut run: impl FnMut(u64) -> Outcome) {
    let failures = seeds.filter_map(|seed| {
        let violations = run_twice(seed, &mut run).violations;
        let told = violations.join("\n  ");
        (!violations.is_empty()).then(|| {
            format!(
                "seed {seed}:\n  {told}\nreplay: TIDEMARK_SEED={seed} TIDEMARK_TRACE=1 \
                 cargo nextest run -p tidemark-tests -E 'test({test})' --no-capture"
            )
        })
    });
    let failures: Vec<String> = failures.take(SHOWN).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
