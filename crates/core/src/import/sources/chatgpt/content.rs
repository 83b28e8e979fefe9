//! What a message says, by its content type.

use serde_json::{Map, Value as Json, json};

use super::Beside;
use crate::import::lax::Value;
use crate::import::{Attachment, Text};

/// What a message says.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The text, as Markdown.
    pub(super) text: Text,
    /// What hung on it.
    pub(super) attachments: Vec<Attachment>,
    /// What else is worth keeping.
    pub(super) metadata: Map<String, Json>,
}

/// Reads a message's content.
pub(super) fn read(message: &Value, beside: &Beside) -> Content {
    let mut said = Content::default();
    let content = message.get("content").unwrap_or(&Value::Null);
    let said_metadata = message.at(&["metadata", "attachments"]);
    let listed = said_metadata.map(Value::items).unwrap_or_default();
    match content.str("content_type").unwrap_or("text") {
        "text" | "multimodal_text" => said.parts(content, listed, beside),
        "code" => {
            let language = content.str("language").filter(|language| *language != "unknown");
            said.text = fenced(content.get("text"), language.unwrap_or_default());
        }
        "execution_output" => said.text = fenced(content.get("text"), ""),
        "thoughts" => said.text = thoughts(content),
        "user_editable_context" => said.text = context(message),
        "model_editable_context" => said.text = text(content.get("model_set_context")),
        "tether_quote" | "sonic_webpage" => {
            said.text = first_text(content, &["text", "snippet"]);
            said.source(content);
        }
        "tether_browsing_display" => said.text = first_text(content, &["result", "summary"]),
        "system_error" => said.error(content),
        "computer_output" => {
            said.pointer(content.get("screenshot").unwrap_or(&Value::Null), listed, beside);
        }
        other => said.unknown(other, content, listed, beside),
    }
    for attachment in listed {
        said.listed(attachment, beside);
    }
    said
}

impl Content {
    fn parts(&mut self, content: &Value, listed: &[Value], beside: &Beside) {
        match content.get("parts") {
            Some(parts @ Value::List(_)) => {
                for part in parts.items() {
                    self.part(part, listed, beside);
                }
            }
            Some(one) => self.part(one, listed, beside),
            None => self.text = first_text(content, &["text", "content", "result"]),
        }
    }

    fn part(&mut self, part: &Value, listed: &[Value], beside: &Beside) {
        match part {
            Value::Text(text) => self.add(text),
            Value::Map(_) => match part.str("content_type") {
                Some("audio_transcription") | None => {
                    self.add(&text(part.get("text")));
                }
                _ => self.pointer(part, listed, beside),
            },
            _ => {}
        }
    }

    fn add(&mut self, text: &Text) {
        if text.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push(&Text::from("\n"));
        }
        self.text.push(text);
    }

    /// An asset; one of a call has its sound a level deeper.
    fn pointer(&mut self, part: &Value, listed: &[Value], beside: &Beside) {
        let sound = part.get("audio_asset_pointer").filter(|sound| sound.as_map().is_some());
        let part = sound.unwrap_or(part);
        let Some(pointer) = part.str("asset_pointer") else { return };
        let id = pointer.rsplit('/').next().unwrap_or_default();
        let said = listed.iter().find(|said| said.str("id") == Some(id));
        let mut attachment = beside.assets.attachment(pointer, said);
        if attachment.kind == "file" {
            let is = |kind: &str| part.str("content_type").is_some_and(|it| it.starts_with(kind));
            let kind = if is("image") { "image" } else { "file" };
            attachment.kind = if is("audio") { "audio" } else { kind }.to_owned();
        }
        self.attachments.push(attachment);
        self.keep("pointers", json!(pointer));
    }

    /// What the metadata lists, unless the content pointed to it.
    fn listed(&mut self, said: &Value, beside: &Beside) {
        let Some(id) = said.str("id") else { return };
        let known = self.metadata.get("pointers").and_then(Json::as_array);
        let is_known = known.is_some_and(|known| {
            known.iter().filter_map(Json::as_str).any(|pointer| pointer.ends_with(id))
        });
        if !is_known {
            self.attachments.push(beside.assets.attachment(id, Some(said)));
        }
    }

    fn source(&mut self, content: &Value) {
        let of = |key| content.get(key).map_or(Json::Null, Value::to_json);
        self.keep("sources", json!({ "url": of("url"), "title": of("title") }));
    }

    fn error(&mut self, content: &Value) {
        self.text = text(content.get("text"));
        let name = content.get("name").map_or(Json::Null, Value::to_json);
        self.metadata.insert("error".into(), name);
    }

    /// What no release that is known here wrote: its text, and the whole beside it.
    fn unknown(&mut self, kind: &str, content: &Value, listed: &[Value], beside: &Beside) {
        self.parts(content, listed, beside);
        self.metadata.insert("content_type".into(), json!(kind));
        self.metadata.insert("content".into(), content.to_json());
    }

    fn keep(&mut self, name: &str, value: Json) {
        let list = self.metadata.entry(name).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(value);
        }
    }
}

