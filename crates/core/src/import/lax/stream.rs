//! Walks a document of any size and hands out its members, one at a time.
//!
//! Only one member is in memory. A container is walked into where the caller says so; everything else
//! is handed out as the bytes that it has in the file. What comes behind the end of a document is told
//! and not read: old files end with the rest of a longer version of themselves.

use std::io::{BufRead, BufReader, Read, Result};
use std::ops::ControlFlow;

use super::bytes::Decoded;
use super::parse::parse;
use super::value::Value;
use crate::import::Text;

/// A larger member is not read: no conversation of any program comes near.
const LARGEST: usize = 96 << 20;

/// How one comes to a member: by its name, or by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// In an object.
    Name(Text),
    /// In a list, or a document among several.
    Number(usize),
}

impl Key {
    /// The name, as shown; empty for a number.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => &name.shown,
            Self::Number(_) => "",
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&name.shown),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One document; its members are handed out.
    One,
    /// Documents behind each other, on lines of their own or not; lists of them are walked into.
    Many,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its bytes, as UTF-8; none where it is too large.
    pub bytes: Vec<u8>,
    /// Where it begins: bytes from the beginning of the file, once it is UTF-8.
    pub offset: u64,
    /// Its end was there.
    pub is_whole: bool,
    /// How large it is, where it was not read for that.
    pub too_large: Option<u64>,
}

/// What is found beside the members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walked {
    /// Members that were handed out.
    pub members: usize,
    /// Where what is no part of the document begins, behind it.
    pub garbage: Option<u64>,
    /// The document ends before its end.
    pub is_cut: bool,
    /// Nothing but blanks is in the file.
    pub is_empty: bool,
}

/// Walks a file. `into` says for each container below the first whether it is walked into, by the way
/// to it; `each` gets the members, and may end the walk.
///
/// # Errors
/// Those of reading the file. What is wrong with its content is told with the members.
pub fn members(
    file: impl Read,
    shape: Shape,
    into: &dyn Fn(&[Key]) -> bool,
    each: &mut dyn FnMut(&[Key], Element) -> ControlFlow<()>,
) -> Result<Walked> {
    let bytes = Bytes { inner: BufReader::with_capacity(64 * 1024, Decoded::new(file)), at: 0 };
    let mut walk = Walk {
        bytes,
        into,
        each,
        way: Vec::new(),
        open: Vec::new(),
        is_many: shape == Shape::Many,
        done: Walked::default(),
    };
    match shape {
        Shape::One => walk.one()?,
        Shape::Many => walk.many()?,
    }
    Ok(walk.done)
}

struct Bytes<R: Read> {
    inner: BufReader<Decoded<R>>,
    at: u64,
}

impl<R: Read> Bytes<R> {
    fn peek(&mut self) -> Result<Option<u8>> {
        Ok(self.inner.fill_buf()?.first().copied())
    }

    fn step(&mut self) {
        self.inner.consume(1);
        self.at += 1;
    }

    /// The next byte that is no blank.
    fn next_dark(&mut self) -> Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() && byte != 0 {
                return Ok(Some(byte));
            }
            self.step();
        }
        Ok(None)
    }
}

struct Walk<'a, R: Read> {
    bytes: Bytes<R>,
    into: &'a dyn Fn(&[Key]) -> bool,
    each: &'a mut dyn FnMut(&[Key], Element) -> ControlFlow<()>,
    way: Vec<Key>,
    /// The ends of the containers that are walked through, and how many members each had.
    open: Vec<(u8, usize)>,
    /// Documents stand behind each other, usually a line each.
    is_many: bool,
    done: Walked,
}

