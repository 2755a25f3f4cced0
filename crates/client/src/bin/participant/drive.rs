//! From the code to the report: joins, reacts, listens to stdin, speaks on stdout.

use crate::args::{Args, CapacityKind};
use crate::hearing::{Part, Steps, View};
use crate::report::{self, Facts, Report};
use crate::watch::Watch;
use client::room::RoomAccess;
use client::{Court, CourtError, Session, SessionConfig, SessionHandle, SessionStats};
use media::clock::MediaClock;
use protocol::{
    AgentAuthority, AgentKind, Capacity, Command, CommandId, DeviceFix, DropCause, Enter, Event, FixState,
    HostEvent, LinkState, MediaKind, PersonName, Role, SeatId, SeatTaken, Secret, SendCommand, ServerFrame,
    StaffSignIn, StaffTakeSeat, SwitchMedia, TakeSeat, TrackInfo, TrackSource, TrackView,
};
use rand::SeedableRng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// Exit statuses, as documented.
const REFUSED: u8 = 3;
const UNREACHABLE: u8 = 4;
const NOTHING_CAME: u8 = 5;
const TROUBLE: u8 = 1;

/// How often joining is tried while the server cannot be reached.
const JOIN_TRIES: u32 = 6;
/// A track that was there for so long without one picture or sound means that media does not work.
const MEDIA_DUE: Duration = Duration::from_secs(6);
/// Time for the last words and for threads to end.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);

/// A line on stdin.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
enum Line {
    Command { id: String, command: Command },
    Mic { on: bool },
    Camera { on: bool },
    Share { on: bool },
    View { width: u32, height: u32 },
    Check { what: Check },
    Fix { fix: DeviceFix },
    Turn { on: bool },
    Drop,
    Leave,
}

/// A check on the running devices; its result is a line of the type `check`.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Check {
    Look,
    Hear,
    Replay,
    Loop,
}

/// Runs until it is over; returns the exit status.
pub(crate) async fn run(args: Args) -> u8 {
    let clock = MediaClock::start();
    let watch = match Watch::start(clock) {
        Ok(watch) => watch,
        Err(error) => {
            tracing::error!(%error, "the decoding thread does not start");
            return TROUBLE;
        }
    };
    let mut setup = args.media(Arc::new(watch.clone()), clock);
    setup.tap = Some(watch.ears(args.listen_for, args.record_wav.clone()));
    let tasks = TaskTracker::new();
    let began_ms = watch.now_ms();
    let mut rng = rand_chacha::ChaCha8Rng::from_os_rng();
    let config = |server| SessionConfig {
        server,
        client: format!(
            "mingting-participant {}; {}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS
        ),
        seed: rand::Rng::random(&mut rng),
    };
    let session = match (&args.livekit, &args.server) {
        (Some(url), _) => {
            let token = Secret::new(args.token.clone().unwrap_or_default());
            let access = RoomAccess {
                url: url.clone(),
                token,
            };
            Session::start_open(with_http(config, url.clone()), access, setup, tasks.clone())
        }
        (None, Some(server)) => match join(&args, server).await {
            Ok(seat) => Session::start(with_http(config, server.clone()), seat, setup, tasks.clone()),
            Err(CourtError::Api(error)) => {
                tracing::error!(code = ?error.code, retry_after_ms = error.retry_after_ms, "refused");
                return REFUSED;
            }
            Err(CourtError::Unreachable(reason)) => {
                tracing::error!(reason, "the court's server cannot be reached");
                return UNREACHABLE;
            }
        },
        (None, None) => return TROUBLE,
    };
    watch.attach(session.clone());
    let presence = Presence::new(args, watch, session, began_ms);
    let status = presence.run().await;
    tasks.close();
    let _ = tokio::time::timeout(LEAVE_LIMIT, tasks.wait()).await;
    status
}

/// The session speaks HTTP to the same host as the media server.
fn with_http(config: impl FnOnce(url::Url) -> SessionConfig, mut server: url::Url) -> SessionConfig {
    let scheme = match server.scheme() {
        "wss" => "https",
        "ws" => "http",
        other => other,
    };
    let scheme = scheme.to_owned();
    // Both pairs are special schemes, which may replace each other.
    let _ = server.set_scheme(&scheme);
    config(server)
}

