//! The hearing that most scenarios begin with: a judge, a clerk and a defendant in session, each with a picture and a tone of
//! their own.

use crate::{
    SOON,
    court::{Court, Plan},
    player::{Cast, Player, Said},
    within,
};
use anyhow::Result;
use protocol::{Command, ParticipantState, Role, SeatId};

/// The judge's tone, in hertz.
pub const JUDGE_HZ: u32 = 440;
/// The party's tone, in hertz.
pub const PARTY_HZ: u32 = 880;

/// Three people in session. The judge listens for the party's tone and the party for the judge's; the clerk is silent and
/// shows the others that time goes on.
pub struct Session {
    /// Presides.
    pub judge: Player,
    /// Shows a picture and is silent.
    pub clerk: Player,
    /// The defendant.
    pub party: Player,
    /// The server. Ends when the others have, with the folder of their logs.
    pub court: Court,
}

impl Session {
    /// Opens the hearing and starts it when the party waits.
    pub async fn start(plan: &Plan) -> Result<Self> {
        Self::start_in(Court::open(plan).await?).await
    }

    /// As [`Session::start`], in a court that was opened before.
    pub async fn start_in(court: Court) -> Result<Self> {
        let mut judge = court
            .player(
                Role::PresidingJudge,
                &Cast::tone(JUDGE_HZ).listening_for(PARTY_HZ),
            )
            .await?;
        judge.waits().await?;
        judge.does(&Command::HearingOpen).await?;
        let clerk = court.player(Role::Clerk, &Cast::default()).await?;
        clerk.in_court().await?;
        let party = court
            .player(Role::Defendant, &Cast::tone(PARTY_HZ).listening_for(JUDGE_HZ))
            .await?;
        judge
            .sees_standing(0, &party.seat, "waiting", |state| {
                matches!(state, ParticipantState::Waiting)
            })
            .await?;
        judge.does(&Command::HearingStart).await?;
        party.in_court().await?;
        Ok(Self {
            court,
            judge,
            clerk,
            party,
        })
    }

    /// Waits until judge and party see each other's moving clock and hear each other's tone in what comes from now on.
    pub async fn media_flows(&self) -> Result<()> {
        let (judge_mark, party_mark) = (self.judge.mark(), self.party.mark());
        self.judge.sees_moving(judge_mark, &self.party.seat).await?;
        self.party.sees_moving(party_mark, &self.judge.seat).await?;
        self.judge.hears_tone(judge_mark, &self.party.seat).await?;
        self.party.hears_tone(party_mark, &self.judge.seat).await?;
        Ok(())
    }

    /// Waits until `watcher` gets no picture and no sound of `gone` while `timer` gets new pictures of `moving` three
    /// times: that those go on proves that time passed and the server forwards.
    pub async fn nothing_comes(
        watcher: &Player,
        gone: &SeatId,
        timer: &Player,
        moving: &SeatId,
    ) -> Result<()> {
        within(
            SOON,
            &format!("{} neither sees nor hears {gone}", watcher.seat),
            async {
                loop {
                    let before = received(watcher, gone);
                    let mut last = None;
                    let mut steps = 0;
                    timer
                        .wait_from(
                            timer.mark(),
                            SOON,
                            &format!("pictures of {moving} go on"),
                            |said| match said {
                                Said::Seen(seen) if seen.seat == *moving => {
                                    steps += u32::from(
                                        last.replace(seen.frames)
                                            .is_some_and(|before| seen.frames > before),
                                    );
                                    (steps == 3).then_some(())
                                }
                                _ => None,
                            },
                        )
                        .await?;
                    if received(watcher, gone) == before {
                        return Ok(());
                    }
                }
            },
        )
        .await
    }
}

/// Frames and milliseconds of sound that a player has counted of somebody so far.
fn received(player: &Player, of: &SeatId) -> (u64, u64) {
    let frames = player.all_from(0, |said| match said {
        Said::Seen(seen) if seen.seat == *of => Some(seen.frames),
        _ => None,
    });
    let sound = player.all_from(0, |said| match said {
        Said::Heard(heard) if heard.seat == *of => Some(heard.received_ms),
        _ => None,
    });
    (
        frames.into_iter().max().unwrap_or(0),
        sound.into_iter().max().unwrap_or(0),
    )
}