impl<R: Read> Walk<'_, R> {
    fn one(&mut self) -> Result<()> {
        let Some(first) = self.bytes.next_dark()? else {
            self.done.is_empty = true;
            return Ok(());
        };
        if !self.enter(first) {
            // A lone text or number has no members.
            return self.member(Key::Number(0)).map(|_| ());
        }
        if self.walk()?.is_continue() && self.open.is_empty() && self.bytes.next_dark()?.is_some() {
            self.done.garbage = Some(self.bytes.at);
        }
        Ok(())
    }

    fn many(&mut self) -> Result<()> {
        let mut count = 0;
        while let Some(first) = self.bytes.next_dark()? {
            let ended = match first {
                b',' => {
                    self.bytes.step();
                    continue;
                }
                b'[' => {
                    self.enter(first);
                    // Members of lists are numbered on, as if there was one list.
                    self.open[0].1 = count;
                    let ended = self.walk()?;
                    count = self.done.members;
                    ended
                }
                _ => {
                    let ended = self.member(Key::Number(count))?;
                    count += 1;
                    ended
                }
            };
            if ended.is_break() {
                break;
            }
        }
        self.done.is_empty = self.done.members == 0 && !self.done.is_cut;
        Ok(())
    }

    /// Goes into a container. False: it is none.
    fn enter(&mut self, first: u8) -> bool {
        let end = match first {
            b'{' => b'}',
            b'[' => b']',
            _ => return false,
        };
        self.bytes.step();
        self.open.push((end, 0));
        true
    }

    /// Walks to the end of what is open.
    fn walk(&mut self) -> Result<ControlFlow<()>> {
        while let Some((end, count)) = self.open.last_mut() {
            let Some(byte) = self.bytes.next_dark()? else {
                self.done.is_cut = true;
                self.open.clear();
                self.way.clear();
                return Ok(ControlFlow::Continue(()));
            };
            if byte == *end {
                self.bytes.step();
                self.open.pop();
                self.way.pop();
                continue;
            }
            if byte == b',' {
                self.bytes.step();
                continue;
            }
            *count += 1;
            let number = *count - 1;
            let is_object = *end == b'}';
            let Some(key) = self.key(is_object, number)? else { continue };
            if self.step_into(key)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn step_into(&mut self, key: Key) -> Result<ControlFlow<()>> {
        let first = self.bytes.next_dark()?.unwrap_or(0);
        self.way.push(key);
        if matches!(first, b'{' | b'[') && (self.into)(&self.way) {
            self.enter(first);
            return Ok(ControlFlow::Continue(()));
        }
        let key = self.way.pop().unwrap_or(Key::Number(0));
        self.member(key)
    }

    /// `"name":` of an object. None: it was no name, and was passed over.
    fn key(&mut self, is_object: bool, number: usize) -> Result<Option<Key>> {
        if !is_object {
            return Ok(Some(Key::Number(number)));
        }
        let name = self.value()?;
        if self.bytes.next_dark()? != Some(b':') {
            self.done.is_cut |= self.bytes.peek()?.is_none();
            return Ok(None);
        }
        self.bytes.step();
        let parsed = parse(&name.bytes).value;
        Ok(Some(match parsed {
            Value::Text(name) => Key::Name(name),
            _ => Key::Number(number),
        }))
    }

    fn member(&mut self, key: Key) -> Result<ControlFlow<()>> {
        let element = self.value()?;
        self.done.is_cut |= !element.is_whole && self.bytes.peek()?.is_none();
        self.done.members += 1;
        self.way.push(key);
        let flow = (self.each)(&self.way, element);
        self.way.pop();
        Ok(flow)
    }

    /// The bytes of one value.
    fn value(&mut self) -> Result<Element> {
        let first = self.bytes.next_dark()?;
        let mut scan = Scan { by_lines: self.is_many && self.open.is_empty(), ..Scan::default() };
        let mut element =
            Element { bytes: Vec::new(), offset: self.bytes.at, is_whole: false, too_large: None };
        if first.is_none() {
            return Ok(element);
        }
        loop {
            let buffer = self.bytes.inner.fill_buf()?;
            if buffer.is_empty() {
                // A number needs no end.
                element.is_whole = scan.is_scalar();
                break;
            }
            let (taken, ended) = scan.take(buffer);
            if element.bytes.len() + taken <= LARGEST {
                element.bytes.extend_from_slice(&buffer[..taken]);
            } else {
                element.too_large = Some(0);
                element.bytes = Vec::new();
            }
            self.bytes.inner.consume(taken);
            self.bytes.at += taken as u64;
            if ended {
                element.is_whole = !scan.torn;
                break;
            }
        }
        element.too_large = element.too_large.map(|_| self.bytes.at - element.offset);
        Ok(element)
    }
}

/// Where one value ends.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    in_text: bool,
    escaped: bool,
    begun: bool,
    /// An object on one line that is still open where the next line begins another was torn: a program died
    /// while it wrote. Without this it would swallow the rest of the file.
    by_lines: bool,
    /// What was read of it: nothing, its first letter, more.
    letters: u8,
    at_line_start: bool,
    torn: bool,
}

