//! 设备自检: what is measured before a hearing, over the same ways and with the same code that the hearing uses.
//!
//! Measuring gives facts (`protocol::selftest`) and concludes nothing.

pub mod network;
