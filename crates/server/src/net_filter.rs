//! Turns a client's network reports into a quality that does not flicker.

use protocol::NetQuality;

/// Reports in a row that must be worse before the others are told.
const WORSE_AFTER: u8 = 2;
/// Reports in a row that must be better before the others are told; reports come every five seconds.
const BETTER_AFTER: u8 = 3;

/// What the others were told of one person's network, and what speaks against it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct NetFilter {
    told: NetQuality,
    /// Reports in a row on the same side of `told`, and the mildest change among them.
    against: Option<(NetQuality, u8)>,
}

impl NetFilter {
    /// Takes a report; `Some` when the others must be told something new.
    pub(crate) fn report(&mut self, quality: NetQuality) -> Option<NetQuality> {
        if rank(quality) == rank(self.told) {
            self.against = None;
            return None;
        }
        let worse = rank(quality) > rank(self.told);
        let (candidate, count) = match self.against {
            Some((earlier, count)) if (rank(earlier) > rank(self.told)) == worse => {
                let milder = if (rank(earlier) > rank(quality)) == worse {
                    quality
                } else {
                    earlier
                };
                (milder, count + 1)
            }
            _ => (quality, 1),
        };
        let needed = match (self.told, worse) {
            (NetQuality::Unknown, _) => 1,
            (_, true) => WORSE_AFTER,
            (_, false) => BETTER_AFTER,
        };
        if count < needed {
            self.against = Some((candidate, count));
            return None;
        }
        *self = Self {
            told: candidate,
            against: None,
        };
        Some(candidate)
    }
}

fn rank(quality: NetQuality) -> u8 {
    match quality {
        NetQuality::Unknown => 0,
        NetQuality::Good => 1,
        NetQuality::Poor => 2,
        NetQuality::Bad => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NetQuality::{Bad, Good, Poor};

    fn check(reports: &[NetQuality], told: &[NetQuality]) {
        let mut filter = NetFilter::default();
        let said: Vec<_> = reports.iter().filter_map(|r| filter.report(*r)).collect();
        assert_eq!(said, told, "{reports:?}");
    }

    #[test]
    fn a_single_bad_moment_is_not_told() {
        check(&[Good, Good, Bad, Good, Bad, Good], &[Good]);
    }

    #[test]
    fn what_lasts_is_told_once_and_at_its_mildest() {
        check(&[Good, Bad, Poor, Poor], &[Good, Poor]);
        check(&[Good, Poor, Bad, Bad, Bad], &[Good, Poor, Bad]);
        check(&[Bad, Good, Good, Good, Good], &[Bad, Good]);
        check(&[Bad, Good, Good, Bad, Good, Good], &[Bad]);
    }
}
