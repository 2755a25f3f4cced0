//! Keyed hashes of what is secret: codes and tokens are stored and looked up by these alone.
//!
//! A code has only ten million values, so a plain hash of it could be reversed from a stolen database. The key lies
//! outside the database. The lookup compares hashes that a guesser cannot foresee, so its timing teaches nothing.

use crate::entropy::Entropy;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use std::io::{Read, Write};
use std::path::Path;

/// What a hash is for; the same text gives unrelated hashes for different purposes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Code,
    Token,
    MediaSecret,
}

/// The server's own secret. Whoever loses it makes every code and token void; nothing else depends on it.
#[derive(Clone)]
pub struct ServerKey([u8; 32]);

/// The least length of a secret that is given in the configuration.
pub const MIN_SECRET_LEN: usize = 32;

impl ServerKey {
    /// From the configured secret.
    pub fn from_secret(secret: &str) -> Self {
        Self(hmac(b"mingting server key", &[secret.as_bytes()]))
    }

    /// Reads the key file, or makes it at the first start, readable by its owner only.
    pub fn load_or_create(path: &Path, entropy: &Entropy) -> std::io::Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(mut file) => {
                let key = entropy.bytes::<32>();
                file.write_all(&key)?;
                file.sync_all()?;
                Ok(Self(key))
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                let mut key = Vec::new();
                std::fs::File::open(path)?.take(64).read_to_end(&mut key)?;
                let key = key.try_into().map_err(|_| {
                    std::io::Error::new(
                        std::io::ErrorKind::InvalidData,
                        "the key file is not 32 bytes long",
                    )
                })?;
                Ok(Self(key))
            }
            Err(e) => Err(e),
        }
    }

    pub(crate) fn hash(&self, purpose: Purpose, text: &str) -> Vec<u8> {
        let label: &[u8] = match purpose {
            Purpose::Code => b"code",
            Purpose::Token => b"token",
            Purpose::MediaSecret => b"media secret",
        };
        hmac(&self.0, &[label, b"\0", text.as_bytes()]).to_vec()
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(•••)")
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_file_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("key");
        let first = ServerKey::load_or_create(&path, &Entropy::from_seed(1)).expect("made");
        let second = ServerKey::load_or_create(&path, &Entropy::from_seed(2)).expect("read");
        assert_eq!(first.0, second.0);
        std::fs::write(&path, b"short").expect("written");
        assert!(ServerKey::load_or_create(&path, &Entropy::from_seed(3)).is_err());
    }

    #[test]
    fn a_hash_depends_on_key_purpose_and_text() {
        let key = ServerKey::from_secret("a");
        let hash = key.hash(Purpose::Code, "12345674");
        assert_ne!(hash, key.hash(Purpose::Token, "12345674"));
        assert_ne!(hash, key.hash(Purpose::Code, "12345675"));
        assert_ne!(hash, ServerKey::from_secret("b").hash(Purpose::Code, "12345674"));
    }
}
