//! What the suites of the chat stand on: a data folder, a scripted provider, and the app over both.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidemark_core::api::{
    App, AppState, OpenOptions, SearchHit, SearchRequest, SendRequest, Sent, ThreadMessage,
    Tidemark,
};
use tidemark_core::clock::SharedClock;
use tidemark_core::model::{
    Conversation, ConversationId, Message, MessageId, MessageState, ModelInfo, ModelRef,
    ProviderConfig, ProviderKind, Role, Timestamp, TitleBy,
};
use tidemark_core::providers::http::Timeouts;
use tidemark_core::secrets::MemoryKeyring;
use tidemark_tests::model_server::{ModelServer, Reply, Script};
use uuid::Uuid;

/// Longer than anything here takes on a busy machine; reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A person's computer, as far as these suites care.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) server: ModelServer,
    pub(crate) options: OpenOptions,
}

impl Desk {
    /// A fresh data folder beside a provider that goes by `script`.
    pub(crate) fn new(script: Script) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions {
            keyring: Arc::new(MemoryKeyring::default()),
            run_queue: true,
            ..OpenOptions::new(folder.path().join("data"))
        };
        Self { folder, server: ModelServer::start(script), options }
    }

    /// The same at a time that the test chooses.
    pub(crate) fn at(self, clock: SharedClock) -> Self {
        Self { options: OpenOptions { clock, ..self.options }, ..self }
    }

    /// The same with a provider that is given up soon.
    pub(crate) fn hasty(self) -> Self {
        let second = Duration::from_secs(1);
        let provider_timeouts = Timeouts {
            headers: second,
            thinking: second,
            idle: second,
            tail: second / 2,
            ..Timeouts::default()
        };
        Self { options: OpenOptions { provider_timeouts, ..self.options }, ..self }
    }

    /// The provider, as a person configures it.
    pub(crate) fn provider(&self) -> ProviderConfig {
        ProviderConfig {
            id: "test".to_owned(),
            kind: ProviderKind::Openai,
            name: "Test".to_owned(),
            base_url: self.server.url(),
            ca_file: None,
            models: vec![ModelInfo { id: "test-model".to_owned(), ..ModelInfo::default() }],
        }
    }

    /// Opens the app, with the provider in its settings.
    pub(crate) async fn open(&self) -> Tidemark {
        let core = opened(&self.options).await;
        if core.providers().expect("readable").is_empty() {
            core.save_provider(self.provider()).expect("saved");
        }
        core
    }

    /// Opens the app in a process of its own, as far as the mirror can tell.
    pub(crate) fn process(&self) -> Process {
        Process::start(self.options.clone())
    }
}

/// Opens an app that must open.
pub(crate) async fn opened(options: &OpenOptions) -> Tidemark {
    let app = App::start(options.clone());
    let state = app.state().await;
    assert!(matches!(state, AppState::Ready { .. }), "{state:?}");
    app.core().expect("ready")
}

/// An app on a runtime of its own, so that it can die in the middle of anything.
pub(crate) struct Process {
    pub(crate) core: Tidemark,
    runtime: tokio::runtime::Runtime,
}

impl Process {
    fn start(options: OpenOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (sender, receiver) = std::sync::mpsc::channel();
        runtime.spawn(async move { sender.send(opened(&options).await) });
        Self { core: receiver.recv_timeout(PATIENCE).expect("it opens"), runtime }
    }

    /// Ends at once: no task runs on, nothing more is stored, its locks go.
    pub(crate) fn die(self) {
        let Self { core, runtime } = self;
        drop(core);
        let dying = std::thread::spawn(move || runtime.shutdown_timeout(PATIENCE));
        dying.join().expect("it ends");
    }
}

/// A message for the end of a conversation, or a new one.
pub(crate) fn to(conversation_id: Option<ConversationId>, content: &str) -> SendRequest {
    SendRequest { conversation_id, content: content.to_owned(), ..SendRequest::default() }
}

/// An answer of so many words, slow enough to be caught in the middle.
pub(crate) fn slow(words: usize) -> Reply {
    let text = (1..=words).map(|n| format!("w{n} ")).collect();
    Reply::Answer { text, words_per_second: Some(20.0), finish: None }
}

