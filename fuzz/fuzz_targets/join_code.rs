//! A 庭审码 as typed: whatever is read as a code prints as eight digits that are read as the same code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::JoinCode;

fuzz_target!(|text: &str| {
    if let Ok(code) = JoinCode::parse(text) {
        let digits = code.expose();
        assert_eq!(digits.len(), 8);
        assert_eq!(JoinCode::parse(&digits), Ok(code));
    }
});
