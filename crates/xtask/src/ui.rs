//! The user interface's packages and its build, each done again only when what it reads changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::step::step;
use crate::workspace;

/// Installs the interface's packages.
pub(crate) fn packages() -> anyhow::Result<()> {
    install("ui packages", &workspace::ui())
}

/// Installs the packages that the lock file in `folder` names, unless just these are there.
pub(crate) fn install(name: &str, folder: &Path) -> anyhow::Result<()> {
    let wanted = digest(&[folder.join("package-lock.json")])?;
    let stamp = folder.join("node_modules/.tidemark-lock");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    step(name, workspace::npm_in(folder, &["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, wanted).context("could not note which packages are installed")
}

/// Builds `ui/dist`, which the shell carries inside, unless it is up to date.
pub(crate) fn build() -> anyhow::Result<()> {
    packages()?;
    let wanted = digest(&sources()?)?;
    // Outside of `dist`, which is packed into the app as it is.
    let stamp = workspace::ui().join("node_modules/.tidemark-dist");
    let built = workspace::ui().join("dist/index.html").exists();
    if built && fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    step("ui build", workspace::npm(&["run", "build"]))?;
    fs::write(&stamp, wanted).context("could not note what was built")
}

/// Everything in `ui/` but what is installed or built there, in a fixed order.
fn sources() -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(&workspace::ui(), &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let made = ["node_modules", "dist", "coverage"].iter().any(|name| path.ends_with(name));
        match path.is_dir() {
            true if made => {}
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

/// SHA-256 over names and contents, in hex.
fn digest(files: &[PathBuf]) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(file).with_context(|| file.display().to_string())?;
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    Ok(format!("{:x}", hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_changes_the_digest_and_a_second_look_does_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("a.ts");
        fs::write(&file, "one").expect("writable");
        let first = digest(std::slice::from_ref(&file)).expect("readable");
        assert_eq!(first, digest(std::slice::from_ref(&file)).expect("readable"));
        fs::write(&file, "two").expect("writable");
        assert_ne!(first, digest(&[file]).expect("readable"));
    }
}
