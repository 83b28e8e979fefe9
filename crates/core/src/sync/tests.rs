//! The engine's decisions as a table of cases: events in, actions out. A [`Desk`] stands for a device
//! whose mirror and server are played by the test.

use uuid::Uuid;

use super::failures::{Fault, FaultKind, Pause, Service};
use super::server::{Ask, Rows, Told};
use super::status::{Counts, SyncState};
use super::*;
use crate::model::wire::{
    Accepted, Anchor, Cursor, Head, Hello, Kind, Listed, Manifest, Op, Outcome, Push, Pushed,
    Settled, Summary, Table,
};

const ANN: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);
const DEVICE: Uuid = Uuid::from_u128(3);

fn head(seq: i64) -> Head {
    Head { seq, nonce: seq * 1_000 + 7 }
}

struct Desk {
    state: State,
    now: i64,
    /// What the engine did since the test looked last.
    actions: Vec<Action>,
    waiting: u64,
    /// How far the server's clock is ahead.
    server_ahead: i64,
}

impl Desk {
    /// A device that was attached before, at seq 5, at rest.
    fn at_rest() -> Self {
        let mut desk = Self::started(memory(Some(5)));
        desk.answer(Ok(hello(5)));
        desk.does("Numbered", Done::Kept);
        desk.settles();
        desk
    }

    /// A device that just loaded `memory` and now says hello.
    fn started(memory: Memory) -> Self {
        let limits = Limits { rows: 4, ops: 8, ..Limits::default() };
        let now = Now { mono_ms: 0, wall_ms: 1_000_000 };
        let state = State::new(limits, now, 42);
        let mut desk = Self { state, now: 0, actions: Vec::new(), waiting: 0, server_ahead: 0 };
        desk.event(Event::SignedIn { user_id: ANN });
        desk.event(Event::Locked(true));
        desk.does("Load", Done::Loaded(memory));
        desk
    }

    fn event(&mut self, event: Event) {
        let now = Now { mono_ms: self.now, wall_ms: 1_000_000 + self.now };
        self.actions.extend(step(&mut self.state, now, event));
    }

    fn wrote(&mut self) {
        self.waiting += 1;
        let counts = self.counts();
        self.event(Event::Wrote { counts, mending: false });
    }

    fn counts(&self) -> Counts {
        Counts { waiting: self.waiting, ..Counts::default() }
    }

    fn passes(&mut self, ms: i64) {
        self.now += ms;
        self.event(Event::Tick);
    }

    /// The request under way.
    fn asks(&self) -> Option<&Ask> {
        self.state.asking.as_ref().map(|asking| &asking.ask)
    }

    fn job(&self) -> Option<&Job> {
        self.state.doing.as_ref()
    }

    fn answer(&mut self, mut told: Result<Told, Fault>) {
        let server_ms = 1_000_000 + self.now + self.server_ahead;
        match &mut told {
            Ok(Told::Hello(hello)) => hello.server_ms = server_ms,
            Ok(Told::Page(summary, _)) => summary.server_ms = server_ms,
            Ok(Told::Pushed(pushed)) => pushed.server_ms = server_ms,
            _ => {}
        }
        let request = self.state.asking.as_ref().expect("something was asked").request;
        let epoch = self.state.epoch;
        self.event(Event::Told { epoch, request, told });
    }

    fn fails(&mut self, status: u16, code: &str) {
        self.answer(Err(Fault::status(Service::Rest, status, code)));
    }

    /// The mirror does the job that it has, whose name begins so.
    fn does(&mut self, name: &str, done: Done) {
        let job = self.job().map(|job| format!("{job:?}")).unwrap_or_default();
        assert!(job.starts_with(name), "{name} was expected, and it does {job:?}");
        let epoch = self.state.epoch;
        self.event(Event::Done { epoch, done: Ok(done) });
    }

