//! Asking a model from the terminal.

use std::ffi::OsString;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tidemark_core::api::{SendRequest, StreamEvent, Tidemark};
use tidemark_core::model::{
    ConversationId, MAX_MESSAGE_BYTES, Message, MessageId, MessageState, ModelRef,
};
use tidemark_core::{Code, Failure, Result};

use crate::output::{Output, Status, internal};

/// Sends, prints the answer as it comes, and waits for its end.
pub(crate) async fn chat(
    core: &Tidemark,
    conversation_id: Option<ConversationId>,
    model: Option<String>,
    text: OsString,
    output: &Output,
) -> Result<Status> {
    let request = SendRequest { conversation_id, model: model.map(ModelRef), ..request(text)? };
    let sent = core.send(&request)?;
    let answer_id =
        sent.answer_id.ok_or_else(|| Failure::new(Code::Internal, "No answer was asked for."))?;
    let answering = tokio::spawn({
        let core = core.clone();
        async move { core.answer(answer_id).await }
    });
    let interrupted = print_as_it_comes(core, answer_id, output, answering).await;
    finish(core, answer_id, interrupted, output)
}

/// Prints until the answer has ended; Ctrl+C stops it. Tells whether it was.
async fn print_as_it_comes(
    core: &Tidemark,
    answer_id: MessageId,
    output: &Output,
    mut answering: tokio::task::JoinHandle<()>,
) -> bool {
    let mut following = core.follow(answer_id);
    let mut printed = 0;
    let mut stopped = false;
    let mut answered = false;
    loop {
        tokio::select! {
            event = following.next() => match event {
                Some(StreamEvent::Snapshot { content }) => {
                    output.stream(content.get(printed..).unwrap_or_default());
                    printed = content.len().max(printed);
                }
                Some(StreamEvent::Text { text }) => {
                    output.stream(&text);
                    printed += text.len();
                }
                Some(StreamEvent::End) | None => break,
            },
            // It ended without an answer: queued, parked.
            _ = &mut answering, if !answered => {
                answered = true;
                if core.messages_by_id(&[answer_id]).is_ok_and(|rows| rows.iter().all(|row| !row.message.state.is_final())) {
                    break;
                }
            }
            _ = tokio::signal::ctrl_c(), if !stopped => {
                stopped = true;
                let _ = core.stop(answer_id);
            }
        }
    }
    if !answered {
        let _ = answering.await;
    }
    if printed > 0 {
        output.stream("\n");
    }
    stopped
}

/// Prints the document, or says why there is no answer.
fn finish(core: &Tidemark, answer_id: MessageId, stopped: bool, output: &Output) -> Result<Status> {
    let row = core.messages_by_id(&[answer_id])?.pop();
    let row = row.ok_or_else(|| Failure::new(Code::NotFound, "The answer is gone."))?;
    match row.message.state {
        MessageState::Done | MessageState::Stopped => {
            if output.json {
                output.print(&row.message, |_| String::new())?;
            }
            Ok(if stopped { Status::Findings } else { Status::Done })
        }
        MessageState::Interrupted => {
            Err(Failure::new(Code::Interrupted, "The answer broke off. What arrived is saved.")
                .hint("Continue it in the window, or ask again."))
        }
        _ => {
            core.release(answer_id)?;
            let failure = row.waiting.and_then(|waiting| waiting.failure);
            Err(failure.unwrap_or_else(|| {
                Failure::new(Code::Busy, "Another message of this conversation is still waiting for its answer. Yours is saved behind it.")
            }))
        }
    }
}

/// Stores a message for which no answer is asked.
pub(crate) fn say(
    core: &Tidemark,
    conversation: &str,
    text: OsString,
    output: &Output,
) -> Result<Status> {
    let conversation_id = match conversation {
        "new" => None,
        id => Some(id.parse().map_err(|_| {
            Failure::new(Code::InvalidInput, "That is neither a conversation's id nor “new”.")
        })?),
    };
    let sent = core.say(&SendRequest { conversation_id, ..request(text)? })?;
    let id = sent
        .message_id
        .ok_or_else(|| Failure::new(Code::Internal, "The message was not stored."))?;
    let row = core.messages_by_id(&[id])?.pop();
    let message = row
        .map(|row| row.message)
        .ok_or_else(|| Failure::new(Code::NotFound, "The message is gone."))?;
    output.print(&message, |message: &Message| message.conversation_id.to_string())
}

/// The message, with its original bytes where they are no Unicode text.
fn request(text: OsString) -> Result<SendRequest> {
    let bytes = if text == "-" { from_stdin()? } else { text.into_encoded_bytes() };
    Ok(match String::from_utf8(bytes) {
        Ok(content) => SendRequest { content, ..SendRequest::default() },
        Err(error) => SendRequest {
            content: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            content_raw: Some(BASE64.encode(error.as_bytes())),
            ..SendRequest::default()
        },
    })
}

fn from_stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than fits, so that a message that is too long is refused and not cut.
    let most = 8 * MAX_MESSAGE_BYTES as u64;
    std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(|error| internal(&error))?;
    Ok(bytes)
}
