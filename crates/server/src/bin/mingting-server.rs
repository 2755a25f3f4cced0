//! The server's command line. It reads the configuration, puts the world together and hands it to the library.

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use protocol::{HearingId, PersonName, Secret};
use server::app::{App, MediaParts, Outside, media_secret};
use server::clock::Clock;
use server::config::{Config, KEYS};
use server::entropy::Entropy;
use server::keyed_hash::ServerKey;
use server::media::{self, MediaConfig, MediaPlane, RoomPolicy};
use server::seed::{HearingFile, Registry};
use server::storage::Store;
use server::{MediaRooms, logging};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The 明庭 hearing server: hearings, codes, the hearing channel and media, in one process.
#[derive(Parser)]
#[command(version, after_long_help = keys_help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until it is told to stop (SIGTERM or Ctrl-C; a second one stops it at once).
    Serve(Common),
    /// Bring the database up to date and exit. `serve` does this too.
    Migrate(Common),
    /// Schedule a hearing and print its codes as JSON, once: they are stored as hashes only.
    CreateHearing {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        source: HearingSource,
    },
    /// Make an account of court staff, or give it a new password, and print it as JSON.
    CreateAccount {
        #[command(flatten)]
        common: Common,
        /// What is typed to sign in.
        #[arg(long)]
        login: String,
        /// The person's name.
        #[arg(long)]
        name: String,
        /// Read the password from standard input instead of making one.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Print the court's own trail of a hearing as JSON lines: who entered when, from where, on what, and who failed to.
    Audit {
        #[command(flatten)]
        common: Common,
        /// Id of the hearing, as create-hearing printed it.
        #[arg(long)]
        hearing: String,
    },
    /// Run only the media plane, as a LiveKit-compatible server for tools and benches.
    Sfu(media::standalone::Args),
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Args)]
struct Common {
    /// The configuration file; without it, defaults and the environment.
    #[arg(long, short, env = "MINGTING_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct HearingSource {
    /// A TOML file, as in docs/hearing.example.toml.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The demo's hearing, which starts now, with its accounts.
    #[arg(long)]
    demo: bool,
}

