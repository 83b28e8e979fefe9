//! The providers that the settings offer, and what is publicly known of their models.
//!
//! Prices and sizes were read in November 2026: Anthropic's on its own pages, the others' in public
//! tables that others keep. Where those disagree on a size, none is given. They change: a person can
//! edit them, a server's own list wins over them, and a cost that is shown is an estimate.
//! Surcharges for very long prompts and discounts for cached ones are left out.

use std::borrow::Cow;

use crate::model::{ModelInfo, ProviderConfig, ProviderKind};

/// A provider that needs no typing but a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// What becomes its configuration.
    pub config: ProviderConfig,
    /// Whether it answers only with a key.
    pub needs_key: bool,
    /// Where a person gets a key; none where none is needed.
    pub key_url: Option<&'static str>,
}

/// One row of the catalogue.
struct Row {
    id: &'static str,
    name: &'static str,
    kind: ProviderKind,
    base_url: &'static str,
    key_url: Option<&'static str>,
    models: &'static [Known],
}

/// A model: id, name, thousands of tokens that fit (0: not known for sure), US cents for a million
/// tokens in and out.
struct Known(&'static str, &'static str, u32, i64, i64);

const ROWS: [Row; 7] = [
    Row {
        id: "openai",
        name: "OpenAI",
        kind: ProviderKind::Openai,
        base_url: "https://api.openai.com/v1",
        key_url: Some("https://platform.openai.com/api-keys"),
        models: &[
            Known("gpt-5.5", "GPT-5.5", 1_000, 500, 3_000),
            Known("gpt-5.4", "GPT-5.4", 0, 250, 1_500),
            Known("gpt-5.4-mini", "GPT-5.4 mini", 0, 75, 450),
            Known("gpt-5.4-nano", "GPT-5.4 nano", 0, 20, 125),
            Known("gpt-4.1", "GPT-4.1", 1_000, 200, 800),
        ],
    },
    Row {
        id: "anthropic",
        name: "Anthropic",
        kind: ProviderKind::Anthropic,
        base_url: "https://api.anthropic.com",
        key_url: Some("https://console.anthropic.com/settings/keys"),
        models: &[
            Known("claude-opus-5-5", "Claude Opus 5.5", 1_000, 400, 2_000),
            Known("claude-sonnet-5", "Claude Sonnet 5", 1_000, 200, 1_000),
            Known("claude-haiku-4-5", "Claude Haiku 4.5", 200, 100, 500),
        ],
    },
    Row {
        id: "groq",
        name: "Groq",
        kind: ProviderKind::Openai,
        base_url: "https://api.groq.com/openai/v1",
        key_url: Some("https://console.groq.com/keys"),
        models: &[
            Known("openai/gpt-oss-120b", "GPT-OSS 120B", 131, 15, 60),
            Known("llama-3.3-70b-versatile", "Llama 3.3 70B", 131, 59, 79),
        ],
    },
    Row {
        id: "openrouter",
        name: "OpenRouter",
        kind: ProviderKind::Openai,
        base_url: "https://openrouter.ai/api/v1",
        key_url: Some("https://openrouter.ai/settings/keys"),
        // Hundreds, with their prices, are in its own list.
        models: &[],
    },
    Row {
        id: "ollama",
        name: "Ollama",
        kind: ProviderKind::Openai,
        base_url: "http://127.0.0.1:11434/v1",
        key_url: None,
        models: &[],
    },
    Row {
        id: "lm-studio",
        name: "LM Studio",
        kind: ProviderKind::Openai,
        base_url: "http://127.0.0.1:1234/v1",
        key_url: None,
        models: &[],
    },
    Row {
        id: "llama-cpp",
        name: "llama.cpp server",
        kind: ProviderKind::Openai,
        base_url: "http://127.0.0.1:8080/v1",
        key_url: None,
        models: &[],
    },
];

/// All of them, in the order in which they are offered.
pub fn presets() -> Vec<Preset> {
    ROWS.iter().map(Row::preset).collect()
}

impl Row {
    fn preset(&self) -> Preset {
        Preset {
            config: ProviderConfig {
                id: self.id.to_owned(),
                kind: self.kind,
                name: self.name.to_owned(),
                base_url: self.base_url.to_owned(),
                ca_file: None,
                models: self.models.iter().map(Known::info).collect(),
            },
            needs_key: self.key_url.is_some(),
            key_url: self.key_url,
        }
    }

    fn is_at(&self, host: &str) -> bool {
        url::Url::parse(self.base_url).is_ok_and(|url| url.host_str() == Some(host))
    }
}

impl Known {
    fn info(&self) -> ModelInfo {
        let micros = |cents: i64| Some(cents * 10_000);
        ModelInfo {
            id: self.0.to_owned(),
            name: self.1.to_owned(),
            context_tokens: (self.2 > 0).then(|| self.2 * 1_000),
            price_in_micros: micros(self.3),
            price_out_micros: micros(self.4),
        }
    }
}

/// A model as a server at `host` lists it, with what it left out.
pub(crate) fn completed(host: &str, model: ModelInfo) -> ModelInfo {
    let row = ROWS.iter().find(|row| row.is_at(host));
    let id = undated(&model.id);
    let Some(known) = row.and_then(|row| row.models.iter().find(|known| known.0 == id)) else {
        return model;
    };
    let known = known.info();
    ModelInfo {
        name: if model.name.is_empty() { known.name } else { model.name },
        context_tokens: model.context_tokens.or(known.context_tokens),
        price_in_micros: model.price_in_micros.or(known.price_in_micros),
        price_out_micros: model.price_out_micros.or(known.price_out_micros),
        id: model.id,
    }
}

/// The id without the day of its release: `claude-haiku-4-5-20251001`, `gpt-4.1-2025-04-14`.
fn undated(id: &str) -> Cow<'_, str> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = id.split('-').collect();
    let kept = match parts.as_slice() {
        [kept @ .., y, m, d]
            if digits(y) && digits(m) && digits(d) && (y.len(), m.len(), d.len()) == (4, 2, 2) =>
        {
            kept
        }
        [kept @ .., day] if digits(day) && day.len() == 8 => kept,
        _ => return Cow::Borrowed(id),
    };
    Cow::Owned(kept.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::base_url::BaseUrl;

    #[test]
    fn every_preset_can_be_asked_and_named() {
        for preset in presets() {
            let config = &preset.config;
            assert!(BaseUrl::parse(&config.base_url, config.kind).is_ok(), "{}", config.id);
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(config.id.chars().all(fits) && !config.name.is_empty(), "{}", config.id);
            assert_eq!(preset.needs_key, preset.key_url.is_some());
        }
    }

    #[test]
    fn what_a_server_leaves_out_is_filled_in_for_dated_ids_too() {
        let listed = ModelInfo { id: "claude-haiku-4-5-20251001".into(), ..ModelInfo::default() };
        let model = completed("api.anthropic.com", listed);
        assert_eq!(model.id, "claude-haiku-4-5-20251001");
        assert_eq!(model.price_in_micros, Some(1_000_000));
        assert_eq!(undated("gpt-4.1-2025-04-14"), "gpt-4.1");
        assert_eq!(undated("llama-3.3-70b-versatile"), "llama-3.3-70b-versatile");
    }

    #[test]
    fn prices_of_one_provider_are_not_anothers() {
        let listed = ModelInfo { id: "gpt-5.4".into(), ..ModelInfo::default() };
        assert_eq!(completed("example.com", listed).price_in_micros, None);
    }
}
