//! Answers a receiver that measures the round trip to us: its reference time (RFC 3611 §4.4) goes back as a DLRR block
//! (§4.5). A server asks again for a lost packet of ours once the answer could have been there; without this it does not
//! know when, and whoever watches us over a bad line waits. (The price: str0m asks five times at most, which is now over in a
//! sixth of a second where it was half a second, so a longer burst of loss is repaired less.) Answers at once, and never
//! touches RTP.

use super::inbound::{Seen, rtcp};
use rtc::interceptor::{Packet, TaggedPacket};
use rtc::rtcp::extended_report::{
    DLRRReport, DLRRReportBlock, ExtendedReport, ReceiverReferenceTimeReportBlock,
};

/// The time between report and answer, in units of 1/65536 seconds: the least there is, since 0 is read as no report at all.
const AT_ONCE: u32 = 1;

/// What is answered to a compound: one sub-block to each receiver that told its time.
fn answers(packets: &[Box<dyn rtc::rtcp::Packet>]) -> Vec<DLRRReport> {
    let reports = packets
        .iter()
        .filter_map(|packet| packet.as_any().downcast_ref::<ExtendedReport>());
    let times = reports.flat_map(|report| report.reports.iter().map(|block| (report.sender_ssrc, block)));
    times
        .filter_map(|(ssrc, block)| {
            let time = block
                .as_any()
                .downcast_ref::<ReceiverReferenceTimeReportBlock>()?;
            Some(DLRRReport {
                ssrc,
                // The middle 32 of its 64 bits.
                last_rr: (time.ntp_timestamp >> 16) as u32,
                dlrr: AT_ONCE,
            })
        })
        .collect()
}

/// See the module. Everything is passed on.
pub fn answer(msg: TaggedPacket, seen: &mut Seen) {
    if let Packet::Rtcp(packets) = &msg.message.packet {
        let reports = answers(packets);
        if !reports.is_empty() {
            let answer = ExtendedReport {
                sender_ssrc: 0,
                reports: vec![Box::new(DLRRReportBlock { reports })],
            };
            seen.outbound.push_back(rtcp(msg.now, answer));
        }
    }
    seen.inbound.push_back(msg);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::inbound::{Inbound, compound};
    use rtc::sansio::Protocol;

    fn report(sender_ssrc: u32, ntp_timestamp: u64) -> Box<dyn rtc::rtcp::Packet> {
        Box::new(ExtendedReport {
            sender_ssrc,
            reports: vec![Box::new(ReceiverReferenceTimeReportBlock { ntp_timestamp })],
        })
    }

    fn read(packets: Vec<Box<dyn rtc::rtcp::Packet>>) -> Inbound {
        let mut times = Inbound::new(answer);
        times
            .handle_read(compound(crate::transport::start(), packets))
            .expect("never fails");
        times
    }

    #[test]
    fn each_reference_time_is_sent_back_to_whom_it_belongs() {
        let mut times = read(vec![report(7, 0x1234_5678_9abc_def0), report(8, 1 << 16)]);
        assert!(times.poll_read().is_some(), "and passed on");
        let Packet::Rtcp(out) = times.poll_write().expect("an answer").message.packet else {
            panic!("only RTCP is written");
        };
        let answer: &ExtendedReport = out[0].as_any().downcast_ref().expect("an extended report");
        let block: &DLRRReportBlock = answer.reports[0].as_any().downcast_ref().expect("a DLRR block");
        let said: Vec<_> = block
            .reports
            .iter()
            .map(|r| (r.ssrc, r.last_rr, r.dlrr))
            .collect();
        assert_eq!(said, [(7, 0x5678_9abc, AT_ONCE), (8, 1, AT_ONCE)]);
        assert!(times.poll_write().is_none());
    }

    #[test]
    fn who_tells_no_time_is_not_answered() {
        let dlrr = DLRRReportBlock {
            reports: vec![DLRRReport::default()],
        };
        let other = ExtendedReport {
            sender_ssrc: 7,
            reports: vec![Box::new(dlrr)],
        };
        assert!(read(vec![Box::new(other)]).poll_write().is_none());
    }
}
