//! The local model through the provider, against llama.cpp called directly.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use futures::StreamExt;
use tidemark_core::model::Role;
use tidemark_core::providers::local::{LocalModels, LocalOptions, LocalProvider, direct_speed};
use tidemark_core::providers::{Ask, Piece, Provider, Turn};
use tokio_util::sync::CancellationToken;

use crate::figure::{Figure, Target};
use crate::samples::median;

const QUESTION: &str = "Tell me a long story about the sea and the people who live by it.";
/// Tokens that each of the two writes.
const TOKENS: u32 = 96;
/// Pairs, one after the other.
const PAIRS: usize = 5;

/// Tokens a second that one thread should write with the model of a fresh installation. Without the
/// processor's vector instructions it writes 13, with them 65 (docs/decisions/0002).
const QUICK: f64 = 30.0;

/// Tokens a second of both, in turn: their ratio, and the speed itself, for a llama.cpp that was
/// built wrongly slows both sides and leaves the ratio as it is.
pub(crate) fn measure(model: &Path) -> anyhow::Result<[Figure; 2]> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let models = LocalModels::new(folder.path().into(), Vec::new(), Vec::new());
    let id = models.add(model)?.id;
    let options = LocalOptions { seed: Some(7), ..LocalOptions::default() };
    let provider = LocalProvider::new(models, options);
    // The first question loads the model.
    runtime.block_on(ours(&*provider, &id))?;
    let (mut speeds, mut directly, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let direct = its(model)?;
        let through = runtime.block_on(ours(&*provider, &id))?;
        ratios.push(through / direct);
        speeds.push(through);
        directly.push(direct);
    }
    provider.shutdown();
    let beside = format!(
        "{:.0} tokens/s; llama.cpp directly {:.0}; median of {PAIRS} pairs of {TOKENS} tokens ({:.2}–{:.2})",
        median(&speeds),
        median(&directly),
        ratios.iter().copied().fold(f64::INFINITY, f64::min),
        ratios.iter().copied().fold(0.0, f64::max),
    );
    Ok([
        Figure::new(
            "local model's tokens/s, against llama.cpp called directly",
            median(&ratios),
            "×",
            Target::AtLeast(0.9),
            beside,
        ),
        Figure::new("local model's speed", median(&speeds), "tokens/s", Target::AtLeast(QUICK), ""),
    ])
}

fn its(model: &Path) -> anyhow::Result<f64> {
    let prompt = format!("<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n");
    let direct = direct_speed(model, &prompt, TOKENS as usize)?;
    Ok(direct.tokens_out as f64 / direct.writing.as_secs_f64())
}

/// From the first piece of text to the end.
async fn ours(provider: &LocalProvider, model: &str) -> anyhow::Result<f64> {
    let turn = Turn { role: Role::User, content: QUESTION.to_owned() };
    let ask = Ask {
        model: model.to_owned(),
        system: None,
        turns: vec![turn],
        prefill: None,
        max_tokens: Some(TOKENS),
        temperature: None,
    };
    let mut answer = provider.ask(ask, CancellationToken::new());
    let (mut first, mut tokens) = (None, 0);
    while let Some(piece) = answer.next().await {
        match piece? {
            Piece::Text(_) => drop(first.get_or_insert_with(Instant::now)),
            Piece::Usage { tokens_out, .. } => tokens = tokens_out.unwrap_or(tokens),
            Piece::End(_) => {}
        }
    }
    let took = first.context("the model wrote nothing")?.elapsed();
    ensure!(tokens > TOKENS / 2, "the answer ended after {tokens} tokens");
    Ok(f64::from(tokens - 1) / took.as_secs_f64())
}
