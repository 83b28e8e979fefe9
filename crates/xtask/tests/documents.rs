//! What the documents name is there: files, headings, commands.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A document and its text.
type Document = (PathBuf, String);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{:?}: {error}", path.as_ref()))
}

/// The README and all of `docs/`.
fn documents() -> Vec<Document> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of ours").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|end| end == "md") => found.push(path),
                _ => {}
            }
        }
    }
    found.into_iter().map(|path| (path.clone(), read(path))).collect()
}

/// What stands between `start` and `end`, each time.
fn between<'a>(text: &'a str, start: &str, end: char) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0)).collect()
}

/// A heading as a link names it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn has_heading(text: &str, name: &str) -> bool {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).any(|heading| heading == name)
}

/// Whether a link leads somewhere; links to the web are not followed.
fn leads_somewhere((path, text): &Document, link: &str) -> bool {
    if link.starts_with("https://") {
        return true;
    }
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = path.parent().expect("a file is in a folder").join(file);
    match (file, heading) {
        ("", heading) => has_heading(text, heading),
        (_, "") => target.exists(),
        (_, heading) => target.exists() && has_heading(&read(target), heading),
    }
}

#[test]
fn every_link_leads_somewhere() {
    for document in documents() {
        let text = &document.1;
        let links = [
            between(text, "](", ')'),
            between(text, "src=\"", '"'),
            between(text, "srcset=\"", '"'),
        ];
        let broken: Vec<&str> =
            links.concat().into_iter().filter(|link| !leads_somewhere(&document, link)).collect();
        assert!(broken.is_empty(), "{:?} has links that lead nowhere: {broken:?}", document.0);
    }
}

#[test]
fn the_contract_names_the_shells_commands_and_no_other() {
    let list = read(root().join("src-tauri/src/commands/mod.rs"));
    let list = list.split_once("generate_handler![").expect("the list").1;
    let list = list.split_once(']').expect("its end").0;
    let commands: BTreeSet<&str> =
        list.split(',').filter_map(|line| Some(line.trim().split_once("::")?.1)).collect();
    let contract = read(root().join("docs/commands.md"));
    let calls = between(&contract, "`", '(').into_iter();
    let is_name =
        |call: &&str| !call.is_empty() && call.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    assert_eq!(calls.filter(is_name).collect::<BTreeSet<_>>(), commands);
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let path = root().join("docs/none.md");
    let document = (path, "# One thing\n".to_owned());
    assert!(leads_somewhere(&document, "#one-thing"));
    for link in ["#another-thing", "none.md", "../README.md#none", "images/none.png"] {
        assert!(!leads_somewhere(&document, link), "{link}");
    }
}
