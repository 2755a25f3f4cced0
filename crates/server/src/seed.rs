//! Scheduling a hearing: from a TOML file of the court, or the demo's.
//!
//! Codes and passwords are made here, given to the caller once, and stored as hashes only. Titles and sides that the
//! file leaves out follow from the role.

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::keyed_hash::{Purpose, ServerKey};
use crate::passwords;
use crate::storage::{NewHearing, NewSeat, Store, StoreError, StoredAccount};
use protocol::{
    CaseInfo, HearingId, HearingSettings, JoinCode, PersonName, Role, Seat, SeatId, Secret, Side, TimeMs,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How often a code or id that is taken is drawn again. With a thousand live codes one draw in ten thousand collides.
const DRAWS: usize = 20;

/// A hearing as a court writes it down; see docs/hearing.example.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HearingFile {
    case: CaseSection,
    #[serde(default)]
    settings: SettingsSection,
    seat: Vec<SeatSection>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseSection {
    number: String,
    cause: String,
    court: String,
    courtroom: String,
    starts_at: toml::value::Datetime,
    #[serde(default)]
    public: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsSection {
    identity_step: Option<bool>,
    clerk_assists: Option<bool>,
    technician_may_suspend: Option<bool>,
    parties_share_freely: Option<bool>,
    panel_may_share: Option<bool>,
    witness_reads_own_part: Option<bool>,
    judge_grace_ms: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeatSection {
    id: String,
    role: Role,
    name: PersonName,
    title: Option<String>,
    represents: Option<String>,
    /// Login of the account that may take the seat.
    account: Option<String>,
}

/// Why a hearing was not scheduled.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file is not what is expected; says where.
    #[error("the hearing file: {0}")]
    File(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HearingFile {
    /// Reads the TOML text.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        toml::from_str(text).map_err(|e: toml::de::Error| {
            // The error's own display quotes the line, which holds names.
            let line = e
                .span()
                .map(|span| text[..span.start.min(text.len())].lines().count().max(1));
            let place = line.map(|n| format!("line {n}: ")).unwrap_or_default();
            SeedError::File(format!("{place}{}", e.message()))
        })
    }

    /// The demo's hearing, which starts at `now`. The names are made up.
    pub fn demo(now: TimeMs) -> Self {
        let seat =
            |id: &str, role, name: &str, represents: Option<&str>, account: Option<&str>| SeatSection {
                id: id.into(),
                role,
                name: PersonName::new(name),
                title: None,
                represents: represents.map(Into::into),
                account: account.map(Into::into),
            };
        Self {
            case: CaseSection {
                number: "（2026）示0101民初1234号".into(),
                cause: "房屋租赁合同纠纷".into(),
                court: "示范市样例区人民法院".into(),
                courtroom: "第三互联网法庭".into(),
                starts_at: to_datetime(now),
                public: true,
            },
            settings: SettingsSection::default(),
            seat: vec![
                seat("judge", Role::PresidingJudge, "王示范", None, Some("judge-demo")),
                seat("clerk", Role::Clerk, "孙演示", None, Some("clerk-demo")),
                seat("plaintiff", Role::Plaintiff, "张示例", None, None),
                seat("plaintiff-agent", Role::Agent, "周样稿", Some("plaintiff"), None),
                seat("defendant", Role::Defendant, "李样本", None, None),
                seat("witness", Role::Witness, "钱假设", None, None),
            ],
        }
    }

    fn case(&self) -> Result<CaseInfo, SeedError> {
        let case = &self.case;
        let starts_at = from_datetime(&case.starts_at).ok_or_else(|| {
            SeedError::File(
                "case.starts_at: expected a time with its offset, such as 2026-03-02T09:00:00+08:00".into(),
            )
        })?;
        Ok(CaseInfo {
            number: case.number.clone(),
            cause: case.cause.clone(),
            court: case.court.clone(),
            courtroom: case.courtroom.clone(),
            starts_at,
            public: case.public,
        })
    }

    fn settings(&self) -> HearingSettings {
        let base = HearingSettings::default();
        let set = &self.settings;
        HearingSettings {
            identity_step: set.identity_step.unwrap_or(base.identity_step),
            clerk_assists: set.clerk_assists.unwrap_or(base.clerk_assists),
            technician_may_suspend: set.technician_may_suspend.unwrap_or(base.technician_may_suspend),
            parties_share_freely: set.parties_share_freely.unwrap_or(base.parties_share_freely),
            panel_may_share: set.panel_may_share.unwrap_or(base.panel_may_share),
            witness_reads_own_part: set.witness_reads_own_part.unwrap_or(base.witness_reads_own_part),
            // What the server has, not what the court wishes.
            recorder: false,
            broadcaster: false,
            judge_grace_ms: set.judge_grace_ms.unwrap_or(base.judge_grace_ms),
        }
    }

    /// The seats with their accounts' logins, checked against each other.
    fn seats(&self) -> Result<Vec<(Seat, Option<String>)>, SeedError> {
        let wrong = |id: &str, what: &str| Err(SeedError::File(format!("seat `{id}`: {what}")));
        let mut ids = BTreeSet::new();
        let mut seats = Vec::new();
        for section in &self.seat {
            let id = section.id.as_str();
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if id.is_empty() || id.len() > 40 || !id.chars().all(plain) {
                return wrong(id, "the id takes small letters, digits and hyphens, at most 40");
            }
            if !ids.insert(id) {
                return wrong(id, "there are two with this id");
            }
            if section.name.expose().trim().is_empty() {
                return wrong(id, "the name is missing");
            }
            let of = section
                .represents
                .as_deref()
                .map(|of| self.seat.iter().find(|s| s.id == of && s.id != id));
            let of = match (section.role, of) {
                (_, Some(None)) => return wrong(id, "`represents` names no other seat"),
                (Role::Agent | Role::Interpreter, None) => return wrong(id, "`represents` is missing"),
                (Role::Agent, Some(Some(of))) if !is_party(of.role) => {
                    return wrong(id, "`represents` names a seat that is not a party's");
                }
                (Role::Agent | Role::Interpreter, Some(Some(of))) => Some(of),
                (_, Some(Some(_))) => return wrong(id, "only agents and interpreters have `represents`"),
                (_, None) => None,
            };
            let title = section
                .title
                .clone()
                .unwrap_or_else(|| title(section.role, of.map(|of| of.role)));
            let seat = Seat {
                id: SeatId(section.id.clone()),
                role: section.role,
                title,
                name: section.name.clone(),
                represents: of.map(|of| SeatId(of.id.clone())),
                side: side(section.role, of.map(|of| of.role)),
            };
            seats.push((seat, section.account.clone()));
        }
        match self
            .seat
            .iter()
            .filter(|s| s.role == Role::PresidingJudge)
            .count()
        {
            1 => Ok(seats),
            n => Err(SeedError::File(format!(
                "a hearing has one seat with the role presidingJudge, this has {n}"
            ))),
        }
    }
}

/// What scheduling needs of the world.
#[derive(Debug)]
pub struct Registry<'a> {
    /// The migrated database.
    pub store: &'a Store,
    /// Time.
    pub clock: &'a Clock,
    /// Randomness.
    pub entropy: &'a Entropy,
    /// Keys the hashes of codes.
    pub key: &'a ServerKey,
}

