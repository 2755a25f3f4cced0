//! One hearing's task: decide, make durable, apply, push rights to the media rooms, tell everybody, reply. In this
//! order, one input at a time.
//!
//! Invariant: nobody is told of an event, and no command is acknowledged, before it is on the disk. When the database
//! fails, the task cannot know what was stored: it ends every connection with `Restarting` and is loaded again from
//! the log by whoever needs it next.

use super::connection::{End, Outbox, text};
use super::message::{Attach, HearingMessage, Look, TakeRefusal};
use super::{World, fan_out, is_over};
use crate::clock::stopwatch;
use crate::net_filter::NetFilter;
use crate::pace::Pace;
use crate::rooms::RemovedBecause;
use crate::storage::StoreError;
use axum::extract::ws::Utf8Bytes;
use hearing::{Hearing, HearingSetup, Input, MediaRights};
use protocol::{
    ByeReason, Command, CommandId, ConnectionId, DropCause, Envelope, Event, HearingState, MediaAccess,
    NetQuality, Outcome, ParticipantState, Refusal, Role, Seat, SeatId, Seq, ServerFrame, TimeMs,
};
use std::collections::HashMap;
use tokio::sync::mpsc;

/// How long a media token is good for joining.
const MEDIA_TOKEN_MS: u64 = 15 * 60_000;
/// How long before its end a new one is sent.
const MEDIA_RENEWAL_MS: u64 = 3 * 60_000;
/// A hearing without connections, messages and deadlines is forgotten after this time; its log is on the disk.
const IDLE_MS: u64 = 10 * 60_000;
/// When a due deadline changes nothing, which is a bug, the task looks again after this time instead of spinning.
const STUCK_DEADLINE_MS: u64 = 1_000;

/// A seat's one connection.
struct Live {
    connection: ConnectionId,
    outbox: Outbox,
    net: NetFilter,
    /// When the media token must be renewed.
    renew_media_at: Option<TimeMs>,
}

/// The device that connected last for a seat, whether it is still there or not.
struct Latest {
    token_hash: Vec<u8>,
    issued_at: TimeMs,
}

/// The hearing and those who are connected to it.
pub(crate) struct HearingTask {
    world: World,
    setup: HearingSetup,
    hearing: Hearing,
    /// When the connections of the task before this one were lost.
    lost_at: TimeMs,
    live: HashMap<SeatId, Live>,
    latest: HashMap<SeatId, Latest>,
    /// How often each seat connects: every time costs a snapshot, events and lines of the trail.
    arrivals: HashMap<SeatId, Pace>,
    rights: HashMap<SeatId, MediaRights>,
    /// Connections to be ended once the present input has been answered.
    leaving: Vec<(SeatId, ByeReason)>,
    /// Connections whose client does not read; ended before the next input.
    overflowed: Vec<SeatId>,
}

/// What woke the task.
enum Wake {
    Message(HearingMessage),
    Deadline,
    Idle,
}

/// Whether the task goes on.
enum Next {
    On,
    Over,
}

impl HearingTask {
    pub(crate) fn new(world: World, setup: HearingSetup, hearing: Hearing, lost_at: TimeMs) -> Self {
        Self {
            world,
            setup,
            hearing,
            lost_at,
            live: HashMap::new(),
            latest: HashMap::new(),
            arrivals: HashMap::new(),
            rights: HashMap::new(),
            leaving: Vec::new(),
            overflowed: Vec::new(),
        }
    }

