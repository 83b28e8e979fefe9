//! Values that no reader expects where it finds them.

use tidemark_tests::faults::Rng;

/// As they stand in JSON.
const ODD: [&str; 62] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "-0.0",
    "0.1",
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "undefined",
    "123456789012345678901234567890",
    "9223372036854775807",
    "-9223372036854775808",
    "1e18",
    "253402300800",
    "-62135596801",
    "1.7e9",
    "1700000000000",
    "\"\"",
    "\" \"",
    r#""\ud800""#,
    r#""\udc00\ud83d""#,
    r#""\u0000""#,
    r#""a\u0000b""#,
    r#""\u12""#,
    r#""\x""#,
    r#""../../../etc/passwd""#,
    r#""C:\\Windows\\x""#,
    r#""'; DROP TABLE messages; --""#,
    r#""9999-12-31T23:59:59.999999Z""#,
    r#""0000-00-00T00:00:00""#,
    r#""-271821-04-20T00:00:00Z""#,
    r#""2025-02-30T25:61:61+99:99""#,
    r#""now()""#,
    r#""1e309""#,
    r#""00000000-0000-0000-0000-000000000000""#,
    r#""data:image/png;base64,iVBORw0KGgo=""#,
    r#""data:;base64,%%%""#,
    r#""data:,""#,
    r#""http://169.254.169.254/latest""#,
    r#""file:///etc/passwd""#,
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "[null]",
    r#"{"":{}}"#,
    r#"{"a":1,"a":2}"#,
    r#""[]""#,
    r#""{\"role\":\"user\",\"content\":\"x\"}""#,
    r#""[{\"role\":\"user\",\"content\":\"x\"}]""#,
    r#"{"$oid":"zz"}"#,
    r#"{"$oid":"507f1f77bcf86cd799439011"}"#,
    r#"{"$date":{"$numberLong":"99999999999999999"}}"#,
    r#"{"$date":-1}"#,
    r#"{"$numberLong":"x"}"#,
    r#"{"$binary":{"base64":"%%%","subType":"00"}}"#,
    r#""\u202e\u200f e\u0301 🌊""#,
    "user",
    "\"assistant\"",
];

/// Bytes that stand nowhere in particular.
pub(super) const BITS: [&[u8]; 22] = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xed\xa0\xbd",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"''",
    b"\"\"",
    b"(",
    b"$$",
    b"--",
    b"/*",
    b"E'\\",
];

/// One value, mostly small.
pub(super) fn value(rng: &mut Rng) -> Vec<u8> {
    match rng.below(40) {
        0 => nested(rng),
        1 => text("x", 1 << rng.below(18)),
        2 => text("\\ud83d", 1 << rng.below(12)),
        3 => listed("null", 1 << rng.below(14)),
        4 => listed("[]", 1 << rng.below(12)),
        5 => format!("{{{}}}", vec!["\"k\":1"; 1 << rng.below(10)].join(",")).into_bytes(),
        6 => "7".repeat(1 << rng.below(15)).into_bytes(),
        7 => b"\"\xe9\x93\xff\"".to_vec(),
        8 => b"\"a\x01\tb\nc\"".to_vec(),
        _ => ODD[rng.below(ODD.len() as u64) as usize].as_bytes().to_vec(),
    }
}

/// Nested, up to a hundred thousand deep, and closed or not.
fn nested(rng: &mut Rng) -> Vec<u8> {
    let depth = 1 << rng.below(18);
    let (open, close) = if rng.one_in(2) { ("[", "]") } else { ("{\"content\":", "}") };
    let end = if rng.one_in(4) { String::new() } else { close.repeat(depth) };
    format!("{}1{end}", open.repeat(depth)).into_bytes()
}

fn text(of: &str, times: usize) -> Vec<u8> {
    format!("\"{}\"", of.repeat(times)).into_bytes()
}

fn listed(of: &str, times: usize) -> Vec<u8> {
    format!("[{}]", vec![of; times].join(",")).into_bytes()
}
