//! The hearing in which both sides are measured: five players with a picture each, and the sixth seat for the one that is
//! measured. Players, server and display run on one core, what is measured on the other, so that neither slows the other.

use anyhow::{Context, Result};
use protocol::{Command, ParticipantState, Role};
use scenarios::{
    court::{Court, Invited, Plan},
    player::{Cast, Player, Said},
    process::program,
};
use std::{net::IpAddr, path::Path, time::Duration};

/// How long everything runs before a window of measuring begins: estimates of bandwidth grow, layers are chosen.
pub(crate) const SETTLE: Duration = Duration::from_secs(4);

const HEARING: &str = r#"
[case]
number = "（2026）示0101民初1234号"
cause = "房屋租赁合同纠纷"
court = "示范市样例区人民法院"
courtroom = "第三互联网法庭"
starts_at = 2026-03-02T09:00:00+08:00
public = true
[[seat]]
id = "judge"
role = "presidingJudge"
name = "王示范"
[[seat]]
id = "clerk"
role = "clerk"
name = "孙演示"
[[seat]]
id = "plaintiff"
role = "plaintiff"
name = "张示例"
[[seat]]
id = "plaintiff-agent"
role = "agent"
name = "周样稿"
represents = "plaintiff"
[[seat]]
id = "third-party"
role = "thirdParty"
name = "钱假设"
[[seat]]
id = "defendant"
role = "defendant"
name = "李样本"
"#;

/// How long the measured one's sending may take to rise to its largest picture.
const RISE: Duration = Duration::from_secs(20);

/// Who is there beside the measured one.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Others {
    /// Five players.
    Five,
    /// The judge alone.
    Judge,
}

impl Others {
    pub(crate) fn count(self) -> usize {
        match self {
            Self::Five => 5,
            Self::Judge => 1,
        }
    }

    /// Who looks at the measured one's picture, and how large: so that it sends all three layers.
    fn views(self) -> &'static [(Role, &'static str)] {
        match self {
            Self::Five => &[
                (Role::PresidingJudge, "1280x720"),
                (Role::Clerk, "640x360"),
                (Role::Plaintiff, "320x180"),
                (Role::Agent, "0x0"),
                (Role::ThirdParty, "0x0"),
            ],
            Self::Judge => &[(Role::PresidingJudge, "1280x720")],
        }
    }
}

/// A hearing in session, in which everybody is in court but the measured one.
pub(crate) struct Hearing {
    pub(crate) court: Court,
    pub(crate) judge: Player,
    pub(crate) measured: Invited,
    _players: Vec<Player>,
}

impl Hearing {
    /// Opens the court with the bench's page in it.
    pub(crate) async fn court(advertise: Option<IpAddr>, page: &Path) -> Result<Court> {
        let plan = Plan {
            hearing: Some(HEARING.into()),
            advertise,
            ui: Some(page.to_owned()),
        };
        Court::open(&plan).await
    }

    /// Lets the players enter and starts the session. The judge sounds as told; the others are silent.
    pub(crate) async fn assemble(
        court: Court,
        others: Others,
        measured: Role,
        judges_sound: &str,
    ) -> Result<Self> {
        let mut judge = None;
        let mut players = Vec::new();
        for &(role, view) in others.views() {
            let cast = Cast {
                audio: if role == Role::PresidingJudge {
                    judges_sound.into()
                } else {
                    "silence".into()
                },
                more: ["--size", "640x360", "--fps", "25", "--view", view]
                    .map(str::to_owned)
                    .to_vec(),
                ..Cast::default()
            };
            let invited = court.seat(role)?.clone();
            let player = Player::enter(&court.url(), &invited, &cast, court.folder()).await?;
            player.waits().await?;
            match &mut judge {
                None => judge.insert(player).does(&Command::HearingOpen).await?,
                Some(_) => players.push(player),
            }
        }
        let mut judge = judge.context("the judge is the first of them")?;
        judge.does(&Command::HearingStart).await?;
        for player in &players {
            player.in_court().await?;
            judge.sees_moving(0, &player.seat).await?;
        }
        Ok(Self {
            measured: court.seat(measured)?.clone(),
            court,
            judge,
            _players: players,
        })
    }

    /// Calls the measured one in from the waiting room.
    pub(crate) async fn admit(&mut self) -> Result<()> {
        let seat = self.measured.seat.clone();
        self.judge
            .sees_standing(0, &seat, "waiting", |state| *state == ParticipantState::Waiting)
            .await?;
        self.judge.does(&Command::SeatAdmit { seat }).await
    }

    /// Waits a while for the measured one's largest picture to reach the judge. That it never does is a finding, told
    /// by [`Hearing::lines_sent`], and no reason to measure nothing.
    pub(crate) async fn warm_up(&self) -> Result<()> {
        let largest = self.judge.wait_from(0, RISE, "720 lines", |said| match said {
            Said::Seen(seen) => (seen.seat == self.measured.seat && seen.height == 720).then_some(()),
            _ => None,
        });
        if largest.await.is_err() {
            eprintln!("bench: 720 lines did not come within {} s", RISE.as_secs());
        }
        self.lines_sent().map(|_| ())
    }

    /// The height of the measured one's picture as the judge has it now.
    pub(crate) fn lines_sent(&self) -> Result<u32> {
        let heights = self.judge.all_from(0, |said| match said {
            Said::Seen(seen) => (seen.seat == self.measured.seat).then_some(seen.height),
            _ => None,
        });
        heights
            .last()
            .copied()
            .context("the judge sees nothing of the measured one")
    }
}

/// A program on the core that is kept for what is measured; on a machine with one core, just the program.
pub(crate) fn on_the_measured_core(program: &Path) -> (std::path::PathBuf, Vec<String>) {
    match std::env::var("MINGTING_BENCH_CORE") {
        Ok(core) => (
            "/usr/bin/taskset".into(),
            vec!["-c".into(), core, program.to_string_lossy().into_owned()],
        ),
        Err(_) => (program.to_owned(), Vec::new()),
    }
}

/// The participant as the measured one.
pub(crate) fn participant() -> tokio::process::Command {
    let (first, rest) = on_the_measured_core(&program("mingting-participant"));
    let mut command = tokio::process::Command::new(first);
    command.args(rest);
    command
}
