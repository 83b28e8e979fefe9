//! The run of an import, whatever the source: nothing twice, nothing lost, and every count adds up.

#[cfg(unix)]
mod accounts;
mod background;
mod deaths;
mod fuzz;
mod large;
mod returning;
mod watch;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tidemark_core::Code;
use tidemark_core::clock::SystemClock;
use tidemark_core::events::Events;
use tidemark_core::import::record::{Conversation, Document, Item, Kind, Message, Owner, Place};
use tidemark_core::import::report::Report;
use tidemark_core::import::run::{self, Progress, Request};
use tidemark_core::import::sources::{Input, Sink, Source};
use tidemark_core::import::survey::Whose;
use tidemark_core::import::time::Zone;
use tidemark_core::import::{Text, When};
use tidemark_core::mirror::{self, Mirror, conversations, imports, messages};
use tidemark_core::model::{Role, Timestamp};
use tidemark_tests::faults::work;
use tokio_util::sync::CancellationToken;

/// A fixture of the old programs' data.
fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/legacy").join(name);
    assert!(path.is_dir(), "no fixture {name}");
    path
}

/// A program that wrote so many conversations of so many messages.
struct Wrote {
    conversations: u64,
    messages: u64,
}

impl Wrote {
    fn conversation(&self, number: u64) -> Conversation {
        let message = |n: u64| Message {
            parent: n.checked_sub(1).map(|n| n as usize),
            ..Message::new(
                if n.is_multiple_of(2) { Role::User } else { Role::Assistant },
                Text::from(format!("{number}.{n} \u{0} and more")),
                When::at(Timestamp(1_750_000_000_000 + n as i64 * 1_000)),
            )
        };
        Conversation {
            owner: Some(format!("owner-{}", number % 2)),
            key: format!("conversation-{number}"),
            title: Text::from(format!("Title {number}")),
            messages: (0..self.messages).map(message).collect(),
            ..Conversation::default()
        }
    }
}

impl Source for Wrote {
    fn system(&self) -> &'static str {
        "test"
    }

    fn name(&self) -> &'static str {
        "Test"
    }

    fn recognises(&self, _: &Path) -> bool {
        true
    }

    fn read(&self, _: &Input, sink: &mut Sink<'_>) -> std::io::Result<()> {
        let owner = |n: u64| Owner {
            key: format!("owner-{n}"),
            name: Some(Text::from(format!("Owner {n}"))),
            ..Owner::default()
        };
        let document = Document {
            owner: Some("owner-0".into()),
            conversation: Some("conversation-0".into()),
            key: "document".into(),
            name: Text::from("notes.txt"),
            fragments: vec![Text::from("one"), Text::from("two")],
            ..Document::default()
        };
        let place = Place::new("a.json", "entry 7");
        let items = (0..2)
            .map(|n| Item::Owner(owner(n)))
            .chain(
                (0..self.conversations).map(|n| Item::Conversation(Box::new(self.conversation(n)))),
            )
            .chain([
                Item::Document(Box::new(document)),
                place.skip(Kind::Conversation, "It is no conversation."),
            ]);
        for item in items {
            if sink(item) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

struct Desk {
    folder: TempDir,
    mirror: Mirror,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("source")).expect("a folder");
        std::fs::write(folder.path().join("source/a.json"), "{}").expect("a file");
        let path = folder.path().join("mirror.db");
        let mirror = mirror::open(
            &path,
            &work::key(),
            work::MIRROR,
            Arc::new(SystemClock),
            Events::default(),
        );
        Self { mirror: mirror.expect("opens"), folder }
    }

    fn request(&self) -> Request {
        Request {
            input: Input { root: self.folder.path().join("source"), zone: Zone::default() },
            named: self.folder.path().join("source"),
            refused: Vec::new(),
            whose: Whose::All,
            proven: std::collections::BTreeSet::new(),
            backups: Some(self.folder.path().join("backups")),
            auto_rollback: false,
        }
    }

    fn runs(&self, source: &Wrote) -> Report {
        self.imports(source)
    }

    fn imports(&self, source: &dyn Source) -> Report {
        run::run(&self.mirror, source, &self.request(), &CancellationToken::new(), &mut |_| {})
            .expect("it runs")
    }

    fn rows(&self) -> (i64, i64) {
        (self.count("conversations"), self.count("messages"))
    }

    fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.mirror.read(|c| Ok(c.query_row(&sql, [], |row| row.get(0))?)).expect("readable")
    }
}

