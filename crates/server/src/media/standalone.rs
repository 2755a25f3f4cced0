//! The media plane alone, as a LiveKit-compatible server for tools and benches: rooms are made on join, tokens
//! grant what they grant. No hearings, no storage.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use protocol::Secret;
use tokio_util::sync::CancellationToken;

use super::{MediaConfig, MediaPlane, RoomPolicy, Webhook};

/// Arguments of `mingting-server sfu`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Address of signalling and the room service, e.g. 127.0.0.1:7880. Media listens on the same IP.
    #[arg(long, default_value = "127.0.0.1:7880")]
    pub bind: SocketAddr,
    /// UDP port for media.
    #[arg(long, default_value_t = 7882)]
    pub udp: u16,
    /// TCP port for media.
    #[arg(long, default_value_t = 7881)]
    pub tcp: u16,
    /// API key: the issuer of tokens.
    #[arg(long, env = "MINGTING_SFU_KEY")]
    pub key: String,
    /// API secret tokens are signed with.
    #[arg(long, env = "MINGTING_SFU_SECRET", hide_env_values = true, value_parser = secret)]
    pub secret: Secret,
    /// IP address to tell clients, when it is not the one bound. May be given more than once.
    #[arg(long)]
    pub advertise: Vec<IpAddr>,
    /// Codecs that may be published, most wanted first, e.g. video/H264.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "video/H264,video/VP8,audio/red,audio/opus"
    )]
    pub codecs: Vec<String>,
    /// Threads, 0 for one per core.
    #[arg(long, default_value_t = 0)]
    pub shards: usize,
    /// Address to post webhooks to. May be given more than once.
    #[arg(long)]
    pub webhook: Vec<String>,
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// Serves until `shutdown` is cancelled, then tells everybody and returns.
pub async fn run_standalone(args: Args, shutdown: CancellationToken) -> anyhow::Result<()> {
    let config = MediaConfig {
        bind: args.bind.ip(),
        advertise: args.advertise,
        udp_port: args.udp,
        tcp_port: args.tcp,
        api_key: args.key,
        api_secret: args.secret,
        rooms: RoomPolicy::OnJoin,
        publish_codecs: args.codecs,
        shards: args.shards,
        webhook: (!args.webhook.is_empty()).then_some(Webhook { urls: args.webhook }),
    };
    let listener = tokio::net::TcpListener::bind(args.bind)
        .await
        .with_context(|| format!("cannot listen on {}", args.bind))?;
    let http = listener.local_addr()?;
    let plane = MediaPlane::start(config, shutdown.clone()).await?;
    let metrics = plane.clone();
    let own = Router::new().route("/", get(async || "OK")).route(
        "/metrics",
        get(move || {
            let plane = metrics.clone();
            async move { plane.stats().await.prometheus() }
        }),
    );
    // The first line tools wait for.
    println!(
        "listening on {http}, media on UDP {} and TCP {}",
        plane.udp_addr(),
        plane.tcp_addr()
    );
    let app = own.merge(plane.router());
    let (stopping, draining) = (shutdown.clone(), plane.clone());
    let served = axum::serve(listener, app).with_graceful_shutdown(async move {
        stopping.cancelled().await;
        draining.drained().await;
    });
    served.await.context("the HTTP server failed")
}
