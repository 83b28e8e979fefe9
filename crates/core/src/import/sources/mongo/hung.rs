//! What hung on a message: `audio`, `image` and `pdf` in every form that such a field may have, and the
//! pictures among the parts of a content.
//!
//! What something is, its first bytes say; the name of the field only where they do not.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::import::lax::Value;
use crate::import::record::Attachment;
use crate::import::text::Text;

/// The fields that something hangs in.
pub(super) const FIELDS: [&str; 3] = ["audio", "image", "pdf"];

/// What hangs in a field: one thing, or several in a list.
pub(super) fn field(value: &Value, kind: &str) -> Vec<Attachment> {
    match value.get(kind) {
        Some(Value::List(list)) => list.items.iter().filter_map(|item| one(item, kind)).collect(),
        Some(value) => one(value, kind).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Everything that hung on a message.
pub(super) fn all(value: &Value) -> Vec<Attachment> {
    let mut found: Vec<_> = FIELDS.iter().flat_map(|kind| field(value, kind)).collect();
    let parts = value.get("content").map(Value::items).unwrap_or_default();
    found.extend(parts.iter().filter_map(of_part));
    found
}

/// `{"type": "image_url", "image_url": {"url": …}}` and its like.
fn of_part(part: &Value) -> Option<Attachment> {
    let kinds =
        [("image_url", "image"), ("image", "image"), ("input_audio", "audio"), ("file", "file")];
    kinds.iter().find_map(|(key, kind)| {
        let inner = part.get(key)?;
        one(inner, kind)
    })
}

/// One field; none where nothing is in it.
fn one(value: &Value, kind: &str) -> Option<Attachment> {
    match value {
        Value::Text(text) => of_text(text.shown.trim(), kind),
        Value::Map(_) => match value.get("$binary") {
            // Version 1 has the text right there.
            Some(Value::Text(data)) => base64(&data.shown).map(|bytes| of_bytes(bytes, None, kind)),
            Some(binary) => base64(binary.str("base64")?).map(|bytes| of_bytes(bytes, None, kind)),
            None => {
                let keys = ["url", "data", "file_data", "base64", "src", "path"];
                of_text(keys.iter().find_map(|key| value.str(key))?.trim(), kind)
            }
        },
        _ => None,
    }
}

fn of_text(text: &str, kind: &str) -> Option<Attachment> {
    if text.is_empty() {
        return None;
    }
    if let Some((mime, bytes)) = of_data_link(text) {
        return Some(of_bytes(bytes, mime, kind));
    }
    if let Some(bytes) = base64(text).filter(|bytes| !is_path(text, bytes)) {
        return Some(of_bytes(bytes, None, kind));
    }
    let is_grid = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let url = if is_grid { format!("gridfs:{text}") } else { text.to_owned() };
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit(['/', '\\']).next().filter(|name| name.contains('.'));
    let name = name.map(Text::from);
    Some(Attachment { kind: kind.to_owned(), name, url: Some(url), ..Attachment::default() })
}

fn of_bytes(bytes: Vec<u8>, said: Option<String>, kind: &str) -> Attachment {
    let sniffed = sniff(&bytes, kind);
    let kind = match sniffed {
        Some("application/pdf") => "pdf",
        Some(mime) if mime.starts_with("image/") => "image",
        Some(mime) if mime.starts_with("audio/") => "audio",
        Some(_) => "file",
        None => kind,
    };
    let mime = sniffed.map(str::to_owned).or(said);
    Attachment { kind: kind.to_owned(), mime, bytes: Some(bytes), ..Attachment::default() }
}

/// Whether a text that could be Base64 is more likely the name of something on a server.
fn is_path(text: &str, bytes: &[u8]) -> bool {
    let is_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let looks_like_data = sniff(bytes, "").is_some() || text.len() >= 256;
    is_id || !looks_like_data && (text.len() < 24 || text.contains('/'))
}

/// Standard or for links, padded or not, with line ends or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let dark: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabets = [&STANDARD, &URL_SAFE];
    let decoded = alphabets
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(&dark).ok());
    decoded.filter(|bytes| !bytes.is_empty())
}

/// The type and the bytes of `data:<mime>;base64,…`
fn of_data_link(text: &str) -> Option<(Option<String>, Vec<u8>)> {
    let head = text.get(..5)?;
    let (head, data) = head.eq_ignore_ascii_case("data:").then(|| text[5..].split_once(','))??;
    let mut parts = head.split(';');
    let mime = parts.next().filter(|mime| !mime.is_empty()).map(str::to_ascii_lowercase);
    let bytes = match parts.any(|part| part.trim().eq_ignore_ascii_case("base64")) {
        true => base64(data)?,
        false => unescaped(data),
    };
    Some((mime, bytes))
}

/// `%20` and its like.
fn unescaped(data: &str) -> Vec<u8> {
    let bytes = data.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let digits = data.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

/// The type, by the first bytes. Containers of sound and pictures alike are what the field says.
fn sniff(bytes: &[u8], kind: &str) -> Option<&'static str> {
    let either = |audio, video| Some(if kind == "audio" { audio } else { video });
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("audio/wav"),
        [b'%', b'P', b'D', b'F', ..] => Some("application/pdf"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => either("audio/webm", "video/webm"),
        [b'O', b'g', b'g', b'S', ..] => either("audio/ogg", "video/ogg"),
        [b'f', b'L', b'a', b'C', ..] => Some("audio/flac"),
        [b'I', b'D', b'3', ..] => Some("audio/mpeg"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => either("audio/mp4", "video/mp4"),
        [b'P', b'K', 3, 4, ..] => Some("application/zip"),
        _ => None,
    }
}

/// A word about attachments that the export has only the address of.
pub(super) fn elsewhere(attachments: &[Attachment]) -> Option<String> {
    let count = attachments.iter().filter(|attachment| attachment.bytes.is_none()).count();
    (count > 0)
        .then(|| format!("{count} of what hung on it is not in the export, only its address."))
}
