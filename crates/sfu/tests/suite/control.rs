//! Court control under virtual time: what a participant may send and receive, what it is told of the others, and who
//! is let in again.

use std::time::Duration;

use crate::kit::{World, clean};
use crate::rooms::{SECOND, contiguous, pair, slow_link, switches_at_key_frames};
use livekit_protocol as proto;
use proto::signal_request::Message as Request;
use proto::signal_response::Message as Response;
use sfu::{Command, JoinRefusal, Permissions, RemoveReason, RoomPolicy, Source};

#[test]
fn a_block_holds_from_the_next_packet_on() {
    let mut world = World::new();
    let (sender, receiver, cam, mic) = pair(&mut world);
    world.run(2 * SECOND);
    let block = |source, blocked| Command::Block {
        room: "room".into(),
        identity: "sender".into(),
        source,
        blocked,
    };
    world.command(block(Source::Microphone, true));
    let (sounds, at) = (world.clients[receiver].got_of(&mic).len(), world.elapsed());
    world.run(SECOND);
    let late = world.clients[receiver].got_of(&mic).len() - sounds;
    assert!(late <= 1, "only what was already on the wire arrives, not {late}");
    assert!(
        world.clients[receiver]
            .got_of(&mic)
            .iter()
            .all(|got| got.at <= at + Duration::from_millis(6))
    );
    assert!(
        world.clients[sender]
            .responses
            .iter()
            .any(|r| matches!(r, Response::Mute(m) if m.muted && m.sid == mic))
    );
    assert!(world.sfu.stats().barred_packets > 40);
    let muted = |world: &World| {
        let info = world.sfu.participant("room", "sender").expect("there");
        info.tracks
            .iter()
            .find(|track| track.sid == mic)
            .expect("there")
            .muted
    };
    assert!(muted(&world), "the others are told it is muted");
    world.command(block(Source::Microphone, false));
    world.run(SECOND);
    assert!(
        world.clients[receiver].got_of(&mic).len() > sounds + 40,
        "and it comes back when let in"
    );
    assert!(!muted(&world));

    // A blocked camera starts again with a key frame.
    world.command(block(Source::Camera, true));
    world.run(SECOND);
    let before = world.clients[receiver].got_of(&cam).len();
    world.command(block(Source::Camera, false));
    world.run(SECOND);
    let video = world.clients[receiver].got_of(&cam);
    assert!(video.len() > before && video[before].key);
    assert!(contiguous(&video) && switches_at_key_frames(&video));
}

/// Lets the receiver of [`pair`] receive and send, or not.
fn receiver_may(can_subscribe: bool, can_publish: bool) -> Command {
    Command::SetPermissions {
        room: "room".into(),
        identity: "receiver".into(),
        permissions: Permissions {
            can_subscribe,
            can_publish,
            ..Permissions::default()
        },
    }
}

#[test]
fn isolation_stops_both_ways_and_is_undone_at_once() {
    let mut world = World::new();
    let (_, receiver, cam, mic) = pair(&mut world);
    world.run(2 * SECOND);
    world.command(receiver_may(false, false));
    world.run(Duration::from_millis(20));
    let before = world.clients[receiver].got.len();
    world.run(SECOND);
    assert_eq!(
        world.clients[receiver].got.len(),
        before,
        "nothing reaches an isolated participant"
    );
    world.command(receiver_may(true, true));
    assert!(
        world.wait(Duration::from_millis(300), |world| world.clients[receiver].got
            [before..]
            .iter()
            .any(|got| got.key)),
        "picture is back without a new negotiation"
    );
    world.run(SECOND);
    assert!(
        contiguous(&world.clients[receiver].got_of(&cam))
            && contiguous(&world.clients[receiver].got_of(&mic))
    );
}

/// While nothing is sent but padding, a path that is bad for a while leaves an estimate of nearly nothing behind, and an
/// estimator that is told no more: no packets, no reports, no packets.
#[test]
fn a_picture_comes_back_after_an_isolation_during_which_the_path_was_bad() {
    let mut world = World::new();
    let (sender, receiver, cam, _) = pair(&mut world);
    // Silent, as most microphones of a hearing are; sound is not what the estimator is told about anyway.
    world.clients[sender].sending[1].running = false;
    world.run(2 * SECOND);
    for (kbps, good_for_ms) in [(10, 0), (20, 500), (30, 1_500), (40, 3_000)] {
        world.command(receiver_may(false, true));
        world.clients[receiver].down.set_config(slow_link(kbps));
        world.run(10 * SECOND);
        world.clients[receiver].down.set_config(clean());
        world.run(Duration::from_millis(good_for_ms));
        let before = world.clients[receiver].got_of(&cam).len();
        world.command(receiver_may(true, true));
        assert!(
            world.wait(Duration::from_millis(1200), |world| world.clients[receiver]
                .got_of(&cam)
                .len()
                > before + 20),
            "the picture is back after {kbps} kbit/s"
        );
        let since = world.clients[receiver].got_of(&cam).len();
        world.run(5 * SECOND);
        let got = &world.clients[receiver].got_of(&cam)[since..];
        let pauses = got
            .windows(2)
            .filter(|two| two[1].at - two[0].at > Duration::from_millis(300));
        assert_eq!(pauses.count(), 0, "and stays, after {kbps} kbit/s");
        world.run(5 * SECOND);
    }
}

