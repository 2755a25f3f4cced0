//! A participant of a hearing without a window: hearing channel, media signalling, WebRTC, reconnect, devices.
//!
//! Invariant: the court's control over media is applied here, from the hearing channel, whether or not a page listens.
//! This crate draws nothing and keeps nothing on disk.

pub mod allocate;
pub mod channel;
mod chime;
pub mod devices;
pub mod frames;
pub mod http;
mod native;
pub mod practice;
pub mod reconnect;
pub mod room;
pub mod rtp;
pub mod selftest;
pub mod session;
pub mod signal;
pub mod studio;
mod tls;
pub mod transport;

pub use frames::{EncodedFrame, FrameSink, NoFrames};
pub use http::{Court, CourtError};
pub use media::clock::MediaClock;
pub use native::{DecodedFrame, NativeDecoder};
pub use session::{Session, SessionConfig, SessionHandle, SessionStats};
pub use studio::MediaSetup;
