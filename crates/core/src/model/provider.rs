//! Providers and models, as a person configures and names them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A model at a provider, written `provider/model`: `local/smollm2-135m-instruct`, `groq/llama-4`.
///
/// The provider's id has no slash; the model's may have (`openrouter/meta-llama/llama-4`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct ModelRef(pub String);

impl ModelRef {
    /// Joins a provider's id and a model's.
    pub fn new(provider: &str, model: &str) -> Self {
        Self(format!("{provider}/{model}"))
    }

    /// The provider's id: all before the first slash.
    pub fn provider(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(provider, _)| provider)
    }

    /// The model's id at that provider; empty where there is no slash.
    pub fn model(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, model)| model)
    }
}

impl std::fmt::Display for ModelRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// llama.cpp inside this process.
    Local,
    /// Any endpoint that speaks OpenAI's chat completions.
    Openai,
    /// Anthropic's messages API.
    Anthropic,
}

/// A provider as it stands in the settings. Its key is in the keyring, never here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ProviderConfig {
    /// Short and stable, `[a-z0-9-]+`: the first part of a [`ModelRef`].
    pub id: String,
    /// How it is spoken to.
    pub kind: ProviderKind,
    /// What a person calls it.
    pub name: String,
    /// Where it is, such as `https://api.openai.com/v1`; empty for `local`.
    #[serde(default)]
    pub base_url: String,
    /// A file of PEM certificates to trust beside the system's.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// The models that are offered.
    #[serde(default)]
    pub models: Vec<ModelInfo>,
}

/// A model that a provider offers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelInfo {
    /// The id that the provider knows.
    pub id: String,
    /// What a person reads; the id where it is empty.
    #[serde(default)]
    pub name: String,
    /// How many tokens fit, prompt and answer together.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub context_tokens: Option<u32>,
    /// Price of a million prompt tokens, in millionths of a US dollar.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub price_in_micros: Option<i64>,
    /// Price of a million answer tokens, in millionths of a US dollar.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub price_out_micros: Option<i64>,
}