fn text(value: Option<&Value>) -> Text {
    value.and_then(Value::as_text).cloned().unwrap_or_default()
}

fn first_text(content: &Value, keys: &[&str]) -> Text {
    let texts = keys.iter().map(|key| text(content.get(key)));
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

/// Text that is shown as it is, between more backticks than it has itself.
fn fenced(value: Option<&Value>, language: &str) -> Text {
    let inner = text(value);
    if inner.is_empty() {
        return inner;
    }
    let longest = inner.shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut fenced = Text::from(format!("{fence}{language}\n"));
    fenced.push(&inner);
    let end = if inner.shown.ends_with('\n') { "" } else { "\n" };
    fenced.push(&Text::from(format!("{end}{fence}")));
    fenced
}

fn thoughts(content: &Value) -> Text {
    let mut all = Text::default();
    for thought in content.get("thoughts").map(Value::items).unwrap_or_default() {
        for key in ["summary", "content"] {
            let part = text(thought.get(key));
            if !part.is_empty() && !all.is_empty() {
                all.push(&Text::from("\n\n"));
            }
            all.push(&part);
        }
    }
    all
}

/// A person's custom instructions: as they wrote them where that is kept, else with ChatGPT's words around.
fn context(message: &Value) -> Text {
    let said = message.at(&["metadata", "user_context_message_data"]).unwrap_or(&Value::Null);
    let content = message.get("content").unwrap_or(&Value::Null);
    let pairs = [
        (said, ["about_user_message", "about_model_message"]),
        (content, ["user_profile", "user_instructions"]),
    ];
    let mut all = Text::default();
    let (from, keys) = pairs
        .into_iter()
        .find(|(from, keys)| keys.iter().any(|key| from.str(key).is_some()))
        .unwrap_or((content, ["text", "parts"]));
    for part in keys.map(|key| text(from.get(key))) {
        if !part.is_empty() && !all.is_empty() {
            all.push(&Text::from("\n\n"));
        }
        all.push(&part);
    }
    all
}

/// Takes the marks of citations out of an answer: `【4†source】`, and what stands between the private
/// characters U+E200 and U+E201. They come back with the place, in characters of the text without them.
pub(super) fn without_marks(text: &str) -> Option<(String, Vec<Json>)> {
    /// Longer than any mark.
    const LONGEST: usize = 2_000;
    text.contains(['\u{e200}', '\u{e201}', '\u{e202}', '【']).then_some(())?;
    let (mut kept, mut marks, mut rest) = (String::new(), Vec::new(), text);
    while let Some(at) = rest.find(['\u{e200}', '\u{e201}', '\u{e202}', '【']) {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let first = rest.chars().next().unwrap_or_default();
        let end = if first == '【' { '】' } else { '\u{e201}' };
        let closed = match first {
            '\u{e201}' | '\u{e202}' => None,
            _ => rest.char_indices().take(LONGEST).find(|(_, c)| *c == end),
        };
        let length = closed.map(|(at, c)| at + c.len_utf8());
        let is_mark = first != '【' || length.is_some_and(|length| rest[..length].contains('†'));
        let length = length.filter(|_| is_mark).unwrap_or(first.len_utf8());
        match is_mark {
            true => marks.push(json!({ "at": kept.chars().count(), "mark": &rest[..length] })),
            false => kept.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    kept.push_str(rest);
    (!marks.is_empty()).then_some((kept, marks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_citations_go_and_can_be_put_back() {
        let text =
            "It is red【4†source】 \u{e200}cite\u{e202}turn0search0\u{e201}. 【kept】 \u{e202}x";
        let (kept, marks) = without_marks(text).expect("marks");
        assert_eq!(kept, "It is red . 【kept】 x");
        assert_eq!(marks[0], json!({ "at": 9, "mark": "【4†source】" }));
        assert_eq!(marks.len(), 3);
        assert_eq!(without_marks("no marks 【here】"), None);
    }

    #[test]
    fn code_with_backticks_stays_one_block() {
        let value = Value::Text(Text::from("a ``` b"));
        assert_eq!(fenced(Some(&value), "md").shown, "````md\na ``` b\n````");
    }
}
