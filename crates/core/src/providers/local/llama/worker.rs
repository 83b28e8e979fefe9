//! The thread that owns the model.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::super::memory::{self, MemoryFit};
use super::super::{CheckedModel, LocalModels, LocalOptions};
use super::session::Session;
use crate::error::{Code, Failure};
use crate::providers::{Ask, Piece, ProviderError};

/// Tokens that llama.cpp takes at once. More would be a little faster for long prompts and costs
/// memory for every one of them (a row of scores over the vocabulary).
pub(super) const BATCH: u32 = 64;
/// The first context's size; it doubles when a conversation needs more. Its memory is taken at once
/// (SmolLM2-135M: 23 kB a token), so a short conversation should not pay for a long one.
pub(super) const FIRST_CONTEXT: u32 = 256;

/// What the thread is told.
pub(super) enum Job {
    /// Answer this.
    Ask(Box<Question>),
    /// Let go of the model.
    Unload,
}

/// A question that waits for its turn.
pub(super) struct Question {
    pub(super) ask: Ask,
    pub(super) stop: CancellationToken,
    pub(super) pieces: UnboundedSender<Result<Piece, ProviderError>>,
    pub(super) begun: Arc<AtomicBool>,
}

impl Question {
    /// Whether nobody waits for the rest.
    pub(super) fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.pieces.is_closed()
    }

    pub(super) fn tell(&self, piece: Piece) {
        let _ = self.pieces.send(Ok(piece));
    }

    fn fail(&self, failure: Failure) {
        let _ = self.pieces.send(Err(ProviderError::NeedsYou(failure)));
    }
}

/// Serves questions until its provider closes.
pub(super) struct Worker {
    models: Arc<LocalModels>,
    options: LocalOptions,
    closing: CancellationToken,
}

impl Worker {
    pub(super) fn new(
        models: Arc<LocalModels>,
        options: LocalOptions,
        closing: CancellationToken,
    ) -> Self {
        Self { models, options, closing }
    }

    /// Loads the model that is asked, serves it while it is asked, lets it go.
    pub(super) fn run(&self, jobs: &Receiver<Job>) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
            if let Job::Ask(question) = job {
                next = self.load_and_serve(*question, jobs);
            }
            if self.closing.is_cancelled() {
                return;
            }
        }
    }

    fn load_and_serve(&self, question: Question, jobs: &Receiver<Job>) -> Option<Job> {
        if question.is_over() {
            return None;
        }
        question.begun.store(true, Ordering::SeqCst);
        let loaded = Loaded::open(self, &question);
        match loaded.as_ref().map(|loaded| Session::start(self, loaded)) {
            Ok(Ok(session)) => self.serve(session, question, jobs),
            Ok(Err(failure)) => {
                question.fail(failure);
                None
            }
            Err(failure) => {
                if !question.is_over() {
                    question.fail(failure.clone());
                }
                None
            }
        }
    }

    /// Answers with the loaded model until it is idle, or until a job comes that is not for it.
    fn serve(
        &self,
        mut session: Session<'_>,
        mut question: Question,
        jobs: &Receiver<Job>,
    ) -> Option<Job> {
        loop {
            if let Err(failure) = self.answer(&mut session, &question) {
                question.fail(failure);
            }
            drop(question);
            match jobs.recv_timeout(self.options.idle) {
                Ok(Job::Ask(next)) if next.ask.model == session.id() => question = *next,
                Ok(Job::Ask(next)) => return Some(Job::Ask(next)),
                Ok(Job::Unload)
                | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    tracing::debug!(model = session.id(), "unloading the local model");
                    return None;
                }
            }
            if self.closing.is_cancelled() {
                return None;
            }
        }
    }

    fn answer(&self, session: &mut Session<'_>, question: &Question) -> Result<(), Failure> {
        if question.is_over() {
            return Ok(());
        }
        question.begun.store(true, Ordering::SeqCst);
        session.answer(question, &self.closing)
    }

    /// Parameters of a context for so many tokens.
    pub(super) fn context_params(&self, tokens: u32) -> LlamaContextParams {
        let threads = self.options.threads.unwrap_or_else(memory::threads);
        context_params(tokens, threads)
    }

    pub(super) fn context_tokens(&self, model: &CheckedModel) -> u32 {
        self.options.context_tokens.clamp(256, 1 << 20).min(model.info.context_tokens)
    }

    pub(super) fn seed(&self) -> u32 {
        self.options.seed.unwrap_or_else(|| getrandom::u32().unwrap_or(1))
    }
}

pub(super) fn context_params(tokens: u32, threads: i32) -> LlamaContextParams {
    LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(tokens))
        .with_n_batch(256)
        .with_n_ubatch(BATCH)
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_no_perf(true)
}

/// Whether this processor has what llama.cpp was compiled for.
///
/// Its build uses AVX2 and its companions (docs/decisions/0002-llama-cpp-cpu-features.md), and on
/// an older processor the first step of a model would end the process.
fn processor_suffices() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("fma")
        && std::is_x86_feature_detected!("f16c")
        && std::is_x86_feature_detected!("bmi2");
    #[cfg(not(target_arch = "x86_64"))]
    true
}

/// llama.cpp itself, set up once for the process.
pub(super) fn backend() -> Result<&'static LlamaBackend, Failure> {
    if !processor_suffices() {
        return Err(Failure::new(
            Code::ModelInvalid,
            "This computer's processor is too old for local models (it has no AVX2).",
        )
        .hint("Choose a model of another provider. Everything else works."));
    }
    static BACKEND: OnceLock<Result<LlamaBackend, String>> = OnceLock::new();
    let backend = BACKEND.get_or_init(|| {
        llama_cpp_2::send_logs_to_tracing(llama_cpp_2::LogOptions::default());
        LlamaBackend::init().map_err(|error| error.to_string())
    });
    backend.as_ref().map_err(|error| {
        tracing::error!(%error, "llama.cpp cannot be set up");
        Failure::new(Code::Internal, "The local model cannot be started on this computer.")
            .hint("Choose a model of another provider.")
    })
}

/// A model in memory.
pub(super) struct Loaded {
    pub(super) file: CheckedModel,
    pub(super) model: LlamaModel,
}

impl Loaded {
    /// Checks the file and the memory, then loads. Ends early when nobody waits for it any more.
    fn open(worker: &Worker, question: &Question) -> Result<Self, Failure> {
        let begun = Instant::now();
        let file = worker.models.check(&question.ask.model)?;
        let context = worker.context_tokens(&file).min(FIRST_CONTEXT);
        MemoryFit::of(&file.info, context, BATCH, memory::available()).check(&file.name)?;
        let (stop, closing) = (question.stop.clone(), worker.closing.clone());
        let params = LlamaModelParams::default()
            .with_progress_callback(move |_| !stop.is_cancelled() && !closing.is_cancelled());
        let model =
            LlamaModel::load_from_file(backend()?, &file.path, &params).map_err(|error| {
                tracing::warn!(model = file.id, %error, "llama.cpp did not load the model");
                Failure::new(
                    Code::ModelInvalid,
                    format!("{} cannot be run: its file was not understood.", file.name),
                )
                .hint("Choose another model.")
            })?;
        tracing::debug!(model = file.id, took = ?begun.elapsed(), "loaded the local model");
        Ok(Self { file, model })
    }
}