    /// Plays mirror and server that have nothing new until nothing is under way.
    fn settles(&mut self) {
        for _ in 0..100 {
            if let Some(job) = self.job().cloned() {
                let done = self.ordinary(&job);
                let epoch = self.state.epoch;
                self.event(Event::Done { epoch, done: Ok(done) });
            } else if let Some(ask) = self.asks().cloned() {
                let told = self.nothing_new(&ask);
                self.answer(Ok(told));
            } else {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn ordinary(&mut self, job: &Job) -> Done {
        let counts = self.counts();
        match job {
            Job::Load => Done::Loaded(memory(Some(5))),
            Job::Batch { max, .. } => Done::Batch(batch(self.waiting.min(u64::from(*max)))),
            Job::Settle { pushed, .. } => {
                self.waiting -= pushed.outcomes.len() as u64;
                Done::Settled { counts: self.counts(), again: false, mend: false }
            }
            Job::Apply { .. } => Done::Applied { removed: 0, counts },
            Job::Park { .. } => Done::Settled { counts, again: false, mend: false },
            Job::Points { .. } => Done::Points(Vec::new()),
            _ => Done::Kept,
        }
    }

    fn nothing_new(&self, ask: &Ask) -> Told {
        match ask {
            Ask::Hello { .. } => hello(5),
            Ask::Refresh => Told::Refreshed,
            Ask::Pull { after, .. } => page(after.clone(), 0, false),
            Ask::Push(push) => pushed(push),
            Ask::Snapshot { .. } => {
                Told::Snapshot { after: None, count: 0, rows: Rows(String::new()) }
            }
            other => panic!("{other:?} was not expected"),
        }
    }

    fn took(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }
}

fn memory(seq: Option<i64>) -> Memory {
    let cursor = seq.map(|seq| Cursor::at(head(seq)));
    let offset_ms = 0;
    Memory { device_id: DEVICE, cursor, offset_ms, ..Memory::default() }
}

fn hello(seq: i64) -> Told {
    Told::Hello(Hello {
        schema: [1, 1],
        server_ms: 1_000_000,
        user_id: ANN,
        role: "user".into(),
        state: "active".into(),
        head: head(seq),
        horizon: 0,
        acked_through: 0,
        numbered_through: 0,
    })
}

/// A page that goes `forward` seqs on from a cursor.
fn page(after: Option<Cursor>, forward: i64, has_more: bool) -> Told {
    let cursor = Cursor::at(head(after.map_or(0, |cursor| cursor.seq) + forward));
    let head = Head { seq: cursor.seq + i64::from(has_more), ..cursor.head() };
    let changes = usize::from(forward > 0);
    let (horizon, server_ms, schema) = (0, 1_000_000, [1, 1]);
    let (known, below_horizon) = (true, false);
    let summary = Summary {
        head,
        horizon,
        server_ms,
        schema,
        has_more,
        known,
        below_horizon,
        cursor,
        changes,
    };
    Told::Page(summary, Rows(String::new()))
}

fn unknown(after: Option<Cursor>) -> Told {
    let Told::Page(mut summary, rows) = page(after, 0, false) else { unreachable!("it is one") };
    summary.known = false;
    Told::Page(summary, rows)
}

fn below_horizon(after: Option<Cursor>) -> Told {
    let Told::Page(mut summary, rows) = page(after, 0, false) else { unreachable!("it is one") };
    (summary.below_horizon, summary.horizon, summary.head) = (true, 40, head(50));
    Told::Page(summary, rows)
}

fn batch(n: u64) -> Push {
    let op = |n| Op {
        n,
        tbl: Table::Settings,
        id: Uuid::from_u128(n as u128),
        queue: Uuid::from_u128(n as u128),
        kind: Kind::Put,
        fields: serde_json::Map::new(),
        clocks: Default::default(),
        base: Default::default(),
    };
    Push { device: DEVICE, acked_through: 0, known: None, ops: (1..=n as i64).map(op).collect() }
}

fn pushed(push: &Push) -> Told {
    let outcomes = push.ops.iter().map(|op| Settled { n: op.n, outcome: Outcome::Done }).collect();
    Told::Pushed(Pushed { head: head(5), server_ms: 1_000_000, outcomes })
}

fn silent(kind: FaultKind) -> Result<Told, Fault> {
    Err(Fault::silent(Service::Rest, kind))
}

#[test]
fn a_poll_that_falls_due_beside_another_event_is_not_forgotten() {
    let mut desk = Desk::at_rest();
    assert_eq!(desk.state.due(), Some(60_000));
    desk.now = 60_000;
    // Nothing new, at the very moment: the timer is asked for anew after it, and lies in the past.
    desk.event(Event::Rang { seq: 5 });
    assert!(matches!(desk.asks(), Some(Ask::Pull { .. })), "{:?}", desk.asks());
}

#[test]
fn an_idle_device_asks_one_question_a_minute_and_writes_nothing() {
    let mut desk = Desk::at_rest();
    desk.took();
    for _ in 0..10 {
        desk.passes(60_000);
        let asked = desk.took();
        assert!(matches!(asked[..], [Action::Ask { ask: Ask::Pull { .. }, .. }]), "{asked:?}");
        let nothing = desk.nothing_new(&desk.asks().cloned().expect("a poll"));
        desk.answer(Ok(nothing));
        let after = desk.took();
        assert!(after.iter().all(|action| *action == Action::Show), "{after:?}");
    }
}

#[test]
fn a_write_goes_up_in_one_request_and_what_came_with_it_is_pulled() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    assert!(matches!(desk.asks(), Some(Ask::Push(push)) if push.ops.len() == 1));
    let Told::Pushed(mut told) = pushed(&batch(1)) else { unreachable!("it is one") };
    told.head = head(6);
    desk.answer(Ok(Told::Pushed(told)));
    desk.waiting = 0;
    desk.does("Settle", Done::Settled { counts: Counts::default(), again: false, mend: false });
    desk.settles();
    assert!(desk.took().iter().any(|a| matches!(a, Action::Ask { ask: Ask::Pull { .. }, .. })));
    assert!(desk.state.rests());
}

#[test]
fn what_is_written_while_an_empty_batch_is_made_ready_goes_up_without_another_write() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Wrote { counts: Counts { waiting: 1, ..Counts::default() }, mending: false });
    // The mirror has looked, and has not said so yet.
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(0)));
    desk.does("Batch", Done::Batch(batch(1)));
    assert!(matches!(desk.asks(), Some(Ask::Push(push)) if push.ops.len() == 1));
}

#[test]
fn what_was_sent_without_an_outcome_is_sent_again_and_nothing_else_before_it() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    desk.answer(silent(FaultKind::Unreachable));
    assert!(desk.asks().is_none(), "the retry has a timer of its own");
    desk.passes(1_000);
    desk.does("Batch", Done::Batch(batch(1)));
    assert!(matches!(desk.asks(), Some(Ask::Push(push)) if push.ops[0].n == 1));
}

#[test]
fn a_retry_needs_no_new_write() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    for _ in 0..20 {
        desk.answer(silent(FaultKind::Unreachable));
        while desk.job().is_none() {
            let due = desk.state.due().expect("a timer runs");
            assert!(due - desk.now <= 72_000, "a minute and its jitter at most");
            desk.now = due;
            desk.event(Event::Tick);
            if let Some(poll @ Ask::Pull { .. }) = desk.asks().cloned() {
                desk.answer(Ok(desk.nothing_new(&poll)));
            }
        }
        desk.does("Batch", Done::Batch(batch(1)));
    }
    let told = pushed(&batch(1));
    desk.answer(Ok(told));
    desk.waiting = 1;
    desk.settles();
    assert!(desk.state.rests());
}

#[test]
fn a_timeout_halves_the_batch_and_successes_let_it_grow_again() {
    let mut desk = Desk::at_rest();
    desk.waiting = 8;
    desk.event(Event::Wrote { counts: desk.counts(), mending: false });
    desk.does("Batch { max: 8, above: None }", Done::Batch(batch(8)));
    desk.does("Batch { max: 8, above: Some(8) }", Done::Batch(batch(0)));
    desk.answer(silent(FaultKind::TimedOut));
    desk.passes(1_000);
    desk.does("Batch { max: 4, above: None }", Done::Batch(batch(4)));
    let told = pushed(&batch(4));
    desk.answer(Ok(told));
    desk.does("Settle", Done::Settled { counts: desk.counts(), again: false, mend: false });
    assert_eq!(desk.state.push.ops, 8);
}

#[test]
fn too_large_halves_at_once_and_a_single_operation_is_parked() {
    let mut desk = Desk::at_rest();
    desk.waiting = 4;
    desk.event(Event::Wrote { counts: desk.counts(), mending: false });
    desk.does("Batch { max: 8, above: None }", Done::Batch(batch(4)));
    desk.fails(413, "batch_too_large");
    desk.does("Batch { max: 2, above: None }", Done::Batch(batch(2)));
    desk.fails(413, "");
    desk.does("Batch { max: 1, above: None }", Done::Batch(batch(1)));
    desk.fails(413, "");
    assert_eq!(desk.job(), Some(&Job::Park { n: 1, code: "too_large" }));
}

#[test]
fn a_single_operation_that_times_out_is_not_parked() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    desk.answer(silent(FaultKind::TimedOut));
    desk.passes(1_000);
    desk.does("Batch { max: 1, above: None }", Done::Batch(batch(1)));
}

