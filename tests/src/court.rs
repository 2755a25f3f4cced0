//! A court: one real `mingting-server` with one hearing, in a folder of its own, on ports of its own.

use crate::{
    SOON,
    player::{Cast, Player},
    process::{Process, program},
    within,
};
use anyhow::{Context, Result, bail};
use protocol::{Role, SeatId};
use serde::Deserialize;
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::process::Command;

/// One seat with its code, as `create-hearing` prints it.
#[derive(Clone, Debug, Deserialize)]
pub struct Invited {
    /// Which seat.
    pub seat: SeatId,
    /// Its role.
    pub role: Role,
    /// What the court calls it.
    pub title: String,
    /// Who was invited.
    pub name: String,
    /// The 庭审码.
    pub code: String,
}

#[derive(Deserialize)]
struct Created {
    hearing: String,
    seats: Vec<Invited>,
}

/// What the server prints when it listens.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Listening {
    listening: SocketAddr,
    udp: u16,
    tcp: u16,
}

/// Which hearing is seeded, and how the server is reached.
#[derive(Clone, Default)]
pub struct Plan {
    /// The hearing as a TOML file for `create-hearing`; the demo's hearing without one.
    pub hearing: Option<String>,
    /// Told to clients instead of the address on which media arrives.
    pub advertise: Option<IpAddr>,
    /// The built page.
    pub ui: Option<PathBuf>,
}

/// A running server with one hearing.
pub struct Court {
    server: Process,
    listening: Listening,
    /// The hearing's id.
    pub hearing: String,
    /// Every seat with its code.
    pub invited: Vec<Invited>,
    // Goes last: a program that ends with a failing test shows its log, which is in it.
    folder: TempDir,
}

impl Court {
    /// Seeds the hearing and starts the server.
    pub async fn open(plan: &Plan) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        write_config(folder.path(), plan, None)?;
        let created = create_hearing(folder.path(), plan).await?;
        let (server, listening) = serve(folder.path()).await?;
        // A later start takes the same ports, so that clients find it again.
        write_config(folder.path(), plan, Some(listening))?;
        Ok(Self {
            folder,
            server,
            listening,
            hearing: created.hearing,
            invited: created.seats,
        })
    }

    /// As browsers and clients are told: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.listening.listening)
    }

    /// Where HTTP, the hearing channel and media signalling are.
    pub fn http(&self) -> SocketAddr {
        self.listening.listening
    }

    /// Where media arrives over UDP.
    pub fn udp(&self) -> SocketAddr {
        SocketAddr::new(self.listening.listening.ip(), self.listening.udp)
    }

    /// Where media arrives over TCP.
    pub fn tcp(&self) -> SocketAddr {
        SocketAddr::new(self.listening.listening.ip(), self.listening.tcp)
    }

    /// For logs and reports of this hearing.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The first seat with a role.
    pub fn seat(&self, role: Role) -> Result<&Invited> {
        self.invited
            .iter()
            .find(|one| one.role == role)
            .with_context(|| format!("nobody was invited as {role:?}"))
    }

    /// Lets a player take the first seat with a role.
    pub async fn player(&self, role: Role, cast: &Cast) -> Result<Player> {
        Player::enter(&self.url(), self.seat(role)?, cast, self.folder.path()).await
    }

    /// The running server.
    pub fn server(&mut self) -> &mut Process {
        &mut self.server
    }

    /// Starts the server again on the same ports and files, after it was stopped or killed.
    pub async fn serve_again(&mut self) -> Result<()> {
        let (server, listening) = serve(self.folder.path()).await?;
        if listening.listening != self.listening.listening || listening.udp != self.listening.udp {
            bail!("the server came back on other ports");
        }
        self.server = server;
        Ok(())
    }

    /// Everything that the server and the participants have logged.
    pub fn logs(&self) -> Result<Vec<(String, String)>> {
        let mut logs = Vec::new();
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                logs.push((name, String::from_utf8_lossy(&std::fs::read(&path)?).into_owned()));
            }
        }
        Ok(logs)
    }
}

fn config_file(folder: &Path) -> PathBuf {
    folder.join("server.toml")
}

fn write_config(folder: &Path, plan: &Plan, listening: Option<Listening>) -> Result<()> {
    let address = listening.map_or_else(|| "127.0.0.1:0".to_owned(), |known| known.listening.to_string());
    let mut config = format!(
        "listen = {address:?}\ndata_dir = {:?}\nmedia_udp_port = {}\nmedia_tcp_port = {}\nlog = \"debug\"\n",
        folder.join("data"),
        listening.map_or(0, |known| known.udp),
        listening.map_or(0, |known| known.tcp),
    );
    if let Some(advertise) = plan.advertise {
        config.push_str(&format!("media_advertise = \"{advertise}\"\n"));
    }
    if let Some(ui) = &plan.ui {
        config.push_str(&format!("ui_dir = {ui:?}\n"));
    }
    std::fs::write(config_file(folder), config).context("cannot write the server's configuration")
}

async fn create_hearing(folder: &Path, plan: &Plan) -> Result<Created> {
    let mut command = Command::new(program("mingting-server"));
    command
        .args(["create-hearing", "--config"])
        .arg(config_file(folder));
    match &plan.hearing {
        Some(toml) => {
            let file = folder.join("hearing.toml");
            std::fs::write(&file, toml)?;
            command.arg("--file").arg(file)
        }
        None => command.arg("--demo"),
    };
    let output = command
        .output()
        .await
        .context("cannot start mingting-server; build it first")?;
    if !output.status.success() {
        bail!(
            "create-hearing ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("create-hearing printed something unexpected")
}

async fn serve(folder: &Path) -> Result<(Process, Listening)> {
    let mut command = Command::new(program("mingting-server"));
    command.args(["serve", "--config"]).arg(config_file(folder));
    let mut server = Process::start("the server", &mut command, &folder.join("server.log"))?;
    let line = within(SOON, "the server listens", server.line()).await?;
    let listening = serde_json::from_str(&line).with_context(|| format!("the server printed {line:?}"))?;
    Ok((server, listening))
}