/// What a person does, and what they then see.
pub(crate) trait Person {
    /// Sends, in a conversation or a new one.
    fn ask(&self, conversation_id: Option<ConversationId>, content: &str) -> Sent;
    /// Sends and waits for the whole answer.
    async fn answered(
        &self,
        conversation_id: Option<ConversationId>,
        content: &str,
    ) -> (Sent, Message);
    /// A message as it stands.
    fn row(&self, id: MessageId) -> ThreadMessage;
    /// Waits until a message is as `fits` wants it.
    async fn until(&self, id: MessageId, fits: impl Fn(&ThreadMessage) -> bool) -> ThreadMessage;
    /// Waits until an answer has come to an end.
    async fn ended(&self, id: MessageId) -> Message;
    /// Waits until an answer is in this state.
    async fn reaches(&self, id: MessageId, state: MessageState) -> ThreadMessage;
    /// Waits until some of an answer has been stored.
    async fn speaks(&self, id: MessageId) -> ThreadMessage;
    /// The texts of the branch that is shown.
    fn shown(&self, id: ConversationId) -> Vec<String>;
    /// What a search finds, once all is indexed.
    async fn finds(&self, text: &str) -> Vec<SearchHit>;
    /// Waits until nothing waits to be indexed.
    async fn indexed(&self);
}

impl Person for Tidemark {
    fn ask(&self, conversation_id: Option<ConversationId>, content: &str) -> Sent {
        self.send(&to(conversation_id, content)).expect("sent")
    }

    async fn answered(
        &self,
        conversation_id: Option<ConversationId>,
        content: &str,
    ) -> (Sent, Message) {
        let sent = self.ask(conversation_id, content);
        let answer = self.ended(sent.answer_id.expect("an answer")).await;
        (sent, answer)
    }

    fn row(&self, id: MessageId) -> ThreadMessage {
        self.messages_by_id(&[id]).expect("readable").pop().expect("it is there")
    }

    async fn until(&self, id: MessageId, fits: impl Fn(&ThreadMessage) -> bool) -> ThreadMessage {
        let mut changes = self.changes();
        let waiting = async {
            loop {
                let row = self.row(id);
                if fits(&row) {
                    return row;
                }
                changes.next().await.expect("the app is open");
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(row) => row,
            Err(_) => panic!("it never came; the row is {:?}", self.row(id)),
        }
    }

    async fn ended(&self, id: MessageId) -> Message {
        self.until(id, |row| row.message.state.is_final()).await.message
    }

    async fn reaches(&self, id: MessageId, state: MessageState) -> ThreadMessage {
        self.until(id, |row| row.message.state == state).await
    }

    async fn speaks(&self, id: MessageId) -> ThreadMessage {
        self.until(id, |row| !row.message.content.is_empty()).await
    }

    fn shown(&self, id: ConversationId) -> Vec<String> {
        let page = self.thread(id, 500, None, None).expect("readable");
        page.messages.into_iter().map(|row| row.message.content).collect()
    }

    async fn finds(&self, text: &str) -> Vec<SearchHit> {
        self.indexed().await;
        self.search(&SearchRequest { text: text.to_owned(), ..SearchRequest::default() })
            .expect("no search fails")
    }

    async fn indexed(&self) {
        let started = std::time::Instant::now();
        while self.doctor().expect("readable").counts["index_dirty"] > 0 {
            assert!(started.elapsed() < PATIENCE, "the index never caught up");
            // The index tells nobody: it has no change that a person sees.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A conversation as an import brings it, with rows that nobody here has written.
pub(crate) fn imported(id: u128, title: &str, at_ms: i64) -> Conversation {
    Conversation {
        title: title.to_owned(),
        title_by: TitleBy::Import,
        ..Conversation::blank(ConversationId(Uuid::from_u128(id)), Timestamp(at_ms))
    }
}

/// A message of an import.
pub(crate) fn line(
    conversation: &Conversation,
    id: u128,
    parent: Option<u128>,
    content: &str,
) -> Message {
    let (id, parent) = (Uuid::from_u128(id), parent.map(Uuid::from_u128));
    let role = if id.as_u128() % 2 == 1 { Role::User } else { Role::Assistant };
    Message {
        parent_id: parent.map(MessageId),
        content: content.to_owned(),
        model: Some(ModelRef::new("test", "test-model")),
        ..Message::blank(MessageId(id), conversation.id, role, conversation.created_at)
    }
}

/// Stores a conversation as an import does: in one transaction, then shown to its end.
pub(crate) fn store(core: &Tidemark, conversation: &Conversation, messages: &[Message]) {
    use tidemark_core::mirror::{conversations, messages as table, thread};
    core.mirror()
        .write(|write| {
            conversations::insert(write, conversation)?;
            table::insert_batch(write, conversation.id, messages)?;
            thread::settle(write, conversation.id)
        })
        .expect("stored");
}
