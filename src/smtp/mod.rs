//! The mail protocol without sockets: bytes in, actions and bytes out, in both roles.
//!
//! Called by `receive`, which drives `server`, and by `deliver`, which drives `client`. Promises: no I/O, no clock, no
//! panic and no unbounded growth on any input, and the same result however the input is split. Fails by replies, events
//! and `Reason`s, never by a crash.

pub mod client;
pub mod command;
pub mod data;
pub mod reply;
pub mod server;

/// Whether what is said on a connection can be read on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Clear,
    Tls,
}
