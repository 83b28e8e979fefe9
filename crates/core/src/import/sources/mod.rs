//! The programs whose data can come over, one file each.

pub mod attached;
pub mod chatbox;
pub mod chatgpt;
pub mod cherry_studio;
pub mod claude;
mod dump;
mod exai;
mod files;
pub mod folder;
#[cfg(test)]
mod foreign;
pub mod jan;
pub mod librechat;
mod mongo;
pub mod open_webui;
mod pharmgpt;
mod pharmgpt_supabase;
mod recognise;
mod said;
mod speech;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
pub mod tidemark;
pub mod tree;
mod xrs_rag;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::record::Item;
use super::time::Zone;

pub use recognise::{Recognised, Site, look};

/// What is read: a folder, a file, or a folder that an archive was unpacked into.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its root. Only ever read.
    pub root: PathBuf,
    /// What times without a zone mean.
    pub zone: Zone,
}

/// Takes what a source finds; [`ControlFlow::Break`] ends the reading.
pub type Sink<'a> = dyn FnMut(Item) -> ControlFlow<()> + 'a;

/// A program whose data can come over.
///
/// A source never writes, never follows a link out of its root, and makes no path of what stands in a
/// file. One bad value never costs a file, one bad file never costs the run: what cannot be read is an
/// [`Item::Skip`] with its place and reason.
pub trait Source: Send + Sync {
    /// Its name in ids and reports; never changes.
    fn system(&self) -> &'static str;

    /// Its name for people.
    fn name(&self) -> &'static str;

    /// Whether this is what it wrote. Looks at names and beginnings only.
    fn recognises(&self, root: &Path) -> bool;

    /// Which of its layouts this is, for the report; none where it has but one, or does not say.
    fn version(&self, root: &Path) -> Option<String> {
        let _ = root;
        None
    }

    /// Reads all of it, in an order that is the same at every reading.
    ///
    /// # Errors
    /// The root itself cannot be read. Everything below it becomes items.
    fn read(&self, input: &Input, sink: &mut Sink<'_>) -> std::io::Result<()>;
}

/// All of them; the first that recognises a root reads it. Those that are told by what stands in a file
/// come first, those that are told by names last.
pub fn all() -> Vec<Box<dyn Source>> {
    vec![
        Box::new(chatgpt::ChatGpt),
        Box::new(claude::Claude),
        Box::new(open_webui::OpenWebUi),
        Box::new(librechat::LibreChat),
        Box::new(chatbox::Chatbox),
        Box::new(jan::Jan),
        Box::new(cherry_studio::CherryStudio),
        Box::new(tidemark::Tidemark),
        Box::new(pharmgpt::PharmGpt),
        Box::new(mongo::Mongo),
        Box::new(exai::ExAi),
        Box::new(pharmgpt_supabase::PharmGptSupabase),
        Box::new(xrs_rag::XrsRag),
    ]
}

/// Whoever wrote what stands here, if anybody known did.
pub fn recognise(root: &Path) -> Option<Box<dyn Source>> {
    all().into_iter().find(|source| source.recognises(root))
}

/// A source's name for people; its own where it is none of these.
pub fn name_of(system: &str) -> &str {
    all().iter().find(|source| source.system() == system).map_or(system, |source| source.name())
}