/// What a probe finds becomes the estimate, and one that looks for no more than an isolated participant is sent finds little.
#[test]
fn a_good_path_is_not_forgotten_during_an_isolation() {
    let mut world = World::new();
    let (_, receiver, cam, _) = pair(&mut world);
    world.run(4 * SECOND);
    for seconds in 1..8 {
        world.command(receiver_may(false, true));
        world.run(seconds * SECOND);
        let before = world.clients[receiver].got_of(&cam).len();
        world.command(receiver_may(true, true));
        world.run(6 * SECOND);
        let got = world.clients[receiver].got_of(&cam);
        let (since, first) = (&got[before..], got[before]);
        assert!(
            since.iter().all(|got| got.layer == 2),
            "a lower layer after {seconds} s"
        );
        assert!(first.key && contiguous(since), "after {seconds} s");
        let last = since.last().expect("there is a first");
        assert!(
            last.at - first.at > Duration::from_millis(5500),
            "it paused after {seconds} s"
        );
    }
}

#[test]
fn sound_that_is_called_a_camera_is_not_let_in_where_only_the_camera_may_be() {
    let mut world = World::new();
    let sender = world.client("sender", 0, 0);
    let mut sound = world.clients[sender].publish_audio("mic");
    sound.source = proto::TrackSource::Camera as i32;
    let mut request = world.clients[sender].join_request();
    request.add_track_requests = vec![sound];
    let only_camera = Permissions {
        can_publish_sources: vec![Source::Camera],
        ..Permissions::default()
    };
    world.join_request(sender, only_camera, request);
    world.run(SECOND);
    let receiver = world.client("receiver", 3, 3);
    world.join(receiver);
    world.run(2 * SECOND);
    assert!(world.clients[sender].active && world.clients[receiver].active);
    assert!(world.clients[receiver].got.is_empty());
    let refused = world.clients[sender].responses.iter().any(|response| {
        matches!(response, Response::RequestResponse(refused)
            if refused.reason() == proto::request_response::Reason::UnsupportedType)
    });
    assert!(refused, "and its client is told");
}

#[test]
fn what_a_client_says_of_its_track_is_not_written_into_the_answers_of_others() {
    let mut world = World::new();
    let sender = world.client("sender", 0, 0);
    let mut camera = world.clients[sender].publish_video("cam", &[], &[1]);
    let evil = "x y\r\na=ice-ufrag:evil\r\na=candidate:evil";
    camera.stream = evil.to_owned();
    camera.name = evil.to_owned();
    let mut request = world.clients[sender].join_request();
    request.add_track_requests = vec![camera];
    world.join_request(sender, Permissions::default(), request);
    world.run(SECOND);
    let receiver = world.client("receiver", 3, 3);
    world.join(receiver);
    world.run(2 * SECOND);
    let client = &world.clients[receiver];
    assert!(!client.got.is_empty(), "the picture comes");
    for response in &client.responses {
        if let Response::Answer(answer) = response {
            assert!(!answer.sdp.contains("evil"), "{}", answer.sdp);
        }
    }
}

/// What joining with a token issued then is answered with, `None` when it lets in.
fn refusal(world: &mut World, identity: &str, issued_ms: u64, resume: Option<&str>) -> Option<JoinRefusal> {
    let mut request = proto::JoinRequest::default();
    if let Some(sid) = resume {
        request.reconnect = true;
        request.participant_sid = sid.to_owned();
    }
    let join = sfu::Join {
        room: "room".into(),
        identity: identity.into(),
        issued_ms,
        request,
        ..Default::default()
    };
    world.sfu.join(world.now, join).err()
}

