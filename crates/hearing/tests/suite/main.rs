//! Tests of the hearing as its driver sees it: through `decide`, `apply` and what viewers are sent. One binary, so
//! that the kit is compiled once and nothing in it goes unused.

mod invariants;
mod kit;
mod permissions;
mod random;
mod stories;
