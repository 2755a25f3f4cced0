//! One `mingting-participant`: a person in a hearing, driven by JSON lines.
//!
//! The program goes through the steps by itself; what else it does, a test or the demo tells it. Everything it says is
//! kept, so that a wait also finds what was said before it began.

use crate::{
    SOON,
    court::Invited,
    process::{Process, program},
    within,
};
use anyhow::{Context, Result, bail};
use protocol::{Command, Event, HostEvent, Outcome, ParticipantState, SeatId, ServerFrame, Snapshot};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};

/// What a player sends.
#[derive(Clone, Debug)]
pub struct Cast {
    /// As the participant's `--video` takes it.
    pub video: String,
    /// As the participant's `--audio` takes it.
    pub audio: String,
    /// The tone to look for in what is heard, in hertz.
    pub listen_for: Option<u32>,
    /// Further arguments.
    pub more: Vec<String>,
}

impl Default for Cast {
    fn default() -> Self {
        Self {
            video: "synthetic".into(),
            audio: "silence".into(),
            listen_for: None,
            more: Vec::new(),
        }
    }
}

impl Cast {
    /// A moving picture with a burned-in clock, and a tone.
    pub fn tone(hz: u32) -> Self {
        Self {
            audio: format!("tone:{hz}"),
            ..Self::default()
        }
    }

    /// Looks for a tone in what is heard.
    pub fn listening_for(mut self, hz: u32) -> Self {
        self.listen_for = Some(hz);
        self
    }
}

/// Pictures of one track, as the participant counts them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Whose.
    pub seat: SeatId,
    /// `camera` or `screen`.
    pub source: String,
    /// Decoded frames so far.
    pub frames: u64,
    /// Size of the newest.
    pub width: u32,
    /// Size of the newest.
    pub height: u32,
    /// What was read from the newest picture; none when there is no readable clock in it.
    pub stamp: Option<Stamp>,
    /// Age of the newest picture by its clock.
    pub latency_ms: Option<u32>,
    /// Time so far in which the picture stood still (as W3C webrtc-stats defines a freeze).
    pub freeze_ms: u64,
    /// The longest such time.
    pub longest_freeze_ms: u64,
    /// How long the newest picture has been the newest.
    pub still_ms: u64,
}

/// The burned-in clock of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// Number of the frame at its source.
    pub frame: u32,
    /// Milliseconds of its source's clock, the low 32 bits.
    pub clock_ms: u32,
}

/// Sound of one track, as the participant measures it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heard {
    /// Whose.
    pub seat: SeatId,
    /// Sound that truly arrived.
    pub received_ms: u64,
    /// Sound that was made up for what did not arrive.
    pub concealed_ms: u64,
    /// Silence where there should have been sound.
    pub gap_ms: u64,
    /// Level of the last second, in dB below full scale.
    pub rms_db: f32,
    /// Share of the wanted tone in the last second, 0 to 1.
    pub tone: f32,
}

/// One thing that a participant said.
#[derive(Clone, Debug)]
pub enum Said {
    /// As the page of the desktop client would be told.
    Host(Box<HostEvent>),
    /// Pictures.
    Seen(Seen),
    /// Sound.
    Heard(Heard),
    /// The answer to a command.
    Reply {
        /// As given.
        id: String,
        /// How it went.
        outcome: Outcome,
    },
    /// What a check on its devices found, or how a fix went: the participant's line as it is.
    Devices(Value),
}

impl Said {
    fn parse(line: &str) -> Result<Option<Self>> {
        let value: Value = serde_json::from_str(line).context("a participant printed what is not JSON")?;
        let said = match value["type"].as_str() {
            Some("seen") => Self::Seen(serde_json::from_value(value)?),
            Some("heard") => Self::Heard(serde_json::from_value(value)?),
            Some("reply") => Self::Reply {
                id: value["id"].as_str().unwrap_or_default().to_owned(),
                outcome: serde_json::from_value(value["outcome"].clone())?,
            },
            Some("check" | "fix") => Self::Devices(value),
            Some("level") => return Ok(None),
            _ => Self::Host(serde_json::from_value(value)?),
        };
        Ok(Some(said))
    }

    /// The hearing channel's frame in it.
    pub fn frame(&self) -> Option<&ServerFrame> {
        match self {
            Self::Host(event) => match event.as_ref() {
                HostEvent::Channel { frame } => Some(frame),
                _ => None,
            },
            _ => None,
        }
    }

    /// The whole picture of the hearing in it.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        match self.frame()? {
            ServerFrame::Welcome { snapshot, .. } | ServerFrame::Snapshot { snapshot } => Some(snapshot),
            _ => None,
        }
    }

    /// The event of the hearing in it.
    pub fn event(&self) -> Option<&Event> {
        match self.frame()? {
            ServerFrame::Event { envelope } => Some(&envelope.event),
            _ => None,
        }
    }

    /// Where it says that a person now stands.
    pub fn stands(&self, seat: &SeatId) -> Option<ParticipantState> {
        if let Some(snapshot) = self.snapshot() {
            let person = snapshot
                .participants
                .iter()
                .find(|person| person.seat.id == *seat)?;
            return Some(person.state.clone());
        }
        match self.event()? {
            Event::ParticipantState { seat: who, to, .. } if who == seat => Some(to.clone()),
            Event::ParticipantShown { participant } if participant.seat.id == *seat => {
                Some(participant.state.clone())
            }
            _ => None,
        }
    }
}

