//! Frames of the hearing channel, both ways: what is understood is written and understood again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::{ClientFrame, ServerFrame};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = serde_json::from_slice::<ClientFrame>(bytes) {
        let written = serde_json::to_vec(&frame).expect("a frame can be written");
        let again: ClientFrame = serde_json::from_slice(&written).expect("what was written can be read");
        assert_eq!(serde_json::to_vec(&again).expect("a frame can be written"), written);
    }
    if let Ok(frame) = serde_json::from_slice::<ServerFrame>(bytes) {
        let written = serde_json::to_vec(&frame).expect("a frame can be written");
        let again: ServerFrame = serde_json::from_slice(&written).expect("what was written can be read");
        assert_eq!(serde_json::to_vec(&again).expect("a frame can be written"), written);
    }
});