#[test]
fn a_stale_token_is_refreshed_once_and_the_same_operations_go_again() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    desk.fails(401, "PGRST303");
    assert_eq!(desk.asks(), Some(&Ask::Refresh));
    desk.answer(Ok(Told::Refreshed));
    desk.does("Batch", Done::Batch(batch(1)));
    desk.fails(401, "PGRST303");
    assert_eq!(desk.state.paused(), Some(Pause::SignIn), "a second refusal is not refreshed");
    assert!(desk.asks().is_none());
}

#[test]
fn a_refresh_that_has_no_answer_is_asked_again_and_nothing_goes_before_it() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    desk.fails(401, "");
    desk.answer(Err(Fault::silent(Service::Auth, FaultKind::Unreachable)));
    desk.passes(1_000);
    assert_eq!(desk.asks(), Some(&Ask::Refresh));
}

#[test]
fn two_refreshes_are_never_in_flight() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    desk.took();
    desk.event(Event::TokenStale);
    desk.fails(401, "");
    desk.event(Event::TokenStale);
    desk.event(Event::TokenStale);
    let refreshes = desk
        .took()
        .iter()
        .filter(|action| matches!(action, Action::Ask { ask: Ask::Refresh, .. }))
        .count();
    assert_eq!(refreshes, 1);
    desk.answer(Ok(Told::Refreshed));
    assert_ne!(desk.asks(), Some(&Ask::Refresh), "the one refresh served all who asked");
}

#[test]
fn a_refused_refresh_pauses_until_the_person_signs_in_and_nothing_is_lost() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    desk.fails(401, "");
    desk.answer(Err(Fault::status(Service::Auth, 400, "refresh_token_not_found")));
    assert_eq!(desk.state.status().sentence(), "Paused: sign in again (nothing is lost)");
    desk.passes(3_600_000);
    assert!(desk.asks().is_none());
    desk.event(Event::SignedIn { user_id: ANN });
    assert!(matches!(desk.asks(), Some(Ask::Hello { .. })));
    desk.answer(Ok(hello(5)));
    desk.does("Numbered", Done::Kept);
    desk.does("Batch", Done::Batch(batch(1)));
    assert!(matches!(desk.asks(), Some(Ask::Push(_))));
}

#[test]
fn each_pause_says_why_and_only_some_end_by_themselves() {
    let cases = [
        (403, "device_revoked", Pause::DeviceRevoked, false),
        (403, "user_disabled", Pause::UserDisabled, false),
        (404, "PGRST202", Pause::NoSchema, true),
        (400, "schema_too_old", Pause::AppTooOld, false),
        (540, "", Pause::ProjectPaused, true),
        (403, "", Pause::Forbidden, false),
    ];
    for (status, code, why, ends) in cases {
        let mut desk = Desk::at_rest();
        desk.event(Event::Now);
        desk.fails(status, code);
        assert_eq!(desk.state.paused(), Some(why));
        assert_eq!(desk.state.due().is_some(), ends, "{why:?}");
        desk.passes(3_600_000);
        assert_eq!(matches!(desk.asks(), Some(Ask::Hello { .. })), ends, "{why:?}");
    }
}

#[test]
fn an_unknown_device_introduces_itself_once_more() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    desk.fails(403, "device_unknown");
    assert!(matches!(desk.asks(), Some(Ask::Hello { .. })));
    desk.answer(Ok(hello(5)));
    desk.does("Numbered", Done::Kept);
    desk.fails(403, "device_unknown");
    assert_eq!(desk.state.paused(), Some(Pause::DeviceUnknown));
}

#[test]
fn a_copied_data_folder_takes_a_new_id_and_introduces_itself_again() {
    let mut desk = Desk::started(memory(Some(5)));
    desk.answer(Ok(hello(5)));
    desk.does("Numbered", Done::Renamed { device_id: BOB });
    assert_eq!(desk.asks(), Some(&Ask::Hello { device_id: BOB }));
}

#[test]
fn another_user_or_another_schema_is_not_spoken_to() {
    let told = |change: fn(&mut Hello)| {
        let Told::Hello(mut hello) = hello(5) else { unreachable!("it is one") };
        change(&mut hello);
        Told::Hello(hello)
    };
    let cases = [
        (told(|hello| hello.user_id = BOB), Pause::WrongProject),
        (told(|hello| hello.schema = [0, 0]), Pause::ServerTooOld),
        (told(|hello| hello.schema = [2, 3]), Pause::AppTooOld),
    ];
    for (hello, why) in cases {
        let mut desk = Desk::started(memory(Some(5)));
        desk.answer(Ok(hello));
        assert_eq!(desk.state.paused(), Some(why));
        assert!(desk.asks().is_none() && desk.job().is_none());
    }
}

#[test]
fn an_answer_for_the_previous_user_is_dropped_unread() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    let (epoch, request) = (desk.state.epoch, desk.state.requests);
    desk.event(Event::SignedOut);
    assert!(desk.took().contains(&Action::Abandon));
    desk.event(Event::SignedIn { user_id: BOB });
    desk.event(Event::Locked(true));
    desk.does("Load", Done::Loaded(memory(Some(5))));
    let told = Ok(page(Some(Cursor::at(head(5))), 3, false));
    desk.event(Event::Told { epoch, request, told });
    assert!(desk.job().is_none() && matches!(desk.asks(), Some(Ask::Hello { .. })));
}

#[test]
fn what_the_mirror_did_for_the_previous_user_is_not_taken_for_this_one() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    let epoch = desk.state.epoch;
    desk.event(Event::SignedOut);
    desk.event(Event::SignedIn { user_id: BOB });
    desk.event(Event::Locked(true));
    desk.event(Event::Done { epoch, done: Ok(Done::Batch(batch(1))) });
    assert_eq!(desk.job(), Some(&Job::Load));
}

#[test]
fn the_next_page_is_asked_for_while_one_is_applied_and_never_more_than_one() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Rang { seq: 20 });
    desk.answer(Ok(page(Some(Cursor::at(head(5))), 2, true)));
    assert!(matches!(desk.job(), Some(Job::Apply { .. })));
    let Some(Ask::Pull { after: Some(after), .. }) = desk.asks().cloned() else {
        panic!("the next page was not asked for");
    };
    assert_eq!(after.seq, 7, "it goes on behind the page that is still being applied");
    desk.answer(Ok(page(Some(after), 2, true)));
    assert!(desk.asks().is_none(), "a second page waits; a third is not asked for");
}

