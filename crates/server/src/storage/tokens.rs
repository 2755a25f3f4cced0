//! Tickets, seat tokens and staff sessions, by the keyed hash of the token.

use super::{Store, StoreError, from_db, to_db};
use protocol::{HearingId, SeatId, TimeMs};

/// What a token opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind {
    /// A code was right; a name and capacity are to follow.
    Ticket(HearingId, SeatId),
    /// The hearing channel of one seat.
    Seat(HearingId, SeatId),
    /// The staff routes, for the account with this id.
    Staff(String),
}

/// A token as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) hash: Vec<u8>,
    pub(crate) kind: TokenKind,
    pub(crate) issued_at: TimeMs,
    pub(crate) expires_at: TimeMs,
}

type Row = (String, Option<String>, Option<String>, Option<String>, i64, i64);

impl Store {
    /// Stores a token.
    pub(crate) async fn issue(&self, token: &Token) -> Result<(), StoreError> {
        let (kind, hearing, seat, account) = match &token.kind {
            TokenKind::Ticket(h, s) => ("ticket", Some(h.as_str()), Some(s.as_str()), None),
            TokenKind::Seat(h, s) => ("seat", Some(h.as_str()), Some(s.as_str()), None),
            TokenKind::Staff(account) => ("staff", None, None, Some(account.as_str())),
        };
        sqlx::query(
            "INSERT INTO tokens (hash, kind, hearing, seat, account, issued_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(token.hash.as_slice())
        .bind(kind)
        .bind(hearing)
        .bind(seat)
        .bind(account)
        .bind(to_db(token.issued_at))
        .bind(to_db(token.expires_at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The token with this hash, unless it has expired.
    pub(crate) async fn token(&self, hash: &[u8], now: TimeMs) -> Result<Option<Token>, StoreError> {
        let found: Option<Row> = sqlx::query_as(
            "SELECT kind, hearing, seat, account, issued_at, expires_at FROM tokens \
             WHERE hash = $1 AND expires_at > $2",
        )
        .bind(hash)
        .bind(to_db(now))
        .fetch_optional(&self.pool)
        .await?;
        let Some((kind, hearing, seat, account, issued_at, expires_at)) = found else {
            return Ok(None);
        };
        let place = hearing.zip(seat).map(|(h, s)| (HearingId(h), SeatId(s)));
        let kind = match (kind.as_str(), place, account) {
            ("ticket", Some((h, s)), None) => TokenKind::Ticket(h, s),
            ("seat", Some((h, s)), None) => TokenKind::Seat(h, s),
            ("staff", None, Some(account)) => TokenKind::Staff(account),
            _ => return Err(StoreError::Corrupt { what: "tokens" }),
        };
        Ok(Some(Token {
            hash: hash.to_owned(),
            kind,
            issued_at: from_db(issued_at),
            expires_at: from_db(expires_at),
        }))
    }

    /// When the newest token was issued.
    pub(crate) async fn newest_token(&self) -> Result<TimeMs, StoreError> {
        let newest: Option<i64> = sqlx::query_scalar("SELECT MAX(issued_at) FROM tokens")
            .fetch_one(&self.pool)
            .await?;
        Ok(from_db(newest.unwrap_or(0)))
    }

    /// Ends the seat tokens of a seat that are older than the one a device has connected with. A newer one stays: it
    /// was issued to who is about to take the seat over.
    pub(crate) async fn forget_older(
        &self,
        hearing: &HearingId,
        seat: &SeatId,
        issued_at: TimeMs,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM tokens WHERE kind = 'seat' AND hearing = $1 AND seat = $2 AND issued_at < $3",
        )
        .bind(hearing.as_str())
        .bind(seat.as_str())
        .bind(to_db(issued_at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Drops what has expired.
    pub(crate) async fn forget_expired(&self, now: TimeMs) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM tokens WHERE expires_at <= $1")
            .bind(to_db(now))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
