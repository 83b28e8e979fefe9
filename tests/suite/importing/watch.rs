//! An old program goes on writing while it is watched.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidemark_core::api::{ImportNews, ImportRequest, OpenOptions, Pace, Tidemark};
use tidemark_tests::model_server::Script;
use tokio::sync::watch::Receiver;

use crate::desk::{Desk, PATIENCE, opened};

/// Long enough for a look that should not happen.
const REST: Duration = Duration::from_millis(600);

struct Office {
    desk: Desk,
    old: TempDir,
    core: Tidemark,
}

impl Office {
    async fn new() -> Self {
        Self::at(Pace {
            quiet: Duration::from_millis(50),
            between: Duration::from_millis(100),
            poll: Duration::from_millis(200),
        })
        .await
    }

    async fn at(import_pace: Pace) -> Self {
        let desk = Desk::new(Script::default());
        let options = OpenOptions { import_pace, ..desk.options.clone() };
        let old = tempfile::tempdir().expect("a folder");
        let office = Self { core: opened(&options).await, desk, old };
        office.write(&["one"], 2);
        office
    }

    fn chats(&self) -> std::path::PathBuf {
        self.old.path().join("user_data/conversations_id-1/conversations.json")
    }

    /// The old program saves: so many conversations of so many messages.
    fn write(&self, titles: &[&str], messages: usize) {
        let said = |n: usize| json!({ "role": "user", "content": format!("message {n}"), "timestamp": "2025-09-12T17:30:00" });
        let one = |title: &str| json!({ "title": title, "created_at": "2025-09-12T17:30:00", "messages": (0..messages).map(said).collect::<Vec<_>>() });
        let all: serde_json::Map<_, _> =
            titles.iter().map(|title| (format!("c-{title}"), one(title))).collect();
        let path = self.chats();
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        let users = json!({ "bob": { "user_id": "id-1" } });
        let users_file = self.old.path().join("user_data/users.json");
        if !users_file.exists() {
            fs::write(users_file, users.to_string()).expect("written");
        }
        // At once: a look at half of it would be a look.
        let beside = path.with_extension("new");
        fs::write(&beside, Value::Object(all).to_string()).expect("written");
        fs::rename(beside, path).expect("in its place");
    }

    async fn runs(&self) {
        // What was written in the same millisecond is looked at once more, and that is no part of this.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (core, path) = (self.core.clone(), self.path());
        let request = ImportRequest { path, ..ImportRequest::default() };
        let run = move || core.import_run(&request, &core.stop_token(), &mut |_| {});
        let report = tokio::task::spawn_blocking(run).await.expect("it ends").expect("it runs");
        assert!(report.verified, "{}", report.text());
    }

    fn path(&self) -> String {
        let path = self.old.path().canonicalize().expect("a path");
        path.to_str().expect("UTF-8").to_owned()
    }

    fn news(&self, conversations: u64, messages: u64) -> Vec<ImportNews> {
        let (path, source, name) = (self.path(), "pharmgpt".to_owned(), "PharmGPT".to_owned());
        vec![ImportNews { path, source, name, conversations, messages }]
    }
}

async fn told(news: &mut Receiver<Vec<ImportNews>>, expected: &[ImportNews]) {
    let waited = tokio::time::timeout(PATIENCE, news.wait_for(|now| now == expected)).await.is_ok();
    assert!(waited, "{:?}", news.borrow());
}

async fn is_quiet(news: &mut Receiver<Vec<ImportNews>>) {
    news.mark_unchanged();
    let changed = tokio::time::timeout(REST, news.changed()).await;
    assert!(changed.is_err(), "{:?}", news.borrow());
}

#[tokio::test(flavor = "multi_thread")]
async fn new_chats_of_a_program_in_use_are_told_and_the_next_run_brings_them() {
    let office = Office::new().await;
    office.runs().await;
    let mut news = office.core.watch_imports(&[]);
    is_quiet(&mut news).await;
    office.write(&["one", "two"], 3);
    told(&mut news, &office.news(1, 4)).await;
    office.runs().await;
    told(&mut news, &[]).await;
    office.write(&["one", "two", "three"], 3);
    told(&mut news, &office.news(1, 3)).await;
    office.core.close().await;
    assert!(office.desk.folder.path().exists());
}

