//! `INSERT` as Supabase Studio writes it, and `INSERT` and `COPY` as `pg_dump` does. Nothing is run:
//! the values are picked out, and everything else is passed over.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;

use super::{EachRow, LARGEST, Row};
use crate::import::Text;
use crate::import::lax::{Decoded, Map, Value};
use crate::import::record::Kind;
use crate::import::sources::{Sink, files::Found};

/// The columns of the first table, by the beginning of a file.
pub(super) fn first_columns(start: &[u8]) -> Vec<String> {
    let mut tokens = Tokens { inner: BufReader::new(start) };
    match tokens.next_head() {
        Ok(Some(head)) => head.columns.into_iter().map(|column| column.shown).collect(),
        _ => Vec::new(),
    }
}

/// The rows of a file.
pub(super) fn rows(file: &Found, sink: &mut Sink<'_>, each: &mut EachRow<'_>) -> ControlFlow<()> {
    let read = file.open().and_then(|opened| {
        let inner = BufReader::with_capacity(64 << 10, Decoded::new(opened));
        Dump { tokens: Tokens { inner }, file, number: 0 }.read(sink, each)
    });
    match read {
        Ok(flow) => flow,
        Err(error) => sink(file.place("").skip(Kind::File, format!("It cannot be read: {error}."))),
    }
}

struct Dump<'a, R: Read> {
    tokens: Tokens<R>,
    file: &'a Found,
    number: usize,
}

