//! What the send queue does next: pure, so that a table of cases can show it.

use std::collections::HashSet;

use uuid::Uuid;

use crate::mirror::send_queue::Entry;
use crate::model::{MessageId, MessageState, Timestamp};

/// What is known of an entry beside its row.
#[derive(Debug, Clone)]
pub struct Queued {
    /// The row.
    pub entry: Entry,
    /// The answer's state.
    pub state: MessageState,
    /// Whether something of it has arrived.
    pub has_text: bool,
    /// Whether asking its model may cost money.
    pub costs: bool,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask now.
    Start(MessageId),
    /// Its process died while text was arriving: it is interrupted.
    Interrupt(MessageId),
    /// Its process died before any text arrived: it waits again.
    Requeue(MessageId),
    /// It waited long and costs money: ask the person.
    Hold(MessageId),
}

/// What to do now, and when to look again.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// The earliest retry; none where nothing waits for a time.
    pub wake_at: Option<Timestamp>,
}

/// What the plan is made from, beside the entries.
#[allow(missing_debug_implementations)]
pub struct Now<'a> {
    /// The time.
    pub at: Timestamp,
    /// This process.
    pub me: Uuid,
    /// Answers that this process asks for at the moment.
    pub running: &'a HashSet<MessageId>,
    /// Whether a process lives.
    pub is_alive: &'a dyn Fn(Uuid) -> bool,
    /// After how many milliseconds in the queue a question that costs money wants a yes.
    pub hold_after_ms: i64,
}

/// Plans over all entries, oldest first. Within a conversation only the first may go; those behind it
/// wait, and so they do behind one that needs a person.
pub fn plan(entries: &[Queued], now: &Now<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut seen = HashSet::new();
    for queued in entries {
        let entry = &queued.entry;
        // Asked once: between two answers a process may die, and its text would neither be buried nor left.
        let is_alive = entry.runner.is_none_or(|runner| runner == now.me || (now.is_alive)(runner));
        if let Some(step) = bury(queued, now, is_alive) {
            plan.steps.push(step);
        }
        if !seen.insert(entry.conversation_id)
            || now.running.contains(&entry.message_id)
            || busy(entry, now, is_alive)
        {
            continue;
        }
        if queued.state == MessageState::NeedsYou || entry.held {
            continue;
        }
        match entry.retry_at.filter(|at| *at > now.at) {
            Some(at) => plan.wake_at = Some(plan.wake_at.map_or(at, |other| other.min(at))),
            None if waited_long(queued, now) => plan.steps.push(Step::Hold(entry.message_id)),
            // An answer that a dead process left with text was buried above and does not start.
            None if plan.steps.contains(&Step::Interrupt(entry.message_id)) => {}
            None => plan.steps.push(Step::Start(entry.message_id)),
        }
    }
    plan
}

/// What is to be done about an entry whose process died, or which this process lost track of.
fn bury(queued: &Queued, now: &Now<'_>, is_alive: bool) -> Option<Step> {
    let entry = &queued.entry;
    let runner = entry.runner?;
    let lost = if runner == now.me { !now.running.contains(&entry.message_id) } else { !is_alive };
    let begun = matches!(queued.state, MessageState::Sending | MessageState::Streaming);
    match (lost && begun, queued.state == MessageState::Streaming && queued.has_text) {
        (false, _) => None,
        (true, true) => Some(Step::Interrupt(entry.message_id)),
        (true, false) => Some(Step::Requeue(entry.message_id)),
    }
}

/// Whether another live process asks for it.
fn busy(entry: &Entry, now: &Now<'_>, is_alive: bool) -> bool {
    entry.runner.is_some_and(|runner| runner != now.me && is_alive)
}

fn waited_long(queued: &Queued, now: &Now<'_>) -> bool {
    queued.costs && now.at.0.saturating_sub(queued.entry.queued_at.0) > now.hold_after_ms
}

