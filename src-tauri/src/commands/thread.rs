//! One conversation's messages: reading, sending, answers, drafts, search.

use tauri::State;
use tauri::ipc::Channel;
use tidemark_core::Result;
use tidemark_core::api::{
    SearchHit, SearchRequest, SendRequest, Sent, StreamEvent, ThreadMessage, ThreadPage,
};
use tidemark_core::model::{ConversationId, MessageId, ModelRef};

use crate::arg::Arg;
use crate::shell::Shell;

/// A page of the branch that is shown.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn thread(
    shell: State<'_, Shell>,
    conversation_id: Arg<ConversationId>,
    limit: Arg<u32>,
    before: Arg<Option<MessageId>>,
    around: Arg<Option<MessageId>>,
) -> Result<ThreadPage> {
    shell.ask(move |core| core.thread(conversation_id.0, limit.0, before.0, around.0)).await
}

/// What follows a message.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn thread_after(
    shell: State<'_, Shell>,
    conversation_id: Arg<ConversationId>,
    after: Arg<MessageId>,
    limit: Arg<u32>,
) -> Result<ThreadPage> {
    shell.ask(move |core| core.thread_after(conversation_id.0, after.0, limit.0)).await
}

/// These messages, where they still exist.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn messages_by_id(
    shell: State<'_, Shell>,
    ids: Arg<Vec<MessageId>>,
) -> Result<Vec<ThreadMessage>> {
    shell.ask(move |core| core.messages_by_id(&ids.0)).await
}

/// Sends a message and asks for an answer; both are stored when it returns.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn send(shell: State<'_, Shell>, request: Arg<SendRequest>) -> Result<Sent> {
    shell.ask(move |core| core.send(&request.0)).await
}

/// Stores a message for which no answer is asked.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn say(shell: State<'_, Shell>, request: Arg<SendRequest>) -> Result<Sent> {
    shell.ask(move |core| core.say(&request.0)).await
}

/// Asks for another answer beside this one.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn regenerate(
    shell: State<'_, Shell>,
    message_id: Arg<MessageId>,
    model: Arg<Option<ModelRef>>,
) -> Result<Sent> {
    shell.ask(move |core| core.regenerate(message_id.0, model.0.as_ref())).await
}

/// Sends a person's message again, changed, beside the old one.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn edit(
    shell: State<'_, Shell>,
    message_id: Arg<MessageId>,
    content: Arg<String>,
) -> Result<Sent> {
    shell.ask(move |core| core.edit(message_id.0, &content.0)).await
}

/// Goes on with an answer that broke off.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn continue_answer(
    shell: State<'_, Shell>,
    message_id: Arg<MessageId>,
) -> Result<Sent> {
    shell.ask(move |core| core.continue_answer(message_id.0)).await
}

/// Stops an answer that is not complete.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn stop(shell: State<'_, Shell>, message_id: Arg<MessageId>) -> Result<()> {
    shell.ask(move |core| core.stop(message_id.0)).await
}

/// Takes an interrupted answer as it is.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn keep(shell: State<'_, Shell>, message_id: Arg<MessageId>) -> Result<()> {
    shell.ask(move |core| core.keep(message_id.0)).await
}

/// Tries now what waits for its time, or asks again where the answer broke off.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn retry_now(shell: State<'_, Shell>, message_id: Arg<MessageId>) -> Result<Sent> {
    shell.ask(move |core| core.retry_now(message_id.0)).await
}

/// Asks another model for this answer.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn answer_with(
    shell: State<'_, Shell>,
    message_id: Arg<MessageId>,
    model: Arg<ModelRef>,
) -> Result<Sent> {
    shell.ask(move |core| core.answer_with(message_id.0, &model.0)).await
}

/// Sends what waited long enough to need a yes.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn send_held(
    shell: State<'_, Shell>,
    conversation_id: Arg<Option<ConversationId>>,
) -> Result<()> {
    shell.ask(move |core| core.send_held(conversation_id.0)).await
}

/// Shows the branch that this message is on.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn choose_branch(
    shell: State<'_, Shell>,
    message_id: Arg<MessageId>,
) -> Result<()> {
    shell.ask(move |core| core.choose_branch(message_id.0)).await
}

/// What is typed and not sent.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn draft(
    shell: State<'_, Shell>,
    conversation_id: Arg<Option<ConversationId>>,
) -> Result<String> {
    shell.ask(move |core| core.draft(conversation_id.0)).await
}

/// Keeps what is typed and not sent.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn save_draft(
    shell: State<'_, Shell>,
    conversation_id: Arg<Option<ConversationId>>,
    content: Arg<String>,
) -> Result<()> {
    shell.ask(move |core| core.save_draft(conversation_id.0, &content.0)).await
}

/// Searches titles and messages.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn search(
    shell: State<'_, Shell>,
    request: Arg<SearchRequest>,
) -> Result<Vec<SearchHit>> {
    shell.ask(move |core| core.search(&request.0)).await
}

/// Tells the page how an answer grows, until it ends.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn follow(
    shell: State<'_, Shell>,
    message_id: Arg<MessageId>,
    channel: Channel<StreamEvent>,
) -> Result<()> {
    shell.follow(message_id.0, channel).await
}
