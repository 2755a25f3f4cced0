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

    /// Sets another password.
    pub(crate) async fn set_password(&self, login: &str, password: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE accounts SET password = $2 WHERE login = $1")
            .bind(login)
            .bind(password)
            .execute(&self.pool)
            .await?;
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
