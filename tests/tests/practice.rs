//! 练习 against the real server: what one sends is seen and heard again a second later, and leaving leaves nothing.

use anyhow::{Context, Result, ensure};
use client::practice::Practice;
use client::{EncodedFrame, FrameSink, MediaClock, MediaSetup, SessionConfig};
use media::audio::{CaptureChoice, PlaybackChoice, ToneDetector};
use media::video::{CameraChoice, CaptureFormat, VideoDecoder, read_stamp};
use protocol::{DeviceKind, DeviceState, HostEvent, TrackSource, TrackView};
use scenarios::{
    SOON,
    court::{Court, Plan},
    within,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};

const TONE_HZ: f32 = 700.0;
/// A tone that is there is stronger than this, whatever coding does to it.
const PLAIN: f32 = 0.5;
/// How late a picture may be that did not make the detour, and how late one that did: the machine's load is in both.
const AT_ONCE_MS: u32 = 800;
const LATER_MS: std::ops::Range<u32> = 950..4_000;

/// Reads the clock that is drawn into every picture.
struct Eyes {
    clock: MediaClock,
    decoders: Mutex<HashMap<u32, VideoDecoder>>,
    /// Age of the last picture of each slot, in milliseconds.
    ages: watch::Sender<HashMap<u32, u32>>,
}

impl FrameSink for Eyes {
    fn frame(&self, frame: EncodedFrame) {
        let mut decoders = self.decoders.lock().expect("whole");
        let decoder = decoders
            .entry(frame.slot)
            .or_insert_with(|| VideoDecoder::new().expect("a decoder"));
        let Ok(Some(picture)) = decoder.decode(&frame.data) else {
            return;
        };
        let now = self.clock.wall();
        if let Some(stamp) = read_stamp(&picture) {
            self.ages.send_modify(|ages| {
                ages.insert(frame.slot, stamp.age_ms(now));
            });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_and_hears_oneself_a_second_later() -> Result<()> {
    let court = Court::open(&Plan::default()).await?;
    let clock = MediaClock::start();
    let (ages, mut seen) = watch::channel(HashMap::new());
    let (heard, mut hears) = watch::channel(false);
    let eyes = Arc::new(Eyes {
        clock,
        decoders: Mutex::default(),
        ages,
    });
    let setup = MediaSetup {
        camera: Some(CameraChoice::Synthetic { seed: 3 }),
        format: CaptureFormat {
            width: 640,
            height: 360,
            fps: 25.0,
        },
        microphone: Some(CaptureChoice::Tone {
            hz: TONE_HZ,
            dbfs: -12.0,
        }),
        speaker: PlaybackChoice::Null,
        processing: false,
        tap: Some(Arc::new(move |_, _| {
            let (mut detector, heard) = (ToneDetector::new(TONE_HZ), heard.clone());
            Some(Box::new(move |samples: &[f32]| {
                detector.push(samples);
                if detector.strength() > PLAIN {
                    heard.send_replace(true);
                }
            }))
        })),
        ..MediaSetup::devices(eyes, clock)
    };
    let config = SessionConfig {
        server: court.url().parse()?,
        client: "practice".into(),
        seed: 5,
    };
    let (tell, mut told) = mpsc::unbounded_channel();
    let practice = Practice::start(
        &client::Court::new(&config.server)?,
        config,
        setup,
        move |event| {
            let _ = tell.send(event);
        },
    )
    .await?;
    let pictures = |tracks: &[protocol::TrackInfo], own: bool| {
        let mut pictures = tracks
            .iter()
            .filter(|t| t.source == TrackSource::Camera && t.own == own);
        pictures.next().map(|track| track.slot)
    };
    let (own, back) = within(SOON, "oneself comes back", async {
        loop {
            if let HostEvent::Tracks { tracks } = told.recv().await.context("events")?
                && let (Some(own), Some(back)) = (pictures(&tracks, true), pictures(&tracks, false))
            {
                return Ok((own, back));
            }
        }
    })
    .await?;
    let view = |slot| TrackView {
        slot,
        width: 640,
        height: 360,
    };
    practice.views(vec![view(own), view(back)]);
    within(SOON, "both pictures are seen", async {
        let both = seen.wait_for(|ages| {
            let is = |slot, fits: &dyn Fn(u32) -> bool| ages.get(&slot).is_some_and(|age| fits(*age));
            is(own, &|age| age < AT_ONCE_MS) && is(back, &|age| LATER_MS.contains(&age))
        });
        println!("ages of pictures: {:?}", *both.await?);
        Ok(())
    })
    .await?;
    within(SOON, "one's own sound comes back", async {
        hears.wait_for(|heard| *heard).await?;
        Ok(())
    })
    .await?;
    practice.end().await;
    let url = format!("{}/metrics", court.url());
    within(SOON, "the practice room ends", async {
        loop {
            let counters = reqwest::get(&url).await?.text().await?;
            if counters.contains("\nmingting_sfu_rooms 0\n") {
                return Ok(());
            }
        }
    })
    .await?;
    let mut still_on = true;
    while let Ok(event) = told.try_recv() {
        if let HostEvent::Device {
            kind: DeviceKind::Camera,
            state,
        } = event
        {
            still_on = state != DeviceState::Off;
        }
    }
    ensure!(!still_on, "the camera was closed, and that was told");
    Ok(())
}
