//! The HTTP side: one table of routes with who may use each, and the handlers behind it.

mod document;
mod enter;
mod exchange;
mod operator;
mod page;
mod practice;
mod routes;
mod selftest;
mod staff;

pub use document::openapi;
pub(crate) use exchange::{Device, Failure};
pub(crate) use routes::{content_security_policy, router};
