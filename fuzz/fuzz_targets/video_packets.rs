//! H.264 in RTP (RFC 6184), in any order and with anything in it, up to the access units that a decoder is given.
#![no_main]

use bytes::Bytes;
use client::rtp::assembly::Assembler;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|packets: Vec<(u8, u16, bool, Vec<u8>)>| {
    let mut assembler = Assembler::new();
    let mut out = Vec::new();
    let mut now_ms = 0;
    for (sequence, timestamp, marker, payload) in packets {
        now_ms += u64::from(sequence % 32);
        let (sequence, timestamp) = (u16::from(sequence), u32::from(timestamp));
        assembler.push(now_ms, 1, sequence, timestamp, marker, Bytes::from(payload), &mut out);
        assembler.tick(now_ms, &mut out);
        out.clear();
    }
});
