//! The header, value by value.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};

use super::vocabulary::Vocabulary;
use super::{GgufError, GgufInfo, architecture, quantisation};

/// More values than any published model has (a few dozen).
const MOST_VALUES: u64 = 4096;
/// More tensors than llama.cpp's largest graph.
const MOST_TENSORS: u64 = 65_536;
/// A key's and a kept text's limit; ggml's own is 65,535 for keys.
const LONGEST_KEPT: u64 = 256;
/// Numbers of a list that are kept: one a layer, and llama.cpp has room for so many layers.
const MOST_LAYERS: u64 = 512;
/// A tensor's name, without the final NUL (`GGML_MAX_NAME`).
const LONGEST_TENSOR_NAME: u64 = 63;
/// No file is this large; a length beyond it is a lie rather than a cut.
const BEYOND_ANY_FILE: u64 = 1 << 46;

/// Reads little-endian values and never past the file's end.
pub(super) struct Reader<R> {
    source: R,
    position: u64,
    bytes: u64,
}

impl<R: Read + Seek> Reader<R> {
    pub(super) fn new(source: R, bytes: u64) -> Self {
        Self { source, position: 0, bytes }
    }

    /// Makes sure that `length` more bytes are there, and counts them as read.
    fn advance(&mut self, length: u64) -> Result<(), GgufError> {
        let need = self.position.checked_add(length).filter(|end| *end < BEYOND_ANY_FILE);
        let need = need.ok_or(GgufError::Malformed("length"))?;
        if need > self.bytes {
            return Err(GgufError::Truncated { have: self.bytes, need });
        }
        self.position = need;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        self.advance(N as u64)?;
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, GgufError> {
        self.array().map(u64::from_le_bytes)
    }

    fn skip(&mut self, length: u64) -> Result<(), GgufError> {
        self.advance(length)?;
        let length = i64::try_from(length).map_err(|_| GgufError::Malformed("length"))?;
        Ok(self.source.seek_relative(length)?)
    }

    /// A text of at most `longest` bytes.
    fn text(&mut self, longest: u64) -> Result<Vec<u8>, GgufError> {
        let length = self.u64()?;
        if length > longest {
            // Whether it is cut or a lie is told first by the file's end.
            self.advance(length)?;
            return Err(GgufError::Malformed("text too long"));
        }
        self.advance(length)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn key(&mut self, longest: u64) -> Result<String, GgufError> {
        let text = String::from_utf8(self.text(longest)?);
        let text = text.map_err(|_| GgufError::Malformed("name is no text"))?;
        if text.is_empty() { Err(GgufError::Malformed("empty name")) } else { Ok(text) }
    }
}

/// A value, as far as it is kept.
#[derive(Debug)]
enum Value {
    Number(u64),
    Text(String),
    Numbers(Vec<u64>),
    /// There, and of a type that is of no use here.
    Other,
}

/// What the header says.
#[derive(Debug)]
pub(super) struct Header {
    values: HashMap<String, Value>,
    vocabulary: Vocabulary,
    parameters: u64,
    bytes: u64,
}

impl Header {
    pub(super) fn read<R: Read + Seek>(reader: &mut Reader<R>) -> Result<Self, GgufError> {
        if reader.bytes < 4 || reader.array::<4>()? != *b"GGUF" {
            return Err(GgufError::NotAModel);
        }
        match reader.u32()? {
            2 | 3 => {}
            version => return Err(GgufError::Version(version)),
        }
        let (tensors, values) = (reader.u64()?, reader.u64()?);
        if values > MOST_VALUES || tensors == 0 || tensors > MOST_TENSORS {
            return Err(GgufError::Malformed("counts"));
        }
        let mut header = Self {
            values: HashMap::new(),
            vocabulary: Vocabulary::default(),
            parameters: 0,
            bytes: reader.bytes,
        };
        for _ in 0..values {
            header.read_value(reader)?;
        }
        header.read_tensors(reader, tensors)?;
        Ok(header)
    }

    fn read_value<R: Read + Seek>(&mut self, reader: &mut Reader<R>) -> Result<(), GgufError> {
        let key = reader.key(LONGEST_KEPT)?;
        let value = match reader.u32()? {
            8 if key == "tokenizer.chat_template" || !is_kept(&key) => {
                let length = reader.u64()?;
                reader.skip(length)?;
                Value::Other
            }
            8 => Value::Text(reader.key(LONGEST_KEPT).or_else(keep_empty)?),
            9 => self.read_array(reader, &key)?,
            kind => read_number(reader, kind)?,
        };
        match self.values.insert(key, value) {
            None => Ok(()),
            Some(_) => Err(GgufError::Malformed("a key stands twice")),
        }
    }

    fn read_array<R: Read + Seek>(
        &mut self,
        reader: &mut Reader<R>,
        key: &str,
    ) -> Result<Value, GgufError> {
        let (kind, count) = (reader.u32()?, reader.u64()?);
        match key {
            "tokenizer.ggml.tokens" if kind == 8 => self.vocabulary.begin(count)?,
            "tokenizer.ggml.tokens" => return Err(GgufError::Malformed("tokens are no texts")),
            "tokenizer.ggml.scores" => self.vocabulary.scores = Some(count),
            "tokenizer.ggml.token_type" => self.vocabulary.types = Some(count),
            _ => {}
        }
        match kind {
            8 => self.read_texts(reader, key == "tokenizer.ggml.tokens", count),
            4 | 5 if count <= MOST_LAYERS => {
                let numbers = (0..count).map(|_| reader.u32().map(u64::from));
                Ok(Value::Numbers(numbers.collect::<Result<_, _>>()?))
            }
            kind => {
                let size = size_of(kind).ok_or(GgufError::Malformed("type of a list"))?;
                let length = count.checked_mul(size).ok_or(GgufError::Malformed("length"))?;
                reader.skip(length)?;
                Ok(Value::Other)
            }
        }
    }

    fn read_texts<R: Read + Seek>(
        &mut self,
        reader: &mut Reader<R>,
        tokens: bool,
        count: u64,
    ) -> Result<Value, GgufError> {
        // Every text takes eight bytes at least: a count that cannot be true ends here, at once.
        let least = count.checked_mul(8).ok_or(GgufError::Malformed("length"))?;
        if least > reader.bytes - reader.position {
            return Err(GgufError::Truncated {
                have: reader.bytes,
                need: reader.position.saturating_add(least),
            });
        }
        for _ in 0..count {
            if tokens {
                let text = reader.text(1 << 16)?;
                self.vocabulary.push(&text);
            } else {
                let length = reader.u64()?;
                reader.skip(length)?;
            }
        }
        Ok(Value::Other)
    }

    fn read_tensors<R: Read + Seek>(
        &mut self,
        reader: &mut Reader<R>,
        tensors: u64,
    ) -> Result<(), GgufError> {
        let alignment = match self.number("general.alignment") {
            None => 32,
            Some(n) if n.is_power_of_two() && n <= 1 << 16 => n,
            Some(_) => return Err(GgufError::Malformed("alignment")),
        };
        let (mut names, mut end) = (HashSet::new(), 0_u64);
        for _ in 0..tensors {
            let name = reader.key(LONGEST_TENSOR_NAME)?;
            let tensor = Tensor::read(reader)?;
            if !names.insert(name) || tensor.offset != end.next_multiple_of(alignment) {
                return Err(GgufError::Malformed("tensors overlap"));
            }
            end = tensor
                .offset
                .checked_add(tensor.bytes)
                .filter(|end| *end < BEYOND_ANY_FILE)
                .ok_or(GgufError::Malformed("tensor's size"))?;
            self.parameters = self.parameters.saturating_add(tensor.weights);
        }
        let need = reader.position.next_multiple_of(alignment) + end;
        if need > reader.bytes {
            return Err(GgufError::Truncated { have: reader.bytes, need });
        }
        Ok(())
    }

    fn number(&self, key: &str) -> Option<u64> {
        match self.values.get(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// What llama.cpp divides by, allocates by or asserts on.
    pub(super) fn check(self) -> Result<GgufInfo, GgufError> {
        let architecture = self.text("general.architecture").unwrap_or_default().to_owned();
        if !architecture::can_chat(&architecture) {
            return Err(GgufError::Architecture(architecture));
        }
        if self.number("split.count").is_some_and(|parts| parts > 1) {
            return Err(GgufError::Part);
        }
        let shape = Shape::of(&self, &architecture)?;
        Ok(GgufInfo {
            name: self.text("general.name").map(str::to_owned),
            context_tokens: shape.context_tokens,
            has_chat_template: self.values.contains_key("tokenizer.chat_template"),
            quantisation: self.quantisation().to_owned(),
            parameters: self.parameters,
            context_bytes_per_token: shape.context_bytes_per_token,
            bytes: self.bytes,
            vocabulary: self.vocabulary.check()?,
            architecture,
        })
    }

    fn quantisation(&self) -> &'static str {
        let file_type = self.number("general.file_type");
        quantisation::name(file_type.and_then(|number| u32::try_from(number).ok()))
    }
}

/// The network's measures.
struct Shape {
    context_tokens: u32,
    context_bytes_per_token: u64,
}

impl Shape {
    fn of(header: &Header, architecture: &str) -> Result<Self, GgufError> {
        let key = |name: &str| format!("{architecture}.{name}");
        let within = |name: &'static str, most: u64| match header.number(&key(name)) {
            Some(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(GgufError::Malformed(name)),
        };
        let layers = within("block_count", MOST_LAYERS)?;
        let width = within("embedding_length", 1 << 17)?;
        let context = within("context_length", 1 << 28)?;
        let heads = header.per_layer(&key("attention.head_count"), layers)?;
        let kv_heads = match header.values.get(&key("attention.head_count_kv")) {
            Some(_) => header.per_layer(&key("attention.head_count_kv"), layers)?,
            None => heads.clone(),
        };
        let most_heads = heads.iter().copied().max().unwrap_or(0).max(1);
        let head = |name: &str| match header.number(&key(name)) {
            None => Ok(width / most_heads),
            Some(length) if length <= 1 << 16 => Ok(length),
            Some(_) => Err(GgufError::Malformed("size of a head")),
        };
        let head_bytes = 2 * (head("attention.key_length")? + head("attention.value_length")?);
        header.check_experts(architecture)?;
        header.check_rope(architecture)?;
        Ok(Self {
            context_tokens: u32::try_from(context).unwrap_or(u32::MAX),
            context_bytes_per_token: kv_heads.iter().sum::<u64>() * head_bytes,
        })
    }
}

impl Header {
    /// One number a layer, whether the file tells one for all or a list.
    fn per_layer(&self, key: &str, layers: u64) -> Result<Vec<u64>, GgufError> {
        let numbers = match self.values.get(key) {
            // Recurrent networks have no heads.
            None => return Ok(Vec::new()),
            Some(Value::Number(number)) => vec![*number; usize::try_from(layers).unwrap_or(0)],
            Some(Value::Numbers(list)) if list.len() as u64 == layers => list.clone(),
            Some(_) => return Err(GgufError::Malformed("heads")),
        };
        match numbers.iter().all(|number| *number <= 4096) {
            true => Ok(numbers),
            false => Err(GgufError::Malformed("heads")),
        }
    }

    fn check_experts(&self, architecture: &str) -> Result<(), GgufError> {
        let all = self.number(&format!("{architecture}.expert_count")).unwrap_or(0);
        let used = self.number(&format!("{architecture}.expert_used_count")).unwrap_or(0);
        match used <= all && all <= 1024 && (used == 0) == (all == 0) {
            true => Ok(()),
            false => Err(GgufError::Malformed("experts")),
        }
    }

    fn check_rope(&self, architecture: &str) -> Result<(), GgufError> {
        match self.text(&format!("{architecture}.rope.scaling.type")) {
            None | Some("none" | "linear" | "yarn" | "longrope") => Ok(()),
            Some(_) => Err(GgufError::Malformed("rope scaling")),
        }
    }
}

/// One tensor's place in the file.
struct Tensor {
    weights: u64,
    bytes: u64,
    offset: u64,
}

impl Tensor {
    fn read<R: Read + Seek>(reader: &mut Reader<R>) -> Result<Self, GgufError> {
        let dimensions = reader.u32()?;
        if !(1..=4).contains(&dimensions) {
            return Err(GgufError::Malformed("dimensions"));
        }
        let mut lengths = [1_u64; 4];
        for length in lengths.iter_mut().take(dimensions as usize) {
            *length = reader.u64()?;
        }
        let (per_block, block_bytes) =
            quantisation::block(reader.u32()?).ok_or(GgufError::Malformed("type of a tensor"))?;
        let offset = reader.u64()?;
        let weights = lengths
            .iter()
            .try_fold(1_u64, |product, length| product.checked_mul(*length))
            .filter(|weights| (1..BEYOND_ANY_FILE).contains(weights))
            .ok_or(GgufError::Malformed("tensor's size"))?;
        if lengths[0] % per_block != 0 || offset >= BEYOND_ANY_FILE {
            return Err(GgufError::Malformed("tensor's size"));
        }
        Ok(Self { weights, bytes: weights / per_block * block_bytes, offset })
    }
}

fn is_kept(key: &str) -> bool {
    matches!(key, "general.architecture" | "general.name") || key.ends_with(".rope.scaling.type")
}

/// An empty name is worth nothing, and no reason to refuse.
fn keep_empty(error: GgufError) -> Result<String, GgufError> {
    match error {
        GgufError::Malformed("empty name") => Ok(String::new()),
        error => Err(error),
    }
}

/// Bytes of a value of this type; none for texts and lists.
fn size_of(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn read_number<R: Read + Seek>(reader: &mut Reader<R>, kind: u32) -> Result<Value, GgufError> {
    let size = size_of(kind).ok_or(GgufError::Malformed("type of a value"))?;
    let mut bytes = [0_u8; 8];
    reader.advance(size)?;
    reader.source.read_exact(&mut bytes[..usize::try_from(size).unwrap_or(0)])?;
    let number = u64::from_le_bytes(bytes);
    Ok(match kind {
        0 | 2 | 4 | 10 => Value::Number(number),
        // Negative ones are out of every range that is checked.
        1 | 3 | 5 | 11 => Value::Number(number),
        _ => Value::Other,
    })
}
