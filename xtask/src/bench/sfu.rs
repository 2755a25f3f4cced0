//! `bench sfu`: the same synthetic streams through our SFU, livekit-server and Janus, one after the other, in a network
//! namespace of their own (Janus gathers no candidates on loopback). Server on core 0, generator on core 1; the CPU is
//! the server process's alone.

use super::report::{self, Spread};
use crate::{
    process::{self, fresh_folder, output, target, there_is},
    setup,
};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

const NAMESPACE: &str = "mingting-bench";
const ADDRESS: &str = "10.99.0.1";
const KEY: &str = "bench";
const SECRET: &str = "bench-secret-bench-secret-bench-secret";
/// Rooms of six publishers and six receivers.
const ROOMS: [usize; 2] = [1, 4];
const SECONDS: u32 = 8;

#[derive(Clone, Copy, PartialEq)]
enum Peer {
    Ours,
    Livekit,
    Janus,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Peer::Ours => "明庭",
            Peer::Livekit => "livekit-server 1.13.5",
            Peer::Janus => "Janus 1.1.2 VideoRoom",
        }
    }

    fn load(self) -> [&'static str; 2] {
        match self {
            Peer::Ours | Peer::Livekit => ["livekit", "ws://10.99.0.1:7980"],
            Peer::Janus => ["janus", "ws://10.99.0.1:8188"],
        }
    }
}

struct Figure {
    peer: Peer,
    rooms: usize,
    per_cpu_second: f64,
    delivered: f64,
}

pub(super) fn run(rounds: usize) -> Result<()> {
    if output(Command::new("id").arg("-u")).is_none_or(|uid| uid.trim() != "0") {
        bail!("this bench makes a network namespace, which only root may");
    }
    let mut peers = vec![Peer::Ours];
    let livekit = setup::livekit_server()?;
    if livekit.is_some() {
        peers.push(Peer::Livekit);
    }
    if there_is("janus", "--help") {
        peers.push(Peer::Janus);
    } else {
        eprintln!("bench: no Janus here (`apt-get install janus`), so it is left out");
    }
    let folder = fresh_folder("bench/sfu")?;
    configure(&folder)?;
    let _namespace = Namespace::make()?;
    let mut figures = Vec::new();
    for round in 0..rounds {
        for rooms in ROOMS {
            for &peer in &peers {
                eprintln!("bench: round {}, {rooms} rooms, {}", round + 1, peer.name());
                let figure = measure(peer, rooms, &folder, livekit.as_deref())?;
                eprintln!(
                    "bench:   {:.0} packets per CPU second, {:.1} % delivered",
                    figure.per_cpu_second,
                    100.0 * figure.delivered
                );
                figures.push(figure);
            }
        }
    }
    let (markdown, json) = table(&figures, &peers, rounds);
    report::write("sfu", &markdown, &json)
}

fn measure(peer: Peer, rooms: usize, folder: &Path, livekit: Option<&Path>) -> Result<Figure> {
    let release = target().join("release");
    let mut command = inside(0);
    match peer {
        Peer::Ours => command.arg(release.join("mingting-server")).args([
            "sfu",
            "--bind",
            "10.99.0.1:7980",
            "--udp",
            "7982",
            "--tcp",
            "7981",
            "--key",
            KEY,
            "--secret",
            SECRET,
        ]),
        Peer::Livekit => {
            let program = livekit.context("livekit-server is among the peers only when it is here")?;
            command
                .arg(program)
                .arg("--config")
                .arg(folder.join("livekit.yaml"))
        }
        Peer::Janus => command
            .arg("janus")
            .arg("-F")
            .arg(folder)
            .arg("-C")
            .arg(folder.join("janus.jcfg")),
    };
    let log = fs::File::create(folder.join("server.log"))?;
    let server = Server(
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?,
    );
    let port = if peer == Peer::Janus { 8188 } else { 7980 };
    wait_for_port(port)?;
    let [protocol, url] = peer.load();
    let load = inside(1)
        .arg(release.join("mingting-load"))
        .args([
            "--target", protocol, "--url", url, "--local", ADDRESS, "--key", KEY, "--secret", SECRET,
        ])
        .args(["--rooms", &rooms.to_string(), "--seconds", &SECONDS.to_string()])
        // `ip netns exec` and `taskset` become the server, so its id is the child's.
        .args(["--server-pid", &server.0.id().to_string()])
        .stdin(Stdio::null())
        .output()?;
    if !load.status.success() {
        bail!("{}: {}", peer.name(), String::from_utf8_lossy(&load.stderr));
    }
    let counted: serde_json::Value = serde_json::from_slice(&load.stdout)?;
    let number = |name: &str| {
        counted[name]
            .as_f64()
            .with_context(|| format!("the generator prints {name}"))
    };
    Ok(Figure {
        peer,
        rooms,
        per_cpu_second: number("received_per_cpu_second")?,
        delivered: number("received")? / number("wanted")?,
    })
}

