//! Figures, on demand: `cargo nextest run -p tidemark-core --run-ignored only speed --no-capture`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;

const ROWS: i64 = 20_000;
const PAGE: i64 = 2_000;

/// Pages of a first pull, 450 bytes a message, 20 messages a conversation.
fn pages() -> Vec<String> {
    let conversation = |n: i64| ConversationId(id(1 << 40 | n as u128));
    let conversations =
        (0..ROWS / 20).map(|n| conversation_change(n + 1, conversation(n), "tides", 1));
    let mut pages = vec![page(conversations.collect())];
    let body = "ebb and flood ".repeat(33)[..450].to_owned();
    for first in (0..ROWS).step_by(PAGE as usize) {
        let message = |n: i64| {
            let parent = (n % 20 > 0).then(|| MessageId(id(n as u128 - 1)));
            message_change(1_000 + n, MessageId(id(n as u128)), conversation(n / 20), parent, &body)
        };
        pages.push(page((first..first + PAGE).map(message).collect()));
    }
    pages
}

/// What this thread has computed so far; the wall's time where that is not to be had.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let spent = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    spent.map_or_else(|| Duration::from_millis(cpu_fallback()), Duration::from_nanos)
}

fn cpu_fallback() -> u64 {
    crate::clock::SystemClock.now().0.unsigned_abs()
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

#[test]
#[ignore = "prints figures"]
#[allow(clippy::print_stderr)]
fn applying_pages_and_what_a_person_s_write_waits_meanwhile() {
    let pages = pages();
    let bob = Device::new();
    let started = cpu();
    for text in &pages {
        let page: Page<'_> = serde_json::from_str(text).expect("a page");
        apply::page(&bob.mirror, &page, Gone::Leave).expect("applies");
    }
    eprintln!("apply {ROWS} rows: {:?}", cpu() - started);
    let started = cpu();
    let parsed: usize = pages
        .iter()
        .map(|text| serde_json::from_str::<Page<'_>>(text).expect("a page").changes.len())
        .sum();
    eprintln!("of that decoding {parsed}: {:?}", cpu() - started);
    let started = cpu();
    while thread::settle_listed(&bob.mirror, 50).expect("settles") > 0 {}
    eprintln!("branches found: {:?}", cpu() - started);
    let started = cpu();
    while index::catch_up(&bob.mirror).expect("indexes") > 0 {}
    eprintln!("indexed: {:?}", cpu() - started);
    drop(bob);

    let raw = Device::new();
    let started = cpu();
    raw.write(|write| {
        for n in 0..ROWS {
            let blank = Message::blank(
                MessageId(id(n as u128)),
                ConversationId(id(1)),
                Role::User,
                write.now,
            );
            let message =
                Message { content: "x".repeat(450), created_at: write.now.plus_ms(n), ..blank };
            messages::insert_row(write, &message)?;
        }
        Ok(())
    });
    eprintln!("plain inserts of {ROWS} in one transaction: {:?}", cpu() - started);

    let bob = Device::new();
    let person = |stop: &AtomicBool| {
        let mut times = Vec::new();
        while !stop.load(Ordering::Relaxed) || times.len() < 400 {
            let started = Instant::now();
            bob.mirror.write(|write| drafts::set(write, None, "typing")).expect("writes");
            times.push(started.elapsed());
            std::thread::sleep(Duration::from_millis(3));
        }
        times
    };
    let mut idle = person(&AtomicBool::new(true));
    let stop = AtomicBool::new(false);
    let mut busy = std::thread::scope(|scope| {
        let writes = scope.spawn(|| person(&stop));
        for text in &pages {
            let page: Page<'_> = serde_json::from_str(text).expect("a page");
            apply::page(&bob.mirror, &page, Gone::Leave).expect("applies");
        }
        stop.store(true, Ordering::Relaxed);
        writes.join().expect("joins")
    });
    for (what, times) in [("idle", &mut idle), ("during a first sync", &mut busy)] {
        let (p50, p99) = (percentile(times, 50), percentile(times, 99));
        eprintln!("a person's write, {what}: p50 {p50:?}, p99 {p99:?}, n {}", times.len());
    }
}
