//! The report at the end: what was seen, heard and sent. No names, no words.

use crate::watch::{Watch, percentile, source_name};
use client::SessionStats;
use protocol::{Role, TrackInfo, TrackSource};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The report of one participant, an entry of the demo's `participants`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) seat: Option<String>,
    pub(crate) role: Option<Role>,
    /// From posting the code to being welcomed.
    pub(crate) join_ms: Option<u64>,
    /// From posting the code to the first decoded remote picture.
    pub(crate) first_video_ms: Option<u64>,
    pub(crate) video_frames: u64,
    pub(crate) freeze_ms: u64,
    pub(crate) audio_received_ms: u64,
    pub(crate) audio_gap_ms: u64,
    pub(crate) latency_p50_ms: Option<u32>,
    pub(crate) latency_p95_ms: Option<u32>,
    pub(crate) layer_switches: u32,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) from: Vec<From>,
    pub(crate) heard: Vec<HeardFrom>,
    pub(crate) events: Vec<Value>,
}

/// One received picture.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct From {
    seat: String,
    source: &'static str,
    first_ms: Option<u64>,
    frames: u64,
    freeze_ms: u64,
    width: u32,
    height: u32,
    latency_p50_ms: Option<u32>,
    latency_p95_ms: Option<u32>,
    layer_switches: u32,
}

/// One received voice.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HeardFrom {
    seat: String,
    received_ms: u64,
    concealed_ms: u64,
    gap_ms: u64,
    rms_db: f32,
    tone: f32,
}

/// What the report is made of.
pub(crate) struct Facts<'a> {
    pub(crate) seat: Option<String>,
    pub(crate) role: Option<Role>,
    /// When the code was posted, in milliseconds of the program's clock.
    pub(crate) began_ms: u64,
    pub(crate) welcomed_ms: Option<u64>,
    pub(crate) tracks: &'a BTreeMap<u32, TrackInfo>,
    pub(crate) stats: &'a SessionStats,
    pub(crate) events: Vec<Value>,
}

impl Report {
    /// Puts the report together.
    pub(crate) fn new(facts: Facts<'_>, watch: &Watch) -> Self {
        let eyes = watch.eyes();
        let since = |ms: u64| ms.saturating_sub(facts.began_ms);
        let switches: BTreeMap<u32, u32> = facts.stats.room.switches.iter().copied().collect();
        let name = |slot: u32| {
            facts
                .tracks
                .get(&slot)
                .map(|track| (track.seat.0.clone(), track.source))
        };
        let from: Vec<From> = eyes
            .tracks
            .iter()
            .map(|(slot, seen)| {
                let (seat, source) = name(*slot).unwrap_or_else(|| (String::new(), TrackSource::Camera));
                let latencies = eyes.by_slot.get(slot).map_or(&[][..], Vec::as_slice);
                From {
                    seat,
                    source: source_name(source),
                    first_ms: seen.first_ms.map(since),
                    frames: seen.frames,
                    freeze_ms: seen.freeze_ms as u64,
                    width: seen.width,
                    height: seen.height,
                    latency_p50_ms: percentile(latencies, 0.5),
                    latency_p95_ms: percentile(latencies, 0.95),
                    layer_switches: switches.get(slot).copied().unwrap_or(0),
                }
            })
            .collect();
        let heard: Vec<HeardFrom> = facts
            .stats
            .heard
            .iter()
            .map(|(slot, identity, stats)| HeardFrom {
                seat: identity.clone(),
                received_ms: stats.gaps.received_ms,
                concealed_ms: stats.gaps.concealed_ms,
                gap_ms: stats.gaps.gap_ms,
                rms_db: stats.level.rms_dbfs,
                tone: watch.heard(*slot).tone,
            })
            .collect();
        Self {
            seat: facts.seat,
            role: facts.role,
            join_ms: facts.welcomed_ms.map(since),
            first_video_ms: from.iter().filter_map(|track| track.first_ms).min(),
            video_frames: from.iter().map(|track| track.frames).sum(),
            freeze_ms: from.iter().map(|track| track.freeze_ms).sum(),
            audio_received_ms: heard.iter().map(|voice| voice.received_ms).sum(),
            audio_gap_ms: heard.iter().map(|voice| voice.gap_ms).sum(),
            latency_p50_ms: percentile(&eyes.latencies, 0.5),
            latency_p95_ms: percentile(&eyes.latencies, 0.95),
            layer_switches: switches.values().sum(),
            bytes_sent: facts.stats.room.bytes_sent,
            bytes_received: facts.stats.room.bytes_received,
            from,
            heard,
            events: facts.events,
        }
    }
}

/// Lines about what is seen and heard now, for `--drive`.
pub(crate) fn lines(tracks: &BTreeMap<u32, TrackInfo>, stats: &SessionStats, watch: &Watch) -> Vec<Value> {
    let mut lines = Vec::new();
    let eyes = watch.eyes();
    for (slot, seen) in &eyes.tracks {
        let Some(track) = tracks.get(slot) else { continue };
        lines.push(json!({
            "type": "seen",
            "seat": track.seat,
            "source": source_name(track.source),
            "frames": seen.frames,
            "width": seen.width,
            "height": seen.height,
            "stamp": seen.stamp.map(|(frame, clock)| json!({"frame": frame, "clockMs": clock})),
            "latencyMs": seen.latency_ms,
            "freezeMs": seen.freeze_ms as u64,
            "longestFreezeMs": seen.longest_freeze_ms as u64,
            "stillMs": seen.still_ms(watch.now_ms()),
        }));
    }
    for (slot, identity, heard) in &stats.heard {
        lines.push(json!({
            "type": "heard",
            "seat": identity,
            "receivedMs": heard.gaps.received_ms,
            "concealedMs": heard.gaps.concealed_ms,
            "gapMs": heard.gaps.gap_ms,
            "rmsDb": heard.level.rms_dbfs,
            "tone": watch.take_recent_tone(*slot),
        }));
    }
    lines
}