#[derive(Default)]
struct Ear {
    said: Mutex<Vec<Said>>,
}

/// A participant that runs.
pub struct Player {
    /// The seat it plays, or its identity in a plain media room.
    pub seat: SeatId,
    process: Process,
    ear: Arc<Ear>,
    count: watch::Receiver<usize>,
    _reader: JoinSet<()>,
    report: PathBuf,
    commands: u32,
}

impl Player {
    /// Takes a seat with its code.
    pub async fn enter(server: &str, invited: &Invited, cast: &Cast, folder: &Path) -> Result<Self> {
        let command = tokio::process::Command::new(program("mingting-participant"));
        Self::enter_by(command, server, invited, cast, folder)
    }

    /// As [`Player::enter`], by another build of the participant or through another program that starts it.
    pub fn enter_by(
        mut command: tokio::process::Command,
        server: &str,
        invited: &Invited,
        cast: &Cast,
        folder: &Path,
    ) -> Result<Self> {
        command.args([
            "--server",
            server,
            "--code",
            &invited.code,
            "--name",
            &invited.name,
        ]);
        Self::start(command, invited.seat.clone(), cast, folder)
    }

    /// Joins any LiveKit room, without a hearing.
    pub async fn join_livekit(
        url: &str,
        token: &str,
        identity: &str,
        cast: &Cast,
        folder: &Path,
    ) -> Result<Self> {
        let mut command = tokio::process::Command::new(program("mingting-participant"));
        command.args(["--livekit", url, "--token", token]);
        Self::start(command, identity.into(), cast, folder)
    }

