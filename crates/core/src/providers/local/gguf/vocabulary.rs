//! Checks on the tokens that a model knows.

use std::hash::{BuildHasher, RandomState};

use super::GgufError;

/// More than any published model has (gemma: 262,144).
const MOST_TOKENS: u64 = 1 << 20;

/// What the lists of the tokenizer claim.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    hashes: Vec<u64>,
    hasher: RandomState,
    /// How many token texts there are.
    pub(super) tokens: Option<u64>,
    /// How many scores.
    pub(super) scores: Option<u64>,
    /// How many token types.
    pub(super) types: Option<u64>,
}

impl Vocabulary {
    /// Begins the list of token texts.
    pub(super) fn begin(&mut self, tokens: u64) -> Result<(), GgufError> {
        if tokens == 0 || tokens > MOST_TOKENS {
            return Err(GgufError::Malformed("number of tokens"));
        }
        self.tokens = Some(tokens);
        Ok(())
    }

    /// Takes the next token's text. Empty ones may repeat: llama.cpp gives them names.
    pub(super) fn push(&mut self, text: &[u8]) {
        if !text.is_empty() {
            self.hashes.push(self.hasher.hash_one(text));
        }
    }

    /// llama.cpp asserts that no two tokens have one text, and that the lists are equally long.
    pub(super) fn check(mut self) -> Result<u64, GgufError> {
        let tokens = self.tokens.ok_or(GgufError::Malformed("no tokens"))?;
        for list in [self.scores, self.types].into_iter().flatten() {
            if list != tokens {
                return Err(GgufError::Malformed("lists of tokens differ in length"));
            }
        }
        self.hashes.sort_unstable();
        if self.hashes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(GgufError::Malformed("two tokens with one text"));
        }
        Ok(tokens)
    }
}