fn table(figures: &[Figure], peers: &[Peer], rounds: usize) -> (String, serde_json::Value) {
    let spread = |peer: Peer, rooms: usize| {
        let of: Vec<&Figure> = figures
            .iter()
            .filter(|f| f.peer == peer && f.rooms == rooms)
            .collect();
        let rate = Spread::of(&of.iter().map(|f| f.per_cpu_second).collect::<Vec<_>>());
        let delivered = Spread::of(&of.iter().map(|f| f.delivered).collect::<Vec<_>>());
        rate.zip(delivered)
    };
    let mut markdown = format!(
        "`cargo xtask bench sfu` ({rounds} rounds, the peers alternating; rooms of 6 publishers and 6 receivers, 300 packets a second of 1,100 bytes each; server and generator on one core each). Publishers receive nothing.\n\n| rooms | server | packets out per CPU second: median [min-max] | received ÷ wanted | ours ÷ theirs |\n|---|---|---|---|---|\n"
    );
    let mut rows = Vec::new();
    for rooms in ROOMS {
        let ours = spread(Peer::Ours, rooms).map(|(rate, _)| rate.median);
        for &peer in peers {
            let Some((rate, delivered)) = spread(peer, rooms) else {
                continue;
            };
            let ratio = ours.map(|ours| ours / rate.median);
            markdown.push_str(&format!(
                "| {rooms} | {} | {:.0} [{:.0}-{:.0}] | {:.1} % | {} |\n",
                peer.name(),
                rate.median,
                rate.min,
                rate.max,
                100.0 * delivered.median,
                ratio
                    .filter(|_| peer != Peer::Ours)
                    .map_or_else(|| "".into(), |r| format!("{r:.2}")),
            ));
            rows.push(
                serde_json::json!({ "rooms": rooms, "server": peer.name(), "packets_per_cpu_second": rate,
                "delivered": delivered, "ours_over_theirs": ratio }),
            );
        }
    }
    (
        markdown,
        serde_json::json!({ "bench": "sfu", "rounds": rounds, "rows": rows }),
    )
}

/// Runs in the namespace, on one core.
fn inside(core: u32) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", NAMESPACE, "taskset", "-c", &core.to_string()]);
    command
}

/// The network namespace, removed when dropped.
struct Namespace;

impl Namespace {
    fn make() -> Result<Self> {
        // Left over from a run that was killed.
        let _ = output(Command::new("ip").args(["netns", "delete", NAMESPACE]));
        let ip = |args: &str| process::run(Command::new("ip").args(args.split(' ')));
        ip(&format!("netns add {NAMESPACE}"))?;
        let made = Self;
        for step in [
            "link set lo up",
            "link add v0 type veth peer name v1",
            "addr add 10.99.0.1/24 dev v0",
            "link set v0 up",
            "link set v1 up",
        ] {
            ip(&format!("-n {NAMESPACE} {step}"))?;
        }
        Ok(made)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = output(Command::new("ip").args(["netns", "delete", NAMESPACE]));
    }
}

/// A server that ends with the measurement.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for_port(port: u16) -> Result<()> {
    let hex = format!(":{port:04X} ");
    for _ in 0..100 {
        let table = output(Command::new("ip").args([
            "netns",
            "exec",
            NAMESPACE,
            "cat",
            "/proc/net/tcp",
            "/proc/net/tcp6",
        ]));
        // State 0A is LISTEN (proc(5)).
        if table.is_some_and(|table| {
            table
                .lines()
                .any(|line| line.contains(&hex) && line.contains(" 0A "))
        }) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("nothing listens on port {port} after ten seconds; see target/bench/sfu/server.log")
}

fn configure(folder: &Path) -> Result<()> {
    let write = |name: &str, text: String| fs::write(folder.join(name), text);
    write(
        "livekit.yaml",
        format!(
            "port: 7980\nbind_addresses: [{ADDRESS}]\nkeys: {{ {KEY}: {SECRET} }}\nrtc: {{ udp_port: 7982, tcp_port: 7981, node_ip: {ADDRESS}, use_external_ip: false, interfaces: {{ includes: [v0] }} }}\nlogging: {{ level: error }}\n"
        ),
    )?;
    let library = PathBuf::from("/usr/lib")
        .join(format!("{}-linux-gnu", std::env::consts::ARCH))
        .join("janus");
    write(
        "janus.jcfg",
        format!(
            "general: {{ configs_folder = {folder:?}; plugins_folder = {:?}; transports_folder = {:?}; debug_level = 3; }}\nmedia: {{ rtp_port_range = \"20000-40000\" }}\nnat: {{ ice_lite = true; ice_enforce_list = \"v0\"; full_trickle = false }}\nplugins: {{ disable = {:?} }}\ntransports: {{ disable = {:?} }}\n",
            library.join("plugins"),
            library.join("transports"),
            others(&library.join("plugins"), "videoroom"),
            others(&library.join("transports"), "websockets"),
        ),
    )?;
    write(
        "janus.transport.websockets.jcfg",
        format!("general: {{ ws = true; ws_port = 8188; ws_ip = \"{ADDRESS}\" }}\n"),
    )?;
    write("janus.plugin.videoroom.jcfg", "general: { }\n".into())?;
    Ok(())
}

/// The names of all libraries in a folder but the wanted one, as Janus lists them.
fn others(folder: &Path, wanted: &str) -> String {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".so") && !name.contains(wanted))
        .collect();
    names.sort();
    names.join(",")
}
