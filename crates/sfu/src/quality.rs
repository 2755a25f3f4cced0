//! Connection quality as a participant is told it, from loss, round trip and silence. Pure.

use std::time::Duration;

use livekit_protocol as proto;

/// How well a participant is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Nothing has come from it for a while.
    Lost,
    /// Sound or picture suffer visibly.
    Poor,
    /// Repairs are needed and mostly work.
    Good,
    /// Nothing to remark.
    Excellent,
}

impl Quality {
    /// The LiveKit enum value.
    pub fn to_proto(self) -> i32 {
        let quality = match self {
            Quality::Lost => proto::ConnectionQuality::Lost,
            Quality::Poor => proto::ConnectionQuality::Poor,
            Quality::Good => proto::ConnectionQuality::Good,
            Quality::Excellent => proto::ConnectionQuality::Excellent,
        };
        quality as i32
    }

    /// LiveKit's score out of 5 for this quality.
    pub fn score(self) -> f32 {
        match self {
            Quality::Lost => 0.0,
            Quality::Poor => 1.5,
            Quality::Good => 3.5,
            Quality::Excellent => 4.8,
        }
    }
}

/// What was seen of one participant's connection over the last few seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Observed {
    /// Share of packets lost in either direction, 0 to 1; the worse of the two.
    pub loss: f32,
    /// Round trip.
    pub rtt: Option<Duration>,
    /// Time since anything at all came from it.
    pub silence: Duration,
    /// A picture wanted in full had to be lowered or paused for want of bandwidth.
    pub lowered: bool,
}

/// No packet for this long is no connection: STUN consent checks come every few seconds.
pub(crate) const LOST_AFTER: Duration = Duration::from_secs(8);
const LOSS_GOOD: f32 = 0.03;
const LOSS_POOR: f32 = 0.10;
const RTT_GOOD: Duration = Duration::from_millis(250);
const RTT_POOR: Duration = Duration::from_millis(600);

/// The quality of what was observed.
pub(crate) fn quality(observed: &Observed) -> Quality {
    let rtt = observed.rtt.unwrap_or_default();
    if observed.silence >= LOST_AFTER {
        Quality::Lost
    } else if observed.loss >= LOSS_POOR || rtt >= RTT_POOR {
        Quality::Poor
    } else if observed.loss >= LOSS_GOOD || rtt >= RTT_GOOD || observed.lowered {
        Quality::Good
    } else {
        Quality::Excellent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worst_sign_wins() {
        let fine = Observed::default();
        for (what, observed, expected) in [
            ("nothing wrong", fine, Quality::Excellent),
            ("some loss", Observed { loss: 0.05, ..fine }, Quality::Good),
            (
                "slow",
                Observed {
                    rtt: Some(Duration::from_millis(300)),
                    ..fine
                },
                Quality::Good,
            ),
            (
                "narrow",
                Observed {
                    lowered: true,
                    ..fine
                },
                Quality::Good,
            ),
            ("much loss", Observed { loss: 0.2, ..fine }, Quality::Poor),
            (
                "silent",
                Observed {
                    silence: LOST_AFTER,
                    ..fine
                },
                Quality::Lost,
            ),
        ] {
            assert_eq!(quality(&observed), expected, "{what}");
        }
    }
}
