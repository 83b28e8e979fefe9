//! Send, say, edit, regenerate, continue: what puts messages into the tree.
//!
//! Every function writes within the caller's transaction; the message, its place in the branch and
//! its answer's place in the queue are durable together or not at all.

use uuid::Uuid;

use super::body::Body;
use super::title;
use crate::clock::Clock;
use crate::error::{Code, Failure};
use crate::events::Change;
use crate::mirror::messages::{self, Index};
use crate::mirror::{Error, Write, conversations, drafts, send_queue, thread};
use crate::model::view::{SendRequest, Sent};
use crate::model::{
    Conversation, ConversationId, Message, MessageId, MessageState, ModelRef, Role, TitleBy,
};

/// What sending needs to know beside the request.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Makes ids.
    pub clock: &'a dyn Clock,
    /// The model of a conversation that has none.
    pub default_model: Option<&'a ModelRef>,
    /// The process that will ask; none leaves it to whoever runs the queue.
    pub runner: Option<Uuid>,
}

/// Whether an answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Put an answer into the queue.
    Answer,
    /// Only store the message.
    Nothing,
}

/// Stores a person's message and, where wanted, the answer to come. The draft it was typed in is
/// cleared in the same transaction.
pub fn send(
    write: &mut Write<'_>,
    context: Context<'_>,
    request: &SendRequest,
    want: Want,
) -> Result<Sent, Error> {
    let body = Body::checked(&request.content, request.content_raw.as_deref())?;
    let conversation = match request.conversation_id {
        Some(id) => conversations::uncounted(&write.tx, id)?,
        None => begin(write, context, &body, request.model.as_ref())?,
    };
    let parent_id = match request.parent_id {
        Some(parent) => {
            Some(same_conversation(messages::get(&write.tx, parent)?, conversation.id)?.id)
        }
        None => conversations::leaf(&write.tx, conversation.id)?,
    };
    let question = question(write, context, conversation.id, parent_id, body)?;
    messages::insert(write, &question, Index::Soon)?;
    thread::show_new(write, &question)?;
    drafts::set(write, request.conversation_id, "")?;
    if conversation.title.is_empty() && conversation.title_by == TitleBy::Auto {
        name_after(write, &conversation, &question.content)?;
    }
    let answer_id = match want {
        Want::Nothing => None,
        Want::Answer => Some(
            answer(write, context, &conversation, Some(question.id), request.model.as_ref())?.id,
        ),
    };
    Ok(Sent { conversation_id: conversation.id, message_id: Some(question.id), answer_id })
}

/// Edits a person's message: a sibling of it, and a new answer. The old branch stays.
pub fn edit(
    write: &mut Write<'_>,
    context: Context<'_>,
    id: MessageId,
    content: &str,
) -> Result<Sent, Error> {
    let old = messages::get(&write.tx, id)?;
    if old.role != Role::User {
        return Err(refused("Only your own messages can be edited."));
    }
    let conversation = conversations::uncounted(&write.tx, old.conversation_id)?;
    let body = Body::checked(content, None)?;
    let mut question = question(write, context, conversation.id, old.parent_id, body)?;
    question.parts = old.parts;
    messages::insert(write, &question, Index::Soon)?;
    thread::show_new(write, &question)?;
    let answer = answer(write, context, &conversation, Some(question.id), None)?;
    Ok(Sent {
        conversation_id: conversation.id,
        message_id: Some(question.id),
        answer_id: Some(answer.id),
    })
}

/// Asks again: a sibling of an answer, from `model` or the one that answered before.
pub fn regenerate(
    write: &mut Write<'_>,
    context: Context<'_>,
    id: MessageId,
    model: Option<&ModelRef>,
) -> Result<Sent, Error> {
    let old = answer_row(write, id)?;
    if !old.state.is_final() {
        return Err(refused("This answer has not been given yet."));
    }
    let conversation = conversations::uncounted(&write.tx, old.conversation_id)?;
    let model = model.or(conversation.model.as_ref()).or(old.model.as_ref()).cloned();
    let answer = answer(write, context, &conversation, old.parent_id, model.as_ref())?;
    Ok(Sent { conversation_id: conversation.id, message_id: None, answer_id: Some(answer.id) })
}

