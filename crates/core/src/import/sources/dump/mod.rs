//! Dumps of tables: rows as JSON in any shape, CSV, or SQL, and what joins them again.
//!
//! | looking for | look in |
//! |---|---|
//! | JSON, and which file is what | here |
//! | CSV | `csv.rs` |
//! | `INSERT` and `COPY` | `sql.rs` |
//! | rows put aside until their session is known | `shelf.rs` |

mod csv;
mod shelf;
mod sql;

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::files::{self, Found};
use super::{Sink, speech};
use crate::import::lax::{self, Key, Shape, Value};
use crate::import::record::{Kind, Place};
use crate::import::time::{When, Zone};

pub(crate) use shelf::{Filed, Gathered, Order};

/// A row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its table, as far as the file says; empty where it does not.
    pub(crate) table: String,
    /// An object: column, value.
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// Takes a row, and where its items go.
pub(crate) type EachRow<'a> = dyn FnMut(Row, &mut Sink<'_>) -> ControlFlow<()> + 'a;

/// The largest row that is read.
const LARGEST: usize = 96 << 20;

/// Names that tables have in the dumps that are known; longer ones first where one is in another.
const TABLES: [&str; 20] = [
    "document_access_logs",
    "provider_file_uploads",
    "assistant_responses",
    "branch_selections",
    "conversation_files",
    "user_preferences",
    "chat_messages",
    "chat_sessions",
    "user_profiles",
    "support_tickets",
    "export_session",
    "file_metadata",
    "conversations",
    "usage_logs",
    "documents",
    "messages",
    "sessions",
    "uploads",
    "users",
    "files",
];

/// The table that a file is named after, if any.
pub(crate) fn table_of(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    TABLES.into_iter().find(|table| name.contains(table)).unwrap_or_default()
}

/// What kind of dump a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Json,
    Csv,
    Sql,
}

/// The kind, by its name. None: it is no dump.
pub(crate) fn form_of(file: &Found) -> Option<Form> {
    match file.name().to_ascii_lowercase().rsplit_once('.')?.1 {
        "json" | "jsonl" | "ndjson" => Some(Form::Json),
        "csv" => Some(Form::Csv),
        "sql" => Some(Form::Sql),
        _ => None,
    }
}

/// The dumps below a root; JSON first, which says most, then CSV, then SQL.
pub(crate) fn files_of(root: &Path) -> io::Result<Vec<Found>> {
    let mut files: Vec<_> =
        files::all(root)?.into_iter().filter(|file| form_of(file).is_some()).collect();
    files.sort_by_key(form_of);
    Ok(files)
}

/// Whether a dump below a root has all columns of one of these lists in its first row.
pub(crate) fn has_columns(root: &Path, lists: &[&[&str]]) -> bool {
    let is_ours = |file: Found| {
        let columns = columns(&file);
        let has = |column: &&str| columns.iter().any(|known| known == column);
        lists.iter().any(|list| list.iter().all(&has))
    };
    files_of(root).is_ok_and(|files| files.into_iter().take(200).any(is_ours))
}

/// Whether the first row of any file has a column like this.
pub(crate) fn has_column(root: &Path, is_it: impl Fn(&str) -> bool) -> bool {
    let is_ours = |file: Found| columns(&file).iter().any(|column| is_it(column));
    files_of(root).is_ok_and(|files| files.into_iter().take(200).any(is_ours))
}

/// What a row says in these columns, whatever form it was dumped in.
pub(crate) fn says(value: &Value, columns: &[&str]) -> Vec<u8> {
    let mut says = Vec::new();
    for column in columns {
        let text = speech::content(value.get(column));
        says.extend_from_slice(&(text.bytes().len() as u64).to_be_bytes());
        says.extend_from_slice(text.bytes());
    }
    says
}

