//! llama.cpp called with nothing of ours around it, to measure what we add.

use std::path::Path;
use std::time::{Duration, Instant};

use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::sampling::LlamaSampler;

use super::super::memory;
use super::worker::{backend, context_params};
use crate::error::{Code, Failure};

/// How fast llama.cpp is by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectSpeed {
    /// Tokens of the prompt.
    pub tokens_in: usize,
    /// How long it took to read them.
    pub reading: Duration,
    /// Tokens that were written.
    pub tokens_out: usize,
    /// How long it took to write them.
    pub writing: Duration,
}

/// Reads `prompt` as it stands and writes `tokens_out` tokens, the likeliest each time.
///
/// The context, batch and threads are those of the provider.
pub fn direct_speed(path: &Path, prompt: &str, tokens_out: usize) -> Result<DirectSpeed, Failure> {
    speed(path, prompt, tokens_out).map_err(|error| {
        tracing::warn!(%error, "cannot measure");
        Failure::new(Code::Internal, "llama.cpp cannot be measured with this model.")
    })
}

fn speed(
    path: &Path,
    prompt: &str,
    tokens_out: usize,
) -> Result<DirectSpeed, Box<dyn std::error::Error>> {
    let model = LlamaModel::load_from_file(backend()?, path, &LlamaModelParams::default())?;
    let tokens = model.vocab().tokenize(prompt.as_bytes(), true, true);
    let size = u32::try_from((tokens.len() + tokens_out + 1).next_multiple_of(1024))?;
    let mut context = model.new_context(backend()?, context_params(size, memory::threads()))?;
    let begun = Instant::now();
    for (n, part) in tokens.chunks(256).enumerate() {
        let mut batch = LlamaBatch::new(part.len(), 1);
        for (m, token) in part.iter().enumerate() {
            batch.add(*token, i32::try_from(n * 256 + m)?, &[0], m + 1 == part.len())?;
        }
        context.decode(&mut batch)?;
    }
    let reading = begun.elapsed();
    let begun = Instant::now();
    let mut sampler = LlamaSampler::greedy();
    let mut batch = LlamaBatch::new(1, 1);
    for n in 0..tokens_out {
        let token = sampler.sample(&context, -1);
        batch.clear();
        batch.add(token, i32::try_from(tokens.len() + n)?, &[0], true)?;
        context.decode(&mut batch)?;
    }
    let writing = begun.elapsed();
    Ok(DirectSpeed { tokens_in: tokens.len(), reading, tokens_out, writing })
}
