//! One node of a conversation: a message, or a step that ChatGPT does not show.

use serde_json::{Value as Json, json};

use super::Beside;
use super::content::{self, Content};
use crate::import::lax::Value;
use crate::import::time::Zone;
use crate::import::{Message, Text, When};
use crate::model::Role;

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    /// Its id.
    pub(super) key: String,
    /// Its parent's.
    pub(super) parent: Option<String>,
    /// Those of what follows it, in the order of the export.
    pub(super) children: Vec<String>,
    /// What it is.
    pub(super) what: What,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum What {
    /// Nothing: the root.
    Nothing,
    /// A message.
    Shown(Box<Message>),
    /// Thoughts before an answer.
    Reasoning(Text),
    /// A call of a tool: its name, and what it was given.
    Call(String, Text),
    /// A person's custom instructions.
    Instructions(Text),
    /// Anything else that is hidden: what it is, and its text.
    Hidden(&'static str, Text),
}

impl Node {
    pub(super) fn read(key: String, value: &Value, zone: Zone, beside: &Beside) -> Self {
        let children = value.get("children").map(Value::items).unwrap_or_default();
        let children = children.iter().filter_map(|child| child.as_str().map(str::to_owned));
        let what = match value.get("message").filter(|message| message.as_map().is_some()) {
            Some(message) => of_message(&key, message, zone, beside),
            None => What::Nothing,
        };
        let above = value.get("parent").and_then(Value::as_str);
        let above = above.or_else(|| value.at(&["message", "metadata", "parent_id"])?.as_str());
        Self { parent: above.map(str::to_owned), children: children.collect(), key, what }
    }
}

fn of_message(key: &str, message: &Value, zone: Zone, beside: &Beside) -> What {
    let content = content::read(message, beside);
    let role = message.at(&["author", "role"]).and_then(Value::as_str).unwrap_or("assistant");
    let kind = message.at(&["content", "content_type"]).and_then(Value::as_str);
    let metadata = message.get("metadata").unwrap_or(&Value::Null);
    let recipient = message.str("recipient").unwrap_or("all");
    match (kind.unwrap_or_default(), role) {
        ("thoughts", _) => What::Reasoning(content.text),
        ("reasoning_recap", _) => What::Hidden("recap", recap(message)),
        ("user_editable_context", _) => What::Instructions(content.text),
        ("model_editable_context", _) => What::Hidden("memory", content.text),
        ("text", "system") if metadata.is("is_user_system_message") => {
            What::Instructions(content.text)
        }
        (_, "system") => What::Hidden("system", content.text),
        _ if metadata.is("is_visually_hidden_from_conversation") => {
            What::Hidden("hidden", content.text)
        }
        (_, "assistant") if recipient != "all" => What::Call(recipient.to_owned(), content.text),
        _ => What::Shown(Box::new(shown(key, role, message, content, zone, beside))),
    }
}

fn recap(message: &Value) -> Text {
    let recap = message.at(&["content", "content"]).and_then(Value::as_text);
    recap.cloned().unwrap_or_default()
}

fn shown(
    key: &str,
    role: &str,
    message: &Value,
    mut content: Content,
    zone: Zone,
    beside: &Beside,
) -> Message {
    let role = match role {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => Role::Tool,
    };
    let metadata = message.get("metadata").unwrap_or(&Value::Null);
    if role != Role::User && content.text.raw.is_none() {
        take_marks(&mut content);
    }
    let mut kept = content.metadata;
    for name in ["citations", "content_references", "finish_details", "aggregate_result"] {
        keep(&mut kept, name, metadata.get(name));
    }
    if role == Role::Tool {
        keep(&mut kept, "tool", message.at(&["author", "name"]));
    }
    if let Some(rating) = beside.feedback.get(key) {
        kept.insert("feedback".into(), rating.clone());
    }
    let status = message.str("status").unwrap_or_default();
    Message {
        key: Some(key.to_owned()),
        model: metadata.str("model_slug").map(str::to_owned),
        interrupted: matches!(status, "in_progress" | "finished_partial_completion"),
        attachments: content.attachments,
        metadata: kept,
        ..Message::new(role, content.text, When::read(message.get("create_time"), zone))
    }
}

fn take_marks(content: &mut Content) {
    if let Some((text, marks)) = content::without_marks(&content.text.shown) {
        content.text = Text::from(text);
        content.metadata.insert("citation_marks".into(), json!(marks));
    }
}

/// Keeps a value that says something.
fn keep(kept: &mut serde_json::Map<String, Json>, name: &str, value: Option<&Value>) {
    let says = |value: &&Value| match value {
        Value::Null => false,
        Value::List(list) => !list.items.is_empty(),
        Value::Map(map) => !map.entries.is_empty(),
        _ => true,
    };
    if let Some(value) = value.filter(says) {
        kept.insert(name.to_owned(), value.to_json());
    }
}