#[test]
fn who_was_sent_out_does_not_come_back_with_an_older_token() {
    let mut world = World::with(RoomPolicy::Created);
    world.command(Command::CreateRoom {
        room: "room".into(),
        metadata: String::new(),
        tokens_since_ms: 1_000,
    });
    assert_eq!(
        refusal(&mut world, "a", 999, None),
        Some(JoinRefusal::OlderThanRoom)
    );
    assert_eq!(refusal(&mut world, "a", 1_000, None), None);
    let sid = world.sfu.participant("room", "a").expect("there").sid;
    for (reason, tokens_since_ms) in [
        (RemoveReason::DuplicateIdentity, 2_000),
        (RemoveReason::ParticipantRemoved, 3_000),
    ] {
        world.command(Command::Remove {
            room: "room".into(),
            identity: "a".into(),
            reason,
            tokens_since_ms,
        });
        let older = Some(JoinRefusal::SentOut(reason));
        assert_eq!(refusal(&mut world, "a", tokens_since_ms - 1, None), older);
        assert_eq!(refusal(&mut world, "a", tokens_since_ms - 1, Some(&sid)), older);
        assert!(world.sfu.participant("room", "a").is_none(), "it is not there");
        assert_eq!(
            refusal(&mut world, "b", 1_000, None),
            None,
            "nobody else is meant"
        );
        assert_eq!(refusal(&mut world, "a", tokens_since_ms, None), None);
        assert_eq!(refusal(&mut world, "a", tokens_since_ms - 1, None), older);
        assert!(
            world.sfu.participant("room", "a").is_some(),
            "the newer one is not thrown out by the older one's try"
        );
    }
}

#[test]
fn permissions_set_before_a_join_hold_when_it_comes() {
    let mut world = World::with(RoomPolicy::Created);
    let nobody = world.client("nobody", 1, 1);
    world.join(nobody);
    assert_eq!(
        world.clients[nobody].left_with(),
        Some(proto::DisconnectReason::RoomDeleted),
        "no such room yet"
    );
    world.command(Command::CreateRoom {
        room: "room".into(),
        metadata: String::new(),
        tokens_since_ms: 0,
    });
    let mute = Permissions {
        can_publish_sources: vec![Source::Camera],
        ..Permissions::default()
    };
    world.command(Command::SetPermissions {
        room: "room".into(),
        identity: "sender".into(),
        permissions: mute,
    });
    let (sender, receiver) = (world.client("sender", 0, 0), world.client("receiver", 2, 2));
    world.join(receiver);
    let camera = world.clients[sender].publish_video("cam", &[], &[1]);
    let microphone = world.clients[sender].publish_audio("mic");
    let mut request = world.clients[sender].join_request();
    request.add_track_requests = vec![camera, microphone];
    world.join_request(sender, Permissions::default(), request);
    world.run(2 * SECOND);
    let refused = world.clients[sender].responses.iter().any(
        |r| matches!(r, Response::RequestResponse(r) if r.reason() == proto::request_response::Reason::NotAllowed),
    );
    assert!(refused, "the microphone is refused");
    let cam = world.clients[sender].track_sid("cam");
    assert!(!world.clients[receiver].got_of(&cam).is_empty());
    let info = world.sfu.participant("room", "sender").expect("there");
    assert_eq!(info.tracks.len(), 1);
}

#[test]
fn a_hidden_participant_is_seen_by_nobody() {
    let mut world = World::new();
    let (_, receiver, cam, _) = pair(&mut world);
    let recorder = world.client("recorder", 2, 2);
    let permissions = Permissions {
        hidden: true,
        recorder: true,
        can_publish: false,
        ..Permissions::default()
    };
    world.join_with(recorder, permissions);
    world.run(2 * SECOND);
    assert!(!world.clients[recorder].got_of(&cam).is_empty(), "it receives");
    let told = world.clients[receiver]
        .responses
        .iter()
        .any(|r| matches!(r, Response::Update(u) if u.participants.iter().any(|p| p.identity == "recorder")));
    assert!(!told);
    assert_eq!(world.sfu.rooms()[0].num_participants, 2);
}

