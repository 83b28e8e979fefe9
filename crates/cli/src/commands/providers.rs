//! Providers and their keys.

use std::io::Read as _;

use tidemark_core::Result;
use tidemark_core::api::{ProviderView, Tidemark};
use tidemark_core::model::{ModelInfo, ProviderConfig, ProviderKind};

use super::text;
use crate::arguments::{AddProvider, Providers};
use crate::output::{Output, Status, internal};

/// The longest key that is read.
const MAX_KEY_BYTES: u64 = 16 * 1024;

/// Runs one of these commands.
pub(super) fn run(core: &Tidemark, command: Providers, output: &Output) -> Result<Status> {
    match command {
        Providers::List => output.print(&core.providers()?, |list| text::providers(list)),
        Providers::Add(provider) => {
            let view = core.save_provider(config(provider))?;
            output.print(&view, |view: &ProviderView| text::providers(std::slice::from_ref(view)))
        }
        Providers::Remove { id } => {
            core.remove_provider(&id)?;
            output.print(&core.providers()?, |list| text::providers(list))
        }
        Providers::Key { id } => {
            // From standard input only: arguments are seen by every process of the computer.
            let mut key = String::new();
            std::io::stdin()
                .take(MAX_KEY_BYTES)
                .read_to_string(&mut key)
                .map_err(|error| internal(&error))?;
            core.set_key(&id, Some(&key))?;
            output.print(&core.providers()?, |list| text::providers(list))
        }
    }
}

fn config(provider: AddProvider) -> ProviderConfig {
    let kind =
        if provider.kind == "anthropic" { ProviderKind::Anthropic } else { ProviderKind::Openai };
    let models =
        provider.models.into_iter().map(|id| ModelInfo { id, ..ModelInfo::default() }).collect();
    ProviderConfig {
        name: provider.name.unwrap_or_else(|| provider.id.clone()),
        id: provider.id,
        kind,
        base_url: provider.base_url,
        ca_file: provider.ca_file,
        models,
    }
}
