//! What survives a power cut: hearings, their logs, accounts, hashes of codes and tokens, and the court's audit trail.
//!
//! SQLite in WAL mode with `synchronous = FULL`: when a commit returns, it is on the disk. All SQL of the server is in
//! this module, in statements that PostgreSQL understands as well. Codes and tokens come in as hashes only.

mod accounts;
mod audit;
mod hearings;
mod selftests;
mod tokens;

pub(crate) use accounts::StoredAccount;
pub(crate) use audit::{AuditEntry, AuditKind};
pub(crate) use hearings::{NewHearing, NewSeat};
pub(crate) use tokens::{Token, TokenKind};

use protocol::TimeMs;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::Path;
use std::time::Duration;

/// The embedded migrations.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Connections to the database. SQLite has one writer at a time; the others read.
const CONNECTIONS: u32 = 4;
/// How long a writer waits for another process, such as `create-hearing` beside a running server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How many times that wait is repeated before a write is given up.
const BUSY_TRIES: u32 = 6;

/// The database. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// What is stored cannot be read back; the message names the table, never the content.
    #[error("the stored {what} cannot be read")]
    Corrupt {
        /// Which column.
        what: &'static str,
    },
    /// It is there already: an event with this number, a code, a login.
    #[error("there is one already")]
    Exists,
}

/// Makes the file, readable by nobody else: names and hearings are in it. SQLite gives its log beside it the same rights.
fn keep_to_oneself(file: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(|_| ())
}

impl Store {
    /// Opens the database, making it if there is none. Run [`Store::migrate`] before use.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        keep_to_oneself(file).map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect_with(options)
            .await?;
        Ok(Self { pool })
    }

    /// Brings the schema up to date; doing it again changes nothing.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        Ok(MIGRATIONS.run(&self.pool).await?)
    }

    /// The database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes all connections, after the work in progress.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins a transaction that may write from its first statement on, so that it never fails half way for a lock.
    ///
    /// A lock that others hold on to is waited for again: nothing was stored yet, and giving up would end a hearing.
    async fn begin_writing(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        for _ in 1..BUSY_TRIES {
            match self.pool.begin_with("BEGIN IMMEDIATE").await {
                Err(error) if is_busy(&error) => tracing::warn!("the database is busy; waiting again"),
                begun => return Ok(begun?),
            }
        }
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Notes that the server is alive; see [`Store::last_alive`].
    pub(crate) async fn note_alive(&self, now: TimeMs) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO server_facts (name, value) VALUES ('alive_at', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(to_db(now))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// When a server was last known to be alive on this database: evidence for when everybody's connection was lost.
    pub(crate) async fn last_alive(&self) -> Result<Option<TimeMs>, StoreError> {
        let found: Option<(i64,)> = sqlx::query_as("SELECT value FROM server_facts WHERE name = 'alive_at'")
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.map(|(at,)| from_db(at)))
    }
}

/// Times and sequence numbers are far below 2^63; a larger one is a bug.
fn to_db(time: TimeMs) -> i64 {
    i64::try_from(time.0).expect("a time in milliseconds fits 63 bits")
}

fn from_db(value: i64) -> TimeMs {
    TimeMs(u64::try_from(value).unwrap_or(0))
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("wire types always serialise")
}

fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt { what })
}

/// Another connection has the write lock, SQLITE_BUSY (5) in its low byte (sqlite.org/rescode.html).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code());
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

/// Turns a broken uniqueness into [`StoreError::Exists`].
fn exists_or(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(e) if e.is_unique_violation() => StoreError::Exists,
        _ => StoreError::Database(error),
    }
}

#[cfg(test)]
pub(crate) async fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::open(&dir.path().join("test.db")).await.expect("opened");
    store.migrate().await.expect("migrated");
    (dir, store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_reads_the_database() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("db")).await.expect("opened");
        store.migrate().await.expect("migrated");
        for file in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
            let mode = file.metadata().expect("it is there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{:?}", file.file_name());
        }
    }

    #[tokio::test]
    async fn a_commit_is_on_the_disk_before_it_returns() {
        let (_dir, store) = fresh().await;
        let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode")
            .fetch_one(&store.pool)
            .await
            .expect("asked");
        let (level,): (i64,) = sqlx::query_as("PRAGMA synchronous")
            .fetch_one(&store.pool)
            .await
            .expect("asked");
        assert_eq!((mode.as_str(), level), ("wal", 2), "2 is FULL");
        store.migrate().await.expect("migrating again changes nothing");
    }

    #[tokio::test]
    async fn a_lock_that_is_held_is_told_from_a_failure() {
        let (dir, store) = fresh().await;
        let options = SqliteConnectOptions::new()
            .filename(dir.path().join("test.db"))
            .busy_timeout(Duration::ZERO);
        let other = SqlitePool::connect_with(options).await.expect("opened");
        let held = store.begin_writing().await.expect("begun");
        let refused = other.begin_with("BEGIN IMMEDIATE").await.expect_err("it is held");
        assert!(is_busy(&refused), "{refused}");
        drop(held);
        assert!(!is_busy(&sqlx::Error::RowNotFound));
    }

    #[tokio::test]
    async fn the_last_sign_of_life_is_kept() {
        let (_dir, store) = fresh().await;
        assert_eq!(store.last_alive().await.expect("asked"), None);
        for at in [TimeMs(5), TimeMs(9)] {
            store.note_alive(at).await.expect("noted");
        }
        assert_eq!(store.last_alive().await.expect("asked"), Some(TimeMs(9)));
    }
}
