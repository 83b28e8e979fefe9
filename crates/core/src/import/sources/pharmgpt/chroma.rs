//! The pieces of text in `chroma.sqlite3`.
//!
//! The file is somebody else's, and may be made to harm: see `sources/sqlite.rs`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::import::Text;
use crate::import::lax::{Map, Value};
use crate::import::record::{Kind, Place};
use crate::import::sources::sqlite::{Copy, text};
use crate::import::sources::{Sink, files::Found};

/// No name of a piece is longer, in characters; PharmGPT's have about 80. The names are all in memory.
const LONGEST_NAME: i64 = 1024;
/// Nor is the text of one document, which is in memory.
const LARGEST: usize = 64 << 20;

/// The pieces of one store, by the document they belong to.
#[derive(Debug, Default)]
pub(super) struct Store {
    inner: Option<Copy>,
    /// The rows of each document's pieces, in order.
    documents: BTreeMap<String, Vec<(i64, i64)>>,
    place: Place,
}

/// The pieces of one document.
#[derive(Debug)]
pub(super) struct Chunks {
    pub(super) texts: Vec<Text>,
    pub(super) place: Place,
    /// There is more of it than any true document has.
    pub(super) is_cut: bool,
    /// What stands beside the first piece.
    beside: Vec<(Text, Value)>,
}

impl Chunks {
    /// What is known of the document, where nothing else is.
    pub(super) fn as_metadata(&self) -> Value {
        const OF_A_PIECE: [&str; 6] =
            ["chunk_index", "document_hash", "file_hash", "page", "page_label", "chroma:document"];
        let is_of_all = |(key, _): &&(Text, Value)| !OF_A_PIECE.contains(&key.shown.as_str());
        let entries = self.beside.iter().filter(is_of_all).cloned().collect();
        Value::Map(Map { entries, is_whole: true })
    }
}

impl Store {
    /// The store in a folder; an empty one where there is none.
    pub(super) fn of(folder: &Found, sink: &mut Sink<'_>) -> ControlFlow<(), Self> {
        let Some(file) = file_of(folder) else { return ControlFlow::Continue(Self::default()) };
        let mut store = Self { place: file.place(""), ..Self::default() };
        match Copy::of(&file) {
            Ok(open) => {
                match store.index(&open) {
                    Ok(0) => {}
                    Ok(nameless) => {
                        sink(store.damaged(&format!("{nameless} pieces have no name")))?;
                    }
                    Err(error) => sink(store.damaged(&error.to_string()))?,
                }
                store.inner = Some(open);
            }
            Err(error) => sink(store.damaged(&error.to_string()))?,
        }
        ControlFlow::Continue(store)
    }

    fn damaged(&self, why: &str) -> crate::import::record::Item {
        let reason = format!("The store of the documents' text cannot be read to its end: {why}.");
        self.place.skip(Kind::File, reason)
    }

    /// Finds the rows of every document; texts are read when they are wanted. Gives how many pieces have no
    /// name that says whose they are.
    fn index(&mut self, copy: &Copy) -> rusqlite::Result<u64> {
        copy.has_tables(&["embeddings", "embedding_metadata"])?;
        let mut statement = copy.connection.prepare(
            "SELECT id, CASE WHEN length(embedding_id) <= ?1 THEN embedding_id END
               FROM embeddings
              ORDER BY id",
        )?;
        let mut rows = statement.query([LONGEST_NAME])?;
        let mut nameless = 0;
        while let Some(row) = rows.next()? {
            let (id, name) = (row.get::<_, i64>(0)?, row.get_ref(1)?);
            if name == ValueRef::Null {
                nameless += 1;
                continue;
            }
            let (document, number) = split(&text(name).shown);
            self.documents.entry(document).or_default().push((number, id));
        }
        for pieces in self.documents.values_mut() {
            pieces.sort_unstable();
        }
        Ok(nameless)
    }

    /// A document's pieces, which nobody else gets then. None: there are none.
    pub(super) fn take(&mut self, document: &str) -> Option<Chunks> {
        let pieces = self.documents.remove(document)?;
        let connection = &self.inner.as_ref()?.connection;
        let place = Place::new(self.place.path.clone(), document);
        let mut chunks = Chunks { texts: Vec::new(), place, is_cut: false, beside: Vec::new() };
        let mut bytes = 0;
        for (_, id) in pieces {
            // A page that cannot be read costs its pieces; the count that is claimed tells.
            let Ok((text, beside)) = piece(connection, id) else { continue };
            bytes += text.as_ref().map_or(0, |text| text.bytes().len());
            if bytes > LARGEST {
                chunks.is_cut = true;
                break;
            }
            chunks.texts.extend(text);
            if chunks.beside.is_empty() {
                chunks.beside = beside;
            }
        }
        Some(chunks)
    }

    /// Documents that nobody has taken; one by one, for their texts are in memory.
    pub(super) fn rest(&self) -> Vec<String> {
        self.documents.keys().cloned().collect()
    }
}

fn file_of(folder: &Found) -> Option<Found> {
    let inner =
        folder.list().ok()?.folders.into_iter().find(|found| found.name() == "chroma_db")?;
    inner.list().ok()?.files.into_iter().find(|file| file.name() == "chroma.sqlite3")
}

type Piece = (Option<Text>, Vec<(Text, Value)>);

/// The text of a piece, and what stands beside it.
fn piece(connection: &Connection, id: i64) -> rusqlite::Result<Piece> {
    let mut statement = connection.prepare_cached(
        "SELECT key, coalesce(string_value, int_value, float_value, bool_value)
           FROM embedding_metadata
          WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let (mut found, mut beside) = (None, Vec::new());
    while let Some(row) = rows.next()? {
        let (key, value) = (text(row.get_ref(0)?), row.get_ref(1)?);
        match (key.shown.as_str(), value) {
            ("chroma:document", value) => found = Some(text(value)),
            (_, ValueRef::Integer(number)) => beside.push((key, Value::Number(number.to_string()))),
            (_, ValueRef::Real(number)) => beside.push((key, Value::Number(number.to_string()))),
            (_, ValueRef::Text(_)) => beside.push((key, Value::Text(text(value)))),
            _ => {}
        }
    }
    Ok((found, beside))
}

/// `<hash>_<number>` or `<hash>_chunk_<number>`.
fn split(name: &str) -> (String, i64) {
    let Some((document, number)) = name.rsplit_once('_') else { return (name.to_owned(), 0) };
    let Ok(number) = number.parse() else { return (name.to_owned(), 0) };
    let document = document.strip_suffix("_chunk").unwrap_or(document);
    (document.to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_what_follows_the_hash() {
        assert_eq!(split("abc_chunk_12"), ("abc".to_owned(), 12));
        assert_eq!(split("abc_7"), ("abc".to_owned(), 7));
        assert_eq!(split("abc"), ("abc".to_owned(), 0));
        assert_eq!(split("a_b"), ("a_b".to_owned(), 0));
    }
}