/// Takes the seat, trying again while there is no server.
async fn join(args: &Args, server: &url::Url) -> Result<SeatTaken, CourtError> {
    let mut rng = rand_chacha::ChaCha8Rng::from_os_rng();
    let court = Court::new(server)?;
    let mut attempt = 1;
    loop {
        let result = match &args.staff {
            Some(account) => take_staff_seat(&court, args, account).await,
            None => take_seat(&court, args).await,
        };
        match result {
            Err(CourtError::Unreachable(_)) if attempt < JOIN_TRIES => {
                attempt += 1;
                tokio::time::sleep(client::reconnect::delay(attempt, &mut rng)).await;
            }
            other => return other,
        }
    }
}

async fn take_staff_seat(court: &Court, args: &Args, account: &str) -> Result<SeatTaken, CourtError> {
    let password = Secret::new(std::env::var("MINGTING_PASSWORD").unwrap_or_default());
    court
        .sign_in(&StaffSignIn {
            account: Secret::new(account),
            password,
        })
        .await?;
    let hearing = args.hearing.as_deref().unwrap_or_default().into();
    court
        .staff_seat(&StaffTakeSeat {
            hearing,
            take_over: args.take_over,
        })
        .await
}

async fn take_seat(court: &Court, args: &Args) -> Result<SeatTaken, CourtError> {
    let code = Secret::new(args.code.clone().unwrap_or_default());
    let entered = court.enter(&Enter { code }).await?;
    let kind = args.capacity.unwrap_or(match entered.seat.role {
        Role::Agent => CapacityKind::Agent,
        Role::Plaintiff | Role::Defendant | Role::ThirdParty => CapacityKind::Party,
        _ => CapacityKind::Other,
    });
    let capacity = match kind {
        CapacityKind::Party => Capacity::Party { id_number: None },
        CapacityKind::Other => Capacity::Other,
        CapacityKind::Agent => Capacity::Agent {
            represents: match (&args.represents, &entered.seat.represents) {
                (Some(seat), _) => SeatId(seat.clone()),
                (None, Some(seat)) => seat.clone(),
                (None, None) => SeatId(String::new()),
            },
            kind: AgentKind::Relative,
            licence: None,
            authority: AgentAuthority::General,
        },
    };
    // A code comes with a name (see `Args`); the server tells it to nobody.
    let name = PersonName::new(args.name.as_deref().unwrap_or_default());
    court
        .take_seat(&TakeSeat {
            ticket: entered.ticket,
            name,
            capacity,
            take_over: args.take_over,
        })
        .await
}

struct Presence {
    args: Args,
    watch: Watch,
    session: SessionHandle,
    view: View,
    steps: Steps,
    part: Option<Part>,
    tile: (u32, u32),
    tracks: BTreeMap<u32, TrackInfo>,
    /// Since when a remote track should deliver, in milliseconds.
    due_since: HashMap<u32, u64>,
    in_court: bool,
    began_ms: u64,
    welcomed_ms: Option<u64>,
    events: Vec<Value>,
    replies: mpsc::UnboundedSender<Value>,
    replies_in: mpsc::UnboundedReceiver<Value>,
    commands: u64,
    nothing_came: bool,
    /// The own state as last noted.
    noted_state: Option<String>,
}

impl Presence {
    fn new(args: Args, watch: Watch, session: SessionHandle, began_ms: u64) -> Self {
        let (replies, replies_in) = mpsc::unbounded_channel();
        Self {
            part: args.script.map(Part::new),
            tile: (args.view.width, args.view.height),
            in_court: args.livekit.is_some(),
            args,
            watch,
            session,
            view: View::default(),
            steps: Steps::default(),
            tracks: BTreeMap::new(),
            due_since: HashMap::new(),
            began_ms,
            welcomed_ms: None,
            events: Vec::new(),
            replies,
            replies_in,
            commands: 0,
            nothing_came: false,
            noted_state: None,
        }
    }

