//! `documents_metadata.json` and `uploads.json`: what is known of each document.
//!
//! The uploaded bytes were kept nowhere; what is left of a document are the pieces in the chroma store
//! beside its metadata, or, once a script had moved the metadata, in the user's store above.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::chroma::{Chunks, Store};
use super::home::{Home, Homes};
use crate::import::Text;
use crate::import::lax::{Shape, Value};
use crate::import::record::{Document, Item, Kind, Place};
use crate::import::sources::{Sink, files, files::Found, speech};
use crate::import::time::{When, Zone};

/// What `uploads.json` says: the only place where version 4 kept a size.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    /// By user and file name.
    of: HashMap<(String, String), Vec<Upload>>,
}

#[derive(Debug)]
struct Upload {
    bytes: Option<i64>,
    at: When,
    place: Place,
}

impl Uploads {
    /// Reads the file, if there is one.
    pub(super) fn read(home: &Home, sink: &mut Sink<'_>) -> ControlFlow<(), Self> {
        let mut uploads = Self::default();
        let Some(file) = &home.uploads else { return ControlFlow::Continue(uploads) };
        files::walk(file, Shape::One, &|_| false, sink, &mut |way, element, sink| {
            let user = way.first().map(ToString::to_string).unwrap_or_default();
            let place = file.place(&user);
            let value = files::value(&place, &element, sink)?;
            for (number, upload) in value.items().iter().enumerate() {
                let Some(name) = upload.str("filename") else { continue };
                let list = uploads.of.entry((user.clone(), name.to_owned())).or_default();
                list.push(Upload {
                    bytes: upload.get("file_size").and_then(Value::as_i64),
                    // Only compared with other times of the same clock.
                    at: When::read(upload.get("timestamp"), Zone::default()),
                    place: Place::new(place.path.clone(), format!("{user}/{number}")),
                });
            }
            ControlFlow::Continue(())
        })?;
        ControlFlow::Continue(uploads)
    }

    /// The size of a document: of the upload of that name nearest in time, each used once.
    fn take(&mut self, user: &str, name: &str, added: &When) -> Option<i64> {
        let list = self.of.get_mut(&(user.to_owned(), name.to_owned()))?;
        let distance = |upload: &Upload| match (upload.at.at, added.at) {
            (Some(a), Some(b)) => a.0.abs_diff(b.0),
            _ => u64::MAX,
        };
        let nearest = (0..list.len()).min_by_key(|at| distance(&list[*at]))?;
        list.remove(nearest).bytes
    }

    /// Uploads of which nothing else is left.
    pub(super) fn rest(self, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let mut rest: Vec<_> = self
            .of
            .into_iter()
            .flat_map(|((_, name), list)| {
                list.into_iter().map(move |upload| (upload, name.clone()))
            })
            .collect();
        rest.sort_by(|a, b| a.0.place.cmp(&b.0.place));
        rest.into_iter().try_for_each(|(upload, name)| {
            sink(upload.place.note(format!("Nothing but this entry is left of “{name}”.")))
        })
    }
}

/// Where documents are kept: at the user, or at one conversation.
struct Scope {
    folder: Found,
    /// The conversation; none at the user, and for what was uploaded with no chat open.
    conversation: Option<String>,
    /// In front of the keys, where two places belong to no conversation.
    prefix: &'static str,
}

/// Reads one user's documents.
pub(super) fn read(
    owner: &str,
    homes: &Homes,
    uploads: &mut Uploads,
    zone: Zone,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let Some(rag) = homes.rag_of(owner) else { return ControlFlow::Continue(()) };
    let listing = match rag.list() {
        Ok(listing) => listing,
        Err(error) => {
            return sink(rag.place("").skip(Kind::File, format!("It cannot be read: {error}.")));
        }
    };
    for file in listing.files.iter().filter(|file| file.name().starts_with("temp_")) {
        let reason = "It is left over from an upload that broke off.";
        sink(file.place("").skip(Kind::File, reason))?;
    }
    let mut shared = Store::of(rag, sink)?;
    let mut scopes = vec![Scope { folder: rag.clone(), conversation: None, prefix: "" }];
    for folder in listing.folders {
        let Some(id) = folder.name().strip_prefix("conversation_") else { continue };
        let (conversation, prefix) = match id {
            "global" => (None, "global/"),
            id => (Some(id.to_owned()), ""),
        };
        scopes.push(Scope { folder, conversation, prefix });
    }
    // What is at the user comes last: until then its store may be asked for what a script had moved.
    for scope in scopes.iter().skip(1) {
        let mut own = Store::of(&scope.folder, sink)?;
        let mut reading = Reading { owner, scope, zone, uploads };
        reading.read(&mut own, Some(&mut shared), sink)?;
    }
    let mut reading = Reading { owner, scope: &scopes[0], zone, uploads };
    reading.read(&mut shared, None, sink)
}

