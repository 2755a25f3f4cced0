//! Plain media rooms without a hearing: our media plane alone and the real livekit-server, both behind the same few lines,
//! and tokens for either.

use crate::{
    SOON,
    process::{Process, program},
    skip, within,
};
use anyhow::{Context, Result};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;
use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpStream, process::Command};

const KEY: &str = "scenario";
const SECRET: &str = "a-secret-of-thirty-two-characters";

/// A media server that runs.
pub struct Rooms {
    /// `ws://127.0.0.1:PORT`.
    pub url: String,
    _process: Process,
}

/// Ports that nobody has now.
struct Ports {
    http: u16,
    udp: u16,
    tcp: u16,
}

impl Ports {
    fn free() -> Result<Self> {
        let http = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok(Self {
            http: http.local_addr()?.port(),
            udp: udp.local_addr()?.port(),
            tcp: tcp.local_addr()?.port(),
        })
    }
}

impl Rooms {
    /// Our media plane alone.
    pub async fn ours(folder: &Path) -> Result<Self> {
        let ports = Ports::free()?;
        let mut command = Command::new(program("mingting-server"));
        command.args(["sfu", "--bind", &format!("127.0.0.1:{}", ports.http)]);
        command.args(["--udp", &ports.udp.to_string(), "--tcp", &ports.tcp.to_string()]);
        command.args(["--key", KEY, "--secret", SECRET]);
        Self::start("our media plane", &mut command, &ports, folder).await
    }

    /// The real livekit-server, if it was set up.
    pub async fn livekit(folder: &Path) -> Result<Option<Self>> {
        let found = std::env::var_os("MINGTING_LIVEKIT_SERVER")
            .map(PathBuf::from)
            .filter(|path| path.exists());
        let Some(server) = found else {
            skip("no livekit-server; `cargo xtask setup` builds it where Go is");
            return Ok(None);
        };
        let ports = Ports::free()?;
        let config = format!(
            "port: {}\nbind_addresses: [127.0.0.1]\nkeys: {{ {KEY}: {SECRET} }}\nrtc:\n  udp_port: {}\n  tcp_port: {}\n  \
             node_ip: 127.0.0.1\n  use_external_ip: false\n  enable_loopback_candidate: true\n  interfaces: {{ includes: [lo] }}\n",
            ports.http, ports.udp, ports.tcp
        );
        let file = folder.join("livekit.yaml");
        std::fs::write(&file, config)?;
        let mut command = Command::new(server);
        command.arg("--config").arg(file);
        Self::start("livekit-server", &mut command, &ports, folder)
            .await
            .map(Some)
    }

    async fn start(name: &str, command: &mut Command, ports: &Ports, folder: &Path) -> Result<Self> {
        let process = Process::start(name, command, &folder.join("rooms.log"))?;
        let address = (Ipv4Addr::LOCALHOST, ports.http);
        within(SOON, "the media server listens", async {
            // Neither server says when it listens in a way that both share: knock until somebody answers.
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(())
        })
        .await?;
        Ok(Self {
            url: format!("ws://127.0.0.1:{}", ports.http),
            _process: process,
        })
    }
}

/// A token that lets `identity` do everything in `room` for an hour.
pub fn token(room: &str, identity: &str) -> Result<String> {
    let grants = json!({ "roomJoin": true, "room": room, "canPublish": true, "canSubscribe": true });
    signed(identity, &grants)
}

/// A token for the server's own interface: it may change who may do what in `room`.
pub fn admin_token(room: &str) -> Result<String> {
    signed("admin", &json!({ "roomAdmin": true, "room": room }))
}

fn signed(identity: &str, grants: &serde_json::Value) -> Result<String> {
    let claims = json!({
        "iss": KEY,
        "sub": identity,
        "name": identity,
        "nbf": 0,
        "exp": now().as_secs() + 3600,
        "video": grants,
    });
    jsonwebtoken::encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .context("a token can be signed")
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokens carry the real time, since real servers check them"
)]
fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is after 1970")
}