    async fn run(mut self) -> u8 {
        let mut host = self.session.events();
        let mut lines = stdin_lines(self.args.drive);
        let seconds = self.args.seconds;
        let end = async move {
            match seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs_f64(seconds.max(0.0))).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        let stopped = stop_asked();
        tokio::pin!(stopped);
        let mut quick = tokio::time::interval(Duration::from_millis(200));
        let mut slow = tokio::time::interval(Duration::from_secs(1));
        let mut stats = SessionStats::default();
        loop {
            tokio::select! {
                event = host.recv() => match event {
                    Some(event) => self.host(event),
                    None => break,
                },
                line = lines.recv() => match line {
                    Some(line) => if !self.line(&line) { break },
                    // Stdin has ended: whoever drove this is gone.
                    None => break,
                },
                Some(reply) = self.replies_in.recv() => self.speak(&reply),
                _ = quick.tick() => self.react(),
                _ = slow.tick() => {
                    if let Ok(now) = self.session.stats().await {
                        stats = now;
                    }
                    self.check_media(&stats);
                    if self.args.speaks() {
                        for line in report::lines(&self.tracks, &stats, &self.watch) {
                            self.speak(&line);
                        }
                    }
                }
                () = &mut end => break,
                () = &mut stopped => break,
            }
        }
        if let Ok(now) = self.session.stats().await {
            stats = now;
        }
        self.session.end(DropCause::WindowClosed);
        self.finish(&stats)
    }

    fn finish(mut self, stats: &SessionStats) -> u8 {
        let facts = Facts {
            seat: self.session.seat().map(|seat| seat.seat.0.clone()),
            role: self.view.own_role(),
            began_ms: self.began_ms,
            welcomed_ms: self.welcomed_ms,
            tracks: &self.tracks,
            stats,
            events: std::mem::take(&mut self.events),
        };
        let report = Report::new(facts, &self.watch);
        if let Some(path) = &self.args.report {
            let text = serde_json::to_string_pretty(&report).expect("a report serialises");
            let written = match path.as_str() {
                "-" => writeln!(std::io::stdout(), "{text}"),
                path => std::fs::write(path, text + "\n"),
            };
            if let Err(error) = written {
                tracing::error!(%error, "the report was not written");
                return TROUBLE;
            }
        }
        match (self.welcomed_ms, self.nothing_came) {
            (None, _) => UNREACHABLE,
            (_, true) => NOTHING_CAME,
            _ => 0,
        }
    }

    fn note(&mut self, kind: &str) {
        let at_ms = self.watch.now_ms().saturating_sub(self.began_ms);
        self.events.push(json!({"at_ms": at_ms, "type": kind}));
    }

    fn speak(&self, line: &Value) {
        if self.args.speaks() {
            let mut out = std::io::stdout().lock();
            // A reader that is gone shows as the end of stdin.
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }

    fn host(&mut self, event: HostEvent) {
        if self.args.speaks() && !matches!(event, HostEvent::Level { .. }) {
            match serde_json::to_value(&event) {
                Ok(line) => self.speak(&line),
                Err(error) => tracing::error!(%error, "an event does not serialise"),
            }
        }
        match event {
            HostEvent::Channel { frame } => self.frame(&frame),
            HostEvent::Link { state } => self.note(link_name("link", &state)),
            HostEvent::MediaLink { state } => {
                if state == LinkState::Live && self.session.seat().is_none() {
                    let now = self.watch.now_ms();
                    self.welcomed_ms.get_or_insert(now);
                }
                if state != LinkState::Live {
                    self.due_since.clear();
                }
                self.note(link_name("media", &state));
            }
            HostEvent::Tracks { tracks } => {
                let remote: Vec<TrackInfo> = tracks.into_iter().filter(|track| !track.own).collect();
                self.due_since
                    .retain(|slot, _| remote.iter().any(|track| track.slot == *slot && !track.muted));
                for track in remote {
                    self.tracks.insert(track.slot, track);
                }
                self.note("tracks");
                self.tell_views();
            }
            HostEvent::ShareEnded => self.note("shareEnded"),
            _ => {}
        }
    }

    fn frame(&mut self, frame: &ServerFrame) {
        let kind = match frame {
            ServerFrame::Welcome { .. } => {
                let now = self.watch.now_ms();
                self.welcomed_ms.get_or_insert(now);
                "welcome".to_owned()
            }
            ServerFrame::Snapshot { .. } => "snapshot".to_owned(),
            ServerFrame::Event { envelope } => event_kind(envelope),
            ServerFrame::Bye { .. } => "bye".to_owned(),
            ServerFrame::Media { .. } => "media".to_owned(),
            ServerFrame::Reply { .. } | ServerFrame::Pong { .. } => String::new(),
        };
        if !kind.is_empty() {
            self.note(&kind);
        }
        if self.args.agree_fixes {
            self.agree(frame);
        }
        if self.view.follow(frame) {
            self.note_own_state();
            let in_court = self.view.in_court();
            // A picture that pauses because the court says so is not frozen.
            self.watch.pause();
            if in_court != self.in_court {
                self.in_court = in_court;
                self.due_since.clear();
            }
            self.react();
        }
    }

    /// One's own state, each time it changes: of an isolation the person itself gets a snapshot and no event.
    fn note_own_state(&mut self) {
        let state = serde_json::to_value(self.view.own_state()).unwrap_or_default();
        if let Some(name) = state["name"].as_str()
            && self.noted_state.as_deref() != Some(name)
        {
            self.noted_state = Some(name.to_owned());
            self.note(&format!("you:{name}"));
        }
    }

    fn react(&mut self) {
        if let Some(command) = self.steps.next(&self.view) {
            self.command(command);
        }
        let now_ms = self.watch.now_ms();
        let due = self
            .part
            .as_mut()
            .map(|part| part.due(&self.view, now_ms))
            .unwrap_or_default();
        for command in due {
            self.command(command);
        }
    }

    fn command(&mut self, command: Command) {
        self.commands += 1;
        let id = format!("{}-{:x}-{}", self.began_ms, std::process::id(), self.commands);
        self.send(id, command);
    }

    fn send(&self, id: String, command: Command) {
        let (session, replies) = (self.session.clone(), self.replies.clone());
        let send = SendCommand {
            command_id: CommandId(id.clone()),
            expected_seq: None,
            command,
        };
        let task = async move {
            if let Ok(outcome) = session.command(send).await {
                if let protocol::Outcome::Rejected { code } = outcome {
                    tracing::info!(?code, "a command was rejected");
                }
                drop(replies.send(json!({"type": "reply", "id": id, "outcome": outcome})));
            }
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "waits for one reply and ends with the session"
        )]
        drop(tokio::spawn(task));
    }

