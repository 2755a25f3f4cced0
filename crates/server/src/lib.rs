//! The hearing server: storage, accounts and codes, the hearing channel, and the driver of the crate `hearing`.
//!
//! Invariants:
//! - Every accepted command is on the disk before anybody is told of it ([`storage`], `docket::task`).
//! - One task per hearing decides; connections and requests only ask it. Court control is pushed to the media plane
//!   before it is told to people.
//! - Every route is in a table with who may use it: the server's own (`http::routes`) and the media plane's
//!   (`media::routes`), which checks its own tokens. Nothing else makes a route.
//! - Time, randomness and the media rooms are passed in ([`clock`], [`entropy`], [`rooms`]).
//! - No name, code, token or address is ever logged; the types of `protocol` print as dots, and a test reads the log.
//!
//! It knows nothing of pixels, samples or windows.

pub mod app;
mod channel;
pub mod clock;
pub mod config;
mod docket;
mod doorway;
pub mod entropy;
mod http;
pub mod keyed_hash;
pub mod logging;
pub mod media;
mod media_rooms;
mod metrics;
mod names;
mod net_filter;
mod pace;
mod passwords;
mod practice;
pub mod rooms;
pub mod seed;
pub mod storage;
mod tries;

pub use http::openapi;
pub use media_rooms::MediaRooms;
