//! What the server is told to do, and what it remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What to do with each question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// The first that fits decides.
    pub rules: Vec<Rule>,
    /// What happens where no rule fits.
    pub otherwise: Reply,
    /// The models that it lists.
    pub models: Vec<String>,
    /// The key that it asks for; none lets everybody in.
    pub key: Option<String>,
    /// Whether a network's sign-in page answers in its place, whatever is asked.
    pub portal: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            otherwise: Reply::answer("You said: {said}"),
            models: vec!["test-model".to_owned()],
            key: None,
            portal: false,
        }
    }
}

impl Script {
    /// Every question is answered in this way.
    pub fn always(reply: Reply) -> Self {
        Self { otherwise: reply, ..Self::default() }
    }

    /// These replies in turn, then `otherwise`.
    pub fn in_turn(replies: impl IntoIterator<Item = Reply>, otherwise: Reply) -> Self {
        let once = |reply| Rule { contains: None, times: Some(1), reply };
        Self { rules: replies.into_iter().map(once).collect(), otherwise, ..Self::default() }
    }
}

/// A reply to some questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Fits where the request's body contains this; none fits always.
    #[serde(default)]
    pub contains: Option<String>,
    /// Fits so many times; none fits for ever.
    #[serde(default)]
    pub times: Option<u32>,
    /// What to do then.
    pub reply: Reply,
}

/// What to do with one question. `{said}` in a text becomes the person's last turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// Answers word by word.
    Answer {
        /// The answer.
        text: String,
        /// How fast; none means at once.
        #[serde(default)]
        words_per_second: Option<f64>,
        /// The reason of the end, in the provider's own word; none is the usual one.
        #[serde(default)]
        finish: Option<String>,
    },
    /// Answers as one JSON document, although a stream was asked for.
    Whole {
        /// The answer.
        text: String,
    },
    /// Answers with a status, and no stream.
    Status {
        /// Such as 429.
        status: u16,
        /// Such as `retry-after`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Verbatim.
        #[serde(default)]
        body: String,
    },
    /// A web page with status 200, as a network's sign-in has it.
    Html,
    /// Begins to answer, then an error event of this type comes.
    ErrorEvent {
        /// What comes before.
        text: String,
        /// Such as `overloaded_error`.
        error: String,
    },
    /// Begins to answer and stops in the middle for ever.
    Stall {
        /// What comes before.
        text: String,
    },
    /// Begins to answer and closes the connection inside a line.
    Cut {
        /// What comes before.
        text: String,
    },
    /// Begins to answer, then sends half a JSON document as a whole event, and ends in order.
    HalfJson {
        /// What comes before.
        text: String,
    },
    /// Answers byte by byte.
    Drip {
        /// The answer.
        text: String,
        /// Between two bytes.
        byte_ms: u64,
    },
    /// Answers with so many bytes of text in pieces of 64 KiB.
    Flood {
        /// How many.
        bytes: usize,
    },
    /// Sends these pieces as they are, with status 200.
    Raw {
        /// The type that it claims.
        content_type: String,
        /// Verbatim, flushed one by one.
        pieces: Vec<String>,
        /// What comes after them.
        then: Then,
    },
    /// Reads the question and never answers.
    Silence,
    /// Reads the question and closes the connection.
    Close,
}

/// What comes after the pieces of [`Reply::Raw`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The body ends in order.
    End,
    /// The connection is cut.
    Cut,
    /// Nothing, for ever.
    Stall,
}

impl Reply {
    /// An answer at once.
    pub fn answer(text: &str) -> Self {
        Self::Answer { text: text.to_owned(), words_per_second: None, finish: None }
    }

    /// A status with a body and no headers.
    pub fn status(status: u16, body: &str) -> Self {
        Self::Status { status, headers: BTreeMap::new(), body: body.to_owned() }
    }
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// `POST` or `GET`.
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON; null where there is none.
    pub body: serde_json::Value,
}

impl Received {
    /// The person's last turn.
    pub fn said(&self) -> &str {
        let turns = self.body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        let mut persons = turns.iter().rev().filter(|turn| turn["role"] == "user");
        persons.next().and_then(|turn| turn["content"].as_str()).unwrap_or_default()
    }
}