    fn check(&self, what: Check) {
        let (session, replies) = (self.session.clone(), self.replies.clone());
        let task = async move {
            let found = match what {
                Check::Look => session.look().await.map(|facts| json!(facts)),
                Check::Hear => session.hear().await.map(|voice| json!(voice)),
                Check::Replay => session.replay().await.map(|()| Value::Null),
                Check::Loop => session.measure_loop().await.map(|facts| json!(facts)),
            };
            let (found, error) = (found.as_ref().ok(), found.as_ref().err());
            drop(replies.send(json!({"type": "check", "what": what, "found": found, "error": error})));
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "waits for one reply and ends with the session"
        )]
        drop(tokio::spawn(task));
    }

    /// Carries out a fix and says how it went; the court is told where it was the court's offer.
    fn fix(&self, fix: DeviceFix, offered: bool) {
        let (session, replies) = (self.session.clone(), self.replies.clone());
        let id = format!("fix-{:x}-{}", std::process::id(), self.watch.now_ms());
        let task = async move {
            let result = session.fix(fix).await;
            if let Err(error) = &result {
                tracing::warn!(?error, ?fix, "a fix did not help");
            }
            drop(replies.send(json!({"type": "fix", "fix": fix, "error": result.as_ref().err()})));
            if offered {
                let done = SendCommand {
                    command_id: CommandId(id),
                    expected_seq: None,
                    command: Command::FixDone {
                        worked: result.is_ok(),
                    },
                };
                // The court's answer is in the channel's frames.
                let _ = session.command(done).await;
            }
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "waits for one reply and ends with the session"
        )]
        drop(tokio::spawn(task));
    }

    /// Answers the court's offers in the person's place, and carries out what was agreed to.
    fn agree(&mut self, frame: &ServerFrame) {
        let ServerFrame::Event { envelope } = frame else {
            return;
        };
        let Event::ParticipantFix {
            seat,
            fix: Some(offer),
        } = &envelope.event
        else {
            return;
        };
        if self.session.seat().is_none_or(|own| own.seat != *seat) {
            return;
        }
        match offer.state {
            FixState::Offered => self.command(Command::FixAnswer { agreed: true }),
            FixState::Agreed => self.fix(offer.fix, true),
            FixState::Declined | FixState::Done | FixState::Failed => {}
        }
    }

    fn tell_views(&self) {
        let (width, height) = self.tile;
        let views = self
            .tracks
            .values()
            .filter(|track| track.source != TrackSource::Microphone);
        self.session.views(
            views
                .map(|track| TrackView {
                    slot: track.slot,
                    width,
                    height,
                })
                .collect(),
        );
    }

    /// False ends the participant.
    fn line(&mut self, line: &str) -> bool {
        if line.trim().is_empty() {
            return true;
        }
        match serde_json::from_str(line) {
            Ok(Line::Command { id, command }) => self.send(id, command),
            Ok(Line::Mic { on }) => self.session.switch(SwitchMedia {
                kind: MediaKind::Audio,
                on,
            }),
            Ok(Line::Camera { on }) => self.session.switch(SwitchMedia {
                kind: MediaKind::Video,
                on,
            }),
            Ok(Line::Share { on: false }) => self.session.share_stop(),
            Ok(Line::Share { on: true }) => {
                let session = self.session.clone();
                let task = async move {
                    if let Err(error) = session.share_start("synthetic".into()).await {
                        tracing::warn!(?error, "the share did not start");
                    }
                };
                #[expect(
                    clippy::disallowed_methods,
                    reason = "waits for one reply and ends with the session"
                )]
                drop(tokio::spawn(task));
            }
            Ok(Line::View { width, height }) => {
                self.tile = (width, height);
                self.tell_views();
            }
            Ok(Line::Check { what }) => self.check(what),
            Ok(Line::Fix { fix }) => self.fix(fix, false),
            Ok(Line::Turn { on }) => self.session.turn_picture(on),
            Ok(Line::Drop) => self.session.sever(),
            Ok(Line::Leave) => return false,
            Err(error) => {
                tracing::warn!(%error, "a line on stdin is not understood");
                self.speak(&json!({"type": "error", "message": error.to_string()}));
            }
        }
        true
    }

    /// Notices tracks that should deliver and do not.
    fn check_media(&mut self, stats: &SessionStats) {
        let now = self.watch.now_ms();
        if !self.in_court {
            return;
        }
        let eyes = self.watch.eyes();
        for track in self.tracks.values().filter(|track| !track.muted) {
            let since = *self.due_since.entry(track.slot).or_insert(now);
            if now < since + MEDIA_DUE.as_millis() as u64 {
                continue;
            }
            let came = match track.source {
                TrackSource::Microphone => stats
                    .heard
                    .iter()
                    .any(|(slot, _, heard)| *slot == track.slot && heard.packets > 0),
                _ => self.tile.0 == 0 || eyes.tracks.get(&track.slot).is_some_and(|seen| seen.frames > 0),
            };
            if !came && !self.nothing_came {
                tracing::warn!(slot = track.slot, source = ?track.source, "nothing comes on a track");
                self.nothing_came = true;
            }
        }
    }
}

