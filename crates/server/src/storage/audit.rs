//! The court's own trail: tries, devices, addresses. It is never shown to parties and never part of the public log.

use super::{Store, StoreError, to_db};
use protocol::{HearingId, NetAddress, SeatId, TimeMs};

/// What was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AuditKind {
    CodeRefused,
    CodeAccepted,
    SeatRefused,
    SeatTaken,
    SignInRefused,
    SignedIn,
    Connected,
    ConnectionEnded,
    SelfTestSent,
}

impl AuditKind {
    fn name(self) -> &'static str {
        match self {
            AuditKind::CodeRefused => "code_refused",
            AuditKind::CodeAccepted => "code_accepted",
            AuditKind::SeatRefused => "seat_refused",
            AuditKind::SeatTaken => "seat_taken",
            AuditKind::SignInRefused => "sign_in_refused",
            AuditKind::SignedIn => "signed_in",
            AuditKind::Connected => "connected",
            AuditKind::ConnectionEnded => "connection_ended",
            AuditKind::SelfTestSent => "self_test_sent",
        }
    }
}

/// One line of the trail.
#[derive(Clone, Debug)]
pub(crate) struct AuditEntry {
    pub(crate) kind: AuditKind,
    pub(crate) place: Option<(HearingId, SeatId)>,
    pub(crate) account: Option<String>,
    pub(crate) address: Option<NetAddress>,
    /// Program and system as the client says.
    pub(crate) device: Option<String>,
    /// What else the court may need, such as the capacity that was claimed.
    pub(crate) detail: Option<String>,
}

impl AuditEntry {
    pub(crate) fn new(kind: AuditKind) -> Self {
        Self {
            kind,
            place: None,
            account: None,
            address: None,
            device: None,
            detail: None,
        }
    }
}

type Row = (
    i64,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Store {
    /// The trail of one hearing, oldest first, for the court: one JSON object a line. Full of personal data.
    pub async fn audit_of(&self, hearing: &HearingId) -> Result<Vec<serde_json::Value>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT at, kind, seat, account, address, device, detail FROM audit WHERE hearing = $1 ORDER BY id",
        )
        .bind(hearing.as_str())
        .fetch_all(&self.pool)
        .await?;
        let line = |(at, kind, seat, account, address, device, detail): Row| {
            serde_json::json!({
                "at": at, "kind": kind, "seat": seat, "account": account,
                "address": address, "device": device, "detail": detail,
            })
        };
        Ok(rows.into_iter().map(line).collect())
    }

    /// Writes one line.
    pub(crate) async fn audit(&self, entry: &AuditEntry, now: TimeMs) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit (at, kind, hearing, seat, account, address, device, detail) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(to_db(now))
        .bind(entry.kind.name())
        .bind(entry.place.as_ref().map(|(hearing, _)| hearing.as_str()))
        .bind(entry.place.as_ref().map(|(_, seat)| seat.as_str()))
        .bind(entry.account.as_deref())
        .bind(entry.address.as_ref().map(NetAddress::expose))
        .bind(entry.device.as_deref())
        .bind(entry.detail.as_deref())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