impl<R: Read> Dump<'_, R> {
    fn read(&mut self, sink: &mut Sink<'_>, each: &mut EachRow<'_>) -> io::Result<ControlFlow<()>> {
        while let Some(head) = self.tokens.next_head()? {
            let flow = match head.is_copy {
                true => self.lines(&head, sink, each)?,
                false => self.tuples(&head, sink, each)?,
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// `(…), (…);`
    fn tuples(
        &mut self,
        head: &Head,
        sink: &mut Sink<'_>,
        each: &mut EachRow<'_>,
    ) -> io::Result<ControlFlow<()>> {
        loop {
            match self.tokens.next()? {
                Token::Sign(b'(') => {}
                Token::Sign(b',') => continue,
                _ => return Ok(ControlFlow::Continue(())),
            }
            let (values, is_whole) = self.tokens.values()?;
            let flow = self.row(head, values, is_whole, sink, each);
            if flow.is_break() {
                return Ok(flow);
            }
        }
    }

    /// Lines up to `\.`
    fn lines(
        &mut self,
        head: &Head,
        sink: &mut Sink<'_>,
        each: &mut EachRow<'_>,
    ) -> io::Result<ControlFlow<()>> {
        loop {
            let (line, is_whole) = self.tokens.line()?;
            let is_end = line == b"\\." || (!is_whole && matches!(line.as_slice(), b"" | b"\\"));
            if is_end {
                return Ok(ControlFlow::Continue(()));
            }
            let values = line.split(|byte| *byte == b'\t').map(unescaped).collect();
            let flow = self.row(head, values, is_whole, sink, each);
            if flow.is_break() || !is_whole {
                return Ok(flow);
            }
        }
    }

    fn row(
        &mut self,
        head: &Head,
        values: Vec<Value>,
        is_whole: bool,
        sink: &mut Sink<'_>,
        each: &mut EachRow<'_>,
    ) -> ControlFlow<()> {
        self.number += 1;
        let place = self.file.place(format!("{} row {}", head.table, self.number));
        if !is_whole {
            sink(
                place.skip(Kind::File, "The row breaks off; what it has is used where it can be."),
            )?;
        }
        let entries = head.columns.iter().cloned().zip(values).collect();
        let value = Value::Map(Map { entries, is_whole });
        each(Row { table: head.table.clone(), value, place }, sink)
    }
}

/// Which table and columns the values that follow belong to.
#[derive(Debug, Default)]
struct Head {
    table: String,
    columns: Vec<Text>,
    is_copy: bool,
}

#[derive(Debug, PartialEq)]
enum Token {
    /// A name or a number.
    Word(Vec<u8>),
    /// `"…"`
    Name(Vec<u8>),
    /// `'…'`; none where it is not whole, or too large.
    Text(Option<Vec<u8>>),
    Sign(u8),
    End,
}

struct Tokens<R: Read> {
    inner: BufReader<R>,
}

impl<R: Read> Tokens<R> {
    /// The next `INSERT INTO t (…) VALUES` or `COPY t (…) FROM stdin;`. None: the file ends.
    fn next_head(&mut self) -> io::Result<Option<Head>> {
        loop {
            let is_copy = match self.next()? {
                Token::End => return Ok(None),
                Token::Word(word) if word.eq_ignore_ascii_case(b"copy") => true,
                Token::Word(word) if word.eq_ignore_ascii_case(b"insert") => false,
                _ => continue,
            };
            if let Some(head) = self.head(is_copy)? {
                return Ok(Some(head));
            }
        }
    }

    fn head(&mut self, is_copy: bool) -> io::Result<Option<Head>> {
        let mut head = Head { is_copy, ..Head::default() };
        let mut in_columns = false;
        loop {
            match self.next()? {
                Token::End | Token::Sign(b';') | Token::Text(_) => return Ok(None),
                Token::Sign(b'(') => in_columns = true,
                Token::Sign(b')') => break,
                Token::Sign(_) => {}
                Token::Word(name) | Token::Name(name) if in_columns => {
                    head.columns.push(Text::from_bytes(name));
                }
                Token::Word(word) if word.eq_ignore_ascii_case(b"into") => {}
                // The last part of `public.messages`.
                Token::Word(name) | Token::Name(name) => {
                    let name = Text::from_bytes(name).shown;
                    head.table = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
                }
            }
        }
        loop {
            match self.next()? {
                Token::Word(word) if word.eq_ignore_ascii_case(b"values") && !is_copy => break,
                Token::Sign(b';') if is_copy => {
                    self.line()?;
                    break;
                }
                Token::Word(_) => {}
                _ => return Ok(None),
            }
        }
        Ok(Some(head))
    }

    /// The values of a row up to its `)`, and whether that was there.
    fn values(&mut self) -> io::Result<(Vec<Value>, bool)> {
        let (mut values, mut value, mut depth) = (Vec::new(), None, 0_usize);
        loop {
            match self.next()? {
                Token::End => return Ok((values, false)),
                Token::Sign(b'(' | b'[') => depth += 1,
                Token::Sign(b')') if depth == 0 => {
                    values.push(value.unwrap_or(Value::Null));
                    return Ok((values, true));
                }
                Token::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                Token::Sign(b',') if depth == 0 => values.push(value.take().unwrap_or(Value::Null)),
                Token::Sign(_) | Token::Name(_) => {}
                Token::Text(None) => return Ok((values, false)),
                Token::Text(Some(text)) => {
                    value.get_or_insert(Value::Text(Text::from_bytes(text)));
                }
                Token::Word(word) => {
                    // Of `'…'::jsonb` the first part is the value; `E` stands before a text.
                    if value.is_none() {
                        value = literal(&word);
                    }
                }
            }
        }
    }

    fn next(&mut self) -> io::Result<Token> {
        loop {
            let Some(byte) = self.byte()? else { return Ok(Token::End) };
            match byte {
                b'\'' => return Ok(Token::Text(self.quoted(b'\'', false)?)),
                b'"' => return Ok(self.quoted(b'"', false)?.map_or(Token::End, Token::Name)),
                b'E' | b'e' if self.peek()? == Some(b'\'') => {
                    self.inner.consume(1);
                    return Ok(Token::Text(self.quoted(b'\'', true)?));
                }
                b'-' if self.peek()? == Some(b'-') => drop(self.line()?),
                b'/' if self.peek()? == Some(b'*') => self.comment()?,
                byte if is_word(byte) => return self.word(byte).map(Token::Word),
                byte if byte.is_ascii_whitespace() || byte == 0 => {}
                sign => return Ok(Token::Sign(sign)),
            }
        }
    }

    fn word(&mut self, first: u8) -> io::Result<Vec<u8>> {
        let mut word = vec![first];
        while let Some(byte) = self.peek()?.filter(|byte| is_word(*byte) && word.len() < 1_000) {
            self.inner.consume(1);
            word.push(byte);
        }
        Ok(word)
    }

    /// Up to the closing quote. None: it is not there, or the text is too large.
    fn quoted(&mut self, quote: u8, has_escapes: bool) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        while let Some(byte) = self.byte()? {
            if byte == quote {
                if self.peek()? != Some(quote) {
                    return Ok((text.len() <= LARGEST).then_some(text));
                }
                self.inner.consume(1);
            }
            if text.len() > LARGEST {
                continue;
            }
            text.push(byte);
            if byte == b'\\' && has_escapes {
                text.pop();
                let Some(escaped) = self.byte()? else { return Ok(None) };
                text.push(plain(escaped));
            }
        }
        Ok(None)
    }

    fn comment(&mut self) -> io::Result<()> {
        let mut before = 0;
        while let Some(byte) = self.byte()? {
            if (before, byte) == (b'*', b'/') {
                break;
            }
            before = byte;
        }
        Ok(())
    }

    /// The rest of a line, and whether its end was there.
    fn line(&mut self) -> io::Result<(Vec<u8>, bool)> {
        let mut line = Vec::new();
        while let Some(byte) = self.byte()? {
            if byte == b'\n' {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok((line, true));
            }
            if line.len() <= LARGEST {
                line.push(byte);
            }
        }
        Ok((line, false))
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

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-') || byte >= 0x80
}

/// A value that is not quoted.
fn literal(word: &[u8]) -> Option<Value> {
    let word = std::str::from_utf8(word).ok()?;
    match word.to_ascii_lowercase().as_str() {
        "null" => Some(Value::Null),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        number if number.parse::<f64>().is_ok() => Some(Value::Number(word.to_owned())),
        // A function, or the beginning of `ARRAY[…]`.
        _ => None,
    }
}

/// What `\n` and its like stand for.
fn plain(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        other => other,
    }
}

/// A field of `COPY`.
fn unescaped(field: &[u8]) -> Value {
    if field == b"\\N" {
        return Value::Null;
    }
    let mut text = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        match (byte, byte == &b'\\') {
            (_, true) => text.extend(bytes.next().map(|escaped| plain(*escaped))),
            (byte, false) => text.push(*byte),
        }
    }
    Value::Text(Text::from_bytes(text))
}
