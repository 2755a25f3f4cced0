//! Media for a hearing: cameras, microphones, speakers, screens; H.264 and Opus; echo cancellation, jitter buffers, clocks;
//! and synthetic devices that stand in for all of them.
//!
//! This crate never touches the network and knows nothing of rooms, seats or tracks of a hearing: encoded media goes out
//! through closures, received media comes in through handles. All media `unsafe` of the workspace lives here.
//!
//! Inside, video is I420 in BT.601 limited range and sound is 48 kHz mono `f32` in blocks of 10 ms.

pub mod audio;
pub mod clock;
mod deadline;
pub mod permission;
#[cfg(target_os = "macos")]
mod pixel_buffer;
pub mod screen;
pub mod video;