#[test]
fn a_page_that_fails_to_apply_leaves_the_cursor_where_it_was() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Rang { seq: 20 });
    desk.answer(Ok(page(Some(Cursor::at(head(5))), 2, true)));
    let after = desk.asks().cloned();
    assert!(matches!(after, Some(Ask::Pull { .. })));
    desk.answer(Ok(page(Some(Cursor::at(head(7))), 2, false)));
    let epoch = desk.state.epoch;
    desk.event(Event::Done { epoch, done: Err(StoreFault::Full) });
    assert_eq!(desk.state.status().state, SyncState::DiskFull);
    desk.passes(1_000);
    desk.does("Load", Done::Loaded(memory(Some(5))));
    desk.does("Batch", Done::Batch(batch(0)));
    let Some(Ask::Pull { after: Some(after), .. }) = desk.asks() else {
        panic!("it does not pull again: {:?}", desk.asks());
    };
    assert_eq!(after.seq, 5);
}

#[test]
fn a_page_that_stands_still_or_goes_back_is_not_asked_for_for_ever() {
    for forward in [0, -2] {
        let mut desk = Desk::at_rest();
        desk.event(Event::Now);
        let Told::Page(mut summary, rows) = page(Some(Cursor::at(head(5))), forward, true) else {
            unreachable!("it is one");
        };
        summary.head = head(9);
        desk.answer(Ok(Told::Page(summary, rows)));
        assert!(desk.asks().is_none() && desk.job().is_none(), "{forward}");
        assert!(desk.state.due().is_some());
    }
}

#[test]
fn the_doorbell_is_believed_only_as_far_as_to_look() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Rang { seq: 5 });
    assert!(desk.asks().is_none(), "what this device knows is no news");
    for seq in [6, 3] {
        desk.event(Event::Rang { seq });
        assert!(matches!(desk.asks(), Some(Ask::Pull { .. })), "{seq}");
        desk.settles();
    }
}

#[test]
fn without_a_network_nothing_is_asked_and_its_return_ends_every_wait() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Online(false));
    desk.wrote();
    desk.passes(600_000);
    assert!(desk.asks().is_none());
    assert_eq!(
        desk.state.status().sentence(),
        "Offline. 1 change will sync when you are back online."
    );
    desk.event(Event::Online(true));
    desk.does("Batch", Done::Batch(batch(1)));
    assert!(matches!(desk.asks(), Some(Ask::Push(_))));
}

#[test]
fn waking_up_ends_a_wait() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    desk.answer(silent(FaultKind::Unreachable));
    assert!(desk.asks().is_none());
    desk.event(Event::Woke);
    assert!(matches!(desk.asks(), Some(Ask::Pull { .. })));
}

#[test]
fn where_another_process_syncs_this_one_only_asks_for_the_lock() {
    let state = State::new(Limits::default(), Now { mono_ms: 0, wall_ms: 0 }, 1);
    let mut desk = Desk { state, now: 0, actions: Vec::new(), waiting: 0, server_ahead: 0 };
    desk.event(Event::SignedIn { user_id: ANN });
    desk.event(Event::Locked(false));
    desk.wrote();
    assert_eq!(desk.state.status().state, SyncState::Elsewhere);
    desk.took();
    desk.passes(5_000);
    assert!(desk.took().contains(&Action::Lock));
    assert!(desk.asks().is_none() && desk.job().is_none());
}

#[test]
fn a_first_sync_keeps_the_head_first_and_takes_conversations_before_messages() {
    let mut desk = Desk::started(memory(None));
    desk.answer(Ok(hello(9)));
    desk.does("Numbered", Done::Kept);
    // Before anything is pushed, too.
    desk.does("Begin { head: Head { seq: 9", Done::Kept);
    desk.does("Batch", Done::Batch(batch(0)));
    let mut tables = Vec::new();
    while let Some(Ask::Snapshot { table, .. }) = desk.asks().cloned() {
        tables.push(table);
        desk.answer(Ok(Told::Snapshot { after: None, count: 0, rows: Rows(String::new()) }));
        desk.does("Snapshot", Done::Kept);
    }
    assert_eq!(tables[0], Table::Conversations);
    assert_eq!(tables.len(), Table::ALL.len());
    let Some(Ask::Pull { after: Some(after), .. }) = desk.asks() else {
        panic!("the delta is not pulled");
    };
    assert_eq!(*after, Cursor::at(head(9)), "from the head that was kept before the first row");
}

#[test]
fn a_long_first_sync_lets_every_second_request_be_a_push() {
    let mut desk = Desk::started(memory(None));
    desk.answer(Ok(hello(9)));
    desk.does("Numbered", Done::Kept);
    desk.does("Begin", Done::Kept);
    desk.does("Batch", Done::Batch(batch(0)));
    desk.wrote();
    let mut after = 0;
    let more = |n: i64| Told::Snapshot {
        after: Some(crate::model::wire::After(n.into())),
        count: 0,
        rows: Rows(String::new()),
    };
    let mut asked = Vec::new();
    for _ in 0..8 {
        match desk.asks().cloned() {
            Some(Ask::Snapshot { .. }) => {
                asked.push('s');
                after += 1;
                desk.answer(Ok(more(after)));
            }
            Some(Ask::Push(push)) => {
                asked.push('p');
                desk.answer(Ok(Told::Pushed(applied(&push, 9 + after))));
            }
            other => panic!("{other:?} was not expected"),
        }
        desk.waiting = 1;
        while desk.asks().is_none() {
            let job = desk.job().cloned().expect("something goes on");
            desk.waiting = 2;
            let done = desk.ordinary(&job);
            let epoch = desk.state.epoch;
            desk.event(Event::Done { epoch, done: Ok(done) });
        }
    }
    let pushes = asked.iter().filter(|kind| **kind == 'p').count();
    assert!((3..=5).contains(&pushes), "{asked:?}");
}

#[test]
fn a_restored_server_is_bisected_and_what_it_lost_is_offered_again() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    desk.answer(Ok(unknown(Some(Cursor::at(head(5))))));
    desk.does("Points", Done::Points(vec![head(5), head(3), head(1)]));
    let Some(Ask::Anchor { points }) = desk.asks() else { panic!("no anchor was asked for") };
    assert_eq!(points.len(), 3);
    let known = |seq| Some((head(seq).seq, head(seq).nonce));
    desk.answer(Ok(Told::Anchor(Anchor { known: known(1), head: head(2) })));
    let (above, below) = (Some(head(1)), Some(head(3)));
    assert_eq!(desk.job(), Some(&Job::Points { above, below, max: 200 }));
    desk.does("Points", Done::Points(vec![head(2)]));
    desk.answer(Ok(Told::Anchor(Anchor { known: known(2), head: head(2) })));
    desk.does("Points", Done::Points(vec![]));
    assert_eq!(desk.job(), Some(&Job::Rewind { known: Some(head(2)) }));
    desk.does("Rewind", Done::Kept);
    desk.does("Load", Done::Loaded(memory(Some(2))));
    desk.does("Batch", Done::Batch(batch(1)));
    assert!(matches!(desk.asks(), Some(Ask::Push(_))));
}