/// The wire name of an event, and of the state that it brings.
fn event_kind(envelope: &protocol::Envelope) -> String {
    let Ok(value) = serde_json::to_value(&envelope.event) else {
        return String::new();
    };
    let kind = value["type"].as_str().unwrap_or_default();
    match value["payload"]["to"]["name"].as_str() {
        Some(state) => format!("{kind}:{state}"),
        None => kind.to_owned(),
    }
}

fn link_name(which: &str, state: &LinkState) -> &'static str {
    match (which, state) {
        ("link", LinkState::Connecting) => "link:connecting",
        ("link", LinkState::Live) => "link:live",
        ("link", LinkState::Retrying { .. }) => "link:retrying",
        ("link", LinkState::Ended { .. }) => "link:ended",
        (_, LinkState::Connecting) => "mediaLink:connecting",
        (_, LinkState::Live) => "mediaLink:live",
        (_, LinkState::Retrying { .. }) => "mediaLink:retrying",
        (_, LinkState::Ended { .. }) => "mediaLink:ended",
    }
}

/// Lines from stdin, read by a thread of its own; without `--drive` none ever come.
fn stdin_lines(drive: bool) -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let read = move || {
        if !drive {
            // Holding the sender keeps the channel open without lines.
            loop {
                std::thread::park();
            }
        }
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("stdin".into()).spawn(read) {
        tracing::error!(%error, "stdin is not read");
    }
    receiver
}

#[cfg(unix)]
async fn stop_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn stop_asked() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