struct Reading<'a> {
    owner: &'a str,
    scope: &'a Scope,
    zone: Zone,
    uploads: &'a mut Uploads,
}

impl Reading<'_> {
    /// The documents that the metadata list, then those of which only pieces are left.
    fn read(
        &mut self,
        own: &mut Store,
        mut shared: Option<&mut Store>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let listing = self.scope.folder.list().unwrap_or_default();
        let list = listing.files.iter().find(|file| file.name() == "documents_metadata.json");
        if let Some(file) = list {
            files::walk(file, Shape::One, &|_| false, sink, &mut |way, element, sink| {
                let key = files::way_of(way);
                let place = file.place(&key);
                let value = files::value(&place, &element, sink)?;
                let Value::Map(_) = value else {
                    let reason = format!("It is {} where a document belongs.", value.kind());
                    return sink(place.skip(Kind::Document, reason));
                };
                let found = own.take(&key);
                let found = found.or_else(|| shared.as_mut()?.take(&key));
                self.document(&key, &value, found, place, sink)
            })?;
        }
        for key in own.rest() {
            let Some(chunks) = own.take(&key) else { continue };
            let place = chunks.place.clone();
            sink(
                place.note("Pieces of a document that is not listed; they come over all the same."),
            )?;
            let value = chunks.as_metadata();
            self.document(&key, &value, Some(chunks), place, sink)?;
        }
        ControlFlow::Continue(())
    }

    fn document(
        &mut self,
        key: &str,
        value: &Value,
        chunks: Option<Chunks>,
        place: Place,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let number = |keys: &[&str]| keys.iter().find_map(|key| value.get(key)?.as_i64());
        let name = value.get("filename").and_then(Value::as_text).cloned().unwrap_or_default();
        let added = When::read(value.get("added_at"), self.zone);
        let bytes = number(&["size_bytes", "file_size"]).or_else(|| {
            let compared = When::read(value.get("added_at"), Zone::default());
            self.uploads.take(self.owner, &name.shown, &compared)
        });
        let claimed = number(&["chunk_count", "chunks_count"]);
        if chunks.as_ref().is_some_and(|chunks| chunks.is_cut) {
            let reason = "The document has more text than any; what comes behind is left out.";
            sink(place.skip(Kind::Fragment, reason))?;
        }
        let fragments: Vec<Text> = chunks.map(|chunks| chunks.texts).unwrap_or_default();
        let found = i64::try_from(fragments.len()).unwrap_or(i64::MAX);
        if claimed.is_some_and(|claimed| claimed > found) {
            let claimed = claimed.unwrap_or_default();
            let text =
                format!("Of {claimed} pieces of text that it claims to have, {found} are left.");
            sink(place.note(text))?;
        }
        const KNOWN: [&str; 7] = [
            "filename",
            "added_at",
            "size_bytes",
            "file_size",
            "chunk_count",
            "chunks_count",
            "conversation_id",
        ];
        sink(Item::Document(Box::new(Document {
            owner: Some(self.owner.to_owned()),
            conversation: self.scope.conversation.clone(),
            key: format!("{}{key}", self.scope.prefix),
            mime: mime(value.str("file_type")),
            name,
            bytes: bytes.filter(|bytes| *bytes >= 0),
            added,
            fragments,
            claimed,
            ids: [("document_hash".to_owned(), key.to_owned())].into(),
            metadata: speech::extras(value, &KNOWN),
            own: None,
            place,
        })))
    }
}

/// A type; version 3 wrote only `document` or `image`, and `image/ocr` is none.
fn mime(kind: Option<&str>) -> Option<String> {
    kind.filter(|kind| kind.contains('/') && *kind != "image/ocr").map(str::to_owned)
}
