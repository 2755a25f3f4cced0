//! The JSON of every wire type, held against the files in `wire/`, which the page's tests parse too.
//!
//! A changed file is a changed protocol: look at the difference, then write it with `WIRE=write cargo test -p protocol`.

mod examples;

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::path::PathBuf;

/// Compares examples with their file, and reads the file back as the same values.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, examples: &[T]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/wire")
        .join(format!("{name}.json"));
    let mut text = serde_json::to_string_pretty(examples).expect("wire types are JSON");
    text.push('\n');
    if std::env::var_os("WIRE").is_some_and(|value| value == "write") {
        std::fs::write(&path, &text).expect("the wire directory can be written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == text,
        "{name}.json is not what the types say now; see the head of tests/wire.rs\n{text}"
    );
    let read: Vec<T> = serde_json::from_str(&stored).expect("the file is of this type");
    assert_eq!(read, examples, "{name}.json reads back as something else");
}

macro_rules! wire {
    ($($test:ident: $examples:path;)*) => {
        $(#[test] fn $test() { check(stringify!($test), &$examples()); })*
    };
}

wire! {
    command: examples::command::all;
    envelope: examples::event::all;
    client_frame: examples::frame::client;
    server_frame: examples::frame::server;
    outcome: examples::frame::outcomes;
    bye_reason: examples::frame::bye_reasons;
    hearing_state: examples::state::hearing;
    participant_state: examples::state::participant;
    device_condition: examples::state::conditions;
    fix_offer: examples::state::fixes;
    recording_state: examples::state::recording;
    hearing_settings: examples::state::settings;
    role: examples::state::roles;
    host_event: examples::host::events;
    host_error: examples::host::errors;
    frame_request: examples::host::frame_requests;
    start_info: examples::host::start_info;
    quick_check: examples::host::quick_check;
    self_test: examples::selftest::all;
    enter: examples::api::enter;
    entered: examples::api::entered;
    take_seat: examples::api::take_seat;
    seat_taken: examples::api::seat_taken;
    staff_sign_in: examples::api::staff_sign_in;
    staff_signed_in: examples::api::staff_signed_in;
    practice: examples::api::practice;
    send_self_test: examples::api::sent_self_tests;
    self_tests_read: examples::api::read_self_tests;
    api_error: examples::api::errors;
}

/// A newer peer may add fields; what it may not do is send what we would have to guess at.
#[test]
fn unknown_fields_are_passed_over_and_unknown_commands_are_not() {
    use protocol::{ClientFrame, Command, HearingSettings, TimeMs};
    let ping: ClientFrame =
        serde_json::from_str(r#"{"type":"ping","sentAt":1,"more":true}"#).expect("a ping");
    assert_eq!(ping, ClientFrame::Ping { sent_at: TimeMs(1) });
    assert!(serde_json::from_str::<Command>(r#"{"type":"hearing.explode"}"#).is_err());
    assert!(serde_json::from_str::<Command>(r#"{"type":"self.mic","on":"yes"}"#).is_err());
    // Settings that were stored before the broadcast could be configured.
    let mut stored = serde_json::to_value(HearingSettings::default()).expect("JSON");
    stored.as_object_mut().expect("an object").remove("broadcaster");
    assert_eq!(
        serde_json::from_value::<HearingSettings>(stored).expect("older"),
        HearingSettings::default()
    );
}
