//! What the events of a chat completion mean.

use serde_json::Value;

use super::super::EndReason;
use super::super::answering::{Decoder, Step};

/// Reads chunks of one choice. What a model thinks aloud (`reasoning_content`) is no part of its
/// answer and is left out.
#[derive(Debug)]
pub(crate) struct Chunks;

impl Decoder for Chunks {
    fn event(&mut self, chunk: &Value) -> Vec<Step> {
        steps(chunk, "delta")
    }

    fn whole(&mut self, answer: &Value) -> Vec<Step> {
        steps(answer, "message")
    }
}

fn steps(chunk: &Value, part: &str) -> Vec<Step> {
    let choice = &chunk["choices"][0];
    let said = &choice[part];
    let text = [&said["content"], &said["refusal"]].into_iter().map(text).collect::<String>();
    let mut steps = Vec::new();
    if !text.is_empty() {
        steps.push(Step::Text(text));
    }
    // Groq puts usage under `x_groq` in its last chunk.
    steps.extend([&chunk["usage"], &chunk["x_groq"]["usage"]].into_iter().find_map(usage));
    if let Some(reason) = choice["finish_reason"].as_str() {
        steps.push(Step::Ended(ended(reason)));
    }
    steps
}

/// Text as a string or as an array of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn usage(usage: &Value) -> Option<Step> {
    let count = |name: &str| usage[name].as_u64().and_then(|count| u32::try_from(count).ok());
    let (tokens_in, tokens_out) = (count("prompt_tokens"), count("completion_tokens"));
    (tokens_in.is_some() || tokens_out.is_some()).then_some(Step::Usage { tokens_in, tokens_out })
}

fn ended(reason: &str) -> EndReason {
    match reason {
        "length" | "max_tokens" => EndReason::Length,
        "content_filter" => EndReason::Filtered,
        _ => EndReason::Complete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(chunk: Value) -> Vec<Step> {
        Chunks.event(&chunk)
    }

    fn said(text: &str) -> Vec<Step> {
        vec![Step::Text(text.to_owned())]
    }

    #[test]
    fn text_comes_as_a_string_or_in_parts() {
        assert_eq!(event(json!({ "choices": [{ "delta": { "content": "a" } }] })), said("a"));
        let parts = json!([{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }]);
        assert_eq!(event(json!({ "choices": [{ "delta": { "content": parts } }] })), said("ab"));
    }

    #[test]
    fn what_the_model_thinks_is_no_answer() {
        let delta = json!({ "content": null, "reasoning_content": "hm", "reasoning": "hm" });
        assert_eq!(event(json!({ "choices": [{ "delta": delta }] })), []);
    }

    #[test]
    fn the_end_has_a_reason_and_usage_comes_after_it() {
        let end = |reason| json!({ "choices": [{ "delta": {}, "finish_reason": reason }] });
        assert_eq!(event(end("stop")), [Step::Ended(EndReason::Complete)]);
        assert_eq!(event(end("length")), [Step::Ended(EndReason::Length)]);
        assert_eq!(event(end("content_filter")), [Step::Ended(EndReason::Filtered)]);
        let usage = json!({ "prompt_tokens": 3, "completion_tokens": 5 });
        let counted = [Step::Usage { tokens_in: Some(3), tokens_out: Some(5) }];
        assert_eq!(event(json!({ "choices": [], "usage": usage })), counted);
        assert_eq!(event(json!({ "choices": [], "x_groq": { "usage": usage } })), counted);
    }

    #[test]
    fn a_whole_answer_is_read_like_a_stream() {
        let answer = json!({ "choices": [{ "message": { "content": "hi" },
            "finish_reason": "stop" }], "usage": { "completion_tokens": 1 } });
        assert_eq!(
            Chunks.whole(&answer),
            [
                Step::Text("hi".to_owned()),
                Step::Usage { tokens_in: None, tokens_out: Some(1) },
                Step::Ended(EndReason::Complete),
            ]
        );
    }

    #[test]
    fn chunks_of_any_shape_do_no_harm() {
        for chunk in [json!({}), json!([]), json!("x"), json!({ "choices": "x", "usage": -1 })] {
            assert_eq!(event(chunk), []);
        }
    }
}
