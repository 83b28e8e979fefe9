//! A loaded model that answers, and remembers what it has read.

use std::time::{Duration, Instant};

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::session::LlamaStateSeqFlags;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use tokio_util::sync::CancellationToken;

use super::super::memory::{self, MemoryFit};
use super::super::text::Characters;
use super::prompt::{Prompt, Writer};
use super::worker::{BATCH, FIRST_CONTEXT, Loaded, Question, Worker, backend};
use crate::error::{Code, Failure};
use crate::providers::{Ask, EndReason, Piece};

/// The only sequence that our contexts have.
const SEQUENCE: u32 = 0;
/// Reading is looked up from this often, to see whether it should stop.
const STEP: Duration = Duration::from_millis(150);
/// The most tokens that are read in one step.
const LONGEST_STEP: usize = 256;
/// Room that is kept for an answer of no given length, when it is decided what is left out.
const ANSWER: u32 = 512;
/// Room that the context has for an answer that begins; a longer one makes it grow.
const FIRST_WORDS: u32 = 64;
/// How creative an answer is, unless the question says.
const TEMPERATURE: f32 = 0.6;

/// A model with its context.
pub(super) struct Session<'a> {
    worker: &'a Worker,
    loaded: &'a Loaded,
    context: LlamaContext<'a>,
    writer: Writer<'a>,
    /// How many tokens the context holds now.
    size: u32,
    /// How many it may ever hold.
    most: u32,
    /// The tokens that it has read, in order.
    read: Vec<LlamaToken>,
}

/// Why no more is read or written.
enum Halt {
    Stopped,
    Failed(Failure),
}

impl<'a> Session<'a> {
    /// A context for the model, small at first.
    pub(super) fn start(worker: &'a Worker, loaded: &'a Loaded) -> Result<Self, Failure> {
        let most = worker.context_tokens(&loaded.file);
        let size = most.min(FIRST_CONTEXT);
        Ok(Self {
            worker,
            loaded,
            context: new_context(worker, loaded, size)?,
            writer: Writer::of(&loaded.model),
            size,
            most,
            read: Vec::new(),
        })
    }

    /// The model's id.
    pub(super) fn id(&self) -> &str {
        &self.loaded.file.id
    }

    /// Answers one question. A stopped one ends without [`Piece::End`].
    pub(super) fn answer(
        &mut self,
        question: &Question,
        closing: &CancellationToken,
    ) -> Result<(), Failure> {
        let stopped = || question.is_over() || closing.is_cancelled();
        let room = question.ask.max_tokens.unwrap_or(ANSWER).clamp(1, self.most / 4);
        let prompt = self.writer.write(&question.ask, (self.most - room) as usize)?;
        let usage = |tokens_out| Piece::Usage {
            tokens_in: u32::try_from(prompt.tokens.len()).ok(),
            tokens_out: Some(tokens_out),
        };
        let told = self.read_prompt(&prompt, room, &stopped);
        question.tell(usage(0));
        let mut written = 0;
        let told = told.and_then(|()| self.write_answer(question, &prompt, &stopped, &mut written));
        question.tell(usage(written));
        match told {
            Ok(reason) => question.tell(Piece::End(reason)),
            Err(Halt::Stopped) => {}
            Err(Halt::Failed(failure)) => return Err(failure),
        }
        Ok(())
    }

