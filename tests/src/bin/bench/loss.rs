//! `loss`: a fifth of all datagrams of the measured one is lost on the way up and on the way down; the others have a good
//! network. Frozen time is taken from the moments at which frames were decoded (ours) or presented (the browser), by the
//! same rule; concealed sound from each side's own jitter buffer. Ours is the crate `client` without a window.

use crate::{
    CHROMIUM, OURS, chromium,
    chromium::Chromium,
    hearing::{Hearing, Others, SETTLE, participant},
    say,
};
use anyhow::{Context, Result, bail};
use protocol::Role;
use scenarios::{
    SOON,
    player::{Cast, Heard, Player, Said, Seen},
    relay::{RELAY_ADDRESS, UdpRelay, Weather, random_loss},
    within,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Length of the measured window: losses at random need longer than the other benches to come to a middle.
const WINDOW: Duration = Duration::from_secs(20);
/// Share of datagrams that are lost each way.
const LOSS: f32 = 0.2;
/// Longer than this without a new picture at the end of the window is a freeze that lasts (watch.rs: 150 ms over the
/// usual 40).
const STILL_MS: u64 = 190;

pub(crate) async fn run(rounds: usize) -> Result<()> {
    for round in 1..=rounds {
        say(OURS, round, ours(round as u64).await?);
        say(CHROMIUM, round, chromium(round as u64).await?);
    }
    Ok(())
}

/// A hearing whose players no longer feel the network; whoever comes now does.
async fn hearing(folder: &std::path::Path) -> Result<(Hearing, UdpRelay)> {
    chromium::page(folder)?;
    // The relay listens on the server's port, which is known once the server runs.
    let court = Hearing::court(Some(RELAY_ADDRESS), folder).await?;
    let relay = UdpRelay::start(court.udp(), Weather::fair()).await?;
    let hearing = Hearing::assemble(court, Others::Five, Role::Defendant, "tone:440").await?;
    relay.shelter();
    Ok((hearing, relay))
}

/// What was received from the beginning to a moment.
#[derive(Clone, Copy, Debug, Default)]
struct Received {
    frames: u64,
    freeze_ms: f64,
    longest_freeze_ms: f64,
    audio_ms: f64,
    concealed_ms: f64,
    /// The measured one's pictures that the judge saw, whose network is good.
    own_frames: u64,
    /// How long the judge saw it stand still.
    own_freeze_ms: f64,
}

impl Received {
    fn figures(self, before: Self) -> Result<Value> {
        let frames = self.frames - before.frames;
        let audio = self.audio_ms - before.audio_ms;
        if frames == 0 || audio < 1_000.0 {
            bail!("{frames} frames and {audio} ms of sound came in the measured window");
        }
        if self.own_frames <= before.own_frames {
            bail!("the judge saw nothing of the measured one in the measured window");
        }
        let one_tile = WINDOW.as_secs_f64() * 1_000.0;
        let tiles = Others::Five.count() as f64 * one_tile;
        Ok(json!({
            "frozenShare": (self.freeze_ms - before.freeze_ms) / tiles,
            "ownFrozenShare": (self.own_freeze_ms - before.own_freeze_ms) / one_tile,
            "longestFreezeMs": self.longest_freeze_ms,
            "concealedShare": (self.concealed_ms - before.concealed_ms) / audio,
            "framesPerSecond": frames as f64 / WINDOW.as_secs_f64(),
        }))
    }
}

async fn ours(seed: u64) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let (mut hearing, relay) = hearing(folder.path()).await?;
    let cast = Cast {
        more: ["--size", "1280x720", "--fps", "30"].map(str::to_owned).to_vec(),
        ..Cast::default()
    };
    let (url, of) = (hearing.court.url(), hearing.court.folder());
    let party = Player::enter_by(participant(), &url, &hearing.measured, &cast, of)?;
    hearing.admit().await?;
    all_seen(&party).await?;
    tokio::time::sleep(SETTLE).await;
    let before = seen_so_far(&party, &hearing);
    relay.set(random_loss(seed, LOSS));
    tokio::time::sleep(WINDOW).await;
    let figures = seen_so_far(&party, &hearing).figures(before);
    party.leave().await?;
    figures
}