/// Goes on with an answer that was stopped, broke off or reached its limit.
///
/// A row that only this device has ever seen goes on in place. A body that others may hold does not
/// change any more, so there the answer goes on in a sibling that names what it continues.
pub fn continue_answer(
    write: &mut Write<'_>,
    context: Context<'_>,
    id: MessageId,
) -> Result<Sent, Error> {
    let old = answer_row(write, id)?;
    if !old.state.is_final() {
        return Err(refused("This answer has not been given yet."));
    }
    let conversation_id = old.conversation_id;
    let answer_id = if old.device_id == Some(write.device_id()?) && !seen_by_server(write, id)? {
        requeue(write, context, &old)?;
        old.id
    } else {
        let mut answer = row(write, context, conversation_id, old.parent_id, Role::Assistant)?;
        answer.content = old.content;
        answer.continues_id = Some(old.id);
        answer.model = old.model;
        answer.state = MessageState::Queued;
        put_answer(write, context, &answer)?;
        answer.id
    };
    Ok(Sent { conversation_id, message_id: None, answer_id: Some(answer_id) })
}

/// Gives an answer that has not come (or broke off) to another model: in its own row where nothing
/// of it has come, else that row is stopped and a sibling asks.
pub fn answer_with(
    write: &mut Write<'_>,
    context: Context<'_>,
    id: MessageId,
    model: &ModelRef,
) -> Result<Sent, Error> {
    let old = answer_row(write, id)?;
    let waits =
        matches!(old.state, MessageState::Queued | MessageState::Retrying | MessageState::NeedsYou);
    if waits && old.content.is_empty() {
        // Nothing of it has come and nobody asks at the moment (that would be `sending`): the row
        // itself changes its model and keeps its place, before those that wait behind it.
        let progress = messages::Progress {
            model: Some(model.clone()),
            state: Some(MessageState::Queued),
            ..Default::default()
        };
        messages::progress(write, id, &progress)?;
        send_queue::update(
            write,
            id,
            &send_queue::Turn { runner: context.runner, ..Default::default() },
        )?;
        return Ok(Sent {
            conversation_id: old.conversation_id,
            message_id: None,
            answer_id: Some(id),
        });
    }
    stop_waiting(write, &old)?;
    regenerate(write, context, id, Some(model))
}

/// Ends an answer that is not arriving anywhere: out of the queue, `stopped`.
pub fn stop_waiting(write: &mut Write<'_>, answer: &Message) -> Result<(), Error> {
    if answer.state.is_final() {
        return Ok(());
    }
    send_queue::remove(write, answer.id)?;
    let progress = messages::Progress { state: Some(MessageState::Stopped), ..Default::default() };
    messages::progress(write, answer.id, &progress)
}

/// Asks for what waits for a time, a yes or a person. An answer that has ended is left alone.
pub fn ask_now(write: &mut Write<'_>, id: MessageId) -> Result<(), Error> {
    let Some(entry) = send_queue::get(&write.tx, id)? else { return Ok(()) };
    let state = messages::get(&write.tx, id)?.state;
    if matches!(state, MessageState::NeedsYou | MessageState::Retrying) {
        let queued = messages::Progress { state: Some(MessageState::Queued), ..Default::default() };
        messages::progress(write, id, &queued)?;
    }
    let turn =
        send_queue::Turn { runner: entry.runner, attempts: entry.attempts, ..Default::default() };
    send_queue::update(write, id, &turn)?;
    send_queue::waits_from_now(write, id)
}

/// Asks again for what waits for this provider to be set right: its key, its address, its models.
pub fn ask_again(write: &mut Write<'_>, provider: &str) -> Result<(), Error> {
    for entry in send_queue::all(&write.tx)? {
        let answer = messages::get(&write.tx, entry.message_id)?;
        let code = entry.failure.map(|failure| failure.code);
        if answer.state == MessageState::NeedsYou
            && answer.model.is_some_and(|model| model.provider() == provider)
            && matches!(code, Some(Code::KeyRejected | Code::ModelMissing | Code::InvalidInput))
        {
            ask_now(write, answer.id)?;
        }
    }
    Ok(())
}

