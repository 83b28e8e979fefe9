//! Changes to the files of a seed.

use tidemark_tests::faults::Rng;

use super::tree::Tree;
use super::{json, pool};

/// No file of a case is larger: what large files do is tried on its own ([`super::bombs`]).
const LARGEST: usize = 4 << 20;

/// One of the seeds, changed.
pub(super) fn changed(seeds: &[Tree], rng: &mut Rng) -> Tree {
    let mut tree = seeds[rng.below(seeds.len() as u64) as usize].clone();
    for _ in 0..=rng.below(4) {
        if rng.one_in(12) {
            files(&mut tree, seeds, rng);
        } else if !tree.0.is_empty() {
            let at = rng.below(tree.0.len() as u64) as usize;
            file(&mut tree.0[at].1, rng);
        }
    }
    tree
}

/// A change to one file: to its values mostly, else to its bytes.
pub(super) fn file(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(5) {
        if bytes.len() > LARGEST {
            return;
        }
        match rng.below(10) {
            0..=6 => json::change(bytes, rng),
            7 | 8 => noise(bytes, rng),
            _ => encode(bytes, rng),
        }
    }
}

/// A file goes, comes twice, is empty, or has another's name or place.
fn files(tree: &mut Tree, seeds: &[Tree], rng: &mut Rng) {
    if tree.0.is_empty() {
        return;
    }
    let any = |tree: &Tree, rng: &mut Rng| rng.below(tree.0.len() as u64) as usize;
    let (one, other) = (any(tree, rng), any(tree, rng));
    match rng.below(7) {
        0 => drop(tree.0.remove(one)),
        1 => tree.0[one].1.clear(),
        2 => tree.0[one].1 = tree.0[other].1.clone(),
        3 => {
            let (path, bytes) = tree.0[one].clone();
            tree.0.push((format!("{path}.backup_20250912_101112"), bytes));
        }
        4 => {
            let bytes = tree.0[one].1.clone();
            let folder = tree.0[other].0.rsplit_once('/').map_or("", |(folder, _)| folder);
            let name = ["a.json", "conversations.json", "b.csv", "'; --.json", "ü é🌊.jsonl"];
            let name = name[rng.below(5) as usize];
            tree.0.push((format!("{folder}/{name}").trim_start_matches('/').to_owned(), bytes));
        }
        5 => {
            let another = &seeds[rng.below(seeds.len() as u64) as usize];
            let at = rng.below(another.0.len() as u64) as usize;
            tree.0[one].1.clone_from(&another.0[at].1);
        }
        _ => {
            let path = tree.0[one].0.clone();
            tree.0[one].0 = format!("{path}/deeper/{}", path.rsplit('/').next().unwrap_or("x"));
        }
    }
    // One file of a name: the last, as on a disk.
    let mut names = std::collections::HashSet::new();
    tree.0.reverse();
    tree.0.retain(|(path, _)| names.insert(path.clone()));
    let folders: Vec<String> = tree.0.iter().map(|(path, _)| format!("{path}/")).collect();
    tree.0.retain(|(path, _)| !folders.iter().any(|folder| path.starts_with(folder.as_str())));
}

/// A change to the bytes, as disks and editors make them.
pub(super) fn noise(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.below(bytes.len() as u64 + 1) as usize;
    let length = (rng.small(12) as usize).min(bytes.len() - at);
    match rng.below(8) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..at + length)),
        2 => bytes[at..at + length].fill(0),
        3 => {
            let copy = bytes[at..at + length].to_vec();
            let to = rng.below(bytes.len() as u64 + 1) as usize;
            bytes.splice(to..to, copy);
        }
        4 => {
            let copy = bytes[at..].to_vec();
            bytes.extend(copy);
        }
        5 => {
            let bit = pool::BITS[rng.below(pool::BITS.len() as u64) as usize];
            bytes.splice(at..at, bit.iter().copied());
        }
        6 => {
            let lines: Vec<usize> =
                (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
            let pick = |rng: &mut Rng| lines.get(rng.below(lines.len() as u64) as usize);
            if let (Some(from), Some(to)) = (pick(rng).copied(), pick(rng).copied()) {
                let line = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(to..to, line);
            }
        }
        _ => {
            for _ in 0..=rng.below(8) {
                let at = rng.below(bytes.len() as u64) as usize;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
        }
    }
}

/// Saved by another program.
fn encode(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = match rng.below(6) {
        0 => [b"\xef\xbb\xbf".as_slice(), bytes].concat(),
        1 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        2 => [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect(),
        3 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        4 => text.replace('\n', "\r\n").into_bytes(),
        _ => [bytes.as_slice(), b"\0\0\0\0 tail\"}]}"].concat(),
    };
}
