//! One member, from bytes to a value. No recursion: nesting is as deep as the file has it.

use super::bytes::surrogate;
use super::value::{List, Map, Value};
use crate::import::Text;

/// Containers below this depth are left out: what is kept as JSON is read back by readers that stop at 128.
/// No chat program nests its data so deeply; a hostile file
/// may nest a hundred thousand.
const DEEPEST: usize = 100;

/// What one member may hold: a value counts for one, a container for [`CONTAINER`], because containers are
/// what becomes messages. That is 60,000 messages of the most talkative program, in one conversation; a
/// hostile file may have as many values as bytes, and each takes a hundred in memory.
const MOST: usize = 3_000_000;
const CONTAINER: usize = 12;

/// What was odd about a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Oddity {
    /// It ends before its end.
    Cut,
    /// Something in it is no JSON; what came before was kept.
    Broken,
    /// A container lies too deep and was left out.
    TooDeep,
    /// It holds more than memory should; what came before was kept.
    TooMuch,
    /// A key came twice; the last one counts.
    Twice,
    /// Characters that cannot be stored were replaced; their bytes are kept.
    Replaced,
}

/// What became of a member.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The value, or what could be read of it.
    pub value: Value,
    /// What was odd, each once, with where it was first: bytes from the member's beginning.
    pub oddities: Vec<(Oddity, usize)>,
    /// How many bytes were read.
    pub read: usize,
}

/// Reads one value from the beginning. What follows it is not looked at.
pub fn parse(bytes: &[u8]) -> Parsed {
    let mut parser = Parser { bytes, at: 0, held: 0, stack: Vec::new(), oddities: Vec::new() };
    let value = parser.run();
    Parsed { value, oddities: parser.oddities, read: parser.at }
}

enum Open {
    List(List),
    Map(Map, Option<Text>),
}

impl Open {
    fn take(&mut self, value: Value) {
        match self {
            Self::List(list) => list.items.push(value),
            Self::Map(map, key) => map.entries.push((key.take().unwrap_or_default(), value)),
        }
    }

    fn ends_with(&self, byte: u8) -> bool {
        match self {
            Self::List(_) => byte == b']',
            Self::Map(..) => byte == b'}',
        }
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    /// See [`MOST`].
    held: usize,
    stack: Vec<Open>,
    oddities: Vec<(Oddity, usize)>,
}

impl Parser<'_> {
    fn run(&mut self) -> Value {
        loop {
            let value = match self.next_value() {
                Ok(Some(value)) => value,
                // A container was opened.
                Ok(None) => continue,
                Err(oddity) => return self.give_up(oddity),
            };
            match self.place(value) {
                Ok(None) => {}
                Ok(Some(value)) => return value,
                Err(oddity) => return self.give_up(oddity),
            }
        }
    }

