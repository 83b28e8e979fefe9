//! Random numbers that a seed repeats.

/// SplitMix64: small, and good enough to choose faults.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to, without, `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.draw() % end }
    }

    /// Below 2 to the power of `bits`, and of every length in bits as often: mostly small.
    pub fn small(&mut self, bits: u64) -> u64 {
        let end = 1 << self.below(bits);
        self.below(end)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// The seed of the runs that nobody chose one for: what stands between a change and its landing does not
/// depend on the time of day.
const STANDING: u64 = 1;

/// The seed of this run: `TIDEMARK_SEED`, a number, or `new` for one that the time chooses. Whoever
/// asserts says it in the message.
pub fn seed() -> u64 {
    let now = || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as u64 % 1_000_000_007)
    };
    match std::env::var("TIDEMARK_SEED") {
        Err(_) => STANDING,
        Ok(text) => text.parse().unwrap_or_else(|_| now()),
    }
}

/// How often: what the variable `name` says, else `usual`.
pub fn scale(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
