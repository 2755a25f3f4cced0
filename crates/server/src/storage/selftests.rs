//! Reports of device checks by seat, the newest few of each.

use super::{Store, StoreError, from_db, from_json, to_db, to_json};
use protocol::{HearingId, SeatId, SeatTest, SelfTest, SelfTestsRead, TimeMs};

impl Store {
    /// Keeps a report and forgets the seat's oldest beyond [`SelfTestsRead::KEPT`].
    pub(crate) async fn keep_self_test(
        &self,
        (hearing, seat): &(HearingId, SeatId),
        sent_at: TimeMs,
        report: &SelfTest,
    ) -> Result<(), StoreError> {
        let mut writing = self.begin_writing().await?;
        sqlx::query("INSERT INTO self_tests (hearing, seat, sent_at, report) VALUES ($1, $2, $3, $4)")
            .bind(hearing.as_str())
            .bind(seat.as_str())
            .bind(to_db(sent_at))
            .bind(to_json(report))
            .execute(&mut *writing)
            .await?;
        sqlx::query(
            "DELETE FROM self_tests WHERE hearing = $1 AND seat = $2 AND id NOT IN \
             (SELECT id FROM self_tests WHERE hearing = $1 AND seat = $2 ORDER BY id DESC LIMIT $3)",
        )
        .bind(hearing.as_str())
        .bind(seat.as_str())
        .bind(i64::from(SelfTestsRead::KEPT))
        .execute(&mut *writing)
        .await?;
        Ok(writing.commit().await?)
    }

    /// Those of a hearing, the newest first. A report of an older version that cannot be read any more is left out.
    pub(crate) async fn self_tests(&self, hearing: &HearingId) -> Result<Vec<SeatTest>, StoreError> {
        let rows: Vec<(String, i64, String)> = sqlx::query_as(
            "SELECT seat, sent_at, report FROM self_tests WHERE hearing = $1 ORDER BY id DESC",
        )
        .bind(hearing.as_str())
        .fetch_all(&self.pool)
        .await?;
        let read = |(seat, sent_at, report): (String, i64, String)| {
            let report = from_json("self_tests", &report)
                .inspect_err(|error| tracing::warn!(%error, "a self-test is left out"))
                .ok()?;
            Some(SeatTest {
                seat: SeatId(seat),
                sent_at: from_db(sent_at),
                report,
            })
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }
}