    fn start(mut command: tokio::process::Command, seat: SeatId, cast: &Cast, folder: &Path) -> Result<Self> {
        let report = folder.join(format!("{seat}.json"));
        let _ = std::fs::remove_file(&report);
        command
            .args([
                "--video",
                &cast.video,
                "--audio",
                &cast.audio,
                "--drive",
                "--report",
            ])
            .arg(&report);
        if let Some(hz) = cast.listen_for {
            command.args(["--listen-for", &hz.to_string()]);
        }
        command.args(&cast.more);
        let log = folder.join(format!("{seat}.log"));
        let mut process = Process::start(&format!("the participant {seat}"), &mut command, &log)?;
        let mut lines = process.stdout.take().context("a new process has its output")?;
        let ear = Arc::new(Ear::default());
        let (counted, count) = watch::channel(0);
        let mut reader = JoinSet::new();
        let writer = Arc::clone(&ear);
        reader.spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                match Said::parse(&line) {
                    Ok(Some(said)) => {
                        let mut all = writer.said.lock().expect("no panic while it is held");
                        all.push(said);
                        let _ = counted.send(all.len());
                    }
                    Ok(None) => {}
                    Err(error) => eprintln!("the kit does not understand a participant: {error:#}: {line}"),
                }
            }
        });
        Ok(Self {
            seat,
            process,
            ear,
            count,
            _reader: reader,
            report,
            commands: 0,
        })
    }

    /// How much it has said so far: a place from which to wait for what is new.
    pub fn mark(&self) -> usize {
        *self.count.borrow()
    }

    /// The first thing said from `mark` on for which `find` has an answer, waiting for it if need be.
    pub async fn wait_from<T>(
        &self,
        mark: usize,
        limit: Duration,
        what: &str,
        mut find: impl FnMut(&Said) -> Option<T>,
    ) -> Result<T> {
        let mut count = self.count.clone();
        let mut next = mark;
        let search = async {
            loop {
                {
                    let said = self.ear.said.lock().expect("no panic while it is held");
                    while let Some(one) = said.get(next) {
                        next += 1;
                        if let Some(found) = find(one) {
                            return Ok(found);
                        }
                    }
                }
                if count.changed().await.is_err() {
                    bail!(
                        "{} ended while waiting for: {what}\n{}",
                        self.seat,
                        self.process.log_end()
                    );
                }
            }
        };
        match tokio::time::timeout(limit, search).await {
            Ok(result) => result,
            Err(_) => bail!(
                "{} did not see within {} s: {what}; its last words:\n{}\n{}",
                self.seat,
                limit.as_secs(),
                self.last_words(),
                self.process.log_end()
            ),
        }
    }

    /// As [`Player::wait_from`] the beginning, and [`SOON`].
    pub async fn wait<T>(&self, what: &str, find: impl FnMut(&Said) -> Option<T>) -> Result<T> {
        self.wait_from(0, SOON, what, find).await
    }

    fn last_words(&self) -> String {
        let said = self.ear.said.lock().expect("no panic while it is held");
        let shown: Vec<String> = said
            .iter()
            .rev()
            .take(12)
            .rev()
            .map(|one| format!("  {one:?}"))
            .collect();
        shown.join("\n")
    }

    /// Everything said from `mark` on that `find` has an answer for.
    pub fn all_from<T>(&self, mark: usize, find: impl FnMut(&Said) -> Option<T>) -> Vec<T> {
        let said = self.ear.said.lock().expect("no panic while it is held");
        said.iter().skip(mark).filter_map(find).collect()
    }

    /// Waits until a person stands where `state` holds, in this player's eyes.
    pub async fn sees_standing(
        &self,
        mark: usize,
        seat: &SeatId,
        what: &str,
        state: impl Fn(&ParticipantState) -> bool,
    ) -> Result<()> {
        self.wait_from(mark, SOON, &format!("{seat} is {what}"), |said| {
            said.stands(seat).filter(&state).map(|_| ())
        })
        .await
    }

    /// Waits until this player is in court.
    pub async fn in_court(&self) -> Result<()> {
        self.sees_standing(0, &self.seat, "in court", |state| {
            matches!(state, ParticipantState::InCourt)
        })
        .await
    }

    /// Waits until this player is in the waiting room, or further.
    pub async fn waits(&self) -> Result<()> {
        self.sees_standing(0, &self.seat, "waiting", |state| {
            matches!(
                state,
                ParticipantState::Waiting | ParticipantState::WitnessRoom | ParticipantState::InCourt
            )
        })
        .await
    }

    /// Waits for two newer pictures of a person whose clocks can be read and move forward.
    pub async fn sees_moving(&self, mark: usize, seat: &SeatId) -> Result<Seen> {
        self.sees_source_moving(mark, seat, "camera").await
    }

    /// As [`Player::sees_moving`], of a camera or a shared screen.
    pub async fn sees_source_moving(&self, mark: usize, seat: &SeatId, source: &str) -> Result<Seen> {
        let mut first: Option<Stamp> = None;
        self.wait_from(
            mark,
            SOON,
            &format!("the {source} of {seat} shows a clock that moves"),
            |said| match said {
                Said::Seen(seen) if seen.seat == *seat && seen.source == source => {
                    let stamp = seen.stamp?;
                    match first {
                        Some(before) if stamp.frame > before.frame && stamp.clock_ms != before.clock_ms => {
                            Some(seen.clone())
                        }
                        Some(_) => None,
                        None => {
                            first = Some(stamp);
                            None
                        }
                    }
                }
                _ => None,
            },
        )
        .await
    }

    /// Waits until the wanted tone is clearly in the sound of a person.
    pub async fn hears_tone(&self, mark: usize, seat: &SeatId) -> Result<Heard> {
        self.wait_from(
            mark,
            SOON,
            &format!("the tone is in the sound of {seat}"),
            |said| match said {
                Said::Heard(heard) if heard.seat == *seat && heard.tone >= TONE_FOUND => Some(heard.clone()),
                _ => None,
            },
        )
        .await
    }

    /// Sends a command and waits for its answer.
    pub async fn command(&mut self, command: &Command) -> Result<Outcome> {
        self.commands += 1;
        let wanted = format!("{}-{}", self.seat, self.commands);
        let mark = self.mark();
        self.tell(json!({ "do": "command", "id": wanted, "command": command }))
            .await?;
        self.wait_from(
            mark,
            SOON,
            &format!("the answer to {command:?}"),
            |said| match said {
                Said::Reply { id, outcome } if *id == wanted => Some(*outcome),
                _ => None,
            },
        )
        .await
    }

    /// Sends a command that has to be accepted.
    pub async fn does(&mut self, command: &Command) -> Result<()> {
        match self.command(command).await? {
            Outcome::Accepted { .. } => Ok(()),
            Outcome::Rejected { code } => bail!("{} was refused {command:?}: {code:?}", self.seat),
        }
    }

    /// Tells the participant one of its own verbs: `mic`, `camera`, `share`, `view`, `check`, `fix`, `turn`, `drop`, `leave`.
    pub async fn tell(&mut self, line: Value) -> Result<()> {
        self.process.tell(&line.to_string()).await
    }

    /// Leaves, and gives the report.
    pub async fn leave(mut self) -> Result<Value> {
        // A participant whose hearing has ended may have left by itself.
        let _ = self.tell(json!({ "do": "leave" })).await;
        self.process.stdin = None;
        within(SOON, "the participant leaves", async {
            self.process.ended(SOON).await?;
            self.report()
        })
        .await
    }

    /// The report of a participant that has ended.
    pub fn report(&self) -> Result<Value> {
        let text = std::fs::read_to_string(&self.report)
            .with_context(|| format!("{} left no report:\n{}", self.seat, self.process.log_end()))?;
        serde_json::from_str(&text).context("a report is not JSON")
    }

    /// The running program.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// The share of a wanted tone from which it counts as found. A pure tone through Opus measures above 0.9, speech or another
/// tone below 0.1.
pub const TONE_FOUND: f32 = 0.5;
