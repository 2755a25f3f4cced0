//! Lets key frame requests (RTCP PLI and FIR) through to the application.
//!
//! The stack ends all inbound RTCP inside its chain unless an interceptor vouches for a packet; without this one a
//! new viewer would wait for a key frame that nobody was asked for (media.md §8.3). And it hands a compound to the track that
//! its first packet is about, so a shared screen would stay black whose request came together with one for the camera: each
//! stream's request is passed on alone. It never touches RTP.

use super::inbound::{Seen, rtcp};
use rtc::interceptor::{Attribute, Packet, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;

/// The streams (SSRCs) for which a compound asks a key frame.
pub fn wanted(packets: &[Box<dyn rtc::rtcp::Packet>]) -> Vec<u32> {
    let mut ssrcs = Vec::new();
    for packet in packets {
        if let Some(pli) = packet.as_any().downcast_ref::<PictureLossIndication>() {
            ssrcs.push(pli.media_ssrc);
        } else if let Some(fir) = packet.as_any().downcast_ref::<FullIntraRequest>() {
            ssrcs.extend(fir.fir.iter().map(|entry| entry.ssrc));
        }
    }
    ssrcs
}

/// See the module. To stand last in the chain, where every other interceptor has seen the packet.
pub fn let_through(msg: TaggedPacket, seen: &mut Seen) {
    let Packet::Rtcp(packets) = &msg.message.packet else {
        return seen.inbound.push_back(msg);
    };
    for media_ssrc in wanted(packets) {
        let request = PictureLossIndication {
            sender_ssrc: 0,
            media_ssrc,
        };
        let mut alone = rtcp(msg.now, request);
        alone.transport = msg.transport;
        alone.message.add(Attribute::DeliverToApplication);
        seen.inbound.push_back(alone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::inbound::compound;
    use rtc::rtcp::payload_feedbacks::full_intra_request::FirEntry;
    use rtc::rtcp::receiver_report::ReceiverReport;

    fn pli(media_ssrc: u32) -> Box<dyn rtc::rtcp::Packet> {
        Box::new(PictureLossIndication {
            sender_ssrc: 1,
            media_ssrc,
        })
    }

    #[test]
    fn requests_for_several_streams_in_one_compound_reach_each_of_them() {
        let entry = |ssrc| FirEntry {
            ssrc,
            sequence_number: 3,
        };
        let fir = FullIntraRequest {
            sender_ssrc: 1,
            media_ssrc: 0,
            fir: vec![entry(30), entry(40)],
        };
        let mut seen = Seen::default();
        let requests = vec![pli(10), pli(20), Box::new(fir)];
        let_through(compound(crate::transport::start(), requests), &mut seen);
        // The stack takes a message to the track of what its first packet is about.
        let about: Vec<_> = seen
            .inbound
            .iter()
            .map(|msg| match &msg.message.packet {
                Packet::Rtcp(packets) => (packets.len(), packets[0].destination_ssrc()),
                _ => panic!("only RTCP comes of RTCP"),
            })
            .collect();
        let each = [10, 20, 30, 40].map(|ssrc| (1, vec![ssrc]));
        assert_eq!(about, each);
    }

    #[test]
    fn what_asks_for_no_picture_ends_here() {
        let mut seen = Seen::default();
        let_through(
            rtcp(crate::transport::start(), ReceiverReport::default()),
            &mut seen,
        );
        assert!(seen.inbound.is_empty());
    }
}