fn keys_help() -> String {
    let mut help = String::from(
        "Configuration keys (one TOML file; MINGTING_<KEY> in the environment overrides the key):\n",
    );
    for key in KEYS {
        let default = if key.default.is_empty() {
            String::new()
        } else {
            format!(" [default: {}]", key.default)
        };
        help.push_str(&format!("  {:<16} {}{default}\n", key.name, key.help));
    }
    help
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime
        .context("the runtime did not start")
        .and_then(|runtime| runtime.block_on(run(cli.command)));
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mingting-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(common) => serve(common).await,
        Command::Migrate(common) => {
            Base::open(&common).await?.store.close().await;
            Ok(ExitCode::SUCCESS)
        }
        Command::CreateHearing { common, source } => {
            let base = Base::open(&common).await?;
            let invitations = match source.file {
                Some(path) => {
                    let text = std::fs::read_to_string(&path)
                        .with_context(|| format!("cannot read {}", path.display()))?;
                    base.registry().schedule(&HearingFile::parse(&text)?).await?
                }
                None => base.registry().schedule_demo().await?,
            };
            base.store.close().await;
            println!("{invitations:#}");
            Ok(ExitCode::SUCCESS)
        }
        Command::CreateAccount {
            common,
            login,
            name,
            password_stdin,
        } => {
            let base = Base::open(&common).await?;
            let password = password_stdin.then(read_password).transpose()?;
            let account = base
                .registry()
                .account(&login, &PersonName::new(name), password)
                .await?;
            base.store.close().await;
            println!("{account:#}");
            Ok(ExitCode::SUCCESS)
        }
        Command::Audit { common, hearing } => {
            let base = Base::open(&common).await?;
            for line in base.store.audit_of(&HearingId(hearing)).await? {
                println!("{line}");
            }
            base.store.close().await;
            Ok(ExitCode::SUCCESS)
        }
        Command::Sfu(args) => {
            install_log(&Config::load(None, |name| std::env::var(name).ok())?)?;
            let (soft, _hard) = stop_signals()?;
            media::standalone::run_standalone(args, soft).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Openapi => {
            println!("{}", server::openapi().to_pretty_json()?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn read_password() -> anyhow::Result<Secret> {
    let mut text = String::new();
    std::io::stdin()
        .take(1_024)
        .read_to_string(&mut text)
        .context("the password could not be read")?;
    let password = text.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(
        password.chars().count() >= 8,
        "the password has fewer than 8 characters"
    );
    Ok(Secret::new(password))
}

/// What every command but `sfu` and `openapi` needs.
struct Base {
    config: Config,
    clock: Clock,
    entropy: Entropy,
    key: ServerKey,
    store: Store,
}

impl Base {
    async fn open(common: &Common) -> anyhow::Result<Self> {
        let config = Config::load(common.config.as_deref(), |name| std::env::var(name).ok())?;
        let entropy = Entropy::from_os();
        std::fs::create_dir_all(&config.data_dir).with_context(|| {
            format!(
                "key `data_dir`: cannot make the folder {}",
                config.data_dir.display()
            )
        })?;
        let key = match &config.secret {
            Some(secret) => ServerKey::from_secret(secret.expose()),
            None => ServerKey::load_or_create(&config.key_file(), &entropy).with_context(|| {
                format!(
                    "key `data_dir`: cannot use the key file {}",
                    config.key_file().display()
                )
            })?,
        };
        let store = Store::open(&config.database()).await.with_context(|| {
            format!(
                "key `data_dir`: cannot open the database {}",
                config.database().display()
            )
        })?;
        store.migrate().await?;
        Ok(Self {
            config,
            clock: Clock::system(),
            entropy,
            key,
            store,
        })
    }

    fn registry(&self) -> Registry<'_> {
        Registry {
            store: &self.store,
            clock: &self.clock,
            entropy: &self.entropy,
            key: &self.key,
        }
    }
}

fn install_log(config: &Config) -> anyhow::Result<()> {
    let subscriber = logging::subscriber(config.log, config.log_json, std::io::stderr);
    tracing::subscriber::set_global_default(subscriber).context("the log is set up once")
}

/// The first signal asks to stop, the second insists. On Windows a closed console window stands for SIGTERM.
fn stop_signals() -> anyhow::Result<(CancellationToken, CancellationToken)> {
    #[cfg(unix)]
    let (mut terminate, mut interrupt) = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    #[cfg(windows)]
    let (mut terminate, mut interrupt) = {
        use tokio::signal::windows::{ctrl_c, ctrl_close};
        (ctrl_close()?, ctrl_c()?)
    };
    let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
    let (first, second) = (soft.clone(), hard.clone());
    // Lives as long as the process, which it ends.
    tokio_util::task::TaskTracker::new().spawn(async move {
        for token in [first, second] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            token.cancel();
        }
    });
    Ok((soft, hard))
}

/// What the media plane and the last HTTP answers get beyond `drain_ms`.
const MEDIA_DRAIN: Duration = Duration::from_secs(3);

async fn serve(common: Common) -> anyhow::Result<ExitCode> {
    let base = Base::open(&common).await?;
    install_log(&base.config)?;
    let (soft, hard) = stop_signals()?;
    let listener = tokio::net::TcpListener::bind(base.config.listen)
        .await
        .with_context(|| format!("key `listen`: cannot listen on {}", base.config.listen))?;
    let address = listener.local_addr()?;
    let media_stop = CancellationToken::new();
    let media = start_media(&base.config, &base.key, media_stop.clone()).await?;
    println!(
        "{}",
        serde_json::json!({
            "listening": address.to_string(),
            "udp": media.udp_addr().port(),
            "tcp": media.tcp_addr().port(),
        })
    );
    let counters = media.clone();
    let parts = MediaParts {
        rooms: Arc::new(MediaRooms(media.clone())),
        router: media.router(),
        metrics: Arc::new(move || {
            let media = counters.clone();
            Box::pin(async move { media.stats().await.prometheus() })
        }),
    };
    let drain_ms = base.config.drain_ms;
    let outside = Outside {
        clock: base.clock,
        entropy: base.entropy,
        store: base.store,
        key: base.key,
        media: parts,
    };
    let app = App::build(base.config, outside).await?;
    app.watch_media(media.subscribe_events());
    tracing::info!(%address, "serving");

    let limit = Duration::from_millis(drain_ms) + MEDIA_DRAIN;
    let drain = async {
        soft.cancelled().await;
        tracing::info!("going down");
        let drained = app.shut_down().await;
        media_stop.cancel();
        drained
    };
    let orderly = async {
        let (served, drained) = tokio::join!(app.serve(listener), drain);
        media.drained().await;
        served.map(|()| drained)
    };
    let drained = tokio::select! {
        drained = orderly => drained?,
        () = hard.cancelled() => false,
        () = async { soft.cancelled().await; tokio::time::sleep(limit).await } => false,
    };
    if drained {
        tracing::info!("down");
        Ok(ExitCode::SUCCESS)
    } else {
        tracing::warn!("down before everything had ended");
        Ok(ExitCode::FAILURE)
    }
}

async fn start_media(
    config: &Config,
    key: &ServerKey,
    stop: CancellationToken,
) -> anyhow::Result<Arc<MediaPlane>> {
    let media = MediaConfig {
        bind: config.media_bind,
        advertise: config.media_advertise.clone(),
        udp_port: config.media_udp_port,
        tcp_port: config.media_tcp_port,
        api_key: config.media_key.clone(),
        api_secret: media_secret(config, key),
        rooms: RoomPolicy::Created,
        shards: config.media_shards,
        ..MediaConfig::default()
    };
    MediaPlane::start(media, stop)
        .await
        .context("keys `media_bind`, `media_udp_port`, `media_tcp_port`")
}