/// A time as a place in an order: microseconds, which a database keeps and [`When`] does not.
pub(crate) fn order_of(value: Option<&Value>, zone: Zone) -> Option<i64> {
    let ms = When::read(value, zone).at?.0;
    let text = value.and_then(Value::as_str).unwrap_or_default();
    let fraction = text.split_once('.').map(|(_, fraction)| fraction).unwrap_or_default();
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).skip(3).take(3);
    let digits: Vec<i64> = digits.map(|digit| i64::from(digit - b'0')).collect();
    let micros = (0..3).fold(0, |micros, at| micros * 10 + digits.get(at).copied().unwrap_or(0));
    ms.checked_mul(1_000)?.checked_add(micros)
}

/// A column of JSON, which dumps have as text.
pub(crate) fn object(value: Option<&Value>) -> serde_json::Map<String, serde_json::Value> {
    match value.map(|value| speech::unwrap(value).to_json()) {
        None | Some(serde_json::Value::Null) => serde_json::Map::new(),
        Some(serde_json::Value::Object(object)) => object,
        Some(other) => [("metadata".to_owned(), other)].into_iter().collect(),
    }
}

/// The columns of a file's first row, by its beginning only; none of our own export, which is nobody's dump.
pub(crate) fn columns(file: &Found) -> Vec<String> {
    let columns = columns_of(file);
    let is_ours =
        ["title_by", "continuation_id"].iter().all(|ours| columns.iter().any(|c| c == ours));
    if is_ours { Vec::new() } else { columns }
}

fn columns_of(file: &Found) -> Vec<String> {
    let start = file.beginning(32 << 10);
    let names = |value: &Value| -> Vec<String> {
        value.entries().iter().map(|(name, _)| name.shown.clone()).collect()
    };
    match form_of(file) {
        None => Vec::new(),
        Some(Form::Json) => {
            let value = after_a_torn_line(&start).unwrap_or_else(|| lax::parse(&start).value);
            let first = value.items().first().unwrap_or(&value);
            let inner = container(first).and_then(|table| first.get(table)?.items().first());
            names(inner.unwrap_or(first))
        }
        Some(Form::Csv) => csv::header(&start),
        Some(Form::Sql) => sql::first_columns(&start),
    }
}

/// The second line, where the first is no whole row and it is: of a file of lines whose head is torn.
fn after_a_torn_line(start: &[u8]) -> Option<Value> {
    let whole = |line: &[u8]| {
        let value = lax::parse(line).value;
        (value.as_map().is_some() && value.is_whole()).then_some(value)
    };
    let mut lines = start.split(|byte| *byte == b'\n');
    match whole(lines.next()?) {
        Some(_) => None,
        None => whole(lines.next()?),
    }
}

/// The rows of a file, in its order. What is wrong with it becomes items.
pub(crate) fn rows(file: &Found, sink: &mut Sink<'_>, each: &mut EachRow<'_>) -> ControlFlow<()> {
    let table = table_of(file.name());
    match form_of(file) {
        Some(Form::Json) | None => json(file, table, sink, each),
        Some(Form::Csv) => csv::rows(file, table, sink, each),
        Some(Form::Sql) => sql::rows(file, sink, each),
    }
}

fn json(file: &Found, table: &str, sink: &mut Sink<'_>, each: &mut EachRow<'_>) -> ControlFlow<()> {
    let first = lax::parse(&file.beginning(32 << 10)).value;
    let is_export = container(&first).is_some();
    let shape = if is_export { Shape::One } else { Shape::Many };
    let into = |way: &[Key]| is_export && way.len() == 1 && LISTS.contains(&way[0].name());
    files::walk(file, shape, &into, sink, &mut |way, element, sink| {
        let place = file.place(files::way_of(way));
        let value = files::value(&place, &element, sink)?;
        let table = match way {
            [Key::Name(name), ..] => name.shown.clone(),
            _ => table.to_owned(),
        };
        match value {
            Value::Map(_) => each(Row { table, value, place }, sink),
            // The scalars beside the lists of an export.
            _ if matches!(way, [Key::Name(_)]) => ControlFlow::Continue(()),
            value => {
                sink(place.skip(Kind::File, format!("It is {} where a row belongs.", value.kind())))
            }
        }
    })?;
    ControlFlow::Continue(())
}

