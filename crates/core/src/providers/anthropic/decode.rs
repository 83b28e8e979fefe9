//! What the events of a message mean.

use serde_json::Value;

use super::super::EndReason;
use super::super::answering::{Decoder, Step};

/// Reads the events of one message. Thinking and tools are no part of the answer's text.
#[derive(Debug, Default)]
pub(crate) struct Events {
    tokens_in: Option<u32>,
}

impl Decoder for Events {
    fn event(&mut self, event: &Value) -> Vec<Step> {
        match event["type"].as_str() {
            Some("message_start") => self.usage(&event["message"]["usage"]),
            Some("content_block_start") => text(&event["content_block"]),
            Some("content_block_delta") => text(&event["delta"]),
            Some("message_delta") => {
                let mut steps = self.usage(&event["usage"]);
                steps.extend(ended(&event["delta"]));
                steps
            }
            Some("message_stop") => vec![Step::Closed],
            // `ping`, `content_block_stop`, and what will be added: unknown types are to be ignored.
            _ => Vec::new(),
        }
    }

    fn whole(&mut self, message: &Value) -> Vec<Step> {
        let blocks = message["content"].as_array().map_or(&[][..], Vec::as_slice);
        let mut steps: Vec<Step> = blocks.iter().flat_map(text).collect();
        steps.extend(self.usage(&message["usage"]));
        steps.extend(ended(message));
        steps
    }
}

impl Events {
    /// Tokens of the prompt include what was written to or read from a cache.
    fn usage(&mut self, usage: &Value) -> Vec<Step> {
        let count = |name: &str| usage[name].as_u64().and_then(|count| u32::try_from(count).ok());
        if let Some(fresh) = count("input_tokens") {
            let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"]
                .into_iter()
                .filter_map(count)
                .fold(0_u32, u32::saturating_add);
            self.tokens_in = Some(fresh.saturating_add(cached));
        }
        let tokens_out = count("output_tokens");
        let told = count("input_tokens").is_some() || tokens_out.is_some();
        match told {
            true => vec![Step::Usage { tokens_in: self.tokens_in, tokens_out }],
            false => Vec::new(),
        }
    }
}

/// The text of a block or of a piece of one; thinking has none here.
fn text(block: &Value) -> Vec<Step> {
    let is_text = matches!(block["type"].as_str(), Some("text" | "text_delta"));
    match block["text"].as_str() {
        Some(text) if is_text && !text.is_empty() => vec![Step::Text(text.to_owned())],
        _ => Vec::new(),
    }
}

fn ended(message: &Value) -> Option<Step> {
    let reason = match message["stop_reason"].as_str()? {
        "max_tokens" | "model_context_window_exceeded" | "pause_turn" => EndReason::Length,
        "refusal" => EndReason::Filtered,
        _ => EndReason::Complete,
    };
    Some(Step::Ended(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn steps(events: &[Value]) -> Vec<Step> {
        let mut decoder = Events::default();
        events.iter().flat_map(|event| decoder.event(event)).collect()
    }

    #[test]
    fn a_message_is_read_from_start_to_stop() {
        let events = [
            json!({ "type": "message_start", "message": { "usage":
                { "input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1 } } }),
            json!({ "type": "content_block_start", "content_block": { "type": "text", "text": "" } }),
            json!({ "type": "ping" }),
            json!({ "type": "content_block_delta",
                "delta": { "type": "thinking_delta", "thinking": "hm" } }),
            json!({ "type": "content_block_delta", "delta": { "type": "text_delta", "text": "Hi" } }),
            json!({ "type": "content_block_stop" }),
            json!({ "type": "message_delta", "delta": { "stop_reason": "max_tokens" },
                "usage": { "output_tokens": 9 } }),
            json!({ "type": "message_stop" }),
        ];
        assert_eq!(
            steps(&events),
            [
                Step::Usage { tokens_in: Some(15), tokens_out: Some(1) },
                Step::Text("Hi".to_owned()),
                Step::Usage { tokens_in: Some(15), tokens_out: Some(9) },
                Step::Ended(EndReason::Length),
                Step::Closed,
            ]
        );
    }

    #[test]
    fn every_reason_to_stop_has_its_meaning() {
        let table = [
            ("end_turn", EndReason::Complete),
            ("stop_sequence", EndReason::Complete),
            ("max_tokens", EndReason::Length),
            ("refusal", EndReason::Filtered),
            ("something_new", EndReason::Complete),
        ];
        for (reason, expected) in table {
            let event = json!({ "type": "message_delta", "delta": { "stop_reason": reason } });
            assert_eq!(steps(&[event]), [Step::Ended(expected)], "{reason}");
        }
    }

    #[test]
    fn a_whole_message_is_read_like_a_stream() {
        let message = json!({ "type": "message", "stop_reason": "end_turn",
            "content": [{ "type": "thinking", "thinking": "hm" }, { "type": "text", "text": "Hi" }],
            "usage": { "input_tokens": 1, "output_tokens": 2 } });
        assert_eq!(
            Events::default().whole(&message),
            [
                Step::Text("Hi".to_owned()),
                Step::Usage { tokens_in: Some(1), tokens_out: Some(2) },
                Step::Ended(EndReason::Complete),
            ]
        );
    }

    #[test]
    fn events_of_any_shape_do_no_harm() {
        for event in [json!({}), json!([]), json!(1), json!({ "type": "message_delta" })] {
            assert_eq!(steps(&[event]), []);
        }
    }
}
