//! The real binary, killed without warning: whatever was acknowledged is there afterwards.

use crate::kit::{Client, PATIENCE};
use protocol::{ByeReason, Command, CommandId, Outcome, PersonName, SeatTaken, Secret, TakeSeat, Words};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_mingting-server");

fn command(dir: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(BINARY);
    command.env_clear();
    let env = [
        ("LISTEN", "127.0.0.1:0"),
        ("MEDIA_UDP_PORT", "0"),
        ("MEDIA_TCP_PORT", "0"),
        ("MEDIA_SHARDS", "1"),
    ];
    for (key, value) in env {
        command.env(format!("MINGTING_{key}"), value);
    }
    command
        .env("MINGTING_DATA_DIR", dir)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut child = command(dir)
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let said: Value = serde_json::from_str(&line).expect("one JSON line");
        let address = said["listening"]
            .as_str()
            .expect("an address")
            .parse()
            .expect("an address");
        assert!(said["udp"].as_u64().expect("a port") > 0);
        Self { child, address }
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }
}

fn invitations(dir: &Path) -> Value {
    let made = command(dir)
        .args(["create-hearing", "--demo"])
        .output()
        .expect("ran");
    assert!(made.status.success());
    serde_json::from_slice(&made.stdout).expect("JSON")
}

async fn take(server: &Server, invitations: &Value, seat: &str) -> SeatTaken {
    let seats = invitations["seats"].as_array().expect("seats");
    let invited = seats.iter().find(|s| s["seat"] == seat).expect("invited");
    let post = async |path: &str, body: Value| -> Value {
        let url = format!("http://{}{path}", server.address);
        let answer = reqwest::Client::new()
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    };
    let entered = post("/api/v1/enter", json!({ "code": invited["code"] })).await;
    let claim = TakeSeat {
        ticket: Secret::new(entered["ticket"].as_str().expect("a ticket")),
        name: PersonName::new(invited["name"].as_str().expect("a name")),
        capacity: protocol::Capacity::Other,
        take_over: false,
    };
    let taken = post("/api/v1/seat", serde_json::to_value(claim).expect("JSON")).await;
    serde_json::from_value(taken).expect("a SeatTaken")
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let invitations = invitations(dir.path());
    let mut server = Server::start(dir.path());
    let seat = take(&server, &invitations, "judge").await;
    let mut acknowledged: Vec<(CommandId, Command, Outcome)> = Vec::new();
    for round in 0..6 {
        let mut judge = Client::hello(server.address, &seat, None, None)
            .await
            .expect("welcome");
        for (id, command, outcome) in &acknowledged {
            let again = judge.command_as(id.clone(), command.clone()).await;
            assert_eq!(
                again, *outcome,
                "round {round}: {id} was acknowledged and is not there"
            );
        }
        for n in 0..3 {
            let id = CommandId(format!("{round}-{n}"));
            let command = match (round, n) {
                (0, 0) => Command::HearingOpen,
                _ => Command::MessageSend {
                    text: Words::new(format!("第{round}轮第{n}条")),
                },
            };
            let outcome = judge.command_as(id.clone(), command.clone()).await;
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
            acknowledged.push((id, command, outcome));
        }
        // The next one may or may not make it; the last three were acknowledged and must.
        let id = CommandId(format!("{round}-cut"));
        let command = Command::MessageSend {
            text: Words::new("未及确认"),
        };
        judge
            .send(&protocol::ClientFrame::Command {
                command_id: id,
                expected_seq: None,
                command,
            })
            .await;
        server.kill();
        server = Server::start(dir.path());
    }
    server.kill();
}

#[tokio::test]
async fn a_polite_signal_says_goodbye_and_ends_well() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let invitations = invitations(dir.path());
    let mut server = Server::start(dir.path());
    let seat = take(&server, &invitations, "clerk").await;
    let mut clerk = Client::hello(server.address, &seat, None, None)
        .await
        .expect("welcome");
    // The trail is written after the welcome; what comes after it on the same connection comes after the trail too.
    clerk.settle().await;
    let pid = server.child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .expect("ran");
    assert!(sent.success());
    assert_eq!(clerk.bye().await, Some(ByeReason::Restarting));
    let ended = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(move || server.child.wait()));
    let status = ended
        .await
        .expect("in time")
        .expect("no panic")
        .expect("a status");
    assert!(status.success(), "{status}");
    let hearing = invitations["hearing"].as_str().expect("an id");
    let trail = command(dir.path())
        .args(["audit", "--hearing", hearing])
        .output()
        .expect("ran");
    let trail: Vec<Value> = trail
        .stdout
        .split(|b| *b == b'\n')
        .filter_map(|l| serde_json::from_slice(l).ok())
        .collect();
    let kinds: Vec<&str> = trail.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(
        kinds,
        ["code_accepted", "seat_taken", "connected", "connection_ended"],
        "{trail:?}"
    );
    assert_eq!(trail[0]["address"], "127.0.0.1");
}

#[test]
fn the_command_line_helps_and_names_what_is_wrong() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let help = command(dir.path()).arg("--help").output().expect("ran");
    let text = String::from_utf8(help.stdout).expect("text");
    for word in [
        "serve",
        "migrate",
        "create-hearing",
        "create-account",
        "sfu",
        "openapi",
        "media_udp_port",
    ] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    let wrong = command(dir.path())
        .arg("migrate")
        .env("MINGTING_MEDIA_UDP_PORT", "many")
        .output()
        .expect("ran");
    assert!(!wrong.status.success());
    let migrated = command(dir.path()).arg("migrate").status().expect("ran");
    assert!(migrated.success());
    let account = ["create-account", "--login", "sun", "--name", "孙演示"];
    let made = command(dir.path()).args(account).output().expect("ran");
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert!(made["password"].as_str().is_some_and(|p| p.len() >= 15), "{made}");
    let document = command(dir.path()).arg("openapi").output().expect("ran");
    let document: Value = serde_json::from_slice(&document.stdout).expect("JSON");
    assert!(document["paths"]["/api/v1/enter"].is_object());
}
