//! What hangs on messages: data in links, links, files beside the export.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use super::super::Text;
use super::super::record::Attachment;

/// A larger file is not brought: its link and its name are.
pub const LARGEST: u64 = 64 << 20;

impl Attachment {
    /// From a link, which may have the data in itself (`data:image/png;base64,…`).
    pub fn from_link(link: &str, name: Option<&Text>, mime: Option<&str>) -> Self {
        let name = name.map(last_name);
        match of_data_link(link) {
            Some((said, bytes)) => {
                let mime = sniff(&bytes).map(str::to_owned).or(said).or(mime.map(str::to_owned));
                let kind = kind(mime.as_deref(), name.as_ref());
                Self { kind, name, mime, bytes: Some(bytes), ..Self::default() }
            }
            None => {
                let kind = kind(mime, name.as_ref());
                let (mime, url) = (mime.map(str::to_owned), Some(link.to_owned()));
                Self { kind, name, mime, url, ..Self::default() }
            }
        }
    }

    /// From a file beside the export, which is read when the message is stored.
    pub fn from_file(path: &Path, name: Option<&Text>, mime: Option<&str>) -> Self {
        let mime = sniff_file(path).or(mime).map(str::to_owned);
        let name = name.map(last_name);
        let kind = kind(mime.as_deref(), name.as_ref());
        Self { kind, name, mime, file: Some(path.to_owned()), ..Self::default() }
    }

    /// The bytes, from here or from the file that has them; none where the export has none.
    ///
    /// # Errors
    /// The file cannot be read, or grew too large since it was found.
    pub fn read(&self) -> std::io::Result<Option<Vec<u8>>> {
        let Some(path) = &self.file else { return Ok(self.bytes.clone()) };
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > LARGEST {
            true => Err(std::io::ErrorKind::FileTooLarge.into()),
            false => Ok(Some(bytes)),
        }
    }
}

/// The last part of what may be a path, of any system.
pub fn last_name(name: &Text) -> Text {
    match name.shown.rfind(['/', '\\']) {
        Some(at) => Text::from(&name.shown[at + 1..]),
        None => name.clone(),
    }
}

/// `image`, `audio`, `pdf` or `file`, by the type, else by the end of the name.
pub fn kind(mime: Option<&str>, name: Option<&Text>) -> String {
    let end = name.and_then(|name| name.shown.rsplit_once('.'));
    let end = end.map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    let kind = match (mime.unwrap_or_default(), end.as_str()) {
        (mime, _) if mime.starts_with("image/") => "image",
        (mime, _) if mime.starts_with("audio/") => "audio",
        ("application/pdf", _) => "pdf",
        ("", "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp") => "image",
        ("", "wav" | "mp3" | "m4a" | "ogg" | "flac") => "audio",
        ("", "pdf") => "pdf",
        _ => "file",
    };
    kind.to_owned()
}

/// The type, by the first bytes.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "audio/wav",
        [b'%', b'P', b'D', b'F', b'-', ..] => "application/pdf",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [b'I', b'D', b'3', ..] | [0xff, 0xfb | 0xf3 | 0xf2, ..] => "audio/mpeg",
        [_, _, _, _, b'f', b't', b'y', b'p', b'M', b'4', b'A', ..] => "audio/mp4",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "video/mp4",
        [b'P', b'K', 3, 4, ..] => "application/zip",
        _ => return None,
    })
}

fn sniff_file(path: &Path) -> Option<&'static str> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(16).read_to_end(&mut bytes).ok()?;
    sniff(&bytes)
}

/// The type and the data of a `data:` link; none of any other, or of a broken one.
pub fn of_data_link(link: &str) -> Option<(Option<String>, Vec<u8>)> {
    let rest = link.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"));
    let (head, data) = rest.and(link.get(5..))?.split_once(',')?;
    let mut parts = head.split(';');
    let mime = parts.next().filter(|mime| !mime.is_empty()).map(str::to_ascii_lowercase);
    parts.any(|part| part.eq_ignore_ascii_case("base64")).then_some(())?;
    let dark: Vec<u8> = data.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE];
    let bytes = engines.iter().find_map(|engine| engine.decode(&dark).ok())?;
    Some((mime, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_in_a_link_becomes_bytes_and_their_content_says_what_they_are() {
        let attachment = Attachment::from_link("data:text/plain;base64,iVBORw0KGgo=", None, None);
        assert_eq!(attachment.mime.as_deref(), Some("image/png"));
        assert_eq!((attachment.kind.as_str(), attachment.url), ("image", None));
        assert_eq!(attachment.bytes.map(|bytes| bytes.len()), Some(8));
    }

    #[test]
    fn any_other_link_stays_a_link() {
        for link in ["https://example.invalid/a.png", "data:,x", "data:;base64,%%%", "", "dat"] {
            let attachment = Attachment::from_link(link, Some(&Text::from("../../a.pdf")), None);
            assert_eq!(attachment.url.as_deref(), Some(link));
            assert_eq!(attachment.name, Some(Text::from("a.pdf")), "never a path");
            assert_eq!(attachment.kind, "pdf");
        }
    }
}