impl Registry<'_> {
    /// Schedules the hearing and returns what its people must be told:
    /// `{hearing, seats: [{seat, role, title, name, code}]}`.
    pub async fn schedule(&self, file: &HearingFile) -> Result<Value, SeedError> {
        let (case, settings, seats) = (file.case()?, file.settings(), file.seats()?);
        let mut accounts = Vec::new();
        for (seat, login) in &seats {
            accounts.push(match login {
                None => None,
                Some(login) => match self.store.account_by_login(login).await? {
                    Some(account) => Some(account.id),
                    None => {
                        return Err(SeedError::File(format!(
                            "seat `{}`: there is no account with this login; make it with create-account",
                            seat.id
                        )));
                    }
                },
            });
        }
        for _ in 0..DRAWS {
            let codes: Vec<JoinCode> = seats.iter().map(|_| self.entropy.code()).collect();
            let new = NewHearing {
                id: HearingId(self.entropy.id("h")),
                case: case.clone(),
                settings: settings.clone(),
                seats: seats
                    .iter()
                    .zip(&codes)
                    .zip(&accounts)
                    .map(|(((seat, _), code), account)| NewSeat {
                        seat: seat.clone(),
                        account: account.clone(),
                        code_hash: self.key.hash(Purpose::Code, &code.expose()),
                    })
                    .collect(),
            };
            match self.store.schedule(&new, self.clock.now()).await {
                Ok(()) => return Ok(invitations(&new.id, &seats, &codes)),
                Err(StoreError::Exists) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Exists.into())
    }

    /// Makes an account, or gives the one with this login a new password. Returns the password when it was made here.
    pub async fn account(
        &self,
        login: &str,
        name: &PersonName,
        password: Option<Secret>,
    ) -> Result<Value, SeedError> {
        let made = password.is_none().then(|| self.entropy.password());
        let password = password.or_else(|| made.clone()).expect("either given or made");
        let hash = passwords::hash(&password, self.entropy);
        if !self.store.set_password(login, &hash).await? {
            let account = StoredAccount {
                id: self.entropy.id("a"),
                name: name.clone(),
                password: hash,
            };
            self.store
                .create_account(&account, login, self.clock.now())
                .await?;
        }
        Ok(json!({ "login": login, "name": name.expose(), "password": made.as_ref().map(Secret::expose) }))
    }

    /// Schedules the demo's hearing with its accounts: as [`Registry::schedule`], and `accounts`.
    pub async fn schedule_demo(&self) -> Result<Value, SeedError> {
        let file = HearingFile::demo(self.clock.now());
        let mut accounts = Vec::new();
        for section in &file.seat {
            if let Some(login) = &section.account {
                let mut account = self.account(login, &section.name, None).await?;
                account["seat"] = json!(section.id);
                accounts.push(account);
            }
        }
        let mut invitations = self.schedule(&file).await?;
        invitations["accounts"] = accounts.into();
        Ok(invitations)
    }
}