/// How long to wait before the `attempts`th retry where the provider named no time, in milliseconds:
/// doubles from 1,000 to at most 20,000. `jitter` is between 0 and 1 and adds up to a fifth, so that
/// clients that lost a server together do not return together.
pub fn backoff_ms(attempts: i64, jitter: f64) -> i64 {
    let doubled = 1000_i64 << attempts.saturating_sub(1).clamp(0, 5);
    let base = doubled.min(20_000);
    base + (base as f64 * 0.2 * jitter.clamp(0.0, 1.0)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConversationId;

    const ME: Uuid = Uuid::from_u128(100);
    const DEAD: Uuid = Uuid::from_u128(101);
    const OTHER: Uuid = Uuid::from_u128(102);

    fn queued(n: u128, conversation: u128) -> Queued {
        Queued {
            entry: Entry {
                rowid: n as i64,
                message_id: MessageId(Uuid::from_u128(n)),
                conversation_id: ConversationId(Uuid::from_u128(conversation)),
                runner: None,
                attempts: 0,
                retry_at: None,
                failure: None,
                held: false,
                queued_at: Timestamp(0),
            },
            state: MessageState::Queued,
            has_text: false,
            costs: false,
        }
    }

    fn plan_at(ms: i64, entries: &[Queued]) -> Plan {
        let is_alive = |id| id != DEAD;
        let running = HashSet::new();
        plan(
            entries,
            &Now {
                at: Timestamp(ms),
                me: ME,
                running: &running,
                is_alive: &is_alive,
                hold_after_ms: 1000,
            },
        )
    }

    fn id(n: u128) -> MessageId {
        MessageId(Uuid::from_u128(n))
    }

    #[test]
    fn only_the_first_of_each_conversation_goes() {
        let plan = plan_at(0, &[queued(1, 1), queued(2, 1), queued(3, 2)]);
        assert_eq!(plan.steps, [Step::Start(id(1)), Step::Start(id(3))]);
    }

    #[test]
    fn those_behind_one_that_needs_a_person_wait_and_other_conversations_go_on() {
        let mut parked = queued(1, 1);
        parked.state = MessageState::NeedsYou;
        assert_eq!(plan_at(0, &[parked, queued(2, 1), queued(3, 2)]).steps, [Step::Start(id(3))]);
    }

    #[test]
    fn a_retry_waits_for_its_time() {
        let mut later = queued(1, 1);
        later.entry.retry_at = Some(Timestamp(50));
        assert_eq!(
            plan_at(49, std::slice::from_ref(&later)),
            Plan { steps: vec![], wake_at: Some(Timestamp(50)) }
        );
        assert_eq!(plan_at(50, &[later]).steps, [Step::Start(id(1))]);
    }

    #[test]
    fn what_another_live_process_asks_is_left_alone() {
        let mut theirs = queued(1, 1);
        theirs.entry.runner = Some(OTHER);
        theirs.state = MessageState::Streaming;
        assert_eq!(plan_at(0, &[theirs, queued(2, 1)]), Plan::default());
    }

    #[test]
    fn a_dead_process_leaves_text_interrupted_and_silence_queued() {
        let mut spoke = queued(1, 1);
        (spoke.entry.runner, spoke.state, spoke.has_text) =
            (Some(DEAD), MessageState::Streaming, true);
        let mut silent = queued(2, 2);
        (silent.entry.runner, silent.state) = (Some(DEAD), MessageState::Sending);
        let plan = plan_at(0, &[spoke, silent]);
        assert_eq!(plan.steps, [Step::Interrupt(id(1)), Step::Requeue(id(2)), Step::Start(id(2))]);
    }

    #[test]
    fn a_process_that_dies_while_it_is_planned_keeps_its_text() {
        let mut spoke = queued(1, 1);
        (spoke.entry.runner, spoke.state, spoke.has_text) =
            (Some(DEAD), MessageState::Streaming, true);
        let asked = std::cell::Cell::new(false);
        // Alive at the first question, dead at the next.
        let is_alive = |_| !asked.replace(true);
        let running = HashSet::new();
        let now = Now {
            at: Timestamp(0),
            me: ME,
            running: &running,
            is_alive: &is_alive,
            hold_after_ms: 100,
        };
        assert_eq!(
            plan(&[spoke], &now).steps,
            [],
            "buried with the next plan, and never asked again"
        );
    }

    #[test]
    fn what_waited_long_and_costs_money_asks_first() {
        let mut paid = queued(1, 1);
        paid.costs = true;
        assert_eq!(plan_at(1000, std::slice::from_ref(&paid)).steps, [Step::Start(id(1))]);
        assert_eq!(plan_at(1001, std::slice::from_ref(&paid)).steps, [Step::Hold(id(1))]);
        paid.entry.held = true;
        assert_eq!(plan_at(9999, &[paid]), Plan::default());
        assert_eq!(
            plan_at(9999, &[queued(1, 1)]).steps,
            [Step::Start(id(1))],
            "a local model costs nothing"
        );
    }

    #[test]
    fn the_wait_doubles_and_ends_at_twenty_seconds() {
        let waits: Vec<i64> = (1..=8).map(|attempts| backoff_ms(attempts, 0.0)).collect();
        assert_eq!(waits, [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000]);
        assert_eq!(backoff_ms(1, 1.0), 1200);
    }
}
