//! The thread's commands: reading a branch, sending, stopping, following, searching.

use super::{
    SearchHit, SearchRequest, SendRequest, Sent, StreamEvent, ThreadMessage, ThreadPage, Tidemark,
};
use crate::chat::send::{self, Want};
use crate::chat::streams::Follower;
use crate::chat::undo::Step;
use crate::error::{Code, Failure, Result};
use crate::events::{Change, Listener};
use crate::mirror::{Error, Write, conversations, messages, search, send_queue, thread};
use crate::model::{ConversationId, Message, MessageId, ModelRef};

/// The most messages of one page.
const MAX_PAGE: u32 = 500;

impl Tidemark {
    /// A page of the branch that is shown. Without `before` and `around` it is its end; `before`
    /// gives the page above a message; `around` shows the branch with that message, and the page
    /// around it.
    pub fn thread(
        &self,
        conversation_id: ConversationId,
        limit: u32,
        before: Option<MessageId>,
        around: Option<MessageId>,
    ) -> Result<ThreadPage> {
        let limit = limit.clamp(1, MAX_PAGE);
        if let Some(around) = around {
            self.show(conversation_id, around)?;
        }
        self.read(|connection| {
            let page = match (before, around) {
                (_, Some(around)) => page_around(connection, around, limit)?,
                (Some(before), None) => page_before(
                    connection,
                    &message_in(connection, conversation_id, before)?,
                    limit,
                )?,
                (None, None) => match conversations::leaf(connection, conversation_id)? {
                    Some(leaf) => thread::up_from(connection, leaf, limit)?,
                    None => Vec::new(),
                },
            };
            thread_page(connection, conversation_id, page)
        })
    }

    /// The page below a message on the branch that is shown.
    pub fn thread_after(
        &self,
        conversation_id: ConversationId,
        after: MessageId,
        limit: u32,
    ) -> Result<ThreadPage> {
        self.read(|connection| {
            let from = message_in(connection, conversation_id, after)?;
            let page = thread::down_from(connection, &from, limit.clamp(1, MAX_PAGE))?;
            thread_page(connection, conversation_id, page)
        })
    }

    /// Messages by id, with what a thread shows of them; those that are gone are left out.
    pub fn messages_by_id(&self, ids: &[MessageId]) -> Result<Vec<ThreadMessage>> {
        self.read(|connection| {
            let found = ids.iter().take(MAX_PAGE as usize).map(|id| messages::get(connection, *id));
            found
                .filter(|message| !matches!(message, Err(Error::NotFound(_))))
                .map(|message| thread_message(connection, message?))
                .collect()
        })
    }

    /// All messages of all branches, oldest first.
    pub fn messages(&self, conversation_id: ConversationId) -> Result<Vec<Message>> {
        self.read(|connection| {
            conversations::get(connection, conversation_id)?;
            messages::of_conversation(connection, conversation_id)
        })
    }

    /// Sends: the message and its answer's place in the queue are durable when this returns.
    pub fn send(&self, request: &SendRequest) -> Result<Sent> {
        self.put(|write, context| send::send(write, context, request, Want::Answer))
    }

    /// Stores a message for which no answer is asked.
    pub fn say(&self, request: &SendRequest) -> Result<Sent> {
        self.put(|write, context| send::send(write, context, request, Want::Nothing))
    }

    /// Asks again for an answer, as a sibling. Can be undone.
    pub fn regenerate(&self, id: MessageId, model: Option<&ModelRef>) -> Result<Sent> {
        self.put_undoable(id, "Asked again", |write, context| {
            send::regenerate(write, context, id, model)
        })
    }

    /// Edits a person's message, as a sibling with a new answer. Can be undone.
    pub fn edit(&self, id: MessageId, content: &str) -> Result<Sent> {
        self.put_undoable(id, "Edited a message", |write, context| {
            send::edit(write, context, id, content)
        })
    }

    /// Goes on with an answer that ended early.
    pub fn continue_answer(&self, id: MessageId) -> Result<Sent> {
        self.put(|write, context| send::continue_answer(write, context, id))
    }

