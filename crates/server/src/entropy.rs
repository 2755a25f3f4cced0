//! Randomness, passed in everywhere: from the operating system in production, from a seed in tests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::{JoinCode, Secret};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

/// A cryptographic random generator. Clones draw from the same stream.
#[derive(Clone)]
pub struct Entropy(Arc<Mutex<ChaCha20Rng>>);

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_os() -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::from_os_rng())))
    }

    /// The same sequence every time, for tests.
    pub fn from_seed(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }

    fn rng(&self) -> MutexGuard<'_, ChaCha20Rng> {
        self.0
            .lock()
            .expect("no panic happens while the generator is held")
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng().fill_bytes(&mut bytes);
        bytes
    }

    /// A bearer token of 256 bits.
    pub fn token(&self) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.bytes::<32>()))
    }

    /// An identifier of 80 bits that says nothing about what it names: `prefix-…`, lower case.
    pub fn id(&self, prefix: &str) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789z";
        let tail: String = self
            .bytes::<16>()
            .iter()
            .map(|b| char::from(LETTERS[usize::from(b % 32)]))
            .collect();
        format!("{prefix}-{tail}")
    }

    /// A hearing code, all ten million equally likely.
    pub fn code(&self) -> JoinCode {
        JoinCode::from_number(self.rng().random_range(0..10_000_000))
    }

    /// A password of about 71 bits that can be read out over the telephone.
    pub fn password(&self) -> Secret {
        const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
        let mut rng = self.rng();
        let groups: Vec<String> = (0..3)
            .map(|_| {
                (0..5)
                    .map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]))
                    .collect()
            })
            .collect();
        Secret::new(groups.join("-"))
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}
