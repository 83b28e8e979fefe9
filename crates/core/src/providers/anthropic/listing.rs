//! The models that Anthropic says it has, page by page.

use serde_json::Value;

use super::super::ProviderError;
use super::super::http::{Endpoint, json};
use super::super::place::Purpose;
use super::super::presets;
use super::VERSION;
use crate::model::ModelInfo;

/// A page of a hundred models has some 100 KiB.
const MAX_PAGE_BYTES: usize = 4 << 20;
/// A server that always says there is more is not believed for ever.
const MAX_PAGES: usize = 20;

/// Asks for all pages; prices come from the catalogue.
pub(crate) async fn models(endpoint: &Endpoint) -> Result<Vec<ModelInfo>, ProviderError> {
    let mut models = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = page(endpoint, after.as_deref()).await?;
        let host = endpoint.place(Purpose::Models).host;
        let listed = page["data"].as_array().into_iter().flatten().filter_map(model);
        models.extend(listed.map(|model| presets::completed(&host, model)));
        let more = page["has_more"].as_bool().unwrap_or(false);
        after = page["last_id"].as_str().filter(|_| more).map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    Ok(models)
}

async fn page(endpoint: &Endpoint, after: Option<&str>) -> Result<Value, ProviderError> {
    let place = endpoint.place(Purpose::Models);
    let path = format!("models?{}", query(after));
    let response =
        endpoint.get(&path, &VERSION).await.map_err(|rejected| rejected.error(&place))?;
    let patience = endpoint.timeouts().headers;
    json(response, MAX_PAGE_BYTES, patience).await.map_err(|fault| fault.error(&place, None))
}

fn query(after: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", "100");
    if let Some(after) = after {
        query.append_pair("after_id", after);
    }
    query.finish()
}

fn model(item: &Value) -> Option<ModelInfo> {
    let tokens = item["max_input_tokens"].as_u64().and_then(|tokens| u32::try_from(tokens).ok());
    Some(ModelInfo {
        id: item["id"].as_str()?.to_owned(),
        name: item["display_name"].as_str().unwrap_or_default().to_owned(),
        context_tokens: tokens.filter(|tokens| *tokens > 0),
        ..ModelInfo::default()
    })
}