#[test]
fn a_server_whose_head_is_lower_than_the_cursor_was_restored() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    desk.answer(Ok(page(Some(Cursor::at(head(3))), 0, false)));
    assert!(matches!(desk.job(), Some(Job::Points { .. })));
}

/// A device that pushed something at seq 6 and now pulls behind seq 5.
fn pushed_at_six() -> Desk {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    let Told::Pushed(mut told) = pushed(&batch(1)) else { unreachable!("it is one") };
    told.head = head(6);
    desk.answer(Ok(Told::Pushed(told)));
    desk.waiting = 0;
    desk.does("Settle", Done::Settled { counts: Counts::default(), again: false, mend: false });
    desk.does("Batch", Done::Batch(batch(0)));
    desk
}

fn at(desk: &mut Desk, at: Head) {
    let Told::Page(mut summary, rows) = page(Some(Cursor::at(head(5))), 1, false) else {
        unreachable!("it is one");
    };
    (summary.head, summary.cursor) = (at, Cursor::at(at));
    desk.answer(Ok(Told::Page(summary, rows)));
}

#[test]
fn a_server_that_lost_what_a_push_wrote_was_restored_even_if_it_knows_the_cursor() {
    let mut desk = pushed_at_six();
    at(&mut desk, head(5));
    assert!(matches!(desk.job(), Some(Job::Points { .. })), "its head is lower");
    let mut desk = pushed_at_six();
    at(&mut desk, Head { seq: 6, nonce: 1 });
    assert!(matches!(desk.job(), Some(Job::Points { .. })), "the same seq, another nonce");
    let mut desk = pushed_at_six();
    assert!(matches!(desk.asks(), Some(Ask::Pull { known, .. }) if *known == Some(head(6))));
    desk.answer(Ok(unknown(Some(Cursor::at(head(5))))));
    assert!(matches!(desk.job(), Some(Job::Points { .. })), "it went on since");
}

#[test]
fn the_page_behind_a_push_is_of_a_server_that_knows_the_push_and_nothing_else_is_asked() {
    let mut desk = pushed_at_six();
    at(&mut desk, head(9));
    assert!(matches!(desk.job(), Some(Job::Apply { .. })));
    desk.settles();
    desk.event(Event::Now);
    assert!(matches!(desk.asks(), Some(Ask::Pull { known: None, .. })), "the cursor says it all");
}

#[test]
fn a_rewind_that_was_cut_off_is_done_before_anything_else() {
    let known = Some(head(2));
    let mut desk = Desk::started(Memory { rewind: Some(known), ..memory(Some(5)) });
    desk.answer(Ok(hello(3)));
    desk.does("Numbered", Done::Kept);
    assert_eq!(desk.job(), Some(&Job::Rewind { known }));
}

#[test]
fn what_was_learnt_of_the_clock_is_kept_where_the_page_that_told_it_is_not_applied() {
    let mut desk = Desk::at_rest();
    desk.server_ahead = 8_000_000;
    desk.event(Event::Now);
    desk.answer(Ok(below_horizon(Some(Cursor::at(head(5))))));
    assert_eq!(desk.job(), Some(&Job::Offset { offset_ms: 8_000_000 }));
}

#[test]
fn below_the_horizon_a_server_that_lost_what_was_pushed_was_restored_all_the_same() {
    let slept = || {
        let mut desk = Desk::started(Memory { pushed: Some(head(45)), ..memory(Some(5)) });
        desk.answer(Ok(hello(50)));
        desk.does("Numbered", Done::Kept);
        desk.does("Batch", Done::Batch(batch(0)));
        assert!(matches!(desk.asks(), Some(Ask::Pull { known, .. }) if *known == Some(head(45))));
        desk
    };
    let mut desk = slept();
    let Told::Page(mut summary, rows) = below_horizon(Some(Cursor::at(head(5)))) else {
        unreachable!("it is one")
    };
    summary.known = false;
    desk.answer(Ok(Told::Page(summary, rows)));
    assert!(matches!(desk.job(), Some(Job::Points { .. })));
    let mut desk = slept();
    desk.answer(Ok(below_horizon(Some(Cursor::at(head(5))))));
    assert!(
        matches!(desk.asks(), Some(Ask::Manifest { .. })),
        "it knows it, or forgot it by rights"
    );
}

/// Answers the push under way with a head at `seq`, and stores the outcomes.
fn settles_push(desk: &mut Desk, seq: i64) -> Push {
    let Some(Ask::Push(push)) = desk.asks().cloned() else { panic!("nothing is pushed") };
    let Told::Pushed(mut told) = pushed(&push) else { unreachable!("it is one") };
    told.head = head(seq);
    desk.answer(Ok(Told::Pushed(told)));
    desk.does("Settle", Done::Settled { counts: desk.counts(), again: false, mend: false });
    push
}

#[test]
fn of_many_pushes_each_names_where_the_last_one_left_the_server_and_then_it_is_the_pulls_turn() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    let mut named = Vec::new();
    let ends = 6 + i64::from(Limits::default().in_a_row);
    for seq in 6..ends {
        desk.does("Batch", Done::Batch(batch(1)));
        named.push(settles_push(&mut desk, seq).known);
    }
    assert_eq!(named, (5..ends - 1).map(|seq| Some(head(seq))).collect::<Vec<_>>());
    let asks = desk.asks();
    assert!(matches!(asks, Some(Ask::Pull { .. })), "there is more to push, but not now: {asks:?}");
    let Some(Ask::Pull { after, .. }) = desk.asks().cloned() else { unreachable!("it is one") };
    desk.answer(Ok(page(after, ends - 6, false)));
    assert!(matches!(desk.job(), Some(Job::Apply { .. })), "the last head stands for all");
}

/// With this many operations, and more than one batch of them: the first on its way, the second ready.
fn two_batches() -> Desk {
    let mut desk = Desk::at_rest();
    desk.waiting = 19;
    desk.wrote();
    desk.does("Batch", Done::Batch(numbered(1..=8)));
    desk.does("Batch { max: 8, above: Some(8) }", Done::Batch(numbered(9..=16)));
    assert_eq!(on_its_way(&desk), (1..=8).collect::<Vec<_>>(), "one at a time");
    desk
}

fn numbered(numbers: std::ops::RangeInclusive<i64>) -> Push {
    let mut push = batch(numbers.clone().count() as u64);
    push.ops.iter_mut().zip(numbers).for_each(|(op, n)| op.n = n);
    push
}

