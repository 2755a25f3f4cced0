//! Random names for rooms, participants and tracks, in LiveKit's form (`PA_…`). From a seeded generator: the
//! driver seeds it once.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Letters and digits that are not mistaken for one another.
const ALPHABET: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const LENGTH: usize = 12;

/// See the module.
pub(crate) struct Sids(ChaCha12Rng);

impl Sids {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Sids(ChaCha12Rng::from_seed(seed))
    }

    /// `PREFIX_` and twelve random letters.
    pub(crate) fn next(&mut self, prefix: &str) -> String {
        let mut sid = format!("{prefix}_");
        sid.extend((0..LENGTH).map(|_| char::from(ALPHABET[self.0.random_range(0..ALPHABET.len())])));
        sid
    }
}
