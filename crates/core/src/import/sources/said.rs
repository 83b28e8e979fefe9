//! A message that is put together of parts: texts, thoughts, tools, what hung on it.

use serde_json::{Map, Value as Json, json};

use crate::import::lax::Value;
use crate::import::record::{Kind, Place};
use crate::import::{Attachment, Text};

use super::Sink;
use std::ops::ControlFlow;

/// What the parts of a message come to.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The text.
    pub(super) text: Text,
    /// What hung on it.
    pub(super) attachments: Vec<Attachment>,
    /// What else is worth keeping.
    pub(super) metadata: Map<String, Json>,
}

impl Said {
    /// Puts a paragraph behind the text.
    pub(super) fn add(&mut self, text: Option<&Value>) {
        if let Some(text) = text.and_then(Value::as_text) {
            self.add_text(text);
        }
    }

    /// Puts a paragraph behind the text.
    pub(super) fn add_text(&mut self, text: &Text) {
        if !text.is_empty() && !self.text.is_empty() {
            self.text.push(&Text::from("\n\n"));
        }
        self.text.push(text);
    }

    /// Thoughts before the answer.
    pub(super) fn thought(&mut self, text: &str) {
        let before = self.metadata.get("reasoning").and_then(Json::as_str);
        let all = before.map_or_else(|| text.to_owned(), |before| format!("{before}\n\n{text}"));
        if !text.is_empty() {
            self.metadata.insert("reasoning".into(), json!(all));
        }
    }

    /// Adds to a list of the metadata.
    pub(super) fn list(&mut self, name: &str, value: Json) {
        let list = self.metadata.entry(name).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(value);
        }
    }

    /// A use of a tool: what it was, by these keys of the part.
    pub(super) fn tool(&mut self, part: &Value, keys: &[&str]) {
        let of = |key: &&str| Some(((*key).to_owned(), part.get(key)?.to_json()));
        self.list("tools", Json::Object(keys.iter().filter_map(of).collect()));
    }

    /// Keeps a value that says something.
    pub(super) fn keep(&mut self, name: &str, value: Option<&Value>) {
        let says = |value: &&Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::Text(text) => !text.is_empty(),
            Value::List(list) => !list.items.is_empty(),
            Value::Map(map) => !map.entries.is_empty(),
            _ => true,
        };
        if let Some(value) = value.filter(says) {
            self.metadata.insert(name.to_owned(), value.to_json());
        }
    }

    /// Takes thoughts that stand in the text between two marks out of it.
    pub(super) fn take_thoughts(&mut self, begin: &str, end: &str) {
        if self.text.raw.is_some() {
            return;
        }
        let mut text = std::mem::take(&mut self.text).shown;
        while let Some(at) = text.find(begin) {
            let Some(length) = text[at..].find(end) else { break };
            let inner = text[at + begin.len()..at + length].to_owned();
            let rest = text[at + length + end.len()..].trim_start_matches(['\r', '\n']).to_owned();
            text.truncate(at);
            text.push_str(&rest);
            self.thought(&plain_thought(&inner));
        }
        self.text = Text::from(text);
    }
}

/// Without what makes a quotation of it: the rest of the first tag, a summary, `> `.
fn plain_thought(inner: &str) -> String {
    let inner = match inner.split_once("</summary>") {
        Some((_, rest)) => rest,
        None => inner,
    };
    let lines = inner.trim().lines();
    let plain =
        lines.map(|line| line.strip_prefix("> ").or(line.strip_prefix(">")).unwrap_or(line));
    plain.collect::<Vec<_>>().join("\n")
}

/// The values of a list that came to their ends; a last one that did not is skipped by name.
pub(super) fn whole<'v>(
    items: &'v [Value],
    place: &Place,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), Vec<&'v Value>> {
    let mut found = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        let place =
            || Place::new(place.path.clone(), format!("{} message {number}", place.locator));
        if item.as_map().is_none() {
            sink(place().skip(Kind::Message, "This is no message."))?;
        } else if !item.is_whole() {
            sink(place().skip(Kind::Message, "It is cut off."))?;
        } else {
            found.push(item);
        }
    }
    ControlFlow::Continue(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_in_the_text_go_to_the_metadata() {
        let mut said =
            Said { text: Text::from("<think>a\nb</think>\n\nHello<think>"), ..Said::default() };
        said.take_thoughts("<think>", "</think>");
        assert_eq!(said.text.shown, "Hello<think>");
        assert_eq!(said.metadata["reasoning"], "a\nb");
        let text =
            "x<details type=\"reasoning\" done=\"true\">\n<summary>S</summary>\n> q\n</details>\ny";
        let mut said = Said { text: Text::from(text), ..Said::default() };
        said.take_thoughts("<details type=\"reasoning\"", "</details>");
        assert_eq!((said.text.shown.as_str(), &said.metadata["reasoning"]), ("xy", &json!("q")));
    }
}