impl Scan {
    /// How many of these bytes belong to the value, and whether it ends with them.
    fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.by_lines && self.is_torn_before(*byte) {
                self.torn = true;
                return (at, true);
            }
            let ended = match (*byte, self.in_text) {
                (_, true) if self.escaped => {
                    self.escaped = false;
                    false
                }
                (b'\\', true) => {
                    self.escaped = true;
                    false
                }
                (b'"', true) => {
                    self.in_text = false;
                    self.depth == 0
                }
                (_, true) => false,
                (b'"', false) => {
                    if self.begun && self.depth == 0 {
                        return (at, true);
                    }
                    self.in_text = true;
                    false
                }
                (b'{' | b'[', false) => {
                    if self.begun && self.depth == 0 {
                        return (at, true);
                    }
                    self.depth += 1;
                    false
                }
                (b'}' | b']', false) => {
                    if self.depth == 0 {
                        // The end of what is around it; a stray one is a value of its own.
                        return (at.max(usize::from(!self.begun)), true);
                    }
                    self.depth -= 1;
                    self.depth == 0
                }
                (b',' | b':', false) if self.depth == 0 => {
                    return (at.max(usize::from(!self.begun)), true);
                }
                (byte, false) if self.depth == 0 && byte.is_ascii_whitespace() => {
                    return (at, true);
                }
                _ => false,
            };
            self.begun = true;
            if ended {
                return (at + 1, true);
            }
        }
        (bytes.len(), false)
    }

    fn is_torn_before(&mut self, byte: u8) -> bool {
        if byte == b'\n' {
            // An object that is spread over lines may well have others in it.
            self.by_lines &= self.letters > 1;
            self.at_line_start = true;
            return false;
        }
        let begins_a_line = std::mem::take(&mut self.at_line_start);
        self.letters = self.letters.saturating_add(u8::from(!byte.is_ascii_whitespace()));
        begins_a_line && byte == b'{' && (self.depth > 0 || self.in_text)
    }

    fn is_scalar(&self) -> bool {
        self.depth == 0 && !self.in_text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(text: &str, shape: Shape, into: &[&str]) -> (Vec<String>, Walked) {
        let mut found = Vec::new();
        let into = |way: &[Key]| {
            let way: Vec<_> = way.iter().map(ToString::to_string).collect();
            into.contains(&way.join("/").as_str())
        };
        let done = members(text.as_bytes(), shape, &into, &mut |way, element| {
            let way: Vec<_> = way.iter().map(ToString::to_string).collect();
            let whole = if element.is_whole { "" } else { "…" };
            let bytes = String::from_utf8_lossy(&element.bytes);
            found.push(format!("{}={bytes}{whole}", way.join("/")));
            ControlFlow::Continue(())
        });
        (found, done.expect("readable"))
    }

    #[test]
    fn members_come_with_their_way_and_their_bytes() {
        let (found, done) =
            walked(r#" {"a": {"x": "},]"}, "b": [1, "2"], "c": null} "#, Shape::One, &["b"]);
        assert_eq!(found, [r#"a={"x": "},]"}"#, "b/0=1", r#"b/1="2""#, "c=null"]);
        assert_eq!(done, Walked { members: 4, ..Walked::default() });
    }

    #[test]
    fn a_cut_file_gives_what_was_whole_and_the_last_one_as_far_as_it_goes() {
        let (found, done) = walked(r#"[{"a": 1}, {"b": [2, "cu"#, Shape::One, &[]);
        assert_eq!(found, [r#"0={"a": 1}"#, r#"1={"b": [2, "cu…"#]);
        assert!(done.is_cut);
        let whole = r#"{"one": {"x": [1, 2]}, "two": {"y": "z"}}"#;
        for end in 1..whole.len() {
            let (_, done) = walked(&whole[..end], Shape::One, &[]);
            assert!(done.is_cut, "{end}");
        }
    }

    #[test]
    fn what_comes_behind_the_end_is_told_and_not_read() {
        let (found, done) = walked("{\"a\": 1}\n\0\0 tent\"}]}", Shape::One, &[]);
        assert_eq!((found, done.garbage), (vec!["a=1".to_owned()], Some(12)));
        let (_, padded) = walked("{\"a\": 1}\0\0\0\n", Shape::One, &[]);
        assert_eq!(padded.garbage, None);
    }

    #[test]
    fn lines_lists_and_pretty_documents_are_one_sequence() {
        let expected =
            vec!["0={\"n\":0}".to_owned(), "1={\"n\":1}".to_owned(), "2={\"n\":2}".to_owned()];
        for text in [
            "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n",
            "[{\"n\":0},{\"n\":1},{\"n\":2}]\n",
            "\r\n{\"n\":0}\r\n\r\n{\"n\":1}{\"n\":2}",
            "[{\"n\":0}]\n[{\"n\":1},{\"n\":2}]",
        ] {
            assert_eq!(walked(text, Shape::Many, &[]).0, expected, "{text}");
        }
    }

    #[test]
    fn a_torn_line_ends_where_the_next_begins_and_an_object_over_lines_goes_on() {
        let (found, done) =
            walked("{\"n\":0}\n{\"n\":\"a\n{\"n\":1}\n{\"n\":[{\n{\"n\":2}", Shape::Many, &[]);
        let torn =
            ["0={\"n\":0}", "1={\"n\":\"a\n…", "2={\"n\":1}", "3={\"n\":[{\n…", "4={\"n\":2}"];
        assert_eq!((found, done.is_cut), (torn.map(str::to_owned).to_vec(), false));
        let pretty = "{\n\"n\":\n{\"m\":1}\n}\n{\n\"n\":2\n}";
        let (found, done) = walked(pretty, Shape::Many, &[]);
        assert_eq!((found.len(), done.is_cut), (2, false), "{found:?}");
        assert!(walked("{\"n\":0}\n{\"n\":", Shape::Many, &[]).1.is_cut);
    }

    #[test]
    fn nothing_is_nothing() {
        for (text, shape) in
            [("", Shape::One), (" \n\0", Shape::One), ("", Shape::Many), ("\n\n", Shape::Many)]
        {
            let (found, done) = walked(text, shape, &[]);
            assert!(found.is_empty() && done.is_empty, "{text:?}");
        }
        let (found, done) = walked("{}", Shape::One, &[]);
        assert!(found.is_empty() && !done.is_empty);
    }

    #[test]
    fn any_bytes_come_to_an_end() {
        for text in [
            "}", "]]", "{]", "[}", "{\"a\"}", "{1:2}", ",,,", "\"", "{\"a\":", "[:,:]", "a b c",
            "{\"a\":}",
        ] {
            walked(text, Shape::One, &["a"]);
            walked(text, Shape::Many, &[]);
        }
    }

    #[test]
    fn a_walk_ends_where_it_is_told_to() {
        let mut seen = 0;
        let done = members(b"[1, 2, 3]".as_slice(), Shape::One, &|_| false, &mut |_, _| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!((seen, done.expect("readable").members), (1, 1));
    }
}