#[test]
fn a_plan_writes_nothing_and_says_what_a_run_then_does() {
    let (desk, source) = (Desk::new(), Wrote { conversations: 5, messages: 6 });
    let stop = CancellationToken::new();
    let plan = run::plan(&desk.mirror, &source, &desk.request(), &stop, &mut |_| {});
    let plan = plan.expect("planned");
    assert_eq!(desk.rows(), (0, 0));
    assert_eq!((plan.counts.conversations, plan.counts.messages, plan.counts.users), (5, 30, 2));
    assert_eq!((plan.counts.documents, plan.counts.fragments, plan.duplicates), (1, 2, 0));
    assert_eq!(plan.skipped.len(), 1);
    let report = desk.runs(&source);
    assert!(report.verified, "{}", report.text());
    assert_eq!((report.plan.counts, report.imported.messages), (plan.counts, 30));
    assert_eq!(desk.rows(), (5, 30));
    let archive = desk.folder.path().join("backups").join(report.backup.expect("an archive"));
    assert!(archive.is_file(), "the source was copied first");
}

#[test]
fn a_second_run_imports_nothing_and_a_grown_source_adds_what_is_new() {
    let desk = Desk::new();
    desk.runs(&Wrote { conversations: 3, messages: 4 });
    let again = desk.runs(&Wrote { conversations: 3, messages: 4 });
    assert_eq!((again.imported.conversations, again.imported.messages), (0, 0));
    assert_eq!((again.plan.duplicates, again.imported.documents), (3, 0));
    assert!(again.verified, "{}", again.text());
    let grown = desk.runs(&Wrote { conversations: 4, messages: 5 });
    assert_eq!((grown.imported.conversations, grown.imported.messages), (1, 3 + 5));
    assert!(grown.verified, "{}", grown.text());
    assert_eq!(desk.rows(), (4, 20));
}

#[test]
fn one_that_was_stopped_goes_on_and_ends_with_the_same() {
    let source = Wrote { conversations: 40, messages: 100 };
    let whole = Desk::new();
    let expected = whole.runs(&source);
    let desk = Desk::new();
    let stop = CancellationToken::new();
    let stopped = run::run(&desk.mirror, &source, &desk.request(), &stop, &mut |progress| {
        if matches!(progress, Progress::Writing(written, _) if written > 2_500) {
            stop.cancel();
        }
    });
    assert_eq!(stopped.expect_err("stopped").code, Code::Interrupted);
    let (conversations, _) = desk.rows();
    assert!(conversations > 0 && conversations < 40, "{conversations} came over");
    let report = desk.runs(&source);
    assert!(report.verified, "{}", report.text());
    assert_eq!((report.imported, report.plan.duplicates), (expected.imported, 0));
    assert_eq!(desk.rows(), whole.rows());
    let all = desk.mirror.read(imports::all).expect("readable");
    assert_eq!(all.len(), 1, "it is one import");
}

#[test]
fn an_undo_takes_everything_back_but_what_was_changed_since() {
    let (desk, source) = (Desk::new(), Wrote { conversations: 4, messages: 3 });
    let report = desk.runs(&source);
    let id = report.id.parse().expect("an id");
    let all = desk.mirror.read(|c| conversations::list(c, tidemark_core::api::Shelf::Active));
    let renamed = all.expect("readable")[0].id;
    // A change at the very moment of the import would not show in the time.
    std::thread::sleep(std::time::Duration::from_millis(5));
    desk.mirror
        .write(|write| {
            let title =
                conversations::Field::Title("Mine".into(), tidemark_core::model::TitleBy::Person);
            conversations::set(write, renamed, &title)
        })
        .expect("renamed");
    let undone = run::undo(&desk.mirror, id).expect("undone");
    assert_eq!((undone.conversations, undone.kept, undone.documents), (3, 1, 1));
    assert_eq!(desk.rows(), (1, 3));
    let again = run::undo(&desk.mirror, id).expect_err("only once");
    assert_eq!(again.code, Code::WrongState);
    // It can be brought over once more.
    let report = desk.runs(&source);
    assert!(report.verified, "{}", report.text());
    assert_eq!(desk.rows(), (4, 12));
}