/// Lets an interrupted or stopped answer stand as it is.
pub fn keep(write: &mut Write<'_>, id: MessageId) -> Result<(), Error> {
    let answer = answer_row(write, id)?;
    if !answer.state.is_final() {
        return Err(refused("This answer has not been given yet."));
    }
    let progress = messages::Progress { state: Some(MessageState::Done), ..Default::default() };
    messages::progress(write, id, &progress)
}

fn begin(
    write: &mut Write<'_>,
    context: Context<'_>,
    body: &Body,
    model: Option<&ModelRef>,
) -> Result<Conversation, Error> {
    let conversation = Conversation {
        title: title::from_message(&body.content),
        model: model.cloned(),
        ..Conversation::blank(ConversationId(context.clock.new_id()), write.now)
    };
    conversations::insert(write, &conversation)?;
    Ok(conversation)
}

fn name_after(
    write: &mut Write<'_>,
    conversation: &Conversation,
    content: &str,
) -> Result<(), Error> {
    let title = title::from_message(content);
    conversations::set(write, conversation.id, &conversations::Field::Title(title, TitleBy::Auto))
}

fn question(
    write: &Write<'_>,
    context: Context<'_>,
    conversation_id: ConversationId,
    parent_id: Option<MessageId>,
    body: Body,
) -> Result<Message, Error> {
    let mut message = row(write, context, conversation_id, parent_id, Role::User)?;
    message.content = body.content;
    message.content_raw = body.content_raw;
    message.finished_at = Some(write.now);
    Ok(message)
}

fn answer(
    write: &mut Write<'_>,
    context: Context<'_>,
    conversation: &Conversation,
    parent_id: Option<MessageId>,
    model: Option<&ModelRef>,
) -> Result<Message, Error> {
    let mut answer = row(write, context, conversation.id, parent_id, Role::Assistant)?;
    answer.model = model.or(conversation.model.as_ref()).or(context.default_model).cloned();
    answer.state = MessageState::Queued;
    put_answer(write, context, &answer)?;
    Ok(answer)
}

fn put_answer(write: &mut Write<'_>, context: Context<'_>, answer: &Message) -> Result<(), Error> {
    messages::insert(write, answer, Index::Soon)?;
    thread::show_new(write, answer)?;
    send_queue::enqueue(write, answer.conversation_id, answer.id, context.runner)
}

fn requeue(write: &mut Write<'_>, context: Context<'_>, answer: &Message) -> Result<(), Error> {
    let progress = messages::Progress { state: Some(MessageState::Queued), ..Default::default() };
    messages::progress(write, answer.id, &progress)?;
    send_queue::enqueue(write, answer.conversation_id, answer.id, context.runner)?;
    write.tell(Change::Message { conversation_id: answer.conversation_id, id: answer.id });
    Ok(())
}

fn row(
    write: &Write<'_>,
    context: Context<'_>,
    conversation_id: ConversationId,
    parent_id: Option<MessageId>,
    role: Role,
) -> Result<Message, Error> {
    Ok(Message {
        parent_id,
        device_id: Some(write.device_id()?),
        ..Message::blank(MessageId(context.clock.new_id()), conversation_id, role, write.now)
    })
}

fn answer_row(write: &Write<'_>, id: MessageId) -> Result<Message, Error> {
    let message = messages::get(&write.tx, id)?;
    if message.role == Role::Assistant {
        Ok(message)
    } else {
        Err(refused("That is not an answer."))
    }
}

fn seen_by_server(write: &Write<'_>, id: MessageId) -> Result<bool, Error> {
    Ok(write.tx.query_row(
        "SELECT server_seq IS NOT NULL FROM messages WHERE id = ?1",
        [id],
        |row| row.get(0),
    )?)
}

fn same_conversation(message: Message, conversation_id: ConversationId) -> Result<Message, Error> {
    if message.conversation_id == conversation_id {
        Ok(message)
    } else {
        Err(refused("The message belongs to another conversation."))
    }
}

fn refused(message: &str) -> Error {
    Failure::new(Code::WrongState, message).into()
}
