//! Hearings, seats, codes and the event log.

use super::{Store, StoreError, exists_or, from_json, to_db, to_json};
use protocol::{CaseInfo, Envelope, HearingId, HearingSettings, HearingState, Seat, SeatId, Seq, TimeMs};
use sqlx::Row;

/// A hearing to be scheduled.
#[derive(Clone, Debug)]
pub(crate) struct NewHearing {
    pub(crate) id: HearingId,
    pub(crate) case: CaseInfo,
    pub(crate) settings: HearingSettings,
    pub(crate) seats: Vec<NewSeat>,
}

/// An invited seat, with the keyed hash of its code.
#[derive(Clone, Debug)]
pub(crate) struct NewSeat {
    pub(crate) seat: Seat,
    /// Id of the account that may take it by signing in.
    pub(crate) account: Option<String>,
    pub(crate) code_hash: Vec<u8>,
}

/// A hearing as it was scheduled, and where it stands now.
#[derive(Clone, Debug)]
pub(crate) struct StoredHearing {
    pub(crate) id: HearingId,
    pub(crate) case: CaseInfo,
    pub(crate) settings: HearingSettings,
    pub(crate) state: HearingState,
    pub(crate) seats: Vec<Seat>,
}

impl Store {
    /// Schedules a hearing. [`StoreError::Exists`]: a code or the id is taken, draw another.
    pub(crate) async fn schedule(&self, hearing: &NewHearing, now: TimeMs) -> Result<(), StoreError> {
        let mut tx = self.begin_writing().await?;
        sqlx::query(
            "INSERT INTO hearings (id, case_info, settings, state, starts_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(hearing.id.as_str())
        .bind(to_json(&hearing.case))
        .bind(to_json(&hearing.settings))
        .bind(to_json(&HearingState::Scheduled))
        .bind(to_db(hearing.case.starts_at))
        .bind(to_db(now))
        .execute(&mut *tx)
        .await
        .map_err(exists_or)?;
        for (position, new) in (0i64..).zip(&hearing.seats) {
            sqlx::query(
                "INSERT INTO seats (hearing, id, position, seat, account) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(hearing.id.as_str())
            .bind(new.seat.id.as_str())
            .bind(position)
            .bind(to_json(&new.seat))
            .bind(new.account.as_deref())
            .execute(&mut *tx)
            .await
            .map_err(exists_or)?;
            sqlx::query("INSERT INTO codes (hash, hearing, seat) VALUES ($1, $2, $3)")
                .bind(new.code_hash.as_slice())
                .bind(hearing.id.as_str())
                .bind(new.seat.id.as_str())
                .execute(&mut *tx)
                .await
                .map_err(exists_or)?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The hearing with its seats, or none.
    pub(crate) async fn hearing(&self, id: &HearingId) -> Result<Option<StoredHearing>, StoreError> {
        let row = sqlx::query("SELECT case_info, settings, state FROM hearings WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let seats = sqlx::query("SELECT seat FROM seats WHERE hearing = $1 ORDER BY position")
            .bind(id.as_str())
            .fetch_all(&self.pool)
            .await?;
        Ok(Some(StoredHearing {
            id: id.clone(),
            case: from_json("hearings.case_info", row.try_get("case_info")?)?,
            settings: from_json("hearings.settings", row.try_get("settings")?)?,
            state: from_json("hearings.state", row.try_get("state")?)?,
            seats: seats
                .iter()
                .map(|row| from_json("seats.seat", row.try_get("seat")?))
                .collect::<Result<_, StoreError>>()?,
        }))
    }

    /// The seat that a code with this hash opens.
    pub(crate) async fn seat_of_code(&self, hash: &[u8]) -> Result<Option<(HearingId, SeatId)>, StoreError> {
        let found: Option<(String, String)> =
            sqlx::query_as("SELECT hearing, seat FROM codes WHERE hash = $1")
                .bind(hash)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.map(|(hearing, seat)| (HearingId(hearing), SeatId(seat))))
    }

    /// Hearings in which an account has a seat, by starting time.
    pub(crate) async fn hearings_of_account(
        &self,
        account: &str,
    ) -> Result<Vec<(StoredHearing, SeatId)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT s.hearing, s.id FROM seats s JOIN hearings h ON h.id = s.hearing \
             WHERE s.account = $1 ORDER BY h.starts_at, h.id, s.position",
        )
        .bind(account)
        .fetch_all(&self.pool)
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for (hearing, seat) in rows {
            if let Some(hearing) = self.hearing(&HearingId(hearing)).await? {
                found.push((hearing, SeatId(seat)));
            }
        }
        Ok(found)
    }

    /// Ids and states of all hearings that have begun to happen: those with events.
    pub(crate) async fn hearings_with_events(&self) -> Result<Vec<(HearingId, HearingState)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, state FROM hearings h WHERE EXISTS (SELECT 1 FROM events e WHERE e.hearing = h.id)",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(id, state)| Ok((HearingId(id), from_json("hearings.state", &state)?)))
            .collect()
    }

    /// Events after `after`, in order.
    pub(crate) async fn events(&self, hearing: &HearingId, after: Seq) -> Result<Vec<Envelope>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT envelope FROM events WHERE hearing = $1 AND seq > $2 ORDER BY seq")
                .bind(hearing.as_str())
                .bind(to_db(TimeMs(after.0)))
                .fetch_all(&self.pool)
                .await?;
        rows.iter()
            .map(|(text,)| from_json("events.envelope", text))
            .collect()
    }

    /// Appends events in one transaction, with the state that they lead to if it changed. When this returns `Ok`,
    /// they are on the disk. [`StoreError::Exists`]: somebody else wrote to this log; forget the state and load it again.
    pub(crate) async fn append(
        &self,
        hearing: &HearingId,
        envelopes: &[Envelope],
        state: Option<&HearingState>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_writing().await?;
        for envelope in envelopes {
            sqlx::query("INSERT INTO events (hearing, seq, envelope) VALUES ($1, $2, $3)")
                .bind(hearing.as_str())
                .bind(to_db(TimeMs(envelope.seq.0)))
                .bind(to_json(envelope))
                .execute(&mut *tx)
                .await
                .map_err(exists_or)?;
        }
        if let Some(state) = state {
            sqlx::query("UPDATE hearings SET state = $2 WHERE id = $1")
                .bind(hearing.as_str())
                .bind(to_json(state))
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
