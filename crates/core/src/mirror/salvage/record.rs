//! SQLite's file format, as far as rows need it: varints, cells and records.
//!
//! Everything here takes bytes that may be anything and answers with an option; nothing panics.

use rusqlite::types::Value;

use super::page::USABLE;

/// A kind of b-tree page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    TableLeaf,
    TableInterior,
    IndexLeaf,
    IndexInterior,
}

/// A cell, with what of its payload is on the page itself.
#[derive(Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) left: Option<u32>,
    pub(super) rowid: i64,
    pub(super) bytes: usize,
    pub(super) local: Vec<u8>,
    pub(super) overflow: Option<u32>,
}

/// A b-tree page, taken apart.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) kind: Kind,
    pub(super) cells: Vec<Option<Cell>>,
    pub(super) right: Option<u32>,
}

impl Tree {
    /// The pages below.
    pub(super) fn children(&self) -> impl Iterator<Item = u32> + '_ {
        self.cells.iter().flatten().filter_map(|cell| cell.left).chain(self.right)
    }
}

/// Takes a page apart; none where it is no page of a b-tree.
pub(super) fn tree(number: u32, page: &[u8]) -> Option<Tree> {
    let header = page.get(if number == 1 { 100 } else { 0 }..)?;
    let kind = match *header.first()? {
        0x0d => Kind::TableLeaf,
        0x05 => Kind::TableInterior,
        0x0a => Kind::IndexLeaf,
        0x02 => Kind::IndexInterior,
        _ => return None,
    };
    let interior = matches!(kind, Kind::TableInterior | Kind::IndexInterior);
    let count = usize::from(short(header, 3)?);
    let pointers = header.get(if interior { 12 } else { 8 }..)?.get(..2 * count)?;
    let right = if interior { Some(long(header, 8)?) } else { None };
    let cells = pointers
        .chunks_exact(2)
        .map(|at| cell(kind, page.get(usize::from(u16::from_be_bytes([at[0], at[1]]))..)?))
        .collect();
    Some(Tree { kind, cells, right })
}

fn cell(kind: Kind, mut bytes: &[u8]) -> Option<Cell> {
    let mut cell = Cell { left: None, rowid: 0, bytes: 0, local: Vec::new(), overflow: None };
    if matches!(kind, Kind::TableInterior | Kind::IndexInterior) {
        cell.left = Some(long(bytes, 0)?);
        bytes = bytes.get(4..)?;
    }
    if kind != Kind::TableInterior {
        cell.bytes = usize::try_from(take_varint(&mut bytes)?).ok()?;
    }
    if matches!(kind, Kind::TableInterior | Kind::TableLeaf) {
        cell.rowid = take_varint(&mut bytes)?;
    }
    if kind == Kind::TableInterior {
        return Some(cell);
    }
    let local = local_bytes(kind, cell.bytes);
    cell.local = bytes.get(..local)?.to_vec();
    if local < cell.bytes {
        cell.overflow = Some(long(bytes, local)?);
    }
    Some(cell)
}

/// How much of a payload stands on the page itself (SQLite's file format, 1.6).
fn local_bytes(kind: Kind, bytes: usize) -> usize {
    let most = if kind == Kind::TableLeaf { USABLE - 35 } else { (USABLE - 12) * 64 / 255 - 23 };
    if bytes <= most {
        return bytes;
    }
    let least = (USABLE - 12) * 32 / 255 - 23;
    let even = least + (bytes - least) % (USABLE - 4);
    if even <= most { even } else { least }
}

/// A record's columns; none where the bytes are no record.
pub(super) fn record(bytes: &[u8]) -> Option<Vec<Value>> {
    let mut rest = bytes;
    let header = usize::try_from(take_varint(&mut rest)?).ok()?;
    let mut types = bytes.get(bytes.len() - rest.len()..header)?;
    let mut body = bytes.get(header..)?;
    let mut columns = Vec::new();
    while !types.is_empty() {
        columns.push(column(take_varint(&mut types)?, &mut body)?);
    }
    body.is_empty().then_some(columns)
}