fn invitations(hearing: &HearingId, seats: &[(Seat, Option<String>)], codes: &[JoinCode]) -> Value {
    let seats: Vec<Value> = seats
        .iter()
        .zip(codes)
        .map(|((seat, _), code)| {
            json!({
                "seat": seat.id,
                "role": seat.role,
                "title": seat.title,
                "name": seat.name.expose(),
                "code": code.expose(),
            })
        })
        .collect();
    json!({ "hearing": hearing, "seats": seats })
}

fn is_party(role: Role) -> bool {
    matches!(role, Role::Plaintiff | Role::Defendant | Role::ThirdParty)
}

fn title(role: Role, of: Option<Role>) -> String {
    let text = match role {
        Role::PresidingJudge => "审判长",
        Role::PanelMember => "审判员",
        Role::Assistant => "法官助理",
        Role::Clerk => "书记员",
        Role::Technician => "技术人员",
        Role::Plaintiff => "原告",
        Role::Defendant => "被告",
        Role::ThirdParty => "第三人",
        Role::Agent => return format!("{}代理人", of.map(|of| title(of, None)).unwrap_or_default()),
        Role::Witness => "证人",
        Role::Expert => "鉴定人",
        Role::Interpreter => "翻译人员",
        Role::Observer => "旁听人员",
    };
    text.into()
}