fn on_its_way(desk: &Desk) -> Vec<i64> {
    let Some(Ask::Push(push)) = desk.asks() else { return Vec::new() };
    push.ops.iter().map(|op| op.n).collect()
}

fn applied(push: &Push, seq: i64) -> Pushed {
    let accepted = Accepted { seq, ..Accepted::default() };
    let outcome = |n| Settled { n, outcome: Outcome::Applied(accepted.clone()) };
    let outcomes = push.ops.iter().map(|op| outcome(op.n)).collect();
    Pushed { head: head(seq), server_ms: 1_000_000, outcomes }
}

#[test]
fn the_next_batch_is_made_ready_while_one_is_on_its_way_and_goes_right_after_it() {
    let mut desk = two_batches();
    desk.answer(Ok(Told::Pushed(applied(&numbered(1..=8), 6))));
    assert!(matches!(desk.job(), Some(Job::Settle { .. })));
    assert_eq!(on_its_way(&desk), (9..=16).collect::<Vec<_>>());
    let known = match desk.asks() {
        Some(Ask::Push(push)) => push.known,
        _ => None,
    };
    assert_eq!(known, Some(head(6)), "it stands on the one before");
    desk.waiting = 12;
    desk.does("Settle", Done::Settled { counts: desk.counts(), again: false, mend: false });
    desk.does("Batch { max: 8, above: Some(16) }", Done::Batch(numbered(17..=20)));
    desk.answer(Ok(Told::Pushed(applied(&numbered(9..=16), 7))));
    assert_eq!(on_its_way(&desk), (17..=20).collect::<Vec<_>>());
}

#[test]
fn a_batch_that_gets_ready_after_the_answer_goes_all_the_same() {
    let mut desk = Desk::at_rest();
    desk.waiting = 19;
    desk.wrote();
    desk.does("Batch", Done::Batch(numbered(1..=8)));
    desk.answer(Ok(Told::Pushed(applied(&numbered(1..=8), 6))));
    desk.does("Batch { max: 8, above: Some(8) }", Done::Batch(numbered(9..=16)));
    assert_eq!(on_its_way(&desk), (9..=16).collect::<Vec<_>>());
    assert!(matches!(desk.job(), Some(Job::Settle { .. })));
}

#[test]
fn what_was_made_ready_behind_an_operation_that_is_refused_or_changed_is_made_anew() {
    let shifted = Accepted { seq: 6, clocks: Some(Default::default()), ..Accepted::default() };
    let refused = Outcome::Rejected { code: "invalid".into(), message: String::new() };
    for outcome in [refused, Outcome::Behind, Outcome::Applied(shifted)] {
        let mut desk = two_batches();
        let mut told = applied(&numbered(1..=8), 6);
        told.outcomes[3].outcome = outcome;
        desk.answer(Ok(Told::Pushed(told)));
        assert_eq!(on_its_way(&desk), [0; 0]);
        desk.waiting = 12;
        desk.does("Settle", Done::Settled { counts: desk.counts(), again: false, mend: false });
        desk.does("Batch { max: 8, above: None }", Done::Batch(numbered(9..=16)));
        assert_eq!(on_its_way(&desk), (9..=16).collect::<Vec<_>>());
    }
}

#[test]
fn what_was_made_ready_behind_a_push_without_an_answer_is_not_sent_before_it() {
    let mut desk = two_batches();
    desk.answer(silent(FaultKind::Unreachable));
    desk.passes(60_000);
    desk.does("Batch { max: 8, above: None }", Done::Batch(numbered(1..=8)));
    assert_eq!(on_its_way(&desk), (1..=8).collect::<Vec<_>>());
}

#[test]
fn outcomes_that_could_not_be_stored_come_again_before_anything_else_is_made_ready() {
    let mut desk = two_batches();
    desk.answer(Ok(Told::Pushed(applied(&numbered(1..=8), 6))));
    let epoch = desk.state.epoch;
    desk.event(Event::Done { epoch, done: Err(StoreFault::Full) });
    desk.answer(Ok(Told::Pushed(applied(&numbered(9..=16), 7))));
    desk.does("Settle", Done::Settled { counts: desk.counts(), again: false, mend: false });
    desk.passes(60_000);
    desk.does("Load", Done::Loaded(memory(Some(5))));
    desk.does("Batch { max: 8, above: None }", Done::Batch(numbered(1..=8)));
    assert_eq!(on_its_way(&desk), (1..=8).collect::<Vec<_>>());
}

#[test]
fn a_push_that_goes_into_another_history_is_refused_and_a_pull_finds_out_why() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    settles_push(&mut desk, 6);
    desk.does("Batch", Done::Batch(batch(1)));
    desk.fails(409, "unknown_point");
    let Some(Ask::Pull { after, .. }) = desk.asks().cloned() else { panic!("no pull") };
    desk.answer(Ok(page(after, 0, false)));
    assert!(matches!(desk.job(), Some(Job::Points { .. })), "restored: {:?}", desk.job());
}

#[test]
fn a_server_that_refuses_every_point_is_not_asked_in_a_circle() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    let mut pushes = 0;
    for _ in 0..50 {
        match desk.asks().cloned() {
            Some(Ask::Push(_)) => {
                pushes += 1;
                desk.fails(409, "unknown_point");
            }
            Some(Ask::Pull { after, .. }) => desk.answer(Ok(page(after, 0, false))),
            _ if desk.job().is_some() => desk.does("Batch", Done::Batch(batch(1))),
            _ => break,
        }
    }
    assert_eq!(pushes, 1, "the next one has a timer");
    assert!(desk.state.due().is_some_and(|due| due < 60_000));
}

#[test]
fn what_a_deletion_took_that_was_given_up_is_fetched_without_a_restart() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Wrote { counts: Counts::default(), mending: true });
    assert!(matches!(desk.asks(), Some(Ask::Manifest { table: Table::Conversations, .. })));
    for _ in &Table::ALL[..4] {
        desk.answer(Ok(manifest(&[], 0, 5)));
        desk.does("Compare", Done::Compared { fetch: vec![], absent: vec![], restored: false });
    }
    assert_eq!(desk.job(), Some(&Job::Resume { head: None, mended: true }));
    desk.does("Resume", Done::Kept);
    desk.settles();
    assert!(desk.state.rests(), "once");
}

#[test]
fn rows_that_came_back_are_fetched_by_the_next_program_too() {
    let mut desk = Desk::started(Memory { mending: true, ..memory(Some(5)) });
    desk.answer(Ok(hello(5)));
    desk.does("Numbered", Done::Kept);
    assert!(matches!(desk.asks(), Some(Ask::Manifest { table: Table::Conversations, .. })));
}

