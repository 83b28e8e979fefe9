//! Archives of any kind: what comes out stays inside, and is no more than was allowed.

use std::io::{Cursor, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use tidemark_core::import::archive::{Limits, is_archive, unpack};
use tidemark_core::import::sources;
use tidemark_tests::faults::Rng;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::guard::Guard;
use super::{change, seeds};

/// What may come out of a case.
const LIMITS: Limits = Limits { entries: 400, bytes: 32 << 20, ratio_from: 1 << 20, ratio: 500 };

const NAMES: [&str; 26] = [
    "conversations.json",
    "Conversations.JSON",
    "user.json",
    "a/b/c.json",
    "../x",
    "a/../../x",
    "/etc/x",
    "C:\\x",
    "\\\\host\\x",
    "..\\x",
    "a//x",
    "./x",
    "",
    "x/",
    "nul.txt",
    "COM1",
    "a.",
    "a ",
    "a\0b",
    "\u{202e}txt.exe",
    "ü",
    "u\u{308}",
    "f",
    "f/x",
    "link/passwd",
    "file:stream",
];

#[test]
fn archives_survive_any_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (archive, out) = (folder.path().join("export.zip"), folder.path().join("out"));
    let seeds = seeds::chatgpt();
    Guard::watch("archive", |case| {
        let mut rng = Rng::new(case);
        let content = &seeds[0].0[rng.below(seeds[0].0.len() as u64) as usize].1;
        std::fs::write(&archive, packed(content, &mut rng)).expect("written");
        let _ = std::fs::remove_dir_all(&out);
        std::fs::create_dir(&out).expect("a folder");
        if is_archive(&archive)
            && let Ok(done) = unpack(&archive, &out, &LIMITS, &mut |_| ControlFlow::Continue(()))
        {
            assert!(done.bytes <= LIMITS.bytes && done.files <= LIMITS.entries, "{done:?}");
            let _ = sources::look(&out);
        }
        let inside = measured(&out);
        assert!(inside <= LIMITS.bytes + (1 << 20), "{inside} bytes");
        let beside = std::fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(beside, 2, "nothing beside the folder");
    });
}

/// An archive, mostly of files, changed as bytes now and then.
fn packed(content: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for _ in 0..=rng.small(8) {
        entry(&mut zip, content, rng);
    }
    let mut bytes = zip.finish().expect("an archive").into_inner();
    if rng.one_in(2) {
        (0..=rng.below(3)).for_each(|_| damage(&mut bytes, rng));
    }
    bytes
}

fn entry(zip: &mut ZipWriter<Cursor<Vec<u8>>>, content: &[u8], rng: &mut Rng) {
    let name = NAMES[rng.below(NAMES.len() as u64) as usize];
    let method = [CompressionMethod::Deflated, CompressionMethod::Stored][rng.below(2) as usize];
    let modes = [0o644, 0o777, 0o120_777, 0o010_644, 0o020_666, 0o4755];
    let mode = modes[rng.below(6) as usize];
    let options = SimpleFileOptions::default().compression_method(method).unix_permissions(mode);
    // A name that the library itself refuses is no entry.
    match rng.below(10) {
        0 => drop(zip.add_symlink(name, "/etc", options)),
        1 => drop(zip.add_directory(name, options)),
        _ if zip.start_file(name, options).is_err() => {}
        2 => zip.write_all(&vec![0; 1 << rng.below(24)]).expect("written"),
        _ => zip.write_all(&content[..content.len().min(20_000)]).expect("written"),
    }
}

/// In the lists rather than in the data: there the lies are told.
fn damage(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let marks = [b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04"];
    let mark = marks[rng.below(3) as usize];
    let places: Vec<usize> =
        bytes.windows(4).enumerate().filter(|(_, at)| at == mark).map(|(at, _)| at).collect();
    let Some(place) = places.get(rng.below(places.len() as u64) as usize) else { return };
    let at = place + 4 + rng.below(44) as usize;
    match rng.below(4) {
        0 => change::noise(bytes, rng),
        1 if at + 4 <= bytes.len() => bytes[at..at + 4].fill(0xff),
        2 if at + 4 <= bytes.len() => bytes[at..at + 4].fill(0),
        _ if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        _ => {}
    }
}

/// The bytes below a folder; anything but folders and regular files is a failure.
fn measured(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("readable").flatten();
    entries
        .map(|entry| {
            let meta = entry.path().symlink_metadata().expect("there");
            assert!(meta.is_dir() || meta.is_file(), "{}", entry.path().display());
            if meta.is_dir() { measured(&entry.path()) } else { meta.len() }
        })
        .sum()
}
