//! ICE-TCP: connections that carry datagrams in RFC 4571 frames. A connection's first frame must be a STUN request
//! to a user fragment somebody here has; it then belongs to that participant's shard. Anything else ends it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sfu::{MAX_DATAGRAM, Protocol, stun_ufrag};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::shard::{Handed, ShardHandle, ToShard, Ufrags};
use crate::doorway::{Doorway, Standing};

/// The first frame must have come by then.
const FIRST_FRAME: Duration = Duration::from_secs(10);
/// A connection that is silent for this long is closed.
const SILENCE: Duration = Duration::from_secs(40);
/// Frames waiting to be written; more are dropped.
const QUEUE: usize = 256;
/// Frames read and not yet taken up by the shard; then reading waits.
const UNREAD: usize = 256;
/// Connections at once.
const MAX_CONNECTIONS: usize = 2048;
/// Connections whose first frame has not come, at once: from one address, and in all. A courthouse that comes back
/// after an outage is one address.
const STRANGERS: (usize, usize) = (64, 512);

/// Where the datagrams of connections go.
pub(super) struct Passage {
    shards: Vec<ShardHandle>,
    ufrags: Ufrags,
    advertised: Vec<SocketAddr>,
    slots: Arc<Semaphore>,
}

impl Passage {
    pub(super) fn new(shards: Vec<ShardHandle>, ufrags: Ufrags, advertised: Vec<SocketAddr>) -> Arc<Self> {
        Arc::new(Self {
            shards,
            ufrags,
            advertised,
            slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        })
    }

    /// A place for one connection, while there are any.
    pub(super) fn slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().ok()
    }

    /// The address by which the peer of a connection to `local` knows us.
    fn destination(&self, local: Option<IpAddr>) -> Option<SocketAddr> {
        let same = self.advertised.iter().find(|addr| Some(addr.ip()) == local);
        same.or(self.advertised.first()).copied()
    }

    /// Carries one connection to its end. `peer` is nobody else's; `local` is the address it was made to, where that is
    /// known; who is a stranger stops being one with the first frame.
    pub(super) async fn carry(
        &self,
        (reader, writer): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
        peer: SocketAddr,
        local: Option<IpAddr>,
        stranger: Option<Standing>,
    ) {
        let mut reader = BufReader::new(reader);
        let Some(destination) = self.destination(local) else {
            return;
        };
        let Ok(Some(first)) = tokio::time::timeout(FIRST_FRAME, frame(&mut reader)).await else {
            return;
        };
        let shard = stun_ufrag(&first).and_then(|ufrag| {
            self.ufrags
                .read()
                .expect("no holder of the table of user fragments panics")
                .get(ufrag)
                .copied()
        });
        let Some(shard) = shard.map(|shard| &self.shards[shard]) else {
            return;
        };
        drop(stranger);
        let (queue, queued) = mpsc::channel(QUEUE);
        shard.tell(ToShard::TcpOpened(peer, queue));
        let unread = Arc::new(Semaphore::new(UNREAD));
        let hand = async |contents| {
            let place = unread.clone().acquire_owned().await;
            let place = place.expect("nobody closes the places of this connection");
            let handed = Handed {
                proto: Protocol::Tcp,
                source: peer,
                destination,
                contents,
            };
            shard.tell(ToShard::Datagrams(vec![handed], Some(place)));
        };
        let reading = async {
            hand(first).await;
            while let Ok(Some(contents)) = tokio::time::timeout(SILENCE, frame(&mut reader)).await {
                hand(contents).await;
            }
        };
        tokio::select! {
            () = reading => {}
            () = write(writer, queued) => {}
        }
        shard.tell(ToShard::TcpClosed(peer));
    }
}

/// Accepts connections until cancelled.
pub(super) async fn accept(
    listener: TcpListener,
    passage: Arc<Passage>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
) {
    let strangers = Doorway::new(STRANGERS.0, STRANGERS.1);
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else { continue };
        let (Some(slot), Some(stranger)) = (passage.slot(), strangers.stand(peer.ip())) else {
            continue;
        };
        let (passage, shutdown) = (passage.clone(), shutdown.clone());
        tasks.spawn(async move {
            // Frames are whole datagrams: waiting to fill a segment only delays them.
            let _ = stream.set_nodelay(true);
            let local = stream.local_addr().ok().map(|addr| addr.ip());
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = passage.carry(stream.into_split(), peer, local, Some(stranger)) => {}
            }
            drop(slot);
        });
    }
}

/// One frame, `None` at the end or when it is longer than any datagram we take.
pub(super) async fn frame(reader: &mut (impl AsyncReadExt + Unpin)) -> Option<Vec<u8>> {
    let length = usize::from(reader.read_u16().await.ok()?);
    if length == 0 || length > MAX_DATAGRAM {
        return None;
    }
    let mut contents = vec![0; length];
    reader.read_exact(&mut contents).await.ok()?;
    Some(contents)
}

async fn write(mut writer: impl AsyncWrite + Unpin, mut queued: mpsc::Receiver<Vec<u8>>) {
    let mut framed = Vec::with_capacity(16 * MAX_DATAGRAM);
    while let Some(contents) = queued.recv().await {
        framed.clear();
        append_frame(&mut framed, &contents);
        while framed.len() < 8 * MAX_DATAGRAM
            && let Ok(more) = queued.try_recv()
        {
            append_frame(&mut framed, &more);
        }
        if writer.write_all(&framed).await.is_err() {
            return;
        }
    }
}

pub(super) fn append_frame(framed: &mut Vec<u8>, contents: &[u8]) {
    let Ok(length) = u16::try_from(contents.len()) else {
        return;
    };
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(contents);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_are_read_whole_and_too_long_ones_end_it() {
        let mut framed = Vec::new();
        append_frame(&mut framed, b"abc");
        append_frame(&mut framed, &[7; MAX_DATAGRAM]);
        framed.extend_from_slice(&[0xff, 0xff, 1]);
        let mut reader = &framed[..];
        assert_eq!(frame(&mut reader).await.as_deref(), Some(&b"abc"[..]));
        assert_eq!(
            frame(&mut reader).await.map(|contents| contents.len()),
            Some(MAX_DATAGRAM)
        );
        assert_eq!(frame(&mut reader).await, None);
        assert_eq!(
            frame(&mut &b"\x00\x00"[..]).await,
            None,
            "an empty frame is not a datagram"
        );
        assert_eq!(frame(&mut &b"\x00\x05ab"[..]).await, None, "cut off");
    }
}
