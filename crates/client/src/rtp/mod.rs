//! RTP payloads of H.264 and the way from packets to pictures. Pure: packets, bytes and milliseconds come in.

pub mod assembly;
pub mod h264;
