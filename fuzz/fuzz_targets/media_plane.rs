//! The media plane with anything as a join request, a signalling message or a datagram. It must neither panic nor stop
//! giving output.
#![no_main]

use libfuzzer_sys::fuzz_target;
use livekit_protocol::{JoinRequest, SignalRequest};
use prost::Message;
use sfu::{Codec, Config, Datagram, Input, Join, Protocol, RoomPolicy, Sfu, stun_ufrag};
use std::time::{Duration, Instant, SystemTime};

/// More than any input can cause.
const OUTPUT_LIMIT: usize = 100_000;

fuzz_target!(|inputs: Vec<(u8, Vec<u8>)>| {
    let start = Instant::now();
    let address = "127.0.0.1:7882".parse().expect("an address");
    let source = "127.0.0.1:5004".parse().expect("an address");
    let config = Config {
        udp: vec![address],
        tcp: vec![address],
        publish_codecs: ["video/H264", "audio/opus"].into_iter().filter_map(Codec::from_mime).collect(),
        rooms: RoomPolicy::OnJoin,
        epoch: (start, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)),
        seed: [7; 32],
        initial_bandwidth: 1_000_000,
    };
    let mut sfu = Sfu::new(config, start, 1, 1);
    let mut joined = None;
    for (step, (kind, bytes)) in (0u64..).zip(&inputs) {
        let now = start + Duration::from_millis(step * 20);
        match kind % 4 {
            0 => {
                let Ok(request) = JoinRequest::decode(bytes.as_slice()) else { continue };
                let join = Join { room: "room".into(), identity: "one".into(), request, ..Join::default() };
                joined = sfu.join(now, join).ok().or(joined);
            }
            1 => {
                let (Some(id), Ok(message)) = (joined, SignalRequest::decode(bytes.as_slice())) else { continue };
                sfu.handle_input(now, Input::Signal(id, Box::new(message)));
            }
            2 => {
                let _ = stun_ufrag(bytes);
                let datagram = Datagram { proto: Protocol::Udp, source, destination: address, contents: bytes };
                sfu.handle_input(now, Input::Datagram(datagram));
            }
            _ => sfu.handle_input(now, Input::Timeout),
        }
        let outputs = std::iter::from_fn(|| sfu.poll_output()).take(OUTPUT_LIMIT).count();
        assert!(outputs < OUTPUT_LIMIT, "output never ends");
    }
});
