//! placeholder
fn main() { print!("{}", protocol::typescript::module()); }
