//! What can go wrong with the mirror, by what the caller can do.

use rusqlite::ErrorCode;

use crate::error::{Code, Failure};

/// A failure of the mirror.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds the write lock and did not let go in time. Try again.
    #[error("the mirror is busy")]
    Busy(#[source] rusqlite::Error),
    /// No space left. Nothing was written; try again after making room.
    #[error("no space left")]
    Full(#[source] rusqlite::Error),
    /// The file or folder cannot be written.
    #[error("read-only")]
    ReadOnly(#[source] rusqlite::Error),
    /// The disk failed. Nothing was written.
    #[error("the disk failed")]
    Disk(#[source] rusqlite::Error),
    /// The file is damaged.
    #[error("the mirror is damaged")]
    Corrupt(#[source] rusqlite::Error),
    /// The key is not this file's.
    #[error("the key does not open this mirror")]
    WrongKey,
    /// The file was written by a newer version; it was left alone.
    #[error("schema {found} is newer than {known}")]
    Newer {
        /// The file's schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// A migration that was applied is not the one that this program carries.
    #[error("migration {0} differs from the one that was applied")]
    MigrationChanged(i64),
    /// No such row.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// What the caller asked for cannot be done, and why.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// A file beside the mirror cannot be used.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// What the server sent cannot be. Nothing of it was taken.
    #[error("the server's answer cannot be: {0}")]
    Unsound(&'static str),
    /// A fault of ours.
    #[error("SQLite: {0}")]
    Sql(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(error),
            Some(ErrorCode::DiskFull) => Self::Full(error),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(error),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Self::Disk(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error),
            _ => Self::Sql(error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if !matches!(error, Error::NotFound(_) | Error::Refused(_)) {
            tracing::error!(%error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "mirror");
        }
        match error {
            Error::Refused(failure) => failure,
            Error::NotFound(what) => Failure::new(Code::NotFound, format!("There is no such {what} any more.")),
            Error::Busy(_) => Failure::new(Code::Busy, "Another Tidemark process is writing. Nothing was lost.")
                .hint("Try again in a moment."),
            Error::Full(_) => Failure::new(Code::DiskFull, "The disk is full, so this was not saved. Everything saved before is safe.")
                .hint("Make room on the disk, then try again."),
            Error::ReadOnly(_) => Failure::new(Code::ReadOnly, "Tidemark's folder cannot be written, so this was not saved. Everything saved before is safe.")
                .hint("Check the permissions of the folder and of the disk."),
            Error::Disk(_) | Error::Io(_) => Failure::new(Code::ReadOnly, "The disk reported a failure, so this was not saved. Everything saved before is as it was.")
                .hint("Try again; if it happens again, check the disk and make a backup."),
            Error::Corrupt(_) => Failure::new(Code::Corrupt, "A part of the mirror is damaged. Nothing was deleted.")
                .hint("Restart Tidemark: it sets the damaged file aside and saves every row that can be read."),
            Error::WrongKey => Failure::new(Code::WrongKey, "The key does not open this mirror. The file was not changed.")
                .hint("Use the recovery key, or start Tidemark where the right key is."),
            Error::Newer { found, known } => Failure::new(Code::Newer, format!("This mirror was written by a newer Tidemark (schema {found}; this one knows {known}). It was not changed."))
                .hint("Install the newer version."),
            Error::MigrationChanged(version) => Failure::new(Code::Newer, format!("This mirror was made by another build of Tidemark (migration {version} differs). It was not changed."))
                .hint("Use the build that made it."),
            Error::Unsound(_) => Failure::new(Code::Internal, "The server sent something that cannot be. Nothing here was changed.")
                .hint("Tidemark tries again; if it happens again, tell whoever runs the server."),
            Error::Sql(_) => Failure::new(Code::Internal, "Something went wrong inside Tidemark. Nothing was changed.")
                .hint("Try again; the log in Tidemark's folder says more."),
        }
    }
}
