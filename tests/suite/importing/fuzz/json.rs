//! Changes that leave JSON more or less JSON: its values are moved, not its bytes.

use std::ops::Range;

use tidemark_tests::faults::Rng;

use super::pool;

/// A value in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// Its bytes.
    bytes: Range<usize>,
    /// Its name's, where it has one, and its own.
    member: Range<usize>,
    /// A name, a text, something else that holds nothing, or a container.
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Text,
    Word,
    Container,
}

/// The values of a file, as far as it is JSON.
pub(super) fn values(file: &[u8]) -> Vec<Value> {
    let (mut found, mut open, mut name) = (Vec::new(), Vec::new(), None::<usize>);
    let mut at = 0;
    while at < file.len() {
        let start = at;
        at = end_of(file, at);
        let kind = match file[start] {
            b'{' | b'[' => {
                open.push((start, name.take()));
                continue;
            }
            b'}' | b']' => {
                if let Some((from, name)) = open.pop() {
                    let member = name.unwrap_or(from)..at;
                    found.push(Value { bytes: from..at, member, kind: Kind::Container });
                }
                name = None;
                continue;
            }
            b'"' if is_name(file, at) => {
                let value = Value { bytes: start..at, member: start..at, kind: Kind::Name };
                found.push(value);
                name = Some(start);
                continue;
            }
            b'"' => Kind::Text,
            byte if byte.is_ascii_alphanumeric() || b"-+.".contains(&byte) => Kind::Word,
            _ => continue,
        };
        found.push(Value { bytes: start..at, member: name.take().unwrap_or(start)..at, kind });
    }
    found
}

/// Where what begins here ends: a text, a word, or one byte.
fn end_of(file: &[u8], start: usize) -> usize {
    let rest = &file[start + 1..];
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-+._".contains(byte);
    let length = match file[start] {
        b'"' => {
            let mut is_escaped = false;
            let end = rest.iter().position(|byte| {
                let is_end = *byte == b'"' && !is_escaped;
                is_escaped = *byte == b'\\' && !is_escaped;
                is_end
            });
            end.map_or(rest.len(), |end| end + 1)
        }
        byte if is_part(&byte) => rest.iter().take_while(|byte| is_part(byte)).count(),
        _ => 0,
    };
    start + 1 + length
}

fn is_name(file: &[u8], at: usize) -> bool {
    file[at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// One change. The file stays as it is where it has no values.
pub(super) fn change(file: &mut Vec<u8>, rng: &mut Rng) {
    let values = values(file);
    if values.is_empty() {
        return;
    }
    let pick = |rng: &mut Rng| values[rng.below(values.len() as u64) as usize].clone();
    let (one, other) = (pick(rng), pick(rng));
    match rng.below(9) {
        // Another value in its place.
        0..=2 => put(file, one.bytes, pool::value(rng)),
        // One of the same kind: an id that is another's, a parent that is below.
        3 | 4 => {
            let alike: Vec<_> = values.iter().filter(|value| value.kind == one.kind).collect();
            let other = alike[rng.below(alike.len() as u64) as usize];
            let copy = file[other.bytes.clone()].to_vec();
            put(file, one.bytes, copy);
        }
        // Anything else of the file.
        5 => {
            let copy = file[other.bytes].to_vec();
            put(file, one.bytes, copy);
        }
        // Again and again.
        6 if one.kind != Kind::Name => {
            let mut member = file[one.member.clone()].to_vec();
            member.push(b',');
            let most = (1 << 20) / member.len().max(1) as u64;
            let times = 1 + rng.small(12).min(most);
            put(file, one.member.start..one.member.start, member.repeat(times as usize));
        }
        // Not at all.
        7 if one.kind != Kind::Name => {
            let comma = file[one.member.end..].first() == Some(&b',');
            put(file, one.member.start..one.member.end + usize::from(comma), Vec::new());
        }
        // Encoded once more.
        _ => {
            let text = String::from_utf8_lossy(&file[one.bytes.clone()]).into_owned();
            let text = serde_json::to_vec(&text).expect("a text");
            put(file, one.bytes, text);
        }
    }
}

fn put(file: &mut Vec<u8>, at: Range<usize>, with: Vec<u8>) {
    file.splice(at, with);
}

#[test]
fn values_are_found_with_their_names() {
    let file = br#"{"a": [1, "b"], "c": {"d\"": null}}"#;
    let text = |range: &Range<usize>| String::from_utf8_lossy(&file[range.clone()]).into_owned();
    let members: Vec<_> = values(file).iter().map(|value| text(&value.member)).collect();
    assert_eq!(
        members,
        [
            r#""a""#,
            "1",
            r#""b""#,
            r#""a": [1, "b"]"#,
            r#""c""#,
            r#""d\"""#,
            r#""d\"": null"#,
            r#""c": {"d\"": null}"#,
            r#"{"a": [1, "b"], "c": {"d\"": null}}"#
        ]
    );
}
