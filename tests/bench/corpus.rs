//! Conversations that nobody had: the same for every run, with the word frequencies of prose.
//!
//! Half of the words are the commonest of English in about their real shares, the others are made
//! of syllables and follow Zipf's law; questions are short and answers long. A few words are
//! planted, so that a search for them finds what it must.

use tidemark_core::model::{
    ConversationId, Message, MessageId, MessageState, ModelRef, Role, Timestamp,
};
use uuid::Uuid;

/// In one message of ten thousand.
pub(crate) const RARE: &str = "zyxomorphin";
/// In one message of a hundred.
pub(crate) const MEDIUM: &str = "colchicine";

/// When the first message was written.
const BEGAN_MS: i64 = 1_760_000_000_000;
/// Made words.
const WORDS: usize = 20_000;

/// Writes messages one after the other.
#[derive(Debug)]
pub(crate) struct Corpus {
    words: Vec<String>,
    state: u64,
    written: i64,
    bytes: usize,
}

impl Corpus {
    /// The beginning.
    pub(crate) fn new() -> Self {
        let mut corpus = Self { words: Vec::new(), state: 0x5eed, written: 0, bytes: 0 };
        corpus.words = (0..WORDS).map(|_| corpus.word()).collect();
        corpus
    }

    /// The next `count` messages of a conversation, below `parent`.
    pub(crate) fn messages(
        &mut self,
        conversation_id: ConversationId,
        mut parent_id: Option<MessageId>,
        count: usize,
    ) -> Vec<Message> {
        let mut messages = Vec::with_capacity(count);
        for _ in 0..count {
            let message = self.message(conversation_id, parent_id);
            parent_id = Some(message.id);
            messages.push(message);
        }
        messages
    }

    /// Characters in a message, on average.
    pub(crate) fn mean_chars(&self) -> usize {
        self.bytes / self.written.max(1) as usize
    }

    fn message(
        &mut self,
        conversation_id: ConversationId,
        parent_id: Option<MessageId>,
    ) -> Message {
        let n = self.written;
        self.written += 1;
        let at = Timestamp(BEGAN_MS + n * 20_000);
        let question = n % 2 == 0;
        let content = self.text(n, if question { 6..30 } else { 30..120 });
        self.bytes += content.len();
        let id =
            uuid::Builder::from_unix_timestamp_millis(at.0.unsigned_abs(), &self.random_bytes());
        Message {
            id: MessageId(id.into_uuid()),
            conversation_id,
            parent_id,
            continues_id: None,
            role: if question { Role::User } else { Role::Assistant },
            content,
            content_raw: None,
            parts: Vec::new(),
            model: (!question).then(|| ModelRef("local/SmolLM2-135M-Instruct.Q4_1".into())),
            state: MessageState::Done,
            tokens_in: (!question).then_some(180),
            tokens_out: (!question).then_some(120),
            first_token_ms: (!question).then_some(310),
            cost_micros: None,
            metadata: None,
            device_id: None,
            created_at: at,
            updated_at: at,
            finished_at: Some(at),
        }
    }

    /// Sentences, with the planted words where they belong.
    fn text(&mut self, n: i64, words: std::ops::Range<u64>) -> String {
        let count = words.start + self.below(words.end - words.start);
        let mut text = String::new();
        for at in 0..count {
            if at > 0 {
                text.push_str(if at % 14 == 0 { ". " } else { " " });
            }
            let word = self.pick();
            text.push_str(&word);
        }
        if n % 100 == 50 {
            text.push_str(&format!(" {MEDIUM} 0.5 mg"));
        }
        if n % 10_000 == 5_000 {
            text.push_str(&format!(" {RARE}"));
        }
        text + "."
    }

    fn pick(&mut self) -> String {
        if self.below(2) == 0 {
            return COMMON[self.below(COMMON.len() as u64) as usize].to_owned();
        }
        // Zipf's law: a rank's share falls with the rank.
        let unit = self.below(1 << 30) as f64 / (1u64 << 30) as f64;
        let rank = (WORDS as f64).powf(unit) as usize;
        self.words[rank.min(WORDS - 1)].clone()
    }

    fn word(&mut self) -> String {
        let syllables = 2 + self.below(3);
        (0..syllables).map(|_| SYLLABLES[self.below(SYLLABLES.len() as u64) as usize]).collect()
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn random_bytes(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next().to_le_bytes()[..2]);
        bytes
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An id for a conversation.
    pub(crate) fn conversation_id(&mut self) -> ConversationId {
        let ms = (BEGAN_MS + self.written * 20_000).unsigned_abs();
        let id: Uuid =
            uuid::Builder::from_unix_timestamp_millis(ms, &self.random_bytes()).into_uuid();
        ConversationId(id)
    }
}

/// Some stand here more than once: their share of a text is larger.
const COMMON: [&str; 40] = [
    "the", "the", "the", "the", "the", "of", "of", "of", "and", "and", "and", "to", "to", "a", "a",
    "in", "in", "is", "is", "it", "that", "for", "with", "as", "on", "be", "this", "by", "are",
    "or", "from", "at", "not", "an", "which", "dose", "patient", "what", "can", "may",
];

const SYLLABLES: [&str; 40] = [
    "pro", "pra", "no", "lol", "war", "fa", "rin", "mi", "da", "zo", "lam", "cy", "to", "chro",
    "me", "ke", "ta", "con", "ne", "ri", "fam", "pi", "cin", "ve", "ra", "pa", "mil", "dil", "ti",
    "ser", "tra", "line", "phen", "yl", "car", "ba", "ma", "ze", "pine", "ol",
];
