//! A restored server: finding the last point that both know, and going back to it.
//!
//! The device asks which of some of its points the server knows, then which of those between the
//! highest known one and the next, until none lies between. What it knows above that point it offers
//! again; what the server wrote above it since comes with the next pull.

use super::event::Job;
use super::server::Ask;
use super::state::{Course, State};
use crate::model::wire::{Anchor, Head};

/// Where a bisection is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Bisection {
    /// The highest point that both know, so far.
    known: Option<Head>,
    /// The lowest point that the server is known not to know.
    unknown: Option<Head>,
    /// Points to ask about; none: the mirror has not said any yet.
    points: Option<Vec<Head>>,
}

impl Bisection {
    pub(super) fn next_job(&self, max: u32) -> Option<Job> {
        let wanted = Job::Points { above: self.known, below: self.unknown, max };
        self.points.is_none().then_some(wanted)
    }

    pub(super) fn next_ask(&self) -> Option<Ask> {
        self.points.clone().map(|points| Ask::Anchor { points })
    }

    /// Takes the server's word. An answer that names another point than was asked about is none.
    fn narrow(&mut self, asked: &[Head], anchor: Anchor) -> bool {
        let known = anchor.known.map(|(seq, nonce)| Head { seq, nonce });
        let at = match known {
            Some(point) => match asked.iter().position(|other| *other == point) {
                Some(at) => at,
                None => return false,
            },
            None => asked.len(),
        };
        self.known = known.or(self.known);
        self.unknown = at.checked_sub(1).map(|above| asked[above]).or(self.unknown);
        self.points = None;
        true
    }
}

impl State {
    /// The server has another past than this device has seen of it.
    pub(super) fn is_restored(&mut self) {
        self.start_over();
        self.pull.head = None;
        self.push.drop_ready();
        self.course = Course::Bisect(Bisection::default());
    }

    /// Takes note of where the server says that it is, and tells whether that is behind where it was: a head only
    /// goes on, and one that is lower, or has another nonce at the same place, is of another history.
    pub(super) fn saw_head(&mut self, now: Head) -> bool {
        let before = self.pull.head.replace(now);
        before.is_some_and(|before| {
            now.seq < before.seq || now.seq == before.seq && now.nonce != before.nonce
        })
    }

    /// The mirror said which points lie between; none: the bisection is at its end.
    pub(super) fn points(&mut self, points: Vec<Head>) {
        let Course::Bisect(bisection) = &mut self.course else { return };
        if points.is_empty() {
            self.course = Course::Rewind(bisection.known);
        } else {
            bisection.points = Some(points);
        }
    }

    pub(super) fn anchored(&mut self, asked: &[Head], anchor: Anchor) {
        self.pull.head = Some(anchor.head);
        let Course::Bisect(bisection) = &mut self.course else { return };
        if !bisection.narrow(asked, anchor) {
            self.backoff.fail(self.now.mono_ms);
        }
    }

    /// From the known point it pulls on; where there is none it begins anew.
    pub(super) fn rewound(&mut self, known: Option<Head>) {
        self.course = Course::Level;
        // What the mirror now remembers is read again: the cursor, and that no first sync was done.
        self.memory = None;
        self.pull.pushed = None;
        self.greeted &= known.is_some();
        self.start_over();
        // Made ready before: its operations may have other numbers now.
        self.push.drop_ready();
        self.pull.wanted = true;
        self.push.wanted = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(seq: i64) -> Head {
        Head { seq, nonce: seq * 7 }
    }

    /// Bisects a history of `length` points where the server knows those up to `common`, `max` at a
    /// time. Tells the point found and how many questions it took.
    fn bisect(length: i64, common: i64, max: usize) -> (Option<Head>, u32) {
        let mut bisection = Bisection::default();
        for questions in 0.. {
            let inside: Vec<Head> = (1..=length)
                .rev()
                .map(head)
                .filter(|p| bisection.known.is_none_or(|known| p.seq > known.seq))
                .filter(|p| bisection.unknown.is_none_or(|unknown| p.seq < unknown.seq))
                .collect();
            if inside.is_empty() {
                return (bisection.known, questions);
            }
            let step = inside.len().div_ceil(max);
            let asked: Vec<Head> = inside.iter().copied().step_by(step).collect();
            let known = asked.iter().find(|p| p.seq <= common).map(|p| (p.seq, p.nonce));
            assert!(bisection.narrow(&asked, Anchor { known, head: head(common) }));
        }
        unreachable!("a history ends")
    }

    #[test]
    fn a_bisection_finds_the_highest_common_point_wherever_it_lies() {
        for common in 0..=300 {
            let (found, questions) = bisect(300, common, 8);
            assert_eq!(found, (common > 0).then(|| head(common)));
            assert!(questions <= 4, "{questions} questions for {common}");
        }
    }

    #[test]
    fn a_point_that_was_not_asked_about_is_no_answer() {
        let mut bisection = Bisection::default();
        let anchor = Anchor { known: Some((5, 1)), head: head(9) };
        assert!(!bisection.narrow(&[head(9), head(5)], anchor));
        assert_eq!(bisection, Bisection::default());
    }
}
