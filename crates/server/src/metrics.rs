//! Counters for the operator, in the Prometheus text format. No label ever holds what belongs to a person or a case.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

macro_rules! metrics {
    ($($(#[$doc:meta])* $kind:ident $field:ident = $name:literal, $help:literal;)*) => {
        /// Everything that is counted.
        #[derive(Debug, Default)]
        pub(crate) struct Metrics {
            $($(#[$doc])* pub(crate) $field: metrics!(@type $kind),)*
        }

        impl Metrics {
            /// The Prometheus text format, version 0.0.4.
            pub(crate) fn prometheus(&self) -> String {
                let mut out = String::new();
                $(
                    let _infallible = writeln!(
                        out,
                        "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}",
                        name = $name, help = $help, kind = stringify!($kind),
                        value = self.$field.0.load(Ordering::Relaxed),
                    );
                )*
                out
            }
        }
    };
    (@type counter) => { Counter };
    (@type gauge) => { Gauge };
}

metrics! {
    counter requests = "mingting_http_requests_total", "HTTP requests that were answered.";
    counter requests_failed = "mingting_http_failures_total", "HTTP requests that were answered with a server error.";
    counter codes_accepted = "mingting_codes_accepted_total", "Hearing codes that were right.";
    counter codes_refused = "mingting_codes_refused_total", "Hearing codes that were wrong, malformed or out of their window.";
    counter arrivals_too_fast = "mingting_arrivals_too_fast_total", "Hellos turned away because their seat had connected too often.";
    counter tries_refused = "mingting_tries_refused_total", "Codes, names and passwords not looked at because there were too many tries.";
    counter seats_taken = "mingting_seats_taken_total", "Seats that were taken by code or account.";
    counter self_tests = "mingting_self_tests_total", "Reports of device checks that were sent in.";
    counter practice_rooms = "mingting_practice_rooms_total", "Practice rooms that were opened.";
    counter practice_refused = "mingting_practice_refused_total", "Practice rooms that were not opened because there were too many.";
    gauge hearings_loaded = "mingting_hearings_loaded", "Hearings held in memory.";
    gauge connections = "mingting_channel_connections", "Open hearing channels.";
    counter connections_resumed = "mingting_channel_resumed_total", "Hearing channels that came back after a drop.";
    counter connections_silent = "mingting_channel_silent_total", "Hearing channels ended because nothing came any more.";
    counter connections_slow = "mingting_channel_slow_total", "Hearing channels ended because their client did not read.";
    counter protocol_errors = "mingting_channel_protocol_errors_total", "Hearing channels ended because of what they sent.";
    counter commands_accepted = "mingting_commands_accepted_total", "Commands carried out.";
    counter commands_refused = "mingting_commands_refused_total", "Commands refused.";
    counter commands_too_fast = "mingting_commands_too_fast_total", "Commands refused because of their number.";
    counter events = "mingting_events_total", "Events made durable.";
    counter persist_us = "mingting_persist_microseconds_total", "Time spent on making events durable, in microseconds.";
    counter store_failures = "mingting_store_failures_total", "Times the database did not do what it was asked.";
    counter media_joined = "mingting_media_joined_total", "Participants who joined a media room.";
    counter media_lost = "mingting_media_lost_total", "Participants whose media connection ended without their doing.";
}

/// Only goes up.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn up(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
}

/// Goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

impl Gauge {
    pub(crate) fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.events.add(3);
        metrics.connections.up();
        let text = metrics.prometheus();
        assert!(
            text.contains("# TYPE mingting_events_total counter\nmingting_events_total 3\n"),
            "{text}"
        );
        assert!(
            text.contains("# TYPE mingting_channel_connections gauge\nmingting_channel_connections 1\n"),
            "{text}"
        );
    }
}