/// Waits for a picture of each of the others.
async fn all_seen(party: &Player) -> Result<()> {
    let mut from = std::collections::BTreeSet::new();
    party
        .wait("the pictures of five others", |said| {
            if let Said::Seen(seen) = said {
                from.insert(seen.seat.clone());
            }
            (from.len() == Others::Five.count()).then_some(())
        })
        .await
}

/// The newest of what the participant says once a second of each track.
fn seen_so_far(party: &Player, hearing: &Hearing) -> Received {
    let seen: BTreeMap<_, Seen> = party
        .all_from(0, |said| match said {
            Said::Seen(seen) => Some((seen.seat.clone(), seen.clone())),
            _ => None,
        })
        .into_iter()
        .collect();
    let heard: Option<Heard> = party
        .all_from(0, |said| match said {
            Said::Heard(heard) => (heard.seat == hearing.judge.seat).then(|| heard.clone()),
            _ => None,
        })
        .pop();
    let mut sum = Received::default();
    for one in seen.values() {
        sum.frames += one.frames;
        sum.freeze_ms += frozen_ms(one);
        sum.longest_freeze_ms = sum
            .longest_freeze_ms
            .max(one.longest_freeze_ms.max(lasting_ms(one)) as f64);
    }
    (sum.own_frames, sum.own_freeze_ms) = seen_by_the_judge(hearing);
    if let Some(heard) = heard {
        let concealed = heard.concealed_ms + heard.gap_ms;
        sum.concealed_ms = concealed as f64;
        sum.audio_ms = (heard.received_ms + concealed) as f64;
    }
    sum
}

/// How long a picture has been standing still.
fn lasting_ms(seen: &Seen) -> u64 {
    if seen.still_ms > STILL_MS {
        seen.still_ms
    } else {
        0
    }
}

fn frozen_ms(seen: &Seen) -> f64 {
    (seen.freeze_ms + lasting_ms(seen)) as f64
}

/// Frames of the measured one's camera, and the time for which it stood still.
fn seen_by_the_judge(hearing: &Hearing) -> (u64, f64) {
    let seen = hearing.judge.all_from(0, |said| match said {
        Said::Seen(seen) => (seen.seat == hearing.measured.seat && seen.source == "camera")
            .then(|| (seen.frames, frozen_ms(seen))),
        _ => None,
    });
    seen.last().copied().unwrap_or_default()
}

async fn chromium(seed: u64) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let (mut hearing, relay) = hearing(folder.path()).await?;
    let mut browser = Chromium::start(&hearing.court.url(), None, hearing.court.folder()).await?;
    browser.take_seat(&hearing.measured).await?;
    hearing.admit().await?;
    browser.call("publish", &Value::Null).await?;
    within(SOON, "the pictures of five others", async {
        while browser.received().await?.videos < Others::Five.count() {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await?;
    tokio::time::sleep(SETTLE).await;
    let before = counted(&mut browser, &hearing).await?;
    relay.set(random_loss(seed, LOSS));
    tokio::time::sleep(WINDOW).await;
    let figures = counted(&mut browser, &hearing).await?.figures(before);
    browser.stop().await.context("Chromium ends")?;
    figures
}

async fn counted(browser: &mut Chromium, hearing: &Hearing) -> Result<Received> {
    let received = browser.received().await?;
    let (own_frames, own_freeze_ms) = seen_by_the_judge(hearing);
    Ok(Received {
        frames: received.frames,
        freeze_ms: received.freeze_ms,
        longest_freeze_ms: received.longest_freeze_ms,
        audio_ms: received.audio_ms,
        concealed_ms: received.concealed_ms,
        own_frames,
        own_freeze_ms,
    })
}
