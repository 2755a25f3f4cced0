//! Lets key frame requests (RTCP PLI and FIR) through to the application.
//!
//! The stack ends all inbound RTCP inside its chain unless an interceptor vouches for a packet; without this one a
//! new viewer would wait for a key frame that nobody was asked for (media.md §8.3). It never touches RTP.

use super::inbound::Seen;
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
pub fn let_through(mut msg: TaggedPacket, seen: &mut Seen) {
    if let Packet::Rtcp(packets) = &msg.message.packet {
        let requests: Vec<_> = packets
            .iter()
            .filter(|p| p.as_any().is::<PictureLossIndication>() || p.as_any().is::<FullIntraRequest>())
            .cloned()
            .collect();
        if requests.is_empty() {
            return;
        }
        msg.message.packet = Packet::Rtcp(requests);
        msg.message.add(Attribute::DeliverToApplication);
    }
    seen.inbound.push_back(msg);
}
