//! An interceptor that looks at each inbound packet and keeps nothing: it may pass the packet on, change it, drop it or answer.
//! Never touches what goes out, and never reads a clock.

use rtc::interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::time::Instant;

/// What comes of a packet.
#[derive(Default)]
pub struct Seen {
    /// On to the application.
    pub inbound: VecDeque<TaggedPacket>,
    /// Back to the peer.
    pub outbound: VecDeque<TaggedPacket>,
}

/// See the module.
pub struct Inbound {
    look: fn(TaggedPacket, &mut Seen),
    seen: Seen,
}

impl Inbound {
    /// Looks at packets with this.
    pub fn new(look: fn(TaggedPacket, &mut Seen)) -> Self {
        Self {
            look,
            seen: Seen::default(),
        }
    }
}

/// A message of one RTCP packet.
pub fn rtcp(now: Instant, packet: impl rtc::rtcp::Packet + 'static) -> TaggedPacket {
    compound(now, vec![Box::new(packet)])
}

/// A message of several.
pub fn compound(now: Instant, packets: Vec<Box<dyn rtc::rtcp::Packet>>) -> TaggedPacket {
    TaggedPacket {
        now,
        transport: TransportContext::default(),
        message: AttributedPacket::new(Packet::Rtcp(packets)),
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Inbound {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        (self.look)(msg, &mut self.seen);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.seen.inbound.pop_front()
    }

    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        self.seen.outbound.push_back(msg);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.seen.outbound.pop_front()
    }
}

impl Interceptor for Inbound {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}
