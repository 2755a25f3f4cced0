//! Two participants through a real livekit-server, checked by content: the burned-in clock is read back from the
//! picture, and each hears the other's tone. Skipped aloud where the server's binary is missing.
//!
//! The binary is looked for in `MINGTING_LIVEKIT_SERVER`, then as `livekit-server` and `server` of Go's bin directory:
//! `GOFLAGS=-mod=mod go install github.com/livekit/livekit-server/cmd/server@v1.13.5`.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const SECRET: &str = "a-secret-for-tests-on-loopback-only-0";

fn livekit_server() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("MINGTING_LIVEKIT_SERVER") {
        return Some(path.into());
    }
    let go_bin = std::env::var_os("GOBIN")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join("go/bin")))?;
    let candidates = [go_bin.join("livekit-server"), go_bin.join("server")];
    candidates.into_iter().find(|path| path.is_file())
}

/// Ends the process with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_ports() -> (u16, u16, u16) {
    let bind = || TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let (http, tcp, udp) = (
        bind(),
        bind(),
        UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port"),
    );
    let port = |listener: &TcpListener| {
        listener
            .local_addr()
            .expect("a bound socket has an address")
            .port()
    };
    (
        port(&http),
        port(&tcp),
        udp.local_addr().expect("a bound socket has an address").port(),
    )
}

/// Starts the server and waits until it says that it serves.
fn start(binary: &PathBuf) -> (Running, u16) {
    let (http, tcp, udp) = free_ports();
    let config = format!(
        "port: {http}\nbind_addresses: [127.0.0.1]\nkeys: {{devkey: {SECRET}}}\nrtc: {{udp_port: {udp}, tcp_port: {tcp}, \
         node_ip: 127.0.0.1, use_external_ip: false, enable_loopback_candidate: true, interfaces: {{includes: [lo]}}}}\n"
    );
    let mut child = Command::new(binary)
        .args(["--config-body", &config])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("livekit-server starts");
    let log = BufReader::new(child.stderr.take().expect("stderr is piped"));
    let mut lines = log.lines();
    let up = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("starting LiveKit server"));
    assert!(up, "livekit-server ended before it served");
    // The pipe must be read on, or the server blocks.
    std::thread::Builder::new()
        .name("livekit-log".into())
        .spawn(move || lines.map_while(Result::ok).for_each(drop))
        .expect("the system can start a thread");
    (Running(child), http)
}

fn token(identity: &str) -> String {
    let claims = json!({
        "iss": "devkey",
        "sub": identity,
        "exp": 4_102_444_800u64,
        "video": {"roomJoin": true, "room": "test", "canPublish": true, "canSubscribe": true},
    });
    encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .expect("a token")
}

fn participant(port: u16, identity: &str, tone: u32, listen_for: u32, seconds: u32) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mingting-participant"))
        .args([
            "--livekit",
            &format!("ws://127.0.0.1:{port}"),
            "--token",
            &token(identity),
        ])
        .args([
            "--audio",
            &format!("tone:{tone}"),
            "--listen-for",
            &listen_for.to_string(),
        ])
        .args(["--for", &seconds.to_string(), "--report", "-"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the participant starts")
}

fn check(name: &str, child: Child) {
    let output = child.wait_with_output().expect("the participant ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert!(output.status.success(), "{name}: {} {report:#}", output.status);
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or(-1.0);
    assert!(
        number("/video_frames") > 25.0,
        "{name} saw too little: {report:#}"
    );
    assert!(
        number("/audio_received_ms") > 1_000.0,
        "{name} heard too little: {report:#}"
    );
    assert!(
        number("/heard/0/tone") > 0.5,
        "{name} did not hear the other's tone: {report:#}"
    );
    assert!(
        (0.0..5_000.0).contains(&number("/latency_p50_ms")),
        "{name} could not read the clock: {report:#}"
    );
}

#[test]
fn two_participants_see_and_hear_each_other_through_livekit() {
    let Some(binary) = livekit_server() else {
        eprintln!("SKIPPED: no livekit-server; see the head of this file for how to get it");
        return;
    };
    let (_server, port) = start(&binary);
    let one = participant(port, "one", 440, 660, 8);
    let two = participant(port, "two", 660, 440, 8);
    check("one", one);
    check("two", two);
}