fn side(role: Role, of: Option<Role>) -> Side {
    match role {
        Role::PresidingJudge | Role::PanelMember => Side::Bench,
        Role::Assistant | Role::Clerk | Role::Technician => Side::Clerk,
        Role::Plaintiff => Side::Plaintiff,
        Role::Defendant => Side::Defendant,
        Role::ThirdParty => Side::ThirdParty,
        Role::Witness | Role::Expert => Side::Witness,
        Role::Observer => Side::Gallery,
        Role::Agent | Role::Interpreter => of.map_or(Side::Gallery, |of| side(of, None)),
    }
}

/// Milliseconds since the epoch of a time with an offset; none without one.
fn from_datetime(at: &toml::value::Datetime) -> Option<TimeMs> {
    let (date, time) = (at.date?, at.time?);
    let offset_minutes = match at.offset? {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let days = days_from_civil(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let minutes = (days * 24 + i64::from(time.hour)) * 60 + i64::from(time.minute) - offset_minutes;
    let seconds = i64::from(time.second);
    let ms = (minutes * 60 + seconds) * 1_000 + i64::from(time.nanosecond / 1_000_000);
    u64::try_from(ms).ok().map(TimeMs)
}

fn to_datetime(at: TimeMs) -> toml::value::Datetime {
    let (days, ms) = (at.0 / 86_400_000, at.0 % 86_400_000);
    let (year, month, day) = civil_from_days(days);
    let text = format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1_000 % 60,
        ms % 1_000
    );
    text.parse().expect("an RFC 3339 time is a TOML time")
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, by counting years from the first of March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = shifted_year.div_euclid(4) - shifted_year.div_euclid(100) + shifted_year.div_euclid(400);
    shifted_year * 365 + leap_days + day_of_year - 719_468
}

fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let mut year = 1970 + days / 366;
    let start = |year: u64| days_from_civil(year as i64, 1, 1) as u64;
    while start(year + 1) <= days {
        year += 1;
    }
    let month = (1..=12)
        .rev()
        .find(|m| days_from_civil(year as i64, *m as i64, 1) as u64 <= days);
    let month = month.expect("the first of January is not after any day of its year");
    (
        year,
        month,
        days - days_from_civil(year as i64, month as i64, 1) as u64 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_in_the_documentation_is_a_hearing() {
        let file =
            HearingFile::parse(include_str!("../../../docs/hearing.example.toml")).expect("it is read");
        let seats = file.seats().expect("it is checked");
        let agent = seats
            .iter()
            .find(|(s, _)| s.role == Role::Agent)
            .expect("it has an agent");
        assert_eq!(
            (agent.0.title.as_str(), agent.0.side),
            ("原告代理人", Side::Plaintiff)
        );
        // 2026-03-02T09:00:00+08:00
        assert_eq!(file.case().expect("a case").starts_at, TimeMs(1_772_413_200_000));
    }

    #[test]
    fn times_go_both_ways() {
        for days in (0..40_000).step_by(17).chain([11_016, 11_017, 47_540, 47_541]) {
            let at = TimeMs(days * 86_400_000 + 45_296_789);
            assert_eq!(from_datetime(&to_datetime(at)), Some(at));
        }
        assert_eq!(
            to_datetime(TimeMs(1_582_934_400_000)).to_string(),
            "2020-02-29T00:00:00Z"
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_without_repeating_it() {
        let base = include_str!("../../../docs/hearing.example.toml");
        let check = |from: &str, to: &str, says: &str| {
            assert!(base.contains(from), "{from}");
            let said = HearingFile::parse(&base.replacen(from, to, 1))
                .and_then(|file| file.case().and(file.seats()).map(|_| ()))
                .expect_err(from)
                .to_string();
            assert!(said.contains(says) && !said.contains("示例"), "{said}");
        };
        check("role = \"presidingJudge\"", "role = \"judge\"", "unknown variant");
        check(
            "represents = \"plaintiff\"",
            "represents = \"nobody\"",
            "`represents` names no other seat",
        );
        check("+08:00", "", "case.starts_at");
        check("id = \"clerk\"", "id = \"judge\"", "there are two with this id");
        check("id = \"clerk\"", "di = \"clerk\"", "unknown field");
    }
}
