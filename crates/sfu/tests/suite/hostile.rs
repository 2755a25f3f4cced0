//! Arbitrary bytes and arbitrary requests: nothing panics, and the room goes on for the others.

use std::time::Duration;

use crate::kit::{SFU_ADDR, World};
use livekit_protocol as proto;
use proptest::prelude::*;
use prost::Message as _;
use sfu::{Datagram, Input, Permissions, Protocol};

fn world_of_two() -> (World, usize, usize) {
    let mut world = World::new();
    let sender = world.client("sender", 1, 1);
    let camera = world.clients[sender].publish_video("cam", &["q", "h"], &[1, 1]);
    let mut request = world.clients[sender].join_request();
    request.add_track_requests = vec![camera];
    world.join_request(sender, Permissions::default(), request);
    let receiver = world.client("receiver", 1, 1);
    world.join(receiver);
    world.run(Duration::from_secs(1));
    (world, sender, receiver)
}

fn still_works(world: &mut World, receiver: usize) -> bool {
    let before = world.clients[receiver].got.len();
    world.run(Duration::from_secs(1));
    world.clients[receiver].got.len() > before + 10
}

/// Bytes that look like STUN, DTLS, RTP or RTCP, or like nothing.
fn datagrams() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let first = prop_oneof![Just(0u8), Just(1), 20u8..64, 128u8..192, any::<u8>()];
    let one = (first, proptest::collection::vec(any::<u8>(), 0..200)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    });
    proptest::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_datagram_from_a_known_address_or_not(datagrams in datagrams(), tcp in any::<bool>()) {
        let (mut world, sender, receiver) = world_of_two();
        let known = world.clients[sender].addr;
        for (index, contents) in datagrams.iter().enumerate() {
            let source = if index % 2 == 0 { known } else { "10.9.9.9:999".parse().expect("an address") };
            let datagram = Datagram {
                proto: if tcp { Protocol::Tcp } else { Protocol::Udp },
                source,
                destination: SFU_ADDR.parse().expect("an address"),
                contents,
            };
            world.sfu.handle_input(world.now, Input::Datagram(datagram));
        }
        prop_assert!(still_works(&mut world, receiver));
    }

    #[test]
    fn any_bytes_as_a_signal_request(frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 1..20)) {
        let (mut world, _, receiver) = world_of_two();
        let other = world.client("other", 1, 1);
        world.join(other);
        let id = world.clients[other].id;
        for frame in frames {
            if let Ok(request) = proto::SignalRequest::decode(&frame[..]) {
                world.sfu.handle_input(world.now, Input::Signal(id, Box::new(request)));
            }
        }
        prop_assert!(still_works(&mut world, receiver));
    }

    #[test]
    fn an_offer_with_any_line_changed(line in 0usize..400, with in "[a-z]=[ -~]{0,40}", cut in any::<bool>()) {
        let (mut world, _, receiver) = world_of_two();
        let other = world.client("other", 2, 2);
        let mut request = world.clients[other].join_request();
        if let Some(offer) = &mut request.publisher_offer {
            let mut lines: Vec<String> = offer.sdp.lines().map(str::to_owned).collect();
            let at = line % lines.len();
            lines[at] = with;
            if cut {
                lines.truncate(at + 1);
            }
            offer.sdp = lines.join("\r\n") + "\r\n";
        }
        let join = sfu::Join { room: "room".into(), identity: "other".into(), request, ..Default::default() };
        let _ = world.sfu.join(world.now, join);
        prop_assert!(still_works(&mut world, receiver));
    }

    #[test]
    fn a_truncated_or_flipped_packet_of_its_own(flip in 0usize..1200, cut in 0usize..1200) {
        let (mut world, sender, receiver) = world_of_two();
        let addr = world.clients[sender].addr;
        let mut rtp = vec![0x80, 108, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9];
        rtp.resize(1200, 0x55);
        rtp[flip % 1200] ^= 0xff;
        rtp.truncate(cut);
        let destination = SFU_ADDR.parse().expect("an address");
        let datagram = Datagram { proto: Protocol::Udp, source: addr, destination, contents: &rtp };
        world.sfu.handle_input(world.now, Input::Datagram(datagram));
        prop_assert!(still_works(&mut world, receiver));
    }
}
