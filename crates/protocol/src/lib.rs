//! Wire types and ids of 明庭: what the server, the clients and the page say to each other.
//!
//! Invariant: no logic beyond parsing an id and redacting a secret; the only dependency is `serde`
//! (and `ts-rs` behind feature `ts`). Whoever needs a decision asks the crate `hearing`.
//!
//! Conventions: enums are internally or adjacently tagged and become discriminated unions in TypeScript;
//! times are whole milliseconds since the Unix epoch and end in `_ms`; every field is camelCase on the wire.

mod api;
mod channel;
mod command;
mod event;
mod host;
mod ids;
mod redact;
mod role;
mod selftest;
mod state;
#[cfg(feature = "ts")]
pub mod typescript;

pub use api::*;
pub use channel::*;
pub use command::*;
pub use event::*;
pub use host::*;
pub use ids::*;
pub use redact::*;
pub use role::*;
pub use selftest::*;
pub use state::*;

/// Version of the hearing channel. A client with another version is told to update, not half understood.
pub const PROTOCOL_VERSION: u32 = 1;
