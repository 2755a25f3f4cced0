//! Answers a receiver that measures the round trip to us: its reference time (RFC 3611 §4.4) goes back as a DLRR block
//! (§4.5). A server asks again for a lost packet of ours once the answer could have been there; without this it does not
//! know when, and whoever watches us over a bad line waits. (The price: str0m asks five times at most, which is now over in a
//! sixth of a second where it was half a second, so a longer burst of loss is repaired less.) Answers at once, and never
//! touches RTP.

use rtc::interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::extended_report::{
    DLRRReport, DLRRReportBlock, ExtendedReport, ReceiverReferenceTimeReportBlock,
};
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::time::Instant;

/// The time between report and answer, in units of 1/65536 seconds: the least there is, since 0 is read as no report at all.
const AT_ONCE: u32 = 1;

/// See the module.
#[derive(Default)]
pub struct ReferenceTimes {
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

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

impl Protocol<TaggedPacket, TaggedPacket, ()> for ReferenceTimes {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &msg.message.packet {
            let reports = answers(packets);
            if !reports.is_empty() {
                let answer = ExtendedReport {
                    sender_ssrc: 0,
                    reports: vec![Box::new(DLRRReportBlock { reports })],
                };
                self.outbound.push_back(TaggedPacket {
                    now: msg.now,
                    transport: TransportContext::default(),
                    message: AttributedPacket::new(Packet::Rtcp(vec![Box::new(answer)])),
                });
            }
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
}

impl Interceptor for ReferenceTimes {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sender_ssrc: u32, ntp_timestamp: u64) -> Box<dyn rtc::rtcp::Packet> {
        Box::new(ExtendedReport {
            sender_ssrc,
            reports: vec![Box::new(ReceiverReferenceTimeReportBlock { ntp_timestamp })],
        })
    }

    fn read(packets: Vec<Box<dyn rtc::rtcp::Packet>>) -> ReferenceTimes {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs one origin")]
        let now = Instant::now();
        let mut times = ReferenceTimes::default();
        times
            .handle_read(TaggedPacket {
                now,
                transport: TransportContext::default(),
                message: AttributedPacket::new(Packet::Rtcp(packets)),
            })
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