    /// Puts a value where it belongs, and closes what ends behind it. The whole, once nothing is open.
    fn place(&mut self, mut value: Value) -> Result<Option<Value>, Oddity> {
        while let Some(open) = self.stack.last_mut() {
            open.take(value);
            match self.closes()?.then(|| self.close(true)).flatten() {
                Some(closed) => value = closed,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    /// A value, or none where a container was opened that has to be filled first.
    fn next_value(&mut self) -> Result<Option<Value>, Oddity> {
        self.blank();
        if self.wants_key() && !self.key()? {
            return Ok(self.close(true));
        }
        self.blank();
        let first = self.peek().ok_or(Oddity::Cut)?;
        self.held += if matches!(first, b'{' | b'[') { CONTAINER } else { 1 };
        if self.held > MOST {
            return Err(Oddity::TooMuch);
        }
        match first {
            b'{' => Ok(self.open(Open::Map(Map::default(), None), b'}')),
            b'[' => Ok(self.open(Open::List(List::default()), b']')),
            b'"' => self.string().map(|text| Some(Value::Text(text))),
            _ => self.literal().map(Some),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.stack.last(), Some(Open::Map(_, None)))
    }

    /// Reads `"key":`. False: the map ends instead.
    fn key(&mut self) -> Result<bool, Oddity> {
        match self.peek().ok_or(Oddity::Cut)? {
            b'"' => {}
            // A comma before the end.
            b'}' => {
                self.at += 1;
                return Ok(false);
            }
            _ => return Err(Oddity::Broken),
        }
        let name = self.string()?;
        self.blank();
        match self.peek().ok_or(Oddity::Cut)? {
            b':' => self.at += 1,
            _ => return Err(Oddity::Broken),
        }
        if let Some(Open::Map(map, key)) = self.stack.last_mut() {
            // Looked for where it costs little; in a large map the last one counts all the same.
            let twice =
                map.entries.len() < 64 && map.entries.iter().any(|(known, _)| *known == name);
            *key = Some(name);
            if twice {
                self.odd(Oddity::Twice);
            }
        }
        Ok(true)
    }

    fn open(&mut self, open: Open, end: u8) -> Option<Value> {
        if self.stack.len() >= DEEPEST {
            return Some(self.skip());
        }
        self.at += 1;
        self.stack.push(open);
        self.blank();
        if self.peek() == Some(end) {
            self.at += 1;
            return self.close(true);
        }
        None
    }

    /// Passes over a container that lies too deep.
    fn skip(&mut self) -> Value {
        self.odd(Oddity::TooDeep);
        let (mut depth, mut in_text) = (0_usize, false);
        while let Some(byte) = self.peek() {
            self.at += 1;
            match (byte, in_text) {
                (b'\\', true) => self.at += 1,
                (b'"', _) => in_text = !in_text,
                (b'{' | b'[', false) => depth += 1,
                (b'}' | b']', false) => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        self.at = self.at.min(self.bytes.len());
        Value::Null
    }

    /// After a value: a comma goes on, an end closes; at the end of the bytes more is wanted.
    fn closes(&mut self) -> Result<bool, Oddity> {
        self.blank();
        let ends = |parser: &Self| {
            let byte = parser.peek()?;
            parser.stack.last().map(|open| open.ends_with(byte))
        };
        let ended = match self.peek() {
            // A comma before the end is passed over.
            Some(b',') => {
                self.at += 1;
                self.blank();
                ends(self).unwrap_or(false)
            }
            Some(_) if ends(self) == Some(true) => true,
            Some(_) => return Err(Oddity::Broken),
            None => false,
        };
        self.at += usize::from(ended);
        Ok(ended)
    }

    fn close(&mut self, is_whole: bool) -> Option<Value> {
        Some(match self.stack.pop()? {
            Open::List(list) => Value::List(List { is_whole, ..list }),
            Open::Map(map, _) => Value::Map(Map { is_whole, ..map }),
        })
    }

    /// Nothing more can be read: what is open is closed, not whole.
    fn give_up(&mut self, oddity: Oddity) -> Value {
        self.odd(oddity);
        let mut value = None;
        while let Some(open) = self.stack.last_mut() {
            if let Some(value) = value.take() {
                open.take(value);
            }
            value = self.close(false);
        }
        value.unwrap_or(Value::Null)
    }

    fn literal(&mut self) -> Result<Value, Oddity> {
        let rest = &self.bytes[self.at..];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        // At the end of the bytes a word may go on: `tru`, `12`.
        let word = std::str::from_utf8(&rest[..length]).unwrap_or_default();
        let value = match word {
            "null" | "undefined" | "None" => Value::Null,
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            "NaN" | "Infinity" | "-Infinity" => Value::Number(word.to_owned()),
            _ if word
                .starts_with(|c: char| c == '-' || c == '+' || c == '.' || c.is_ascii_digit())
                && word.parse::<f64>().is_ok() =>
            {
                Value::Number(word.to_owned())
            }
            _ if length == rest.len() => return Err(Oddity::Cut),
            _ => return Err(Oddity::Broken),
        };
        self.at += length;
        Ok(value)
    }

    fn string(&mut self) -> Result<Text, Oddity> {
        let begin = self.at;
        let mut out = Vec::new();
        self.at += 1;
        loop {
            let rest = &self.bytes[self.at..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let Some(plain) = plain else {
                self.at = begin;
                return Err(Oddity::Cut);
            };
            out.extend_from_slice(&rest[..plain]);
            self.at += plain + 1;
            if rest[plain] == b'"' {
                break;
            }
            if !self.escape(&mut out) {
                self.at = begin;
                return Err(Oddity::Cut);
            }
        }
        let text = Text::from_bytes(out);
        if text.raw.is_some() {
            self.odd_at(Oddity::Replaced, begin);
        }
        Ok(text)
    }

    /// What follows a backslash. False: the bytes end here.
    fn escape(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(byte) = self.peek() else { return false };
        self.at += 1;
        match byte {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => return self.unit_escape(out),
            // `\"`, `\\`, `\/`, and what has no meaning stands for itself.
            other => out.push(other),
        }
        true
    }

    fn unit_escape(&mut self, out: &mut Vec<u8>) -> bool {
        if self.bytes.len() < self.at + 4 {
            return false;
        }
        let Some(unit) = self.unit(self.at) else {
            // No four digits: a `u` like any other.
            out.push(b'u');
            return true;
        };
        self.at += 4;
        let low = || {
            let escape = self.bytes.get(self.at..self.at + 2)? == b"\\u";
            escape.then(|| self.unit(self.at + 2))?.filter(|low| (0xdc00..0xe000).contains(low))
        };
        let point = match (unit, low()) {
            (0xd800..0xdc00, Some(low)) => {
                self.at += 6;
                0x10000 + ((u32::from(unit) - 0xd800) << 10) + (u32::from(low) - 0xdc00)
            }
            _ => u32::from(unit),
        };
        match char::from_u32(point) {
            Some(point) => out.extend_from_slice(point.encode_utf8(&mut [0; 4]).as_bytes()),
            // Half a character, in the bytes that it would have.
            None => out.extend_from_slice(&surrogate(unit)),
        }
        true
    }

    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.bytes.get(at..at + 4)?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace() || byte == 0) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn odd(&mut self, oddity: Oddity) {
        self.odd_at(oddity, self.at);
    }

    fn odd_at(&mut self, oddity: Oddity, at: usize) {
        if !self.oddities.iter().any(|(known, _)| *known == oddity) {
            self.oddities.push((oddity, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        let parsed = parse(text.as_bytes());
        assert_eq!(parsed.oddities, [], "{text}");
        parsed.value
    }

    fn odd(bytes: &[u8]) -> (Value, Vec<Oddity>) {
        let parsed = parse(bytes);
        (parsed.value, parsed.oddities.into_iter().map(|(oddity, _)| oddity).collect())
    }

    fn text(text: &str) -> Value {
        Value::Text(Text::from(text))
    }

    #[test]
    fn what_is_json_is_read_as_json() {
        let sample = r#" {"a": [1, -2.5e3, true, false, null], "b": {"c": "\"\\\/\n\u00e9\ud83c\udf0a"}, "d": [], "e": {}} "#;
        let expected: serde_json::Value = serde_json::from_str(sample).expect("JSON");
        assert_eq!(value(sample).to_json(), expected);
    }

    #[test]
    fn what_python_writes_beyond_json_is_read_too() {
        let sample = r#"[NaN, Infinity, -Infinity, 1e400, 123456789012345678901234567890, -0.0]"#;
        let numbers: Vec<_> = value(sample).items().iter().map(|n| format!("{n:?}")).collect();
        assert_eq!(numbers.len(), 6);
        assert!(numbers[3].contains("1e400"), "as it was written");
    }

    #[test]
    fn half_a_character_is_replaced_and_its_bytes_come_back() {
        let (value, oddities) = odd(br#""a\ud83db""#);
        let read = value.as_text().expect("a text");
        assert_eq!(
            (read.shown.as_str(), read.bytes()),
            ("a\u{fffd}b", b"a\xed\xa0\xbdb".as_slice())
        );
        assert_eq!(oddities, [Oddity::Replaced]);
    }

    #[test]
    fn a_key_that_comes_twice_has_its_last_value() {
        let (value, oddities) = odd(br#"{"a": 1, "a": 2}"#);
        assert_eq!(value.get("a").and_then(Value::as_i64), Some(2));
        assert_eq!(oddities, [Oddity::Twice]);
    }

    #[test]
    fn a_cut_value_keeps_what_was_whole_and_says_so() {
        let whole = r#"{"title": "t", "messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]}"#;
        for end in 1..whole.len() {
            let (value, oddities) = odd(&whole.as_bytes()[..end]);
            assert_eq!(oddities, [Oddity::Cut], "{end}");
            assert!(!value.is_whole(), "{end}");
            let messages = value.get("messages").map(Value::items).unwrap_or_default();
            for message in messages.iter().filter(|message| message.is_whole()) {
                assert!(
                    message
                        .get("content")
                        .is_some_and(|content| *content == text("one") || *content == text("two"))
                );
            }
        }
    }

    #[test]
    fn what_is_no_json_ends_there_and_keeps_what_came_before() {
        let (value, oddities) = odd(br#"{"a": 1, "b": oops, "c": 3}"#);
        assert_eq!(oddities, [Oddity::Broken]);
        assert_eq!(value.get("a").and_then(Value::as_i64), Some(1));
        assert!(!value.is_whole());
        let (value, oddities) = odd(br#"[1 2]"#);
        assert_eq!((value.items().len(), oddities.as_slice()), (1, [Oddity::Broken].as_slice()));
    }

    #[test]
    fn nesting_of_any_depth_is_no_crash() {
        for depth in [DEEPEST, DEEPEST + 1, 100_000] {
            let nested = format!("{{\"a\": {}{}, \"b\": 7}}", "[".repeat(depth), "]".repeat(depth));
            let (value, oddities) = odd(nested.as_bytes());
            assert_eq!(value.get("b").and_then(Value::as_i64), Some(7), "{depth}");
            assert_eq!(oddities.contains(&Oddity::TooDeep), depth >= DEEPEST, "{depth}");
        }
    }

    #[test]
    fn a_member_of_nothing_but_values_is_read_as_far_as_memory_goes() {
        for (value, most) in [("1,", MOST), ("{},", MOST / CONTAINER)] {
            let (value, oddities) = odd(format!("[{}1]", value.repeat(MOST)).as_bytes());
            assert_eq!(oddities, [Oddity::TooMuch]);
            assert!(value.items().len() <= most && value.items().len() + 2 * CONTAINER > most);
            assert!(!value.is_whole());
        }
    }

    #[test]
    fn what_follows_a_value_is_not_looked_at() {
        let parsed = parse(b"{\"a\": 1}\n{\"b\": 2} tail \0\0");
        assert_eq!((parsed.read, parsed.oddities.as_slice()), (8, [].as_slice()));
    }

    #[test]
    fn a_comma_before_an_end_is_passed_over() {
        assert_eq!(value("[1, 2, ]").items().len(), 2);
        assert_eq!(value("{\"a\": 1, }").entries().len(), 1);
    }
}