fn listed(n: u128) -> Listed {
    Listed { id: Uuid::from_u128(n), seq: 4, hash: String::new() }
}

fn manifest(rows: &[u128], count: i64, seq: i64) -> Told {
    let rows = rows.iter().map(|n| listed(*n)).collect();
    let (has_more, user_id, head) = (false, ANN, head(seq));
    Told::Manifest(Manifest { rows, has_more, head, count: Some(count), user_id })
}

/// A device below the horizon that reads its first manifest.
fn sleeper() -> Desk {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    desk.answer(Ok(below_horizon(Some(Cursor::at(head(5))))));
    assert!(matches!(desk.asks(), Some(Ask::Manifest { table: Table::Conversations, .. })));
    desk
}

#[test]
fn below_the_horizon_a_manifest_is_compared_and_what_differs_is_fetched() {
    let mut desk = sleeper();
    desk.answer(Ok(manifest(&[1, 2], 2, 50)));
    let fetch = vec![Uuid::from_u128(2)];
    desk.does("Compare", Done::Compared { fetch: fetch.clone(), absent: vec![], restored: false });
    let table = Table::Conversations;
    assert_eq!(desk.asks(), Some(&Ask::Rows { table, ids: fetch, known: Some(head(50)) }));
    desk.answer(Ok(Told::Rows { got: Vec::new(), has_more: false, rows: Rows(String::new()) }));
    desk.does("Mend", Done::Kept);
    for table in &Table::ALL[1..] {
        assert!(matches!(desk.asks(), Some(Ask::Manifest { table: asked, .. }) if asked == table));
        desk.answer(Ok(manifest(&[], 0, 51)));
        desk.does("Compare", Done::Compared { fetch: vec![], absent: vec![], restored: false });
    }
    assert_eq!(
        desk.job(),
        Some(&Job::Resume { head: Some(head(50)), mended: false }),
        "the head before it all"
    );
}

#[test]
fn a_server_that_is_restored_while_manifests_are_compared_is_noticed() {
    let bisects = |desk: &Desk| matches!(desk.job(), Some(Job::Points { .. }));
    let mut desk = sleeper();
    desk.answer(Ok(manifest(&[1], 1, 4)));
    assert!(bisects(&desk), "its head is below the cursor");

    let mut desk = sleeper();
    desk.answer(Ok(manifest(&[1], 1, 50)));
    desk.does("Compare", Done::Compared { fetch: vec![], absent: vec![], restored: false });
    desk.answer(Ok(manifest(&[], 0, 49)));
    assert!(bisects(&desk), "its head went back between two tables");

    let mut desk = sleeper();
    desk.answer(Ok(manifest(&[1], 1, 50)));
    desk.does("Compare", Done::Compared { fetch: vec![], absent: vec![], restored: true });
    assert!(bisects(&desk), "a row of it went back");

    let mut desk = sleeper();
    let Told::Manifest(foreign) = manifest(&[1], 1, 4) else { unreachable!("it is one") };
    desk.answer(Ok(Told::Manifest(Manifest { user_id: BOB, ..foreign })));
    assert!(!bisects(&desk), "of another user it says nothing");
}

#[test]
fn a_head_that_goes_back_between_two_pages_or_to_a_hello_is_of_a_restored_server() {
    let told = || {
        let mut desk = Desk::at_rest();
        desk.event(Event::Now);
        desk.answer(Ok(page(Some(Cursor::at(head(5))), 3, true)));
        desk
    };
    let mut desk = told();
    at(&mut desk, head(8));
    desk.does("Apply", Done::Applied { removed: 0, counts: Counts::default() });
    assert!(matches!(desk.job(), Some(Job::Points { .. })), "between two pages");

    let mut desk = told();
    desk.fails(403, "device_unknown");
    desk.does("Apply", Done::Applied { removed: 0, counts: Counts::default() });
    desk.answer(Ok(hello(8)));
    desk.does("Numbered", Done::Kept);
    assert!(matches!(desk.job(), Some(Job::Points { .. })), "a hello tells it too");
}

#[test]
fn absence_without_proof_removes_nothing() {
    let gone = vec![Uuid::from_u128(9)];
    let compared = || Done::Compared { fetch: vec![], absent: gone.clone(), restored: false };
    // Fewer rows than the server counts: the table is read again.
    let mut desk = sleeper();
    desk.answer(Ok(manifest(&[1], 2, 50)));
    desk.does("Compare", compared());
    assert!(matches!(desk.asks(), Some(Ask::Manifest { after: None, .. })));
    // All of them, at one head: they may go.
    desk.answer(Ok(manifest(&[1, 2], 2, 50)));
    desk.does("Compare", compared());
    let Some(Job::Remove { ids, .. }) = desk.job() else { panic!("it was proven") };
    assert_eq!(*ids, gone);
}

#[test]
fn a_half_manifest_is_read_again_before_the_cursor_passes_what_it_left_out() {
    let mut desk = sleeper();
    let table = Table::Conversations;
    desk.answer(Ok(manifest(&[1], 2, 50)));
    desk.does("Compare", Done::Compared { fetch: vec![], absent: vec![], restored: false });
    let Some(Ask::Manifest { table: asked, after: None, .. }) = desk.asks() else { panic!("read") };
    assert_eq!(*asked, table);
    desk.answer(Ok(manifest(&[1, 2], 2, 50)));
    desk.does("Compare", Done::Compared { fetch: vec![], absent: vec![], restored: false });
    assert!(matches!(desk.asks(), Some(Ask::Manifest { table: asked, .. }) if *asked != table));
}

#[test]
fn a_manifest_of_another_user_proves_nothing() {
    let mut desk = sleeper();
    let Told::Manifest(mut told) = manifest(&[1], 1, 50) else { unreachable!("it is one") };
    told.user_id = BOB;
    desk.answer(Ok(Told::Manifest(told)));
    let absent = vec![Uuid::from_u128(9)];
    desk.does("Compare", Done::Compared { fetch: vec![], absent, restored: false });
    assert!(matches!(desk.asks(), Some(Ask::Manifest { after: None, .. })));
}

#[test]
fn much_that_would_go_is_asked_about_and_goes_only_with_a_yes() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    desk.answer(Ok(page(Some(Cursor::at(head(5))), 2, false)));
    desk.does("Apply", Done::TooMuch { removed: 80 });
    assert_eq!(desk.state.paused(), Some(Pause::Removal));
    desk.event(Event::Now);
    desk.passes(3_600_000);
    assert!(desk.asks().is_none(), "neither time nor impatience is a yes");
    desk.event(Event::Removal(Verdict::Remove));
    desk.answer(Ok(page(Some(Cursor::at(head(5))), 2, false)));
    let Some(Job::Apply { guard, .. }) = desk.job() else { panic!("the page is applied") };
    assert_eq!(guard.verdict, Some(Verdict::Remove));
    desk.does("Apply", Done::Applied { removed: 80, counts: Counts::default() });
    assert_eq!(desk.state.pull.guard.verdict, None, "a yes is for one time");
}

