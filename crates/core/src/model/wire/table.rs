//! The tables of the wire: names, codes, fields in canonical order, registers.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A synced table. In JSON its name, as text; in digests its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Table {
    /// Conversations.
    Conversations = 1,
    /// Messages.
    Messages = 2,
    /// Documents.
    Documents = 3,
    /// Files of documents and messages.
    Files = 4,
    /// Settings (the server calls them `user_preferences`).
    Settings = 5,
    /// The usage log (the server calls it `usage_logs`).
    Usage = 6,
    /// Devices.
    Devices = 7,
}

/// A field of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, the same on every side.
    pub name: &'static str,
    /// How it travels.
    pub kind: FieldKind,
}

/// How a field travels, and what its text is in a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// An integer; times in Unix milliseconds among them.
    Int,
    /// A boolean.
    Bool,
    /// A UUID, as 36 lower-case characters.
    Id,
    /// JSON, as text.
    Json,
    /// Bytes, as base64.
    Base64,
    /// Bytes, as lower-case hexadecimal.
    Hex,
}

/// Fields that only change together, merged by the last writer's clock. Named after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    /// The key in `clocks`.
    pub name: &'static str,
    /// The fields.
    pub fields: &'static [&'static str],
}

macro_rules! fields {
    ($($name:ident $kind:ident),* $(,)?) => {
        &[$(Field { name: stringify!($name), kind: FieldKind::$kind }),*]
    };
}

macro_rules! registers {
    ($($name:ident $(with $more:ident)*),* $(,)?) => {
        &[$(Register {
            name: stringify!($name),
            fields: &[stringify!($name) $(, stringify!($more))*],
        }),*]
    };
}

impl Table {
    /// All of them, by code.
    pub const ALL: [Self; 7] = [
        Self::Conversations,
        Self::Messages,
        Self::Documents,
        Self::Files,
        Self::Settings,
        Self::Usage,
        Self::Devices,
    ];

    /// The code in digests and in the mirror.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The table with this code.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|table| i64::from(table.code()) == code)
    }

    /// The name on the wire and in the mirror.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conversations => "conversations",
            Self::Messages => "messages",
            Self::Documents => "documents",
            Self::Files => "files",
            Self::Settings => "settings",
            Self::Usage => "usage",
            Self::Devices => "devices",
        }
    }

    /// The table with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// All fields in canonical order, without `id`, `updated_ms` and `clocks`.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Conversations => CONVERSATIONS,
            Self::Messages => MESSAGES,
            Self::Documents => DOCUMENTS,
            Self::Files => FILES,
            Self::Settings => fields![key Text, value Json],
            Self::Usage => USAGE,
            Self::Devices => {
                fields![name Text, platform Text, app_version Text, created_ms Int, revoked_ms Int]
            }
        }
    }

    /// The field with this name.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// What merges by clocks.
    pub const fn registers(self) -> &'static [Register] {
        match self {
            Self::Conversations => registers![
                title with title_by,
                model,
                system_prompt,
                pinned,
                archived,
                trashed_ms,
                continuation_id,
                metadata
            ],
            Self::Messages => registers![trashed_ms, metadata],
            Self::Documents => registers![title, state, metadata, trashed_ms],
            Self::Files => registers![name, storage_path],
            Self::Settings => registers![value],
            Self::Usage => &[],
            Self::Devices => registers![name, platform, app_version],
        }
    }

    /// The register with this name.
    pub fn register(self, name: &str) -> Option<&'static Register> {
        self.registers().iter().find(|register| register.name == name)
    }

    /// The register that a field belongs to; none where it never changes or belongs to a body.
    pub fn register_of(self, field: &str) -> Option<&'static Register> {
        self.registers().iter().find(|register| register.fields.contains(&field))
    }

    /// What changes until its state is final, on the device that runs it, without a clock: a message's
    /// body; nothing elsewhere.
    pub const fn body(self) -> &'static [&'static str] {
        match self {
            Self::Messages => &[
                "content",
                "content_raw",
                "parts",
                "model",
                "state",
                "tokens_in",
                "tokens_out",
                "first_token_ms",
                "cost_micros",
                "finished_ms",
            ],
            _ => &[],
        }
    }
}

const CONVERSATIONS: &[Field] = fields![
    title Text, title_by Text, model Text, system_prompt Text, pinned Bool, archived Bool,
    trashed_ms Int, origin Json, continuation_id Text, metadata Json, created_ms Int,
];

const MESSAGES: &[Field] = fields![
    conversation_id Id, parent_id Id, continues_id Id, role Text, content Text, content_raw Base64,
    parts Json, model Text, state Text, tokens_in Int, tokens_out Int, first_token_ms Int,
    cost_micros Int, metadata Json, device_id Id, created_ms Int, finished_ms Int, trashed_ms Int,
];

const DOCUMENTS: &[Field] = fields![
    conversation_id Id, title Text, mime Text, sha256 Hex, bytes Int, pages Int, state Text,
    origin Json, metadata Json, created_ms Int, trashed_ms Int,
];

const FILES: &[Field] = fields![
    document_id Id, message_id Id, name Text, mime Text, sha256 Hex, bytes Int, storage_path Text,
    origin Json, created_ms Int,
];

const USAGE: &[Field] = fields![
    conversation_id Id, message_id Id, model Text, tokens_in Int, tokens_out Int,
    first_token_ms Int, cost_micros Int, created_ms Int,
];

/// A setting's id: the same on every device, so that two devices that set one key write one row.
///
/// The first 16 bytes of SHA-256 of `tidemark setting ` + key, as a UUIDv8.
pub fn setting_id(key: &str) -> Uuid {
    let digest = Sha256::digest(format!("tidemark setting {key}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The id under which a purged row comes back: the same on every device that brings it back.
pub fn recovered_id(row: Uuid, deleted: i64) -> Uuid {
    Uuid::new_v5(&row, deleted.to_string().as_bytes())
}
