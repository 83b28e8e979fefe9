//! Who speaks, and what was said, in every form that a program gave it.

use std::borrow::Cow;

use serde_json::Map;

use crate::import::Text;
use crate::import::lax::{self, Value};
use crate::import::record::Message;
use crate::model::Role;

/// Who speaks. None where nobody can tell.
pub(crate) fn role(value: Option<&Value>) -> Option<Role> {
    match value?.as_str()?.trim().to_ascii_lowercase().as_str() {
        "user" | "human" | "customer" => Some(Role::User),
        "assistant" | "model" | "bot" | "ai" | "gpt" | "chatbot" => Some(Role::Assistant),
        "system" | "developer" => Some(Role::System),
        "tool" | "function" => Some(Role::Tool),
        _ => None,
    }
}

/// Who speaks, and the old word for it where it was another: it goes into the metadata. What nobody
/// surely said is not put into the person's mouth.
pub(crate) fn role_or_answer(
    value: Option<&Value>,
    metadata: &mut Map<String, serde_json::Value>,
) -> Role {
    let role = role(value);
    let usual = ["user", "assistant", "system", "tool"];
    if !value.and_then(Value::as_str).is_some_and(|word| usual.contains(&word)) {
        let original = value.map_or(serde_json::Value::Null, Value::to_json);
        metadata.insert("original_role".to_owned(), original);
    }
    role.unwrap_or(Role::Assistant)
}

/// What was said: a text as it is; of parts and objects their texts; of anything else its JSON.
pub(crate) fn content(value: Option<&Value>) -> Text {
    match value {
        None | Some(Value::Null) => Text::default(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Number(number)) => Text::from(number.as_str()),
        Some(Value::Bool(value)) => Text::from(value.to_string()),
        Some(value @ Value::List(_)) => parts(value.items()),
        Some(value @ Value::Map(_)) => {
            part(value).unwrap_or_else(|| Text::from(value.to_json().to_string()))
        }
    }
}

/// The texts of parts, a line each.
fn parts(items: &[Value]) -> Text {
    let mut text = Text::default();
    for item in items {
        let Some(part) = part(item) else { continue };
        if !text.is_empty() && !part.is_empty() {
            text.push(&Text::from("\n"));
        }
        text.push(&part);
    }
    text
}

/// The text of one part. None: it has none.
fn part(value: &Value) -> Option<Text> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Map(_) => {
            let text = ["text", "content", "value"].iter().find_map(|key| value.get(key))?;
            match text {
                Value::Text(text) => Some(text.clone()),
                Value::Map(_) => text.get("value")?.as_text().cloned(),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a content is more than its text, so that it is worth keeping as it was.
pub(crate) fn is_structured(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::List(_) | Value::Map(_)))
}

/// JSON inside a text, which rows are full of. None: the text is not whole JSON of a list or an object.
pub(crate) fn unwrapped(value: &Value) -> Option<Value> {
    let text = value.as_text()?;
    let parsed = lax::parse(text.bytes());
    let is_container = matches!(parsed.value, Value::List(_) | Value::Map(_));
    (is_container && parsed.value.is_whole()).then_some(parsed.value)
}

/// The value, or the JSON inside it where it is a text.
pub(crate) fn unwrap(value: &Value) -> Cow<'_, Value> {
    let mut value = Cow::Borrowed(value);
    // Some rows were encoded twice over.
    for _ in 0..3 {
        let Some(inner) = unwrapped(&value).or_else(|| of_text(&value)) else { break };
        value = Cow::Owned(inner);
    }
    value
}

/// A text inside a text: `"\"[...]\""`.
fn of_text(value: &Value) -> Option<Value> {
    let text = value.as_text()?.bytes();
    let parsed = (text.first() == Some(&b'"')).then(|| lax::parse(text))?;
    matches!(parsed.value, Value::Text(_)).then_some(parsed.value)
}

/// What else stands in an object, for the metadata.
pub(crate) fn extras(value: &Value, known: &[&str]) -> Map<String, serde_json::Value> {
    let is_extra = |name: &Text| !known.contains(&name.shown.as_str());
    let entries = value.entries().iter().filter(|(name, value)| is_extra(name) && !value.is_null());
    entries.map(|(name, value)| (name.shown.clone(), value.to_json())).collect()
}

/// Tokens and cost, by the names that they have in most programs.
pub(crate) fn usage(value: &Value, message: &mut Message) {
    let number = |keys: &[&str]| keys.iter().find_map(|key| value.get(key)?.as_i64());
    message.tokens_in = number(&["prompt_tokens", "input_tokens"]);
    message.tokens_out = number(&["completion_tokens", "output_tokens"]);
    message.cost_micros = value.get("cost").and_then(micros);
}

/// Millionths, of a price in whole units. None: it is no price.
pub(crate) fn micros(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Text(text) => text.shown.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    let is_price = (0.0..1.0e9).contains(&number);
    is_price.then(|| (number * 1.0e6).round() as i64)
}

/// A text or a number that names something.
pub(crate) fn id(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Text(text) if !text.is_empty() => Some(text.shown.clone()),
        Value::Number(number) => Some(number.clone()),
        value @ Value::Map(_) => {
            ["$oid", "$uuid", "$numberLong", "$numberInt"].iter().find_map(|key| id(value.get(key)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        lax::parse(json.as_bytes()).value
    }

    #[test]
    fn a_content_of_any_kind_has_a_text() {
        let table = [
            (r#""plain ""#, "plain "),
            ("null", ""),
            ("42", "42"),
            (r#"[{"type":"text","text":"a"},{"type":"image_url"},"b"]"#, "a\nb"),
            (r#"{"text":"obj"}"#, "obj"),
            (r#"{"text":{"value":"deep"}}"#, "deep"),
            (r#"{"x":1}"#, r#"{"x":1}"#),
        ];
        for (json, text) in table {
            assert_eq!(content(Some(&value(json))).shown, text, "{json}");
        }
    }

    #[test]
    fn json_in_a_text_is_read_however_often_it_was_encoded() {
        let list = value(r#"[{"role":"user"}]"#);
        for json in [r#"[{"role":"user"}]"#, r#""[{\"role\":\"user\"}]""#] {
            assert_eq!(*unwrap(&value(json)), list, "{json}");
        }
        let once = serde_json::to_string(r#"[{"role":"user"}]"#).expect("a text");
        let twice = serde_json::to_string(&once).expect("a text");
        assert_eq!(*unwrap(&value(&twice)), list);
        assert_eq!(*unwrap(&value(r#""just text""#)), value(r#""just text""#));
    }

    #[test]
    fn who_is_not_known_is_not_made_the_person() {
        let mut metadata = Map::new();
        assert_eq!(role_or_answer(Some(&value("\"\"")), &mut metadata), Role::Assistant);
        assert_eq!(metadata["original_role"], "");
        assert_eq!(role(Some(&value("\"User\""))), Some(Role::User));
    }
}
