//! What a click did, and how to take it back.
//!
//! Kept in memory, for this process's own actions: after a restart the trash and the branches are
//! still there, which is what these steps lead back from.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::error::{Code, Failure};
use crate::mirror::conversations::{self, Field};
use crate::mirror::{Error, Write, messages, send_queue, thread};
use crate::model::view::Undoable;
use crate::model::{ConversationId, MessageId};

/// Actions that can be taken back.
const KEPT: usize = 100;

/// One step back.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Set a conversation's field to what it was.
    Restore(ConversationId, Field),
    /// Put a message and all below it into the trash, and show what was shown before.
    TakeBack {
        /// The message that the action made.
        made: MessageId,
        /// The end of the branch that was shown.
        shown: Option<MessageId>,
    },
}

/// An action and the way back.
pub type Action = (Undoable, Vec<Step>);

/// What was done in this process, latest last.
#[derive(Debug, Default)]
pub struct UndoStack {
    done: Mutex<Done>,
}

#[derive(Debug, Default)]
struct Done {
    last_id: u64,
    actions: VecDeque<Action>,
}

impl UndoStack {
    /// Remembers an action.
    pub fn push(&self, conversation_id: ConversationId, label: String, steps: Vec<Step>) {
        let mut done = self.lock();
        done.last_id += 1;
        let id = done.last_id;
        done.actions.push_back((Undoable { id, label, conversation_id }, steps));
        if done.actions.len() > KEPT {
            done.actions.pop_front();
        }
    }

    /// What would be taken back next.
    pub fn latest(&self) -> Option<Undoable> {
        self.lock().actions.back().map(|(undoable, _)| undoable.clone())
    }

    /// Takes an action off the stack: the one with this id, or the latest.
    ///
    /// # Errors
    /// There is nothing to take back, or it was already.
    pub fn take(&self, id: Option<u64>) -> Result<Action, Failure> {
        let mut done = self.lock();
        let at = match id {
            None => done.actions.len().checked_sub(1),
            Some(id) => done.actions.iter().position(|(undoable, _)| undoable.id == id),
        };
        at.and_then(|at| done.actions.remove(at))
            .ok_or_else(|| Failure::new(Code::NotFound, "There is nothing to undo any more."))
    }

    /// Puts an action back that could not be taken back.
    pub fn put_back(&self, action: Action) {
        self.lock().actions.push_back(action);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes one step back.
pub fn apply(write: &mut Write<'_>, step: &Step) -> Result<(), Error> {
    match step {
        Step::Restore(id, field) => conversations::set(write, *id, field),
        Step::TakeBack { made, shown } => take_back(write, *made, *shown),
    }
}

fn take_back(
    write: &mut Write<'_>,
    made: MessageId,
    shown: Option<MessageId>,
) -> Result<(), Error> {
    for id in messages::tree_below(&write.tx, made)? {
        send_queue::remove(write, id)?;
        messages::set_trashed(write, id, true)?;
    }
    // What was shown then may itself have been taken back meanwhile.
    match shown.map(|shown| messages::get(&write.tx, shown)) {
        Some(Ok(message)) => thread::show(write, &message),
        Some(Err(Error::NotFound(_))) | None => {
            let conversation_id = messages::conversation_of(&write.tx, made)?;
            thread::settle(write, conversation_id)
        }
        Some(Err(error)) => Err(error),
    }
}