/// The sids of participants that a message tells of.
fn told_of(response: &Response) -> Vec<String> {
    match response {
        Response::Join(join) => join.other_participants.iter().map(|p| p.sid.clone()).collect(),
        Response::Update(update) => update.participants.iter().map(|p| p.sid.clone()).collect(),
        Response::SpeakersChanged(changed) => changed.speakers.iter().map(|s| s.sid.clone()).collect(),
        Response::ConnectionQuality(update) => {
            update.updates.iter().map(|u| u.participant_sid.clone()).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn who_may_not_receive_is_told_nothing_of_the_others_until_it_may() {
    let mut world = World::new();
    let (sender, receiver, _, mic) = pair(&mut world);
    let outside = Permissions {
        can_subscribe: false,
        can_publish: false,
        hidden: true,
        ..Permissions::default()
    };
    let waiting = world.client("waiting", 2, 2);
    world.join_with(waiting, outside.clone());
    world.run(SECOND);
    let own = world.sfu.participant("room", "waiting").expect("there").sid;
    let others = |world: &mut World| -> Vec<String> {
        let responses = std::mem::take(&mut world.clients[waiting].responses);
        let told = responses.iter().flat_map(told_of);
        told.filter(|sid| *sid != own).collect()
    };
    let counted = match world.clients[waiting].responses.first() {
        Some(Response::Join(join)) => join.room.as_ref().expect("a room").num_participants,
        other => panic!("{other:?}"),
    };
    assert_eq!(counted, 0, "nor how many they are");
    assert_eq!(
        world.sfu.rooms()[0].num_participants,
        2,
        "and is not counted for them"
    );
    let happen = |world: &mut World, identity: &str| {
        let muted = proto::MuteTrackRequest {
            sid: mic.clone(),
            muted: true,
        };
        world.signal(sender, Request::Mute(muted.clone()));
        let another = world.client(identity, 1, 1);
        world.join(another);
        world.run(3 * SECOND);
        world.signal(
            sender,
            Request::Mute(proto::MuteTrackRequest {
                muted: false,
                ..muted
            }),
        );
        another
    };
    let another = happen(&mut world, "another");
    world.signal(another, Request::Leave(Default::default()));
    world.run(SECOND);
    assert_eq!(others(&mut world), [""; 0], "while it waits");

    let allow = |permissions| Command::SetPermissions {
        room: "room".into(),
        identity: "waiting".into(),
        permissions,
    };
    world.command(allow(Permissions::default()));
    let here = |world: &World, identity: &str| world.sfu.participant("room", identity).map(|p| p.sid);
    let told = others(&mut world);
    for identity in ["sender", "receiver"] {
        assert!(
            told.contains(&here(&world, identity).expect("there")),
            "{identity}"
        );
    }

    let of_receiver = here(&world, "receiver").expect("there");
    world.command(allow(outside));
    world.run(SECOND);
    others(&mut world);
    happen(&mut world, "newcomer");
    world.signal(receiver, Request::Leave(Default::default()));
    world.run(SECOND);
    assert_eq!(others(&mut world), [""; 0], "while it is isolated");
    world.command(allow(Permissions::default()));
    let news: Vec<(String, bool)> = world.clients[waiting]
        .responses
        .iter()
        .filter_map(|r| match r {
            Response::Update(update) => Some(&update.participants),
            _ => None,
        })
        .flatten()
        .filter(|p| p.sid != own)
        .map(|p| {
            let gone = p.state() == proto::participant_info::State::Disconnected;
            (p.sid.clone(), gone)
        })
        .collect();
    assert!(news.contains(&(of_receiver, true)), "that one went meanwhile");
    assert!(news.contains(&(here(&world, "newcomer").expect("there"), false)));
    assert!(news.contains(&(here(&world, "sender").expect("there"), false)));
}

#[test]
fn a_publisher_chooses_its_receivers_only_where_rooms_are_made_by_joining() {
    for (rooms, heard) in [(RoomPolicy::OnJoin, false), (RoomPolicy::Created, true)] {
        let mut world = World::with(rooms);
        world.command(Command::CreateRoom {
            room: "room".into(),
            metadata: String::new(),
            tokens_since_ms: 0,
        });
        let (sender, receiver, _, mic) = pair(&mut world);
        let nobody = proto::SubscriptionPermission {
            all_participants: false,
            track_permissions: Vec::new(),
        };
        world.signal(sender, Request::SubscriptionPermission(nobody));
        world.run(SECOND);
        let before = world.clients[receiver].got_of(&mic).len();
        world.run(SECOND);
        let after = world.clients[receiver].got_of(&mic).len();
        assert_eq!(after > before, heard, "{rooms:?}");
        let refused = world.clients[sender]
            .responses
            .iter()
            .any(|r| matches!(r, Response::RequestResponse(_)));
        assert_eq!(refused, heard, "{rooms:?}: it is told so");
    }
}

#[test]
fn removal_and_shutdown_tell_everybody_and_leave_nothing() {
    let mut world = World::new();
    let (sender, receiver, ..) = pair(&mut world);
    world.command(Command::Remove {
        room: "room".into(),
        identity: "sender".into(),
        reason: RemoveReason::ParticipantRemoved,
        tokens_since_ms: 0,
    });
    assert_eq!(
        world.clients[sender].left_with(),
        Some(proto::DisconnectReason::ParticipantRemoved)
    );
    world.command(Command::Shutdown);
    assert_eq!(
        world.clients[receiver].left_with(),
        Some(proto::DisconnectReason::ServerShutdown)
    );
    let stats = world.sfu.stats();
    assert_eq!(
        (stats.rooms, stats.participants, stats.tracks, stats.subscriptions),
        (0, 0, 0, 0)
    );
    assert_eq!(
        world.sfu.poll_timeout(),
        None,
        "an empty server has nothing to wait for"
    );
}
