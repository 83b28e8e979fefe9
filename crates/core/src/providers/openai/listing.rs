//! The models that a server says it has.

use serde_json::Value;

use super::super::ProviderError;
use super::super::http::{Endpoint, json};
use super::super::place::Purpose;
use super::super::presets;
use crate::model::ModelInfo;

/// OpenRouter's list has half a megabyte.
const MAX_LIST_BYTES: usize = 16 << 20;
/// Models at OpenAI that do not chat, by a part of their id.
const SILENT: [&str; 12] = [
    "embed",
    "whisper",
    "tts",
    "dall-e",
    "moderation",
    "transcribe",
    "image",
    "audio",
    "realtime",
    "sora",
    "davinci",
    "babbage",
];

/// Asks for the list; what the server leaves out is filled in from the catalogue.
pub(crate) async fn models(endpoint: &Endpoint) -> Result<Vec<ModelInfo>, ProviderError> {
    let place = endpoint.place(Purpose::Models);
    let response = endpoint.get("models", &[]).await.map_err(|rejected| rejected.error(&place))?;
    let list = json(response, MAX_LIST_BYTES, endpoint.timeouts().headers)
        .await
        .map_err(|fault| fault.error(&place, None))?;
    Ok(read(&list).into_iter().map(|model| presets::completed(&place.host, model)).collect())
}

fn read(list: &Value) -> Vec<ModelInfo> {
    // OpenAI's form; Together sends a bare array.
    let items = list["data"].as_array().or_else(|| list.as_array());
    items.into_iter().flatten().filter_map(model).collect()
}

fn model(item: &Value) -> Option<ModelInfo> {
    let id = item["id"].as_str()?;
    if SILENT.iter().any(|part| id.contains(part)) {
        return None;
    }
    Some(ModelInfo {
        id: id.to_owned(),
        name: item["name"].as_str().unwrap_or_default().to_owned(),
        context_tokens: context(item),
        price_in_micros: price(&item["pricing"]["prompt"]),
        price_out_micros: price(&item["pricing"]["completion"]),
    })
}

/// OpenRouter, Groq, vLLM, llama.cpp.
fn context(item: &Value) -> Option<u32> {
    let known = [
        &item["context_length"],
        &item["context_window"],
        &item["max_model_len"],
        &item["meta"]["n_ctx"],
        &item["meta"]["n_ctx_train"],
    ];
    known.into_iter().find_map(Value::as_u64).and_then(|tokens| u32::try_from(tokens).ok())
}

/// OpenRouter: dollars a token, as text; -1 where the price varies.
fn price(value: &Value) -> Option<i64> {
    let dollars: f64 = value.as_str()?.parse().ok()?;
    let micros = (dollars * 1e12).round();
    (0.0..1e15).contains(&micros).then_some(micros as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_several_servers_are_read() {
        let list = json!({ "data": [
            { "id": "meta-llama/llama", "name": "Llama", "context_length": 131072,
              "pricing": { "prompt": "0.00000015", "completion": "0.0000006" } },
            { "id": "groq", "context_window": 8192 },
            { "id": "auto", "pricing": { "prompt": "-1" } },
            { "id": "text-embedding-3-small" },
            { "no": "id" },
        ]});
        let models = read(&list);
        let ids: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
        assert_eq!(ids, ["meta-llama/llama", "groq", "auto"]);
        assert_eq!(models[0].price_in_micros, Some(150_000));
        assert_eq!(models[0].price_out_micros, Some(600_000));
        assert_eq!(models[1].context_tokens, Some(8192));
        assert_eq!(models[2].price_in_micros, None);
    }

    #[test]
    fn a_list_of_another_shape_is_empty() {
        for list in [json!({}), json!({ "data": "x" }), json!("x")] {
            assert_eq!(read(&list), []);
        }
    }
}
