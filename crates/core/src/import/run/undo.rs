//! The way back.

use uuid::Uuid;

use crate::error::{Code, Failure, Result};
use crate::mirror::Mirror;
use crate::mirror::imports::{self, State, Undone};

/// Conversations of one transaction.
const BATCH: usize = 20;

/// Takes an import back, leaving what a person has changed since.
///
/// # Errors
/// There is no such import, or the mirror cannot be written; what was taken back stays so, and the undo
/// can be run again.
pub fn undo(mirror: &Mirror, id: Uuid) -> Result<Undone> {
    let import = mirror.read(|c| imports::get(c, id))?;
    if import.state == State::Undone {
        return Err(Failure::new(Code::WrongState, "This import was taken back already."));
    }
    let (mut sum, mut after) = (Undone::default(), 0);
    loop {
        let batch = mirror.read(|c| imports::imported(c, id, after, BATCH))?;
        let Some((last, _)) = batch.last() else { break };
        after = *last;
        mirror.write(|write| {
            batch.iter().try_for_each(|(_, one)| imports::take_back(write, one, &mut sum))
        })?;
    }
    mirror.write(|write| {
        imports::take_back_documents(write, id, &mut sum)?;
        let report = import.report.clone().unwrap_or_default();
        imports::end(write, id, State::Undone, &report)
    })?;
    Ok(sum)
}
