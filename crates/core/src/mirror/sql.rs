//! How ids, times and enums stand in SQLite.

use rusqlite::Result;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{
    ConversationId, DeviceId, DocumentId, FileId, MessageId, MessageState, ModelRef, Role,
    Timestamp, TitleBy, UsageId,
};

macro_rules! id_column {
    ($($id:ty),*) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
            }
        }
        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let bytes = value.as_blob()?;
                uuid::Uuid::from_slice(bytes).map(Self).map_err(FromSqlError::other)
            }
        }
    )*};
}

id_column!(ConversationId, MessageId, DeviceId, DocumentId, FileId, UsageId);

impl ToSql for Timestamp {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for ModelRef {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for ModelRef {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        String::column_result(value).map(Self)
    }
}

/// The word for each value is serde's, so that SQL, JSON and TypeScript say the same.
macro_rules! word_column {
    ($($word:ty),*) => {$(
        impl ToSql for $word {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                match serde_json::to_value(self) {
                    Ok(serde_json::Value::String(word)) => Ok(word.into()),
                    _ => unreachable!("a unit variant is a string"),
                }
            }
        }
        impl FromSql for $word {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let word = value.as_str()?;
                serde_json::from_value(serde_json::Value::from(word)).map_err(FromSqlError::other)
            }
        }
    )*};
}

word_column!(Role, MessageState, TitleBy);

/// A column of JSON. NULL and what cannot be read are the default, so that one odd value of a newer
/// version never hides a row.
pub(super) fn json<T: DeserializeOwned + Default>(
    row: &rusqlite::Row<'_>,
    column: &str,
) -> Result<T> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// JSON for a column; the types that stand in one always serialise.
pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data serialises")
}
