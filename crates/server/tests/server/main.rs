//! The server as its clients see it: the real router on a real socket, a fresh database, real WebSockets, and a clock
//! that only the tests move. One scenario at the end spawns the real binary and kills it.

mod channel;
mod codes;
mod crash;
mod isolation;
mod kit;
mod media;
mod practice;
mod privacy;
mod routes;
mod selftests;
#[path = "../kit/signalling.rs"]
mod signalling;
mod staff;
mod tunnel;
