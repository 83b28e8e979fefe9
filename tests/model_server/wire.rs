//! How OpenAI's and Anthropic's answers look on the wire.

use serde_json::{Value, json};

/// Whose wire it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    OpenAi,
    Anthropic,
}

impl Wire {
    /// By the path of the request; none where it is no question.
    pub(super) fn of(path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        match path.rsplit('/').next() {
            Some("completions") => Some(Self::OpenAi),
            Some("messages") => Some(Self::Anthropic),
            _ => None,
        }
    }

    /// What comes before any text.
    pub(super) fn opening(self, tokens_in: usize) -> String {
        match self {
            Self::OpenAi => chunk(&json!({ "role": "assistant", "content": "" }), None),
            Self::Anthropic => {
                let usage = json!({ "input_tokens": tokens_in, "output_tokens": 1 });
                let start = json!({ "type": "message_start",
                    "message": { "role": "assistant", "content": [], "usage": usage } });
                let block = json!({ "type": "content_block_start", "index": 0,
                    "content_block": { "type": "text", "text": "" } });
                named(&start) + &named(&block) + &named(&json!({ "type": "ping" }))
            }
        }
    }

    /// One piece of text.
    pub(super) fn piece(self, text: &str) -> String {
        match self {
            Self::OpenAi => chunk(&json!({ "content": text }), None),
            Self::Anthropic => named(&json!({ "type": "content_block_delta", "index": 0,
                "delta": { "type": "text_delta", "text": text } })),
        }
    }

    /// What comes after all text.
    pub(super) fn closing(
        self,
        finish: Option<&str>,
        tokens: (usize, usize),
        usage: bool,
    ) -> String {
        match self {
            Self::OpenAi => {
                let end = chunk(&json!({}), Some(finish.unwrap_or("stop")));
                let used = json!({ "choices": [], "usage":
                    { "prompt_tokens": tokens.0, "completion_tokens": tokens.1 } });
                let used = if usage { data(&used) } else { String::new() };
                format!("{end}{used}data: [DONE]\n\n")
            }
            Self::Anthropic => {
                let delta = json!({ "type": "message_delta",
                    "delta": { "stop_reason": finish.unwrap_or("end_turn") },
                    "usage": { "output_tokens": tokens.1 } });
                named(&json!({ "type": "content_block_stop", "index": 0 }))
                    + &named(&delta)
                    + &named(&json!({ "type": "message_stop" }))
            }
        }
    }

    /// An error inside a stream.
    pub(super) fn error(self, kind: &str) -> String {
        let error = json!({ "type": "error", "error": { "type": kind, "message": "scripted" } });
        match self {
            Self::OpenAi => data(&error),
            Self::Anthropic => named(&error),
        }
    }

    /// The answer as one document.
    pub(super) fn whole(self, text: &str, tokens: (usize, usize)) -> String {
        match self {
            Self::OpenAi => json!({
                "choices": [{ "message": { "role": "assistant", "content": text },
                    "finish_reason": "stop" }],
                "usage": { "prompt_tokens": tokens.0, "completion_tokens": tokens.1 },
            }),
            Self::Anthropic => json!({
                "type": "message", "role": "assistant", "stop_reason": "end_turn",
                "content": [{ "type": "text", "text": text }],
                "usage": { "input_tokens": tokens.0, "output_tokens": tokens.1 },
            }),
        }
        .to_string()
    }
}

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    data(&json!({ "object": "chat.completion.chunk",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] }))
}

fn data(json: &Value) -> String {
    format!("data: {json}\n\n")
}

fn named(event: &Value) -> String {
    let name = event["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {event}\n\n")
}