/// The control.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_only_read_tells_nothing() {
    let office = Office::new().await;
    office.runs().await;
    let mut news = office.core.watch_imports(&[]);
    for _ in 0..5 {
        fs::read(office.chats()).expect("read");
        office
            .core
            .import_plan(&ImportRequest { path: office.path(), ..ImportRequest::default() })
            .expect("planned");
    }
    fs::write(office.old.path().with_extension("other"), "beside it").expect("written");
    is_quiet(&mut news).await;
    assert_eq!(*news.borrow(), []);
    fs::remove_file(office.old.path().with_extension("other")).expect("removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_while_nobody_watched_is_told_at_the_start() {
    let office = Office::new().await;
    office.runs().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    office.write(&["one", "two"], 2);
    let mut news = office.core.watch_imports(&[]);
    told(&mut news, &office.news(1, 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_half_written_is_no_fault_and_its_next_change_is_told() {
    let office = Office::new().await;
    office.runs().await;
    let mut news = office.core.watch_imports(&[]);
    is_quiet(&mut news).await;
    let whole = fs::read(office.chats()).expect("read");
    for half in [&b""[..], &whole[..whole.len() / 2], &b"{"[..]] {
        fs::write(office.chats(), half).expect("written");
        is_quiet(&mut news).await;
    }
    office.write(&["one", "two"], 2);
    told(&mut news, &office.news(1, 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_goes_away_and_comes_back_is_seen_again() {
    let office = Office::new().await;
    office.runs().await;
    let mut news = office.core.watch_imports(&[]);
    is_quiet(&mut news).await;
    let away = office.old.path().with_extension("away");
    fs::rename(office.old.path(), &away).expect("moved");
    is_quiet(&mut news).await;
    fs::rename(&away, office.old.path()).expect("moved back");
    is_quiet(&mut news).await;
    office.write(&["one", "two"], 2);
    told(&mut news, &office.news(1, 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_is_watched_and_what_was_taken_back_is_not() {
    let office = Office::new().await;
    let mut news = office.core.watch_imports(&[]);
    assert_eq!(office.core.import_find(&[office.old.path().to_owned()]).len(), 1);
    // What is there when it is looked at for the first time is no news.
    tokio::time::sleep(3 * REST).await;
    is_quiet(&mut news).await;
    office.write(&["one", "two"], 2);
    told(&mut news, &office.news(2, 4)).await;
    office.runs().await;
    told(&mut news, &[]).await;
    let import = office.core.imports().expect("readable").remove(0);
    office.core.import_undo(import.id.parse().expect("an id")).expect("undone");
    is_quiet(&mut news).await;
    office.write(&["one", "two", "three"], 2);
    is_quiet(&mut news).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_chats_are_no_news_where_only_one_person_was_brought_over() {
    let office = Office::new().await;
    fs::create_dir(office.old.path().join("user_data/conversations_id-2")).expect("a folder");
    let request = ImportRequest {
        path: office.path(),
        users: vec!["bob".into()],
        ..ImportRequest::default()
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    office.core.import_run(&request, &office.core.stop_token(), &mut |_| {}).expect("it runs");
    let mut news = office.core.watch_imports(&[]);
    is_quiet(&mut news).await;
    let others = Path::new("user_data/conversations_id-2/conversations.json");
    fs::copy(office.chats(), office.old.path().join(others)).expect("copied");
    is_quiet(&mut news).await;
    assert_eq!(*news.borrow(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_never_rests_is_looked_at_and_not_too_often() {
    let minute = Duration::from_secs(60);
    let pace = Pace { quiet: Duration::from_millis(50), between: minute, poll: minute };
    let office = Office::at(pace).await;
    office.runs().await;
    let mut news = office.core.watch_imports(&[]);
    is_quiet(&mut news).await;
    office.write(&["one", "two"], 2);
    told(&mut news, &office.news(1, 2)).await;
    office.write(&["one", "two", "three"], 2);
    is_quiet(&mut news).await;
}
