//! What a room does by the clock: peer connections' timers, key-frame retries, layer choice, speakers, connection
//! quality, and giving up on those who are gone.

use std::time::{Duration, Instant};

use livekit_protocol as proto;
use proto::signal_response::Message;

use super::{Room, Shared, send_to};
use crate::io::{Event, LeaveCause, PEER_TIMEOUT, SIGNAL_TIMEOUT};
use crate::participant::Signalling;
use crate::quality::{Observed, Quality, quality};
use crate::speakers::next_report;

/// How often a room looks at itself.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Ticks between two looks at bandwidth and layers.
const ALLOT_EVERY: u64 = 2;
/// Ticks between two looks at who is speaking.
const SPEAKERS_EVERY: u64 = 3;
/// Ticks between two looks at who is gone.
const GONE_EVERY: u64 = 5;
/// Ticks between two looks at connection quality.
const QUALITY_EVERY: u64 = 20;
/// A sender is told to stop a layer nobody wants only after this long.
const LAYER_UNWANTED_FOR: Duration = Duration::from_secs(4);

impl Room {
    /// When [`Room::timeout`] is next to be called.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let peers = self
            .participants
            .iter()
            .map(|(_, participant)| participant.timeout)
            .min();
        peers.map(|peers| peers.min(self.next_tick))
    }

    /// Does whatever is due.
    pub(crate) fn timeout(&mut self, now: Instant, shared: &mut Shared) {
        let due: Vec<usize> = self
            .participants
            .iter()
            .filter(|(_, p)| p.timeout <= now)
            .map(|(key, _)| key)
            .collect();
        for key in due {
            self.flush(now, key, shared);
        }
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.ticks += 1;
            self.tick(now, shared);
        }
        self.remove_leaving(shared);
    }

    /// Takes out everybody who has been marked to go.
    pub(crate) fn remove_leaving(&mut self, shared: &mut Shared) {
        let leaving: Vec<(usize, LeaveCause)> = self
            .participants
            .iter()
            .filter_map(|(key, p)| Some((key, p.leaving.clone()?)))
            .collect();
        for (key, cause) in leaving {
            self.remove(key, cause, shared);
        }
    }

    fn tick(&mut self, now: Instant, shared: &mut Shared) {
        let is_turn = |every: u64| self.ticks.is_multiple_of(every);
        let (allot, speakers) = (is_turn(ALLOT_EVERY), is_turn(SPEAKERS_EVERY));
        let (gone, quality) = (is_turn(GONE_EVERY), is_turn(QUALITY_EVERY));
        if allot {
            let keys: Vec<usize> = self.participants.iter().map(|(key, _)| key).collect();
            for key in keys {
                self.allot(now, key);
                self.tell_stream_states(key, shared);
            }
            self.tell_senders(now, shared);
        }
        self.request_key_frames(now, shared);
        if speakers {
            self.tell_speakers(now, shared);
        }
        if gone {
            self.look_for_gone(now);
        }
        if quality {
            self.tell_quality(now, shared);
        }
    }

    fn look_for_gone(&mut self, now: Instant) {
        for (_, participant) in &mut self.participants {
            let heard = participant.last_packet.unwrap_or(participant.joined);
            let silent = now.saturating_duration_since(heard) >= PEER_TIMEOUT;
            let signal_lost = match participant.signalling {
                Signalling::Connected => false,
                Signalling::Lost { since } => now.saturating_duration_since(since) >= SIGNAL_TIMEOUT,
            };
            // A client that only signals (has made no offer yet) is not given up for sending no packets.
            if silent && participant.negotiated && participant.leaving.is_none() {
                participant.leaving = Some(LeaveCause::PeerTimeout);
            } else if signal_lost && participant.leaving.is_none() {
                participant.leaving = Some(LeaveCause::SignalLost);
            }
        }
    }

    fn tell_speakers(&mut self, now: Instant, shared: &mut Shared) {
        let mut speakers = Vec::new();
        let mut named = Vec::new();
        for (_, participant) in &mut self.participants {
            let mut heard: Option<f32> = None;
            for track in &participant.tracks {
                let level = self.tracks[*track].loudness.take();
                heard = [heard, level].into_iter().flatten().reduce(f32::max);
            }
            // Who is out of sight falls silent for the others, also in the middle of a sentence.
            let heard = heard.filter(|_| participant.is_visible());
            if heard.is_some() {
                participant.last_spoke = Some(now);
            }
            let Some(report) = next_report(participant.speaking, heard) else {
                continue;
            };
            participant.speaking = report;
            speakers.push(proto::SpeakerInfo {
                sid: participant.sid.clone(),
                level: report.level,
                active: report.active,
            });
            named.push((participant.identity.clone(), report.level));
        }
        if speakers.is_empty() {
            return;
        }
        for (_, participant) in &self.participants {
            if participant.permissions.can_subscribe {
                let changed = proto::SpeakersChanged {
                    speakers: speakers.clone(),
                };
                send_to(participant, Message::SpeakersChanged(changed), shared);
            }
        }
        shared.out.event(Event::Speakers {
            room: self.name.clone(),
            speakers: named,
        });
    }

    /// Tells a newcomer who is speaking and who is not; from then on it hears of changes.
    pub(super) fn tell_who_speaks(&self, key: usize, shared: &mut Shared) {
        let others = self
            .participants
            .iter()
            .filter(|(other, p)| *other != key && p.is_visible());
        let speakers: Vec<_> = others
            .map(|(_, p)| proto::SpeakerInfo {
                sid: p.sid.clone(),
                level: p.speaking.level,
                active: p.speaking.active,
            })
            .collect();
        if self.participants[key].permissions.can_subscribe && !speakers.is_empty() {
            self.send(
                key,
                Message::SpeakersChanged(proto::SpeakersChanged { speakers }),
                shared,
            );
        }
    }

    fn tell_quality(&mut self, now: Instant, shared: &mut Shared) {
        let mut changed = Vec::new();
        for (key, participant) in &mut self.participants {
            let heard = participant.last_packet.unwrap_or(participant.joined);
            let observed = Observed {
                loss: participant.loss,
                rtt: participant.rtt,
                silence: now.saturating_duration_since(heard),
                lowered: participant.lowered,
            };
            let seen: Quality = quality(&observed);
            if participant.quality == Some(seen) {
                continue;
            }
            participant.quality = Some(seen);
            shared.out.event(Event::Quality {
                room: self.name.clone(),
                identity: participant.identity.clone(),
                quality: seen,
            });
            changed.push(key);
        }
        for (key, _) in &self.participants {
            self.tell_qualities(key, changed.iter().copied(), shared);
        }
    }

    /// Tells a participant how all the others are connected.
    pub(super) fn tell_all_qualities(&self, key: usize, shared: &mut Shared) {
        let all = self.participants.iter().map(|(of, _)| of);
        self.tell_qualities(key, all, shared);
    }

    /// Its own quality a participant may always know, the others' only where it may receive them.
    fn tell_qualities(&self, key: usize, of: impl Iterator<Item = usize>, shared: &mut Shared) {
        let may_know_others = self.participants[key].permissions.can_subscribe;
        let updates: Vec<_> = of
            .map(|of| (of, &self.participants[of]))
            .filter(|(of, p)| *of == key || (may_know_others && p.is_visible()))
            .filter_map(|(_, p)| {
                let quality = p.quality?;
                Some(proto::ConnectionQualityInfo {
                    participant_sid: p.sid.clone(),
                    quality: quality.to_proto(),
                    score: quality.score(),
                })
            })
            .collect();
        if !updates.is_empty() {
            let update = proto::ConnectionQualityUpdate { updates };
            self.send(key, Message::ConnectionQuality(update), shared);
        }
    }

    /// Tells senders that somebody receives their track, and which layers anybody wants.
    pub(super) fn tell_senders(&mut self, now: Instant, shared: &mut Shared) {
        for (_, track) in &mut self.tracks {
            let sender = &self.participants[track.publisher];
            if !track.told_subscribed && !track.subscriptions.is_empty() {
                track.told_subscribed = true;
                let subscribed = proto::TrackSubscribed {
                    track_sid: track.info.sid.clone(),
                };
                send_to(sender, Message::TrackSubscribed(subscribed), shared);
            }
            if !track.video || track.layers.len() < 2 {
                continue;
            }
            let wanted = track
                .subscriptions
                .iter()
                .filter(|s| !s.held)
                .filter_map(|s| s.forwarder.target())
                .max();
            if track.told_quality == Some(wanted) {
                track.lower_since = None;
                continue;
            }
            let lower = track.told_quality.is_some_and(|told| wanted < told);
            let since = *track.lower_since.get_or_insert(now);
            if lower && now.saturating_duration_since(since) < LAYER_UNWANTED_FOR {
                continue;
            }
            track.lower_since = None;
            track.told_quality = Some(wanted);
            let qualities: Vec<_> = (0..track.layers.len().min(3))
                .map(|layer| proto::SubscribedQuality {
                    quality: layer as i32,
                    enabled: wanted.is_some_and(|wanted| layer <= wanted),
                })
                .collect();
            let codec = track
                .info
                .mime_type
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_lowercase();
            #[expect(deprecated, reason = "older clients read only this field")]
            let update = proto::SubscribedQualityUpdate {
                track_sid: track.info.sid.clone(),
                subscribed_qualities: qualities.clone(),
                subscribed_codecs: vec![proto::SubscribedCodec { codec, qualities }],
            };
            send_to(sender, Message::SubscribedQualityUpdate(update), shared);
        }
    }
}
