//! A message: of blocks, or as it was before version 4.

use serde_json::json;

use super::super::said::Said;
use super::super::speech;
use super::store::Store;
use crate::import::lax::Value;
use crate::import::record::Place;
use crate::import::time::Zone;
use crate::import::{Attachment, Message, Text, When};

pub(super) fn read(
    value: &Value,
    key: &str,
    store: &mut Store,
    place: &Place,
    zone: Zone,
) -> Message {
    let mut said = Said::default();
    let blocks = value.get("blocks").map(Value::items).unwrap_or_default();
    for id in blocks.iter().filter_map(Value::as_str) {
        match store.block(id) {
            Some(block) => read_block(&mut said, &block, store),
            None => {
                let place = Place::new(place.path.clone(), format!("{} {key}", place.locator));
                store.told.push(place.note(format!("It names a block that is not there: {id}.")));
            }
        }
    }
    if blocks.is_empty() {
        said.text = speech::content(value.get("content"));
        said.thought(value.str("reasoning_content").unwrap_or_default());
        said.keep("metadata", value.get("metadata"));
    }
    for file in value.get("files").map(Value::items).unwrap_or_default() {
        said.attachments.push(attachment(file, store));
    }
    for name in ["usage", "metrics", "translatedContent", "error", "type", "mentions"] {
        said.keep(name, value.get(name).filter(|value| value.as_str() != Some("text")));
    }
    let role = speech::role_or_answer(value.get("role"), &mut said.metadata);
    let tokens = |key| value.get("usage")?.get(key)?.as_i64();
    let model = value.str("modelId").or_else(|| value.at(&["model", "id"])?.as_str());
    Message {
        key: Some(key.to_owned()),
        model: model.map(str::to_owned),
        tokens_in: tokens("prompt_tokens"),
        tokens_out: tokens("completion_tokens"),
        interrupted: matches!(
            value.str("status"),
            Some("paused" | "processing" | "sending" | "pending")
        ),
        attachments: said.attachments,
        metadata: said.metadata,
        ..Message::new(role, said.text, When::read(value.get("createdAt"), zone))
    }
}

fn read_block(said: &mut Said, block: &Value, store: &Store) {
    match block.str("type").unwrap_or("main_text") {
        "main_text" => said.add(block.get("content")),
        "thinking" => said.thought(block.str("content").unwrap_or_default()),
        "code" => {
            let language = block.str("language").unwrap_or_default();
            let mut code = Text::from(format!("```{language}\n"));
            code.push(&block.get("content").and_then(Value::as_text).cloned().unwrap_or_default());
            code.push(&Text::from("\n```"));
            said.add_text(&code);
        }
        "image" | "file" | "video" => said.attachments.push(attachment(block, store)),
        "tool" => said.tool(block, &["toolId", "toolName", "arguments", "content"]),
        "translation" => said.keep("translation", block.get("content")),
        "error" => said.keep("error", block.get("error")),
        "unknown" => {}
        _ => said.list("blocks", block.to_json()),
    }
}

/// A file by its id: its bytes are beside the backup, or it is only named.
fn attachment(value: &Value, store: &Store) -> Attachment {
    let file = value.get("file").unwrap_or(value);
    let Some(id) =
        file.str("id").filter(|_| file.get("ext").is_some() || file.get("name").is_some())
    else {
        let link = value.str("url").or_else(|| value.str("content")).unwrap_or_default();
        let attachment = Attachment::from_link(link, None, None);
        let is_image = value.str("type") == Some("image");
        let kind = if is_image { "image".to_owned() } else { attachment.kind };
        return Attachment { kind, ..attachment };
    };
    let (known, path) = store.file(id);
    let name = [Some(file), known].into_iter().flatten();
    let name = name
        .clone()
        .find_map(|it| it.get("origin_name")?.as_text())
        .or_else(|| name.clone().find_map(|it| it.get("name")?.as_text()));
    match path {
        Some(path) => Attachment::from_file(path, name, None),
        None => Attachment::from_link(&json!(id).to_string().replace('"', ""), name, None),
    }
}