    /// Gives an answer that has not come, or broke off, to another model.
    pub fn answer_with(&self, id: MessageId, model: &ModelRef) -> Result<Sent> {
        let sent = self.put(|write, context| send::answer_with(write, context, id, model))?;
        if sent.answer_id != Some(id) {
            self.inner.streams.stop(id);
        }
        Ok(sent)
    }

    /// Stops an answer that is waiting or arriving. One that has ended is left alone.
    pub fn stop(&self, id: MessageId) -> Result<()> {
        if self.inner.streams.stop(id) {
            return Ok(());
        }
        self.write(|write| {
            let answer = messages::get(&write.tx, id)?;
            send::stop_waiting(write, &answer)
        })
    }

    /// Lets an answer that ended early stand.
    pub fn keep(&self, id: MessageId) -> Result<()> {
        self.write(|write| send::keep(write, id))
    }

    /// Asks now for what waits for a time, a yes or a key; one that broke off is asked again.
    pub fn retry_now(&self, id: MessageId) -> Result<Sent> {
        let answer = self.read(|connection| messages::get(connection, id))?;
        if answer.state.is_final() {
            return self.regenerate(id, None);
        }
        self.write(|write| send::ask_now(write, id))?;
        self.inner.queue.wake();
        Ok(Sent { conversation_id: answer.conversation_id, message_id: None, answer_id: Some(id) })
    }

    /// Sends what waited long, in one conversation or in all.
    pub fn send_held(&self, conversation_id: Option<ConversationId>) -> Result<()> {
        let held = self.read(|connection| {
            let entries = send_queue::all(connection)?;
            Ok(entries
                .into_iter()
                .filter(|entry| {
                    entry.held && conversation_id.is_none_or(|id| id == entry.conversation_id)
                })
                .collect::<Vec<_>>())
        })?;
        held.into_iter().try_for_each(|entry| self.retry_now(entry.message_id).map(|_| ()))
    }

    /// Shows the branch with this message.
    pub fn choose_branch(&self, id: MessageId) -> Result<()> {
        self.write(|write| {
            let message = messages::get(&write.tx, id)?;
            thread::show(write, &message)
        })
    }

    /// Titles and messages with these words, newest first.
    pub fn search(&self, request: &SearchRequest) -> Result<Vec<SearchHit>> {
        self.read(|connection| search::search(connection, request))
    }

    /// Follows an answer: the text so far, then what comes, then the end.
    pub fn follow(&self, id: MessageId) -> Following {
        Following {
            core: self.clone(),
            id,
            changes: self.changes(),
            live: self.inner.streams.follow(id),
            shown: None,
            ended: false,
        }
    }

    /// Asks for one answer in this process and waits until it has ended or is parked, whether or not
    /// the queue runs here.
    pub async fn answer(&self, id: MessageId) {
        self.inner.queue.answer(id).await;
    }

    /// Leaves an answer that this process did not get to whoever runs the queue.
    pub fn release(&self, id: MessageId) -> Result<()> {
        Ok(self.inner.queue.release(id)?)
    }

    fn put(
        &self,
        action: impl FnOnce(&mut Write<'_>, send::Context<'_>) -> Result<Sent, Error>,
    ) -> Result<Sent> {
        let default_model = self.inner.models.default_model(&self.inner.mirror)?;
        let sent = self.write(|write| action(write, self.context(default_model.as_ref())))?;
        self.inner.queue.wake();
        Ok(sent)
    }

    fn put_undoable(
        &self,
        id: MessageId,
        label: &str,
        action: impl FnOnce(&mut Write<'_>, send::Context<'_>) -> Result<Sent, Error>,
    ) -> Result<Sent> {
        let mut shown = None;
        let sent = self.put(|write, context| {
            shown = conversations::leaf(&write.tx, messages::conversation_of(&write.tx, id)?)?;
            action(write, context)
        })?;
        if let Some(made) = sent.message_id.or(sent.answer_id) {
            self.done(sent.conversation_id, label.to_owned(), vec![Step::TakeBack { made, shown }]);
        }
        Ok(sent)
    }

    fn show(&self, conversation_id: ConversationId, id: MessageId) -> Result<()> {
        self.write(|write| {
            let message = message_in(&write.tx, conversation_id, id)?;
            thread::show(write, &message)
        })
    }
}

