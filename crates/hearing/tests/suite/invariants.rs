//! The invariants of field.md §5.6, each a property of random days in court. (4, about transcripts and signatures,
//! comes with its issue.)

use crate::kit::{self, Step, World, is_court, is_witness};
use crate::random::{day, people};
use hearing::table::{Kind, permits};
use hearing::{Hearing, Input};
use proptest::prelude::*;
use protocol::*;
use std::collections::{BTreeMap, BTreeSet};

/// Where somebody stands, or will stand when back.
fn place(state: &ParticipantState) -> &ParticipantState {
    match state {
        ParticipantState::Disconnected { resume, .. } => place(resume),
        here => here,
    }
}

fn is_over(state: &HearingState) -> bool {
    matches!(
        state,
        HearingState::Closed
            | HearingState::Archived
            | HearingState::Cancelled { .. }
            | HearingState::Adjourned { .. }
            | HearingState::MovedOffline { .. }
    )
}

fn events(step: &Step) -> &[Envelope] {
    step.result.as_deref().unwrap_or_default()
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Whom a command is about, as the documentation of `Stale` means it; written apart from the program.
fn target(command: &Command) -> Option<String> {
    let json = serde_json::to_value(command).expect("a command is JSON");
    let named = json.get("seat").or_else(|| json.get("to"))?;
    named.as_str().map(str::to_owned)
}

fn check_command(world: &World, step: &Step) {
    let Input::Command {
        seat,
        id,
        expected,
        command,
    } = &step.input
    else {
        return;
    };
    let Some(sender) = step.before.participant(seat) else {
        assert_eq!(step.result, Err(Refusal::UnknownSeat));
        return;
    };
    if let Some(first) = step.before.outcome_of(id) {
        let by = world
            .log
            .iter()
            .find(|e| e.seq == first)
            .and_then(|e| e.actor.clone())
            .expect("an actor");
        let wanted = if by.seat == *seat {
            Ok(Vec::new())
        } else {
            Err(Refusal::CommandIdReused)
        };
        assert_eq!(step.result, wanted, "a command is carried out once");
        return;
    }
    match &step.result {
        Ok(events) => {
            assert!(!events.is_empty(), "what is accepted has happened");
            for event in events {
                assert_eq!(event.caused_by.as_ref(), Some(id));
                assert_eq!(
                    event.actor.as_ref().map(|a| (&a.seat, a.role)),
                    Some((seat, sender.seat.role))
                );
            }
            assert_eq!(world.hearing.outcome_of(id), events.last().map(|e| e.seq));
            let settings = &step.before.setup().settings;
            let may = permits(
                Kind::of(command),
                sender.seat.role,
                step.before.state(),
                settings,
                true,
            );
            assert_eq!(may, Ok(()), "the table forbids {command:?} by {seat}");
            if let Some(expected) = expected {
                assert!(*expected <= step.before.seq(), "from the future");
                let target = target(command);
                let overturned = world
                    .log
                    .iter()
                    .filter(|e| e.seq > *expected && e.seq <= step.before.seq());
                for event in overturned {
                    let about = match &event.event {
                        Event::HearingState { .. } => panic!("carried out on a stale hearing: {command:?}"),
                        Event::ParticipantState { seat, .. } => &seat.0,
                        Event::ParticipantSeat { seat } => &seat.id.0,
                        _ => continue,
                    };
                    assert_ne!(
                        Some(about),
                        target.as_ref(),
                        "carried out on a stale person: {command:?}"
                    );
                }
            }
        }
        Err(_) => assert_eq!(world.hearing.outcome_of(id), None),
    }
}

/// What the room must always be.
fn check_room(world: &World) {
    let people = people(world);
    let snapshot = world.hearing.snapshot(&"judge".into(), world.now);
    assert_eq!(
        people
            .iter()
            .filter(|p| p.seat.role == Role::PresidingJudge)
            .count(),
        1,
        "one judge presides"
    );
    let presiding = people.iter().find(|p| p.seat.role == Role::PresidingJudge);
    let media = presiding.expect("just counted").media;
    assert!(
        !(media.mic_locked || media.camera_locked || media.audio_blocked || media.video_blocked),
        "nobody could undo it for the presiding judge"
    );
    assert!(
        people.iter().filter(|p| p.sharing).count() <= 1,
        "one share at a time"
    );
    let by_id: BTreeMap<_, _> = people.iter().map(|p| (&p.seat.id, p)).collect();
    if let Some(floor) = &snapshot.floor {
        assert_eq!(
            by_id[&floor.seat].state,
            ParticipantState::InCourt,
            "who has the floor is in court"
        );
    }
    for request in &snapshot.requests {
        assert!(!is_over(&snapshot.state), "requests end with the hearing");
        let state = place(&by_id[&request.seat].state);
        let gone = matches!(state, ParticipantState::Left | ParticipantState::Removed { .. });
        assert!(!gone, "who left asks for nothing");
        if !matches!(request.request, Request::Leave { .. }) && !is_court(by_id[&request.seat].seat.role) {
            assert_eq!(*state, ParticipantState::InCourt);
        }
    }
    for person in &people {
        let asks = snapshot
            .requests
            .iter()
            .any(|r| r.seat == person.seat.id && r.request == Request::Floor);
        assert_eq!(person.hand, asks, "a raised hand is the request for the floor");
        assert!(!(person.media.mic && person.media.mic_locked), "locked and on");
        assert!(
            !(person.media.camera && person.media.camera_locked),
            "locked and on"
        );
        if person.sharing {
            assert_eq!(person.state, ParticipantState::InCourt);
        }
    }
}

proptest! {
    #![proptest_config(cases(200))]

    /// 1. Only the server changes state; a forbidden or stale command changes nothing.
    #[test]
    fn forbidden_and_stale_commands_change_nothing(day in day()) {
        day.run(false, |world, step| {
            check_command(world, step);
            check_room(world);
            if step.result.is_err() {
                assert!(world.hearing == step.before, "a refusal left a trace");
            }
        });
    }

    /// The log is the hearing: folded from the start, also after a trip through storage, it is the same.
    #[test]
    fn folding_the_log_gives_the_live_state(day in day()) {
        let world = day.run(false, |_, _| {});
        let mut again = Hearing::scheduled(kit::setup(day.settings.clone()));
        let mut time = TimeMs(0);
        for (at, envelope) in world.log.iter().enumerate() {
            prop_assert_eq!(envelope.seq, Seq(at as u64 + 1));
            prop_assert!(envelope.server_time >= time);
            time = envelope.server_time;
            let stored = serde_json::to_string(envelope).expect("events are JSON");
            let read: Envelope = serde_json::from_str(&stored).expect("what was stored can be read");
            prop_assert_eq!(&read, envelope);
            again.apply(&read);
            again.apply(&read);
        }
        prop_assert!(again == world.hearing);
        for envelope in &world.log {
            again.apply(envelope);
        }
        prop_assert!(again == world.hearing, "an old event was taken over twice");
    }

    /// 3. No gap in the record without reason, actor and times; and no recording outside the session.
    #[test]
    fn the_record_has_no_unexplained_gap(day in day()) {
        let mut ordered_pause = false;
        day.run(false, |world, step| {
            let snapshot = world.hearing.snapshot(&"judge".into(), world.now);
            match (&snapshot.state, &snapshot.recording) {
                (_, RecordingState::Unavailable) => {
                    let lost = world.log.iter().rev().any(|e| {
                        e.event == Event::RecordingState { state: RecordingState::Unavailable }
                    });
                    assert!(lost || !world.hearing.setup().settings.recorder, "lost without a word");
                }
                (HearingState::InSession { .. } | HearingState::Signing { .. }, recording) => match recording {
                    RecordingState::On { since } => assert!(*since <= snapshot.server_time),
                    RecordingState::Paused { reason, by, since } => {
                        assert!(matches!(reason, PauseReason::ClosedEvidence | PauseReason::Mediation));
                        assert!(by.is_some() && *since <= snapshot.server_time);
                    }
                    other => panic!("in session and {other:?}"),
                },
                (HearingState::Recess { .. }, recording) => {
                    let RecordingState::Paused { by, .. } = recording else { panic!("recess and {recording:?}") };
                    let recorder_came_back = world.log.iter().any(|e| {
                        matches!(e.event, Event::RecordingState { .. }) && e.actor.is_none()
                    });
                    assert!(by.is_some() || recorder_came_back, "somebody ordered the recess");
                }
                (HearingState::Suspended { .. }, recording) => {
                    assert!(matches!(recording, RecordingState::Paused { .. }));
                }
                (_, recording) => assert_eq!(*recording, RecordingState::Off),
            }
            // From one stretch of recording to the next only by way of a pause that says why; and what the court
            // ordered not to be recorded, only the court's word records again.
            for event in events(step) {
                let resumed = matches!(&step.input, Input::Command { command: Command::RecordResume, .. });
                match &event.event {
                    Event::RecordingState { state: RecordingState::Paused { reason, .. } } => {
                        ordered_pause |= matches!(reason, PauseReason::ClosedEvidence | PauseReason::Mediation);
                    }
                    Event::RecordingState { state: RecordingState::On { .. } } => {
                        assert!(!ordered_pause || resumed, "recorded against the court's order");
                        ordered_pause = false;
                    }
                    _ => {}
                }
                if let Event::RecordingState { state: RecordingState::On { since } } = &event.event {
                    assert_eq!(*since, event.server_time, "recording does not begin in the past");
                    let judge = step.before.snapshot(&"judge".into(), world.now);
                    assert!(!matches!(judge.recording, RecordingState::On { .. }), "on twice");
                }
            }
        });
    }

    /// 5. A lost connection is a drop and never a withdrawal, and nothing follows from it in law.
    #[test]
    fn a_crash_is_a_drop_and_never_a_finding(day in day()) {
        day.run(false, |world, step| {
            if let Input::Dropped { seat, .. } = &step.input
                && let Some(before) = step.before.participant(seat)
                && let Some(after) = world.hearing.participant(seat)
            {
                let was_here = !matches!(
                    before.state,
                    ParticipantState::Invited | ParticipantState::Disconnected { .. }
                        | ParticipantState::Left | ParticipantState::Removed { .. }
                );
                if was_here && !is_over(step.before.state()) {
                    assert!(matches!(after.state, ParticipantState::Disconnected { .. }));
                } else {
                    assert_eq!(before.state, after.state);
                }
            }
            for event in events(step) {
                let ends = match &event.event {
                    Event::ParticipantState { to, .. } => {
                        matches!(to, ParticipantState::Left | ParticipantState::Removed { .. })
                    }
                    Event::FindingMade { .. } => true,
                    Event::HearingState { to, .. } => is_over(to),
                    _ => false,
                };
                assert!(!ends || event.actor.is_some(), "only people end anything: {event:?}");
                if let Event::FindingMade { .. } = event.event {
                    assert_eq!(event.actor.as_ref().map(|a| a.role), Some(Role::PresidingJudge));
                }
            }
        });
    }

    /// 6. The newer connection takes the seat: the person stays connected, in place, and the older one is told.
    #[test]
    fn the_newer_connection_takes_the_seat(day in day()) {
        day.run(true, |world, step| {
            let Input::Replaced { seat } = &step.input else { return };
            let (Some(before), Some(after)) = (step.before.participant(seat), world.hearing.participant(seat)) else {
                return;
            };
            assert_eq!(
                matches!(before.state, ParticipantState::Disconnected { .. }),
                matches!(after.state, ParticipantState::Disconnected { .. })
            );
            let told = events(step).iter().filter(|e| {
                e.event == Event::ParticipantReplaced { seat: seat.clone() } && world.hearing.visible(seat, e)
            });
            assert!(told.count() <= 1);
            if before.state != after.state {
                assert!(is_witness(after.seat.role), "only a witness is moved by a second connection");
                assert_eq!(after.state, ParticipantState::WitnessRoom);
            }
        });
    }

    /// 7. Losing the judge never closes; and a closed hearing stays closed.
    #[test]
    fn the_end_is_the_end(day in day()) {
        day.run(false, |world, step| {
            for event in events(step) {
                if let Event::HearingState { from, to } = &event.event {
                    assert_eq!(from, step.before.state());
                    if is_over(from) {
                        assert_eq!((from, to), (&HearingState::Closed, &HearingState::Archived));
                    }
                    if event.actor.is_none() {
                        let HearingState::Suspended { cause, .. } = to else { panic!("the server did {to:?}") };
                        assert_eq!(*cause, SuspendCause::JudgeLost);
                    }
                }
            }
            if is_over(step.before.state()) && events(step).iter().all(|e| !matches!(e.event, Event::HearingState { .. })) {
                let told = events(step).iter().any(|e| !matches!(e.event, Event::RecordingState { .. }));
                assert!(!told, "after the end nothing happens but archiving");
            }
            if world.hearing.is_over() {
                assert_eq!(world.hearing.next_deadline(), None);
                for seat in kit::ids() {
                    assert_eq!(world.hearing.media_rights(&seat), hearing::MediaRights::default());
                }
            }
        });
    }

    /// 8. What the court holds closed stays closed; what is closed only its owner opens.
    #[test]
    fn the_court_closes_microphones_and_never_opens_one(day in day()) {
        day.run(false, |world, step| {
            for event in events(step) {
                if let Event::ParticipantMedia { seat, media } = &event.event {
                    let before = step.before.participant(seat).expect("known").media;
                    let own = event.actor.as_ref().is_some_and(|a| a.seat == *seat);
                    assert!(own || (!media.mic || before.mic) && (!media.camera || before.camera), "opened by another");
                    assert!(!own || (media.mic_locked, media.camera_locked, media.audio_blocked, media.video_blocked)
                        == (before.mic_locked, before.camera_locked, before.audio_blocked, before.video_blocked)
                        || is_court(event.actor.as_ref().expect("own").role));
                }
            }
            let passes = matches!(
                world.hearing.state(),
                HearingState::Open | HearingState::InSession { .. } | HearingState::Signing { .. }
            );
            for person in people(world) {
                let seat = &person.seat.id;
                let here = person.state == ParticipantState::InCourt && passes;
                let m = person.media;
                assert_eq!(world.hearing.audible(seat), m.mic && !m.mic_locked && !m.audio_blocked && here, "{seat}");
                let rights = world.hearing.media_rights(seat);
                assert_eq!(rights.subscribe, here);
                let speaks = here && person.seat.role != Role::Observer;
                assert_eq!(rights.publish.mic, speaks && !m.mic_locked);
                assert_eq!(rights.publish.camera, speaks && !m.camera_locked);
                assert_eq!(rights.publish.screen, speaks && person.sharing);
                assert!(rights.enter || !rights.subscribe);
            }
        });
    }

    /// A witness comes into court by the court's word and in no other way.
    #[test]
    fn a_witness_never_returns_by_itself(day in day()) {
        day.run(false, |_, step| {
            for event in events(step) {
                let Event::ParticipantState { seat, to, .. } = &event.event else { continue };
                let role = step.before.participant(seat).expect("known").seat.role;
                if is_witness(role) && *place(to) == ParticipantState::InCourt {
                    assert_eq!(*to, ParticipantState::InCourt, "called while away");
                    let Input::Command { command, .. } = &step.input else { panic!("nobody called") };
                    assert!(matches!(command, Command::SeatCallWitness { .. } | Command::SeatRecall { .. }));
                }
            }
        });
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// 2. Isolated, in the witness room or waiting: nothing of the hearing arrives, over no connection, old or new;
    ///    and a witness who was not called is unknown to everybody but the court.
    #[test]
    fn who_is_outside_sees_nothing_of_the_inside(day in day()) {
        // Who was in court together with a witness has seen that witness; who was in court has read the messages.
        let mut met: BTreeSet<(SeatId, SeatId)> = BTreeSet::new();
        let mut heard: BTreeSet<(SeatId, Seq)> = BTreeSet::new();
        day.run(true, |world, step| {
            let people = people(world);
            let inside = |p: &Participant| *place(&p.state) == ParticipantState::InCourt;
            for viewer in &people {
                for other in people.iter().filter(|o| is_witness(o.seat.role)) {
                    if inside(viewer) && other.state == ParticipantState::InCourt {
                        met.insert((viewer.seat.id.clone(), other.seat.id.clone()));
                    }
                }
                for event in events(step) {
                    if matches!(event.event, Event::Message { .. }) && inside(viewer) {
                        heard.insert((viewer.seat.id.clone(), event.seq));
                    }
                }
            }
            for viewer in people.iter().filter(|p| !is_court(p.seat.role)) {
                let you = &viewer.seat.id;
                let snapshot = world.hearing.snapshot(you, world.now);
                let mut sent = world_frames(step, you);
                sent.push(serde_json::to_string(&snapshot).expect("JSON"));
                for witness in ["witness", "expert"] {
                    let unknown = you.0 != witness && !met.contains(&(you.clone(), witness.into()));
                    // The interpreter was invited for the witness and knows.
                    if unknown && you.0 != "interpreter" {
                        let name = format!("name-{witness}");
                        let id = format!("\"{witness}\"");
                        let leak = sent.iter().find(|text| text.contains(&name) || names_seat(text, &id));
                        assert!(leak.is_none(), "{you} learnt of {witness}: {}", leak.expect("just found"));
                    }
                }
                for entry in &snapshot.log {
                    if matches!(entry.event, Event::Message { .. }) {
                        assert!(heard.contains(&(you.clone(), entry.seq)), "{you} reads what it was not there for");
                    }
                }
                for request in &snapshot.requests {
                    assert_eq!(request.seat, *you);
                }
                if !inside(viewer) {
                    let said = snapshot.log.iter().find(|e| matches!(e.event, Event::Message { .. }));
                    assert!(said.is_none(), "{you} is outside and reads {said:?}");
                    assert_eq!(snapshot.floor, None);
                    let rights = world.hearing.media_rights(you);
                    assert!(!rights.subscribe && rights.publish == hearing::Sources::default());
                    assert!(!world.hearing.audible(you));
                    for other in snapshot.participants.iter().filter(|p| p.seat.id != *you) {
                        assert_eq!(other.media, MediaSwitches::default());
                        assert!(!other.hand && !other.sharing && other.findings.is_empty());
                    }
                    let apart = matches!(
                        place(&viewer.state),
                        ParticipantState::Isolated { .. } | ParticipantState::WitnessRoom
                    );
                    if apart {
                        let others = snapshot.participants.iter().filter(|p| p.seat.id != *you);
                        assert!(others.into_iter().all(|p| is_court(p.seat.role)));
                    }
                    for frame in step.frames.get(you).into_iter().flatten() {
                        if let ServerFrame::Event { envelope } = frame {
                            assert!(may_leave_the_courtroom(&envelope.event, you), "{you} was sent {envelope:?}");
                        }
                    }
                }
            }
        });
    }

    /// A page that follows its events shows what a fresh snapshot shows, for every viewer, at every moment.
    #[test]
    fn pages_that_follow_show_what_a_snapshot_shows(day in day()) {
        day.run(true, |world, step| {
            for (seat, page) in &world.pages {
                let mut fresh = crate::kit::page::Page::new(&world.hearing.snapshot(seat, world.now));
                assert!(page.seq <= fresh.seq);
                fresh.seq = page.seq;
                assert_eq!(page, &fresh, "{seat} after {:?}", step.input);
            }
        });
    }
}

fn world_frames(step: &Step, seat: &SeatId) -> Vec<String> {
    let frames = step.frames.get(seat).into_iter().flatten();
    frames
        .map(|frame| serde_json::to_string(frame).expect("frames are JSON"))
        .collect()
}

/// The id as a value of a seat field, not as the name of a role or side.
fn names_seat(json: &str, id: &str) -> bool {
    ["seat", "id", "you", "represents", "to"]
        .iter()
        .any(|key| json.contains(&format!("\"{key}\":{id}")))
}

/// What somebody outside may still be told.
fn may_leave_the_courtroom(event: &Event, you: &SeatId) -> bool {
    match event {
        Event::HearingState { .. } | Event::RecordingState { .. } | Event::BroadcastState { .. } => true,
        Event::ParticipantState { seat, to, .. } => {
            seat == you
                || !matches!(
                    place(to),
                    ParticipantState::Isolated { .. } | ParticipantState::Removed { .. }
                )
        }
        Event::ParticipantSeat { .. } => true,
        Event::ParticipantMedia { seat, .. }
        | Event::ParticipantHand { seat, .. }
        | Event::ParticipantReplaced { seat }
        | Event::ParticipantTest { seat, .. }
        | Event::ParticipantDevices { seat, .. }
        | Event::ParticipantFix { seat, .. }
        | Event::IdentityState { seat, .. }
        | Event::ShareState { seat, .. }
        | Event::RequestEnded { seat, .. }
        | Event::Help { seat, .. }
        | Event::NetHealth { seat, .. }
        | Event::FindingMade { seat, .. } => seat == you,
        Event::RequestMade { request } => request.seat == *you,
        Event::ParticipantShown { .. }
        | Event::ParticipantHidden { .. }
        | Event::FloorState { .. }
        | Event::Message { .. } => false,
    }
}

proptest! {
    #![proptest_config(cases(200))]

    /// 7. The judge's grace time, to the millisecond.
    #[test]
    fn losing_the_judge_suspends_after_the_grace_time(
        grace in 0u64..60_000,
        noticed_after in 0u64..20_000,
        back_after in proptest::option::of(0u64..90_000),
        ticks in proptest::collection::vec(1u64..9_000, 1..12),
    ) {
        let settings = HearingSettings { judge_grace_ms: grace, recorder: true, ..HearingSettings::default() };
        let mut world = World::in_session(settings);
        world.wait(60_000);
        let last_packet = world.now;
        world.wait(noticed_after);
        world.input(Input::Dropped { seat: "judge".into(), since: last_packet, cause: DropCause::Silence, told: None });
        let deadline = last_packet.plus(grace);
        prop_assert_eq!(world.hearing.next_deadline(), Some((deadline, hearing::DeadlineReason::JudgeGrace)));
        let before = world.hearing.state().clone();
        let mut left = true;
        for tick in ticks {
            world.wait(tick);
            if let Some(back) = back_after.filter(|back| left && last_packet.plus(*back) <= world.now) {
                // The driver wakes at every deadline, so one that lies before the return came first.
                if deadline <= last_packet.plus(back) {
                    world.input(Input::Tick);
                }
                world.reconnect("judge");
                left = false;
            }
            world.input(Input::Tick);
            if left && world.now >= deadline {
                prop_assert!(matches!(world.hearing.state(), HearingState::Suspended { cause: SuspendCause::JudgeLost, .. }), "lost, not suspended");
            }
            if left && world.now < deadline {
                prop_assert_eq!(world.hearing.state(), &before);
            }
        }
        prop_assert!(!world.hearing.is_over());
        if let Some(back) = back_after && !left && last_packet.plus(back) < deadline {
            prop_assert_eq!(world.hearing.state(), &before, "back within the grace time changes nothing");
        }
    }

    /// Whatever is folded, in whatever order, from whatever hearing: no panic, and no event twice.
    #[test]
    fn the_fold_is_total(day in day(), other in day(), picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..80)) {
        let (one, two) = (day.run(false, |_, _| {}), other.run(false, |_, _| {}));
        let pool: Vec<&Envelope> = one.log.iter().chain(&two.log).collect();
        let mut hearing = Hearing::scheduled(kit::setup(HearingSettings::default()));
        if !pool.is_empty() {
            for pick in picks {
                let mut envelope = (*pick.get(&pool)).clone();
                if pick.index(7) == 0 {
                    envelope.hearing_id = "another".into();
                }
                let seq = hearing.seq();
                hearing.apply(&envelope);
                prop_assert!(hearing.seq() >= seq);
                for seat in kit::ids() {
                    hearing.snapshot(&seat, TimeMs(0));
                }
                let _ = hearing.decide(&Input::Tick, TimeMs(u64::MAX));
            }
        }
    }
}
