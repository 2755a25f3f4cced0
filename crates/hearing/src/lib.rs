//! The hearing as a pure state machine: who may do what and when, and what follows from it.
//!
//! The one contract: [`Hearing::decide`] looks and answers with events or a [`protocol::Refusal`], changing nothing;
//! [`Hearing::apply`] folds events and cannot fail. Whoever drives it makes the events durable in between. Folding a
//! stored log from the start gives the same hearing again, the table of command ids included.
//!
//! Invariant: no clock, no randomness, no tasks, no sockets, no storage. Time comes in as an argument.
//!
//! The wire types of `protocol` are the domain types here: there is one vocabulary for a hearing, and a second one
//! with conversions between them would only add places to be wrong. What is private to the machine (grants,
//! what was acknowledged, positions for `expectedSeq`) lives in the fold and never goes over the wire.
//!
//! | module | question it answers |
//! |---|---|
//! | [`table`] | may this role do this in this state of the hearing? |
//! | `command` | may this person do it now, on what they saw, to whom? |
//! | `acts` | what follows from a command that may be carried out? |
//! | `eyes` | what follows from what the server sees: connections, drops, time? |
//! | `draft` | how does one change drag others with it (floor, requests, recording)? |
//! | `room` | what is the state after these events? |
//! | `view` | what may this viewer see of it? |
//! | `media` | what may pass for this person in the media room? |

mod acts;
mod command;
mod draft;
mod eyes;
mod hearing;
mod input;
mod log;
mod media;
mod place;
mod recording;
mod room;
pub mod table;
mod view;

pub use hearing::Hearing;
pub use input::{DeadlineReason, HearingSetup, Input};
pub use media::{MediaRights, Sources};
pub use place::is_court;
