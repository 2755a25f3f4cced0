//! What became of each picture packet that was sent, as the server reports it (transport-wide feedback), for measuring a path.
//!
//! It never estimates anything and never holds a packet back.

use rtc::interceptor::{BandwidthEstimator, PacketReport};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many are kept until they are taken; the oldest go first. Ten seconds of ten megabits.
const KEPT: usize = 12_000;
/// Told to the stack, which asks: more than is ever sent.
const UNLIMITED_BPS: f64 = 1e9;

/// One packet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fate {
    /// When it left.
    pub left: Instant,
    /// When it arrived, by the server's clock, whose zero is unknown; none if it was lost.
    pub arrived: Option<Duration>,
    /// With its header, in bytes.
    pub size: usize,
}

/// What is known and was not taken yet.
#[derive(Clone, Default)]
pub struct Fates(Arc<Mutex<Vec<Fate>>>);

impl Fates {
    /// Everything that has become known since the last call, in the order of sending.
    pub fn take(&self) -> Vec<Fate> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, news: impl Iterator<Item = Fate>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(news);
        let too_many = kept.len().saturating_sub(KEPT);
        kept.drain(..too_many);
    }
}

/// Writes down what is reported.
pub struct Recorder(pub Fates);

impl BandwidthEstimator for Recorder {
    fn on_reports(&mut self, _now: Instant, reports: &[PacketReport]) {
        // Packets without a transport-wide number (sound) were never asked about.
        let numbered = reports.iter().filter(|report| report.is_twcc);
        self.0.add(numbered.map(|report| Fate {
            left: report.departure,
            arrived: report.arrival.filter(|_| report.arrived),
            size: report.size,
        }));
    }

    fn target_bitrate(&self) -> f64 {
        UNLIMITED_BPS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtcp::transport_feedbacks::cc_feedback_report::Ecn;

    fn report(id: u64, is_twcc: bool, arrival: Option<Duration>) -> PacketReport {
        PacketReport {
            ssrc: 1,
            id,
            rtp_sequence_number: id as u16,
            is_twcc,
            twcc_sequence_number: id as u16,
            size: 100,
            arrived: arrival.is_some(),
            departure: crate::transport::start(),
            arrival,
            ecn: Ecn::NotEct,
        }
    }

    #[test]
    fn what_was_asked_about_is_told_once_and_the_newest_are_kept() {
        let fates = Fates::default();
        let mut recorder = Recorder(fates.clone());
        let (now, at) = (crate::transport::start(), Some(Duration::from_secs(1)));
        recorder.on_reports(
            now,
            &[report(1, true, at), report(2, false, None), report(3, true, None)],
        );
        let told: Vec<_> = fates.take().iter().map(|fate| fate.arrived).collect();
        assert_eq!(told, [at, None]);
        assert!(fates.take().is_empty());
        let many: Vec<_> = (0..KEPT as u64 + 5).map(|id| report(id, true, at)).collect();
        recorder.on_reports(now, &many);
        recorder.on_reports(now, &[report(1, true, None)]);
        let kept = fates.take();
        assert_eq!((kept.len(), kept[KEPT - 1].arrived), (KEPT, None));
    }
}
