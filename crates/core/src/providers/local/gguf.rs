//! Reads and checks a GGUF file's header before llama.cpp sees it.
//!
//! llama.cpp trusts what it loads further than we do: some malformed headers end the process by an
//! assertion. So every count, length and offset is checked here first against the file's size, and
//! the few values that llama.cpp asserts on are checked too. Nothing is believed and nothing is
//! allocated by a count that the file merely claims: texts that are not needed are skipped, and
//! what is kept has a limit. The format is ggml's `docs/gguf.md`, versions 2 and 3.

mod architecture;
mod header;
mod quantisation;
mod vocabulary;

#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::error::{Code, Failure};

use header::{Header, Reader};

/// What a model's header tells, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct GgufInfo {
    /// The model's own name, where it has one.
    pub name: Option<String>,
    /// What kind of network it is, such as `llama` or `qwen3`.
    pub architecture: String,
    /// How many tokens it was trained to read.
    pub context_tokens: u32,
    /// Whether it tells how a conversation is written down for it.
    pub has_chat_template: bool,
    /// How its weights are stored, such as `Q4_K_M`.
    pub quantisation: String,
    /// How many weights it has.
    pub parameters: u64,
    /// How many tokens it knows.
    pub vocabulary: u64,
    /// Memory that one token of context takes, at 16 bits a value.
    pub context_bytes_per_token: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Why a file cannot be run as a model.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Io(#[from] io::Error),
    /// It does not begin as a model does.
    #[error("not a GGUF file")]
    NotAModel,
    /// It begins well and ends too early.
    #[error("truncated: {have} of {need} bytes")]
    Truncated {
        /// Bytes that are here.
        have: u64,
        /// Bytes that its header asks for; at least so many where the header itself is cut.
        need: u64,
    },
    /// A version of the format that llama.cpp does not read.
    #[error("GGUF version {0}")]
    Version(u32),
    /// A kind of network that llama.cpp does not know, or none that answers in words.
    #[error("architecture {0:?}")]
    Architecture(String),
    /// One of several files that only together are a model.
    #[error("one part of several")]
    Part,
    /// The header contradicts itself or asks for the impossible.
    #[error("malformed: {0}")]
    Malformed(&'static str),
}

impl GgufInfo {
    /// Reads and checks the file's header. The weights themselves are not read.
    pub fn read(path: &Path) -> Result<Self, GgufError> {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(GgufError::NotAModel);
        }
        Self::parse(BufReader::with_capacity(1 << 16, file), meta.len())
    }

    fn parse(source: impl io::Read + io::Seek, bytes: u64) -> Result<Self, GgufError> {
        Header::read(&mut Reader::new(source, bytes))?.check()
    }
}

impl GgufError {
    /// What a person is told about the file that they see as `name`.
    pub fn failure(&self, name: &str) -> Failure {
        let other = "Choose another file, or a model from the list.";
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                Failure::new(Code::ModelMissing, format!("The model's file {name} is not there."))
                    .hint("Download it again, or choose another model.")
            }
            Self::Io(error) => Failure::new(
                Code::ModelMissing,
                format!("The model's file {name} cannot be read: {}.", error.kind()),
            )
            .hint("Check the file's permissions, or choose another model."),
            Self::NotAModel => {
                invalid(format!("{name} is no model: it is not a GGUF file.")).hint(other)
            }
            Self::Truncated { have, need } => invalid(format!(
                "{name} is not complete: {} of {} are here.",
                super::megabytes(*have),
                super::megabytes(*need)
            ))
            .hint("Download it again."),
            Self::Version(version) => {
                invalid(format!("{name} has a format that cannot be read (GGUF {version})."))
                    .hint(other)
            }
            Self::Architecture(architecture) => invalid(format!(
                "{name} is a model of the kind \u{201c}{architecture}\u{201d}, which cannot chat here."
            ))
            .hint(other),
            Self::Part => {
                invalid(format!("{name} is one part of a model in several files."))
                    .hint("Choose a model in a single file.")
            }
            Self::Malformed(_) => {
                invalid(format!("{name} is damaged, or was made to do harm. It was not loaded."))
                    .hint(other)
            }
        }
    }
}

fn invalid(message: String) -> Failure {
    Failure::new(Code::ModelInvalid, message)
}
