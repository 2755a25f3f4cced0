//! Totals of the media plane, and how Prometheus reads them.

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaStats(pub sfu::Stats);

impl MediaStats {
    /// In Prometheus' text format.
    pub fn prometheus(&self) -> String {
        let stats = &self.0;
        let gauges = [
            ("rooms", "Rooms there are.", stats.rooms),
            ("participants", "Participants there are.", stats.participants),
            ("tracks", "Published tracks there are.", stats.tracks),
            (
                "subscriptions",
                "Tracks being sent to somebody.",
                stats.subscriptions,
            ),
        ];
        let counters = [
            ("packets_in", "Datagrams received.", stats.packets_in),
            ("bytes_in", "Bytes received.", stats.bytes_in),
            ("packets_out", "Datagrams sent.", stats.packets_out),
            ("bytes_out", "Bytes sent.", stats.bytes_out),
            (
                "barred_packets",
                "RTP packets not let in: blocked or not permitted.",
                stats.barred_packets,
            ),
            (
                "unknown_packets",
                "Datagrams that belong to nobody.",
                stats.unknown_packets,
            ),
            (
                "key_frame_requests",
                "Key frames asked for.",
                stats.key_frame_requests,
            ),
            (
                "layer_switches",
                "Changes of simulcast layer.",
                stats.layer_switches,
            ),
        ];
        let mut text = String::new();
        for (name, help, value) in gauges {
            let name = format!("mingting_sfu_{name}");
            text += &format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
        }
        for (name, help, value) in counters {
            let name = format!("mingting_sfu_{name}_total");
            text += &format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_named_and_typed() {
        let text = MediaStats(sfu::Stats {
            rooms: 2,
            packets_out: 7,
            ..Default::default()
        })
        .prometheus();
        assert!(text.contains("# TYPE mingting_sfu_rooms gauge\nmingting_sfu_rooms 2\n"));
        assert!(
            text.contains(
                "# TYPE mingting_sfu_packets_out_total counter\nmingting_sfu_packets_out_total 7\n"
            )
        );
    }
}
