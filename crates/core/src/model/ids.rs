//! Ids with a type each, so that two of them cannot be swapped.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A conversation: UUIDv7, or UUIDv5 where an import derives it.
    ConversationId
);
id!(
    /// A message: UUIDv7, or UUIDv5 where an import derives it.
    MessageId
);
id!(
    /// A computer (a data folder on it, to be exact).
    DeviceId
);
id!(
    /// A document that answers may cite.
    DocumentId
);
id!(
    /// A file, by row; its bytes are named by their SHA-256.
    FileId
);
id!(
    /// One entry of the usage log.
    UsageId
);
