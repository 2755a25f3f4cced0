//! Accounts of court staff. The password comes in hashed.

use super::{Store, StoreError, exists_or, to_db};
use protocol::{PersonName, TimeMs};

/// An account as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredAccount {
    pub(crate) id: String,
    pub(crate) name: PersonName,
    /// PHC string.
    pub(crate) password: String,
}

impl Store {
    /// Makes an account. [`StoreError::Exists`]: the login is taken.
    pub(crate) async fn create_account(
        &self,
        account: &StoredAccount,
        login: &str,
        now: TimeMs,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO accounts (id, login, name, password, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(account.id.as_str())
        .bind(login)
        .bind(account.name.expose())
        .bind(account.password.as_str())
        .bind(to_db(now))
        .execute(&self.pool)
        .await
        .map_err(exists_or)?;
        Ok(())
    }

    /// Sets another password and signs the account out everywhere, seats that it took included: a new password is the
    /// remedy for a stolen one. False: there is no such login.
    pub(crate) async fn set_password(&self, login: &str, password: &str) -> Result<bool, StoreError> {
        let mut tx = self.begin_writing().await?;
        let done = sqlx::query("UPDATE accounts SET password = $2 WHERE login = $1")
            .bind(login)
            .bind(password)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM tokens WHERE account IN (SELECT id FROM accounts WHERE login = $1) \
             OR (kind = 'seat' AND EXISTS (SELECT 1 FROM seats JOIN accounts ON accounts.id = seats.account \
             WHERE accounts.login = $1 AND seats.hearing = tokens.hearing AND seats.id = tokens.seat))",
        )
        .bind(login)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// The account with this login, or none.
    pub(crate) async fn account_by_login(&self, login: &str) -> Result<Option<StoredAccount>, StoreError> {
        let found: Option<(String, String, String)> =
            sqlx::query_as("SELECT id, name, password FROM accounts WHERE login = $1")
                .bind(login)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.map(|(id, name, password)| StoredAccount {
            id,
            name: PersonName::new(name),
            password,
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::storage::{StoredAccount, Token, TokenKind, fresh};
    use protocol::{PersonName, TimeMs};

    #[tokio::test]
    async fn a_new_password_signs_the_account_out_and_nobody_else() {
        let (_dir, store) = fresh().await;
        for id in ["a1", "a2"] {
            let account = StoredAccount {
                id: id.into(),
                name: PersonName::new("示例"),
                password: "first".into(),
            };
            let login = format!("login-{id}");
            store
                .create_account(&account, &login, TimeMs(1))
                .await
                .expect("made");
            let token = Token {
                hash: id.as_bytes().to_vec(),
                kind: TokenKind::Staff(id.into()),
                issued_at: TimeMs(1),
                expires_at: TimeMs(100),
            };
            store.issue(&token).await.expect("issued");
        }
        assert!(store.set_password("login-a1", "second").await.expect("set"));
        assert!(!store.set_password("nobody", "second").await.expect("asked"));
        let left = |hash: &'static [u8]| store.token(hash, TimeMs(2));
        assert!(left(b"a1").await.expect("asked").is_none());
        assert!(left(b"a2").await.expect("asked").is_some());
    }
}
