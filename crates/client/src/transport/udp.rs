//! A UDP socket that asks the system for nothing special.
//!
//! The stack's own socket reads the congestion bits of every packet and sends packets in batches. Systems that lack one of
//! the options for it (Windows before IP_RECVECN, Wine) refuse that socket as a whole, although nothing here needs more
//! than to send and to receive: they get this one. It never batches.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// WSAEMSGSIZE, in Windows Sockets Error Codes.
const LONGER_THAN_THE_BUFFER: i32 = 10_040;

/// What receiving failed with, as the stack should take it. Windows calls a packet that is longer than the buffer an error,
/// and the stack would give the socket up: anybody who finds its port could end a person's hearing. Such a packet is lost
/// instead, as it is elsewhere.
pub fn received_too_much_is_transient(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(LONGER_THAN_THE_BUFFER) {
        io::ErrorKind::Interrupted.into()
    } else {
        error
    }
}

/// One packet a call, both ways.
#[derive(Debug)]
pub struct Plain(UdpSocket);

impl Plain {
    /// Takes a bound socket over. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The system refuses to make it non-blocking, or the runtime to watch it.
    pub fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket).map(Self)
    }
}

impl AsyncUdpSocket for Plain {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.0.poll_send_to(cx, transmit.contents, transmit.destination)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let mut packet = ReadBuf::new(buf);
        meta.addr = ready!(self.0.poll_recv_from(cx, &mut packet))?;
        meta.len = packet.filled().len();
        meta.stride = meta.len.max(1);
        meta.ecn = None;
        meta.dst_ip = None;
        Poll::Ready(Ok(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[test]
    fn only_a_packet_that_is_too_long_does_not_end_a_socket() {
        let kind = |code| received_too_much_is_transient(io::Error::from_raw_os_error(code)).kind();
        assert_eq!(kind(LONGER_THAN_THE_BUFFER), io::ErrorKind::Interrupted);
        assert_ne!(kind(LONGER_THAN_THE_BUFFER + 10), io::ErrorKind::Interrupted);
    }

    #[tokio::test]
    async fn packets_go_both_ways() {
        let bound = || std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let (here, there) = (
            Plain::new(bound()).expect("a socket"),
            Plain::new(bound()).expect("a socket"),
        );
        let address = |socket: &Plain| socket.local_addr().expect("bound");
        for (from, to, contents) in [(&here, &there, &[1, 2, 3][..]), (&there, &here, &[])] {
            let transmit = Transmit {
                destination: address(to),
                ecn: None,
                contents,
                segment_size: None,
                src_ip: None,
            };
            let sent = poll_fn(|cx| from.poll_send(cx, &transmit)).await;
            assert_eq!(sent.expect("sent"), contents.len());
            let mut buf = [0; 1_500];
            let mut meta = [RecvMeta::default()];
            let got = poll_fn(|cx| to.poll_recv(cx, &mut [IoSliceMut::new(&mut buf)], &mut meta)).await;
            assert_eq!(got.expect("received"), 1);
            assert_eq!((meta[0].addr, &buf[..meta[0].len]), (address(from), contents));
            assert!(meta[0].stride > 0);
        }
    }
}
