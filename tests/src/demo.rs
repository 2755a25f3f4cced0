//! The demo's hearing: judge, clerk and defendant are played, and react to a newcomer who takes the plaintiff's seat.
//!
//! The players speak, show a moving picture, and carry out a short script. Nothing here reaches into the server: the judge
//! does what a judge does, by commands.

use crate::{
    court::{Court, Invited, Plan},
    player::{Cast, Player},
    speech,
};
use anyhow::{Context, Result};
use protocol::{Command, HearingState, Outcome, ParticipantState, Role, SeatId, Words};
use serde_json::{Value, json};
use std::{path::PathBuf, time::Duration};

/// Who is played, in the order in which they speak: role, words, pitch of the voice.
const CAST: [(Role, &str, u32); 3] = [
    (
        Role::PresidingJudge,
        "现在开庭。请双方当事人遵守法庭纪律，听从法庭指挥。",
        30,
    ),
    (Role::Clerk, "书记员正在记录，请各方依次发言。", 60),
    (Role::Defendant, "被告对案件事实没有异议，请求法庭依法审理。", 45),
];

/// What the newcomer says when there is no person.
const NEWCOMER_WORDS: &str = "原告坚持诉讼请求，请求法庭依法判决。";

/// The seat that is left for the newcomer.
pub const NEWCOMER: Role = Role::Plaintiff;

/// Who sits on a seat of the demo.
pub enum Part {
    /// A player.
    Played,
    /// Whoever tries the demo.
    Newcomer,
    /// Nobody yet.
    Free,
}

/// The court and its players, ready for the newcomer.
pub struct Demo {
    judge: Player,
    others: Vec<Player>,
    newcomer: SeatId,
    played: Option<Player>,
    /// The server and the hearing.
    pub court: Court,
}

impl Demo {
    /// Starts the server and everybody but the newcomer; the clerk opens the waiting room.
    pub async fn open(ui: Option<PathBuf>) -> Result<Self> {
        let court = Court::open(&Plan {
            ui,
            ..Plan::default()
        })
        .await?;
        let mut players = Vec::new();
        let turns = CAST.len() as u32 + 1;
        for (turn, (role, words, pitch)) in (0..).zip(CAST) {
            let cast = speaking(&court, words, pitch, turn, turns).await?;
            players.push(court.player(role, &cast).await?);
        }
        let mut others = players.split_off(1);
        let mut judge = players.pop().context("the judge is played")?;
        judge.waits().await?;
        judge.does(&Command::HearingOpen).await?;
        for other in &mut others {
            other.waits().await?;
        }
        let newcomer = court.seat(NEWCOMER)?.seat.clone();
        Ok(Self {
            court,
            judge,
            others,
            newcomer,
            played: None,
        })
    }

    /// Plays the newcomer too.
    pub async fn play_newcomer(&mut self) -> Result<()> {
        let turn = CAST.len() as u32;
        let cast = speaking(&self.court, NEWCOMER_WORDS, 55, turn, turn + 1).await?;
        self.played = Some(self.court.player(NEWCOMER, &cast).await?);
        Ok(())
    }

    /// Who sits on a seat.
    pub fn part_of(&self, invited: &Invited) -> Part {
        if invited.seat == self.newcomer {
            Part::Newcomer
        } else if CAST.iter().any(|(role, ..)| *role == invited.role) {
            Part::Played
        } else {
            Part::Free
        }
    }

    /// The judge starts the hearing when the newcomer waits, greets them, isolates them once and calls them back. A newcomer
    /// who is somewhere else when the time comes is isolated when they are in court again.
    /// The pauses are the play's, not waits for something.
    pub async fn act(&mut self, before_isolation: Duration, isolation: Duration) -> Result<()> {
        let arrives =
            |state: &ParticipantState| matches!(state, ParticipantState::Waiting | ParticipantState::InCourt);
        let forever = Duration::from_secs(24 * 3600);
        self.judge
            .wait_from(0, forever, "the newcomer arrives", |said| {
                said.stands(&self.newcomer).filter(arrives).map(|_| ())
            })
            .await?;
        self.judge.does(&Command::HearingStart).await?;
        let greeting = Words::new("原告已到庭，现在开庭。请原告陈述诉讼请求。");
        self.judge.does(&Command::MessageSend { text: greeting }).await?;
        tokio::time::sleep(before_isolation).await;
        let isolate = Command::SeatIsolate {
            seat: self.newcomer.clone(),
            reason: Words::new("法庭合议，请等待传唤。"),
        };
        loop {
            let mark = self.judge.mark();
            if let Outcome::Accepted { .. } = self.judge.command(&isolate).await? {
                break;
            }
            self.judge
                .wait_from(mark, forever, "the newcomer is in court", |said| {
                    said.stands(&self.newcomer)
                        .filter(|state| matches!(state, ParticipantState::InCourt))
                        .map(|_| ())
                })
                .await?;
        }
        tokio::time::sleep(isolation).await;
        self.judge
            .does(&Command::SeatRecall {
                seat: self.newcomer.clone(),
            })
            .await?;
        let welcome = Words::new("原告已回到法庭，继续审理。");
        self.judge.does(&Command::MessageSend { text: welcome }).await
    }

    /// Closes the hearing, lets everybody leave, and merges their reports.
    pub async fn close(mut self) -> Result<Value> {
        let mark = self.judge.mark();
        self.judge.does(&Command::HearingClose).await?;
        self.judge
            .wait_from(mark, crate::SOON, "the hearing is closed", |said| {
                match said.event()? {
                    protocol::Event::HearingState {
                        to: HearingState::Closed,
                        ..
                    } => Some(()),
                    _ => None,
                }
            })
            .await?;
        let mut participants = Vec::new();
        for player in std::iter::once(self.judge).chain(self.others).chain(self.played) {
            let seat = player.seat.clone();
            participants.push(
                player
                    .leave()
                    .await
                    .with_context(|| format!("{seat} does not leave"))?,
            );
        }
        self.court.server().stop().await?;
        let ok = participants.iter().all(saw_and_heard);
        Ok(json!({ "participants": participants, "ok": ok }))
    }
}

async fn speaking(court: &Court, words: &str, pitch: u32, turn: u32, turns: u32) -> Result<Cast> {
    let wav = court.folder().join(format!("speech-{turn}.wav"));
    speech::round(words, pitch, turn, turns, &wav).await?;
    Ok(Cast {
        video: format!("synthetic:{turn}"),
        audio: format!("wav:{}", wav.display()),
        ..Cast::default()
    })
}

/// True when a participant's report has pictures and sound in it.
fn saw_and_heard(report: &Value) -> bool {
    let some = |field: &str| report[field].as_u64().is_some_and(|number| number > 0);
    some("video_frames") && some("audio_received_ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_without_sound_or_picture_is_not_ok() {
        assert!(saw_and_heard(
            &json!({ "video_frames": 12, "audio_received_ms": 900 })
        ));
        assert!(!saw_and_heard(
            &json!({ "video_frames": 12, "audio_received_ms": 0 })
        ));
        assert!(!saw_and_heard(
            &json!({ "video_frames": null, "audio_received_ms": 900 })
        ));
        assert!(!saw_and_heard(&json!({})));
    }
}
