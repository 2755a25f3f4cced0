//! Passwords of court staff: argon2id, off the async threads, never more than a few at once.

use crate::entropy::Entropy;
use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use protocol::Secret;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Each takes 19 MiB and a core for some 30 ms.
const AT_ONCE: usize = 2;

/// Hashes and verifies.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    gate: Arc<Semaphore>,
    tracker: TaskTracker,
    /// Verified against when there is no such account, so that the answer takes as long.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new(tracker: TaskTracker, entropy: &Entropy) -> Self {
        let nobody = hash(&entropy.token(), entropy).into();
        Self {
            gate: Arc::new(Semaphore::new(AT_ONCE)),
            tracker,
            nobody,
        }
    }

    /// True when the password is that of the account; `stored` is none when there is no such account.
    pub(crate) async fn verify(&self, password: Secret, stored: Option<String>) -> bool {
        let _permit = self.gate.acquire().await.expect("the semaphore is never closed");
        let known = stored.is_some();
        let phc = stored.unwrap_or_else(|| self.nobody.to_string());
        let right = self
            .tracker
            .spawn_blocking(move || matches(&password, &phc))
            .await
            .unwrap_or(false);
        known && right
    }
}

/// A PHC string of the password with a fresh salt. Takes a core for some 30 ms.
pub(crate) fn hash(password: &Secret, entropy: &Entropy) -> String {
    let salt = SaltString::encode_b64(&entropy.bytes::<16>()).expect("16 bytes are a valid salt");
    Argon2::default()
        .hash_password(password.expose().as_bytes(), &salt)
        .expect("argon2 with its default parameters takes any password")
        .to_string()
}

fn matches(password: &Secret, phc: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|stored| {
        Argon2::default()
            .verify_password(password.expose().as_bytes(), &stored)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_an_account_is_accepted() {
        let entropy = Entropy::from_seed(1);
        let passwords = Passwords::new(TaskTracker::new(), &entropy);
        let stored = hash(&Secret::new("对的"), &entropy);
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.verify(Secret::new("对的"), Some(stored.clone())).await);
        assert!(!passwords.verify(Secret::new("错的"), Some(stored)).await);
        assert!(!passwords.verify(Secret::new("对的"), None).await);
    }
}
