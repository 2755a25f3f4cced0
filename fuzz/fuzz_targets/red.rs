//! RFC 2198 redundant audio: the blocks lie inside the packet, whatever the headers say.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|packet: &[u8]| {
    if let Ok(blocks) = media::audio::red::unpack(packet) {
        let carried: usize = blocks.iter().map(|block| block.data.len()).sum();
        assert!(carried <= packet.len());
    }
});
