//! Asks for lost packets of received pictures (RTCP NACK), by the rules of [`crate::rtp::repair`].
//!
//! In place of the stack's own generator: that one stands where repairs still look like a stream of their own (RFC 4588),
//! never learns that a loss was repaired, and asks for it every 100 ms until 512 later packets have come. A server that
//! limits its repairs, as ours does, then repairs nothing any more. This one never changes a packet.

use super::inbound::rtcp;
use crate::rtp::repair::Missing;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Packets asked for in one message. Each may take a pair of its own, and a message of more than 253 pairs is not sent at all.
const REQUEST_LIMIT: usize = 200;

/// See the module. Stands where the stack's own generator would.
#[derive(Default)]
pub struct LossRequests {
    began: Option<Instant>,
    streams: HashMap<u32, Missing>,
    /// From the stream that carries repairs to the one that it repairs.
    repairs: HashMap<u32, u32>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl LossRequests {
    fn now_ms(&mut self, now: Instant) -> u64 {
        let began = *self.began.get_or_insert(now);
        now.saturating_duration_since(began).as_millis() as u64
    }

    fn arrived(&mut self, now: Instant, packet: &rtc::rtp::Packet) {
        let now_ms = self.now_ms(now);
        let ssrc = packet.header.ssrc;
        match self.repairs.get(&ssrc) {
            None => {
                if let Some(missing) = self.streams.get_mut(&ssrc) {
                    missing.arrived(now_ms, packet.header.sequence_number);
                }
            }
            Some(repaired) => {
                // A probe carries no number: it repairs nothing.
                if let Some(missing) = self.streams.get_mut(repaired)
                    && let Some(original) = packet.payload.first_chunk::<2>()
                {
                    missing.repaired(now_ms, u16::from_be_bytes(*original));
                }
            }
        }
    }

    fn ask(&mut self, now: Instant) {
        let now_ms = self.now_ms(now);
        for (ssrc, missing) in &mut self.streams {
            for due in missing.due(now_ms).chunks(REQUEST_LIMIT) {
                let nack = TransportLayerNack {
                    sender_ssrc: 0,
                    media_ssrc: *ssrc,
                    nacks: nack_pairs_from_sequence_numbers(due),
                };
                self.outbound.push_back(rtcp(now, nack));
            }
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for LossRequests {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &msg.message.packet {
            self.arrived(msg.now, packet);
        }
        self.inbound.push_back(msg);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        self.outbound.push_back(msg);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.ask(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let next = self.streams.values().filter_map(Missing::next_due_ms).min()?;
        Some(self.began? + Duration::from_millis(next))
    }
}

impl Interceptor for LossRequests {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        let asks = info
            .rtcp_feedback
            .iter()
            .any(|feedback| feedback.typ == "nack" && feedback.parameter.is_empty());
        // The stack binds the stream of repairs too, with the same feedback.
        if !asks || self.repairs.contains_key(&info.ssrc) {
            return;
        }
        self.streams.entry(info.ssrc).or_default();
        if let Some(repairs) = info.ssrc_rtx {
            self.repairs.insert(repairs, info.ssrc);
            self.streams.remove(&repairs);
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
        self.repairs.remove(&info.ssrc);
        self.repairs.retain(|_, repaired| *repaired != info.ssrc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::repair::REORDERED_MS;
    use bytes::Bytes;
    use rtc::interceptor::{AttributedPacket, RTCPFeedback};
    use rtc::shared::TransportContext;

    const PICTURE: u32 = 7;
    const REPAIRS: u32 = 8;

    fn stream(ssrc: u32, ssrc_rtx: Option<u32>) -> StreamInfo {
        let feedback = RTCPFeedback {
            typ: "nack".into(),
            parameter: String::new(),
        };
        StreamInfo {
            ssrc,
            ssrc_rtx,
            rtcp_feedback: vec![feedback],
            ..StreamInfo::default()
        }
    }

    fn packet(now: Instant, ssrc: u32, sequence_number: u16, payload: &'static [u8]) -> TaggedPacket {
        let header = rtc::rtp::Header {
            version: 2,
            ssrc,
            sequence_number,
            ..Default::default()
        };
        let payload = Bytes::from_static(payload);
        TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(Packet::Rtp(rtc::rtp::Packet { header, payload })),
        }
    }

    /// What is asked for at a moment: the stream and the packets.
    fn asked(requests: &mut LossRequests, now: Instant) -> Vec<(u32, Vec<u16>)> {
        requests.handle_timeout(now).expect("never fails");
        let mut asked = Vec::new();
        while let Some(out) = requests.poll_write() {
            let Packet::Rtcp(packets) = &out.message.packet else {
                panic!("only requests are written");
            };
            for packet in packets {
                let nack = packet
                    .as_any()
                    .downcast_ref::<TransportLayerNack>()
                    .expect("a NACK");
                let numbers = nack.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
                asked.push((nack.media_ssrc, numbers));
            }
        }
        asked
    }

    #[test]
    fn many_losses_are_asked_for_in_messages_that_can_be_sent() {
        let began = crate::transport::start();
        let mut requests = LossRequests::default();
        requests.bind_remote_stream(&stream(PICTURE, None));
        for n in 0..=4 {
            requests
                .handle_read(packet(began, PICTURE, n * 300, b"x"))
                .expect("never fails");
        }
        let asked = asked(&mut requests, began + Duration::from_millis(REORDERED_MS));
        assert!(asked.iter().all(|(_, numbers)| numbers.len() <= REQUEST_LIMIT));
        assert_eq!(
            asked.iter().map(|(_, numbers)| numbers.len()).sum::<usize>(),
            1_024
        );
    }

    #[test]
    fn a_repair_on_its_own_stream_ends_the_requests_and_is_not_counted_itself() {
        let began = crate::transport::start();
        let at = |ms| began + Duration::from_millis(ms);
        let mut requests = LossRequests::default();
        requests.bind_remote_stream(&stream(PICTURE, Some(REPAIRS)));
        requests.bind_remote_stream(&stream(REPAIRS, None));
        for (ms, sequence) in [(0, 1), (1, 2), (2, 5)] {
            requests
                .handle_read(packet(at(ms), PICTURE, sequence, b"x"))
                .expect("never fails");
        }
        assert_eq!(requests.poll_timeout(), Some(at(2 + REORDERED_MS)));
        let first = 2 + REORDERED_MS;
        assert_eq!(asked(&mut requests, at(first)), [(PICTURE, vec![3, 4])]);
        // Numbers of their own, with a gap: one repair was lost, and a probe carries nothing.
        for (sequence, payload) in [(100, &[0, 3, 0x41][..]), (104, &[])] {
            requests
                .handle_read(packet(at(first + 1), REPAIRS, sequence, payload))
                .expect("never fails");
        }
        assert_eq!(asked(&mut requests, at(first + 300)), [(PICTURE, vec![4])]);
        requests
            .handle_read(packet(at(first + 301), REPAIRS, 105, &[0, 4, 0x41]))
            .expect("never fails");
        assert_eq!(requests.poll_timeout(), None);
        assert_eq!(asked(&mut requests, at(first + 900)), []);
    }
}
