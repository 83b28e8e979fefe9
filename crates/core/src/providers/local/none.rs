//! The local provider of a build without llama.cpp.

use std::sync::Arc;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{LocalModels, LocalOptions};
use crate::error::{Code, Failure};
use crate::model::ModelInfo;
use crate::providers::{Answer, Ask, Provider, ProviderError};

/// Says that this build has no local models.
#[derive(Debug)]
pub struct LocalProvider;

impl LocalProvider {
    /// Takes what the real one takes.
    pub fn new(_models: Arc<LocalModels>, _options: LocalOptions) -> Arc<Self> {
        Arc::new(Self)
    }

    /// There is nothing to unload.
    pub fn unload(&self) {}

    /// There is nothing to end.
    pub fn shutdown(&self) {}
}

fn unavailable() -> ProviderError {
    let failure = Failure::new(Code::ModelMissing, "This build has no local models.");
    ProviderError::NeedsYou(failure.hint("Choose a model of another provider."))
}

#[async_trait::async_trait]
impl Provider for LocalProvider {
    fn ask(&self, _ask: Ask, _stop: CancellationToken) -> Answer {
        futures::stream::once(async { Err(unavailable()) }).boxed()
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, ProviderError> {
        Ok(Vec::new())
    }

    async fn reachable(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_build_without_local_models_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let models = LocalModels::new(folder.path().into(), Vec::new(), Vec::new());
        let provider = LocalProvider::new(models, LocalOptions::default());
        let ask = Ask {
            model: "any".into(),
            system: None,
            turns: Vec::new(),
            prefill: None,
            max_tokens: None,
            temperature: None,
        };
        let told = provider.ask(ask, CancellationToken::new()).next().await;
        assert!(matches!(told, Some(Err(ProviderError::NeedsYou(failure)))
            if failure.code == Code::ModelMissing));
    }
}