fn column(kind: i64, body: &mut &[u8]) -> Option<Value> {
    let mut take = |len: usize| {
        let (taken, rest) = body.split_at_checked(len)?;
        *body = rest;
        Some(taken)
    };
    Some(match kind {
        0 => Value::Null,
        1..=6 => Value::Integer(integer(take([1, 2, 3, 4, 6, 8][kind as usize - 1])?)),
        7 => Value::Real(f64::from_be_bytes(take(8)?.try_into().ok()?)),
        8 | 9 => Value::Integer(kind - 8),
        12.. => {
            let bytes = take(usize::try_from((kind - 12) / 2).ok()?)?.to_vec();
            if kind % 2 == 0 {
                Value::Blob(bytes)
            } else {
                Value::Text(String::from_utf8(bytes).ok()?)
            }
        }
        _ => return None,
    })
}

/// Big-endian, with its sign.
fn integer(bytes: &[u8]) -> i64 {
    let first = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(first, |value, byte| value << 8 | i64::from(*byte))
}

/// One to nine bytes, seven bits each, eight in the ninth.
fn take_varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for place in 0..9 {
        let byte = *bytes.get(place)?;
        if place == 8 {
            value = value << 8 | u64::from(byte);
        } else {
            value = value << 7 | u64::from(byte & 0x7f);
        }
        if byte & 0x80 == 0 || place == 8 {
            *bytes = &bytes[place + 1..];
            return Some(value as i64);
        }
    }
    None
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_every_length_are_read() {
        for (bytes, value) in [
            (&[0x00][..], 0),
            (&[0x7f], 127),
            (&[0x81, 0x00], 128),
            (&[0xff, 0x7f], 16_383),
            (&[0xff; 9], -1),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 1),
        ] {
            let mut rest = bytes;
            assert_eq!(take_varint(&mut rest), Some(value), "{bytes:?}");
            assert!(rest.is_empty());
        }
        assert_eq!(take_varint(&mut &[0x80][..]), None);
        assert_eq!(take_varint(&mut &[0xff; 8][..]), None);
    }

    #[test]
    fn a_record_of_every_type_is_read() {
        let bytes = [
            9, 0, 1, 2, 7, 8, 9, 16, 17, // header of nine bytes
            0xfe, 0x01, 0x00, 0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18, 7, 8, b'h', b'i',
        ];
        let columns = record(&bytes).expect("a record");
        assert_eq!(
            columns,
            [
                Value::Null,
                Value::Integer(-2),
                Value::Integer(256),
                Value::Real(std::f64::consts::PI),
                Value::Integer(0),
                Value::Integer(1),
                Value::Blob(vec![7, 8]),
                Value::Text("hi".to_owned()),
            ]
        );
    }

    #[test]
    fn a_record_that_does_not_add_up_is_none() {
        assert_eq!(record(&[]), None);
        assert_eq!(record(&[2, 1]), None, "a body that is missing");
        assert_eq!(record(&[2, 8, 0]), None, "a byte too many");
        assert_eq!(record(&[2, 10]), None, "a type that is reserved");
        assert_eq!(record(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(record(&[3, 0xff, 0x7f]), None, "longer than there is");
    }

    #[test]
    fn hostile_bytes_never_panic() {
        let seed = std::process::id() as u64;
        let mut state = seed | 1;
        for round in 0..20_000 {
            let mut page = vec![0_u8; if round % 7 == 0 { 40 } else { USABLE }];
            for byte in &mut page {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *byte =
                    if round % 3 == 0 { (state >> 32) as u8 | 0x80 } else { (state >> 32) as u8 };
            }
            page[0] = [0x0d, 0x05, 0x0a, 0x02][round % 4];
            let number = 1 + (round % 5) as u32;
            // A panic fails the test; its message names the seed.
            let read = std::panic::catch_unwind(|| {
                if let Some(tree) = tree(number, &page) {
                    tree.cells.iter().flatten().for_each(|cell| drop(record(&cell.local)));
                }
                drop(record(&page));
            });
            assert!(read.is_ok(), "seed {seed}, round {round}");
        }
    }
}
