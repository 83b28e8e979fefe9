//! Every importer under structured fuzzing: F9 and H6 to H8 of what Tidemark has to survive.
//!
//! A case is a number: it chooses a seed of the target's, changes it as a broken program, a bad disk or an
//! attacker would ([`change`], [`store`], [`archives`]), and reads it the way an import does. Whatever it
//! holds: no panic, no more memory than 512 MB, an end in time, the same at every reading, a run that
//! verifies itself, a second one that brings nothing, and an undo that leaves nothing. Five seconds each;
//! `TIDEMARK_FUZZ_SECONDS` says how long instead, `TIDEMARK_SEED` with which case to begin. A case that
//! fails prints the line that replays it, and one that took the process with it is tried first
//! the next time.

mod archives;
mod bombs;
mod change;
mod guard;
mod json;
mod pool;
mod seeds;
mod store;
mod tree;

use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::ControlFlow;
use std::path::Path;

use tidemark_core::import::Item;
use tidemark_core::import::report::Counts;
use tidemark_core::import::run;
use tidemark_core::import::sources::{self, Input, Source};
use tidemark_core::import::time::Zone;
use tidemark_tests::faults::Rng;

use super::Desk;
use guard::Guard;
use tree::Tree;

/// One case in so many is imported, the others are read.
const RUN: u64 = 6;

#[test]
fn chatgpt_survives_any_export() {
    fuzz("chatgpt", &seeds::chatgpt());
}

#[test]
fn claude_survives_any_export() {
    fuzz("claude", &seeds::folders(&["other-exports/claude"]));
}

#[test]
fn open_webui_survives_any_export() {
    fuzz("open-webui", &seeds::folders(&["other-exports/open-webui"]));
}

#[test]
fn librechat_survives_any_export() {
    fuzz("librechat", &seeds::folders(&["other-exports/librechat"]));
}

#[test]
fn chatbox_survives_any_export() {
    fuzz("chatbox", &seeds::folders(&["other-exports/chatbox"]));
}

#[test]
fn jan_survives_any_folder() {
    fuzz("jan", &seeds::folders(&["other-exports/jan"]));
}

#[test]
fn jan_survives_any_telephone() {
    let seeds = seeds::telephones();
    fuzz_with("jan-mobile", "jan", &seeds, &|seeds, rng| store::torn(seeds, rng));
}

#[test]
fn cherry_studio_survives_any_backup() {
    let all = ["v1", "v3", "v5"].map(|one| format!("other-exports/cherry-studio/{one}"));
    fuzz("cherry-studio", &seeds::folders(&all));
}

#[test]
fn our_own_export_survives_any_change() {
    fuzz("tidemark", &seeds::tidemark());
}

#[test]
fn pharmgpt_survives_any_folder() {
    fuzz("pharmgpt", &seeds::pharmgpt());
}

#[test]
fn the_mongodb_chat_survives_any_dump() {
    let all =
        ["canonical", "relaxed", "pretty", "v1-strict"].map(|one| format!("mongo-chat/{one}"));
    fuzz("mongo-chat", &seeds::folders(&all));
}

#[test]
fn ex_ai_survives_any_dump() {
    let all = ["logs", "threads", "supabase-studio"].map(|one| format!("exai-mcp/{one}"));
    fuzz("ex-ai", &seeds::folders(&all));
}

#[test]
fn pharmgpts_tables_survive_any_dump() {
    fuzz("pharmgpt-supabase", &seeds::pharmgpt_supabase());
}

#[test]
fn xrs_rag_survives_any_dump() {
    fuzz("xrs-rag", &seeds::xrs_rag());
}

#[test]
fn the_store_of_pieces_survives_any_change() {
    let seeds = seeds::stores();
    fuzz_with("chroma", "pharmgpt", &seeds, &|seeds, rng| store::changed(seeds, rng));
}

fn fuzz(system: &'static str, seeds: &[Tree]) {
    fuzz_with(system, system, seeds, &|seeds, rng| change::changed(seeds, rng));
}

fn fuzz_with(
    name: &'static str,
    system: &str,
    seeds: &[Tree],
    changed: &dyn Fn(&[Tree], &mut Rng) -> Tree,
) {
    let source = source(system);
    // A control: of what no longer reads its own seeds nothing would be learnt.
    for seed in seeds {
        let folder = tempfile::tempdir().expect("a folder");
        seed.write(folder.path());
        assert!(source.recognises(folder.path()), "{name} does not know its own: {seed:?}");
        let sites = sources::look(folder.path()).sites;
        let others = sites.iter().filter(|site| site.source.system() != system).count();
        assert_eq!(others, 0, "others take {seed:?} for theirs, beside {name}");
        let found = conversations(source.as_ref(), folder.path());
        assert!(found > 0 || seed.is_damaged(), "{name} finds nothing in {seed:?}");
    }
    let desk = Desk::new();
    Guard::watch(name, |case| {
        let mut rng = Rng::new(case);
        let tree = changed(seeds, &mut rng);
        let root = desk.request().input.root;
        std::fs::remove_dir_all(&root).expect("removed");
        tree.write(&root);
        let _ = sources::look(&root);
        assert_eq!(read(source.as_ref(), &root), read(source.as_ref(), &root), "read twice");
        if case.is_multiple_of(RUN) {
            runs(&desk, source.as_ref());
        }
        assert!(tree.is_as_written(&root), "the source was changed");
    });
}

fn source(system: &str) -> Box<dyn Source> {
    let mut all = sources::all().into_iter();
    all.find(|source| source.system() == system).expect("a source")
}

fn conversations(source: &dyn Source, root: &Path) -> usize {
    let (mut count, input) = (0, Input { root: root.to_owned(), zone: Zone::default() });
    let read = source.read(&input, &mut |item| {
        count += usize::from(matches!(item, Item::Conversation(_)));
        ControlFlow::Continue(())
    });
    read.map_or(0, |()| count)
}

/// What a reading found, as one number.
fn read(source: &dyn Source, root: &Path) -> u64 {
    let mut sum = Sum(DefaultHasher::new());
    let input = Input { root: root.to_owned(), zone: Zone::default() };
    let read = source.read(&input, &mut |item| {
        write!(sum, "{item:?}").expect("a sum takes everything");
        ControlFlow::Continue(())
    });
    // A root that cannot be read is an answer, too.
    write!(sum, "{}", read.is_ok()).expect("a sum takes everything");
    sum.0.finish()
}

struct Sum(DefaultHasher);

impl fmt::Write for Sum {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// The whole way: it verifies itself, a second time brings nothing, and an undo leaves nothing.
fn runs(desk: &Desk, source: &dyn Source) {
    let first = desk.imports(source);
    assert!(first.verified, "{}", first.text());
    let again = desk.imports(source);
    assert!(again.verified, "the second time: {}", again.text());
    assert_eq!(again.imported, Counts::default(), "a second run brings nothing");
    for report in [again, first] {
        run::undo(&desk.mirror, report.id.parse().expect("an id")).expect("undone");
    }
    for table in ["conversations", "messages", "documents", "fragments"] {
        assert_eq!(desk.count(table), 0, "an undo leaves no {table}");
    }
}
