//! No key and no question in a failure, a debug print or a log line (H15).

use super::*;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

const QUESTION: &str = "planted-question-of-a-person";

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Replies that repeat everything that they know, as some providers' errors do.
fn talkative() -> Vec<Reply> {
    let error = format!(
        r#"{{"error":{{"message":"bad key {KEY} for {QUESTION}","type":"{KEY}","code":"{KEY}",
            "param":"{QUESTION}"}}}}"#
    );
    let mut replies: Vec<Reply> =
        [400, 401, 403, 404, 413, 429, 500, 529].map(|status| Reply::status(status, &error)).into();
    replies.extend([
        Reply::status(302, KEY),
        Reply::status(200, &error),
        Reply::ErrorEvent { text: String::new(), error: format!("{KEY}{QUESTION}") },
        Reply::ErrorEvent { text: "x".to_owned(), error: format!("{KEY}{QUESTION}") },
        Reply::Cut { text: "x".to_owned() },
        Reply::Silence,
        Reply::Close,
        Reply::Html,
    ]);
    replies
}

#[tokio::test]
async fn neither_the_key_nor_the_question_is_told_to_anybody_else() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    let mut told = String::new();
    for kind in BOTH {
        for reply in talkative() {
            let server = ModelServer::start(Script::always(reply));
            let provider = impatient(kind, &server);
            told += &format!("{:?}", asked(&*provider, question(QUESTION)).await);
            told += &format!("{provider:?}");
            server.down();
            told += &format!("{:?}", asked(&*provider, question(QUESTION)).await);
            told += &format!("{:?}", provider.models().await);
        }
    }
    let logged = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let logged = String::from_utf8_lossy(&logged);
    assert!(logged.contains("tidemark_core"), "the log was listened to");
    for planted in [KEY, QUESTION, "planted"] {
        assert!(!told.contains(planted), "{planted} in a failure or a debug print");
        // What the HTTP library says at its most talkative counts too.
        assert!(!logged.contains(planted), "{planted} in the log:\n{}", around(&logged, planted));
    }
}

fn around<'a>(text: &'a str, word: &str) -> &'a str {
    text.lines().find(|line| line.contains(word)).unwrap_or_default()
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_refused_without_being_shown() {
    let server = ModelServer::start(Script::default());
    for kind in BOTH {
        let key = Some(Secret::new("sk-planted\u{7f}\nX-Evil: 1"));
        let (config, http) = (config(kind, &server.url()), Http::default());
        let provider: Box<dyn Provider> = match kind {
            ProviderKind::Anthropic => Box::new(Anthropic::new(&config, key, http)),
            _ => Box::new(OpenAi::new(&config, key, http)),
        };
        let outcome = asked(&*provider, question("Hi")).await;
        assert_eq!(outcome.sorted(), ("needs you", Code::KeyRejected), "{kind:?}");
        assert!(!format!("{outcome:?}").contains("planted"));
    }
    assert_eq!(server.requests(), [], "nothing was sent");
}
