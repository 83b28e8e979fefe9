use std::io::Cursor;

use super::sample::Sample;
use super::*;

fn parse(bytes: &[u8]) -> Result<GgufInfo, GgufError> {
    GgufInfo::parse(Cursor::new(bytes), bytes.len() as u64)
}

#[test]
fn a_sound_header_tells_what_the_model_is() {
    let bytes = Sample::model().bytes();
    let info = parse(&bytes).expect("a sound file");
    assert_eq!(info.architecture, "llama");
    assert_eq!(info.name.as_deref(), Some("Tiny"));
    assert_eq!((info.context_tokens, info.vocabulary, info.parameters), (2048, 4, 512));
    assert_eq!(info.quantisation, "F32");
    assert!(info.has_chat_template);
    // Two layers, two heads of keys and of values, sixteen numbers a head, two bytes a number.
    assert_eq!(info.context_bytes_per_token, 2 * 2 * 2 * 16 * 2);
}

#[test]
fn a_file_that_is_something_else_is_no_model() {
    for bytes in [&b""[..], b"GG", b"<!DOCTYPE html><html>", b"PK\x03\x04 a zip file", &[0; 4096]] {
        assert!(matches!(parse(bytes), Err(GgufError::NotAModel)), "{bytes:?}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_and_never_panics() {
    let bytes = Sample::model().bytes();
    for length in 4..bytes.len() {
        let told = parse(&bytes[..length]);
        assert!(
            matches!(&told, Err(GgufError::Truncated { have, need })
                if *have == length as u64 && *need > *have && *need <= bytes.len() as u64),
            "cut at {length}: {told:?}"
        );
    }
}

#[test]
fn a_cut_file_tells_how_much_of_it_is_here() {
    let error = GgufError::Truncated { have: 61_000_000, need: 98_362_432 };
    let failure = error.failure("model.gguf");
    assert_eq!(failure.code, Code::ModelInvalid);
    assert_eq!(failure.message, "model.gguf is not complete: 61 MB of 98 MB are here.");
}

#[test]
fn what_llama_cpp_would_abort_on_is_refused() {
    let sample = Sample::model;
    for (what, file) in [
        ("no layers", sample().number("llama.block_count", 0)),
        ("too many layers", sample().number("llama.block_count", 513)),
        ("width", sample().number("llama.embedding_length", 0)),
        ("no context", sample().without("llama.context_length")),
        ("heads", sample().number("llama.attention.head_count", u32::MAX)),
        ("experts", sample().number("llama.expert_used_count", 3)),
        ("rope", sample().text("llama.rope.scaling.type", "sideways")),
        ("alignment", sample().number("general.alignment", 33)),
        ("alignment of nothing", sample().number("general.alignment", 0)),
        ("a token twice", sample().texts("tokenizer.ggml.tokens", &["a", "a", "b", "c"])),
        ("no tokens", sample().without("tokenizer.ggml.tokens")),
        ("empty list of tokens", sample().texts("tokenizer.ggml.tokens", &[])),
        ("scores", sample().value("tokenizer.ggml.scores", 9, &list_of(6, 3, &[0; 12]))),
        ("types", sample().value("tokenizer.ggml.token_type", 9, &list_of(5, 5, &[0; 20]))),
        ("empty key", sample().text("", "x")),
        ("type", sample().value("x", 77, &[0; 8])),
        ("list of lists", sample().value("x", 9, &list_of(9, 1, &[0; 12]))),
        ("tensor twice", sample().tensor("output.weight", &[64, 4])),
        ("empty tensor", sample().tensor("x", &[0])),
        ("huge tensor", sample().tensor("x", &[1 << 62, 4])),
        ("long name", sample().tensor(&"x".repeat(64), &[4])),
    ] {
        let told = parse(&file.bytes_unchecked());
        assert!(matches!(told, Err(GgufError::Malformed(_))), "{what}: {told:?}");
    }
}

#[test]
fn a_network_that_cannot_chat_is_named() {
    for architecture in ["bert", "clip", "from-the-future", ""] {
        let told = parse(&Sample::model().text("general.architecture", architecture).bytes());
        assert!(matches!(&told, Err(GgufError::Architecture(name)) if name == architecture));
    }
    let part = Sample::model().value("split.count", 2, &[4, 0]).bytes();
    assert!(matches!(parse(&part), Err(GgufError::Part)));
}

#[test]
fn counts_that_lie_end_at_once_and_cost_no_memory() {
    let bytes = Sample::model().bytes();
    for place in [8..16, 16..24, 24..32] {
        for count in [u64::MAX, 1 << 63, 1 << 40, 1 << 20] {
            let mut hostile = bytes.clone();
            hostile[place.clone()].copy_from_slice(&count.to_le_bytes());
            assert!(parse(&hostile).is_err(), "{count} at {place:?}");
        }
    }
    for count in [u64::MAX, u64::MAX / 8, 1 << 40, 1 << 20] {
        let list = Sample::model().value("x", 9, &list_of(8, count, &[0; 64])).bytes();
        assert!(parse(&list).is_err(), "a list of {count} texts");
        let list = Sample::model().value("x", 9, &list_of(10, count, &[0; 64])).bytes();
        assert!(parse(&list).is_err(), "a list of {count} numbers");
    }
}

/// `TIDEMARK_SEED=n` replays one.
#[test]
fn flipped_bits_never_panic() {
    let bytes = Sample::model().bytes();
    let seed = std::env::var("TIDEMARK_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| {
        std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64 | 1)
    });
    let mut random = seed;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 1).unwrap_or(0)
    };
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for _ in 0..20_000 {
            let mut hostile = bytes.clone();
            for _ in 0..=next() % 4 {
                let at = next() % hostile.len();
                hostile[at] ^= 1 << (next() % 8);
            }
            hostile.truncate(hostile.len() - next() % 32);
            let _ = parse(&hostile);
        }
    }));
    assert!(told.is_ok(), "replay with TIDEMARK_SEED={seed}");
}

fn list_of(kind: u32, count: u64, bytes: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &count.to_le_bytes(), bytes].concat()
}