    /// Runs until shutdown, idleness or a failure of the database.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<HearingMessage>) {
        self.world.metrics.hearings_loaded.up();
        let id = self.setup.id.clone();
        tracing::debug!(hearing = %id, events = self.hearing.seq().0, "hearing loaded");
        if let Err(error) = self.serve(&mut inbox).await {
            self.world.metrics.store_failures.up();
            tracing::error!(hearing = %id, %error, "hearing stopped: its log could not be written");
        }
        for (_, live) in self.live.drain() {
            live.outbox.end(End::Bye(ByeReason::Restarting));
        }
        self.world.metrics.hearings_loaded.down();
        tracing::debug!(hearing = %id, "hearing unloaded");
    }

    async fn serve(&mut self, inbox: &mut mpsc::Receiver<HearingMessage>) -> Result<(), StoreError> {
        if !self.hearing.is_over() {
            self.world.rooms.open(&self.setup.id, self.world.clock.stamp());
        }
        self.push_rights();
        self.after_a_restart().await?;
        let mut idle_since = self.world.clock.now();
        loop {
            let next = match self.wait(inbox, idle_since).await {
                Wake::Idle => {
                    // Somebody whose code was accepted may never have come.
                    self.drop_all(idle_since, DropCause::Silence).await?;
                    self.world.rooms.close(&self.setup.id);
                    Next::Over
                }
                Wake::Deadline => self.deadline().await?,
                Wake::Message(message) => {
                    idle_since = self.world.clock.now();
                    self.handle(message).await?
                }
            };
            self.part().await?;
            if matches!(next, Next::Over) {
                return Ok(());
            }
        }
    }

    async fn wait(&self, inbox: &mut mpsc::Receiver<HearingMessage>, idle_since: TimeMs) -> Wake {
        let hearing = self.hearing.next_deadline().map(|(at, _)| at);
        let renewal = self.live.values().filter_map(|l| l.renew_media_at).min();
        let deadline = [hearing, renewal].into_iter().flatten().min();
        let idle = (deadline.is_none() && self.live.is_empty()).then(|| idle_since.plus(IDLE_MS));
        let sleep = async |until: Option<TimeMs>| match until {
            Some(at) => self.world.clock.sleep_until(at).await,
            None => std::future::pending().await,
        };
        tokio::select! {
            message = inbox.recv() => message.map_or(Wake::Idle, Wake::Message),
            () = sleep(deadline) => Wake::Deadline,
            () = sleep(idle) => Wake::Idle,
        }
    }

    /// Nobody is connected to a server that has just started, whatever the log says.
    async fn after_a_restart(&mut self) -> Result<(), StoreError> {
        if self.hearing.seq() == Seq(0) {
            return Ok(());
        }
        self.drop_all(self.lost_at, DropCause::ServerRestart).await
    }

    /// Says of everybody that their connection is gone; it changes nothing for those who had none.
    async fn drop_all(&mut self, since: TimeMs, cause: DropCause) -> Result<(), StoreError> {
        let seats: Vec<SeatId> = self.setup.seats.iter().map(|s| s.id.clone()).collect();
        for seat in seats {
            let dropped = Input::Dropped {
                seat,
                since,
                cause,
                told: None,
            };
            let _refused = self.take_in(dropped).await?;
        }
        Ok(())
    }

    async fn handle(&mut self, message: HearingMessage) -> Result<Next, StoreError> {
        match message {
            HearingMessage::Attach(attach) => self.attach(attach).await?,
            HearingMessage::Detach {
                seat,
                connection,
                since,
                cause,
                told,
            } => {
                if self.is_live(&seat, &connection) {
                    self.live.remove(&seat);
                    tracing::debug!(hearing = %self.setup.id, %seat, ?cause, ?told, "connection lost");
                    let dropped = Input::Dropped {
                        seat,
                        since,
                        cause,
                        told,
                    };
                    let _refused = self.take_in(dropped).await?;
                }
            }
            HearingMessage::Command {
                seat,
                connection,
                id,
                expected,
                command,
            } => {
                if self.is_live(&seat, &connection) {
                    self.command(seat, id, expected, command).await?;
                }
            }
            HearingMessage::Net {
                seat,
                connection,
                quality,
            } => self.net(seat, &connection, quality).await?,
            HearingMessage::Refresh { seat, connection } => {
                if self.is_live(&seat, &connection) {
                    let frame = self.snapshot(&seat);
                    self.send(&seat, frame);
                }
            }
            HearingMessage::Look { seat, reply } => {
                // The asker may have gone away; that is theirs.
                let _gone = reply.send(self.look(&seat));
            }
            HearingMessage::Take {
                seat,
                take_over,
                reply,
            } => {
                let taken = self.take(seat, take_over).await;
                let failed = matches!(taken, Err(TakeFault::Store(_)));
                let _gone = reply.send(match &taken {
                    Ok(()) => Ok(()),
                    Err(TakeFault::Refused(why)) => Err(*why),
                    Err(TakeFault::Store(_)) => Err(TakeRefusal::Failed),
                });
                if failed && let Err(TakeFault::Store(error)) = taken {
                    return Err(error);
                }
            }
            HearingMessage::Tested { seat, score, reply } => {
                let _refused = self.take_in(Input::Tested { seat, score }).await?;
                let _gone = reply.send(());
            }
            HearingMessage::Shutdown => {
                self.shut_down().await?;
                return Ok(Next::Over);
            }
        }
        Ok(Next::On)
    }

    fn is_live(&self, seat: &SeatId, connection: &ConnectionId) -> bool {
        self.live.get(seat).is_some_and(|l| l.connection == *connection)
    }

    async fn attach(&mut self, attach: Attach) -> Result<(), StoreError> {
        let Attach {
            seat,
            token_hash,
            issued_at,
            resume_after,
            drop_cause,
            outbox,
            reply,
        } = attach;
        if let Some(reason) = self.may_not_connect(&seat, issued_at) {
            let _gone = reply.send(Err(reason));
            return Ok(());
        }
        let now = self.world.clock.now();
        let arrivals = self.arrivals.entry(seat.clone());
        if !arrivals.or_insert_with(|| Pace::arrivals(now)).take(now) {
            self.world.metrics.arrivals_too_fast.up();
            let _gone = reply.send(Err(ByeReason::TooOften));
            return Ok(());
        }
        let latest = Latest {
            token_hash,
            issued_at,
        };
        let is_same_device = self
            .latest
            .get(&seat)
            .is_some_and(|l| l.token_hash == latest.token_hash);
        if !is_same_device {
            self.change_device(&seat, latest).await?;
        }
        match self.live.remove(&seat) {
            // The same device came back before its old connection was missed. Nobody listens there any more.
            Some(old) if is_same_device && resume_after.is_some() => {
                old.outbox.end(End::Cut);
                let _refused = self
                    .take_in(Input::Connected {
                        seat: seat.clone(),
                        resumed: true,
                    })
                    .await?;
            }
            Some(old) => {
                old.outbox.end(End::Bye(ByeReason::Replaced));
                if is_same_device {
                    self.send_out(&seat, RemovedBecause::Replaced);
                }
                let _refused = self.take_in(Input::Replaced { seat: seat.clone() }).await?;
            }
            None => {
                if let Some(told) = drop_cause {
                    let _refused = self
                        .take_in(Input::DropExplained {
                            seat: seat.clone(),
                            told,
                        })
                        .await?;
                }
                let connected = Input::Connected {
                    seat: seat.clone(),
                    resumed: resume_after.is_some(),
                };
                if let Err(refusal) = self.take_in(connected).await? {
                    let _gone = reply.send(Err(self.bye_for(&seat, refusal)));
                    return Ok(());
                }
            }
        }
        let connection = ConnectionId(self.world.entropy.id("c"));
        let mut live = Live {
            connection: connection.clone(),
            outbox,
            net: NetFilter::default(),
            renew_media_at: None,
        };
        let media = self.media_access(&seat);
        live.renew_media_at = media.as_ref().map(renewal);
        let now = self.world.clock.now();
        let welcome = fan_out::fitting(self.hearing.snapshot(&seat, now), |snapshot| {
            ServerFrame::Welcome {
                connection: connection.clone(),
                snapshot,
                media: media.clone(),
            }
        });
        self.live.insert(seat.clone(), live);
        self.send(&seat, welcome);
        if resume_after.is_some() {
            self.world.metrics.connections_resumed.up();
        }
        tracing::debug!(hearing = %self.setup.id, %seat, %connection, resumed = resume_after.is_some(), "seat connected");
        let _gone = reply.send(Ok(connection));
        Ok(())
    }

    /// Another device has the seat now: what the one before it still holds is good for nothing any more.
    async fn change_device(&mut self, seat: &SeatId, latest: Latest) -> Result<(), StoreError> {
        let store = &self.world.store;
        store.forget_older(&self.setup.id, seat, latest.issued_at).await?;
        if self.latest.insert(seat.clone(), latest).is_some() {
            self.send_out(seat, RemovedBecause::Replaced);
        }
        Ok(())
    }

    fn send_out(&self, seat: &SeatId, why: RemovedBecause) {
        let now = self.world.clock.stamp();
        self.world.rooms.remove(&self.setup.id, seat, why, now);
    }

    /// A hearing that is over lets only the court in again, to archive it; and a device that was replaced does not
    /// replace the newer one, although its token was good a moment ago.
    fn may_not_connect(&self, seat: &SeatId, issued_at: TimeMs) -> Option<ByeReason> {
        if self.latest.get(seat).is_some_and(|l| issued_at < l.issued_at) {
            return Some(ByeReason::Replaced);
        }
        let Some(seat) = self.setup.seats.iter().find(|s| s.id == *seat) else {
            return Some(ByeReason::BadToken);
        };
        (self.hearing.is_over() && !stays(seat.role, self.hearing.state())).then_some(ByeReason::HearingEnded)
    }

    /// What a refused connection is told.
    fn bye_for(&self, seat: &SeatId, refusal: Refusal) -> ByeReason {
        match self.hearing.participant(seat).map(|p| &p.state) {
            Some(ParticipantState::Removed { .. }) => ByeReason::Removed,
            Some(ParticipantState::Left) => ByeReason::Left,
            Some(_) | None => {
                tracing::warn!(hearing = %self.setup.id, %seat, ?refusal, "a connection was refused");
                ByeReason::HearingEnded
            }
        }
    }

    async fn command(
        &mut self,
        seat: SeatId,
        id: CommandId,
        expected: Option<Seq>,
        command: Command,
    ) -> Result<(), StoreError> {
        let input = Input::Command {
            seat: seat.clone(),
            id: id.clone(),
            expected,
            command,
        };
        let outcome = match self.take_in(input).await? {
            // Carried out now, or before on another connection.
            Ok(()) => Outcome::Accepted {
                seq: self.hearing.outcome_of(&id).unwrap_or_else(|| self.hearing.seq()),
            },
            Err(code) => Outcome::Rejected { code },
        };
        match outcome {
            Outcome::Accepted { .. } => self.world.metrics.commands_accepted.up(),
            Outcome::Rejected { .. } => self.world.metrics.commands_refused.up(),
        }
        self.send(
            &seat,
            text(&ServerFrame::Reply {
                command_id: id,
                outcome,
            }),
        );
        Ok(())
    }

    async fn net(
        &mut self,
        seat: SeatId,
        connection: &ConnectionId,
        quality: NetQuality,
    ) -> Result<(), StoreError> {
        let told = match self.live.get_mut(&seat) {
            Some(live) if live.connection == *connection => live.net.report(quality),
            _ => None,
        };
        if let Some(quality) = told {
            let _refused = self.take_in(Input::Net { seat, quality }).await?;
        }
        Ok(())
    }

    fn look(&self, seat: &SeatId) -> Option<Look> {
        let own = self.setup.seats.iter().find(|s| s.id == *seat)?.clone();
        let hidden = |role| matches!(role, Role::Witness | Role::Expert | Role::Observer);
        Some(Look {
            case: self.setup.case.clone(),
            state: self.hearing.state().clone(),
            seat: own,
            others: self
                .setup
                .seats
                .iter()
                .filter(|s| s.id != *seat && !hidden(s.role))
                .map(|s| Seat {
                    // Whom an interpreter was called for may be a witness nobody may know of yet.
                    represents: s.represents.clone().filter(|_| s.role != Role::Interpreter),
                    ..s.clone()
                })
                .collect(),
            in_use: self.live.contains_key(seat),
            identity_step: self.setup.settings.identity_step,
        })
    }

    async fn take(&mut self, seat: SeatId, take_over: bool) -> Result<(), TakeFault> {
        let Some(own) = self.setup.seats.iter().find(|s| s.id == seat) else {
            return Err(TakeFault::Refused(TakeRefusal::NoSuchSeat));
        };
        if self.hearing.is_over() && !stays(own.role, self.hearing.state()) {
            return Err(TakeFault::Refused(TakeRefusal::Over));
        }
        if self.live.contains_key(&seat) {
            // The older connection ends when the new one says hello, so that nobody is left without any.
            return if take_over {
                Ok(())
            } else {
                Err(TakeFault::Refused(TakeRefusal::InUse))
            };
        }
        let accepted = self.take_in(Input::CodeAccepted { seat }).await?;
        accepted.map_err(|_| TakeFault::Refused(TakeRefusal::NotAllowed))
    }

    async fn deadline(&mut self) -> Result<Next, StoreError> {
        let now = self.world.clock.now();
        if self.hearing.next_deadline().is_some_and(|(at, _)| at <= now) {
            let _refused = self.take_in(Input::Tick).await?;
            if let Some((_, reason)) = self.hearing.next_deadline().filter(|(at, _)| *at <= now) {
                tracing::error!(hearing = %self.setup.id, ?reason, "a deadline passed without effect");
                self.world.clock.sleep_until(now.plus(STUCK_DEADLINE_MS)).await;
            }
        }
        let due: Vec<SeatId> = self
            .live
            .iter()
            .filter(|(_, l)| l.renew_media_at.is_some_and(|at| at <= now))
            .map(|(seat, _)| seat.clone())
            .collect();
        for seat in due {
            self.offer_media(&seat);
        }
        Ok(Next::On)
    }

    /// Everybody's connection ends by the server's doing, and the record says so.
    async fn shut_down(&mut self) -> Result<(), StoreError> {
        let now = self.world.clock.now();
        for (_, live) in self.live.drain() {
            live.outbox.end(End::Bye(ByeReason::Restarting));
        }
        self.drop_all(now, DropCause::ServerRestart).await?;
        self.world.rooms.close(&self.setup.id);
        Ok(())
    }

    /// Decide, make durable, apply and tell. `Ok(Err(refusal))` changed nothing.
    async fn take_in(&mut self, input: Input) -> Result<Result<(), Refusal>, StoreError> {
        let now = self.world.clock.now();
        let envelopes = match self.hearing.decide(&input, now) {
            Ok(envelopes) => envelopes,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if envelopes.is_empty() {
            return Ok(Ok(()));
        }
        let state = envelopes.iter().rev().find_map(|e| match &e.event {
            Event::HearingState { to, .. } => Some(to),
            _ => None,
        });
        let began = stopwatch();
        self.world.store.append(&self.setup.id, &envelopes, state).await?;
        self.world
            .metrics
            .persist_us
            .add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        self.world.metrics.events.add(envelopes.len() as u64);
        for envelope in &envelopes {
            self.hearing.apply(envelope);
        }
        // Before the rights: everybody is to hear that the room is over, and not that they were sent out of it.
        if envelopes.iter().any(|envelope| ends_hearing(&envelope.event)) {
            self.world.rooms.close(&self.setup.id);
        }
        self.push_rights();
        self.tell(&envelopes);
        for envelope in envelopes {
            self.note_who_leaves(&envelope.event);
        }
        Ok(Ok(()))
    }

    /// Tells the media rooms what changed, and lets those in who may enter now.
    fn push_rights(&mut self) {
        let seats: Vec<SeatId> = self.setup.seats.iter().map(|s| s.id.clone()).collect();
        for seat in seats {
            let rights = self.hearing.media_rights(&seat);
            let before = self.rights.insert(seat.clone(), rights);
            if before == Some(rights) {
                continue;
            }
            self.world.rooms.allow(&self.setup.id, &seat, &rights);
            let could_enter = before.is_some_and(|r| r.enter);
            if could_enter && !rights.enter {
                self.send_out(&seat, RemovedBecause::NoRight);
                if let Some(live) = self.live.get_mut(&seat) {
                    live.renew_media_at = None;
                }
            }
            if rights.enter && !could_enter {
                self.offer_media(&seat);
            }
        }
    }

    fn offer_media(&mut self, seat: &SeatId) {
        let Some(media) = self.media_access(seat) else {
            return;
        };
        let renew = renewal(&media);
        if let Some(live) = self.live.get_mut(seat) {
            live.renew_media_at = Some(renew);
            self.send(seat, text(&ServerFrame::Media { media }));
        }
    }

    fn media_access(&self, seat: &SeatId) -> Option<MediaAccess> {
        let rights = self.hearing.media_rights(seat);
        let (now, stamp) = (self.world.clock.now(), self.world.clock.stamp());
        rights.enter.then(|| MediaAccess {
            url: self.world.media_url.to_string(),
            token: self
                .world
                .rooms
                .token(&self.setup.id, seat, &rights, MEDIA_TOKEN_MS, now, stamp),
            expires_at: now.plus(MEDIA_TOKEN_MS),
        })
    }

    /// Sends every viewer the events they may see, or one snapshot in place of them when their rights changed.
    fn tell(&mut self, envelopes: &[Envelope]) {
        let texts: Vec<Utf8Bytes> = envelopes
            .iter()
            .map(|e| text(&ServerFrame::Event { envelope: e.clone() }))
            .collect();
        let viewers: Vec<SeatId> = self.live.keys().cloned().collect();
        for viewer in viewers {
            if envelopes.iter().any(|e| self.hearing.needs_snapshot(&viewer, e)) {
                let frame = self.snapshot(&viewer);
                self.send(&viewer, frame);
                continue;
            }
            for (envelope, text) in envelopes.iter().zip(&texts) {
                if self.hearing.visible(&viewer, envelope) {
                    self.send(&viewer, text.clone());
                }
            }
        }
    }

    fn snapshot(&self, viewer: &SeatId) -> Utf8Bytes {
        let snapshot = self.hearing.snapshot(viewer, self.world.clock.now());
        fan_out::fitting(snapshot, |snapshot| ServerFrame::Snapshot { snapshot })
    }

    fn send(&mut self, seat: &SeatId, frame: Utf8Bytes) {
        if let Some(live) = self.live.get(seat)
            && live.outbox.send(frame).is_err()
            && !self.overflowed.contains(seat)
        {
            self.overflowed.push(seat.clone());
        }
    }

    fn note_who_leaves(&mut self, event: &Event) {
        match event {
            Event::ParticipantState {
                seat,
                to: ParticipantState::Removed { .. },
                ..
            } => {
                self.leaving.push((seat.clone(), ByeReason::Removed));
            }
            Event::ParticipantState {
                seat,
                to: ParticipantState::Left,
                ..
            } => {
                self.leaving.push((seat.clone(), ByeReason::Left));
            }
            Event::HearingState { to, .. } if is_over(to) => {
                let going = self.setup.seats.iter().filter(|s| !stays(s.role, to));
                self.leaving
                    .extend(going.map(|s| (s.id.clone(), ByeReason::HearingEnded)));
            }
            _ => {}
        }
    }

    /// Ends the connections of those who left, and of those who do not read.
    async fn part(&mut self) -> Result<(), StoreError> {
        for (seat, reason) in std::mem::take(&mut self.leaving) {
            if let Some(live) = self.live.remove(&seat) {
                live.outbox.end(End::Bye(reason));
            }
        }
        while let Some(seat) = self.overflowed.pop() {
            if let Some(live) = self.live.remove(&seat) {
                tracing::info!(hearing = %self.setup.id, %seat, "connection cut: its client reads too slowly");
                self.world.metrics.connections_slow.up();
                live.outbox.end(End::TooSlow);
                let since = self.world.clock.now();
                let _refused = self
                    .take_in(Input::Dropped {
                        seat,
                        since,
                        cause: DropCause::Silence,
                        told: None,
                    })
                    .await?;
            }
        }
        Ok(())
    }
}

/// Why a seat was not given, or the failure that ends the task.
enum TakeFault {
    Refused(TakeRefusal),
    Store(StoreError),
}

impl From<StoreError> for TakeFault {
    fn from(error: StoreError) -> Self {
        TakeFault::Store(error)
    }
}

fn ends_hearing(event: &Event) -> bool {
    matches!(event, Event::HearingState { to, .. } if is_over(to))
}

fn renewal(media: &MediaAccess) -> TimeMs {
    TimeMs(media.expires_at.0.saturating_sub(MEDIA_RENEWAL_MS))
}

/// Court staff stay after the hearing is closed, to archive it; from any other end everybody goes.
fn stays(role: Role, state: &HearingState) -> bool {
    let court = matches!(
        role,
        Role::PresidingJudge | Role::PanelMember | Role::Assistant | Role::Clerk | Role::Technician
    );
    court && *state == HearingState::Closed
}