#[test]
fn fifty_rows_or_a_fifth_go_without_a_question() {
    use super::event::Guard;
    let guard = |removed| Guard { removed, verdict: None };
    assert!(guard(0).allows(50, 50));
    assert!(!guard(0).allows(51, 60));
    assert!(guard(0).allows(51, 1_000));
    assert!(!guard(200).allows(1, 800), "what went before in the same pull counts");
    assert!(guard(199).allows(1, 801));
    assert!(guard(5_000).allows(0, 0));
}

/// A page that is applied fails, and the one after it, which was asked for meanwhile, arrives then.
fn the_page_before_it_fails(mut desk: Desk, told: impl Fn(i64) -> Told) {
    desk.answer(Ok(told(6)));
    let follows = desk.state.asking.as_ref().expect("the next page is asked for").request;
    let epoch = desk.state.epoch;
    desk.event(Event::Done { epoch, done: Err(StoreFault::Full) });
    desk.event(Event::Told { epoch, request: follows, told: Ok(told(7)) });
    assert!(desk.job().is_none() && desk.state.jobs.is_empty(), "{:?}", desk.job());
    desk.passes(60_000);
    assert_eq!(desk.job(), Some(&Job::Load), "from where the mirror is, and not behind it");
}

#[test]
fn a_page_that_follows_one_that_was_not_taken_leaves_nothing_out() {
    let mut desk = Desk::at_rest();
    desk.event(Event::Now);
    the_page_before_it_fails(desk, |to| page(Some(Cursor::at(head(to))), 1, true));
    let mut desk = Desk::started(memory(None));
    desk.answer(Ok(hello(9)));
    desk.does("Numbered", Done::Kept);
    desk.does("Begin", Done::Kept);
    desk.does("Batch", Done::Batch(batch(0)));
    the_page_before_it_fails(desk, |n| Told::Snapshot {
        after: Some(crate::model::wire::After(n.into())),
        count: 0,
        rows: Rows(String::new()),
    });
}

#[test]
fn the_offset_of_the_clock_is_learnt_once_and_not_with_every_answer() {
    let mut desk = Desk::started(memory(Some(5)));
    desk.server_ahead = 8_000_000;
    desk.answer(Ok(hello(5)));
    assert_eq!(desk.job(), Some(&Job::Offset { offset_ms: 8_000_000 }));
    desk.settles();
    desk.server_ahead += 300;
    desk.event(Event::Now);
    desk.answer(Ok(page(Some(Cursor::at(head(5))), 0, false)));
    assert!(desk.job().is_none(), "300 ms are no news");
}

#[test]
fn the_offset_of_the_clock_as_a_slow_answer_told_it_is_mended_by_a_quick_one() {
    let mut desk = Desk::started(memory(Some(5)));
    desk.now = 3_000;
    desk.server_ahead = 8_000_000;
    desk.answer(Ok(hello(5)));
    let first = 8_000_000 + 1_500;
    assert_eq!(desk.job(), Some(&Job::Offset { offset_ms: first }), "half of three seconds");
    desk.settles();
    let known = |desk: &Desk| desk.state.memory.as_ref().map(|memory| memory.offset_ms);
    assert_eq!(known(&desk), Some(8_000_000));
    // Where the clocks are as they were, a slow answer after it changes nothing.
    desk.event(Event::Now);
    desk.now += 3_000;
    desk.answer(Ok(page(Some(Cursor::at(head(5))), 0, false)));
    assert_eq!(known(&desk), Some(8_000_000));
}

#[test]
fn half_of_the_time_under_way_belongs_to_the_way_back() {
    let mut desk = Desk::started(memory(Some(5)));
    desk.now = 10_000;
    desk.server_ahead = -5_000;
    desk.answer(Ok(hello(5)));
    assert_eq!(desk.job().map(|job| format!("{job:?}").contains("Offset")), Some(false));
}

#[test]
fn operations_that_the_server_asks_for_again_wait_and_others_do_not() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    let told = pushed(&batch(1));
    desk.answer(Ok(told));
    desk.does("Settle", Done::Settled { counts: desk.counts(), again: true, mend: false });
    assert!(desk.job().is_none() && desk.asks().is_none());
    desk.wrote();
    assert!(matches!(desk.job(), Some(Job::Batch { .. })), "a new write does not wait");
}

#[test]
fn an_outcome_that_was_not_asked_for_is_not_looked_at() {
    let mut desk = Desk::at_rest();
    desk.wrote();
    desk.does("Batch", Done::Batch(batch(1)));
    let Told::Pushed(mut told) = pushed(&batch(1)) else { unreachable!("it is one") };
    told.outcomes.push(Settled { n: 99, outcome: Outcome::Done });
    desk.answer(Ok(Told::Pushed(told)));
    let Some(Job::Settle { pushed, .. }) = desk.job() else { panic!("outcomes are stored") };
    assert!(pushed.outcomes.iter().all(|settled| settled.n == 1));
}

#[test]
fn a_verification_mends_only_the_tables_that_differ() {
    use crate::model::wire::Digests;
    let mut desk = Desk::at_rest();
    desk.event(Event::Verify);
    assert!(matches!(desk.asks(), Some(Ask::Digest { after: None, .. })));
    let digests = |seq| Digests {
        conversations: vec![],
        others: Default::default(),
        has_more: false,
        head: head(seq),
    };
    desk.answer(Ok(Told::Digests(digests(6))));
    assert!(matches!(desk.asks(), Some(Ask::Pull { .. })), "another head: pulled first");
    desk.settles_until_digest();
    desk.answer(Ok(Told::Digests(digests(5))));
    desk.does("Digests", Done::Differs(vec![Table::Settings]));
    assert!(matches!(desk.asks(), Some(Ask::Manifest { table: Table::Settings, .. })));
    desk.answer(Ok(manifest(&[], 0, 5)));
    desk.does("Compare", Done::Compared { fetch: vec![], absent: vec![], restored: false });
    assert_eq!(desk.job(), Some(&Job::Resume { head: None, mended: false }), "the cursor stays");
}

impl Desk {
    fn settles_until_digest(&mut self) {
        while !matches!(self.asks(), Some(Ask::Digest { .. })) {
            let told = self.nothing_new(&self.asks().cloned().expect("it goes on"));
            self.answer(Ok(told));
        }
    }
}
