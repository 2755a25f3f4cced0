//! The SFU from outside, under virtual time. One program, so that the kit is compiled once.

mod control;
mod hostile;
mod kit;
mod rooms;
