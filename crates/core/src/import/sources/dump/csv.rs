//! CSV as Supabase Studio and Postgres write it (RFC 4180). What is not quoted and empty is nothing.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;

use super::{EachRow, LARGEST, Row};
use crate::import::Text;
use crate::import::lax::{Decoded, Map, Value};
use crate::import::record::Kind;
use crate::import::sources::{Sink, files::Found};

/// The columns, by the beginning of a file.
pub(super) fn header(start: &[u8]) -> Vec<String> {
    let mut records = Records { inner: BufReader::new(start) };
    let first = records.next().ok().flatten().unwrap_or_default();
    first.cells.into_iter().flatten().map(|cell| Text::from_bytes(cell).shown).collect()
}

/// The rows of a file.
pub(super) fn rows(
    file: &Found,
    table: &str,
    sink: &mut Sink<'_>,
    each: &mut EachRow<'_>,
) -> ControlFlow<()> {
    let opened = match file.open() {
        Ok(opened) => opened,
        Err(error) => return broken(file, &error, sink),
    };
    let mut records = Records { inner: BufReader::with_capacity(64 << 10, Decoded::new(opened)) };
    let mut columns: Option<Vec<Text>> = None;
    let mut number = 0;
    loop {
        let record = match records.next() {
            Ok(Some(record)) => record,
            Ok(None) => return ControlFlow::Continue(()),
            Err(error) => return broken(file, &error, sink),
        };
        let Some(columns) = &columns else {
            let names =
                record.cells.into_iter().map(|cell| Text::from_bytes(cell.unwrap_or_default()));
            columns = Some(names.collect());
            continue;
        };
        number += 1;
        let place = file.place(format!("row {number}"));
        if record.is_too_large {
            sink(place.skip(Kind::File, "One row is larger than any program writes."))?;
            continue;
        }
        // A line without a comma is blank, or torn off.
        if record.cells.len() == 1 && columns.len() > 1 && record.cells[0].is_none() {
            continue;
        }
        let is_whole = !record.is_cut && record.cells.len() >= columns.len();
        if !is_whole {
            sink(
                place.skip(Kind::File, "The row breaks off; what it has is used where it can be."),
            )?;
        }
        let cell = |bytes: Option<Vec<u8>>| {
            bytes.map_or(Value::Null, |bytes| Value::Text(Text::from_bytes(bytes)))
        };
        let mut cells: Vec<_> =
            columns.iter().cloned().zip(record.cells.into_iter().map(cell)).collect();
        if record.is_cut {
            // Half a value is none.
            cells.pop();
        }
        let value = Value::Map(Map { entries: cells, is_whole });
        each(Row { table: table.to_owned(), value, place }, sink)?;
    }
}

fn broken(file: &Found, error: &io::Error, sink: &mut Sink<'_>) -> ControlFlow<()> {
    sink(file.place("").skip(Kind::File, format!("It cannot be read: {error}.")))
}

/// One record.
#[derive(Debug, Default)]
struct Record {
    /// None: empty, and not quoted.
    cells: Vec<Option<Vec<u8>>>,
    /// The file ends inside a quoted cell.
    is_cut: bool,
    is_too_large: bool,
}

struct Records<R: Read> {
    inner: BufReader<R>,
}

impl<R: Read> Records<R> {
    /// The next record; none at the end.
    fn next(&mut self) -> io::Result<Option<Record>> {
        if self.inner.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut record = Record::default();
        let mut bytes = 0;
        loop {
            let (cell, end) = self.cell(&mut record)?;
            bytes += cell.as_ref().map_or(0, Vec::len);
            record.is_too_large |= bytes > LARGEST;
            match record.is_too_large {
                true => record.cells.clear(),
                false => record.cells.push(cell),
            }
            if end != b',' {
                return Ok(Some(record));
            }
        }
    }

    /// One cell, and what ended it: a comma, or a line's end.
    fn cell(&mut self, record: &mut Record) -> io::Result<(Option<Vec<u8>>, u8)> {
        let mut cell = Vec::new();
        let mut was_quoted = false;
        let mut in_quotes = false;
        while let Some(byte) = self.byte()? {
            match (byte, in_quotes) {
                (b'"', true) if self.peek()? == Some(b'"') => {
                    self.inner.consume(1);
                    cell.push(b'"');
                }
                (b'"', true) => in_quotes = false,
                (b'"', false) if cell.is_empty() && !was_quoted => {
                    (in_quotes, was_quoted) = (true, true);
                }
                (b',' | b'\n', false) => {
                    if byte == b'\n' && cell.last() == Some(&b'\r') && !was_quoted {
                        cell.pop();
                    }
                    return Ok(((was_quoted || !cell.is_empty()).then_some(cell), byte));
                }
                (b'\r', false) if was_quoted => {}
                _ if cell.len() > LARGEST => record.is_too_large = true,
                _ => cell.push(byte),
            }
        }
        record.is_cut = in_quotes;
        Ok(((was_quoted || !cell.is_empty()).then_some(cell), b'\n'))
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        self.inner.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.inner.fill_buf()?.first().copied())
    }
}
