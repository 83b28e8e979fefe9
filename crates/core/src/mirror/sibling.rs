//! A body that could not take effect becomes a message of its own, beside the one that stands.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::messages::{self, Index};
use super::rows;
use super::{Error, Write};
use crate::model::wire::{Cell, Table};
use crate::model::{MessageId, MessageState};

/// Puts `body` beside message `id`, as an answer that continues it. `n`, the operation's number, makes the
/// sibling's id. None where the message is not here any more.
pub(super) fn insert(
    write: &mut Write<'_>,
    id: Uuid,
    n: i64,
    body: &Map<String, Value>,
) -> Result<Option<Uuid>, Error> {
    let mut message = match messages::get(&write.tx, MessageId(id)) {
        Ok(message) => message,
        Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let device_id = write.device_id()?;
    let copy = Uuid::new_v5(&id, format!("{device_id} {n}").as_bytes());
    message.id = MessageId(copy);
    message.continues_id = Some(MessageId(id));
    message.device_id = Some(device_id);
    // Its own values come below, in the words of the wire.
    message.state = MessageState::Interrupted;
    messages::insert(write, &message, Index::Soon)?;
    let own = body.iter().filter(|(name, value)| {
        Table::Messages.body().contains(&name.as_str()) && (*name != "state" || is_final(value))
    });
    let fields: Vec<_> = own
        .filter_map(|(name, value)| Some((Table::Messages.field(name)?, Cell::from(value.clone()))))
        .collect();
    rows::set(&write.tx, Table::Messages, copy, &fields)?;
    Ok(Some(copy))
}

pub(super) fn is_final(state: &Value) -> bool {
    serde_json::from_value(state.clone()).is_ok_and(MessageState::is_final)
}