#[test]
fn what_was_taken_back_of_a_grown_source_comes_back_with_the_next_run() {
    let desk = Desk::new();
    desk.runs(&Wrote { conversations: 2, messages: 2 });
    let grown = Wrote { conversations: 2, messages: 4 };
    let visible = || {
        let sql = "SELECT count(*) FROM messages WHERE trashed_ms IS NULL";
        let count =
            |c: &rusqlite::Connection| Ok(c.query_row(sql, [], |row| row.get::<_, i64>(0))?);
        desk.mirror.read(count).expect("readable")
    };
    for _ in 0..2 {
        let report = desk.runs(&grown);
        assert!(report.verified, "{}", report.text());
        assert_eq!((report.imported.messages, report.plan.duplicates, visible()), (4, 0, 8));
        let undone = run::undo(&desk.mirror, report.id.parse().expect("an id")).expect("undone");
        assert_eq!((undone.messages, visible()), (4, 4));
    }
    desk.runs(&grown);
    let again = desk.runs(&grown);
    assert_eq!((again.imported.messages, again.plan.duplicates, visible()), (0, 2, 8));
}

#[test]
fn only_those_who_are_named_come_over() {
    let (desk, source) = (Desk::new(), Wrote { conversations: 6, messages: 2 });
    let whose = Whose::Of(["owner-1".to_owned()].into());
    let request = Request { whose, ..desk.request() };
    let report = run::run(&desk.mirror, &source, &request, &CancellationToken::new(), &mut |_| {});
    let report = report.expect("it runs");
    assert_eq!((report.imported.conversations, report.plan.counts.users), (3, 1));
    assert!(report.verified, "{}", report.text());
    let all = desk.mirror.read(|c| conversations::list(c, tidemark_core::api::Shelf::Active));
    for conversation in all.expect("readable") {
        let origin = conversation.origin.expect("where it came from");
        assert_eq!((origin.system.as_str(), origin.ids["user"].as_str()), ("test", "Owner 1"));
    }
}

/// The control: a verification that cannot fail shows nothing.
#[test]
fn a_row_that_is_not_as_it_was_read_is_found_and_the_whole_taken_back_where_that_was_asked() {
    let (desk, source) = (Desk::new(), Wrote { conversations: 3, messages: 3 });
    let request = Request { auto_rollback: true, ..desk.request() };
    let mirror = desk.mirror.clone();
    let report =
        run::run(&desk.mirror, &source, &request, &CancellationToken::new(), &mut |progress| {
            if matches!(progress, Progress::Verifying(3, _)) {
                let spoil = "UPDATE messages SET content = 'spoilt' WHERE content LIKE '2.1 %'";
                mirror.write(|write| Ok(write.tx.execute(spoil, [])?)).expect("written");
            }
        });
    let report = report.expect("it comes to an end");
    assert!(!report.verified && report.rolled_back, "{}", report.text());
    assert_eq!(report.mismatches.len(), 1, "{:?}", report.mismatches);
    assert_eq!(desk.rows(), (0, 0));
}

/// The other control: what was written and what was here before are counted apart, and have to add up to
/// what was read.
#[test]
fn a_count_that_does_not_add_up_is_found() {
    let (desk, source) = (Desk::new(), Wrote { conversations: 40, messages: 100 });
    let (mirror, mut forgotten) = (desk.mirror.clone(), false);
    let report = run::run(
        &desk.mirror,
        &source,
        &desk.request(),
        &CancellationToken::new(),
        &mut |progress| {
            if matches!(progress, Progress::Writing(written, _) if written > 2_500 && !forgotten) {
                let forget = "DELETE FROM imported WHERE rowid = (SELECT min(rowid) FROM imported)";
                mirror.write(|write| Ok(write.tx.execute(forget, [])?)).expect("written");
                forgotten = true;
            }
        },
    );
    let report = report.expect("it comes to an end");
    let wrong: Vec<_> = report.mismatches.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        (report.verified, wrong),
        (false, vec!["conversations", "messages"]),
        "{}",
        report.text()
    );
}

#[test]
fn what_cannot_be_stored_is_shown_readably_and_comes_back() {
    let (desk, source) = (Desk::new(), Wrote { conversations: 1, messages: 1 });
    desk.runs(&source);
    let all = desk.mirror.read(|c| conversations::list(c, tidemark_core::api::Shelf::Active));
    let id = all.expect("readable")[0].id;
    let message = desk.mirror.read(|c| messages::every(c, id)).expect("readable").remove(0);
    assert_eq!(message.content, "0.0 \u{2400} and more");
    assert!(message.content_raw.is_some());
}