/// The lists that an export of a whole user, or of a session, has.
const LISTS: [&str; 8] = [
    "conversations",
    "messages",
    "documents",
    "chat_sessions",
    "chat_messages",
    "usage_logs",
    "uploads",
    "files",
];

/// The first list in an object that holds tables and is no row itself.
fn container(value: &Value) -> Option<&'static str> {
    let is_row = ["id", "_id", "conversation_id", "session_id", "thread_id", "title", "role"];
    if is_row.iter().any(|key| value.get(key).is_some()) {
        return None;
    }
    LISTS.into_iter().find(|list| matches!(value.get(list), Some(Value::List(_))))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(name: &str, text: &[u8]) -> (Vec<String>, usize) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(name), text).expect("written");
        let file = &files::all(folder.path()).expect("readable")[0];
        let (mut found, mut odd) = (Vec::new(), 0);
        let mut sink = |_| {
            odd += 1;
            ControlFlow::Continue(())
        };
        let _ = rows(file, &mut sink, &mut |row, _| {
            found.push(format!("{} {}", row.table, row.value.to_json()));
            ControlFlow::Continue(())
        });
        (found, odd)
    }

    #[test]
    fn rows_are_the_same_in_every_form() {
        let expected = [
            r#"messages {"content":"it's; \"x\"\nback\\slash","id":"1","n":null}"#,
            r#"messages {"content":"é","id":"2","n":"7"}"#,
        ];
        let forms: [(&str, &str); 6] = [
            (
                "messages.json",
                r#"[{"id":"1","content":"it's; \"x\"\nback\\slash","n":null},{"id":"2","content":"é","n":"7"}]"#,
            ),
            (
                "m.json",
                r#"{"messages":[{"id":"1","content":"it's; \"x\"\nback\\slash","n":null},{"id":"2","content":"é","n":"7"}],"at":1}"#,
            ),
            (
                "messages_rows.csv",
                "id,content,n\r\n1,\"it's; \"\"x\"\"\nback\\slash\",\r\n2,é,7\r\n",
            ),
            (
                "x.sql",
                "-- dump\nINSERT INTO \"public\".\"messages\" (\"id\", \"content\", \"n\") VALUES ('1', 'it''s; \"x\"\nback\\slash', null), ('2', 'é'::text, '7');",
            ),
            (
                "y.sql",
                "insert into messages (id, content, n) values ('1', E'it\\'s; \"x\"\\nback\\\\slash', NULL); INSERT INTO messages (id, content, n) VALUES ('2', 'é', '7');",
            ),
            (
                "z.sql",
                "COPY public.messages (id, content, n) FROM stdin;\n1\tit's; \"x\"\\nback\\\\slash\t\\N\n2\té\t7\n\\.\n",
            ),
        ];
        for (name, text) in forms {
            let (found, odd) = read(name, text.as_bytes());
            assert_eq!(
                (found.as_slice(), odd),
                (expected.map(str::to_owned).as_slice(), 0),
                "{name}"
            );
        }
    }

    #[test]
    fn any_beginning_of_a_dump_comes_to_an_end() {
        let forms: [(&str, &str); 3] = [
            ("messages.csv", "id,content\n1,\"a \"\"b\"\" c\"\n2,x\n"),
            ("x.sql", "INSERT INTO messages (id, content) VALUES ('1', 'a''b'), ('2', E'x\\n');"),
            ("y.sql", "COPY messages (id, content) FROM stdin;\n1\ta\\tb\n2\tx\n\\.\n"),
        ];
        for (name, text) in forms {
            for end in 0..text.len() {
                let (found, _) = read(name, &text.as_bytes()[..end]);
                assert!(found.len() <= 2, "{name} {end}");
            }
        }
    }
}
