//! The model inside the app: llama.cpp in this process, and the models on this computer.
//!
//! - [`catalogue`] names the models that we offer; [`LocalModels`] knows which are here.
//! - [`Downloads`] fetches one, resumably, and checks its hash.
//! - [`GgufInfo`] checks a file before llama.cpp sees it; [`MemoryFit`] whether it fits.
//! - [`LocalProvider`] asks it. Only this part needs the feature `local`; without it every
//!   question is answered with "This build has no local models".
//!
//! Nothing here asks the network unless a download was started.

pub mod catalogue;
mod download;
mod gguf;
#[cfg(feature = "local")]
mod llama;
#[cfg_attr(not(feature = "local"), allow(dead_code))]
mod memory;
#[cfg(not(feature = "local"))]
mod none;
mod store;
#[cfg(any(feature = "local", test))]
mod text;
mod verified;

use std::time::Duration;

pub use download::{DownloadOptions, Downloads};
pub use gguf::{GgufError, GgufInfo};
#[cfg(feature = "local")]
pub use llama::{DirectSpeed, LocalProvider, direct_speed};
pub use memory::MemoryFit;
#[cfg(not(feature = "local"))]
pub use none::LocalProvider;
pub use store::{AddedModel, CheckedModel, LocalModels};

/// The local provider's id, the first part of its models' [`crate::model::ModelRef`].
pub const LOCAL: &str = "local";

/// How the local model is run.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalOptions {
    /// A model that was not asked for so long is unloaded.
    pub idle: Duration,
    /// The most tokens of prompt and answer together; a model trained for fewer gets fewer.
    pub context_tokens: u32,
    /// Threads that compute; none means one for each physical core but one.
    pub threads: Option<i32>,
    /// Makes answers repeatable; none draws a new one for each answer.
    pub seed: Option<u32>,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { idle: Duration::from_secs(15 * 60), context_tokens: 4096, threads: None, seed: None }
    }
}

/// A size as people read it: `98 MB`, `1.1 GB`.
fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
