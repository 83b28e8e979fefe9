//! A small file with the form of a model, for tests.

/// Writes a header value by value.
#[derive(Debug, Clone, Default)]
pub(in crate::providers::local) struct Sample {
    values: Vec<(String, Vec<u8>)>,
    tensors: Vec<(String, Vec<u64>)>,
}

impl Sample {
    /// A network of two layers that knows four tokens.
    pub(in crate::providers::local) fn model() -> Self {
        let mut sample = Self::default()
            .text("general.architecture", "llama")
            .text("general.name", "Tiny")
            .text("tokenizer.chat_template", "{{ messages }}")
            .texts("tokenizer.ggml.tokens", &["<s>", "a", "b", "c"])
            .texts("tokenizer.ggml.merges", &["a b"]);
        for (key, number) in [
            ("general.file_type", 0),
            ("llama.context_length", 2048),
            ("llama.block_count", 2),
            ("llama.embedding_length", 64),
            ("llama.attention.head_count", 4),
            ("llama.attention.head_count_kv", 2),
        ] {
            sample = sample.number(key, number);
        }
        sample.tensor("token_embd.weight", &[64, 4]).tensor("output.weight", &[64, 4])
    }

    /// Sets a text.
    pub(in crate::providers::local) fn text(self, key: &str, text: &str) -> Self {
        self.value(key, 8, &string(text.as_bytes()))
    }

    /// Sets a 32-bit number.
    pub(in crate::providers::local) fn number(self, key: &str, number: u32) -> Self {
        self.value(key, 4, &number.to_le_bytes())
    }

    /// Sets a list of texts.
    pub(in crate::providers::local) fn texts(self, key: &str, texts: &[&str]) -> Self {
        let mut bytes = 8_u32.to_le_bytes().to_vec();
        bytes.extend((texts.len() as u64).to_le_bytes());
        bytes.extend(texts.iter().flat_map(|text| string(text.as_bytes())));
        self.value(key, 9, &bytes)
    }

    /// Sets a value of any type.
    pub(in crate::providers::local) fn value(mut self, key: &str, kind: u32, bytes: &[u8]) -> Self {
        let bytes = [&kind.to_le_bytes(), bytes].concat();
        match self.values.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = bytes,
            None => self.values.push((key.to_owned(), bytes)),
        }
        self
    }

    /// Takes a value out.
    pub(in crate::providers::local) fn without(mut self, key: &str) -> Self {
        self.values.retain(|(name, _)| name != key);
        self
    }

    /// Adds a tensor of 32-bit floats.
    pub(in crate::providers::local) fn tensor(mut self, name: &str, lengths: &[u64]) -> Self {
        self.tensors.push((name.to_owned(), lengths.to_vec()));
        self
    }

    /// The whole file.
    pub(in crate::providers::local) fn bytes(&self) -> Vec<u8> {
        let (mut file, weights) = self.header();
        file.resize(file.len().next_multiple_of(32) + usize::try_from(weights).expect("small"), 0);
        file
    }

    /// The header with a little room after it, for sizes that lie.
    pub(in crate::providers::local) fn bytes_unchecked(&self) -> Vec<u8> {
        let (mut file, _) = self.header();
        file.resize(file.len().next_multiple_of(32) + (1 << 16), 0);
        file
    }

    /// The header, and how many bytes of weights it claims.
    fn header(&self) -> (Vec<u8>, u64) {
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend((self.tensors.len() as u64).to_le_bytes());
        file.extend((self.values.len() as u64).to_le_bytes());
        for (key, bytes) in &self.values {
            file.extend(string(key.as_bytes()));
            file.extend(bytes);
        }
        let mut offset = 0_u64;
        for (name, lengths) in &self.tensors {
            file.extend(string(name.as_bytes()));
            file.extend((lengths.len() as u32).to_le_bytes());
            file.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
            file.extend(0_u32.to_le_bytes());
            file.extend(offset.to_le_bytes());
            let weights = lengths.iter().fold(4_u64, |bytes, length| bytes.wrapping_mul(*length));
            offset = offset.wrapping_add(weights);
        }
        (file, offset)
    }
}

fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text].concat()
}
