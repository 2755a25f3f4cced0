//! Decodes pictures for a page that cannot: one thread, one H.264 decoder per slot, latest pictures only.
//!
//! Never queues without bound: when the thread falls behind, pictures are dropped up to the next key picture.

use crate::EncodedFrame;
use bytes::{BufMut, Bytes, BytesMut};
use media::video::{I420, VideoDecoder};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// A fifth of a second of six tiles at 25 Hz.
const QUEUE: usize = 30;

/// One decoded picture: Y, U and V planes one after the other, tightly packed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodedFrame {
    /// As in [`EncodedFrame`].
    pub slot: u32,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// As in [`EncodedFrame`].
    pub seq: u32,
    /// As in [`EncodedFrame`].
    pub ts_us: u64,
    /// `width × height × 3 / 2` bytes.
    pub data: Bytes,
}

/// A running decoder; dropping it ends the thread and waits for it.
pub struct NativeDecoder {
    frames: Option<SyncSender<EncodedFrame>>,
    /// Slots that lost a picture and wait for a key picture.
    behind: Mutex<HashSet<u32>>,
    request_key: Box<dyn Fn(u32) + Send + Sync>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl NativeDecoder {
    /// `shown` gets every decoded picture, `request_key` every slot that needs a key picture to go on.
    pub fn start(
        shown: impl Fn(DecodedFrame) + Send + 'static,
        request_key: impl Fn(u32) + Clone + Send + Sync + 'static,
    ) -> Self {
        let (frames, queue) = sync_channel(QUEUE);
        let ask = request_key.clone();
        let thread = std::thread::Builder::new()
            .name("native-decode".into())
            .spawn(move || run(&queue, &shown, &ask))
            .expect("the system can start one more thread");
        Self {
            frames: Some(frames),
            behind: Mutex::new(HashSet::new()),
            request_key: Box::new(request_key),
            thread: Some(thread),
        }
    }

    /// Takes one picture; never blocks.
    pub fn push(&self, frame: EncodedFrame) {
        let mut behind = self.behind.lock().expect("no holder of the set panics");
        if behind.contains(&frame.slot) && !frame.key {
            return;
        }
        let slot = frame.slot;
        let queue = self.frames.as_ref().expect("the queue is there until drop");
        if queue.try_send(frame).is_ok() {
            behind.remove(&slot);
        } else {
            behind.insert(slot);
            drop(behind);
            (self.request_key)(slot);
        }
    }
}

impl Drop for NativeDecoder {
    fn drop(&mut self) {
        self.frames = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the decoding thread ended in a panic");
        }
    }
}

fn run(queue: &Receiver<EncodedFrame>, shown: &impl Fn(DecodedFrame), request_key: &impl Fn(u32)) {
    let mut decoders: HashMap<u32, VideoDecoder> = HashMap::new();
    while let Ok(frame) = queue.recv() {
        let decoder = match decoders.entry(frame.slot) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => match VideoDecoder::new() {
                Ok(decoder) => entry.insert(decoder),
                Err(error) => {
                    tracing::error!(%error, "no H.264 decoder can be made");
                    return;
                }
            },
        };
        match decoder.decode(&frame.data) {
            Ok(Some(picture)) => shown(pack(&frame, &picture)),
            Ok(None) => {}
            Err(error) => tracing::debug!(slot = frame.slot, %error, "a picture could not be decoded"),
        }
        if decoder.needs_key() {
            request_key(frame.slot);
        }
    }
}

fn pack(frame: &EncodedFrame, picture: &I420) -> DecodedFrame {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let mut data = BytesMut::with_capacity(width * height + 2 * half_width * half_height);
    let planes = [
        (picture.y(), picture.stride_y(), width, height),
        (picture.u(), picture.stride_uv(), half_width, half_height),
        (picture.v(), picture.stride_uv(), half_width, half_height),
    ];
    for (plane, stride, width, height) in planes {
        for row in plane.chunks(stride).take(height) {
            data.put_slice(&row[..width]);
        }
    }
    DecodedFrame {
        slot: frame.slot,
        width: picture.width() as u16,
        height: picture.height() as u16,
        seq: frame.seq,
        ts_us: frame.ts_us,
        data: data.freeze(),
    }
}