fn message_in(
    connection: &rusqlite::Connection,
    conversation_id: ConversationId,
    id: MessageId,
) -> Result<Message, Error> {
    let message = messages::get(connection, id)?;
    if message.conversation_id == conversation_id {
        return Ok(message);
    }
    Err(Failure::new(Code::NotFound, "That message is not in this conversation.").into())
}

fn page_before(
    connection: &rusqlite::Connection,
    before: &Message,
    limit: u32,
) -> Result<Vec<Message>, Error> {
    match before.parent_id {
        Some(parent) => thread::up_from(connection, parent, limit),
        None => Ok(Vec::new()),
    }
}

fn page_around(
    connection: &rusqlite::Connection,
    around: MessageId,
    limit: u32,
) -> Result<Vec<Message>, Error> {
    let mut page = thread::up_from(connection, around, limit.div_ceil(2))?;
    if let Some(last) = page.last().cloned() {
        page.extend(thread::down_from(connection, &last, limit / 2)?);
    }
    Ok(page)
}

fn thread_page(
    connection: &rusqlite::Connection,
    conversation_id: ConversationId,
    page: Vec<Message>,
) -> Result<ThreadPage, Error> {
    let has_before = page
        .first()
        .map(|first| thread::has_above(connection, first))
        .transpose()?
        .unwrap_or(false);
    let below =
        page.last().map(|last| thread::shown_child(connection, conversation_id, Some(last.id)));
    Ok(ThreadPage {
        conversation: conversations::get(connection, conversation_id)?,
        has_before,
        has_after: below.transpose()?.flatten().is_some(),
        messages: page
            .into_iter()
            .map(|message| thread_message(connection, message))
            .collect::<Result<_, _>>()?,
    })
}

fn thread_message(
    connection: &rusqlite::Connection,
    message: Message,
) -> Result<ThreadMessage, Error> {
    let siblings = thread::siblings(connection, &message)?;
    let waiting =
        if message.state.is_final() { None } else { send_queue::waiting(connection, message.id)? };
    Ok(ThreadMessage { message, siblings, waiting })
}

/// An answer that is being followed; one that arrives in another process is followed through the
/// mirror.
#[derive(Debug)]
pub struct Following {
    core: Tidemark,
    id: MessageId,
    changes: Listener,
    live: Option<Follower>,
    shown: Option<String>,
    ended: bool,
}

impl Following {
    /// The next event; `None` after [`StreamEvent::End`].
    pub async fn next(&mut self) -> Option<StreamEvent> {
        if self.ended {
            return None;
        }
        let event = match &mut self.live {
            Some(live) => live.next().await.unwrap_or(StreamEvent::End),
            None => self.next_from_mirror().await,
        };
        self.ended = event == StreamEvent::End;
        Some(event)
    }

    async fn next_from_mirror(&mut self) -> StreamEvent {
        loop {
            let (core, id) = (self.core.clone(), self.id);
            let row = tokio::task::spawn_blocking(move || {
                core.read(|connection| messages::get(connection, id))
            })
            .await;
            let Ok(Ok(message)) = row else { return StreamEvent::End };
            if self.shown.as_ref() != Some(&message.content) {
                self.shown = Some(message.content.clone());
                return StreamEvent::Snapshot { content: message.content };
            }
            if message.state.is_final() {
                return StreamEvent::End;
            }
            if let Some(mut live) = self.core.inner.streams.follow(self.id) {
                // It began to arrive here meanwhile.
                let event = live.next().await.unwrap_or(StreamEvent::End);
                self.live = Some(live);
                return event;
            }
            if !self.wait().await {
                return StreamEvent::End;
            }
        }
    }

    /// Waits for a change that may concern the answer. `false` when the core closes.
    async fn wait(&mut self) -> bool {
        let beat = tokio::time::Duration::from_millis(500);
        loop {
            match tokio::time::timeout(beat, self.changes.next()).await {
                Err(_) => return true,
                Ok(None) => return false,
                Ok(Some(Change::Everything)) => return true,
                Ok(Some(Change::Message { id, .. })) if id == self.id => return true,
                Ok(Some(_)) => {}
            }
        }
    }
}