    /// Reads the prompt, except for the beginning that was read before.
    fn read_prompt(
        &mut self,
        prompt: &Prompt,
        room: u32,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(), Halt> {
        let known = self.read.iter().zip(&prompt.tokens).take_while(|(a, b)| a == b).count();
        // The last token is always read again: its scores are what the answer begins with.
        let known = known.min(prompt.tokens.len() - 1);
        self.forget_after(known);
        let begun = u32::try_from(prompt.tokens.len()).unwrap_or(u32::MAX);
        let need = begun.saturating_add(room.min(FIRST_WORDS));
        self.grow(need.min(self.most)).map_err(Halt::Failed)?;
        let mut step = BATCH as usize;
        let begun = Instant::now();
        let known = self.read.len();
        while self.read.len() < prompt.tokens.len() {
            if stopped() {
                return Err(Halt::Stopped);
            }
            let end = prompt.tokens.len().min(self.read.len() + step);
            let begun = Instant::now();
            self.decode(&prompt.tokens[self.read.len()..end])?;
            step = match begun.elapsed() {
                slow if slow > STEP * 2 => (step / 2).max(8),
                quick if quick < STEP => (step * 2).min(LONGEST_STEP),
                _ => step,
            };
        }
        let tokens = prompt.tokens.len();
        tracing::debug!(tokens, known, took = ?begun.elapsed(), "read the prompt");
        Ok(())
    }

    fn write_answer(
        &mut self,
        question: &Question,
        prompt: &Prompt,
        stopped: &dyn Fn() -> bool,
        written: &mut u32,
    ) -> Result<EndReason, Halt> {
        let mut sampler = self.sampler(&question.ask);
        let mut characters = Characters::default();
        let mut spaces = prompt.spaces;
        loop {
            if stopped() {
                return Err(Halt::Stopped);
            }
            let token = sampler.sample(&self.context, -1);
            if self.loaded.model.vocab().is_eog(token) {
                return Ok(EndReason::Complete);
            }
            *written += 1;
            let bytes = self.loaded.model.vocab().token_to_piece(token, false, None);
            let text = characters.push(&bytes);
            let text = without_first_spaces(&text, &mut spaces);
            if !text.is_empty() {
                question.tell(Piece::Text(text.to_owned()));
            }
            if question.ask.max_tokens.is_some_and(|most| *written >= most) || !self.has_room() {
                return Ok(EndReason::Length);
            }
            self.decode(&[token])?;
        }
    }

    /// Makes room for one more token, if there can be more.
    fn has_room(&mut self) -> bool {
        let need = u32::try_from(self.read.len()).unwrap_or(u32::MAX).saturating_add(1);
        need <= self.size || (need <= self.most && self.grow(need).is_ok())
    }

    /// Reads tokens; the scores of the last one are kept.
    fn decode(&mut self, tokens: &[LlamaToken]) -> Result<(), Halt> {
        let mut batch = LlamaBatch::new(tokens.len(), 1);
        for (n, token) in tokens.iter().enumerate() {
            let position = i32::try_from(self.read.len() + n).expect("contexts are smaller");
            let last = n + 1 == tokens.len();
            batch.add(*token, position, &[SEQUENCE as i32], last).expect("the batch has room");
        }
        if let Err(error) = self.context.decode(&mut batch) {
            tracing::error!(%error, "llama.cpp failed");
            // Half of it may have been read.
            self.context.clear_kv_cache();
            self.read.clear();
            return Err(Halt::Failed(
                Failure::new(Code::Internal, "The local model failed. Your message is saved.")
                    .hint("Try again, or choose another model."),
            ));
        }
        self.read.extend_from_slice(tokens);
        Ok(())
    }

    fn forget_after(&mut self, known: usize) {
        let from = u32::try_from(known).unwrap_or(0);
        self.read.truncate(known);
        // Networks that remember one state, not every token, can only forget all.
        if !matches!(self.context.clear_kv_cache_seq(Some(SEQUENCE), Some(from), None), Ok(true)) {
            self.context.clear_kv_cache();
            self.read.clear();
        }
    }

    /// Makes the context hold at least `need` tokens and keeps what it has read.
    fn grow(&mut self, need: u32) -> Result<(), Failure> {
        if need <= self.size {
            return Ok(());
        }
        let size = need.next_power_of_two().clamp(FIRST_CONTEXT, self.most.max(1));
        let per_token = self.loaded.file.info.context_bytes_per_token;
        let needed = per_token.saturating_mul(u64::from(size) + u64::from(self.size));
        MemoryFit { needed, available: memory::available() }.check(&self.loaded.file.name)?;
        let mut context = new_context(self.worker, self.loaded, size)?;
        let state = self.context.state_seq_get(SEQUENCE as i32, LlamaStateSeqFlags::empty());
        let kept = state.and_then(|state| context.state_seq_set(&state, SEQUENCE as i32));
        if let Err(error) = kept {
            tracing::debug!(%error, "what was read is read again");
            context.clear_kv_cache();
            self.read.clear();
        }
        self.context = context;
        self.size = size;
        Ok(())
    }

    /// Small models need a firm hand: few candidates, and a penalty on what they said just now.
    fn sampler(&self, ask: &Ask) -> LlamaSampler {
        let temperature = ask.temperature.filter(|t| t.is_finite()).unwrap_or(TEMPERATURE);
        let penalties = LlamaSampler::penalties(self.loaded.model.n_vocab(), 128, 1.1, 0.0, 0.0);
        if temperature <= 0.0 {
            return LlamaSampler::chain_simple([penalties, LlamaSampler::greedy()]);
        }
        LlamaSampler::chain_simple([
            penalties,
            LlamaSampler::top_k(40),
            LlamaSampler::top_p(0.95, 1),
            LlamaSampler::min_p(0.05, 1),
            LlamaSampler::temp(temperature.min(2.0)),
            LlamaSampler::dist(self.worker.seed()),
        ])
    }
}

fn new_context<'a>(
    worker: &Worker,
    loaded: &'a Loaded,
    size: u32,
) -> Result<LlamaContext<'a>, Failure> {
    loaded.model.new_context(backend()?, worker.context_params(size)).map_err(|error| {
        tracing::warn!(%error, size, "llama.cpp made no context");
        Failure::new(
            Code::OutOfMemory,
            format!("There is not enough memory to run {}.", loaded.file.name),
        )
        .hint("Close other programs, or choose a smaller model.")
    })
}

/// Leaves out as many spaces at the beginning as stand there already.
fn without_first_spaces<'t>(text: &'t str, spaces: &mut usize) -> &'t str {
    let mut text = text;
    while *spaces > 0 && !text.is_empty() {
        match text.strip_prefix(' ') {
            Some(rest) => {
                text = rest;
                *spaces -= 1;
            }
            None => *spaces = 0,
        }
    }
    text
}
