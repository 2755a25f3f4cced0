//! RTP payloads of H.264, the way from packets to pictures, and what arrival times tell. Pure: packets and times come in.

pub mod assembly;
pub mod h264;
pub mod jitter;
pub mod repair;
